//! The file that says which column of a table is what.
//!
//! ```toml
//! delimiter = ";"                      # "," if absent; "\t" for a tab
//!
//! [time]
//! column = "When"                      # with `date_column = "Day"`, if the day has a column of its own
//! format = "%d.%m.%Y %H:%M"            # as strftime(3); RFC 3339, or a day alone, if absent
//!
//! [[reading]]
//! column = "Mood"
//! as = "mood"
//! worst = 1
//! best = 10
//!
//! [[reading]]
//! column = "Sleep"
//! as = "sleep-duration"                # any word of the event schema for measurements
//! unit = "h"                           # min, h or s for times; the word's own unit if absent
//!
//! [[reading]]
//! column = "Words"
//! as = "tags"
//! separator = "|"                      # "," if absent
//!
//! [[reading]]
//! column = "Diary"
//! as = "note"
//! ```

use std::collections::BTreeSet;
use std::fmt;

use figment::Figment;
use figment::providers::{Format, Toml};
use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime;
use jiff::tz::Offset;
use serde::Deserialize;

use crate::domain::decimal::Decimal;
use crate::domain::measurement::Measured;

/// The most columns of a table that are taken.
const MOST_READINGS: usize = 50;

/// The longest name of a column, and the longest of the other texts, in bytes: a name is said in each fault.
const LONGEST_TEXT: usize = 1024;

/// Which column is what. Its `Debug` shows how many there are: a member names their columns as they like.
#[derive(Clone)]
pub struct Columns {
    pub(super) delimiter: u8,
    pub(super) time: Time,
    pub(super) readings: Vec<Column>,
}

/// Where the time stands, and how it is written.
#[derive(Clone)]
pub(super) struct Time {
    pub(super) column: String,
    pub(super) date_column: Option<String>,
    format: Option<String>,
}

/// One column that is taken.
#[derive(Clone)]
pub(super) struct Column {
    pub(super) column: String,
    pub(super) what: As,
}

/// What a column is taken as.
#[derive(Clone)]
pub(super) enum As {
    Mood { worst: Decimal, best: Decimal },
    Note,
    Tags { separator: String },
    Measured { of: Measured, factor: f64 },
}

/// Why a file of columns was refused. It names what stands in it, for whoever wrote it is who reads this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("columns file: {0}")]
pub struct ColumnsError(String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    delimiter: Option<String>,
    time: FileTime,
    reading: Vec<FileReading>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileTime {
    column: String,
    date_column: Option<String>,
    format: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileReading {
    column: String,
    #[serde(rename = "as")]
    what: String,
    worst: Option<i32>,
    best: Option<i32>,
    separator: Option<String>,
    unit: Option<String>,
}

impl Columns {
    /// Reads the file.
    ///
    /// # Errors
    /// [`ColumnsError`] when it is no such file, or says something that cannot be.
    pub fn from_toml(text: &str) -> Result<Self, ColumnsError> {
        let refuse = |why: String| ColumnsError(why);
        let file: File = Figment::from(Toml::string(text)).extract().map_err(|error| refuse(error.to_string()))?;
        let delimiter = match file.delimiter.as_deref().unwrap_or(",").as_bytes() {
            [one] if !one.is_ascii_alphanumeric() && !matches!(one, b'"' | b'\n' | b'\r') && one.is_ascii() => *one,
            _ => return Err(refuse("delimiter: expected one sign such as \",\" or \";\"".to_owned())),
        };
        if file.reading.is_empty() || file.reading.len() > MOST_READINGS {
            return Err(refuse(format!("expected 1 to {MOST_READINGS} tables [[reading]]")));
        }
        if file.texts().any(|text| text.len() > LONGEST_TEXT) {
            return Err(refuse("expected names, formats and separators of at most 1 KiB".to_owned()));
        }
        let readings: Vec<Column> = file.reading.into_iter().map(FileReading::column).collect::<Result<_, _>>()?;
        let words: BTreeSet<&str> = readings.iter().map(|reading| reading.what.word()).collect();
        if words.len() < readings.len() {
            return Err(refuse("expected each word after `as` once".to_owned()));
        }
        let FileTime { column, date_column, format } = file.time;
        Ok(Self { delimiter, time: Time { column, date_column, format }, readings })
    }
}

impl File {
    /// The texts that are looked for, or read by, in each row.
    fn texts(&self) -> impl Iterator<Item = &String> {
        let FileTime { column, date_column, format } = &self.time;
        let of_time = [Some(column), date_column.as_ref(), format.as_ref()];
        let of_readings = self.reading.iter().flat_map(|reading| [Some(&reading.column), reading.separator.as_ref()]);
        of_time.into_iter().chain(of_readings).flatten()
    }
}

impl fmt::Debug for Columns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} columns", self.readings.len())
    }
}

impl FileReading {
    fn column(self) -> Result<Column, ColumnsError> {
        let Self { column, what, worst, best, separator, unit } = self;
        let refuse = |why: &str| ColumnsError(format!("reading {column:?}: {why}"));
        let is_scaled = worst.is_some() || best.is_some();
        let what = match what.as_str() {
            "mood" => match (worst, best) {
                (Some(worst), Some(best)) if worst != best => As::Mood { worst: worst.into(), best: best.into() },
                _ => return Err(refuse("expected the bounds of its scale, `worst` and `best`, two different numbers")),
            },
            _ if is_scaled => return Err(refuse("`worst` and `best` belong to a mood")),
            "note" => As::Note,
            "tags" => {
                let separator = separator.clone().unwrap_or_else(|| ",".to_owned());
                if separator.is_empty() {
                    return Err(refuse("expected a `separator` of one sign or more"));
                }
                As::Tags { separator }
            }
            word => {
                let of = Measured::ALL.into_iter().find(|of| of.as_str() == word);
                let of =
                    of.ok_or_else(|| refuse("expected `as` mood, note, tags, or what was measured, such as steps"))?;
                let factor = factor(of, unit.as_deref());
                As::Measured {
                    of,
                    factor: factor.ok_or_else(|| refuse("expected another `unit`: min, h or s for a time"))?,
                }
            }
        };
        if separator.is_some() && !matches!(what, As::Tags { .. }) {
            return Err(refuse("`separator` belongs to tags"));
        }
        if unit.is_some() && !matches!(what, As::Measured { .. }) {
            return Err(refuse("`unit` belongs to what was measured"));
        }
        Ok(Column { column, what })
    }
}

/// What a number is multiplied with to be in the unit of what was measured.
fn factor(of: Measured, unit: Option<&str>) -> Option<f64> {
    match (of.unit(), unit) {
        (_, None) | ("min", Some("min")) => Some(1.0),
        ("min", Some("h")) => Some(60.0),
        ("min", Some("s")) => Some(1.0 / 60.0),
        (own, Some(unit)) => (own == unit).then_some(1.0),
    }
}

impl As {
    /// The word for it, which names it in a row.
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Mood { .. } => "mood",
            Self::Note => "note",
            Self::Tags { .. } => "tags",
            Self::Measured { of, .. } => of.as_str(),
        }
    }
}

impl Time {
    /// The wall time, and how far it was from UTC, where the text says so.
    pub(super) fn read(&self, text: &str) -> Option<(DateTime, Option<Offset>)> {
        let Some(format) = &self.format else { return standard(text) };
        let parsed = strtime::parse(format, text).ok()?;
        let offset = parsed.offset();
        let shown = parsed.to_datetime().ok().or_else(|| parsed.to_date().ok().map(|day| day.at(0, 0, 0, 0)))?;
        Some((shown, offset.filter(|offset| offset.seconds().abs() <= 14 * 3600)))
    }
}

/// RFC 3339 with or without an offset, with a blank for the `T` if one likes; or a day alone, whose beginning counts.
fn standard(text: &str) -> Option<(DateTime, Option<Offset>)> {
    let pieces = jiff::fmt::temporal::Pieces::parse(text).ok()?;
    let offset = pieces.to_numeric_offset().filter(|offset| offset.seconds().abs() <= 14 * 3600);
    let date: Date = pieces.date();
    Some((date.to_datetime(pieces.time().unwrap_or_default()), offset))
}
