//! WhatsApp: a business number (Cloud API, <https://developers.facebook.com/documentation/business-messaging/whatsapp/>).
//!
//! Meta calls `/connectors/{community}/` with signed webhooks, and shows a token when a webhook is set up. A member's handle is
//! the id that they have for this business alone, never their number: it is there although they hide the number, it stays when
//! they show it again, and it is of no use to anybody else. With another number they are somebody else, as their id is.
//!
//! Freely something may be said within 24 hours of what a member wrote last, which what they are answered always is. At other
//! times nothing leaves but a message that was approved beforehand. So what is told is always such a template, with the link in
//! it: to know when each member wrote last would have to be kept, and a template may be sent at any time.
//!
//! The Cloud API does not know again what it was given before: when its answer is lost, an answer may arrive twice.

pub mod read;
mod say;

use std::collections::BTreeMap;

use aws_lc_rs::hmac;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::SignedDuration;
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use url::Url;
use uuid::Uuid;

use super::{Connector, Head, Received, Refused, Says, Spoken, Told, is_same};
use crate::delivery::egress::{Answer, Egress};
use crate::delivery::member::{Message, MessageError, Platform, refused};
use crate::domain::language::Language;

/// Where the Graph API is.
pub const API: &str = "https://graph.facebook.com";

/// The header that says how a webhook is signed.
const SIGNATURE: &str = "x-hub-signature-256";

/// The longest challenge that is given back.
const LONGEST_CHALLENGE: usize = 128;

/// Errors after which nothing of this will ever reach whom it is for: they are not on WhatsApp, shut the number out or are the
/// number itself; it is too late to say something freely; they want no such messages.
const GONE: [i64; 4] = [131_021, 131_026, 131_047, 131_050];

/// Errors by which WhatsApp does not take what it is given, however often: a parameter is missing or wrong, or there is no such
/// kind of message.
const UNWRITTEN: [i64; 4] = [100, 131_008, 131_009, 131_051];

/// Errors by which it wishes to be left alone for a while.
const TOO_OFTEN: [i64; 5] = [4, 80_007, 130_429, 131_048, 131_056];

/// A business number.
#[derive(Debug)]
pub struct WhatsApp {
    /// Where the Graph API is.
    pub api: Url,
    /// Its version, such as `v26.0`.
    pub version: String,
    /// The id of the number.
    pub phone_number_id: String,
    /// The access token.
    pub token: SecretString,
    /// What webhooks are signed with.
    pub app_secret: hmac::Key,
    /// What Meta shows when a webhook is set up.
    pub verify_token: SecretString,
    /// By language, the messages that were approved beforehand: one parameter stands in the text, which is the link.
    pub templates: BTreeMap<Language, Template>,
    /// The language of those of whom nothing is known.
    pub language: Language,
    /// The way out, to the Graph API only.
    pub egress: Egress,
}

/// A message that was approved beforehand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Template {
    /// Its name.
    pub name: String,
    /// The language in which it was approved, such as `en_US`.
    pub language: String,
}

/// What the Graph API answers to what it does not do.
#[derive(Deserialize)]
struct NotDone {
    error: Why,
}

#[derive(Deserialize)]
struct Why {
    code: i64,
}

impl WhatsApp {
    /// Sends a message.
    async fn send(&self, message: &Value) -> Result<(), MessageError> {
        let mut url = self.api.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend([&self.version, &self.phone_number_id, "messages"]);
        }
        let request = self.egress.request(Method::POST, url).bearer_auth(self.token.expose_secret()).json(message);
        taken(&self.egress.send(request).await?)
    }

    fn template(&self, language: Language) -> Option<&Template> {
        self.templates.get(&language).or_else(|| self.templates.get(&self.language))
    }

    fn is_signed(&self, signature: Option<&str>, body: &[u8]) -> bool {
        signature.and_then(signed).is_some_and(|signature| hmac::verify(&self.app_secret, body, &signature).is_ok())
    }

    fn received(&self, head: Head<'_>, body: &[u8]) -> Result<Received, Refused> {
        if head.method == "GET" {
            let challenge = head.asked("hub.challenge").filter(|it| is_challenge(it));
            let challenge = challenge.ok_or(Refused::Malformed("expected a challenge"))?;
            return Ok(Received { heard: Vec::new(), answer: Some(Told::Text(challenge)) });
        }
        if !self.is_signed(head.header(SIGNATURE), body) {
            return Err(Refused::Unknown);
        }
        let read::Said { heard, failed } = read::read(body, &self.phone_number_id)?;
        for code in failed {
            tracing::warn!(code, "WhatsApp did not deliver something that it had taken");
        }
        Ok(Received { heard, answer: None })
    }
}

impl Platform for WhatsApp {
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<(), MessageError>> {
        async move {
            let template = self.template(message.language).ok_or(MessageError::Unwritten)?;
            self.send(&say::by_template(&message.handle, template, message.url.as_str())).await
        }
        .boxed()
    }

    /// There are no rooms.
    fn post<'a>(&'a self, _: &'a str, _: Uuid, _: &'a str) -> BoxFuture<'a, Result<(), MessageError>> {
        async { Err(MessageError::Unwritten) }.boxed()
    }
}

impl Connector for WhatsApp {
    fn admit(&self, head: &Head<'_>) -> Result<(), Refused> {
        let is_known = match (head.method, head.path) {
            ("GET", "") => {
                let token = head.asked("hub.verify_token").unwrap_or_default();
                head.asked("hub.mode").as_deref() == Some("subscribe") && is_same(&token, &self.verify_token)
            }
            ("POST", "") => head.header(SIGNATURE).and_then(signed).is_some(),
            _ => return Err(Refused::NoSuchPath),
        };
        if is_known { Ok(()) } else { Err(Refused::Unknown) }
    }

    fn receive<'a>(&'a self, head: Head<'a>, body: &'a [u8]) -> BoxFuture<'a, Result<Received, Refused>> {
        let received = self.received(head, body);
        async move { received }.boxed()
    }

    fn answer<'a>(&'a self, spoken: &'a Spoken, says: &'a Says) -> BoxFuture<'a, Result<Option<Value>, MessageError>> {
        async move {
            let language = spoken.language.unwrap_or(self.language);
            self.send(&say::freely(&spoken.conversation, says, language)).await.map(|()| None)
        }
        .boxed()
    }

    fn language(&self) -> Language {
        self.language
    }
}

/// The signature that a header holds, if it is one of SHA-256.
fn signed(header: &str) -> Option<[u8; 32]> {
    hex::decode(header.strip_prefix("sha256=")?).ok()?.try_into().ok()
}

/// Whether it may be given back: Meta's are numbers, and nothing that a browser would make anything of.
fn is_challenge(text: &str) -> bool {
    (1..=LONGEST_CHALLENGE).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Whether WhatsApp took a message. Its own codes say more than the status ("Error codes").
fn taken(answer: &Answer) -> Result<(), MessageError> {
    let Err(error) = refused(answer, &[]) else { return Ok(()) };
    let MessageError::Status { status, again_after } = error else { return Err(error) };
    let Ok(NotDone { error: Why { code } }) = serde_json::from_slice(&answer.body) else { return Err(error) };
    tracing::warn!(status, code, "WhatsApp did not take a message");
    Err(match code {
        _ if GONE.contains(&code) => MessageError::Gone(status),
        _ if UNWRITTEN.contains(&code) => MessageError::Unwritten,
        _ if TOO_OFTEN.contains(&code) => {
            MessageError::Status { status: 429, again_after: again_after.or(Some(SignedDuration::from_mins(1))) }
        }
        _ => MessageError::Status { status, again_after },
    })
}
