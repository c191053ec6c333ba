//! Mail: an address of the community to which members write, and from which they are answered.
//!
//! The community's mail server hands each mail that comes to that address to `/connectors/{community}/`, as it is (RFC 5322), and
//! shows the secret that was agreed on (`deploy/mail-to-bridge.sh`). What is answered leaves by the server by which the
//! community's messages leave. A member's handle is their address.
//!
//! Anybody can write whatever address they like into a mail, and hand on what somebody else wrote. Nobody is believed to be who they
//! say, nor to have written to the bridge, unless that is proven (`proof`); whatever is not heard is not answered either: it would
//! reach somebody who never wrote. A mail is answered to whoever wrote it, whatever other address it asks for.

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
use crate::delivery::member::{MailLetter, MailSettings, Message, MessageError, Platform};
use crate::domain::clock::Clock;
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
    /// The time.
    pub clock: Clock,
}

impl Mail {
    fn received(&self, body: &[u8], at: Timestamp) -> Received {
        let trust = self.authserv_id.as_deref().map_or(Trust::Server, Trust::Results);
        let own = self.way.from.email.to_string();
        let heard = match read::read(body, &own, trust, at) {
            Ok(letter) => vec![Heard::Said(spoken(letter))],
            Err(why) => {
                tracing::info!(cause = %why, "a mail is not heard");
                Vec::new()
            }
        };
        Received { heard, answer: None }
    }

    async fn reply(&self, spoken: &Spoken, says: &Says) -> Result<(), MessageError> {
        let language = spoken.language.unwrap_or(self.language);
        let answers: Vec<&str> = spoken.conversation.split_whitespace().collect();
        let (subject, text) = (words::subject(language), words::reply(says, language));
        let (id, at, to, answers) = (says.id, self.clock.now(), &spoken.handle, Some(answers.as_slice()));
        self.way.send(MailLetter { id, at, to, subject, text: &text, answers }).await
    }
}

/// Where it was said: in answer to which mails.
fn spoken(letter: Letter) -> Spoken {
    let Letter { id, from: handle, answers, text } = letter;
    Spoken { id, handle, conversation: answers.join(" "), words: Words::Letter(text), language: None }
}

impl Platform for Mail {
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<(), MessageError>> {
        let Message { id, at, handle: to, subject, text, .. } = message;
        self.way.send(MailLetter { id: *id, at: *at, to, subject, text, answers: None }).boxed()
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
        let received = self.received(body, head.at);
        async move { Ok(received) }.boxed()
    }

    fn answer<'a>(&'a self, spoken: &'a Spoken, says: &'a Says) -> BoxFuture<'a, Result<Option<Value>, MessageError>> {
        async move { self.reply(spoken, says).await.map(|()| None) }.boxed()
    }

    fn language(&self) -> Language {
        self.language
    }
}
