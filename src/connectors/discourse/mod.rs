//! Discourse: a forum that calls `/connectors/{community}/` with signed webhooks, and in which the bridge has an account for
//! private messages.
//!
//! A webhook is tried up to four times more, each time under another id: what is the same is known by the post. A private
//! message counts as private if nobody takes part in it but whoever wrote it and the bridge. A member's handle is their name
//! there; whoever changes it is somebody else to the bridge.

pub mod read;

use std::collections::BTreeSet;

use aws_lc_rs::hmac;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use super::{Connector, Head, Heard, Received, Refused, Says, Spoken, Words};
use crate::delivery::egress::{Answer, Egress};
use crate::delivery::member::{Message, MessageError, Platform, refused};
use crate::domain::language::Language;

/// What Discourse answers to what it cannot do as it is asked, such as to write to somebody who is not there.
const UNPROCESSABLE: u16 = 422;

/// A forum.
#[derive(Debug)]
pub struct Discourse {
    /// Where it is.
    pub url: Url,
    /// The name of the bridge's account there.
    pub account: String,
    /// The account's API key, for itself alone.
    pub api_key: SecretString,
    /// What webhooks are signed with.
    pub secret: hmac::Key,
    /// The categories that are counted.
    pub counted: BTreeSet<i64>,
    /// Whether what is written in public is handed on: no word of it leaves this place otherwise.
    pub hands_on_words: bool,
    /// The language of those of whom nothing is known.
    pub language: Language,
    /// The way out, to the forum only.
    pub egress: Egress,
}

/// Who takes part in a topic.
#[derive(Deserialize)]
struct Topic {
    details: Details,
}

#[derive(Deserialize)]
struct Details {
    #[serde(default)]
    allowed_users: Vec<Named>,
    #[serde(default)]
    allowed_groups: Vec<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Named {
    username: String,
}

#[derive(Deserialize, Default)]
struct NotDone {
    #[serde(default)]
    errors: Vec<String>,
}

impl Discourse {
    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer, MessageError> {
        let mut url = self.url.clone();
        url.set_path(&format!("{}{path}", self.url.path().trim_end_matches('/')));
        let request = self.egress.request(method, url);
        let request = request.header("Api-Key", self.api_key.expose_secret()).header("Api-Username", &self.account);
        let request = if let Some(body) = body { request.json(body) } else { request };
        Ok(self.egress.send(request).await?)
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, MessageError> {
        let answer = self.call(Method::GET, path, None).await?;
        refused(&answer, &[])?;
        serde_json::from_slice(&answer.body).map_err(|_| MessageError::Unwritten)
    }

    /// Opens a private topic, once for each id: an `external_id` stands for one topic only.
    async fn open(&self, id: Uuid, title: &str, raw: &str, whom: &str) -> Result<(), MessageError> {
        // Discourse would read them as several people, or as somebody's address.
        if whom.contains([',', '@']) {
            return Err(MessageError::Gone(UNPROCESSABLE));
        }
        let body = json!({
            "title": title, "raw": raw, "archetype": "private_message", "target_recipients": whom, "external_id": id.to_string(),
        });
        let answer = self.call(Method::POST, "/posts.json", Some(&body)).await?;
        if answer.status.as_u16() != UNPROCESSABLE {
            return refused(&answer, &[]);
        }
        if self.call(Method::GET, &format!("/t/external_id/{id}.json"), None).await?.status.as_u16() < 400 {
            return Ok(());
        }
        let not_done: NotDone = serde_json::from_slice(&answer.body).unwrap_or_default();
        // "Sorry, you can't send a personal message to that user", or there is no such user.
        let is_gone =
            not_done.errors.iter().any(|error| error.contains("personal message") || error.contains("recipient"));
        if is_gone { Err(MessageError::Gone(UNPROCESSABLE)) } else { refused(&answer, &[]) }
    }

    /// Whether nobody reads a topic but this member and the bridge. A topic that became public since has no list of who may.
    async fn is_private(&self, topic: i64, author: &str) -> Result<bool, MessageError> {
        let Topic { details } = self.get(&format!("/t/{topic}.json")).await?;
        let both = BTreeSet::from([author, self.account.as_str()]);
        let who: BTreeSet<&str> = details.allowed_users.iter().map(|user| user.username.as_str()).collect();
        Ok(details.allowed_groups.is_empty() && who == both)
    }

    async fn heard(&self, head: Head<'_>, body: &[u8]) -> Result<Received, Refused> {
        if !self.is_signed(head.header("x-discourse-event-signature"), body) {
            return Err(Refused::Unknown);
        }
        let event = head.header("x-discourse-event").unwrap_or_default();
        let brought = match read::read(event, body, (&self.account, &self.counted), head.at)? {
            read::Said::Public(mut happened) => {
                happened.retain(|it| self.hands_on_words || !matches!(it, Heard::Wrote(_)));
                happened
            }
            read::Said::Private(said) => {
                let is_private = self.is_private(said.topic, &said.author).await.map_err(|_| Refused::Later)?;
                is_private.then(|| Heard::Said(spoken(said))).into_iter().collect()
            }
        };
        Ok(Received { heard: brought, answer: None })
    }

    fn is_signed(&self, signature: Option<&str>, body: &[u8]) -> bool {
        let signature = signature.and_then(|signature| hex::decode(signature.strip_prefix("sha256=")?).ok());
        signature.is_some_and(|signature| hmac::verify(&self.secret, body, &signature).is_ok())
    }

    /// Answers a post, unless that was done: an answer says which post it answers.
    async fn reply(&self, spoken: &Spoken, says: &Says) -> Result<(), MessageError> {
        let mut parts = spoken.conversation.split('-');
        let (Some(topic), Some(number), Some(post)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(MessageError::Unwritten);
        };
        let replies: Vec<Named> = self.get(&format!("/posts/{post}/replies.json")).await?;
        if replies.iter().any(|reply| reply.username == self.account) {
            return Ok(());
        }
        let body = json!({
            "topic_id": topic, "reply_to_post_number": number, "raw": says.in_lines(spoken.language.unwrap_or(self.language)),
        });
        refused(&self.call(Method::POST, "/posts.json", Some(&body)).await?, &[403])
    }
}

fn spoken(said: read::Private) -> Spoken {
    Spoken {
        id: format!("post-{}", said.post),
        conversation: format!("{}-{}-{}", said.topic, said.number, said.post),
        handle: said.author,
        words: Words::Written(said.raw),
        language: None,
    }
}

impl Platform for Discourse {
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<(), MessageError>> {
        self.open(message.id, &message.subject, &message.text, &message.handle).boxed()
    }

    /// To a group, by its name.
    fn post<'a>(&'a self, room: &'a str, id: Uuid, text: &'a str) -> BoxFuture<'a, Result<(), MessageError>> {
        let title = text.lines().next().unwrap_or_default();
        self.open(id, title, text, room).boxed()
    }
}

impl Connector for Discourse {
    fn admit(&self, head: &Head<'_>) -> Result<(), Refused> {
        match (head.method, head.path) {
            ("POST", "") if head.header("x-discourse-event-signature").is_some() => Ok(()),
            ("POST", "") => Err(Refused::Unknown),
            _ => Err(Refused::NoSuchPath),
        }
    }

    fn receive<'a>(&'a self, head: Head<'a>, body: &'a [u8]) -> BoxFuture<'a, Result<Received, Refused>> {
        self.heard(head, body).boxed()
    }

    fn answer<'a>(&'a self, spoken: &'a Spoken, says: &'a Says) -> BoxFuture<'a, Result<Option<Value>, MessageError>> {
        async move { self.reply(spoken, says).await.map(|()| None) }.boxed()
    }

    fn language(&self) -> Language {
        self.language
    }
}
