//! Where members are: one folder for each platform, which reads what the platform brings and says there what is to be said.
//!
//! A platform calls `/connectors/{community}/…`, or it does not call and is listened to ([`Ear`]). What it brings is
//! authenticated before it is parsed, and read as one of three things ([`Heard`]): somebody said something to the bridge's own
//! account in private, something happened in a room that is counted, or that was taken back. What was written in a room is
//! never kept, and is nothing said to the companion; where a community wants it, it is looked at for phrases that may mean danger.
//!
//! Nothing is acknowledged before all of it is done. What the platform brings again because no answer came is done once: what
//! is said has its own id, as has what happened, and an answer has the id of what it answers.

pub mod discourse;
mod ear;
mod heard;
pub mod mail;
pub mod matrix;
pub mod misago;
pub mod telegram;
pub mod webhook;
pub mod whatsapp;
pub mod xmpp;

pub use ear::{Ear, Listened, PATIENCE};
pub use heard::{Happened, Heard, LONGEST_NAME, Refused, Spoken, Undone, Words, Wrote};

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use uuid::Uuid;

use crate::delivery::member::{MessageError, Platform};
use crate::domain::ids::CommunityId;
use crate::domain::language::Language;

/// One platform, as the bridge takes part in it.
pub trait Connector: Platform {
    /// Whether a request may come from the platform, by its head alone: before a byte of its body is read.
    ///
    /// # Errors
    /// [`Refused`].
    fn admit(&self, head: &Head<'_>) -> Result<(), Refused>;

    /// Authenticates what the head could not, reads it, and asks the platform what more has to be known.
    ///
    /// # Errors
    /// [`Refused`] from the future.
    fn receive<'a>(&'a self, head: Head<'a>, body: &'a [u8]) -> BoxFuture<'a, Result<Received, Refused>>;

    /// Says something where somebody said something. `Some`: the platform takes it in the answer to its own request.
    ///
    /// # Errors
    /// [`MessageError`] from the future.
    fn answer<'a>(&'a self, spoken: &'a Spoken, says: &'a Says) -> BoxFuture<'a, Result<Option<Value>, MessageError>>;

    /// Tells the platform that the bridge answers from now on, where it would not look for a while.
    ///
    /// # Errors
    /// [`MessageError`] from the future: then it finds out by itself.
    fn greet(&self) -> BoxFuture<'_, Result<(), MessageError>> {
        async { Ok(()) }.boxed()
    }

    /// Where the platform does not call: how it is heard.
    fn ear(&self) -> Option<&dyn Ear> {
        None
    }

    /// The language of those of whom nothing is known.
    fn language(&self) -> Language;
}

/// The head of a request.
#[derive(Clone, Copy)]
pub struct Head<'a> {
    /// `GET`, `POST` or `PUT`.
    pub method: &'a str,
    /// What follows `/connectors/{community}/`.
    pub path: &'a str,
    /// What follows `?` in the address, as it came.
    pub query: &'a str,
    /// Its headers, the names in lower case.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// When it came.
    pub at: Timestamp,
}

/// What is said in a conversation. Personal.
#[derive(Clone)]
pub struct Says {
    /// The same when it is said again.
    pub id: Uuid,
    /// In words, with whatever link stands in them.
    pub text: String,
    /// What can be said next with one press: each with its value, and what stands on it.
    pub buttons: Vec<(String, String)>,
}

/// What a request brought.
#[derive(Default)]
pub struct Received {
    /// In its order.
    pub heard: Vec<Heard>,
    /// What the platform is told once all of it is done.
    pub answer: Option<Told>,
}

/// What a platform is told in the answer to its own request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Told {
    /// JSON.
    Json(Value),
    /// Plain text, as it is: where a platform wants its own words back.
    Text(String),
}

impl Head<'_> {
    /// A header, if it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(given, _)| *given == name);
        found.and_then(|(_, value)| std::str::from_utf8(value).ok())
    }

    /// Whether a header holds a secret, whatever comes before it.
    #[must_use]
    pub fn shows(&self, name: &str, before: &str, secret: &SecretString) -> bool {
        let shown = self.header(name).and_then(|value| value.strip_prefix(before)).unwrap_or_default();
        is_same(shown, secret)
    }

    /// What stands under a name in the query, if it stands there once.
    #[must_use]
    pub fn asked(&self, name: &str) -> Option<String> {
        let mut found = url::form_urlencoded::parse(self.query.as_bytes()).filter(|(given, _)| given == name);
        let (_, value) = found.next()?;
        found.next().is_none().then(|| value.into_owned())
    }
}

/// Whether this is the secret. How long it takes does not say how much of it is.
fn is_same(shown: &str, secret: &SecretString) -> bool {
    verify_slices_are_equal(shown.as_bytes(), secret.expose_secret().as_bytes()).is_ok()
}

impl Says {
    /// What is said, and below it what can be said next, for platforms without buttons. Numbers are left out: what they stand
    /// for is in the text.
    #[must_use]
    pub fn in_lines(&self, language: Language) -> String {
        let words: Vec<&str> = self.buttons.iter().map(|(_, words)| words.as_str()).collect();
        let words: Vec<&str> = words.into_iter().filter(|words| words.parse::<u8>().is_err()).collect();
        match words.as_slice() {
            [] => self.text.clone(),
            words => format!("{}\n\n{}: {}", self.text, you_can_say(language), words.join(" · ")),
        }
    }
}

/// What stands before what can be said next.
const fn you_can_say(language: Language) -> &'static str {
    match language {
        Language::En => "You can say",
        Language::Ru => "Можно сказать",
    }
}

/// As much of a text as a platform takes, in characters; the rest is found where the link in it leads.
fn cut(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    text.chars().take(longest - 1).chain(['…']).collect()
}

/// Every community's platform.
#[derive(Clone, Debug, Default)]
pub struct Connectors(Arc<BTreeMap<CommunityId, Arc<dyn Connector>>>);

impl Connectors {
    /// These, and no others.
    #[must_use]
    pub fn new(connectors: BTreeMap<CommunityId, Arc<dyn Connector>>) -> Self {
        Self(Arc::new(connectors))
    }

    /// The communities whose platforms do not call.
    #[must_use]
    pub fn quiet(&self) -> Vec<CommunityId> {
        let quiet = self.0.iter().filter(|(_, connector)| connector.ear().is_some());
        quiet.map(|(community, _)| community.clone()).collect()
    }

    /// The communities on whose platforms the bridge takes part.
    pub fn communities(&self) -> impl Iterator<Item = &CommunityId> {
        self.0.keys()
    }

    /// A community's platform, if the bridge takes part in it.
    #[must_use]
    pub fn of(&self, community: &CommunityId) -> Option<&Arc<dyn Connector>> {
        self.0.get(community)
    }

    /// Tells every platform that the bridge answers from now on; one that did not take it, again after each of these waits.
    pub async fn greet(self, waits: &[Duration]) {
        join_all(self.0.iter().map(|(community, connector)| greet(community, connector.as_ref(), waits))).await;
    }
}

async fn greet(community: &CommunityId, connector: &dyn Connector, waits: &[Duration]) {
    let mut waits = waits.iter();
    while let Err(error) = connector.greet().await {
        tracing::warn!(community_id = %community, cause = %error, "a platform was not told that the bridge answers");
        let Some(wait) = waits.next() else { return };
        tokio::time::sleep(*wait).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::delivery::egress::EgressError;
    use crate::delivery::member::Message;

    /// A platform that takes a greeting from this one on.
    #[derive(Debug)]
    struct Deaf {
        until: usize,
        greeted: AtomicUsize,
    }

    impl Platform for Deaf {
        fn send<'a>(&'a self, _: &'a Message) -> BoxFuture<'a, Result<(), MessageError>> {
            async { Ok(()) }.boxed()
        }

        fn post<'a>(&'a self, _: &'a str, _: Uuid, _: &'a str) -> BoxFuture<'a, Result<(), MessageError>> {
            async { Ok(()) }.boxed()
        }
    }

    impl Connector for Deaf {
        fn admit(&self, _: &Head<'_>) -> Result<(), Refused> {
            Err(Refused::NoSuchPath)
        }

        fn receive<'a>(&'a self, _: Head<'a>, _: &'a [u8]) -> BoxFuture<'a, Result<Received, Refused>> {
            async { Ok(Received::default()) }.boxed()
        }

        fn answer<'a>(&'a self, _: &'a Spoken, _: &'a Says) -> BoxFuture<'a, Result<Option<Value>, MessageError>> {
            async { Ok(None) }.boxed()
        }

        fn greet(&self) -> BoxFuture<'_, Result<(), MessageError>> {
            let is_deaf = self.greeted.fetch_add(1, Ordering::SeqCst) < self.until;
            async move { if is_deaf { Err(EgressError::Timeout.into()) } else { Ok(()) } }.boxed()
        }

        fn language(&self) -> Language {
            Language::En
        }
    }

    #[tokio::test]
    async fn whoever_does_not_take_a_greeting_is_greeted_again_but_not_for_ever() {
        for (until, greeted) in [(0, 1), (2, 3), (9, 4)] {
            let platform = Arc::new(Deaf { until, greeted: AtomicUsize::new(0) });
            let community: CommunityId = "forum".parse().unwrap();
            let connectors = Connectors::new([(community, Arc::clone(&platform) as Arc<dyn Connector>)].into());
            connectors.greet(&[Duration::ZERO; 3]).await;
            assert_eq!(platform.greeted.load(Ordering::SeqCst), greeted, "{until}");
        }
    }
}
