//! Why something about a booking was not done.

use crate::consent::decide::DenyReason;
use crate::domain::booking::LONGEST_REASON;
use crate::domain::entropy::NoEntropy;
use crate::mapping::to_fhir::MappingError;
use crate::outbox::enqueue::EnqueueError;
use crate::store::StoreError;
use crate::vault::SealError;

/// Something about a booking that was not done; nothing of it was stored.
#[derive(Debug, thiserror::Error)]
pub enum BookingError {
    /// The member has no such booking, or the clinic offers no such visit.
    #[error("there is no such booking, or no such visit")]
    NotFound,
    /// The clinic does not offer this kind of visit at present: nobody can ask for it, nor choose a time.
    #[error("the clinic does not offer this kind of visit at present")]
    NotOfferedNow,
    /// It cannot be done now: it stands elsewhere, or the clinic's system was asked something and has not answered.
    #[error("it cannot be done now")]
    NotNow,
    /// The time is not, or no longer, among those that were offered.
    #[error("the time is not among those that are offered")]
    NotOffered,
    /// The member is about to book too many visits at once.
    #[error("too many visits are about to be booked")]
    TooMany,
    /// What they wrote cannot be sent.
    #[error("expected a reason of at most {LONGEST_REASON} characters")]
    Reason,
    /// The member's consent does not let them, or no longer.
    #[error("not-permitted: {0}")]
    NotPermitted(DenyReason),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What the clinic is to be told could not be written.
    #[error(transparent)]
    Mapping(#[from] MappingError),
    /// No id could be made.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
    /// A value could not be sealed or opened.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// What is kept cannot be read.
    #[error("what is kept of a booking cannot be read")]
    Unreadable,
}

impl From<EnqueueError> for BookingError {
    fn from(error: EnqueueError) -> Self {
        match error {
            EnqueueError::Store(error) => Self::Store(error),
            EnqueueError::Seal(error) => Self::Seal(error),
            EnqueueError::NoEntropy(error) => Self::NoEntropy(error),
        }
    }
}
