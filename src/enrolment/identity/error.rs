//! Why a sign-in at a provider came to nothing: for the log as it is, for the member by what they can do.

use crate::delivery::identity::Failure;
use crate::domain::entropy::NoEntropy;
use crate::enrolment::returned::{Declined, NoAnswer};
use crate::store::StoreError;

/// Why a sign-in at a provider came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// There is no such provider.
    #[error("there is no such provider: expected a section [communities.….sign_in] or [clinics.….staff.sign_in]")]
    NotOffered,
    /// This browser, or this session, began no such walk, or it was ended already.
    #[error("this browser began no such sign-in, or it was ended already")]
    Unknown,
    /// The member took too long.
    #[error("the sign-in took too long")]
    TooLate,
    /// The provider gave no code.
    #[error("the provider gave no code: {0}")]
    Declined(#[from] Declined),
    /// The provider is not fit, gave nothing, or cannot be believed.
    #[error(transparent)]
    Provider(#[from] Failure),
    /// Nobody here is whoever signed in there.
    #[error("whoever signed in at the provider is no member here")]
    NoMember,
    /// It is another member's account.
    #[error("the account at the provider belongs to another member")]
    OfAnother,
    /// The member has another account there.
    #[error("the member is known to the provider by another account")]
    HasAnother,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No secret could be made.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
}

/// Why a sign-in at a provider came to nothing, as far as it concerns the member: told apart by what they can do about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IdentityTrouble {
    /// The way there and back was not gone in one piece: begin again.
    BeginAgain,
    /// It took too long: begin again.
    TooLate,
    /// They said no there.
    Declined,
    /// The operator has not set it up as it must be.
    NotSetUp,
    /// What came back cannot be trusted: nothing was done.
    NotTrusted,
    /// The provider is in trouble: later.
    ProviderTrouble,
    /// Their account there is not known here.
    NoMember,
    /// Their account there does not let them in.
    NotAdmitted,
    /// Their account there is another member's here.
    OfAnother,
    /// They are known here by another account there.
    HasAnother,
    /// This house is in trouble: later.
    OurTrouble,
}

impl IdentityError {
    /// One word for it, for logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotOffered => "identity-not-offered",
            Self::Unknown => "identity-unknown",
            Self::TooLate => "identity-too-late",
            Self::Declined(_) => "identity-declined",
            Self::Provider(failure) => failure.code(),
            Self::NoMember => "identity-no-member",
            Self::OfAnother => "identity-of-another",
            Self::HasAnother => "identity-has-another",
            Self::Store(_) => "identity-store",
            Self::NoEntropy(_) => "identity-no-entropy",
        }
    }

    /// What the member is told.
    #[must_use]
    pub fn trouble(&self) -> IdentityTrouble {
        match self {
            Self::Unknown | Self::Provider(Failure::Refused("invalid_grant")) => IdentityTrouble::BeginAgain,
            Self::TooLate => IdentityTrouble::TooLate,
            Self::Declined(Declined::ByMember) => IdentityTrouble::Declined,
            Self::NotOffered
            | Self::Declined(Declined::Scope | Declined::Client)
            | Self::Provider(
                Failure::Unfit(_)
                | Failure::AnotherIssuer
                | Failure::Unreadable
                | Failure::NoHandle
                | Failure::Refused(_),
            ) => IdentityTrouble::NotSetUp,
            Self::Provider(Failure::OtherIssuer | Failure::IdToken(_)) => IdentityTrouble::NotTrusted,
            Self::Declined(Declined::Unavailable | Declined::Other)
            | Self::Provider(Failure::NoAnswer(_) | Failure::NotThere(_) | Failure::NoTokens) => {
                IdentityTrouble::ProviderTrouble
            }
            Self::NoMember => IdentityTrouble::NoMember,
            Self::Provider(Failure::NotAdmitted) => IdentityTrouble::NotAdmitted,
            Self::OfAnother => IdentityTrouble::OfAnother,
            Self::HasAnother => IdentityTrouble::HasAnother,
            Self::Store(_) | Self::NoEntropy(_) => IdentityTrouble::OurTrouble,
        }
    }
}

impl From<NoAnswer> for IdentityError {
    fn from(_: NoAnswer) -> Self {
        Self::Unknown
    }
}
