//! Why the companion cannot do something now.

use crate::booking::BookingError;
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
    Kept(KeptError),
    /// Something cannot be noted down.
    #[error(transparent)]
    NoteDown(NoteDownError),
    /// A consent cannot be changed; whoever answers looks whether that is because of the store.
    #[error(transparent)]
    Consent(#[from] ConsentError),
    /// Somebody cannot join.
    #[error(transparent)]
    Enrol(EnrolError),
    /// An erasure cannot be asked for, or called off.
    #[error(transparent)]
    Erasure(ErasureError),
    /// Nobody can be called.
    #[error(transparent)]
    Safety(SafetyError),
    /// A clinic's message cannot be answered.
    #[error(transparent)]
    Answer(AnswerError),
    /// It cannot be seen what clinics have.
    #[error(transparent)]
    Recommendation(RecommendationError),
    /// No id could be made.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
}

/// Who cannot be heard because the store is busy is heard when it is said again.
impl From<NoteDownError> for CompanionError {
    fn from(error: NoteDownError) -> Self {
        match error {
            NoteDownError::Accept(AcceptError::Store(error) | AcceptError::Kept(KeptError::Store(error))) => {
                Self::Store(error)
            }
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

impl From<ErasureError> for CompanionError {
    fn from(error: ErasureError) -> Self {
        match error {
            ErasureError::Store(error) | ErasureError::Booking(BookingError::Store(error)) => Self::Store(error),
            ErasureError::Consent(error) => Self::Consent(error),
            other => Self::Erasure(other),
        }
    }
}

impl From<KeptError> for CompanionError {
    fn from(error: KeptError) -> Self {
        match error {
            KeptError::Store(error) => Self::Store(error),
            other => Self::Kept(other),
        }
    }
}

impl From<EnrolError> for CompanionError {
    fn from(error: EnrolError) -> Self {
        match error {
            EnrolError::Store(error) => Self::Store(error),
            other => Self::Enrol(other),
        }
    }
}

impl From<AnswerError> for CompanionError {
    fn from(error: AnswerError) -> Self {
        match error {
            AnswerError::Store(error) => Self::Store(error),
            other => Self::Answer(other),
        }
    }
}

impl From<RecommendationError> for CompanionError {
    fn from(error: RecommendationError) -> Self {
        match error {
            RecommendationError::Store(error) => Self::Store(error),
            other => Self::Recommendation(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_fails_is_seen_through_whatever_did_not_work_because_of_it() {
        let failed = || StoreError::NoAuditKey;
        let wrapped: [CompanionError; 10] = [
            failed().into(),
            KeptError::Store(failed()).into(),
            NoteDownError::Accept(AcceptError::Store(failed())).into(),
            NoteDownError::Accept(AcceptError::Kept(KeptError::Store(failed()))).into(),
            EnrolError::Store(failed()).into(),
            ErasureError::Store(failed()).into(),
            ErasureError::Booking(BookingError::Store(failed())).into(),
            SafetyError::Store(failed()).into(),
            AnswerError::Store(failed()).into(),
            RecommendationError::Store(failed()).into(),
        ];
        for error in wrapped {
            assert!(matches!(error, CompanionError::Store(StoreError::NoAuditKey)), "{error:?}");
        }
        let consent = || ConsentError::from(failed());
        let of_consent: [CompanionError; 2] = [consent().into(), ErasureError::Consent(consent()).into()];
        for error in of_consent {
            assert!(matches!(error, CompanionError::Consent(ConsentError::Change(_))), "{error:?}");
        }
        assert!(matches!(CompanionError::from(KeptError::Unreadable), CompanionError::Kept(KeptError::Unreadable)));
    }
}
