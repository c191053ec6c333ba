//! Why there is no token, each with what to fix. A server's own words are neither kept nor shown: they may repeat what
//! it was sent.

use jiff::SignedDuration;
use reqwest::Url;

use super::flow::Flow;
use crate::delivery::egress::EgressError;

/// Why there is no token.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TokenError {
    /// The FHIR server does not say where its authorization server is.
    #[error(
        "{base}.well-known/smart-configuration answered {status}: check fhir_base, and that this endpoint speaks SMART; \
         otherwise set auth.method = \"none\""
    )]
    NoDiscovery {
        /// The FHIR endpoint.
        base: String,
        /// HTTP status.
        status: u16,
    },
    /// What it says is no such document.
    #[error("{base}.well-known/smart-configuration is not a SMART configuration in JSON: check fhir_base")]
    DiscoveryUnreadable {
        /// The FHIR endpoint.
        base: String,
    },
    /// The document lacks what the way to a token needs.
    #[error("the SMART configuration lacks {what}: ask the clinic whether this endpoint offers {flow}")]
    DiscoveryLacks {
        /// What is missing.
        what: &'static str,
        /// For which way.
        flow: Flow,
    },
    /// The token endpoint is where the configuration does not allow calls.
    #[error(
        "the token endpoint is at {host}, which is not allowed: if the clinic confirms it, add it to auth.token_hosts"
    )]
    HostNotAllowed {
        /// Where it is.
        host: String,
    },
    /// The token endpoint is less protected than the FHIR endpoint.
    #[error("the token endpoint {endpoint} is not https: ask the clinic for one that is")]
    NotProtected {
        /// The address.
        endpoint: String,
    },
    /// There is no key whose algorithm the server takes.
    #[error("there is no signing key for this server: make one with mostik keys sign-create --alg ES384 (or RS384)")]
    NoKey,
    /// The assertion could not be signed.
    #[error("the assertion could not be signed")]
    NotSigned,
    /// The server could not prove who it is.
    #[error("{host} cannot prove who it is (TLS): check its certificate, its chain, and this machine's clock")]
    Tls {
        /// The server.
        host: String,
    },
    /// No answer.
    #[error("{host} did not answer ({cause}): check the network and whether it may be called from here")]
    NoAnswer {
        /// The server.
        host: String,
        /// What happened.
        cause: EgressError,
    },
    /// The server asks for patience, or is broken for the time being.
    #[error("the token endpoint answered {status}: it is overloaded or broken; the bridge tries again")]
    NotNow {
        /// HTTP status.
        status: u16,
        /// How long it asked to be left alone.
        retry_after: Option<SignedDuration>,
    },
    /// The server does not give a token.
    #[error("{0}")]
    Refused(Box<Refused>),
    /// The answer is not a bearer token with a lifetime.
    #[error("the token endpoint's answer is not a bearer token (RFC 6749, section 5.1): ask the clinic")]
    Unreadable,
    /// Only the member can help, by a launch.
    #[error("{0}")]
    Connect(Connect),
    /// What a member lent was given by another server than the one that is found now.
    #[error(
        "the member's access was given by {from}, and the clinic now names {to}: it is not shown there. If the clinic \
         confirms that it has moved, the member connects it again"
    )]
    IssuerMoved {
        /// Who gave it.
        from: String,
        /// Who would be asked.
        to: String,
    },
    /// What a member lent cannot be read or stored.
    #[error("the member's access cannot be read or stored ({0}); the bridge tries again")]
    NotKept(&'static str),
}

/// Why a member must connect a clinic, by a launch, before anything can be sent there for them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Connect {
    /// They never did, or their consent was revoked since.
    #[error("the member has not connected this clinic: nothing is sent for them until they do")]
    First,
    /// The clinic does not renew their access any more.
    #[error(
        "the clinic no longer accepts the access that the member lent to this bridge (invalid_grant): it has ended there, \
         was withdrawn, or was renewed twice; the member must connect the clinic again"
    )]
    Refused,
    /// It ended, and there is nothing to renew it with.
    #[error(
        "the access that the member lent to this bridge has ended and the clinic gave nothing to renew it with \
         (offline_access): the member must connect the clinic again"
    )]
    Ended,
}

/// A token was asked for and refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    /// The server's code.
    pub code: OAuthCode,
    /// Why, as far as can be told.
    pub why: Why,
    /// Who asked.
    pub client_id: String,
    /// The key that signed.
    pub kid: String,
    /// Where, which is also the audience of the assertion.
    pub token_endpoint: String,
    /// What was asked for.
    pub scopes: String,
    /// On which way.
    pub flow: Flow,
}

/// The codes of RFC 6749, section 5.2.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OAuthCode {
    /// The assertion was not believed.
    InvalidClient,
    /// This client may not use this flow.
    UnauthorizedClient,
    /// None of the scopes is granted.
    InvalidScope,
    /// The server does not know the flow.
    UnsupportedGrantType,
    /// What is to be renewed has ended, was withdrawn, or was used before.
    InvalidGrant,
    /// The request was not understood, or no code was given.
    Other,
}

/// Why an assertion was not believed. OAuth has one code for all of it; this is a guess for people, from the server's
/// clock and from key words. Nothing is decided by it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// The server did not say.
    Unsaid,
    /// It does not know the client.
    UnknownClient,
    /// The signature does not fit a key it knows.
    Key,
    /// It expects another audience.
    Audience,
    /// It takes the assertion for expired, or for one from the future.
    Expired,
    /// By its `Date`, the clocks differ by more than an assertion can bear: this one is ahead by so much.
    Clock(SignedDuration),
    /// It has seen the assertion's `jti` before.
    Replayed,
}

impl TokenError {
    /// A code for logs and for the item that waits.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoDiscovery { .. } | Self::DiscoveryUnreadable { .. } | Self::DiscoveryLacks { .. } => {
                "token-discovery"
            }
            Self::HostNotAllowed { .. } | Self::NotProtected { .. } => "token-host-not-allowed",
            Self::NoKey | Self::NotSigned => "token-no-key",
            Self::Tls { .. } => "token-tls",
            Self::NoAnswer { .. } => "token-no-answer",
            Self::NotNow { .. } => "token-not-now",
            Self::Refused(_) => "token-refused",
            Self::Unreadable => "token-unreadable",
            Self::Connect(Connect::First) => "token-not-connected",
            Self::Connect(Connect::Refused | Connect::Ended) => "token-connect-again",
            Self::IssuerMoved { .. } => "token-issuer-moved",
            Self::NotKept(_) => "token-not-kept",
        }
    }

    /// How long the server asked to be left alone.
    #[must_use]
    pub const fn retry_after(&self) -> Option<SignedDuration> {
        match self {
            Self::NotNow { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// No answer from the server at `url`.
    #[must_use]
    pub fn no_answer(url: &Url, cause: EgressError) -> Self {
        let host = url.host_str().unwrap_or_default().to_owned();
        match cause {
            EgressError::Tls => Self::Tls { host },
            cause => Self::NoAnswer { host, cause },
        }
    }
}

impl OAuthCode {
    /// The code with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        match name {
            "invalid_client" => Self::InvalidClient,
            "unauthorized_client" => Self::UnauthorizedClient,
            "invalid_scope" => Self::InvalidScope,
            "unsupported_grant_type" => Self::UnsupportedGrantType,
            "invalid_grant" => Self::InvalidGrant,
            _ => Self::Other,
        }
    }
}

impl Why {
    /// A guess from a server's words.
    #[must_use]
    pub fn guess(words: &str) -> Self {
        let words = words.to_ascii_lowercase();
        let says = |any: &[&str]| any.iter().any(|word| words.contains(word));
        if says(&["jti", "replay", "already been used", "already used"]) {
            Self::Replayed
        } else if says(&["audience", "\"aud\"", "'aud'"]) {
            Self::Audience
        } else if says(&["expired", "exp must", "in the future", "not yet valid", "\"exp\"", "clock"]) {
            Self::Expired
        } else if says(&["signature", "kid", "no keys", "no matching key", "jwks", "verification failed"]) {
            Self::Key
        } else if says(&["unknown client", "client not found", "not registered"]) {
            Self::UnknownClient
        } else {
            Self::Unsaid
        }
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { client_id, token_endpoint, scopes, flow, .. } = self;
        match self.code {
            OAuthCode::InvalidScope => write!(
                f,
                "the clinic grants none of the scopes asked for, {scopes} (invalid_scope): ask it to grant them to \
                 {client_id}, or change auth.scopes"
            ),
            OAuthCode::UnauthorizedClient | OAuthCode::UnsupportedGrantType => {
                let grant_type = match flow {
                    Flow::BackendServices => "client_credentials",
                    Flow::Patient { .. } => "authorization_code and refresh_token",
                };
                write!(
                    f,
                    "the clinic does not let {client_id} use {flow}: ask it to register {client_id} for {grant_type}"
                )
            }
            OAuthCode::InvalidGrant | OAuthCode::Other => {
                write!(f, "the token endpoint {token_endpoint} did not understand the request: check fhir_base")
            }
            OAuthCode::InvalidClient => {
                write!(f, "the clinic does not believe that this is {client_id} (invalid_client): ")?;
                self.fmt_why(f)
            }
        }
    }
}

impl Refused {
    fn fmt_why(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { client_id, kid, token_endpoint, .. } = self;
        match self.why {
            _ if !self.flow.signed() => write!(
                f,
                "check auth.client_id, and that the clinic registered it as a public client; otherwise set \
                 auth.client_authentication = \"private_key_jwt\""
            ),
            Why::Unsaid => write!(
                f,
                "check that {client_id} is registered there with the key {kid} of this bridge's \
                 /.well-known/jwks.json, and this machine's clock"
            ),
            Why::UnknownClient => write!(f, "it does not know this client_id; check auth.client_id"),
            Why::Key => write!(
                f,
                "it does not know the key {kid}; register this bridge's /.well-known/jwks.json there, or wait until it \
                 has fetched it again"
            ),
            Why::Audience => write!(
                f,
                "it expects another audience than its own token endpoint {token_endpoint}; ask the clinic to publish \
                 the address that it checks"
            ),
            Why::Expired => write!(f, "it takes the assertion for expired; set this machine's clock (NTP)"),
            Why::Clock(ahead) => {
                let (seconds, way) = (ahead.as_secs().abs(), if ahead.is_negative() { "behind" } else { "ahead of" });
                write!(f, "this machine's clock is {seconds} s {way} the clinic's; set it (NTP)")
            }
            Why::Replayed => write!(
                f,
                "it has seen this assertion's jti before; if it happens again, two machines run from one snapshot"
            ),
        }
    }
}
