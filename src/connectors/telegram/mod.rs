//! Telegram: a bot (Bot API, <https://core.telegram.org/bots/api>).
//!
//! Telegram calls `/connectors/{community}/` with each Update and the secret that was agreed on, until it is answered with 200:
//! one at a time, if it was told so (`max_connections`). What is said is answered in the response itself, so that nothing is said that Telegram did not take.
//! Without a secret, the bridge asks Telegram instead (`poll`). A member's handle is the id of their account; what their name is is never looked at.

mod poll;
pub mod read;

use std::collections::BTreeSet;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::SignedDuration;
use reqwest::{Method, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use super::{Connector, Ear, Head, Heard, Received, Refused, Says, Spoken, Words, cut};
use crate::delivery::egress::{Answer, Egress, EgressError};
use crate::delivery::member::{Message, MessageError, Platform, refused};
use crate::domain::language::Language;

/// Where the Bot API is, for everybody who does not run a server of it.
pub const API: &str = "https://api.telegram.org";

/// The longest text of a message, in characters ("sendMessage": 1-4096 after entities parsing).
const LONGEST: usize = 4096;

/// How many buttons stand beside each other, if they are as short as numbers.
const NUMBERS_IN_A_ROW: usize = 5;

/// What Telegram answers to whom it does not reach.
const FORBIDDEN: u16 = 403;

/// A bot.
#[derive(Debug)]
pub struct Telegram {
    /// Where the Bot API is.
    pub api: Url,
    /// The bot's token.
    pub token: SecretString,
    /// What Telegram shows with each Update (`secret_token` of setWebhook); `None`: it does not call, and is asked.
    pub secret: Option<SecretString>,
    /// The groups that are counted.
    pub counted: BTreeSet<i64>,
    /// Whether what is written in rooms that are counted is handed on: no word of it leaves this place otherwise.
    pub hands_on_words: bool,
    /// The language of those of whom nothing is known.
    pub language: Language,
    /// The way out, to the Bot API only.
    pub egress: Egress,
}

/// What the Bot API answers to what it does not do.
#[derive(Deserialize)]
struct NotDone {
    #[serde(default)]
    description: String,
    #[serde(default)]
    parameters: Parameters,
}

#[derive(Deserialize, Default)]
struct Parameters {
    retry_after: Option<u32>,
}

impl Telegram {
    /// Calls a method of the Bot API.
    async fn call(&self, method: &str, with: &Value) -> Result<(), MessageError> {
        self.sent(self.egress.request(Method::POST, self.method(method)).json(with)).await.map(drop)
    }

    /// Where a method of the Bot API is. Secret.
    fn method(&self, method: &str) -> Url {
        let mut url = self.api.clone();
        url.set_path(&format!("/bot{}/{method}", self.token.expose_secret()));
        url
    }

    /// What a call is answered, if it was done.
    async fn sent(&self, request: RequestBuilder) -> Result<Answer, MessageError> {
        let answer = self.egress.send(request).await?;
        let Err(error) = refused(&answer, &[FORBIDDEN]) else { return Ok(answer) };
        let Ok(not_done) = serde_json::from_slice::<NotDone>(&answer.body) else { return Err(error) };
        Err(match (error, not_done.parameters.retry_after) {
            (MessageError::Status { status: 400, .. }, _) if not_done.description.contains("chat not found") => {
                MessageError::Gone(FORBIDDEN)
            }
            (MessageError::Status { status, .. }, Some(seconds)) => {
                MessageError::Status { status, again_after: Some(SignedDuration::from_secs(seconds.into())) }
            }
            (error, _) => error,
        })
    }

    /// What is heard in an Update.
    fn hear(&self, update: &[u8]) -> Result<Vec<Heard>, Refused> {
        let mut heard = read::read(update, &self.counted)?;
        heard.retain(|it| self.hands_on_words || !matches!(it, Heard::Wrote(_)));
        Ok(heard)
    }

    async fn say(&self, chat: &str, text: &str) -> Result<(), MessageError> {
        self.call("sendMessage", &json!({"chat_id": chat, "text": cut(text, LONGEST)})).await
    }
}

impl Platform for Telegram {
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<(), MessageError>> {
        self.say(&message.handle, &message.text).boxed()
    }

    fn post<'a>(&'a self, room: &'a str, _: Uuid, text: &'a str) -> BoxFuture<'a, Result<(), MessageError>> {
        self.say(room, text).boxed()
    }
}

impl Connector for Telegram {
    fn admit(&self, head: &Head<'_>) -> Result<(), Refused> {
        match (&self.secret, head.method, head.path) {
            (Some(secret), "POST", "") if head.shows("x-telegram-bot-api-secret-token", "", secret) => Ok(()),
            (Some(_), "POST", "") => Err(Refused::Unknown),
            _ => Err(Refused::NoSuchPath),
        }
    }

    fn receive<'a>(&'a self, _: Head<'a>, body: &'a [u8]) -> BoxFuture<'a, Result<Received, Refused>> {
        let heard = self.hear(body);
        async move { Ok(Received { heard: heard?, answer: None }) }.boxed()
    }

    fn answer<'a>(&'a self, spoken: &'a Spoken, says: &'a Says) -> BoxFuture<'a, Result<Option<Value>, MessageError>> {
        async move {
            if matches!(spoken.words, Words::Pressed(_)) {
                // Only so that the button does not look as if it were waiting: whether that arrives does not matter.
                let _: Result<(), _> = self.call("answerCallbackQuery", &json!({"callback_query_id": spoken.id})).await;
            }
            let message = message(&spoken.conversation, says);
            if self.secret.is_none() {
                return self.call("sendMessage", &message).await.map(|()| None);
            }
            Ok(Some(in_response(message)))
        }
        .boxed()
    }

    /// Telegram brings nothing to whoever asks as long as it would call.
    fn greet(&self) -> BoxFuture<'_, Result<(), MessageError>> {
        async move { if self.secret.is_some() { Ok(()) } else { self.call("deleteWebhook", &json!({})).await } }.boxed()
    }

    fn ear(&self) -> Option<&dyn Ear> {
        self.secret.is_none().then_some(self)
    }

    fn language(&self) -> Language {
        self.language
    }
}

/// A call in the response to an Update ("Making requests when getting updates").
fn in_response(mut message: Value) -> Value {
    if let Some(message) = message.as_object_mut() {
        message.insert("method".to_owned(), "sendMessage".into());
    }
    message
}

/// What sendMessage takes.
fn message(chat: &str, says: &Says) -> Value {
    let mut message = json!({"chat_id": chat, "text": cut(&says.text, LONGEST)});
    let is_number = |button: &(String, String)| button.1.parse::<u8>().is_ok();
    let runs = says.buttons.chunk_by(|one, next| is_number(one) && is_number(next));
    let rows = runs.flat_map(|run| run.chunks(NUMBERS_IN_A_ROW));
    let button = |(value, words): &(String, String)| json!({"text": words, "callback_data": value});
    let rows: Vec<Vec<Value>> = rows.map(|row| row.iter().map(button).collect()).collect();
    if let (false, Some(message)) = (rows.is_empty(), message.as_object_mut()) {
        message.insert("reply_markup".to_owned(), json!({"inline_keyboard": rows}));
    }
    message
}

impl From<EgressError> for Refused {
    fn from(_: EgressError) -> Self {
        Self::Later
    }
}
