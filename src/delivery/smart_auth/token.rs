//! Asking for a token (RFC 6749, section 4.4, with a client assertion of RFC 7523) and reading the answer.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::{SignedDuration, Timestamp};
use reqwest::header::{ACCEPT, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::assertion::LIFETIME;
use super::error::{OAuthCode, Refused, TokenError, Why};
use super::scopes;
use crate::delivery::egress::Answer;
use crate::delivery::ehr::{retry_after, server_time};

/// The longest lifetime of a token that is believed. SMART asks for five minutes, and for an hour at most.
const LONGEST_LIFE: SignedDuration = SignedDuration::from_hours(1);

/// The lifetime of a token whose server does not say it.
const USUAL_LIFE: SignedDuration = SignedDuration::from_secs(300);

/// A token is renewed this long before its end, or at three quarters of a short life.
const MARGIN: SignedDuration = SignedDuration::from_secs(60);

/// How far an assertion's end may lie ahead (SMART App Launch 2.2.0, client-confidential-asymmetric).
const FURTHEST_END: SignedDuration = SignedDuration::from_mins(5);

/// An access token.
pub struct AccessToken {
    secret: SecretString,
    /// The scopes that were granted.
    pub granted: String,
    /// From when on a new one is to be asked for.
    pub renew_at: Timestamp,
    /// From when on it is not good any more.
    pub expires_at: Timestamp,
    worked: AtomicBool,
}

/// RFC 6749, section 5.1.
#[derive(Deserialize)]
struct TokenAnswer {
    access_token: SecretString,
    token_type: String,
    expires_in: Option<i64>,
    scope: Option<String>,
}

/// RFC 6749, section 5.2.
#[derive(Deserialize)]
struct ErrorAnswer {
    error: String,
    #[serde(default)]
    error_description: String,
}

/// What a request said, to explain why it was refused.
pub struct Asked<'a> {
    pub client_id: &'a str,
    pub scopes: &'a str,
    pub kid: &'a str,
    pub token_endpoint: &'a str,
    pub at: Timestamp,
}

/// The form that asks for a token.
pub fn form(scopes: &str, assertion: &SecretString) -> [(&'static str, String); 4] {
    [
        ("grant_type", "client_credentials".to_owned()),
        ("scope", scopes.to_owned()),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer".to_owned()),
        ("client_assertion", assertion.expose_secret().to_owned()),
    ]
}

/// The headers of the request.
pub const ACCEPT_JSON: (reqwest::header::HeaderName, HeaderValue) =
    (ACCEPT, HeaderValue::from_static("application/json"));

/// Reads the answer of a token endpoint.
///
/// # Errors
/// [`TokenError`].
pub fn read(asked: &Asked<'_>, mut answer: Answer) -> Result<AccessToken, TokenError> {
    let body = Zeroizing::new(std::mem::take(&mut answer.body));
    match answer.status.as_u16() {
        200 => token(asked, &body).ok_or(TokenError::Unreadable),
        status @ (408 | 425 | 429 | 500..) => {
            Err(TokenError::NotNow { status, retry_after: retry_after(&answer.headers) })
        }
        _ => Err(refused(asked, &answer, &body)),
    }
}

fn token(asked: &Asked<'_>, body: &[u8]) -> Option<AccessToken> {
    let TokenAnswer { access_token, token_type, expires_in, scope } = serde_json::from_slice(body).ok()?;
    let life = expires_in.map_or(USUAL_LIFE, SignedDuration::from_secs).min(LONGEST_LIFE);
    let usable =
        HeaderValue::from_str(access_token.expose_secret()).is_ok() && !access_token.expose_secret().is_empty();
    if !token_type.eq_ignore_ascii_case("bearer") || !usable || !life.is_positive() {
        return None;
    }
    let expires_at = asked.at.checked_add(life).ok()?;
    Some(AccessToken {
        secret: access_token,
        // A server that grants all that was asked for need not say so (RFC 6749, section 5.1).
        granted: scope.unwrap_or_else(|| asked.scopes.to_owned()),
        renew_at: expires_at.checked_sub(MARGIN.min(life / 4)).ok()?,
        expires_at,
        worked: AtomicBool::new(false),
    })
}

fn refused(asked: &Asked<'_>, answer: &Answer, body: &[u8]) -> TokenError {
    let said: Option<ErrorAnswer> = serde_json::from_slice(body).ok();
    let code = said.as_ref().map_or(OAuthCode::Other, |said| OAuthCode::from_name(&said.error));
    let skew = server_time(&answer.headers).and_then(|theirs| unbearable_skew(asked.at, theirs));
    let words = said.map(|said| said.error_description).unwrap_or_default();
    TokenError::Refused(Box::new(Refused {
        code,
        why: skew.map_or_else(|| Why::guess(&words), Why::Clock),
        client_id: asked.client_id.to_owned(),
        kid: asked.kid.to_owned(),
        token_endpoint: asked.token_endpoint.to_owned(),
        scopes: asked.scopes.to_owned(),
    }))
}

/// How far this clock is ahead of the server's, if so far that no assertion can be good there.
fn unbearable_skew(ours: Timestamp, theirs: Timestamp) -> Option<SignedDuration> {
    let ahead = ours.duration_since(theirs);
    (ahead > FURTHEST_END - LIFETIME || ahead <= -LIFETIME).then_some(ahead)
}

impl AccessToken {
    /// The value of the `Authorization` header. `None` cannot be: the token was tried when it was read.
    #[must_use]
    pub fn header(&self) -> Option<HeaderValue> {
        let text = Zeroizing::new(format!("Bearer {}", self.secret.expose_secret()));
        let mut value = HeaderValue::from_str(&text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Whether its scopes let it create resources of a type.
    #[must_use]
    pub fn may_create(&self, resource_type: &str) -> bool {
        scopes::allows(&self.granted, resource_type, 'c')
    }

    /// The EHR took it.
    pub fn note_worked(&self) {
        self.worked.store(true, Ordering::Relaxed);
    }

    /// Whether the EHR ever took it. One that it never took is not worth replacing at once.
    #[must_use]
    pub fn has_worked(&self) -> bool {
        self.worked.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccessToken(until {})", self.expires_at)
    }
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
