//! What members have for themselves: their settings, and the readings that are kept for their own view and for summaries.
//! All of it is sealed with their own key.

pub mod settings;

use crate::store::StoreError;
use crate::vault::SealError;

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
