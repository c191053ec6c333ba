//! Files that members bring in.

use std::path::{Path, PathBuf};

use serde::Deserialize;

/// Files that members bring in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Imports {
    /// Where what is too large for memory lies while it is read. Empty: where the system keeps such files.
    pub folder: PathBuf,
    /// The largest file that the portal takes, in MiB.
    pub largest_mib: u32,
    /// How many large files, and archives, may be under way at the same time.
    pub at_once: u16,
}

impl Imports {
    /// The folder; `None` for the system's own.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        Some(self.folder.as_path()).filter(|folder| !folder.as_os_str().is_empty())
    }

    /// The largest file that the portal takes, in bytes.
    #[must_use]
    pub fn largest(&self) -> u64 {
        u64::from(self.largest_mib) << 20
    }
}
