//! Why a launch came to nothing: for the log as it is, for the member by what they can do.

use crate::delivery::smart_auth::TokenError;
use crate::delivery::smart_auth::launch::Failure;
use crate::delivery::smart_auth::patient::ConnectError;
use crate::enrolment::link::LinkError;
use crate::enrolment::returned::{Declined, NoAnswer};
use crate::enrolment::trouble::Trouble;
use crate::store::StoreError;
use crate::vault::SealError;

/// Why a launch came to nothing. The member is linked as before.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// Nobody can launch at this clinic.
    #[error("launches at this clinic are not set up: expected a section [clinics.….launch]")]
    NotOffered,
    /// This browser's session began no such launch, or it was ended already.
    #[error("this session began no such launch, or it was ended already")]
    Unknown,
    /// The member took too long.
    #[error("the launch took too long")]
    TooLate,
    /// The clinic's server gave no code.
    #[error("the clinic's server gave no code: {0}")]
    Declined(#[from] Declined),
    /// The clinic's server is not fit, gave nothing, or cannot be believed.
    #[error(transparent)]
    Clinic(#[from] Failure),
    /// The member cannot be linked.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A value could not be sealed or opened.
    #[error(transparent)]
    Seal(#[from] SealError),
}

impl LaunchError {
    /// One word for it, for logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotOffered => "launch-not-offered",
            Self::Unknown => "launch-unknown",
            Self::TooLate => "launch-too-late",
            Self::Declined(_) => "launch-declined",
            Self::Clinic(failure) => failure.code(),
            Self::Link(_) => "launch-link",
            Self::Store(_) => "launch-store",
            Self::Seal(_) => "launch-seal",
        }
    }

    /// What the member is told.
    #[must_use]
    pub const fn trouble(&self) -> Trouble {
        match self {
            Self::NotOffered => Trouble::NotOffered,
            Self::Unknown | Self::Clinic(Failure::Token(TokenError::Refused(_))) => Trouble::BeginAgain,
            Self::TooLate => Trouble::TooLate,
            Self::Declined(Declined::ByMember) => Trouble::Declined,
            Self::Declined(Declined::Scope | Declined::Client) | Self::Clinic(Failure::Unfit(_)) => Trouble::NotSetUp,
            Self::Clinic(Failure::NoPatient) => Trouble::NoPatient,
            Self::Clinic(Failure::NotThePatient) => Trouble::NotThePatient,
            Self::Clinic(Failure::OtherIssuer | Failure::IdToken(_) | Failure::Moved) => Trouble::NotTrusted,
            Self::Declined(Declined::Unavailable | Declined::Other) | Self::Clinic(_) => Trouble::ClinicTrouble,
            Self::Link(error) => error.trouble(),
            Self::Store(_) | Self::Seal(_) => Trouble::OurTrouble,
        }
    }
}

impl From<NoAnswer> for LaunchError {
    fn from(_: NoAnswer) -> Self {
        Self::Unknown
    }
}

impl From<ConnectError> for LaunchError {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::UnknownMember => Self::Link(LinkError::UnknownMember),
            ConnectError::Store(error) => Self::Store(error),
            ConnectError::Seal(error) => Self::Seal(error),
        }
    }
}
