//! What Bearable writes: a table with one row for each thing that was noted, of many kinds, in two forms: older ones lack
//! the column `date formatted`. Read as seen in public exports of 2020 to 2024.
//!
//! Taken are moods (1 to 10, as Bearable's own help says: bearable.app/support, "What are all the different scales"), the
//! feelings beside them and the factors of a day as tags, notes, and how long somebody slept. Energy, symptoms, medicines,
//! food and measurements are passed over: nothing here can say what they are without relabelling them.
//!
//! Where only a part of the day is said (`pre`, `am`, `mid`, `pm`), or only the day, its beginning counts; of a part of today
//! that begins later, the present, until it has begun.

use std::io::Read;

use jiff::civil::{Date, DateTime, Time};

use super::daylio::{full_date, time};
use crate::domain::category::Category;
use crate::domain::decimal::Decimal;
use crate::domain::measurement::{Measured, Measurement, Modality};
use crate::domain::reading::{Measure, Mood, Rating};
use crate::inbound::files::number::{decimal, minutes};
use crate::inbound::files::rows::{Occurrences, Row, Rows};
use crate::inbound::files::{About, BadLine, FileError, Line, MOST_TAGS, Said, Whose, plain};

/// Whose events they are, before the slash.
const APP: &str = "bearable";

/// The columns of both forms.
const DATE: &str = "date";
const DATE_FORMATTED: &str = "date formatted";
const TIME: &str = "time of day";
const CATEGORY: &str = "category";
const AMOUNT: &str = "rating/amount";
const DETAIL: &str = "detail";
const NOTES: &str = "notes";

/// Bearable's own names of the parts of a day, and the hour when each begins.
const PARTS_OF_DAY: [(&str, i8); 6] = [("", 0), ("all day", 0), ("pre", 0), ("am", 6), ("mid", 12), ("pm", 18)];

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Which of the kinds of rows that are taken.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Mood,
    Factors,
    Sleep,
}

impl Kind {
    fn of(category: &str) -> Option<Self> {
        match category.to_lowercase().as_str() {
            "mood" => Some(Self::Mood),
            "factors" => Some(Self::Factors),
            "sleep" => Some(Self::Sleep),
            _ => None,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Mood => "mood",
            Self::Factors => "factors",
            Self::Sleep => "sleep",
        }
    }
}

/// Whether a table is such an export, by the names of its columns.
#[must_use]
pub fn is_header(header: &[String]) -> bool {
    [DATE, TIME, CATEGORY, AMOUNT, DETAIL].iter().all(|name| column(header, name).is_some())
}

fn column(header: &[String], name: &str) -> Option<usize> {
    header.iter().position(|column| column.eq_ignore_ascii_case(name))
}

/// Reads an export row by row.
pub struct Bearable<'a, R> {
    rows: Rows<R>,
    columns: Columns,
    whose: &'a Whose,
    seen: Occurrences<(DateTime, Kind)>,
}

/// Where the columns stand.
struct Columns {
    date: Option<usize>,
    formatted: Option<usize>,
    time: Option<usize>,
    category: Option<usize>,
    amount: Option<usize>,
    detail: Option<usize>,
    notes: Option<usize>,
}

impl<'a, R: Read> Bearable<'a, R> {
    /// Reads the header.
    ///
    /// # Errors
    /// [`FileError`] when it is another table.
    pub fn new(file: R, whose: &'a Whose) -> Result<Self, FileError> {
        let rows = Rows::new(file, b',')?;
        if !is_header(rows.header()) {
            return Err(FileError::expected(
                "line 1 is no known Bearable header; expected one of\n\
                 date,date formatted,weekday,time of day,category,rating/amount,detail,notes\n\
                 date,weekday,time of day,category,rating/amount,detail,notes",
            ));
        }
        let at = |name| column(rows.header(), name);
        let columns = Columns {
            date: at(DATE),
            formatted: at(DATE_FORMATTED),
            time: at(TIME),
            category: at(CATEGORY),
            amount: at(AMOUNT),
            detail: at(DETAIL),
            notes: at(NOTES),
        };
        Ok(Self { rows, columns, whose, seen: Occurrences::default() })
    }

    fn line(&mut self, row: &Row) -> Line {
        let Some(kind) = Kind::of(row.text(self.columns.category, CATEGORY, About::Record)?) else {
            return Ok(Said::Nothing);
        };
        let (shown, is_part) = self.shown(row)?;
        // Counted before anything else can fail, so that mending a bad line later does not renumber its neighbours.
        let key = format!("{}/{shown}/{}", kind.as_str(), self.seen.number((shown, kind)));
        let bad_time = || BadLine::column(row.line, DATE, About::Date, "a day between the years 1970 and 2100");
        let mut moment = self.whose.moment(shown, None).ok_or_else(bad_time)?;
        if self.whose.is_to_come(moment.at) {
            let Whose { days, now, .. } = self.whose;
            if !is_part || days.day_of(*now) != shown.date() {
                return Err(BadLine::to_come(row.line));
            }
            moment = days.moment(*now);
        }
        let part = |category, measure| self.whose.part(APP, (row.line, &key), category, moment, measure);
        let words = words(row.text(self.columns.detail, DETAIL, About::Tags)?);
        let words = words.ok_or_else(|| BadLine::column(row.line, DETAIL, About::Tags, "at most 500 words"))?;
        let words = Some(words).filter(|words| !words.is_empty()).map(Measure::Tags);
        Ok(Said::Items(match kind {
            Kind::Mood => vec![
                part(Category::Mood, Some(Measure::Mood(self.mood(row)?))),
                part(Category::Note, self.note(row)?),
                part(Category::Tags, words),
            ],
            Kind::Factors => vec![part(Category::Tags, words)],
            Kind::Sleep => vec![part(Category::Sleep, Some(Measure::Measurement(self.sleep(row)?)))],
        }))
    }

    /// When it was, and whether only the part of the day is said.
    fn shown(&self, row: &Row) -> Result<(DateTime, bool), BadLine> {
        let formatted = row.text(self.columns.formatted, DATE_FORMATTED, About::Date)?;
        let date = if formatted.is_empty() {
            date(row.text(self.columns.date, DATE, About::Date)?)
        } else {
            full_date(formatted).ok()
        };
        let date = date.ok_or_else(|| BadLine::column(row.line, DATE, About::Date, "a day such as 22nd Sep 2020"))?;
        let text = row.text(self.columns.time, TIME, About::Time)?;
        let part = PARTS_OF_DAY.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
        let time = match part {
            Some((_, hour)) => Time::new(*hour, 0, 0, 0).ok(),
            None => time(text).ok(),
        };
        let time =
            time.ok_or_else(|| BadLine::column(row.line, TIME, About::Time, "a time such as 20:30, or am or pm"))?;
        Ok((date.to_datetime(time), part.is_some()))
    }

    fn mood(&self, row: &Row) -> Result<Mood, BadLine> {
        let value = decimal(row.text(self.columns.amount, AMOUNT, About::Mood)?);
        let value = value.filter(|value| (1.0..=10.0).contains(&value.approximate()));
        let value = value.ok_or_else(|| BadLine::column(row.line, AMOUNT, About::Mood, "a number from 1 to 10"))?;
        let rating = Rating { value, worst: Decimal::from(1), best: Decimal::from(10) };
        Ok(Mood { rating: Some(rating), label: None, state_of_mind: None })
    }

    fn note(&self, row: &Row) -> Result<Option<Measure>, BadLine> {
        let text = plain(row.text(self.columns.notes, NOTES, About::Note)?);
        Ok(Some(text).filter(|text| !text.is_empty()).map(Measure::Note))
    }

    /// `7:30` hours.
    fn sleep(&self, row: &Row) -> Result<Measurement, BadLine> {
        let text = row.text(self.columns.amount, AMOUNT, About::Value)?;
        let slept = text.split_once(':').and_then(|(hours, rest)| {
            let (hours, rest): (u32, u32) = (hours.parse().ok()?, rest.parse().ok()?);
            (hours <= 24 && rest < 60).then(|| i64::from(hours * 60 + rest))
        });
        let value = slept.and_then(|slept| minutes(slept * 60));
        let bad = || BadLine::column(row.line, AMOUNT, About::Value, "hours and minutes such as 7:30");
        Ok(Measurement {
            of: Measured::SleepDuration,
            value: value.ok_or_else(bad)?,
            start: None,
            modality: Modality::SelfReported,
            device: None,
        })
    }
}

impl<R: Read> Iterator for Bearable<'_, R> {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        Some(self.rows.next()?.and_then(|row| self.line(&row)))
    }
}

/// `Meh | Anxious`. `None` where they are more than are taken.
fn words(text: &str) -> Option<Vec<String>> {
    let words: Vec<String> = text.split('|').map(plain).filter(|word| !word.is_empty()).take(MOST_TAGS + 1).collect();
    (words.len() <= MOST_TAGS).then_some(words)
}

/// `22nd Sep 2020`.
fn date(text: &str) -> Option<Date> {
    let mut words = text.split_whitespace();
    let (day, month, year) = (words.next()?, words.next()?, words.next()?);
    let day: i8 = day.trim_end_matches(|c: char| c.is_ascii_alphabetic()).parse().ok()?;
    let month = month.to_lowercase();
    let month = MONTHS.iter().position(|name| month.starts_with(name))?;
    let year: i16 = year.parse().ok().filter(|year| (1970..=2100).contains(year))?;
    Date::new(year, i8::try_from(month + 1).ok()?, day).ok().filter(|_| words.next().is_none())
}

#[cfg(test)]
#[path = "bearable_tests.rs"]
mod tests;
