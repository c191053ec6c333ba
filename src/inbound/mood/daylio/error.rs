//! What can be wrong with an export, said without repeating a word of it.

use std::fmt;
use std::io;

use super::header::{Column, known_headers};
use crate::inbound::files::{self, About, FileError};

/// One line that could not be read. It says where and what was expected, and never what was found: that is personal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine {
    /// The line of the file where the record starts; the header is line 1.
    pub line: u64,
    /// The column at fault, or `None` when it is the record as a whole.
    pub column: Option<Column>,
    /// What should have stood there.
    pub expected: &'static str,
    /// True when reading ended here, so that the rest of the file is missing and not only this line.
    pub ends_reading: bool,
}

impl BadLine {
    /// The mood of this line is a word that the scale does not know.
    #[must_use]
    pub fn unknown_mood(line: u64) -> Self {
        Self::field(line, Column::Mood, "a mood from the mapping file (levels 1 to 5)")
    }

    /// The time of this line does not exist in the member's zone.
    #[must_use]
    pub fn impossible_time(line: u64) -> Self {
        Self::field(line, Column::Time, "a time between the years 1970 and 2100")
    }

    /// The time of this line has not come yet.
    #[must_use]
    pub fn future_time(line: u64) -> Self {
        Self::field(line, Column::Time, "a time that is not in the future")
    }

    pub(super) fn field(line: u64, column: Column, expected: &'static str) -> Self {
        Self { line, column: Some(column), expected, ends_reading: false }
    }

    pub(super) fn record(line: u64, expected: &'static str) -> Self {
        Self { line, column: None, expected, ends_reading: false }
    }

    pub(super) fn ending(self) -> Self {
        Self { ends_reading: true, ..self }
    }
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if let Some(column) = self.column {
            write!(f, ", column {column}")?;
        }
        write!(f, ": expected {}", self.expected)?;
        if self.ends_reading { f.write_str("; nothing after it was read") } else { Ok(()) }
    }
}

impl std::error::Error for BadLine {}

impl From<BadLine> for files::BadLine {
    fn from(bad: BadLine) -> Self {
        let BadLine { line: place, column, expected, ends_reading } = bad;
        let about = match column {
            None => About::Record,
            Some(Column::Year | Column::FullDate | Column::Date | Column::Weekday) => About::Date,
            Some(Column::Time) => About::Time,
            Some(Column::Mood) => About::Mood,
            Some(Column::Activities | Column::Scales) => About::Tags,
            Some(Column::NoteTitle | Column::Note) => About::Note,
        };
        Self { place, column: column.map(|column| column.name().into()), about, expected, ends_reading }
    }
}

/// The file as a whole is not an export that can be read.
#[derive(Debug, thiserror::Error)]
pub enum DaylioError {
    /// There is nothing in the file.
    #[error("the file is empty; expected a Daylio CSV export that begins with one of\n{}", known_headers())]
    Empty,
    /// The first line is text, but no header that Daylio is known to write.
    #[error("line 1 is no known Daylio header; expected one of\n{}", known_headers())]
    UnknownHeader,
    /// The first line is not UTF-8, for instance after a spreadsheet saved the file anew.
    #[error(
        "line 1 is not UTF-8; expected a Daylio CSV export as the app wrote it, beginning with one of\n{}",
        known_headers()
    )]
    NotUtf8,
    /// The file is an archive, but no backup that Daylio is known to write.
    #[error("the file is no Daylio backup; expected an archive with a file backup.daylio, as the app writes it")]
    NoBackup,
    /// The file holds more than anybody's diary.
    #[error(
        "the backup holds too much; expected at most 32 MiB of text, 250000 entries, and 10000 moods and activities"
    )]
    TooMuch,
    /// The reader failed before the header was complete.
    #[error("the file could not be read")]
    Read(#[source] io::Error),
}

impl From<DaylioError> for FileError {
    fn from(error: DaylioError) -> Self {
        match error {
            DaylioError::Read(error) => Self::Read(error),
            DaylioError::TooMuch => Self::TooMuch(error.to_string()),
            DaylioError::NotUtf8 => Self::Encoding,
            DaylioError::Empty | DaylioError::UnknownHeader | DaylioError::NoBackup => {
                Self::expected(error.to_string())
            }
        }
    }
}
