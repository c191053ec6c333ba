//! Who signed in: the claims of an `id_token`, after every check that OpenID Connect Core 1.0, section 3.1.3.7, asks for.

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::Value;

/// How far the server's clock may be off.
const BEARABLE_SKEW: SignedDuration = SignedDuration::from_secs(60);

/// What an `id_token` must say.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// Who signs.
    pub issuer: &'a str,
    /// For whom.
    pub client_id: &'a str,
    /// For which launch.
    pub nonce: &'a str,
    /// The time.
    pub now: Timestamp,
}

/// Who signed in. Personal.
pub struct Claims {
    /// The server's own name for them.
    pub subject: String,
    /// Their FHIR resource, if it is said (SMART App Launch 2.2.0, `fhirUser`).
    pub fhir_user: Option<String>,
}

/// Why an `id_token` is not believed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum IdTokenError {
    /// There is none, although it was asked for and granted.
    #[error("there is none")]
    Missing,
    /// It is none: also one that is not signed.
    #[error("it is not a signed JWT")]
    Unreadable,
    /// The server's keys cannot be had.
    #[error("the server's keys (jwks_uri) cannot be read")]
    NoKeys,
    /// None of the server's keys signed it.
    #[error("none of the server's keys signed it")]
    Signature,
    /// Somebody else's.
    #[error("it is another server's (iss)")]
    Issuer,
    /// For somebody else.
    #[error("it is for another client (aud)")]
    Audience,
    /// Its time is over, or has not come; also by a clock that is wrong.
    #[error("its time is over or has not come: check the clocks")]
    Time,
    /// From another launch, or another sign-in.
    #[error("it belongs to another launch or sign-in (nonce)")]
    Nonce,
    /// From beside another access token.
    #[error("it belongs to another access token (at_hash)")]
    AccessToken,
}

#[derive(Deserialize)]
struct Said {
    iss: String,
    sub: String,
    aud: Value,
    azp: Option<String>,
    exp: i64,
    iat: i64,
    nonce: Option<String>,
    #[serde(rename = "fhirUser")]
    fhir_user: Option<String>,
}

/// A server's keys (RFC 7517, section 5), each read when it is needed: one of an unknown kind does not spoil the others.
#[derive(Deserialize)]
struct Published {
    keys: Vec<Value>,
}

/// Reads an `id_token` that is signed by one of the keys in `published`, a JWKS.
///
/// # Errors
/// [`IdTokenError`].
pub fn verify(token: &str, published: &[u8], expected: Expected<'_>) -> Result<Claims, IdTokenError> {
    let header = decode_header(token).map_err(|_| IdTokenError::Unreadable)?;
    // What a critical extension means is not known here (RFC 7515, section 4.1.11).
    if header.crit.is_some() {
        return Err(IdTokenError::Unreadable);
    }
    let published: Published = serde_json::from_slice(published).map_err(|_| IdTokenError::NoKeys)?;
    let keys = published.keys.into_iter().filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
    let mut fitting = keys.filter(|key| fits(key, &header)).filter_map(|key| DecodingKey::from_jwk(&key).ok());
    let said = fitting.find_map(|key| decode::<Said>(token, &key, &signature_only(header.alg)).ok());
    let said = said.ok_or(IdTokenError::Signature)?.claims;
    check(&said, expected)?;
    Ok(Claims { subject: said.sub, fhir_user: said.fhir_user })
}

/// Whether a key may have signed under this header. The key says which algorithms it is for, never the token alone.
fn fits(key: &Jwk, header: &Header) -> bool {
    let algorithms: &[Algorithm] = match &key.algorithm {
        AlgorithmParameters::RSA(_) => &[
            Algorithm::RS256,
            Algorithm::RS384,
            Algorithm::RS512,
            Algorithm::PS256,
            Algorithm::PS384,
            Algorithm::PS512,
        ],
        AlgorithmParameters::EllipticCurve(_) => &[Algorithm::ES256, Algorithm::ES384],
        AlgorithmParameters::OctetKeyPair(_) => &[Algorithm::EdDSA],
        // A secret that is published is none (`oct`); other kinds are not known here.
        _ => &[],
    };
    let common = &key.common;
    algorithms.contains(&header.alg)
        && common.key_algorithm.is_none_or(|own| Algorithm::try_from(own).is_ok_and(|own| own == header.alg))
        && common.public_key_use.as_ref().is_none_or(|usage| *usage == PublicKeyUse::Signature)
        && (header.kid.is_none() || common.key_id.is_none() || header.kid == common.key_id)
}

/// The library looks at the signature; the claims are compared here, by this house's clock.
fn signature_only(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.set_required_spec_claims::<&str>(&[]);
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
}

fn check(said: &Said, expected: Expected<'_>) -> Result<(), IdTokenError> {
    if said.iss != expected.issuer {
        return Err(IdTokenError::Issuer);
    }
    // One that is for others too could be shown here by them.
    let only_for_us = match &said.aud {
        Value::String(aud) => aud == expected.client_id,
        Value::Array(all) => !all.is_empty() && all.iter().all(|aud| aud == expected.client_id),
        _ => false,
    };
    if !only_for_us || said.azp.as_ref().is_some_and(|azp| azp != expected.client_id) {
        return Err(IdTokenError::Audience);
    }
    let (now, skew) = (expected.now.as_second(), BEARABLE_SKEW.as_secs());
    if said.exp.saturating_add(skew) <= now || said.iat.saturating_sub(skew) > now {
        return Err(IdTokenError::Time);
    }
    if said.nonce.as_deref() != Some(expected.nonce) {
        return Err(IdTokenError::Nonce);
    }
    Ok(())
}

impl std::fmt::Debug for Claims {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Claims(..)")
    }
}

#[cfg(test)]
#[path = "id_token_tests.rs"]
mod tests;
