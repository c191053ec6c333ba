//! Cuts the stream into records without ever holding more than one of bounded size.
//!
//! The csv crate reads a record into memory however long it is, so one quote left open would pull the rest of the file
//! in. This stands in front of it as its reader: it finds where a record ends, by the same rules of quoting, and hands
//! over one whole record at a time, if that is short enough and well quoted.

use std::io::{self, BufRead, BufReader, ErrorKind, Read};

/// The longest record that is read, in bytes as they stand in the file: 1 MiB.
pub const MAX_RECORD_BYTES: usize = 1 << 20;

/// What was noticed about one record while its end was looked for.
pub(in crate::inbound) struct Frame {
    /// The line where the record starts.
    pub(in crate::inbound) line: u64,
    pub(in crate::inbound) fields: usize,
    pub(in crate::inbound) fault: Option<Fault>,
}

/// Why a record must not be read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::inbound) enum Fault {
    /// Longer than [`MAX_RECORD_BYTES`]; its end was not looked for.
    TooLong,
    /// The file ended inside quotes.
    OpenQuote,
    /// Text follows a closing quote: a quote inside the text was not doubled, or two lines ran into each other.
    StrayQuote,
}

impl Fault {
    /// What should have been there.
    pub(in crate::inbound) const fn expected(self) -> &'static str {
        match self {
            Self::TooLong => "a record of at most 1 MiB (is a quote left open?)",
            Self::OpenQuote => "a closing quote before the end of the file",
            Self::StrayQuote => "quotes that end their field, and quotes inside a text doubled",
        }
    }
}

/// The records of a stream, one after the other.
pub(in crate::inbound) struct Framer<R> {
    input: BufReader<R>,
    /// The last record, and how much of it the csv crate has taken.
    record: Vec<u8>,
    taken: usize,
    line: u64,
    after_return: bool,
    delimiter: u8,
}

/// Where in the grammar of a record the last byte has led.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    FieldStart,
    Bare,
    Quoted,
    /// A quote inside quotes: the end of the field, or the first half of a doubled one.
    Closing,
    End,
}

impl<R: Read> Framer<R> {
    pub(in crate::inbound) fn new(input: R) -> Self {
        Self::with_delimiter(input, b',')
    }

    /// The records of a table whose fields are parted by something else than a comma.
    pub(in crate::inbound) fn with_delimiter(input: R, delimiter: u8) -> Self {
        Self { input: BufReader::new(input), record: Vec::new(), taken: 0, line: 1, after_return: false, delimiter }
    }

    /// The line that comes next.
    pub(in crate::inbound) fn line(&self) -> u64 {
        self.line
    }

    /// The bytes of the last record.
    pub(in crate::inbound) fn record(&self) -> &[u8] {
        &self.record
    }

    /// Finds the next record that is not blank and makes it ready to be read; `None` at the end.
    pub(in crate::inbound) fn next(&mut self) -> io::Result<Option<Frame>> {
        loop {
            let mut frame = Frame { line: self.line, fields: 1, fault: None };
            self.record.clear();
            self.taken = 0;
            let state = self.scan(&mut frame)?;
            if !self.record.trim_ascii().is_empty() || frame.fault.is_some() {
                self.record.push(b'\n');
                return Ok(Some(frame));
            }
            if state != State::End {
                return Ok(None);
            }
        }
    }

    /// Reads to the end of the record and tells the last state: [`State::End`] unless the input ended first.
    fn scan(&mut self, frame: &mut Frame) -> io::Result<State> {
        let mut state = State::FieldStart;
        while state != State::End && frame.fault != Some(Fault::TooLong) {
            let chunk = match self.input.fill_buf() {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                chunk => chunk?,
            };
            if chunk.is_empty() {
                if state == State::Quoted {
                    frame.fault = Some(Fault::OpenQuote);
                }
                break;
            }
            let mut used = 0;
            for &byte in chunk {
                used += 1;
                self.line += u64::from(byte == b'\r' || (byte == b'\n' && !self.after_return));
                self.after_return = byte == b'\r';
                state = state.after(byte, self.delimiter, frame);
                if state == State::End {
                    break;
                }
                if self.record.len() == MAX_RECORD_BYTES {
                    frame.fault = Some(Fault::TooLong);
                    break;
                }
                self.record.push(byte);
            }
            self.input.consume(used);
        }
        Ok(state)
    }
}

/// Gives the csv crate the last record and not a byte more.
impl<R> Read for Framer<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut rest = self.record.get(self.taken..).unwrap_or_default();
        let taken = rest.read(buffer)?;
        self.taken += taken;
        Ok(taken)
    }
}

impl State {
    fn after(self, byte: u8, delimiter: u8, frame: &mut Frame) -> Self {
        match (self, byte) {
            (Self::Quoted, b'"') => Self::Closing,
            (Self::Quoted, _) | (Self::FieldStart | Self::Closing, b'"') => Self::Quoted,
            (_, b'\n' | b'\r') => Self::End,
            _ if byte == delimiter => {
                frame.fields += 1;
                Self::FieldStart
            }
            (Self::Closing, _) => {
                frame.fault = Some(Fault::StrayQuote);
                Self::Bare
            }
            _ => Self::Bare,
        }
    }
}
