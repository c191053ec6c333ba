//! What kind of file it is, by what is in it. Names of files say nothing: people rename them, and phones give none.

use std::fmt;
use std::str::FromStr;

use crate::inbound::files::rows::Rows;
use crate::inbound::mood::{bearable, emoods};
use crate::inbound::{devices, observations};

/// A kind of file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Daylio's table or backup.
    Daylio,
    /// Bearable's table.
    Bearable,
    /// eMoods' backup, or the table in it.
    Emoods,
    /// Apple Health's export, in its archive or not.
    AppleHealth,
    /// Health Connect's archive.
    HealthConnect,
    /// FHIR: a Bundle of Observations and questionnaires that were filled in, or one of them.
    Fhir,
    /// Any table, with a file that says which column is what.
    Table,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Daylio, Self::Bearable, Self::Emoods, Self::AppleHealth, Self::HealthConnect, Self::Fhir, Self::Table];

    /// The word on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Daylio => "daylio",
            Self::Bearable => "bearable",
            Self::Emoods => "emoods",
            Self::AppleHealth => "apple-health",
            Self::HealthConnect => "health-connect",
            Self::Fhir => "fhir",
            Self::Table => "table",
        }
    }

    /// What a place in such a file is called.
    #[must_use]
    pub const fn place(self, is_archive: bool) -> &'static str {
        match self {
            Self::AppleHealth | Self::HealthConnect => "record",
            Self::Fhir => "entry",
            Self::Daylio if is_archive => "entry",
            _ => "line",
        }
    }

    /// What a file is that is no archive, by how it begins. What is none of these may still be a table.
    pub(super) fn of_text(beginning: &[u8]) -> Option<Self> {
        if devices::apple_health::is_likely(beginning) {
            return Some(Self::AppleHealth);
        }
        if observations::is_likely(beginning) {
            return Some(Self::Fhir);
        }
        let rows = Rows::new(beginning, b',').ok()?;
        if bearable::is_header(rows.header()) {
            return Some(Self::Bearable);
        }
        emoods::is_header(rows.header()).then_some(Self::Emoods)
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let words: Vec<&str> = Self::ALL.iter().map(|kind| kind.as_str()).collect();
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == word)
            .ok_or_else(|| format!("expected one of {}", words.join(", ")))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
