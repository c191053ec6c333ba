//! Misago: a forum that calls nobody (0.39). The bridge signs in with an account of its own, as anybody does, and asks.
//!
//! Members write to the account in private threads, and are answered there. A private thread counts as private if nobody takes
//! part in it but whoever wrote and the bridge. What is done is marked as read on the forum, post by post, as a browser does it:
//! so nothing is kept here, and what came while no bridge listened is heard afterwards, up to the age from which the forum
//! itself takes everything for read (`readtracker_cutoff`, 40 days).
//!
//! Everything that the bridge says has a small link in it, with the id of what is said: so it is known whether it was said when
//! no answer came. A member's handle is the id of their account: names are changed there, and then taken by others.

mod counted;
mod hear;
pub mod read;
#[cfg(test)]
mod read_tests;
mod say;
mod session;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use reqwest::{Method, StatusCode};
use secrecy::SecretString;
use serde_json::Value;
use url::Url;
use uuid::Uuid;

use self::hear::Hearing;
use self::read::Page;
use self::session::{Account, understood};
use super::{Connector, Ear, Head, Listened, Received, Refused, Says, Spoken};
use crate::delivery::egress::{Egress, EgressError};
use crate::delivery::member::{Message, MessageError, Platform, refused};
use crate::domain::language::Language;

/// A forum.
#[derive(Debug)]
pub struct Misago {
    account: Account,
    counted: BTreeSet<i64>,
    language: Language,
    /// By member, where they wrote last in private.
    known: Mutex<BTreeMap<i64, Place>>,
    hearing: tokio::sync::Mutex<Hearing>,
}

/// How it is set up.
#[derive(Debug)]
pub struct Settings {
    /// Where it is.
    pub url: Url,
    /// The name of the bridge's account there.
    pub account: String,
    /// The account's password.
    pub password: SecretString,
    /// The public categories that are counted, by their ids, with those below them.
    pub counted: BTreeSet<i64>,
    /// The language of those of whom nothing is known.
    pub language: Language,
    /// The way out, to the forum only.
    pub egress: Egress,
}

/// Which threads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Side {
    Private,
    Public,
}

/// A page of a thread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Place {
    side: Side,
    thread: i64,
    page: u32,
}

/// What is found where a page of a thread should be.
enum Found {
    There(Page),
    Missing,
    /// Asked for again, it would be no shorter: nobody else shall wait for it.
    TooLong,
}

impl Side {
    /// Where its threads are.
    const fn api(self) -> &'static str {
        match self {
            Self::Private => "/api/private-threads",
            Self::Public => "/api/threads",
        }
    }
}

impl Place {
    /// Where the thread is.
    fn thread(self) -> String {
        format!("{}/{}/", self.side.api(), self.thread)
    }

    /// Where its posts are.
    fn posts(self) -> String {
        format!("{}posts/", self.thread())
    }

    /// Where those of the page are.
    fn page(self) -> String {
        format!("{}?page={}", self.posts(), self.page)
    }
}

impl Misago {
    /// A forum that is set up so.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let Settings { url, account, password, counted, language, egress } = settings;
        let account = Account::new(url, account, password, egress);
        Self { account, counted, language, known: Mutex::default(), hearing: tokio::sync::Mutex::default() }
    }

    async fn page(&self, place: Place) -> Result<Found, MessageError> {
        let answer = match self.account.call(Method::GET, &place.page(), None).await {
            Err(MessageError::Egress(EgressError::AnswerTooLong)) => {
                tracing::warn!("a page of a thread is longer than is read: nothing that stands there is heard");
                return Ok(Found::TooLong);
            }
            answer => answer?,
        };
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(Found::Missing);
        }
        refused(&answer, &[])?;
        Ok(Found::There(understood(Page::read(&answer.body))?))
    }
}

impl Platform for Misago {
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<(), MessageError>> {
        self.tell(message).boxed()
    }

    /// In a thread, by its id.
    fn post<'a>(&'a self, room: &'a str, id: Uuid, text: &'a str) -> BoxFuture<'a, Result<(), MessageError>> {
        self.say_in_room(room, id, text).boxed()
    }
}

impl Ear for Misago {
    fn listen(&self, done: Option<String>) -> BoxFuture<'_, Result<Listened, MessageError>> {
        self.hear(done).boxed()
    }

    fn rest(&self) -> BoxFuture<'_, ()> {
        async { self.hearing.lock().await.let_go() }.boxed()
    }
}

impl Connector for Misago {
    fn admit(&self, _: &Head<'_>) -> Result<(), Refused> {
        Err(Refused::NoSuchPath)
    }

    fn receive<'a>(&'a self, _: Head<'a>, _: &'a [u8]) -> BoxFuture<'a, Result<Received, Refused>> {
        async { Err(Refused::NoSuchPath) }.boxed()
    }

    fn answer<'a>(&'a self, spoken: &'a Spoken, says: &'a Says) -> BoxFuture<'a, Result<Option<Value>, MessageError>> {
        async move { self.reply(spoken, says).await.map(|()| None) }.boxed()
    }

    fn ear(&self) -> Option<&dyn Ear> {
        Some(self)
    }

    fn language(&self) -> Language {
        self.language
    }
}
