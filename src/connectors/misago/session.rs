//! The bridge's account on the forum, signed in as anybody is: Misago has no keys for programs.

use jiff::SignedDuration;
use reqwest::header::{COOKIE, HeaderMap, ORIGIN, SET_COOKIE};
use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use url::Url;

use super::read;
use crate::connectors::Refused;
use crate::delivery::egress::{Answer, Egress, EgressError};
use crate::delivery::member::{MessageError, refused};

/// What Django wants to see twice with whatever changes something, in a cookie and beside it, so that no other site has a
/// browser do it. There is no browser here, and nothing to keep secret.
const SEEN_TWICE: &str = "mostikmostikmostikmostikmostikmo";

/// When to try again whether the password is right: the forum may lock out whoever seems to guess.
const NOT_SO_SOON: SignedDuration = SignedDuration::from_secs(60);

/// The account of the bridge.
#[derive(Debug)]
pub(super) struct Account {
    url: Url,
    name: String,
    password: SecretString,
    egress: Egress,
    session: Mutex<Option<Session>>,
}

/// That it is signed in. Secret.
#[derive(Clone)]
pub(super) struct Session {
    /// The account's id.
    pub own: i64,
    cookies: SecretString,
}

impl Account {
    /// An account that is not signed in.
    pub(super) fn new(url: Url, name: String, password: SecretString, egress: Egress) -> Self {
        Self { url, name, password, egress, session: Mutex::default() }
    }

    /// Its id.
    pub(super) async fn own(&self) -> Result<i64, MessageError> {
        Ok(self.session(None).await?.own)
    }

    /// Asks for something; `gone` is answered where it never will be there.
    pub(super) async fn get<T>(
        &self,
        path: &str,
        gone: &[u16],
        read: impl FnOnce(&[u8]) -> Result<T, Refused>,
    ) -> Result<T, MessageError> {
        let answer = self.call(Method::GET, path, None).await?;
        refused(&answer, gone)?;
        understood(read(&answer.body))
    }

    /// Calls the forum, signed in. Whoever is not, for a session ends at some time, is told 403 as whoever may not do it.
    pub(super) async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer, MessageError> {
        let session = self.session(None).await?;
        let answer = self.send(method.clone(), path, body, &session.cookies).await?;
        if answer.status != StatusCode::FORBIDDEN || self.is_signed_in(&session).await? {
            return Ok(answer);
        }
        let session = self.session(Some(&session)).await?;
        self.send(method, path, body, &session.cookies).await
    }

    async fn is_signed_in(&self, session: &Session) -> Result<bool, MessageError> {
        let itself = self.send(Method::GET, "/api/auth/", None, &session.cookies).await?;
        refused(&itself, &[])?;
        understood(read::is_signed_in(&itself.body))
    }

    /// A session: the one there is, unless it has ended.
    async fn session(&self, ended: Option<&Session>) -> Result<Session, MessageError> {
        let mut held = self.session.lock().await;
        let is_ended =
            |it: &Session| ended.is_some_and(|ended| ended.cookies.expose_secret() == it.cookies.expose_secret());
        if let Some(session) = held.as_ref().filter(|session| !is_ended(session)) {
            return Ok(session.clone());
        }
        Ok(held.insert(self.sign_in().await?).clone())
    }

    async fn sign_in(&self) -> Result<Session, MessageError> {
        let shown = json!({"username": self.name, "password": self.password.expose_secret()});
        let answer = self.send(Method::POST, "/api/auth/", Some(&shown), &SecretString::default()).await?;
        if answer.status == StatusCode::BAD_REQUEST {
            return Err(MessageError::Status { status: 401, again_after: Some(NOT_SO_SOON) });
        }
        refused(&answer, &[])?;
        Ok(Session { own: understood(read::id(&answer.body))?, cookies: cookies(&answer.headers) })
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        cookies: &SecretString,
    ) -> Result<Answer, MessageError> {
        let url = self.at(path).ok_or(EgressError::Refused)?;
        let request = self.egress.request(method, url).header("x-csrftoken", SEEN_TWICE);
        let request = request.header(ORIGIN, self.url.origin().ascii_serialization());
        let request = request.header(COOKIE, format!("csrftoken={SEEN_TWICE}{}", cookies.expose_secret()));
        let request = if let Some(body) = body { request.json(body) } else { request };
        Ok(self.egress.send(request).await?)
    }

    /// Where a path of the forum's is; the forum itself says paths with that under which it stands.
    fn at(&self, path: &str) -> Option<Url> {
        let stands = self.url.path().trim_end_matches('/');
        let path = path.strip_prefix(stands).unwrap_or(path);
        self.url.join(&format!("{stands}{path}")).ok().filter(|url| url.origin() == self.url.origin())
    }
}

/// The cookies that an answer sets, as they are shown again; one's own is not taken from it.
fn cookies(headers: &HeaderMap) -> SecretString {
    let set = headers.get_all(SET_COOKIE).into_iter().filter_map(|it| it.to_str().ok()?.split(';').next());
    set.filter(|it| !it.starts_with("csrftoken=")).flat_map(|it| ["; ", it]).collect::<String>().into()
}

/// What was read; what is no answer of Misago's was said by something before it.
pub(super) fn understood<T>(read: Result<T, Refused>) -> Result<T, MessageError> {
    read.map_err(|_| EgressError::NoAnswer.into())
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Session(..)")
    }
}
