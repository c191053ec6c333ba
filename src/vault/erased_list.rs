//! The list of erased members: a file outside the database, to which lines are added and from which none is taken.
//!
//! A backup of the database from before an erasure holds the member and their wrapped key. Only what no backup of the
//! database brings back can know better; so whoever opens a database reads this list first, and erases again.
//!
//! Each line ends in a code that only a vault of this database can make: nobody erases a member by writing a line here.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::index::{Index, IndexKey};
use crate::domain::ids::{ErasureId, MemberId};

/// The file with the list. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ErasedList(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    seen: Mutex<Seen>,
}

/// What is known to stand in the file.
#[derive(Debug, Default)]
struct Seen {
    erasures: BTreeSet<ErasureId>,
    newest: Option<Timestamp>,
}

impl Seen {
    fn note(&mut self, erased: &Erased) {
        self.erasures.insert(erased.erasure);
        self.newest = self.newest.max(Some(erased.erased_at));
    }
}

/// A member who was erased.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Erased {
    /// By which erasure.
    pub erasure: ErasureId,
    /// Who.
    pub member: MemberId,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// When it was done.
    pub erased_at: Timestamp,
    /// Keyed index of the secret under which the certificate is had.
    pub certificate_index: Index,
    /// What was erased.
    pub certificate: String,
}

/// A line of the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    erased: Erased,
    code: Index,
}

/// The list cannot be used. Without it nobody can tell who must not come back.
#[derive(Debug, thiserror::Error)]
pub enum ErasedListError {
    /// The file cannot be read or written.
    #[error("the list of erased members {path} cannot be read and written")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A line is none, was changed, or belongs to another database.
    #[error("line {line} of the list of erased members {path} was changed, or belongs to another database")]
    Line {
        /// The file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
    },
}

impl ErasedList {
    /// The list in this file, which need not be there yet.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self(Arc::new(Inner { path: path.to_owned(), seen: Mutex::default() }))
    }

    /// Everybody in the list, in the order in which they were added. Makes the file if it is not there, so that nobody
    /// finds out only at the first erasure that it cannot be written.
    ///
    /// # Errors
    /// [`ErasedListError`].
    pub fn read(&self, index: &IndexKey) -> Result<Vec<Erased>, ErasedListError> {
        let mut text = String::new();
        self.open().and_then(|mut file| file.read_to_string(&mut text)).map_err(|error| self.io_error(error))?;
        // A last line without its end was cut off while it was written: what it was about was not done.
        let complete = text.rfind('\n').map_or("", |end| text.get(..end).unwrap_or_default());
        let mut everybody = Vec::new();
        for (number, text) in complete.lines().enumerate().filter(|(_, line)| !line.is_empty()) {
            let line = serde_json::from_str::<Line>(text).ok().filter(|line| line.code == code(index, &line.erased));
            let wrong = || ErasedListError::Line { path: self.0.path.clone(), line: number + 1 };
            everybody.push(line.ok_or_else(wrong)?.erased);
        }
        let mut seen = self.seen();
        for erased in &everybody {
            seen.note(erased);
        }
        Ok(everybody)
    }

    /// Adds somebody, durably.
    ///
    /// # Errors
    /// [`ErasedListError::Io`]; then nothing counts as added.
    pub fn add(&self, index: &IndexKey, erased: &Erased) -> Result<(), ErasedListError> {
        let line = Line { erased: erased.clone(), code: code(index, erased) };
        let write = || {
            let mut text = serde_json::to_string(&line)?;
            text.push('\n');
            let mut file = self.open()?;
            // Other processes of this machine write to it too.
            file.lock()?;
            cut_off_torn_line(&mut file)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()
        };
        write().map_err(|error| self.io_error(error))?;
        self.seen().note(erased);
        Ok(())
    }

    /// Adds somebody unless the list has them: another process of this machine may write to it.
    ///
    /// # Errors
    /// [`ErasedListError`].
    pub fn add_if_new(&self, index: &IndexKey, erased: &Erased) -> Result<(), ErasedListError> {
        let has = || self.seen().erasures.contains(&erased.erasure);
        if has() {
            return Ok(());
        }
        self.read(index)?;
        if has() { Ok(()) } else { self.add(index, erased) }
    }

    /// When the newest of the erasures was done that the list is known to have.
    #[must_use]
    pub fn newest(&self) -> Option<Timestamp> {
        self.seen().newest
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> io::Result<File> {
        if let Some(folder) = self.0.path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        OpenOptions::new().create(true).read(true).append(true).mode(0o600).open(&self.0.path)
    }

    fn io_error(&self, source: io::Error) -> ErasedListError {
        ErasedListError::Io { path: self.0.path.clone(), source }
    }
}

/// Takes away a last line that was cut off while it was written.
fn cut_off_torn_line(file: &mut File) -> io::Result<()> {
    let mut last = [b'\n'];
    if file.metadata()?.len() > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    if last == [b'\n'] {
        return Ok(());
    }
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut bytes)?;
    let complete = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    file.set_len(complete as u64)
}

fn code(index: &IndexKey, erased: &Erased) -> Index {
    let (requested, at) = (erased.requested_at.as_microsecond(), erased.erased_at.as_microsecond());
    index.index(
        "erased-list",
        &[
            erased.erasure.0.as_bytes(),
            erased.member.0.as_bytes(),
            &requested.to_be_bytes(),
            &at.to_be_bytes(),
            &erased.certificate_index,
            erased.certificate.as_bytes(),
        ],
    )
}

#[cfg(test)]
mod tests {
    use std::fs;

    use uuid::Uuid;

    use super::*;
    use crate::vault::Key;

    fn index(of: u8) -> IndexKey {
        IndexKey::new(&Key::from_bytes([of; 32]))
    }

    fn erased(of: u128) -> Erased {
        Erased {
            erasure: ErasureId(Uuid::from_u128(of)),
            member: MemberId(Uuid::from_u128(of + 100)),
            requested_at: "2026-11-20T12:00:00Z".parse().unwrap(),
            erased_at: "2026-11-27T12:00:00Z".parse().unwrap(),
            certificate_index: [7; 32],
            certificate: "eyJ.e30.c2ln".to_owned(),
        }
    }

    #[test]
    fn who_was_added_stays_in_the_list() {
        let folder = tempfile::tempdir().unwrap();
        let list = ErasedList::at(&folder.path().join("new/erased.list"));
        assert_eq!(list.read(&index(1)).unwrap(), []);
        list.add(&index(1), &erased(1)).unwrap();
        list.add(&index(1), &erased(2)).unwrap();
        assert_eq!(list.read(&index(1)).unwrap(), [erased(1), erased(2)]);
    }

    #[test]
    fn who_was_added_by_another_process_is_not_added_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("erased.list");
        let (here, there) = (ErasedList::at(&path), ErasedList::at(&path));
        for list in [&here, &there, &here] {
            list.add_if_new(&index(1), &erased(1)).unwrap();
        }
        assert_eq!(here.read(&index(1)).unwrap(), [erased(1)]);
    }

    #[test]
    fn a_line_that_was_changed_or_comes_from_elsewhere_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("erased.list");
        let list = ErasedList::at(&path);
        list.add(&index(1), &erased(1)).unwrap();
        list.add(&index(1), &erased(2)).unwrap();
        assert!(matches!(list.read(&index(2)), Err(ErasedListError::Line { line: 1, .. })), "another database");
        let text = fs::read_to_string(&path).unwrap();
        let other = erased(9).member.to_string();
        fs::write(&path, text.replace(&erased(2).member.to_string(), &other)).unwrap();
        assert!(matches!(list.read(&index(1)), Err(ErasedListError::Line { line: 2, .. })), "another member");
    }

    #[test]
    fn a_line_that_was_cut_off_counts_for_nothing_and_spoils_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("erased.list");
        let list = ErasedList::at(&path);
        list.add(&index(1), &erased(1)).unwrap();
        let whole = fs::read_to_string(&path).unwrap();
        for cut in [whole.len() / 2, whole.len() - 1] {
            fs::write(&path, format!("{whole}{}", &whole[..cut])).unwrap();
            assert_eq!(list.read(&index(1)).unwrap(), [erased(1)]);
            list.add(&index(1), &erased(2)).unwrap();
            assert_eq!(list.read(&index(1)).unwrap(), [erased(1), erased(2)]);
        }
    }
}
