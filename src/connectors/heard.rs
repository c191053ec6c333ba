//! What platforms bring, whichever they are.

use std::fmt;

use jiff::Timestamp;

use crate::domain::activity::Deed;
use crate::domain::language::Language;

/// The longest id and handle of a platform of one's own, in bytes.
pub const LONGEST_NAME: usize = 256;

/// What a platform brought. Personal.
#[derive(Clone, PartialEq, Eq)]
pub enum Heard {
    /// Somebody said something to the bridge's own account, where nobody else reads it.
    Said(Spoken),
    /// Something happened in a room that is counted.
    Happened(Happened),
    /// What somebody wrote there: looked at for phrases that may mean danger, where a community wants that, and forgotten.
    Wrote(Wrote),
    /// What had happened was taken back.
    Undone(Undone),
}

/// What somebody said. Personal.
#[derive(Clone, PartialEq, Eq)]
pub struct Spoken {
    /// The platform's id of it: the same when it is brought again.
    pub id: String,
    /// Under which name the platform knows them, for good.
    pub handle: String,
    /// Where they said it, and are answered.
    pub conversation: String,
    /// What they said.
    pub words: Words,
    /// Their language, as far as the platform knows it.
    pub language: Option<Language>,
}

/// How something was said.
#[derive(Clone, PartialEq, Eq)]
pub enum Words {
    /// In their own words.
    Written(String),
    /// In a letter, with more around it: what is said stands at its beginning.
    Letter(String),
    /// With a button, by its value. What stood with it has an id of the platform's.
    Pressed(String),
}

/// Something that happened. Personal.
#[derive(Clone, PartialEq, Eq)]
pub struct Happened {
    /// An id of its own for whatever is counted.
    pub id: String,
    /// Of whom it is counted.
    pub handle: String,
    /// When it happened.
    pub at: Timestamp,
    /// What it was.
    pub deed: Deed,
}

/// What somebody wrote where others read it. Personal.
#[derive(Clone, PartialEq, Eq)]
pub struct Wrote {
    /// Who.
    pub handle: String,
    /// What, without what they quote.
    pub text: String,
}

/// Something that was taken back. Personal.
#[derive(Clone, PartialEq, Eq)]
pub struct Undone {
    /// The id under which it had been counted.
    pub id: String,
    /// Of whom.
    pub handle: String,
}

/// Why nothing of a request is taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refused {
    /// Nothing is there.
    #[error("nothing is there")]
    NoSuchPath,
    /// Whoever sent it did not show that they are the platform.
    #[error("not signed as agreed")]
    Unknown,
    /// It is not what the platform sends.
    #[error("not what the platform sends: {0}")]
    Malformed(&'static str),
    /// The platform did not say what more has to be known.
    #[error("the platform does not answer")]
    Later,
}

impl fmt::Debug for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Said(_) => "Said(..)",
            Self::Happened(_) => "Happened(..)",
            Self::Wrote(_) => "Wrote(..)",
            Self::Undone(_) => "Undone(..)",
        })
    }
}
