//! A platform of one's own, such as an app: both sides sign what they send as Standard Webhooks 1.0.0 does
//! (<https://www.standardwebhooks.com>).
//!
//! The platform calls `/connectors/{community}/` with what somebody said to the companion, or what happened in a room that is
//! counted, and has the companion's answer in the response. `webhook-id` is what makes it the same when it is sent again. What
//! members are told when they did not ask goes to the platform's own address, signed with the same secret.
//! `schemas/connector/` says what is sent.

pub mod read;
mod signed;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use super::{Connector, Head, Received, Refused, Says, Spoken};
use crate::delivery::egress::Egress;
use crate::delivery::member::{Letter, Message, MessageError, Platform, WebhookSecrets, data, send_letter};
use crate::domain::clock::Clock;
use crate::domain::language::Language;

/// What is to be said in a room.
const POST: &str = "mostik.post.v1";

/// A platform of one's own.
#[derive(Debug)]
pub struct Webhook {
    /// What both sides sign with.
    pub secrets: WebhookSecrets,
    /// Where it hears what is to be told, with the way out to there only; `None`: nowhere.
    pub told: Option<(Url, Egress)>,
    /// The language of those of whom nothing is known.
    pub language: Language,
    /// The time.
    pub clock: Clock,
}

impl Webhook {
    async fn tell(&self, letter: Letter) -> Result<(), MessageError> {
        let (url, egress) = self.told.as_ref().ok_or(MessageError::NoWay)?;
        send_letter(url, &self.secrets, egress, letter).await
    }
}

impl Platform for Webhook {
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<(), MessageError>> {
        let Message { id, kind, at, .. } = *message;
        self.tell(Letter { id, kind, at, data: data(message) }).boxed()
    }

    fn post<'a>(&'a self, room: &'a str, id: Uuid, text: &'a str) -> BoxFuture<'a, Result<(), MessageError>> {
        let data = json!({"room": room, "text": text});
        self.tell(Letter { id, kind: POST, at: self.clock.now(), data }).boxed()
    }
}

impl Connector for Webhook {
    fn admit(&self, head: &Head<'_>) -> Result<(), Refused> {
        match (head.method, head.path) {
            ("POST", "") if signed::signed(head).is_some() => Ok(()),
            ("POST", "") => Err(Refused::Unknown),
            _ => Err(Refused::NoSuchPath),
        }
    }

    fn receive<'a>(&'a self, head: Head<'a>, body: &'a [u8]) -> BoxFuture<'a, Result<Received, Refused>> {
        let brought = signed::signed(&head)
            .filter(|signed| self.secrets.signed(signed.id, signed.seconds, body, signed.signatures))
            .ok_or(Refused::Unknown)
            .and_then(|signed| read::read(signed.id, body));
        async move { Ok(Received { heard: vec![brought?], answer: None }) }.boxed()
    }

    fn answer<'a>(&'a self, _: &'a Spoken, says: &'a Says) -> BoxFuture<'a, Result<Option<Value>, MessageError>> {
        let button = |(value, words): &(String, String)| json!({"value": value, "words": words});
        let buttons: Vec<Value> = says.buttons.iter().map(button).collect();
        let answer = json!({"answer": {"id": says.id, "text": says.text, "buttons": buttons}});
        async move { Ok(Some(answer)) }.boxed()
    }

    fn language(&self) -> Language {
        self.language
    }
}
