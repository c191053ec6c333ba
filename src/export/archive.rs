//! A ZIP archive that is written while it is read: nothing of it is kept longer than it takes to pass it on.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::mpsc::Sender;
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::{ExportError, Piece};

/// How much is gathered before it is passed on.
const PIECE: usize = 32 * 1024;

/// Takes the pieces of an archive, in order.
pub type Pieces = Sender<Piece>;

/// An archive that is being written.
pub struct Archive {
    zip: ZipWriter<StreamWriter<Buffer>>,
    written: Buffer,
    options: SimpleFileOptions,
    pieces: Pieces,
}

/// What was written and not passed on yet.
#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Buffer {
    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Archive {
    /// An empty archive, whose files are as old as `now`.
    #[must_use]
    pub fn new(pieces: Pieces, now: Timestamp) -> Self {
        let written = Buffer::default();
        let options =
            SimpleFileOptions::default().compression_method(CompressionMethod::Deflated).unix_permissions(0o600);
        let options = options.last_modified_time(dos_time(now).unwrap_or_default());
        Self { zip: ZipWriter::new_stream(written.clone()), written, options, pieces }
    }

    /// Begins the next file; what is written from here on is in it.
    ///
    /// # Errors
    /// [`ExportError`].
    pub async fn file(&mut self, name: &str) -> Result<(), ExportError> {
        self.zip.start_file(name, self.options)?;
        self.pass_on(PIECE).await
    }

    /// Writes to the file that was begun last.
    ///
    /// # Errors
    /// [`ExportError`].
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), ExportError> {
        self.zip.write_all(bytes)?;
        self.pass_on(PIECE).await
    }

    /// Writes the end of the archive.
    ///
    /// # Errors
    /// [`ExportError`].
    pub async fn finish(self) -> Result<(), ExportError> {
        let Self { zip, written, pieces, .. } = self;
        drop(zip.finish()?);
        let rest = std::mem::take(&mut *written.lock());
        pieces.send(Ok(rest)).await.map_err(|_| ExportError::NobodyReads)
    }

    async fn pass_on(&self, at_least: usize) -> Result<(), ExportError> {
        let piece = {
            let mut written = self.written.lock();
            if written.len() < at_least {
                return Ok(());
            }
            std::mem::take(&mut *written)
        };
        self.pieces.send(Ok(piece)).await.map_err(|_| ExportError::NobodyReads)
    }
}

/// The time as it stands in an archive: in UTC, which cannot be said there.
fn dos_time(now: Timestamp) -> Option<DateTime> {
    let now = now.to_zoned(TimeZone::UTC);
    let part = |number: i8| u8::try_from(number).ok();
    let (year, month, day) = (u16::try_from(now.year()).ok()?, part(now.month())?, part(now.day())?);
    DateTime::from_date_and_time(year, month, day, part(now.hour())?, part(now.minute())?, part(now.second())?).ok()
}
