//! 256-bit keys, and the file that holds the master key.

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::domain::entropy::{Entropy, NoEntropy};

/// 256 secret bits. Wiped from memory when dropped; never shown.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Key([u8; 32]);

/// The first four bytes of a key's SHA-256: tells keys apart and says nothing about them. Every sealed value begins with
/// the id of the key that sealed it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub [u8; 4]);

/// The master key could not be read from its file, or not written to it.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file is not there, or cannot be read or written.
    #[error("the master key file {path} cannot be read or written")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Others than its owner can read the file.
    #[error("the master key file {0} can be read by others than its owner: run chmod 600 on it")]
    Exposed(PathBuf),
    /// The file does not hold a key.
    #[error("the master key file {0} does not hold a key: expected 32 bytes in base64, as `mostik keys create` writes")]
    Malformed(PathBuf),
    /// No key could be made.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
}

impl Key {
    /// A fresh key.
    ///
    /// # Errors
    /// [`NoEntropy`] when there are no random bytes to be had.
    pub fn generate(entropy: &Entropy) -> Result<Self, NoEntropy> {
        entropy.bytes().map(Self)
    }

    /// The key in these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The secret itself.
    #[must_use]
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// What tells it apart from other keys.
    #[must_use]
    pub fn id(&self) -> KeyId {
        let digest = digest::digest(&digest::SHA256, &self.0);
        KeyId(digest.as_ref().first_chunk().copied().unwrap_or_default())
    }

    /// The key in a text: 32 bytes in base64, with blanks and line ends around it.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let bytes = Zeroizing::new(BASE64.decode(text.trim_ascii()).ok()?);
        bytes.as_slice().try_into().ok().map(Self)
    }

    /// Reads a key from a file that only its owner may read.
    ///
    /// # Errors
    /// [`KeyFileError`] when the file is missing, readable by others, or holds no key.
    pub fn read_file(path: &Path) -> Result<Self, KeyFileError> {
        let io_error = |source| KeyFileError::Io { path: path.to_owned(), source };
        let mode = fs::metadata(path).map_err(io_error)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(KeyFileError::Exposed(path.to_owned()));
        }
        let text = Zeroizing::new(fs::read(path).map_err(io_error)?);
        Self::parse(&text).ok_or_else(|| KeyFileError::Malformed(path.to_owned()))
    }

    /// Writes the key to a new file that only its owner may read. An existing file is never overwritten.
    ///
    /// # Errors
    /// [`KeyFileError::Io`] when the file exists or cannot be written.
    pub fn create_file(&self, path: &Path) -> Result<(), KeyFileError> {
        let io_error = |source| KeyFileError::Io { path: path.to_owned(), source };
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(io_error)?;
        }
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(io_error)?;
        let text = Zeroizing::new(BASE64.encode(self.0));
        writeln!(file, "{}", *text).and_then(|()| file.sync_all()).map_err(io_error)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entropy::SeededEntropy;

    fn some_key() -> Key {
        Key::generate(&Entropy::Seeded(SeededEntropy::new(1))).unwrap()
    }

    #[test]
    fn a_key_file_is_private_and_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/master.key");
        some_key().create_file(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Key::read_file(&path).unwrap().expose(), some_key().expose());
    }

    #[test]
    fn a_key_file_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        some_key().create_file(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(Key::read_file(&path), Err(KeyFileError::Exposed(_))));
    }

    #[test]
    fn an_existing_key_file_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        some_key().create_file(&path).unwrap();
        assert!(matches!(some_key().create_file(&path), Err(KeyFileError::Io { .. })));
    }

    #[test]
    fn a_file_with_anything_else_in_it_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        for content in ["", "hello", "AAAA"] {
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            assert!(matches!(Key::read_file(&path), Err(KeyFileError::Malformed(_))));
        }
    }
}
