//! Asking for a token (RFC 6749, section 4.4, with a client assertion of RFC 7523) and reading the answer.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::{SignedDuration, Timestamp};
use reqwest::header::{ACCEPT, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::assertion::{ASSERTION_TYPE, LIFETIME};
use super::error::{OAuthCode, Refused, TokenError, Why};
use super::flow::Flow;
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
    flow: Flow,
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
    pub flow: Flow,
}

/// The form that asks for a token.
pub fn form(scopes: &str, assertion: &SecretString) -> [(&'static str, String); 4] {
    [
        ("grant_type", "client_credentials".to_owned()),
        ("scope", scopes.to_owned()),
        ("client_assertion_type", ASSERTION_TYPE.to_owned()),
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
pub fn read(asked: &Asked<'_>, answer: Answer) -> Result<AccessToken, TokenError> {
    let body = Zeroizing::new(given(asked, answer)?.body);
    token(asked, &body).ok_or(TokenError::Unreadable)
}

/// The answer, if by its status it gives a token.
///
/// # Errors
/// [`TokenError`].
pub fn given(asked: &Asked<'_>, mut answer: Answer) -> Result<Answer, TokenError> {
    match answer.status.as_u16() {
        200 => Ok(answer),
        status @ (408 | 425 | 429 | 500..) => {
            Err(TokenError::NotNow { status, retry_after: retry_after(&answer.headers) })
        }
        _ => {
            let body = Zeroizing::new(std::mem::take(&mut answer.body));
            Err(refused(asked, &answer, &body))
        }
    }
}

fn token(asked: &Asked<'_>, body: &[u8]) -> Option<AccessToken> {
    let TokenAnswer { access_token, token_type, expires_in, scope } = serde_json::from_slice(body).ok()?;
    if !token_type.eq_ignore_ascii_case("bearer") {
        return None;
    }
    // A server that grants all that was asked for need not say so (RFC 6749, section 5.1).
    let granted = scope.unwrap_or_else(|| asked.scopes.to_owned());
    AccessToken::new(access_token, granted, (asked.at, end(asked.at, expires_in)?), asked.flow)
}

/// When a token ends that is given now, for so many seconds.
pub fn end(now: Timestamp, expires_in: Option<i64>) -> Option<Timestamp> {
    let life = expires_in.map_or(USUAL_LIFE, SignedDuration::from_secs).min(LONGEST_LIFE);
    now.checked_add(life).ok()
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
        flow: asked.flow,
    }))
}

/// How far this clock is ahead of the server's, if so far that no assertion can be good there.
fn unbearable_skew(ours: Timestamp, theirs: Timestamp) -> Option<SignedDuration> {
    let ahead = ours.duration_since(theirs);
    (ahead > FURTHEST_END - LIFETIME || ahead <= -LIFETIME).then_some(ahead)
}

impl AccessToken {
    /// A token that was given at the first of two instants and ends at the second. `None` when it cannot be sent, or
    /// would not live.
    pub(super) fn new(
        secret: SecretString,
        granted: String,
        (given_at, expires_at): (Timestamp, Timestamp),
        flow: Flow,
    ) -> Option<Self> {
        let life = expires_at.duration_since(given_at);
        let usable = HeaderValue::from_str(secret.expose_secret()).is_ok() && !secret.expose_secret().is_empty();
        if !usable || !life.is_positive() {
            return None;
        }
        let renew_at = expires_at.checked_sub(MARGIN.min(life / 4)).ok()?;
        Some(Self { secret, granted, renew_at, expires_at, flow, worked: AtomicBool::new(false) })
    }

    /// The value of the `Authorization` header. `None` cannot be: the token was tried when it was read.
    #[must_use]
    pub fn header(&self) -> Option<HeaderValue> {
        let text = Zeroizing::new(format!("Bearer {}", self.secret.expose_secret()));
        let mut value = HeaderValue::from_str(&text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Whether its scopes let it do to resources of a type what these letters stand for.
    #[must_use]
    pub fn may(&self, resource_type: &str, letters: &str) -> bool {
        letters.chars().all(|letter| scopes::allows(&self.granted, self.flow.context(), resource_type, letter))
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
