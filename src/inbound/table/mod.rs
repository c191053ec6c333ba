//! Any table of comma-separated values, with a file beside it that says which column is what ([`Columns`]).
//!
//! What a row says is named by its time and by what it is, so that importing the table again, or a longer one, finds it
//! again. An empty field says that there is nothing (any more).

mod columns;

use std::io::Read;

use jiff::civil::DateTime;
use jiff::tz::Offset;

use self::columns::{As, Column};
pub use self::columns::{Columns, ColumnsError};
use crate::domain::category::Category;
use crate::domain::decimal::Decimal;
use crate::domain::measurement::{Measurement, Modality};
use crate::domain::moment::Moment;
use crate::domain::reading::{Measure, Mood, Rating};
use crate::inbound::files::number::{decimal, rounded};
use crate::inbound::files::rows::{Occurrences, Row, Rows};
use crate::inbound::files::{About, BadLine, FileError, Item, Line, Said, Whose, plain};

/// Whose events they are, before the slash.
const APP: &str = "table";

/// The most tags of one row, and the longest, in characters: as of an event.
const MOST_TAGS: usize = 50;
const LONGEST_TAG: usize = 100;

/// Reads a table row by row.
pub struct Table<'a, R> {
    rows: Rows<R>,
    columns: &'a Columns,
    /// Where the columns stand, in the order in which the file of columns names them; the time first, and its date.
    time: usize,
    date: Option<usize>,
    places: Vec<usize>,
    whose: &'a Whose,
    seen: Occurrences<DateTime>,
}

impl<'a, R: Read> Table<'a, R> {
    /// Reads the header.
    ///
    /// # Errors
    /// [`FileError`] when it is no table, or lacks a column that the file of columns names.
    pub fn new(file: R, columns: &'a Columns, whose: &'a Whose) -> Result<Self, FileError> {
        let rows = Rows::new(file, columns.delimiter)?;
        let find = |name: &str| {
            let place = rows.header().iter().position(|column| column == name);
            place.ok_or_else(|| {
                FileError::expected(format!("the table has no column {name:?}, which the columns file names"))
            })
        };
        let time = find(&columns.time.column)?;
        let date = columns.time.date_column.as_deref().map(find).transpose()?;
        let places = columns.readings.iter().map(|reading| find(&reading.column)).collect::<Result<_, _>>()?;
        Ok(Self { rows, columns, time, date, places, whose, seen: Occurrences::default() })
    }

    fn line(&mut self, row: &Row) -> Line {
        let (shown, offset) = self.shown(row)?;
        // Counted before anything else can fail, so that mending a bad line later does not renumber its neighbours.
        let key = format!("{shown}/{}", self.seen.number(shown));
        let moment = self.whose.moment(shown, offset).ok_or_else(|| self.bad_time(row))?;
        if self.whose.is_to_come(moment.at) {
            return Err(BadLine::to_come(row.line));
        }
        let items = self.columns.readings.iter().zip(&self.places);
        let items: Vec<Item> =
            items.map(|(column, place)| self.item(row, column, *place, &key, moment)).collect::<Result<_, _>>()?;
        Ok(Said::Items(items))
    }

    fn bad_time(&self, row: &Row) -> BadLine {
        let expected = "a time as the columns file says it is written, from 1970 to 2100";
        BadLine::column(row.line, self.columns.time.column.clone(), About::Time, expected)
    }

    fn shown(&self, row: &Row) -> Result<(DateTime, Option<Offset>), BadLine> {
        let name = &self.columns.time.column;
        let time = row.text(Some(self.time), name, About::Time)?;
        let found = match self.date {
            None => self.columns.time.read(time),
            Some(date) => self.columns.time.read(&format!("{} {time}", row.text(Some(date), name, About::Date)?)),
        };
        found.filter(|(shown, _)| (1970..=2100).contains(&shown.year())).ok_or_else(|| self.bad_time(row))
    }

    fn item(&self, row: &Row, column: &Column, place: usize, key: &str, moment: Moment) -> Result<Item, BadLine> {
        let (about, category) = match &column.what {
            As::Mood { .. } => (About::Mood, Category::Mood),
            As::Note => (About::Note, Category::Note),
            As::Tags { .. } => (About::Tags, Category::Tags),
            As::Measured { of, .. } => (About::Value, of.category()),
        };
        let text = row.text(Some(place), &column.column, about)?;
        let bad = |expected| BadLine::column(row.line, column.column.clone(), about, expected);
        let measure = match &column.what {
            _ if text.is_empty() => None,
            As::Mood { worst, best } => Some(mood(text, worst, best).ok_or_else(|| bad("a number of its scale"))?),
            As::Note => Some(plain(text)).filter(|note| !note.is_empty()).map(Measure::Note),
            As::Tags { separator } => tags(text, separator).map_err(bad)?,
            As::Measured { of, factor } => {
                let value = if (*factor - 1.0).abs() < f64::EPSILON {
                    decimal(text)
                } else {
                    decimal(text).and_then(|value| rounded(value.approximate() * factor))
                };
                let value = value.filter(|value| (0.0..=f64::from(of.most())).contains(&value.approximate()));
                let value = value.ok_or_else(|| bad("a number that can be measured, with a point"))?;
                let modality = Modality::SelfReported;
                Some(Measure::Measurement(Measurement { of: *of, value, start: None, modality, device: None }))
            }
        };
        let id = format!("{key}/{}", column.what.word());
        Ok(match measure {
            Some(measure) => self.whose.reading(APP, row.line, id, moment, measure),
            None => self.whose.gone(APP, row.line, id, category),
        })
    }
}

impl<R: Read> Iterator for Table<'_, R> {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        Some(self.rows.next()?.and_then(|row| self.line(&row)))
    }
}

fn mood(text: &str, worst: &Decimal, best: &Decimal) -> Option<Measure> {
    let (low, high) = (worst.approximate().min(best.approximate()), worst.approximate().max(best.approximate()));
    let value = decimal(text).filter(|value| (low..=high).contains(&value.approximate()))?;
    let rating = Rating { value, worst: worst.clone(), best: best.clone() };
    Some(Measure::Mood(Mood { rating: Some(rating), label: None, state_of_mind: None }))
}

fn tags(text: &str, separator: &str) -> Result<Option<Measure>, &'static str> {
    let tags: Vec<String> = text.split(separator).map(plain).filter(|tag| !tag.is_empty()).collect();
    if tags.len() > MOST_TAGS || tags.iter().any(|tag| tag.chars().count() > LONGEST_TAG) {
        return Err("at most 50 tags of at most 100 characters");
    }
    Ok((!tags.is_empty()).then_some(Measure::Tags(tags)))
}

#[cfg(test)]
mod tests;
