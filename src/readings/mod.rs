//! What members have for themselves: their settings, the readings that are kept for their own view and for summaries, and
//! questionnaires that they have not finished.
//! All of it is sealed with their own key.

pub mod drafts;
pub mod kept;
pub mod settings;

use jiff::{SignedDuration, Timestamp};

use crate::domain::zone::Zone;
use crate::store::StoreError;
use crate::vault::SealError;

/// What an operator says about what is kept.
#[derive(Clone, Debug)]
pub struct Rules {
    /// For how long after it was lived a reading is kept, and summaries are corrected.
    pub keep_for: SignedDuration,
    /// Where the clock of a member stands who never said.
    pub zone: Zone,
}

impl Rules {
    /// What was lived before this instant is no longer kept.
    #[must_use]
    pub fn kept_from(&self, now: Timestamp) -> Timestamp {
        now.checked_sub(self.keep_for).unwrap_or(Timestamp::MIN)
    }
}

/// What is kept for a member cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A value could not be sealed or opened.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// What was sealed is not what this version writes.
    #[error("a sealed value is not what it should be")]
    Unreadable,
}
