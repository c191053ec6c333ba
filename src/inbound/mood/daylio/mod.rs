//! What Daylio writes: its CSV export, as a stream, and its backup ([`DaylioBackup`]). Bytes in, one diary entry (or one
//! named fault) per line out.
//!
//! Daylio writes for people, not for programs: dates, times and mood names are in the member's own language, and most
//! members rename their moods. So this room reads *what the member wrote* ([`DiaryEntry::mood`] is a word), and turning
//! the word into a level of the scale is a second, explicit step ([`MoodScale`]) that refuses to guess.
//!
//! Nothing here reads a clock, opens a file or shows a field's content: faults name the line, the column and what was
//! expected, never what was found.
//!
//! # Bounds
//! A file may be hostile or broken, so memory is bounded whatever its size: one record of at most [`MAX_RECORD_BYTES`] bytes
//! is held at a time, a field has at most [`MAX_FIELD_BYTES`] bytes, and the table that numbers entries of the same minute
//! has at most [`MAX_RECORDS`] rows. In all that is below 24 MiB; for an ordinary diary it is a few hundred KiB. A backup is one
//! piece of JSON and lies in memory as a whole; of what its entries point to (moods, activities), the names are short and the
//! pointers few, because each of them is copied for each entry.

mod backup;
mod error;
mod header;
mod limited;
mod months;
mod note;
mod reader;
mod scale;
#[cfg(test)]
mod tests;
mod when;

use std::fmt;

use jiff::civil::DateTime;
use jiff::tz::Offset;

pub use backup::{BACKUP, DaylioBackup, MAX_BACKUP_BYTES};
pub use error::{BadLine, DaylioError};
pub use header::Column;
pub use reader::{DaylioReader, MAX_FIELD_BYTES, MAX_RECORDS};
pub use scale::{MappingError, MoodScale};
pub(in crate::inbound) use when::{full_date, time};

pub use crate::inbound::files::frame::MAX_RECORD_BYTES;

/// One diary line, as the member wrote it.
#[derive(Clone, PartialEq, Eq)]
pub struct DiaryEntry {
    /// The line of the file where the record starts; the header is line 1. In a backup, which entry it is.
    pub line: u64,
    /// Local wall time.
    pub at: DateTime,
    /// How far it was from UTC, where the file says so: exports know no time zone.
    pub offset: Option<Offset>,
    /// How many entries with the same wall time stand above this one in the file.
    ///
    /// `(at, occurrence)` names an entry again when a newer export of the same diary is imported, as long as nothing
    /// was added to or taken from that very minute.
    pub occurrence: u32,
    /// The member's own name for the mood, trimmed.
    pub mood: String,
    /// Which level of the scale it is, from 1 (worst) to 5 (best), where the file says so: exports do not.
    pub level: Option<u8>,
    /// The column `activities`, taken apart, trimmed, without empty ones.
    pub tags: Vec<String>,
    /// The title of the note; older exports have none.
    pub note_title: Option<String>,
    /// The note as plain text.
    pub note: Option<String>,
    /// The column `scales` as it stands, for instance `Sleep: 7:30 | Energy: 8/10`; only the newest exports have it.
    pub scales: Option<String>,
}

/// Shows the line and nothing else: the rest is personal.
impl fmt::Debug for DiaryEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DiaryEntry").field("line", &self.line).finish_non_exhaustive()
    }
}
