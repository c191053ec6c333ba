//! From records to diary entries.

use std::collections::HashMap;
use std::io::Read;

use csv::{ByteRecord, ReaderBuilder};
use jiff::civil::{Date, DateTime};

use super::error::{BadLine, DaylioError};
use super::header::{Column, Form, MOST_COLUMNS, recognise};
use super::{DiaryEntry, note, when};
use crate::inbound::files::MOST_TAGS;
use crate::inbound::files::frame::{Fault, Frame, Framer};

/// The longest field that is read, in bytes: 64 KiB, some twenty pages of a note.
pub const MAX_FIELD_BYTES: usize = 64 * 1024;

/// The most records that are read from one file: 27 a day for 25 years.
pub const MAX_RECORDS: u32 = 250_000;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Reads an export entry by entry. A bad line is an item like any other; the lines after it are still read, unless it
/// says that it [ends the reading](BadLine::ends_reading).
pub struct DaylioReader<R> {
    records: csv::Reader<Framer<R>>,
    form: &'static Form,
    /// How often a minute has been seen, so that entries of the same minute can be told apart.
    seen: HashMap<DateTime, u32>,
    count: u32,
    done: bool,
}

impl<R: Read> DaylioReader<R> {
    /// Reads the header and makes ready to read the entries.
    ///
    /// # Errors
    /// [`DaylioError`] when the file is empty, cannot be read, or does not begin with a header that Daylio writes.
    pub fn new(input: R) -> Result<Self, DaylioError> {
        let mut records = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(Framer::new(input));
        let header = records.get_mut().next().map_err(DaylioError::Read)?.ok_or(DaylioError::Empty)?;
        let form = form_of(&header, &mut records)?;
        Ok(Self { records, form, seen: HashMap::new(), count: 0, done: false })
    }

    fn read_next(&mut self) -> Option<Result<DiaryEntry, BadLine>> {
        let framer = self.records.get_mut();
        let line = framer.line();
        let frame = match framer.next() {
            Ok(frame) => frame?,
            Err(_) => return Some(Err(BadLine::record(line, "a file that can be read to its end").ending())),
        };
        if self.count == MAX_RECORDS {
            return Some(Err(BadLine::record(frame.line, "at most 250000 records in one file").ending()));
        }
        self.count += 1;
        Some(self.entry(&frame))
    }

    fn entry(&mut self, frame: &Frame) -> Result<DiaryEntry, BadLine> {
        let line = frame.line;
        if let Some(fault) = frame.fault {
            return Err(at(fault, line));
        }
        let record = if frame.fields == self.form.columns.len() { take(&mut self.records) } else { None };
        let record = record.ok_or(BadLine::record(line, self.form.expected_fields))?;
        let fields = Fields { line, form: self.form, record: &record };
        let at = fields.at()?;
        // Counted before anything else can fail, so that mending a bad line later does not renumber its neighbours.
        let occurrence = self.occurrence(at);
        fields.all_legible()?;
        Ok(DiaryEntry {
            line,
            at,
            offset: None,
            occurrence,
            mood: fields.mood()?,
            level: None,
            tags: fields.tags()?,
            note_title: fields.optional(Column::NoteTitle, str::to_owned)?,
            note: fields.optional(Column::Note, note::plain)?,
            scales: fields.optional(Column::Scales, str::to_owned)?,
        })
    }

    fn occurrence(&mut self, at: DateTime) -> u32 {
        let seen = self.seen.entry(at).or_default();
        let occurrence = *seen;
        *seen += 1;
        occurrence
    }
}

impl<R: Read> Iterator for DaylioReader<R> {
    type Item = Result<DiaryEntry, BadLine>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let item = self.read_next();
        self.done = !matches!(&item, Some(Ok(_) | Err(BadLine { ends_reading: false, .. })));
        item
    }
}

fn at(fault: Fault, line: u64) -> BadLine {
    match fault {
        Fault::TooLong => BadLine::record(line, fault.expected()).ending(),
        Fault::OpenQuote | Fault::StrayQuote => BadLine::record(line, fault.expected()),
    }
}

/// The form that the first record names.
fn form_of<R: Read>(header: &Frame, records: &mut csv::Reader<Framer<R>>) -> Result<&'static Form, DaylioError> {
    let bytes = records.get_ref().record();
    if bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes).trim_ascii().is_empty() {
        return Err(DaylioError::Empty);
    }
    // Looked at before it is taken apart: a megabyte of commas would become a million fields.
    if header.fault.is_some() || header.fields > MOST_COLUMNS {
        return Err(DaylioError::UnknownHeader);
    }
    if std::str::from_utf8(bytes).is_err() {
        return Err(DaylioError::NotUtf8);
    }
    take(records).and_then(|names| recognise(&names)).ok_or(DaylioError::UnknownHeader)
}

/// Takes the record that the framer holds ready.
fn take<R: Read>(records: &mut csv::Reader<Framer<R>>) -> Option<ByteRecord> {
    let mut record = ByteRecord::new();
    records.read_byte_record(&mut record).is_ok_and(|some| some).then_some(record)
}

/// One record whose number of fields is right.
struct Fields<'r> {
    line: u64,
    form: &'static Form,
    record: &'r ByteRecord,
}

impl Fields<'_> {
    /// A column's text, trimmed; empty when this form of export has no such column.
    fn text(&self, column: Column) -> Result<&str, BadLine> {
        let position = self.form.columns.iter().position(|candidate| *candidate == column);
        let bytes = position.and_then(|position| self.record.get(position)).unwrap_or_default();
        if bytes.len() > MAX_FIELD_BYTES {
            return Err(BadLine::field(self.line, column, "at most 64 KiB of text"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| BadLine::field(self.line, column, "text in UTF-8"))?;
        Ok(text.trim())
    }

    /// Refuses a record with an unreadable column even where the column is not used: the file is damaged there.
    fn all_legible(&self) -> Result<(), BadLine> {
        self.form.columns.iter().try_for_each(|column| self.text(*column).map(|_| ()))
    }

    fn optional(&self, column: Column, read: fn(&str) -> String) -> Result<Option<String>, BadLine> {
        Ok(Some(read(self.text(column)?)).filter(|text| !text.is_empty()))
    }

    fn mood(&self) -> Result<String, BadLine> {
        match self.text(Column::Mood)? {
            "" => Err(BadLine::field(self.line, Column::Mood, "the name of a mood")),
            mood => Ok(mood.to_owned()),
        }
    }

    fn tags(&self) -> Result<Vec<String>, BadLine> {
        let tags = self.text(Column::Activities)?.split('|').map(str::trim).filter(|tag| !tag.is_empty());
        if tags.clone().nth(MOST_TAGS).is_some() {
            return Err(BadLine::field(self.line, Column::Activities, "at most 500 activities"));
        }
        Ok(tags.map(str::to_owned).collect())
    }

    fn at(&self) -> Result<DateTime, BadLine> {
        let date = self.date()?;
        let time = when::time(self.text(Column::Time)?);
        let time = time.map_err(|expected| BadLine::field(self.line, Column::Time, expected))?;
        Ok(DateTime::from_parts(date, time))
    }

    fn date(&self) -> Result<Date, BadLine> {
        let at_fault = |column| move |expected| BadLine::field(self.line, column, expected);
        if self.form.columns.contains(&Column::FullDate) {
            return when::full_date(self.text(Column::FullDate)?).map_err(at_fault(Column::FullDate));
        }
        let year = when::year(self.text(Column::Year)?).map_err(at_fault(Column::Year))?;
        when::date_in_year(year, self.text(Column::Date)?).map_err(at_fault(Column::Date))
    }
}
