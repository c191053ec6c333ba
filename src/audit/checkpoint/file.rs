//! The file itself: lines are added at its end and nothing is ever changed.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::line::{Checkpoint, Line, sha256};

/// How much is read at once from the end.
const BLOCK: u64 = 64 * 1024;

/// A file that this process has for itself until it is dropped.
#[derive(Debug)]
pub struct CheckpointFile {
    file: File,
    /// The last whole line.
    pub last: Option<Last>,
}

/// The last line of a file.
#[derive(Debug)]
pub struct Last {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// SHA-256 of it.
    pub sha256: String,
}

impl CheckpointFile {
    /// Opens a file, or begins one that only its owner may read. `None` while another process is writing it.
    ///
    /// # Errors
    /// What the operating system says, or that its last line is none.
    pub fn open(path: &Path) -> io::Result<Option<Self>> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let (end, text) = last_line(&mut file)?;
        // A line that was not finished was never counted on.
        file.set_len(end)?;
        let last = match text {
            Some(text) => Some(read(&text).ok_or_else(|| io::Error::other("its last line is no checkpoint"))?),
            None => None,
        };
        Ok(Some(Self { file, last }))
    }

    /// Adds a line, and waits until it is on the disk.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn add(&mut self, checkpoint: Checkpoint, text: &str) -> io::Result<()> {
        self.file.write_all(format!("{text}\n").as_bytes())?;
        self.file.sync_data()?;
        self.last = Some(Last { checkpoint, sha256: sha256(text.as_bytes()) });
        Ok(())
    }
}

/// What the last whole line of a file says, without having it for oneself; `None` where there is none.
///
/// # Errors
/// What the operating system says.
pub fn peek(path: &Path) -> io::Result<Option<Last>> {
    match File::open(path) {
        Ok(mut file) => Ok(last_line(&mut file)?.1.and_then(|text| read(&text))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn read(text: &[u8]) -> Option<Last> {
    let line: Line = serde_json::from_slice(text).ok()?;
    Some(Last { checkpoint: serde_json::from_str(line.checkpoint.get()).ok()?, sha256: sha256(text) })
}

/// Where the last whole line ends, and the line without its end.
fn last_line(file: &mut File) -> io::Result<(u64, Option<Vec<u8>>)> {
    let mut start = file.metadata()?.len();
    let mut tail: Vec<u8> = Vec::new();
    loop {
        let lines_end = tail.iter().rposition(|byte| *byte == b'\n');
        let lines_start = lines_end.and_then(|end| tail.get(..end)?.iter().rposition(|byte| *byte == b'\n'));
        if let (Some(end), true) = (lines_end, lines_start.is_some() || start == 0) {
            let line = tail.get(lines_start.map_or(0, |before| before + 1)..end).unwrap_or_default();
            return Ok((start + end as u64 + 1, Some(line.to_vec())));
        }
        if start == 0 {
            return Ok((0, None));
        }
        let block = BLOCK.min(start);
        start -= block;
        file.seek(SeekFrom::Start(start))?;
        let mut more = vec![0; usize::try_from(block).unwrap_or_default()];
        file.read_exact(&mut more)?;
        more.append(&mut tail);
        tail = more;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_whole_line_is_found_however_long_it_is() {
        let long = "x".repeat(3 * 64 * 1024 + 17);
        for (text, end, line) in [
            (String::new(), 0, None),
            ("half".to_owned(), 0, None),
            ("one\n".to_owned(), 4, Some("one")),
            ("one\ntwo\n".to_owned(), 8, Some("two")),
            ("one\ntwo\nhalf".to_owned(), 8, Some("two")),
            (format!("one\n{long}\n"), 5 + long.len() as u64, Some(long.as_str())),
            (format!("{long}\none\n{long}"), long.len() as u64 + 5, Some("one")),
        ] {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(text.as_bytes()).unwrap();
            let found = last_line(&mut file).unwrap();
            assert_eq!(found, (end, line.map(|line| line.as_bytes().to_vec())));
        }
    }
}
