//! A client's assertion (RFC 7523; SMART App Launch 2.2.0, client-confidential-asymmetric), from the other side: read,
//! verified, and judged by what it says.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::vault::PublicKey;
use crate::vault::signing::SigningAlgorithm;

/// How far its end may lie ahead.
const FURTHEST_END: SignedDuration = SignedDuration::from_mins(5);

/// How far the client's clock may be ahead of this one. Nothing is taken after its end for that: it is used once.
const SKEW: SignedDuration = SignedDuration::from_secs(30);

/// The longest `jti`, in bytes.
const LONGEST_JTI: usize = 256;

/// Why an assertion is not believed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refused {
    /// It is no such JWT.
    #[error("unreadable")]
    Unreadable,
    /// Signed in a way that is not taken, or not at all.
    #[error("algorithm")]
    Algorithm,
    /// Nobody is registered under this name.
    #[error("unknown-client")]
    UnknownClient,
    /// It names keys at an address that is not the registered one.
    #[error("keys-elsewhere")]
    KeysElsewhere,
    /// The client has no such key.
    #[error("unknown-key")]
    UnknownKey,
    /// The client's keys cannot be had at present.
    #[error("keys-away")]
    KeysAway,
    /// It was not signed with that key.
    #[error("signature")]
    Signature,
    /// What was signed lacks a claim, or says two things about who it is.
    #[error("claims")]
    Claims,
    /// It was made for somebody else.
    #[error("audience")]
    Audience,
    /// Its time is over.
    #[error("expired")]
    Expired,
    /// It would be good for too long, or from later on only.
    #[error("too-far-ahead")]
    TooFarAhead,
    /// It was shown before.
    #[error("replayed")]
    Replayed,
}

/// A believed assertion: what makes it good for one token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Used {
    /// Its own name, unique for the client.
    pub jti: String,
    /// From when on it is refused anyway.
    pub expires_at: Timestamp,
}

/// What the client says before it is believed.
#[derive(Debug)]
pub struct Assertion<'a> {
    jwt: &'a str,
    kid: String,
    algorithm: SigningAlgorithm,
    jku: Option<String>,
    client_id: String,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    jku: Option<String>,
    crit: Option<Value>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: f64,
    nbf: Option<f64>,
    jti: String,
}

#[derive(Deserialize)]
struct Issuer {
    iss: String,
}

/// RFC 7519, section 4.1.3.
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl<'a> Assertion<'a> {
    /// Reads who says that they made it, and how they say that it is signed.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn read(jwt: &'a str) -> Result<Self, Refused> {
        let parts: Vec<&str> = jwt.split('.').collect();
        let [header, claims, _] = parts.as_slice() else { return Err(Refused::Unreadable) };
        let header: Header = part(header)?;
        let algorithm = match header.alg.as_str() {
            "ES384" => SigningAlgorithm::Es384,
            "RS384" => SigningAlgorithm::Rs384,
            _ => return Err(Refused::Algorithm),
        };
        // `typ` is fixed; few libraries leave it out. Nothing that must be understood is understood (RFC 7515, 4.1.11).
        let is_jwt = header.typ.is_none_or(|typ| typ.eq_ignore_ascii_case("JWT"));
        let kid = header.kid.filter(|_| is_jwt && header.crit.is_none()).ok_or(Refused::Unreadable)?;
        let Issuer { iss: client_id } = part(claims)?;
        Ok(Self { jwt, kid, algorithm, jku: header.jku, client_id })
    }

    /// Who says that they made it.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The key with which they say that they signed.
    pub fn key(&self) -> (&str, SigningAlgorithm) {
        (&self.kid, self.algorithm)
    }

    /// Where they say that their keys are.
    pub fn jku(&self) -> Option<&str> {
        self.jku.as_deref()
    }

    /// Whether it was signed with this key, for the token endpoint at `token_url`, for now.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn verify(&self, key: &PublicKey, token_url: &str, now: Timestamp) -> Result<Used, Refused> {
        // Two steps, to tell a wrong signature from wrong claims.
        let claims: Value = key.claims(self.jwt).ok_or(Refused::Signature)?;
        let claims: Claims = serde_json::from_value(claims).map_err(|_| Refused::Claims)?;
        let named = (1..=LONGEST_JTI).contains(&claims.jti.len());
        if claims.iss != self.client_id || claims.sub != claims.iss || !named {
            return Err(Refused::Claims);
        }
        if !claims.aud.is_only(token_url) {
            return Err(Refused::Audience);
        }
        let expires_at = instant(claims.exp).ok_or(Refused::Claims)?;
        if expires_at <= now {
            return Err(Refused::Expired);
        }
        let begins = claims.nbf.map_or(Some(now), instant).ok_or(Refused::Claims)?;
        if expires_at.duration_since(now) > FURTHEST_END + SKEW || begins.duration_since(now) > SKEW {
            return Err(Refused::TooFarAhead);
        }
        Ok(Used { jti: claims.jti, expires_at })
    }
}

impl Audience {
    /// For one alone: what others may show as well is no proof of who shows it.
    fn is_only(&self, wanted: &str) -> bool {
        match self {
            Self::One(audience) => audience == wanted,
            Self::Several(audiences) => matches!(audiences.as_slice(), [audience] if audience == wanted),
        }
    }
}

fn part<T: DeserializeOwned>(encoded: &str) -> Result<T, Refused> {
    let bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| Refused::Unreadable)?;
    serde_json::from_slice(&bytes).map_err(|_| Refused::Unreadable)
}

/// Seconds since 1970, perhaps with a fraction (RFC 7519, section 2, `NumericDate`).
#[expect(clippy::cast_possible_truncation, reason = "what does not fit is no time that is taken")]
fn instant(seconds: f64) -> Option<Timestamp> {
    Timestamp::from_microsecond((seconds * 1e6) as i64).ok().filter(|_| seconds.is_finite())
}
