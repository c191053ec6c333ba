//! Mail: an address of the community to which members write, and from which they are answered.
//!
//! The community's mail server hands each mail that comes to that address to `/connectors/{community}/`, as it is (RFC 5322), and
//! shows the secret that was agreed on (`deploy/mail-to-bridge.sh`). What is answered leaves by the server by which the
//! community's messages leave. A member's handle is their address.
//!
//! Anybody can write whatever address they like into a mail. Nobody is believed to be who they say unless that server found it
//! proven; whatever is not heard is not answered either: it would reach somebody who never wrote. A mail is answered to whoever
//! wrote it, whatever other address it asks for.

pub mod lines;
pub mod proof;
pub mod read;
mod words;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::Value;
use uuid::Uuid;

use self::read::{Letter, Trust};
use super::{Connector, Head, Heard, Received, Refused, Says, Spoken, Words};
use crate::delivery::member::{self, MailSettings, Message, MessageError, Platform};
use crate::domain::language::Language;

/// An address.
#[derive(Debug)]
pub struct Mail {
    /// What the mail server shows that hands mail over.
    pub secret: SecretString,
    /// The name under which it says what it found out; `None`: all that it hands over is believed.
    pub authserv_id: Option<String>,
    /// How mail leaves, and from which address.
    pub way: MailSettings,
    /// The language of those of whom nothing is known.
    pub language: Language,
}

impl Mail {
    fn received(&self, head: Head<'_>, body: &[u8]) -> Received {
        let trust = self.authserv_id.as_deref().map_or(Trust::Server, Trust::Results);
        let own = self.way.from.email.to_string();
        let heard = match read::read(body, &own, trust) {
            Ok(letter) => vec![Heard::Said(spoken(letter, head.at))],
            Err(why) => {
                tracing::info!(cause = %why, "a mail is not heard");
                Vec::new()
            }
        };
        Received { heard, answer: None }
    }

    async fn reply(&self, spoken: &Spoken, says: &Says) -> Result<(), MessageError> {
        let language = spoken.language.unwrap_or(self.language);
        let mut place = spoken.conversation.split(' ');
        let at = place.next().and_then(|at| at.parse().ok()).and_then(|at| Timestamp::from_second(at).ok());
        let answers: Vec<&str> = place.collect();
        let text = words::reply(says, language);
        let (at, subject) = (at.ok_or(MessageError::Unwritten)?, words::subject(language));
        let answers = Some(answers.as_slice());
        self.way.send(member::Letter { id: says.id, at, to: &spoken.handle, subject, text: &text, answers }).await
    }
}

/// Where it was said: when, and in answer to which mails.
fn spoken(letter: Letter, at: Timestamp) -> Spoken {
    let Letter { id, from: handle, answers, text } = letter;
    let at = at.as_second().to_string();
    let place: Vec<String> = std::iter::once(at).chain(answers).collect();
    Spoken { id, handle, conversation: place.join(" "), words: Words::Letter(text), language: None }
}

impl Platform for Mail {
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<(), MessageError>> {
        let Message { id, at, handle: to, subject, text, .. } = message;
        self.way.send(member::Letter { id: *id, at: *at, to, subject, text, answers: None }).boxed()
    }

    /// There are no rooms.
    fn post<'a>(&'a self, _: &'a str, _: Uuid, _: &'a str) -> BoxFuture<'a, Result<(), MessageError>> {
        async { Err(MessageError::Unwritten) }.boxed()
    }
}

impl Connector for Mail {
    fn admit(&self, head: &Head<'_>) -> Result<(), Refused> {
        match (head.method, head.path) {
            ("POST", "") if head.shows("authorization", "Bearer ", &self.secret) => Ok(()),
            ("POST", "") => Err(Refused::Unknown),
            _ => Err(Refused::NoSuchPath),
        }
    }

    fn receive<'a>(&'a self, head: Head<'a>, body: &'a [u8]) -> BoxFuture<'a, Result<Received, Refused>> {
        let received = self.received(head, body);
        async move { Ok(received) }.boxed()
    }

    fn answer<'a>(&'a self, spoken: &'a Spoken, says: &'a Says) -> BoxFuture<'a, Result<Option<Value>, MessageError>> {
        async move { self.reply(spoken, says).await.map(|()| None) }.boxed()
    }

    fn language(&self) -> Language {
        self.language
    }
}
