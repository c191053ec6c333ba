//! What can be wrong with a file, said without repeating a word of it.

use std::borrow::Cow;
use std::io;

use super::archive::GrowsTooMuch;

/// One line that could not be read. It says where and what was expected, and never what was found: that is personal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine {
    /// Which line, entry or record; the first line of a table is its header.
    pub place: u64,
    /// The column at fault, by the name that the file's own header gives it.
    pub column: Option<Cow<'static, str>>,
    /// What it is about.
    pub about: About,
    /// What should have stood there.
    pub expected: &'static str,
    /// True when reading ended here, so that the rest of the file is missing and not only this line.
    pub ends_reading: bool,
}

/// What a fault is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum About {
    /// The record as a whole.
    Record,
    /// On which day it was.
    Date,
    /// When it was.
    Time,
    /// The mood.
    Mood,
    /// The tags.
    Tags,
    /// The note.
    Note,
    /// A number.
    Value,
    /// The name that it goes by.
    Name,
}

impl BadLine {
    /// The record as a whole.
    #[must_use]
    pub const fn record(place: u64, expected: &'static str) -> Self {
        Self { place, column: None, about: About::Record, expected, ends_reading: false }
    }

    /// The file cannot be read any further.
    #[must_use]
    pub fn cut(place: u64, error: &io::Error) -> Self {
        let expected = if GrowsTooMuch::caused(error) {
            "an archive that does not grow beyond measure when it is unpacked"
        } else {
            "a file that can be read to its end"
        };
        Self::record(place, expected).ending()
    }

    /// One of its columns.
    #[must_use]
    pub fn column(place: u64, column: impl Into<Cow<'static, str>>, about: About, expected: &'static str) -> Self {
        Self { place, column: Some(column.into()), about, expected, ends_reading: false }
    }

    /// A time that has not come yet.
    #[must_use]
    pub fn to_come(place: u64) -> Self {
        Self { about: About::Time, ..Self::record(place, "a time that is not in the future") }
    }

    /// A name that something of another kind has already.
    #[must_use]
    pub fn of_another(place: u64) -> Self {
        let expected = "an id that nothing of another kind had, here or in an earlier file";
        Self { about: About::Name, ..Self::record(place, expected) }
    }

    /// The same, and nothing after it can be read.
    #[must_use]
    pub fn ending(self) -> Self {
        Self { ends_reading: true, ..self }
    }

    /// The sentence, with the word for places in such a file: "line", "entry".
    #[must_use]
    pub fn said(&self, place: &str) -> String {
        let column = self.column.as_ref().map(|column| format!(", column {column}")).unwrap_or_default();
        let end = if self.ends_reading { "; nothing after it was read" } else { "" };
        format!("{place} {}{column}: expected {}{end}", self.place, self.expected)
    }
}

/// The file as a whole is nothing that can be read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It is of no kind that is known, or not of the kind that it was said to be.
    #[error("{0}")]
    Unknown(String),
    /// It holds more than is read.
    #[error("{0}")]
    TooMuch(String),
    /// It is locked with a password.
    #[error("the archive is locked with a password; expected one that is not")]
    Locked,
    /// It is text in another encoding.
    #[error(
        "the file is text, but not in UTF-8; expected the file as the app wrote it. \
         A program that opened it in between may have saved it in an encoding of its own"
    )]
    Encoding,
    /// It could not be read.
    #[error("the file could not be read")]
    Read(#[source] io::Error),
}

impl FileError {
    /// It is not what it was said, or seemed, to be.
    pub fn expected(what: impl Into<String>) -> Self {
        Self::Unknown(what.into())
    }
}

impl From<io::Error> for FileError {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}
