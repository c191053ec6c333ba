//! Verifying a checkpoint file: by itself, by its signatures, and against the database.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use jiff::Timestamp;
use jsonwebtoken::jwk::JwkSet;
use uuid::Uuid;

use super::line::{Checkpoint, Claims, Line, sha256};
use crate::audit::verify::{Finding, Place, Verdict, Wrong};
use crate::domain::audit::hex;
use crate::store::{AuditPlace, Store, StoreError, Tx};
use crate::vault::AuditKey;
use crate::vault::signing::verified;

/// No line is so long, in bytes.
const LONGEST: u64 = 1024 * 1024;

/// How many findings are kept; the others are counted.
const KEPT: usize = 100;

/// What verifying a file found.
#[derive(Debug, Default)]
pub struct FileVerdict {
    /// The file's own name for itself, if it has a line.
    pub file: Option<Uuid>,
    /// How many lines it has.
    pub lines: u64,
    /// When the last one was written.
    pub last: Option<Timestamp>,
    /// How many lines are signed with a key that is not here any more: nobody but the bridge can vouch for them.
    pub unknown_signers: u64,
    /// How many lines have no signature, because there was no key to sign with.
    pub unsigned: u64,
    /// How much is wrong.
    pub found: u64,
    /// What is wrong, the first of it.
    pub findings: Vec<Finding>,
}

/// A file as far as it was read.
struct Reading<'a> {
    key: AuditKey,
    keys: &'a JwkSet,
    verdict: FileVerdict,
    /// SHA-256 of the last line.
    last: String,
}

/// Verifies a checkpoint file against the log, of which `log` is known already. One that is not there is wrong if the
/// log says that checkpoints were written.
///
/// # Errors
/// [`StoreError`] when the log cannot be read: that says nothing about it.
pub async fn verify_file(
    store: &Store,
    path: &Path,
    keys: &JwkSet,
    log: &Verdict,
) -> Result<io::Result<FileVerdict>, StoreError> {
    let key = store.audit_key().ok_or(StoreError::NoAuditKey)?;
    let mut reading = Reading { key, keys, verdict: FileVerdict::default(), last: String::new() };
    let mut lines = match File::open(path) {
        Ok(file) => BufReader::new(file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if !log.noted.is_empty() {
                reading.find(Place::File, Wrong::FileGone);
            }
            return Ok(Ok(reading.verdict));
        }
        Err(error) => return Ok(Err(error)),
    };
    let mut tx = store.snapshot().await?;
    loop {
        let mut text = Vec::new();
        if let Err(error) = lines.by_ref().take(LONGEST).read_until(b'\n', &mut text) {
            return Ok(Err(error));
        }
        // What comes after the last end of a line was not finished: the process died, and began the line anew.
        let Some(text) = text.strip_suffix(b"\n") else {
            if text.len() as u64 == LONGEST {
                reading.find(Place::Line(reading.verdict.lines + 1), Wrong::LineAltered);
            }
            break;
        };
        if let Some(checkpoint) = reading.line(text) {
            reading.against(&mut tx, &checkpoint).await?;
        }
    }
    reading.end(log);
    Ok(Ok(reading.verdict))
}

impl Reading<'_> {
    fn find(&mut self, at: Place, wrong: Wrong) {
        self.verdict.found += 1;
        if self.verdict.findings.len() < KEPT {
            self.verdict.findings.push(Finding { at, wrong });
        }
    }

    /// The next line by itself: is it whole, ours, and where it belongs?
    fn line(&mut self, text: &[u8]) -> Option<Checkpoint> {
        self.verdict.lines += 1;
        let number = self.verdict.lines;
        let before = std::mem::replace(&mut self.last, sha256(text));
        let line: Option<Line> = serde_json::from_slice(text).ok();
        let line = line.filter(|line| hex(&self.key.checkpoint(line.checkpoint.get().as_bytes())) == line.mac);
        let checkpoint = line.as_ref().and_then(|line| serde_json::from_str::<Checkpoint>(line.checkpoint.get()).ok());
        let (Some(line), Some(checkpoint)) = (line, checkpoint) else {
            self.find(Place::Line(number), Wrong::LineAltered);
            return None;
        };
        let file = *self.verdict.file.get_or_insert(checkpoint.file);
        if checkpoint.previous != before || checkpoint.line != number || checkpoint.file != file {
            self.find(Place::Line(number), Wrong::LineOutOfOrder);
        }
        self.signature(&line, &checkpoint);
        self.verdict.last = Some(checkpoint.at);
        Some(checkpoint)
    }

    fn signature(&mut self, line: &Line, checkpoint: &Checkpoint) {
        let Some(kid) = &checkpoint.kid else {
            self.verdict.unsigned += 1;
            return;
        };
        if self.keys.find(kid).is_none() {
            self.verdict.unknown_signers += 1;
            return;
        }
        let claims: Option<Claims> = line.jws.as_deref().and_then(|jws| verified(jws, self.keys));
        if claims.is_none_or(|claims| claims.sha256 != sha256(line.checkpoint.get().as_bytes())) {
            self.find(Place::Line(checkpoint.line), Wrong::Signature);
        }
    }

    /// Has the database still what the line says it had?
    async fn against(&mut self, tx: &mut Tx, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        let places: Vec<AuditPlace> = checkpoint.places().map(|(place, _)| place).collect();
        let macs = tx.audit_macs(&places).await?;
        for (place, mac) in checkpoint.places() {
            if macs.get(&place).is_none_or(|found| hex(found) != mac) {
                let (chain, seq) = place;
                self.find(Place::Line(checkpoint.line), Wrong::FellBehind(chain, seq));
            }
        }
        Ok(())
    }

    /// Does the file go as far as the log says?
    fn end(&mut self, log: &Verdict) {
        let noted = self.verdict.file.and_then(|file| log.noted.get(&file));
        match noted {
            Some(note) if note.line > self.verdict.lines => {
                self.find(Place::File, Wrong::LinesCutOff(note.line));
            }
            Some(note) if note.line == self.verdict.lines && note.sha256 != self.last => {
                self.find(Place::Line(note.line), Wrong::LineAltered);
            }
            None if self.verdict.file.is_none() && !log.noted.is_empty() => self.find(Place::File, Wrong::FileGone),
            _ => {}
        }
    }
}
