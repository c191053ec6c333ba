//! Secrets that others gave the operator (a webhook's, a mail server's), in files that only their owner may read.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use zeroize::Zeroizing;

/// The longest file that is read, in bytes.
const LONGEST: u64 = 16 * 1024;

/// A secret that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    /// The file is not there, cannot be read, or is no text.
    #[error("the secret file {path} cannot be read")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Others than its owner can read the file.
    #[error("the secret file {0} can be read by others than its owner: run chmod 600 on it")]
    Exposed(PathBuf),
    /// The file holds something else.
    #[error("the secret file {path}: {expected}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What it must hold.
        expected: String,
    },
}

/// Reads a secret without the white space around it.
///
/// # Errors
/// [`SecretFileError`].
pub fn read_secret_file(path: &Path) -> Result<SecretString, SecretFileError> {
    let failed = |source| SecretFileError::Io { path: path.to_owned(), source };
    let about = fs::metadata(path).map_err(failed)?;
    if about.permissions().mode() & 0o077 != 0 {
        return Err(SecretFileError::Exposed(path.to_owned()));
    }
    let text = if about.len() > LONGEST { String::new() } else { fs::read_to_string(path).map_err(failed)? };
    let text = Zeroizing::new(text);
    match text.trim() {
        "" => Err(SecretFileError::Malformed { path: path.to_owned(), expected: "expected a secret".to_owned() }),
        secret => Ok(secret.into()),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn file(text: &str, mode: u32) -> tempfile::TempPath {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        fs::set_permissions(file.path(), fs::Permissions::from_mode(mode)).unwrap();
        file.into_temp_path()
    }

    #[test]
    fn a_secret_is_read_from_a_private_file_only() {
        assert_eq!(read_secret_file(&file(" s3cret\n", 0o600)).unwrap().expose_secret(), "s3cret");
        assert!(matches!(read_secret_file(&file("s", 0o640)), Err(SecretFileError::Exposed(_))));
        assert!(matches!(read_secret_file(&file("s", 0o604)), Err(SecretFileError::Exposed(_))));
        assert!(matches!(read_secret_file(&file("\n", 0o600)), Err(SecretFileError::Malformed { .. })));
        assert!(matches!(read_secret_file(Path::new("/nowhere/at/all")), Err(SecretFileError::Io { .. })));
    }
}
