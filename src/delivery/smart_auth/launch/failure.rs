//! Why a launch came to nothing at the clinic's server. No server's own words, and nothing personal.

use super::id_token::IdTokenError;
use super::server::Unfit;
use crate::delivery::smart_auth::error::TokenError;

/// Why a launch came to nothing at the clinic's server.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Failure {
    /// The server does not offer launches as they must be.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// It could not be asked, or gave nothing.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The clinic names another server than when the launch began.
    #[error("the clinic's SMART configuration names another server than when the launch began")]
    Moved,
    /// The browser was sent back by another server than the one that it was sent to (RFC 9207).
    #[error("the browser was sent back by another server than the one that it was sent to (iss)")]
    OtherIssuer,
    /// What it says about who signed in cannot be believed.
    #[error("the id_token cannot be believed: {0}")]
    IdToken(#[from] IdTokenError),
    /// It did not say which Patient.
    #[error("the token endpoint did not say which Patient (`patient`): check that launch/patient is granted")]
    NoPatient,
    /// There are no random bytes to be had.
    #[error("the operating system gave no random bytes")]
    NoEntropy,
    /// Whoever signed in is not the Patient, but somebody who may see them.
    #[error("whoever signed in at the clinic is not the Patient (fhirUser)")]
    NotThePatient,
}

impl Failure {
    /// One word for it, for logs and texts.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unfit(_) => "launch-unfit",
            Self::Token(error) => error.code(),
            Self::Moved => "launch-moved",
            Self::OtherIssuer => "launch-other-issuer",
            Self::IdToken(_) => "launch-id-token",
            Self::NoPatient => "launch-no-patient",
            Self::NoEntropy => "launch-no-entropy",
            Self::NotThePatient => "launch-not-the-patient",
        }
    }
}
