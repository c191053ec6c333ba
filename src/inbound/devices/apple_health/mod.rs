//! What Apple's Health app writes: `export.xml`, as it is or in the archive around it, some hundred megabytes of one element
//! after the other. Read as seen in *HealthKit Export Version* 11 to 14, whose own DTD stands at its beginning.
//!
//! Taken are heart rate, resting heart rate and heart rate variability (SDNN), each sample as it is; mindful sessions; and,
//! as sums that are told at the end, steps ([`super::steps`]) and nights ([`super::sleep`]). That export has no element for
//! the State of Mind: what other apps send of it comes in as events. Records within a `Correlation` stand in the export
//! once more by themselves, and are read there. What somebody typed in (`HKWasUserEntered`) is their own word, and so is a
//! night or a day's steps of which any part was typed in.
//!
//! Apple writes all times with the offset of the phone at the time of the export, not of the moment. So the instant is taken
//! from the file, and where the clock stood from what the member said of it.
//!
//! Nothing of a document type is followed or expanded, and no entity but the five of XML itself is known. A name that
//! somebody gave to their phone ("Anna's iPhone") tells sources apart and goes no further; what kind of device it is does.

mod record;

use std::io::{self, BufRead, Read};

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Error as XmlError, Reader};

use self::record::{Read as Sample, Record};
use super::sleep::Nights;
use super::steps::{Steps, Walked};
use crate::inbound::files::{BadLine, FileError, Item, Line, Said, Whose};

/// Whose events they are, before the slash.
const APP: &str = "apple-health";

/// The longest element, comment or text that is read, in bytes: 1 MiB.
pub const LONGEST_ELEMENT: usize = 1 << 20;

/// How deep elements may stand in each other. Apple's stand five deep.
const DEEPEST: usize = 32;

/// The most devices and apps that a file may name.
const MOST_SOURCES: usize = 256;

/// How many sums are told at once.
const AT_ONCE: usize = 100;

/// How far into a file its root element may begin: after its document type.
const BEGINNING: usize = 64 << 10;

/// Whether a file is such an export, by how it begins.
#[must_use]
pub fn is_likely(beginning: &[u8]) -> bool {
    let beginning = beginning.get(..BEGINNING).unwrap_or(beginning);
    let root = b"<HealthData";
    let start = beginning.trim_ascii_start();
    let is_xml = start.starts_with(b"<") || start.starts_with(b"\xEF\xBB\xBF<");
    is_xml && (beginning.windows(root.len()).any(|bytes| bytes == root) || names_root(beginning))
}

/// The document type names the root long before it comes.
fn names_root(beginning: &[u8]) -> bool {
    let name = b"<!DOCTYPE HealthData";
    beginning.windows(name.len()).any(|bytes| bytes == name)
}

/// Reads an export, record by record.
pub struct AppleHealth<'a, R> {
    reader: Reader<Bounded<R>>,
    buffer: Vec<u8>,
    depth: usize,
    /// How many records have begun.
    records: u64,
    /// The record whose end has not come yet.
    open: Option<Record>,
    sources: Vec<(String, Option<String>)>,
    whose: &'a Whose,
    steps: Steps,
    nights: Nights,
    end: End<'a>,
}

/// How far the reading is.
enum End<'a> {
    NotYet,
    /// The records are through.
    Sums(Box<dyn Iterator<Item = Item> + 'a>),
}

impl<'a, R: BufRead> AppleHealth<'a, R> {
    /// Reads up to the root element.
    ///
    /// # Errors
    /// [`FileError`] when it is another file, or none.
    pub fn new(file: R, whose: &'a Whose) -> Result<Self, FileError> {
        let mut reader = Reader::from_reader(Bounded { file, left: 0 });
        // Ends are matched by depth: a name each would be remembered for as long as anybody likes.
        reader.config_mut().check_end_names = false;
        reader.config_mut().allow_unmatched_ends = true;
        let mut export = Self {
            reader,
            buffer: Vec::new(),
            depth: 0,
            records: 0,
            open: None,
            sources: Vec::new(),
            whose,
            steps: Steps::default(),
            nights: Nights::default(),
            end: End::NotYet,
        };
        export.root()?;
        Ok(export)
    }

    fn root(&mut self) -> Result<(), FileError> {
        let unknown =
            || FileError::expected("the file is no Apple Health export; expected export.xml with <HealthData>");
        let mut buffer = Vec::new();
        loop {
            buffer.clear();
            self.reader.get_mut().left = LONGEST_ELEMENT;
            match self.reader.read_event_into(&mut buffer) {
                Ok(Event::Start(element)) if element.name().0 == "HealthData" => break,
                Ok(Event::Start(_) | Event::Empty(_) | Event::End(_) | Event::Eof) => return Err(unknown()),
                Ok(_) => {}
                Err(XmlError::Encoding(_)) => return Err(FileError::Encoding),
                Err(_) => return Err(unknown()),
            }
        }
        self.depth = 1;
        Ok(())
    }

    /// What the next element says; `None` for one that is no record, or not the end of one.
    fn step(&mut self) -> Option<Line> {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        self.reader.get_mut().left = LONGEST_ELEMENT;
        let line = match self.reader.read_event_into(&mut buffer) {
            Ok(Event::Start(element)) => {
                self.depth += 1;
                let line = if self.depth == 2 { self.begin(&element) } else { None };
                if self.depth > DEEPEST { Some(self.stop("elements that stand at most 32 deep")) } else { line }
            }
            Ok(Event::Empty(element)) => match self.depth {
                1 => self.begin(&element).or_else(|| self.finish()),
                2 => self.about(&element),
                _ => None,
            },
            Ok(Event::End(_)) => {
                self.depth = self.depth.saturating_sub(1);
                if self.depth == 1 { self.finish() } else { None }
            }
            Ok(Event::Eof) if self.depth == 0 => {
                self.sum_up();
                None
            }
            Ok(Event::Eof) => Some(self.stop("a file that is whole")),
            Err(error) => Some(self.fail(&error)),
            Ok(_) => None,
        };
        self.buffer = buffer;
        line
    }

    /// A record begins. What is none of those that are taken says so at once.
    fn begin(&mut self, element: &BytesStart<'_>) -> Option<Line> {
        if element.name().0 != "Record" {
            return None;
        }
        self.records += 1;
        match Record::read(element, self.records) {
            Ok(Some(record)) => {
                self.open = Some(record);
                None
            }
            Ok(None) => Some(Ok(Said::Nothing)),
            Err(bad) => Some(Err(bad)),
        }
    }

    /// What stands within a record: whether somebody wrote it by hand.
    fn about(&mut self, element: &BytesStart<'_>) -> Option<Line> {
        if let Some(record) = self.open.as_mut().filter(|_| element.name().0 == "MetadataEntry") {
            record.add(element);
        }
        None
    }

    /// The record is complete.
    fn finish(&mut self) -> Option<Line> {
        let record = self.open.take()?;
        Some(self.line(&record))
    }

    fn line(&mut self, record: &Record) -> Line {
        let source = self.source(record)?;
        let no_room = || BadLine::record(record.place, "at most 500000 stretches of sleep and 200000 days of steps");
        match record.read_as(self.whose)? {
            Sample::Reading(reading) => Ok(Said::Items(vec![reading.item(APP, record, self.whose)])),
            Sample::Walked(steps) => {
                let (modality, kind) = (record.modality(), record.device.clone());
                let walked = Walked { device: source, start: record.start, end: record.end, steps, modality, kind };
                self.steps.add(walked, self.whose).then_some(Said::Part).ok_or_else(no_room)
            }
            Sample::Slept(stage) => {
                let is_noted = self.nights.add(source, stage, (record.start, record.end), record.modality());
                is_noted.then_some(Said::Part).ok_or_else(no_room)
            }
        }
    }

    /// The number of the device or app that wrote a record.
    fn source(&mut self, record: &Record) -> Result<u16, BadLine> {
        let known = self.sources.iter().position(|(name, _)| *name == record.source);
        let place = known.unwrap_or(self.sources.len());
        if known.is_none() {
            if place == MOST_SOURCES {
                return Err(BadLine::record(record.place, "at most 256 devices and apps in one file"));
            }
            self.sources.push((record.source.clone(), record.device.clone()));
        }
        if let Some((_, device)) = self.sources.get_mut(place).filter(|(_, device)| device.is_none()) {
            device.clone_from(&record.device);
        }
        u16::try_from(place).map_err(|_| BadLine::record(record.place, "at most 256 devices and apps in one file"))
    }

    fn fail(&mut self, error: &XmlError) -> Line {
        let expected = match error {
            XmlError::Io(error) if TooLong::caused(error) => "elements of at most 1 MiB",
            XmlError::Io(error) => {
                self.sum_up();
                return Err(BadLine::cut(self.records, error));
            }
            XmlError::Encoding(_) => "text in UTF-8",
            _ => "XML as Apple writes it",
        };
        self.stop(expected)
    }

    /// Nothing more can be read; what was read until now counts.
    fn stop(&mut self, expected: &'static str) -> Line {
        self.sum_up();
        Err(BadLine::record(self.records, expected).ending())
    }

    fn sum_up(&mut self) {
        let sources = std::mem::take(&mut self.sources);
        let kind = move |number: u16| sources.get(usize::from(number)).and_then(|(_, device)| device.clone());
        let nights = std::mem::take(&mut self.nights).items(APP, self.whose, kind);
        let steps = std::mem::take(&mut self.steps).items(APP, self.whose);
        self.end = End::Sums(Box::new(nights.chain(steps)));
    }
}

impl<R: BufRead> Iterator for AppleHealth<'_, R> {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        loop {
            if let End::Sums(sums) = &mut self.end {
                let some: Vec<Item> = sums.by_ref().take(AT_ONCE).collect();
                return (!some.is_empty()).then_some(Ok(Said::Sum(some)));
            }
            if let Some(line) = self.step() {
                return Some(line);
            }
        }
    }
}

/// A file of which only so much may be read before somebody looks at it.
struct Bounded<R> {
    file: R,
    left: usize,
}

/// One element is longer than any that an app writes.
#[derive(Debug, thiserror::Error)]
#[error("an element is too long")]
struct TooLong;

impl TooLong {
    fn caused(error: &io::Error) -> bool {
        error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<Self>)
    }
}

impl<R: BufRead> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Bounded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 {
            return Err(io::Error::other(TooLong));
        }
        let left = self.left;
        self.file.fill_buf().map(|bytes| bytes.get(..left).unwrap_or(bytes))
    }

    fn consume(&mut self, amount: usize) {
        self.left = self.left.saturating_sub(amount);
        self.file.consume(amount);
    }
}

#[cfg(test)]
mod tests;
