//! Tables of comma-separated values with a header, row by row.

use std::collections::HashMap;
use std::hash::Hash;
use std::io::Read;

use csv::{ByteRecord, ReaderBuilder};

use super::frame::{Fault, Framer};
use super::{About, BadLine, FileError};

/// The most rows that are read from one file: 40 a day for 34 years.
pub const MOST_ROWS: u32 = 500_000;

/// The longest field that is read, in bytes: 64 KiB.
pub const LONGEST_FIELD: usize = 64 * 1024;

/// The most columns that a table may have.
const MOST_COLUMNS: usize = 500;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The rows of a table.
pub struct Rows<R> {
    records: csv::Reader<Framer<R>>,
    header: Vec<String>,
    count: u32,
    done: bool,
}

impl<R: Read> Rows<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// [`FileError`] when the file is empty, its first line is no header, or is not UTF-8.
    pub fn new(file: R, delimiter: u8) -> Result<Self, FileError> {
        let framer = Framer::with_delimiter(file, delimiter);
        let mut form = ReaderBuilder::new();
        let mut records = form.has_headers(false).flexible(true).delimiter(delimiter).from_reader(framer);
        let frame = records.get_mut().next()?;
        let frame = frame.ok_or_else(|| FileError::expected("the file is empty; expected a table with a header"))?;
        if std::str::from_utf8(records.get_ref().record()).is_err() {
            return Err(FileError::Encoding);
        }
        if frame.fault.is_some() || frame.fields > MOST_COLUMNS {
            return Err(FileError::expected("line 1 is no header; expected the names of at most 500 columns"));
        }
        let header = take(&mut records).unwrap_or_default();
        let name = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes)).into_owned();
            text.trim().trim_matches('"').to_owned()
        };
        let header = header.iter().map(name).collect();
        Ok(Self { records, header, count: 0, done: false })
    }

    /// The names of the columns, without spaces around them.
    pub fn header(&self) -> &[String] {
        &self.header
    }

    fn read(&mut self) -> Option<Result<Row, BadLine>> {
        let framer = self.records.get_mut();
        let line = framer.line();
        let frame = match framer.next() {
            Ok(frame) => frame?,
            Err(error) => return Some(Err(BadLine::cut(line, &error))),
        };
        let line = frame.line;
        if self.count == MOST_ROWS {
            return Some(Err(BadLine::record(line, "at most 500000 rows in one file").ending()));
        }
        self.count += 1;
        if let Some(fault) = frame.fault {
            return Some(Err(at(fault, line)));
        }
        let fits = frame.fields == self.header.len();
        let record = if fits { take(&mut self.records) } else { None };
        Some(record.map(|record| Row { line, record }).ok_or(BadLine::record(line, "as many fields as the header has")))
    }
}

impl<R: Read> Iterator for Rows<R> {
    type Item = Result<Row, BadLine>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let item = self.read();
        self.done = !matches!(&item, Some(Ok(_) | Err(BadLine { ends_reading: false, .. })));
        item
    }
}

/// Takes the record that the framer holds ready.
fn take<R: Read>(records: &mut csv::Reader<Framer<R>>) -> Option<ByteRecord> {
    let mut record = ByteRecord::new();
    records.read_byte_record(&mut record).is_ok_and(|some| some).then_some(record)
}

fn at(fault: Fault, line: u64) -> BadLine {
    match fault {
        Fault::TooLong => BadLine::record(line, fault.expected()).ending(),
        Fault::OpenQuote | Fault::StrayQuote => BadLine::record(line, fault.expected()),
    }
}

/// A row with as many fields as the header.
pub struct Row {
    /// The line where it starts.
    pub line: u64,
    record: ByteRecord,
}

impl Row {
    /// A field, trimmed; empty where the table has no such column.
    ///
    /// # Errors
    /// [`BadLine`] when it is no UTF-8, or longer than anybody writes.
    pub fn text(&self, column: Option<usize>, name: &str, about: About) -> Result<&str, BadLine> {
        let bytes = column.and_then(|column| self.record.get(column)).unwrap_or_default();
        let bad = |expected| BadLine::column(self.line, name.to_owned(), about, expected);
        if bytes.len() > LONGEST_FIELD {
            return Err(bad("at most 64 KiB of text"));
        }
        std::str::from_utf8(bytes).map(str::trim).map_err(|_| bad("text in UTF-8"))
    }
}

/// How often each key was seen, so that entries of the same time can be told apart: the first is number 0.
pub struct Occurrences<K> {
    seen: HashMap<K, u32>,
}

impl<K: Eq + Hash> Default for Occurrences<K> {
    fn default() -> Self {
        Self { seen: HashMap::new() }
    }
}

impl<K: Eq + Hash> Occurrences<K> {
    /// Which one of its kind this is.
    pub fn number(&mut self, key: K) -> u32 {
        let seen = self.seen.entry(key).or_default();
        let number = *seen;
        *seen += 1;
        number
    }
}
