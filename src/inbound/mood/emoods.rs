//! What eMoods writes: a backup (`.emoods`), which is an archive with a table `entry.csv` in it, or that table alone. Read as
//! seen in public backups of 2024: `ID,DATE (YYYY-MM-DD),IRRITABILITY,ANXIETY,DEPRESSED,ELEVATED,SLEEP,…`.
//!
//! eMoods has four severities, each from 1 (none) to 4 (severe); 0 is *not recorded* and never a number. They are four
//! different things and have no common scale, so only how depressed somebody was is taken as the mood's rating, with the
//! word for what was rated: a clinic gets it on the app's own scale, with its bounds (1 the best, 4 the worst) and that word
//! (`depressed: moderate`) beside it, and never turned into one on which more is better. The three others are taken as tags
//! in eMoods' words (`elevated: moderate`), where there was any. How long somebody slept and the note are taken, too.
//! Psychotic symptoms, therapy, menstrual cycle and weight are passed over: a member who shares their tags has not said that
//! they share those.
//!
//! An entry says only on which day it was: the beginning of that day counts.

use std::io::Read;

use jiff::civil::{Date, Time};

use super::daylio::full_date;
use crate::domain::category::Category;
use crate::domain::decimal::Decimal;
use crate::domain::measurement::{Measured, Measurement, Modality};
use crate::domain::reading::{Measure, Mood, Rating};
use crate::inbound::files::number::{decimal, in_minutes};
use crate::inbound::files::rows::{Occurrences, Row, Rows};
use crate::inbound::files::{About, BadLine, FileError, Line, Said, Whose, plain};

/// What the table is called in a backup.
pub const TABLE: &str = "entry.csv";

/// Whose events they are, before the slash.
const APP: &str = "emoods";

const DATE: &str = "DATE (YYYY-MM-DD)";
const DEPRESSED: &str = "DEPRESSED";
const SLEEP: &str = "SLEEP";
const NOTE: &str = "NOTE";

/// What is taken as tags where there was any of it.
const SEVERITIES: [(&str, &str); 3] =
    [("ELEVATED", "elevated"), ("IRRITABILITY", "irritability"), ("ANXIETY", "anxiety")];

/// The app's words for 1 to 4.
const WORDS: [&str; 4] = ["none", "mild", "moderate", "severe"];

/// Whether a table is such a one, by the names of its columns.
#[must_use]
pub fn is_header(header: &[String]) -> bool {
    date_column(header).is_some() && ["DEPRESSED", "ELEVATED"].iter().all(|name| column(header, name).is_some())
}

fn column(header: &[String], name: &str) -> Option<usize> {
    header.iter().position(|column| column.eq_ignore_ascii_case(name))
}

fn date_column(header: &[String]) -> Option<usize> {
    header.iter().position(|column| column.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("DATE")))
}

/// Reads the table, day by day.
pub struct Emoods<'a, R> {
    rows: Rows<R>,
    whose: &'a Whose,
    /// How many entries a day has.
    seen: Occurrences<Date>,
}

impl<'a, R: Read> Emoods<'a, R> {
    /// Reads the header.
    ///
    /// # Errors
    /// [`FileError`] when it is another table.
    pub fn new(file: R, whose: &'a Whose) -> Result<Self, FileError> {
        let rows = Rows::new(file, b',')?;
        if !is_header(rows.header()) {
            return Err(FileError::expected(
                "line 1 is no known eMoods header; expected the columns DATE (YYYY-MM-DD), DEPRESSED and ELEVATED",
            ));
        }
        Ok(Self { rows, whose, seen: Occurrences::default() })
    }

    fn line(&mut self, row: &Row) -> Line {
        let bad_date = || BadLine::column(row.line, DATE, About::Date, "a day such as 2026-11-15");
        let date = row.text(date_column(self.rows.header()), DATE, About::Date)?;
        let date = full_date(date).map_err(|_| bad_date())?;
        // Counted before anything else can fail, so that mending a bad line later does not renumber its neighbours.
        let key = format!("{date}/{}", self.seen.number(date));
        let moment = self.whose.moment(date.to_datetime(Time::midnight()), None).ok_or_else(bad_date)?;
        if self.whose.is_to_come(moment.at) {
            return Err(BadLine::to_come(row.line));
        }
        let part = |category, measure| self.whose.part(APP, (row.line, &key), category, moment, measure);
        let note = plain(self.text(row, NOTE, About::Note)?);
        Ok(Said::Items(vec![
            part(Category::Mood, self.severity(row, DEPRESSED)?.map(mood)),
            part(Category::Sleep, self.sleep(row)?),
            part(Category::Tags, self.tags(row)?),
            part(Category::Note, Some(note).filter(|note| !note.is_empty()).map(Measure::Note)),
        ]))
    }

    fn text<'r>(&self, row: &'r Row, name: &str, about: About) -> Result<&'r str, BadLine> {
        row.text(column(self.rows.header(), name), name, about)
    }

    /// From 1 to 4, and `None` where it was not recorded.
    fn severity(&self, row: &Row, name: &'static str) -> Result<Option<u8>, BadLine> {
        match self.text(row, name, About::Mood)? {
            "" | "0" | "0.0" => Ok(None),
            text => {
                let severity = text.strip_suffix(".0").unwrap_or(text).parse().ok();
                let severity = severity.filter(|severity| (1..=4).contains(severity));
                severity.map(Some).ok_or(BadLine::column(row.line, name, About::Mood, "a whole number from 0 to 4"))
            }
        }
    }

    /// `9.5` hours; 0 was not recorded.
    fn sleep(&self, row: &Row) -> Result<Option<Measure>, BadLine> {
        let text = self.text(row, SLEEP, About::Value)?;
        if text.is_empty() || decimal(text).is_some_and(|hours| hours.approximate() == 0.0) {
            return Ok(None);
        }
        let value = in_minutes(text, 60.0).filter(|minutes| minutes.approximate() <= 24.0 * 60.0);
        let bad = || BadLine::column(row.line, SLEEP, About::Value, "hours such as 7.5, at most 24");
        Ok(Some(Measure::Measurement(Measurement {
            of: Measured::SleepDuration,
            value: value.ok_or_else(bad)?,
            start: None,
            modality: Modality::SelfReported,
            device: None,
        })))
    }

    fn tags(&self, row: &Row) -> Result<Option<Measure>, BadLine> {
        let mut tags = Vec::new();
        for (column, name) in SEVERITIES {
            if let Some(severity) = self.severity(row, column)?.filter(|severity| *severity > 1) {
                tags.push(format!("{name}: {}", word(severity)));
            }
        }
        Ok((!tags.is_empty()).then_some(Measure::Tags(tags)))
    }
}

impl<R: Read> Iterator for Emoods<'_, R> {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        Some(self.rows.next()?.and_then(|row| self.line(&row)))
    }
}

/// How depressed: 1 is the best, 4 the worst.
fn mood(severity: u8) -> Measure {
    let number = |n: u8| Decimal::from(i32::from(n));
    Measure::Mood(Mood {
        rating: Some(Rating { value: number(severity), worst: number(4), best: number(1) }),
        label: Some(format!("depressed: {}", word(severity))),
        state_of_mind: None,
    })
}

fn word(severity: u8) -> &'static str {
    WORDS.get(usize::from(severity).wrapping_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
#[path = "emoods_tests.rs"]
mod tests;
