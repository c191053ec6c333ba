//! Why the companion cannot do something now.

use crate::domain::entropy::NoEntropy;
use crate::enrolment::join::EnrolError;
use crate::erasure::ErasureError;
use crate::insight::entry::NoteDownError;
use crate::pipeline::AcceptError;
use crate::pipeline::answers::AnswerError;
use crate::pipeline::consent::ConsentError;
use crate::readings::KeptError;
use crate::recommendations::RecommendationError;
use crate::safety::SafetyError;
use crate::store::StoreError;
use crate::vault::SealError;

/// Something that cannot be done now.
#[derive(Debug, thiserror::Error)]
pub enum CompanionError {
    /// There is no such member.
    #[error("there is no such member")]
    UnknownMember,
    /// The script leads nowhere. A defect.
    #[error("the companion's talk leads nowhere")]
    Nowhere,
    /// Other messages of the member were heard meanwhile.
    #[error("other messages of the member were heard meanwhile")]
    WentOn,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A value could not be sealed or opened.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// What is kept cannot be read or written.
    #[error(transparent)]
    Kept(#[from] KeptError),
    /// Something cannot be noted down.
    #[error(transparent)]
    NoteDown(NoteDownError),
    /// A consent cannot be changed.
    #[error(transparent)]
    Consent(#[from] ConsentError),
    /// Somebody cannot join.
    #[error(transparent)]
    Enrol(#[from] EnrolError),
    /// An erasure cannot be asked for, or called off.
    #[error(transparent)]
    Erasure(#[from] ErasureError),
    /// Nobody can be called.
    #[error(transparent)]
    Safety(SafetyError),
    /// A clinic's message cannot be answered.
    #[error(transparent)]
    Answer(#[from] AnswerError),
    /// It cannot be seen what clinics have.
    #[error(transparent)]
    Recommendation(#[from] RecommendationError),
    /// No id could be made.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
}

/// Who cannot be heard because the store is busy is heard when it is said again.
impl From<NoteDownError> for CompanionError {
    fn from(error: NoteDownError) -> Self {
        match error {
            NoteDownError::Accept(AcceptError::Store(error)) => Self::Store(error),
            other => Self::NoteDown(other),
        }
    }
}

impl From<SafetyError> for CompanionError {
    fn from(error: SafetyError) -> Self {
        match error {
            SafetyError::Store(error) => Self::Store(error),
            other => Self::Safety(other),
        }
    }
}
