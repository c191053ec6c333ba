//! A database's catalogue: the table of its tables. SQLite reads all of it before it is asked anything, in a time that grows
//! with the square of what is in it: a file of a few megabytes keeps it busy for hours. So it is measured before, by walking
//! its pages as SQLite does (its file format, sections 1.3, 1.6 and 2.6). Nothing is read but its pages, and of what stands on
//! them only how long it is.

use std::io::{Read, Seek, SeekFrom};

/// The most tables, indexes and so on, together with the pages that they stand on. Health Connect has some 80 tables, each with
/// a few indexes.
const MOST_ENTRIES: usize = 2_000;

/// The most bytes that they take: all of them, and each; a table of Health Connect takes some hundred to three thousand.
/// Constraints take even longer to read than tables: a table of a megabyte of them takes minutes.
const MOST_BYTES: u64 = 256 << 10;
const LONGEST: u64 = 16 << 10;

/// The header of the file, which stands on its first page.
const HEADER: usize = 100;

/// The kinds of pages that a table is made of: those with entries, and those with pages below them.
const LEAF: u8 = 13;
const INTERIOR: u8 = 5;

/// Why a catalogue is not read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flaw {
    /// There is more in it than Health Connect ever makes.
    TooMuch,
    /// It cannot be read.
    Broken,
}

/// Sees that there is no more in it than SQLite reads at once.
pub fn measure(file: &mut (impl Read + Seek)) -> Result<(), Flaw> {
    let size = page_size(file)?;
    let (mut waiting, mut entries, mut bytes) = (vec![1], 0_usize, 0_u64);
    while let Some(number) = waiting.pop() {
        let page = Page::read(file, number, size)?;
        // A page counts, too: in a tree that leads back into itself there is no end of them.
        entries = entries.saturating_add(1).saturating_add(page.cells);
        if entries > MOST_ENTRIES {
            return Err(Flaw::TooMuch);
        }
        if page.kind == INTERIOR {
            waiting.push(page.last_child()?);
        }
        for cell in 0..page.cells {
            let cell = page.cell(cell)?;
            if page.kind == INTERIOR {
                waiting.push(four(cell, 0)?);
                continue;
            }
            let length = varint(cell)?;
            bytes = bytes.saturating_add(length);
            if length > LONGEST || bytes > MOST_BYTES {
                return Err(Flaw::TooMuch);
            }
        }
    }
    Ok(())
}

fn page_size(file: &mut (impl Read + Seek)) -> Result<u32, Flaw> {
    let mut header = [0; HEADER];
    file.seek(SeekFrom::Start(0)).and_then(|_| file.read_exact(&mut header)).map_err(|_| Flaw::Broken)?;
    match two(&header, 16)? {
        1 => Ok(1 << 16),
        size if size >= 512 && size.is_power_of_two() => Ok(u32::from(size)),
        _ => Err(Flaw::Broken),
    }
}

/// A page of a table.
struct Page {
    bytes: Vec<u8>,
    /// Where its own header begins.
    start: usize,
    kind: u8,
    cells: usize,
}

impl Page {
    fn read(file: &mut (impl Read + Seek), number: u32, size: u32) -> Result<Self, Flaw> {
        let place = u64::from(number).checked_sub(1).ok_or(Flaw::Broken)? * u64::from(size);
        let mut bytes = vec![0; usize::try_from(size).map_err(|_| Flaw::Broken)?];
        file.seek(SeekFrom::Start(place)).and_then(|_| file.read_exact(&mut bytes)).map_err(|_| Flaw::Broken)?;
        let start = if number == 1 { HEADER } else { 0 };
        let kind = bytes.get(start).copied().filter(|kind| [LEAF, INTERIOR].contains(kind)).ok_or(Flaw::Broken)?;
        let cells = usize::from(two(&bytes, start + 3)?);
        Ok(Self { bytes, start, kind, cells })
    }

    fn last_child(&self) -> Result<u32, Flaw> {
        four(&self.bytes, self.start + 8)
    }

    /// The page from one of its cells on.
    fn cell(&self, number: usize) -> Result<&[u8], Flaw> {
        let header = if self.kind == LEAF { 8 } else { 12 };
        let place = two(&self.bytes, self.start + header + 2 * number)?;
        self.bytes.get(usize::from(place)..).ok_or(Flaw::Broken)
    }
}

fn two(bytes: &[u8], at: usize) -> Result<u16, Flaw> {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map(|found| u16::from_be_bytes(*found)).ok_or(Flaw::Broken)
}

fn four(bytes: &[u8], at: usize) -> Result<u32, Flaw> {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map(|found| u32::from_be_bytes(*found)).ok_or(Flaw::Broken)
}

/// A number of at most nine bytes, the last of which is whole (section 1.6).
fn varint(bytes: &[u8]) -> Result<u64, Flaw> {
    let mut number = 0_u64;
    for (place, byte) in bytes.iter().take(9).enumerate() {
        if place == 8 {
            return Ok((number << 8) | u64::from(*byte));
        }
        number = (number << 7) | u64::from(byte & 0x7F);
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(Flaw::Broken)
}

#[cfg(test)]
#[path = "catalogue_tests.rs"]
mod tests;
