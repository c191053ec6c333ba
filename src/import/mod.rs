//! Importing a member's own files: in batches, and as often as one likes. What kind of file it is, the file says.
//!
//! A file is read by a thread of its own, which hands over batch after batch; each batch is one transaction. So a file of
//! any size takes little memory, whoever waits for the database holds up the reading, and an import that ends early has
//! taken whole batches: importing the file again goes on from there.

mod kind;
mod report;
mod source;
mod take;

use std::io::{Read, Seek};
use std::path::PathBuf;

use jiff::Timestamp;
use tokio::sync::mpsc;

pub use self::kind::Kind;
pub use self::report::{Listed, MoodNames, Report};
use self::take::Batch;
use crate::domain::day::Days;
use crate::domain::ids::{InvalidSlug, MemberId};
pub use crate::inbound::files::{About, BadLine, FileError};
use crate::inbound::files::{Sink, Whose};
use crate::inbound::mood::daylio::MoodScale;
use crate::inbound::table::Columns;
use crate::pipeline::{AcceptError, Bridge};

/// Whose file it is, and how to read it.
#[derive(Clone, Debug)]
pub struct Diary {
    /// Whose.
    pub member: MemberId,
    /// Where the member's clock stood, where the file does not say.
    pub days: Days,
    /// What the member's own mood names mean.
    pub scale: MoodScale,
    /// Which column of a table is what, for a table of no app that is known.
    pub columns: Option<Columns>,
    /// What kind of file it must be; any, if `None`.
    pub kind: Option<Kind>,
    /// Where a database from an archive may lie while it is read; the system's own place, if `None`.
    pub folder: Option<PathBuf>,
    /// Only say what would happen.
    pub dry_run: bool,
}

impl Diary {
    /// Of this member, read as a file says of itself.
    #[must_use]
    pub const fn new(member: MemberId, days: Days, scale: MoodScale) -> Self {
        Self { member, days, scale, columns: None, kind: None, folder: None, dry_run: false }
    }
}

/// An import that ended early. What was taken before stays; importing again goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file is nothing that can be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A batch was not taken.
    #[error(transparent)]
    Accept(#[from] AcceptError),
    /// A defect of this module.
    #[error(transparent)]
    Community(#[from] InvalidSlug),
    /// The thread that read the file ended before its time. A defect.
    #[error("the reading of the file broke off")]
    BrokeOff,
}

/// Imports a file of whatever kind: each of its entries says how it reads now. One that is not in the file says nothing: an
/// export may cover less than there is, so what is missing is not retracted.
///
/// # Errors
/// [`ImportError`].
pub async fn file(
    bridge: &Bridge,
    diary: &Diary,
    file: impl Read + Seek + Send + 'static,
) -> Result<Report, ImportError> {
    // One batch is taken while the next one is read.
    let (sender, mut batches) = mpsc::channel::<Batch>(1);
    let (asked, now) = (diary.clone(), bridge.clock.now());
    let reader = tokio::task::spawn_blocking(move || {
        let mut batching = take::Batching::new(&sender);
        let kind = read(file, &asked, now, &mut |line| batching.add(line));
        batching.finish();
        kind
    });
    let mut report = Report::default();
    while let Some(batch) = batches.recv().await {
        take::take(bridge, diary, batch, &mut report).await?;
    }
    let (kind, is_archive) = reader.await.map_err(|_| ImportError::BrokeOff)??;
    report.kind = Some(kind);
    report.is_archive = is_archive;
    Ok(report)
}

/// Reads a file of whatever kind to its end, line by line, and takes nothing of it. Says what kind it was, and whether it was
/// an archive. It blocks, and a database in an archive waits for the runtime: it is called by a thread that may do both.
///
/// # Errors
/// [`FileError`] when it is of no kind that is known, or not of the kind that was asked for.
pub fn read(
    file: impl Read + Seek,
    diary: &Diary,
    now: Timestamp,
    sink: &mut Sink<'_>,
) -> Result<(Kind, bool), FileError> {
    let whose = Whose { member: diary.member, days: diary.days.clone(), now };
    source::read(file, diary, &whose, sink)
}
