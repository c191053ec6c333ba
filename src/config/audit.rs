//! The audit log.

use std::path::PathBuf;

use jiff::SignedDuration;
use serde::Deserialize;

/// The audit log.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audit {
    /// The file for checkpoints; empty for none.
    pub checkpoint_file: PathBuf,
    /// How often one is written.
    pub checkpoint_minutes: i64,
}

impl Audit {
    pub(super) fn is_often_enough(&self) -> bool {
        (1..=1440).contains(&self.checkpoint_minutes)
    }

    /// The file for checkpoints, if there is to be one.
    #[must_use]
    pub fn file(&self) -> Option<PathBuf> {
        Some(self.checkpoint_file.clone()).filter(|path| !path.as_os_str().is_empty())
    }

    /// How often a checkpoint is written.
    #[must_use]
    pub fn every(&self) -> SignedDuration {
        SignedDuration::from_mins(self.checkpoint_minutes)
    }
}
