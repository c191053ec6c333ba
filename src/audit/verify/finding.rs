//! What verifying can find, in plain words.

use std::fmt;

use uuid::Uuid;

use crate::domain::grant::GrantState;
use crate::domain::ids::GrantId;
use crate::store::ChainKey;

/// Something is not as it was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// Where.
    pub at: Place,
    /// What.
    pub wrong: Wrong,
}

/// Where something is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// The log as a whole.
    Log,
    /// A chain.
    Chain(ChainKey),
    /// An entry.
    Entry(ChainKey, i64),
    /// A version of a consent, as it stands in the database.
    Consent(ChainKey, GrantId, i32),
    /// A line of a checkpoint file.
    Line(u64),
    /// A checkpoint file as a whole.
    File,
}

/// What is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wrong {
    /// The entry was changed, or stood elsewhere.
    Altered,
    /// The entry is not there, nor are those after it up to this one.
    Missing(i64),
    /// Entries are missing at the end of the chain, up to this one.
    CutOff(i64),
    /// Entries go on beyond what the chain's head knows.
    BeyondHead,
    /// The chain has no head.
    NoHead,
    /// The chain's head was changed.
    HeadAltered,
    /// The whole chain is not there, or was begun anew.
    ChainGone,
    /// How far the chain goes was changed, and it went on from there.
    TamperedBefore,
    /// There is no beginning.
    NoBeginning,
    /// The terms are not those under which the log says that it was given.
    TermsAltered,
    /// It does not stand as the log left it.
    StateAltered {
        /// How the log left it.
        said: GrantState,
        /// How it stands.
        found: String,
    },
    /// It is not there any more, and its member is.
    Gone,
    /// The log knows nothing of it.
    Unknown,
    /// The line was changed, or is none.
    LineAltered,
    /// The line does not follow the one before it.
    LineOutOfOrder,
    /// The signature is not one of this bridge's keys.
    Signature,
    /// The database no longer has what the line says it had.
    FellBehind(ChainKey, i64),
    /// Lines are missing at the end, up to this one.
    LinesCutOff(u64),
    /// The file is not there, and the log says that it was written.
    FileGone,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.at {
            Place::Log => f.write_str("the log")?,
            Place::Chain(chain) => write!(f, "chain {}", Named(chain))?,
            Place::Entry(chain, seq) => write!(f, "chain {}, entry {seq}", Named(chain))?,
            Place::Consent(chain, grant, version) => {
                write!(f, "chain {}, consent {grant}, version {version}", Named(chain))?;
            }
            Place::Line(line) => write!(f, "checkpoint file, line {line}")?,
            Place::File => f.write_str("checkpoint file")?,
        }
        f.write_str(": ")?;
        match &self.wrong {
            Wrong::Altered => f.write_str("it was changed, or moved here from elsewhere"),
            Wrong::Missing(last) => write!(f, "it was deleted, and all up to entry {last}"),
            Wrong::CutOff(last) => write!(f, "it was deleted, and all up to entry {last}, the last one"),
            Wrong::BeyondHead => f.write_str("entries go on beyond the end that was written down"),
            Wrong::NoHead => f.write_str("its head was deleted"),
            Wrong::HeadAltered => f.write_str("its head was changed"),
            Wrong::ChainGone => f.write_str("it was deleted as a whole, or deleted and begun anew"),
            Wrong::TamperedBefore => {
                f.write_str("its head had been changed when the next entry was written: entries may be missing there")
            }
            Wrong::NoBeginning => f.write_str("its beginning was deleted or changed"),
            Wrong::TermsAltered => f.write_str("its terms in the database are not those that the member gave"),
            Wrong::StateAltered { said, found } => {
                let found = found.escape_default();
                write!(f, "it is {found} in the database, and the log left it {}", said.as_str())
            }
            Wrong::Gone => f.write_str("it was deleted from the database, and its member was not erased"),
            Wrong::Unknown => {
                f.write_str("the log knows nothing of it: other hands put it there, or a program older than the log")
            }
            Wrong::LineAltered => f.write_str("it was changed"),
            Wrong::LineOutOfOrder => f.write_str("it does not follow the line before it"),
            Wrong::Signature => f.write_str("its signature is not one of this bridge's keys"),
            Wrong::FellBehind(chain, seq) => write!(
                f,
                "the database no longer has entry {seq} of chain {} as it was noted: entries were deleted or changed, or \
                 an older backup was restored",
                Named(chain)
            ),
            Wrong::LinesCutOff(last) => write!(f, "lines were deleted at its end, up to line {last}"),
            Wrong::FileGone => f.write_str("it is not there, although the log says that it was written"),
        }
    }
}

/// A chain as it stands in the database, whatever somebody wrote there.
struct Named<'a>(&'a ChainKey);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (member, clinic) = self.0;
        match (member == &Uuid::nil(), clinic.is_empty()) {
            (true, true) => f.write_str("house"),
            (true, false) => write!(f, "{}", clinic.escape_default()),
            (false, true) => write!(f, "member {member}"),
            (false, false) => write!(f, "{}/{member}", clinic.escape_default()),
        }
    }
}
