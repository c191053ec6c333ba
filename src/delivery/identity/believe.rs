//! Who signed in: what an ID token says, after every check that OpenID Connect Core 1.0, section 3.1.3.7, asks for.

use std::fmt;
use std::time::SystemTime;

use jiff::{SignedDuration, Timestamp};
use openidconnect::core::{CoreJsonWebKeySet, CoreJwsSigningAlgorithm};
use openidconnect::{
    AccessToken, AccessTokenHash, ClaimsVerificationError, ClientId, IdTokenVerifier, IssuerUrl, Nonce,
};

use super::failure::Failure;
use super::types::{Claims, Token};
use crate::delivery::smart_auth::launch::IdTokenError;

/// How far the provider's clock may be off.
const BEARABLE_SKEW: SignedDuration = SignedDuration::from_secs(60);

/// The algorithms that are believed: those with a public key. A client secret signs nothing here, and neither does nobody.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// Who signed in at a provider. Personal.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// The provider.
    pub issuer: String,
    /// Its name for them, which nobody else ever has there.
    pub subject: String,
    /// Their name in the community, where the provider is trusted to say it.
    pub handle: Option<String>,
    /// Whether they are of those who have more say.
    pub is_above: bool,
}

/// Who is let in, of all who can sign in at a provider.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Admission {
    /// The claim that says so: a text, or a list of texts.
    pub claim: String,
    /// Whoever has one of these there is.
    pub values: Vec<String>,
    /// Whoever has one of these is, too, and has more say.
    pub above: Vec<String>,
}

/// What an ID token must say.
pub struct Expected<'a> {
    /// Who signs.
    pub issuer: &'a IssuerUrl,
    /// For whom.
    pub client_id: &'a ClientId,
    /// For which walk of the browser.
    pub nonce: &'a str,
    /// Beside which access token.
    pub access_token: &'a AccessToken,
    /// The claim that is the member's handle, if one is.
    pub handle: Option<&'a str>,
    /// Who is let in; `None`: whoever can sign in there.
    pub admits: Option<&'a Admission>,
    /// The time.
    pub now: Timestamp,
}

/// Believes an ID token that is signed by one of `keys`, or says why not.
///
/// # Errors
/// [`Failure::IdToken`], [`Failure::NoHandle`], [`Failure::NotAdmitted`].
pub fn believe(token: &Token, keys: CoreJsonWebKeySet, expected: &Expected<'_>) -> Result<Identity, Failure> {
    let (now, skew) = (expected.now, BEARABLE_SKEW);
    let earlier = now.checked_sub(skew).unwrap_or(now);
    // As for a public client, whatever this one is: then no algorithm with a shared secret is ever taken.
    let verifier = IdTokenVerifier::new_public_client(expected.client_id.clone(), expected.issuer.clone(), keys)
        .set_allowed_algs(ALGORITHMS)
        .set_time_fn(move || SystemTime::from(earlier).into())
        .set_issue_time_verifier_fn(move |issued| {
            let in_future = issued.timestamp() > now.as_second().saturating_add(skew.as_secs());
            if in_future { Err("issued in the future".to_owned()) } else { Ok(()) }
        });
    let claims = token.claims(&verifier, &Nonce::new(expected.nonce.to_owned())).map_err(|error| refused(&error))?;
    // The crate leaves it to its callers (sections 2 and 3.1.3.7).
    if claims.authorized_party().is_some_and(|party| party != expected.client_id) {
        return Err(IdTokenError::Audience.into());
    }
    if let Some(said) = claims.access_token_hash() {
        let (algorithm, key) = (token.signing_alg(), token.signing_key(&verifier));
        let (Ok(algorithm), Ok(key)) = (algorithm, key) else { return Err(IdTokenError::Signature.into()) };
        if AccessTokenHash::from_token(expected.access_token, algorithm, key).ok().as_ref() != Some(said) {
            return Err(IdTokenError::AccessToken.into());
        }
    }
    identity(claims, expected)
}

fn identity(claims: &Claims, expected: &Expected<'_>) -> Result<Identity, Failure> {
    let subject = claims.subject().as_str();
    if subject.is_empty() {
        return Err(IdTokenError::Unreadable.into());
    }
    let handle = expected.handle.map(|claim| said(claims, claim).filter(|handle| !handle.is_empty()));
    let handle = handle.map(|handle| handle.ok_or(Failure::NoHandle)).transpose()?;
    let has = |claim: &str, values: &[String]| {
        let is_one = said(claims, claim).is_some_and(|said| values.iter().any(|value| value == said));
        is_one || claims.additional_claims().has(claim, values)
    };
    let is_above = expected.admits.is_some_and(|Admission { claim, above, .. }| has(claim, above));
    if !is_above && expected.admits.is_some_and(|Admission { claim, values, .. }| !has(claim, values)) {
        return Err(Failure::NotAdmitted);
    }
    Ok(Identity {
        issuer: expected.issuer.as_str().to_owned(),
        subject: subject.to_owned(),
        handle: handle.map(str::to_owned),
        is_above,
    })
}

/// What a claim says, if it is a text.
fn said<'c>(claims: &'c Claims, claim: &str) -> Option<&'c str> {
    match claim {
        "sub" => Some(claims.subject().as_str()),
        "preferred_username" => claims.preferred_username().map(|name| name.as_str()),
        other => claims.additional_claims().text(other),
    }
}

fn refused(error: &ClaimsVerificationError) -> IdTokenError {
    match error {
        ClaimsVerificationError::Expired(_) => IdTokenError::Time,
        ClaimsVerificationError::InvalidAudience(_) => IdTokenError::Audience,
        ClaimsVerificationError::InvalidIssuer(_) => IdTokenError::Issuer,
        ClaimsVerificationError::InvalidNonce(_) => IdTokenError::Nonce,
        ClaimsVerificationError::SignatureVerification(_) => IdTokenError::Signature,
        _ => IdTokenError::Unreadable,
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(..)")
    }
}
