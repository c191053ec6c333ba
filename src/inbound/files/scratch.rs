//! Where what is too large for memory lies while it is read.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// The folder, made for its owner only if it is not there; the system's own if there is none.
///
/// # Errors
/// When it cannot be made.
pub fn ready(folder: Option<&Path>) -> io::Result<PathBuf> {
    let Some(folder) = folder else { return Ok(std::env::temp_dir()) };
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    Ok(folder.to_owned())
}
