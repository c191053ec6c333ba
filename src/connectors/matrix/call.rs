//! Calls to the homeserver (Matrix 1.16, Client-Server API), as the application service's own user.

use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use super::read::{Room, Seen, author, written_before};
use crate::delivery::egress::{Answer, Egress, EgressError};
use crate::delivery::member::{MessageError, refused};

/// What is answered where something is there, and is not for this user, or is not there.
const NOT_FOR_US: [u16; 2] = [403, 404];

/// How many messages are looked at that were written before the bridge came in.
const MOST_BEFORE: &str = "50";

/// The longest text, in bytes: an event has at most 65,536 with everything around it ("Size limits").
const LONGEST: usize = 24_000;

/// A homeserver.
#[derive(Debug)]
pub struct Homeserver {
    /// Where it is.
    pub url: Url,
    /// The user as whom the bridge takes part, such as `@mostik:matrix.example`.
    pub user: String,
    /// `as_token` of the registration.
    pub token: SecretString,
    /// The way out, to the homeserver only.
    pub egress: Egress,
}

#[derive(Deserialize)]
struct Whereabouts {
    room_id: String,
}

#[derive(Deserialize, Default)]
struct NotDone {
    #[serde(default)]
    errcode: String,
}

impl Homeserver {
    /// The name of the server: what stands behind the user's own.
    #[must_use]
    pub fn server(&self) -> &str {
        self.user.split_once(':').map_or("", |(_, server)| server)
    }

    /// The user's own name.
    #[must_use]
    pub fn localpart(&self) -> &str {
        self.user.split_once(':').map_or("", |(name, _)| name.trim_start_matches('@'))
    }

    async fn call(&self, method: Method, path: &[&str], body: Option<&Value>) -> Result<Answer, MessageError> {
        let mut url = self.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["_matrix", "client", "v3"]).extend(path);
        }
        self.send(self.egress.request(method, url), body).await
    }

    async fn send(&self, request: reqwest::RequestBuilder, body: Option<&Value>) -> Result<Answer, MessageError> {
        let request = request.bearer_auth(self.token.expose_secret());
        let request = if let Some(body) = body { request.json(body) } else { request };
        Ok(self.egress.send(request).await?)
    }

    /// Makes the user known to the homeserver; one that it knows already is as good.
    ///
    /// # Errors
    /// [`MessageError`].
    pub async fn register(&self, name: &str) -> Result<(), MessageError> {
        let body = json!({"type": "m.login.application_service", "username": self.localpart(), "inhibit_login": true});
        let answer = self.call(Method::POST, &["register"], Some(&body)).await?;
        if not_done(&answer) == "M_USER_IN_USE" {
            return Ok(());
        }
        taken(&answer)?;
        let path = ["profile", &self.user, "displayname"];
        taken(&self.call(Method::PUT, &path, Some(&json!({"displayname": name}))).await?)
    }

    /// Asks the homeserver to look whether the bridge answers: what it keeps for the bridge it brings then at once.
    ///
    /// # Errors
    /// [`MessageError`].
    pub async fn wake(&self, registration: &str) -> Result<(), MessageError> {
        let mut url = self.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["_matrix", "client", "v1", "appservice", registration, "ping"]);
        }
        taken(&self.send(self.egress.request(Method::POST, url), Some(&json!({}))).await?)
    }

    /// Whether the homeserver answers, and knows the bridge.
    pub async fn is_there(&self) -> bool {
        let answer = self.call(Method::GET, &["account", "whoami"], None).await;
        answer.is_ok_and(|answer| answer.status.is_success())
    }

    /// Says something in a room, once for each id ("Transaction identifiers").
    ///
    /// # Errors
    /// [`MessageError`].
    pub async fn say(&self, room: &str, id: Uuid, text: &str) -> Result<(), MessageError> {
        let text = text.get(..text.floor_char_boundary(LONGEST)).unwrap_or(text);
        let path = ["rooms", room, "send", "m.room.message", &id.to_string()];
        taken(&self.call(Method::PUT, &path, Some(&json!({"msgtype": "m.text", "body": text}))).await?)
    }

    /// A room as it is now; `None` if it is not for this user, or larger than is read.
    ///
    /// # Errors
    /// [`MessageError`].
    pub async fn room(&self, room: &str) -> Result<Option<Room>, MessageError> {
        let state = if_for_us(self.call(Method::GET, &["rooms", room, "state"], None).await)?;
        Ok(state.and_then(|state| Room::read(&state)))
    }

    /// Who did something.
    ///
    /// # Errors
    /// [`MessageError`].
    pub async fn author(&self, room: &str, event: &str) -> Result<Option<String>, MessageError> {
        let event = if_for_us(self.call(Method::GET, &["rooms", room, "event", event], None).await)?;
        Ok(event.and_then(|event| author(&event)))
    }

    /// What was written in a room since the bridge was invited, the newest last; nothing, if it is longer than is read.
    ///
    /// # Errors
    /// [`MessageError`].
    pub async fn written_before(&self, room: &str, invited: &str) -> Result<Vec<Seen>, MessageError> {
        let mut url = self.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["_matrix", "client", "v3", "rooms", room, "messages"]);
        }
        let request = self.egress.request(Method::GET, url).query(&[("dir", "b"), ("limit", MOST_BEFORE)]);
        let page = if_for_us(self.send(request, None).await)?;
        Ok(page.map(|page| written_before(&page, room, invited)).unwrap_or_default())
    }

    /// Comes into a room; `false` if the invitation does not hold any more.
    ///
    /// # Errors
    /// [`MessageError`].
    pub async fn join(&self, room: &str) -> Result<bool, MessageError> {
        Ok(if_for_us(self.call(Method::POST, &["join", room], Some(&json!({}))).await)?.is_some())
    }

    /// Leaves a room.
    ///
    /// # Errors
    /// [`MessageError`].
    pub async fn leave(&self, room: &str) -> Result<(), MessageError> {
        if_for_us(self.call(Method::POST, &["rooms", room, "leave"], Some(&json!({}))).await).map(|_| ())
    }

    /// Invites somebody into a room.
    ///
    /// # Errors
    /// [`MessageError`].
    pub async fn invite(&self, room: &str, whom: &str) -> Result<(), MessageError> {
        taken(&self.call(Method::POST, &["rooms", room, "invite"], Some(&json!({"user_id": whom}))).await?)
    }

    /// The room with this alias.
    ///
    /// # Errors
    /// [`MessageError`].
    pub async fn find(&self, alias: &str) -> Result<Option<String>, MessageError> {
        let found = if_for_us(self.call(Method::GET, &["directory", "room", alias], None).await)?;
        let found = found.and_then(|found| serde_json::from_slice::<Whereabouts>(&found).ok());
        Ok(found.map(|it| it.room_id))
    }

    /// Gives an alias to a room, and takes it from any other.
    ///
    /// # Errors
    /// [`MessageError`].
    pub async fn name(&self, alias: &str, room: &str) -> Result<(), MessageError> {
        match self.find(alias).await? {
            Some(found) if found == room => return Ok(()),
            Some(_) => self.unname(alias).await?,
            None => {}
        }
        let named = self.call(Method::PUT, &["directory", "room", alias], Some(&json!({"room_id": room}))).await?;
        // Somebody else of this bridge was first: then it is theirs.
        if named.status.as_u16() == 409 { Ok(()) } else { taken(&named) }
    }

    /// Takes an alias away from whichever room has it.
    ///
    /// # Errors
    /// [`MessageError`].
    pub async fn unname(&self, alias: &str) -> Result<(), MessageError> {
        if_for_us(self.call(Method::DELETE, &["directory", "room", alias], None).await).map(|_| ())
    }

    /// Makes a room for somebody, under an alias of this name; `None` if there is one under it.
    ///
    /// # Errors
    /// [`MessageError`].
    pub async fn make(&self, alias: &str, name: &str, whom: &str) -> Result<Option<String>, MessageError> {
        let body = json!({
            "preset": "trusted_private_chat", "is_direct": true, "invite": [whom], "room_alias_name": alias, "name": name,
        });
        let answer = self.call(Method::POST, &["createRoom"], Some(&body)).await?;
        if not_done(&answer) == "M_ROOM_IN_USE" {
            return Ok(None);
        }
        taken(&answer)?;
        let made: Whereabouts = serde_json::from_slice(&answer.body).map_err(|_| MessageError::Unwritten)?;
        Ok(Some(made.room_id))
    }
}

fn not_done(answer: &Answer) -> String {
    if answer.status.is_success() {
        return String::new();
    }
    serde_json::from_slice::<NotDone>(&answer.body).unwrap_or_default().errcode
}

/// Whether a homeserver did what it was asked for. What it will not do however often it is asked reaches nobody.
fn taken(answer: &Answer) -> Result<(), MessageError> {
    let status = answer.status.as_u16();
    let is_final = answer.status.is_client_error() && ![401, 408, 429].contains(&status);
    refused(answer, if is_final { std::slice::from_ref(&status) } else { &[] })
}

/// What it said, unless it is not for this user, or longer than is read: asked again, it would be no shorter.
fn if_for_us(answer: Result<Answer, MessageError>) -> Result<Option<Vec<u8>>, MessageError> {
    let answer = match answer {
        Err(MessageError::Egress(EgressError::AnswerTooLong)) => return Ok(None),
        answer => answer?,
    };
    if NOT_FOR_US.contains(&answer.status.as_u16()) {
        return Ok(None);
    }
    taken(&answer)?;
    Ok(Some(answer.body))
}
