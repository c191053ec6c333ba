//! ZIP archives of strangers: opened without trusting a number in them, and never unpacked to a path that they name.

use std::cell::Cell;
use std::io::{self, Read, Seek, SeekFrom};
use std::rc::Rc;

use zip::ZipArchive;
use zip::result::ZipError;

use super::FileError;

/// The most bytes that the table of contents of an archive may take: names of some 70 000 files.
pub const MOST_CONTENTS: u64 = 8 << 20;

/// The most that is unpacked of one file of an archive, in bytes: 8 GiB, far more than the largest export that was seen.
pub const MOST_UNPACKED: u64 = 8 << 30;

/// Text and databases become some twenty times smaller, and a few a hundred times. What grows more is made to grow.
const MOST_GROWTH: u64 = 250;

/// So much may grow as it likes, in bytes: small files of one letter do.
const FREE: u64 = 16 << 20;

/// How the end of a table of contents begins, and the note that there is a larger one (PKWARE APPNOTE, 4.3.16 and 4.3.15).
const END: &[u8] = b"PK\x05\x06";
const LARGER_END: &[u8] = b"PK\x06\x07";

/// How far from the end of the file that may stand: a comment of 64 KiB follows at most.
const LONGEST_END: u64 = (1 << 16) + 22 + 20;

/// Whether a file is an archive, by how it begins (PKWARE APPNOTE, 4.3.7).
#[must_use]
pub fn is_one(beginning: &[u8]) -> bool {
    beginning.starts_with(b"PK\x03\x04") || beginning.starts_with(END)
}

/// An archive.
pub struct Archive<R> {
    files: ZipArchive<Metered<R>>,
}

impl<R: Read + Seek> Archive<R> {
    /// Reads the table of contents.
    ///
    /// # Errors
    /// [`FileError::TooMuch`] when it is larger than any export's, [`FileError::Unknown`] when it cannot be read.
    pub fn open(mut file: R) -> Result<Self, FileError> {
        if is_larger(&mut file)? {
            return Err(FileError::TooMuch(
                "the archive says that it has more than 65535 files or 4 GiB; expected one that an app wrote"
                    .to_owned(),
            ));
        }
        let left = Rc::new(Cell::new(MOST_CONTENTS));
        let files = ZipArchive::new(Metered { file, left: Rc::clone(&left) });
        let is_used_up = left.replace(u64::MAX) == 0;
        match files {
            Ok(files) => Ok(Self { files }),
            Err(_) if is_used_up => {
                Err(FileError::TooMuch("the archive has more files in it than are looked through".to_owned()))
            }
            Err(ZipError::Io(error)) if error.kind() != io::ErrorKind::UnexpectedEof => Err(FileError::Read(error)),
            Err(_) => Err(FileError::expected("the file begins as a ZIP archive, but is none, or is not whole")),
        }
    }

    /// The places and names of the files in it whose name ends so, whatever its case; of many, the first few.
    pub fn ending_in(&self, ending: &str) -> Vec<usize> {
        const FEW: usize = 16;
        let names = self.files.file_names_raw().enumerate();
        let ends = |name: &[u8]| {
            let start = name.len().checked_sub(ending.len());
            start.and_then(|start| name.get(start..)).is_some_and(|end| end.eq_ignore_ascii_case(ending.as_bytes()))
        };
        names.filter(|(_, name)| ends(name)).map(|(place, _)| place).take(FEW).collect()
    }

    /// The file at a place, unpacked as it is read.
    ///
    /// # Errors
    /// [`FileError::Locked`], or [`FileError::Unknown`] when it is packed in a way that apps do not.
    pub fn read(&mut self, place: usize) -> Result<Unpacked<impl Read>, FileError> {
        match self.files.by_index(place) {
            Ok(file) => {
                let packed = file.compressed_size();
                Ok(Unpacked { most: packed.saturating_mul(MOST_GROWTH).clamp(FREE, MOST_UNPACKED), file, read: 0 })
            }
            Err(ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) | ZipError::InvalidPassword) => {
                Err(FileError::Locked)
            }
            Err(ZipError::Io(error)) if error.kind() != io::ErrorKind::UnexpectedEof => Err(FileError::Read(error)),
            Err(_) => Err(FileError::expected("a file of the archive is damaged, or packed in an unusual way")),
        }
    }
}

/// Whether an archive speaks of more files, or of larger ones, than fit in the older form (PKWARE APPNOTE, 4.3.14). Room for
/// as many as it says would be made before the first is seen. No export has so many.
fn is_larger(file: &mut (impl Read + Seek)) -> io::Result<bool> {
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(length.saturating_sub(LONGEST_END)))?;
    let mut end = Vec::new();
    file.take(LONGEST_END).read_to_end(&mut end)?;
    let says_larger = |(at, bytes): (usize, &[u8])| {
        let before = at.checked_sub(20).and_then(|start| end.get(start..at));
        bytes == END && before.is_some_and(|before| before.starts_with(LARGER_END))
    };
    Ok(end.windows(END.len()).enumerate().any(says_larger))
}

/// A file of which only so much may be read.
struct Metered<R> {
    file: R,
    left: Rc<Cell<u64>>,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left.get()).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.file.read(buffer.get_mut(..most).unwrap_or_default())?;
        self.left.set(self.left.get().saturating_sub(read as u64));
        Ok(read)
    }
}

impl<R: Seek> Seek for Metered<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// A file of an archive. It ends with an error where it grows beyond measure, whatever the archive says of its size.
pub struct Unpacked<R> {
    file: R,
    read: u64,
    most: u64,
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.read = self.read.saturating_add(read as u64);
        if self.read > self.most {
            return Err(io::Error::other(GrowsTooMuch));
        }
        Ok(read)
    }
}

/// What is unpacked is beyond all proportion to what was packed.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a file of the archive grows beyond measure when it is unpacked")]
pub struct GrowsTooMuch;

impl GrowsTooMuch {
    /// Whether this was the cause.
    #[must_use]
    pub fn caused(error: &io::Error) -> bool {
        error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<Self>)
    }
}
