//! Why a sign-in came to nothing at a community's identity provider, each with what to do about it. No provider's own
//! words, and nothing personal.

use openidconnect::core::CoreErrorResponseType;
use openidconnect::{DiscoveryError, RequestTokenError};

use super::types::Refusal;
use crate::delivery::egress::EgressError;
use crate::delivery::smart_auth::launch::IdTokenError;

/// Why a sign-in came to nothing at the provider.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Failure {
    /// It does not answer.
    #[error(
        "no answer from the provider ({0}): check sign_in.issuer and sign_in.hosts, the name service and the firewall; a \
         provider in a private network needs delivery.private_networks = true"
    )]
    NoAnswer(EgressError),
    /// Something else is there.
    #[error("the provider answers {0} where its configuration or its keys should be: check sign_in.issuer")]
    NotThere(u16),
    /// What is there cannot be read.
    #[error(
        "what is at <issuer>/.well-known/openid-configuration, or at the jwks_uri in it, is not what OpenID Connect \
         Discovery 1.0 asks for: check sign_in.issuer"
    )]
    Unreadable,
    /// It is somebody else.
    #[error(
        "the provider calls itself otherwise: write sign_in.issuer exactly as its configuration does, down to a slash at \
         the end"
    )]
    AnotherIssuer,
    /// It does not offer sign-in as it must be.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// Its token endpoint gives nothing for the code.
    #[error("the token endpoint refuses ({0}): check sign_in.client_id, its secret, and what is registered there")]
    Refused(&'static str),
    /// Its token endpoint gives what cannot be read.
    #[error("the token endpoint gives what is no answer of OpenID Connect Core 1.0, section 3.1.3.3")]
    NoTokens,
    /// The browser was sent back by another server than the one that it was sent to (RFC 9207).
    #[error("the browser was sent back by another server than the one that it was sent to (iss)")]
    OtherIssuer,
    /// What it says about who signed in cannot be believed.
    #[error("the ID token cannot be believed: {0}")]
    IdToken(#[from] IdTokenError),
    /// What it says lacks the member's handle.
    #[error(
        "the ID token lacks the claim that sign_in.handle names: ask the provider to put it there, or change scopes"
    )]
    NoHandle,
    /// Whoever signed in is none of those who may.
    #[error(
        "the ID token says of whoever signed in nothing that lets them in: check claim, values and sign_in.scopes, or what \
         the provider puts there"
    )]
    NotAdmitted,
}

/// Why nobody is sent to a provider.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unfit {
    /// Its configuration lacks something.
    #[error("the provider's configuration lacks {0}")]
    Lacks(&'static str),
    /// It takes no challenge, so that a stolen code could be used.
    #[error("the provider does not offer S256 code challenges (PKCE): turn them on there")]
    NoChallenge,
    /// It wants to know the client by something else than a secret.
    #[error(
        "the provider takes neither client_secret_basic nor client_secret_post: register this bridge for one of them, or \
         as a public client without sign_in.secret_file"
    )]
    NoSecrets,
    /// Something is where the configuration does not allow members to be sent, or secrets.
    #[error("its {what} is at {host}, which is not allowed: if that is right, add it to sign_in.hosts")]
    HostNotAllowed {
        /// What.
        what: &'static str,
        /// Where.
        host: String,
    },
    /// Something is less protected than the issuer.
    #[error("its {0} is not https")]
    NotProtected(&'static str),
}

impl Failure {
    /// One word for it, for logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoAnswer(_) => "provider-no-answer",
            Self::NotThere(_) => "provider-not-there",
            Self::Unreadable => "provider-unreadable",
            Self::AnotherIssuer => "provider-another-issuer",
            Self::Unfit(_) => "provider-unfit",
            Self::Refused(_) => "provider-refused",
            Self::NoTokens => "provider-no-tokens",
            Self::OtherIssuer => "provider-other-issuer",
            Self::IdToken(_) => "provider-id-token",
            Self::NoHandle => "provider-no-handle",
            Self::NotAdmitted => "provider-not-admitted",
        }
    }
}

impl From<DiscoveryError<EgressError>> for Failure {
    fn from(error: DiscoveryError<EgressError>) -> Self {
        match error {
            DiscoveryError::Request(cause) => Self::NoAnswer(cause),
            DiscoveryError::Response(status, ..) => Self::NotThere(status.as_u16()),
            DiscoveryError::Validation(_) => Self::AnotherIssuer,
            _ => Self::Unreadable,
        }
    }
}

/// The errors of the crate may hold the answer, and with it a token: nothing of it is kept but a word of the standard.
impl From<RequestTokenError<EgressError, Refusal>> for Failure {
    fn from(error: RequestTokenError<EgressError, Refusal>) -> Self {
        match error {
            RequestTokenError::Request(cause) => Self::NoAnswer(cause),
            RequestTokenError::ServerResponse(refusal) => Self::Refused(word(refusal.error())),
            RequestTokenError::Parse(..) | RequestTokenError::Other(_) => Self::NoTokens,
        }
    }
}

const fn word(error: &CoreErrorResponseType) -> &'static str {
    match error {
        CoreErrorResponseType::InvalidClient => "invalid_client",
        CoreErrorResponseType::InvalidGrant => "invalid_grant",
        CoreErrorResponseType::InvalidRequest => "invalid_request",
        CoreErrorResponseType::InvalidScope => "invalid_scope",
        CoreErrorResponseType::UnauthorizedClient => "unauthorized_client",
        CoreErrorResponseType::UnsupportedGrantType => "unsupported_grant_type",
        CoreErrorResponseType::Extension(_) => "another error",
    }
}
