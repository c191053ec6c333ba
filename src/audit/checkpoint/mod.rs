//! Checkpoints: what stands at the ends of the chains is noted from time to time in a file outside of the database, so
//! that a database that was put back as a whole, or rid of its newest entries, is found out.
//!
//! Each process writes a file of its own; processes on one machine may share one, and take turns. What was noted is in
//! turn noted in the log, so that a file that lost its end is found out too. The file belongs on another medium than the
//! database, and a copy of it on another machine: whoever can put back both alike is not found out.

mod file;
mod line;
mod verify;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::domain::audit::{Chain, CheckpointWritten, Event};
use crate::domain::entropy::{Entropy, NoEntropy};
use crate::store::{Store, StoreError};
use crate::vault::signing::SigningKeys;
use file::{CheckpointFile, Last, peek};
use line::{Checkpoint, end};

pub use verify::{FileVerdict, verify_file};

/// How many ends stand on one line.
const ENDS_PER_LINE: i64 = 500;

/// A transaction may commit so much later than the time that it wrote down, and clocks may differ.
const MARGIN: SignedDuration = SignedDuration::from_mins(10);

/// Where checkpoints go, and how often. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Checkpoints(Option<Arc<Settings>>);

#[derive(Debug)]
struct Settings {
    path: PathBuf,
    every: SignedDuration,
    issuer: Arc<str>,
}

/// A checkpoint that was not written. The next one notes what it would have noted.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The file cannot be written.
    #[error("the checkpoint file {path} cannot be written: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A new file needs a name.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
    /// A line could not be signed.
    #[error("a checkpoint could not be signed")]
    Unsigned,
}

/// What a checkpoint is made from.
#[derive(Clone, Copy, Debug)]
pub struct House<'a> {
    /// The database.
    pub store: &'a Store,
    /// The keys to sign with.
    pub signing: &'a SigningKeys,
    /// Names new files.
    pub entropy: &'a Entropy,
}

impl Checkpoints {
    /// Into the file at `path`, if there is one, as said by `issuer`.
    #[must_use]
    pub fn new(path: Option<PathBuf>, every: SignedDuration, issuer: Arc<str>) -> Self {
        Self(path.map(|path| Arc::new(Settings { path, every, issuer })))
    }

    /// The file, if there is one.
    #[must_use]
    pub fn path(&self) -> Option<&PathBuf> {
        self.0.as_ref().map(|settings| &settings.path)
    }

    /// Whether it is time for a checkpoint.
    ///
    /// # Errors
    /// [`CheckpointError::File`].
    pub fn is_due(&self, now: Timestamp) -> Result<bool, CheckpointError> {
        let Some(settings) = &self.0 else { return Ok(false) };
        let last = peek(&settings.path).map_err(|source| settings.failed(source))?;
        // A clock that was set back makes it time, too.
        Ok(last.is_none_or(|last| now.duration_since(last.checkpoint.at).abs() >= settings.every))
    }

    /// Writes a checkpoint. Returns whether it did: there may be no file, or another process may be at it.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub async fn write(&self, house: House<'_>, now: Timestamp) -> Result<bool, CheckpointError> {
        let Some(settings) = &self.0 else { return Ok(false) };
        let opened = CheckpointFile::open(&settings.path).map_err(|source| settings.failed(source))?;
        let Some(mut file) = opened else { return Ok(false) };
        settings.note_ends(&mut file, house, now).await?;
        let Some(Last { checkpoint, sha256 }) = &file.last else { return Ok(false) };
        // Only after the line is on the disk: the log must not speak of one that is not there.
        let written = CheckpointWritten { file: checkpoint.file, line: checkpoint.line, sha256: sha256.clone() };
        let mut tx = house.store.begin().await?;
        tx.record(Chain::HOUSE, now, Event::CheckpointWritten(written));
        tx.commit().await?;
        Ok(true)
    }
}

impl Settings {
    /// Adds lines about every chain that may have changed since the last one: at least one, to show that it was looked.
    async fn note_ends(
        &self,
        file: &mut CheckpointFile,
        house: House<'_>,
        now: Timestamp,
    ) -> Result<(), CheckpointError> {
        let key = house.store.audit_key().ok_or(StoreError::NoAuditKey)?;
        let signing = house.signing.active(now, |_| true);
        let since = file.last.as_ref().map_or(Timestamp::MIN, |last| since(last.checkpoint.at, now));
        let mut tx = house.store.snapshot().await?;
        let mut after = None;
        loop {
            let heads = tx.audit_heads(after.as_ref(), since, ENDS_PER_LINE).await?;
            after = heads.last().map(crate::store::AuditHead::chain);
            let is_last = heads.len() < usize::try_from(ENDS_PER_LINE).unwrap_or_default();
            let (name, number, previous) = match &file.last {
                Some(Last { checkpoint, sha256 }) => (checkpoint.file, checkpoint.line + 1, sha256.clone()),
                None => (house.entropy.uuid(now)?, 1, String::new()),
            };
            let checkpoint = Checkpoint {
                file: name,
                line: number,
                at: now,
                previous,
                ends: heads.into_iter().map(end).collect(),
                kid: signing.as_ref().map(|key| key.kid().to_owned()),
            };
            let text = checkpoint.seal(&key, signing.as_ref(), &self.issuer).ok_or(CheckpointError::Unsigned)?;
            file.add(checkpoint, &text).map_err(|source| self.failed(source))?;
            if is_last {
                return Ok(());
            }
        }
    }

    fn failed(&self, source: io::Error) -> CheckpointError {
        CheckpointError::File { path: self.path.clone(), source }
    }
}

/// From when on chains may have changed. When the clock was set back, all may have.
fn since(last: Timestamp, now: Timestamp) -> Timestamp {
    if now < last { Timestamp::MIN } else { last.checked_sub(MARGIN).unwrap_or(Timestamp::MIN) }
}
