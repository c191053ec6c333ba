use std::io::{self, Cursor};

use super::*;

const SIZE: usize = 512;

/// A page: its kind, where its cells are, and what is written where.
struct Written {
    kind: u8,
    cells: Vec<u16>,
    bytes: Vec<(usize, Vec<u8>)>,
}

/// A page with so many entries, all of which stand at its 500th byte.
fn leaf(entries: usize, bytes: &[u8]) -> Written {
    Written { kind: LEAF, cells: vec![500; entries], bytes: vec![(500, bytes.to_vec())] }
}

/// A first page with two pages below it.
fn root(left: u8, last: u8) -> Written {
    let bytes = vec![(300, vec![0, 0, 0, left, 1]), (HEADER + 8, vec![0, 0, 0, last])];
    Written { kind: INTERIOR, cells: vec![300], bytes }
}

fn database(pages: &[Written]) -> Vec<u8> {
    let mut file = vec![0; pages.len() * SIZE];
    file[16..18].copy_from_slice(&512_u16.to_be_bytes());
    for (place, Written { kind, cells, bytes }) in pages.iter().enumerate() {
        let page = &mut file[place * SIZE..(place + 1) * SIZE];
        let start = if place == 0 { HEADER } else { 0 };
        page[start] = *kind;
        page[start + 3..start + 5].copy_from_slice(&u16::try_from(cells.len()).unwrap().to_be_bytes());
        let first = start + if *kind == LEAF { 8 } else { 12 };
        for (number, cell) in cells.iter().enumerate() {
            page[first + 2 * number..first + 2 * number + 2].copy_from_slice(&cell.to_be_bytes());
        }
        for (at, bytes) in bytes {
            page[*at..*at + bytes.len()].copy_from_slice(bytes);
        }
    }
    file
}

fn measured(file: Vec<u8>) -> Result<(), Flaw> {
    measure(&mut Cursor::new(file))
}

/// A file that counts what is read of it.
struct Counted {
    file: Cursor<Vec<u8>>,
    read: usize,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.read += read;
        Ok(read)
    }
}

impl Seek for Counted {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

#[test]
fn what_is_long_is_too_much_alone_or_together_and_what_is_short_is_not() {
    let of = |length: &[u8]| measured(database(&[leaf(1, length)]));
    assert_eq!(of(&[0x7F]), Ok(()));
    assert_eq!(of(&[0x81, 0x80, 0x00]), Ok(()), "16 KiB");
    assert_eq!(of(&[0x81, 0x80, 0x01]), Err(Flaw::TooMuch), "and a byte");
    assert_eq!(of(&[0xFF; 9]), Err(Flaw::TooMuch));
    let cells = |count| measured(database(&[leaf(count, &[0x81, 0x80, 0x00])]));
    assert_eq!((cells(16), cells(17)), (Ok(()), Err(Flaw::TooMuch)), "256 KiB, and more");
}

#[test]
fn pages_below_pages_are_walked_and_what_leads_in_a_circle_is_too_much() {
    let of = |root, length| measured(database(&[root, leaf(1, &[9]), leaf(1, &[0x81, 0x80, length])]));
    assert_eq!(of(root(2, 3), 0), Ok(()));
    assert_eq!(of(root(2, 3), 1), Err(Flaw::TooMuch), "it is on the last page");
    assert_eq!(of(root(3, 2), 1), Err(Flaw::TooMuch), "it is on another one");
    assert_eq!(of(root(2, 1), 0), Err(Flaw::TooMuch), "it leads to itself");
    assert_eq!(of(root(2, 4), 0), Err(Flaw::Broken), "there is no such page");
    assert_eq!(of(root(0, 2), 0), Err(Flaw::Broken), "nor this one");
}

#[test]
fn no_more_is_read_than_the_pages_of_so_many_entries() {
    // A page whose child it is itself: it is looked at until there are too many.
    let page = Written { kind: INTERIOR, cells: vec![], bytes: vec![(HEADER + 8, vec![0, 0, 0, 1])] };
    let mut file = Counted { file: Cursor::new(database(&[page])), read: 0 };
    assert_eq!(measure(&mut file), Err(Flaw::TooMuch));
    assert_eq!(file.read, HEADER + (MOST_ENTRIES + 1) * SIZE);
}

#[test]
fn what_is_no_database_is_broken() {
    let whole = database(&[leaf(1, &[9])]);
    assert_eq!(measured(whole.clone()), Ok(()));
    for cut in [0, 50, HEADER, SIZE - 1] {
        assert_eq!(measured(whole[..cut].to_vec()), Err(Flaw::Broken), "{cut}");
    }
    for (at, byte) in [(16, 0x03), (17, 0x01), (HEADER, 10), (HEADER + 8, 0x02)] {
        let mut other = whole.clone();
        other[at] = byte;
        assert_eq!(measured(other), Err(Flaw::Broken), "{at}");
    }
    let at_the_end = Written { kind: LEAF, cells: vec![508], bytes: vec![(508, vec![0x80; 4])] };
    assert_eq!(measured(database(&[at_the_end])), Err(Flaw::Broken), "a number that goes on");
}
