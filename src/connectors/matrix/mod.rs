//! Matrix: an application service (Matrix 1.16, <https://spec.matrix.org/v1.16/application-service-api/>) with one user of its own.
//!
//! The homeserver brings what happens in the rooms where this user is to `/connectors/{community}/_matrix/app/v1/…`, one
//! transaction at a time until it is answered with 200. A member's handle is their full id, such as `@sparrow:matrix.example`.
//!
//! A room is private if nobody is there but its member and the user: the homeserver is asked for each thing that is said. In which
//! room a member is told something says an alias that stands for them, made of a keyed hash of their id: the homeserver's
//! directory keeps it, and two processes, or one that died and came back, never make two rooms.
//!
//! Where somebody encrypts, the bridge says so, invites them to a room where nobody does, and leaves. It comes in only where it
//! is invited, and is never more there than a member. It does not stay where others are, but in rooms that are counted, or named
//! for what it is to say there.

mod call;
mod failures;
pub mod read;
mod registration;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::time::Duration;

use aws_lc_rs::hmac;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::sync::OnceCell;
use tokio::time::Instant;
use uuid::Uuid;

pub use self::call::Homeserver;
use self::failures::Failures;
use self::read::{Seen, What};
pub use self::registration::Registration;
use super::{Connector, Happened, Head, Heard, Received, Refused, Says, Spoken, Undone, Words, Wrote};
use crate::delivery::member::{Message, MessageError, Platform};
use crate::domain::activity::Deed;
use crate::domain::language::Language;

/// How the names of the aliases begin under which the bridge finds its rooms again.
const ALIASES: &str = "_mostik_";

/// Below which path the homeserver calls.
const BELOW: &str = "_matrix/app/v1/";

/// How long a transaction may wait for what other servers may have a part in, and once more to leave rooms: the homeserver waits for
/// a minute until it is done (Synapse 1.163).
const PATIENCE: Duration = Duration::from_secs(20);

/// A community on a homeserver.
#[derive(Debug)]
pub struct Matrix {
    homeserver: Homeserver,
    /// The id of the registration.
    registration: String,
    /// `hs_token` of the registration: what the homeserver shows.
    shown: SecretString,
    /// The rooms that are counted.
    counted: BTreeSet<String>,
    /// Whether what is written in them is handed on.
    hands_on_words: bool,
    /// The rooms in which the bridge says something to those who are there.
    named: BTreeSet<String>,
    /// How long a transaction may wait for what other servers may have a part in.
    patience: Duration,
    /// What of that which the homeserver brings could not be done, and in which rooms nothing could be said.
    undone: Failures,
    unanswered: Failures,
    /// How the user and the rooms that it makes are called.
    name: String,
    language: Language,
    /// What aliases are made with.
    aliases: hmac::Key,
    is_known: OnceCell<()>,
}

/// What a community says of itself.
#[derive(Debug)]
pub struct Settings {
    /// The id of the registration.
    pub registration: String,
    /// `hs_token` of the registration.
    pub shown: SecretString,
    /// The rooms that are counted, by their ids.
    pub counted: BTreeSet<String>,
    /// Whether what is written in them is handed on: no word of it leaves this place otherwise.
    pub hands_on_words: bool,
    /// The rooms in which the bridge says something to those who are there, by their ids.
    pub named: BTreeSet<String>,
    /// How long one request may take.
    pub timeout: Duration,
    /// How the user is called.
    pub name: String,
    /// The language of those of whom nothing is known.
    pub language: Language,
}

impl Matrix {
    /// A community on this homeserver.
    #[must_use]
    pub fn new(homeserver: Homeserver, settings: Settings) -> Self {
        let aliases = hmac::Key::new(hmac::HMAC_SHA256, homeserver.token.expose_secret().as_bytes());
        let Settings { registration, shown, counted, hands_on_words, named, timeout, name, language } = settings;
        Self {
            homeserver,
            registration,
            shown,
            counted,
            hands_on_words,
            named,
            patience: timeout.saturating_mul(3).min(PATIENCE),
            undone: Failures::default(),
            unanswered: Failures::default(),
            name,
            language,
            aliases,
            is_known: OnceCell::new(),
        }
    }

    fn user(&self) -> &str {
        &self.homeserver.user
    }

    /// A keyed hash of something: nobody who does not hold `as_token` can make it, or read it.
    fn sign(&self, what: &str, of: &str) -> Uuid {
        let signed = hmac::sign(&self.aliases, format!("{what} {of}").as_bytes());
        uuid::Builder::from_custom_bytes(signed.as_ref().first_chunk().copied().unwrap_or_default()).into_uuid()
    }

    /// The name of the alias that stands for a member.
    fn alias(&self, member: &str) -> String {
        format!("{ALIASES}{}", self.sign("member", member).simple())
    }

    fn full(&self, alias: &str) -> String {
        format!("#{alias}:{}", self.homeserver.server())
    }

    async fn register(&self) -> Result<(), MessageError> {
        self.is_known.get_or_try_init(|| self.homeserver.register(&self.name)).await.copied()
    }

    /// The room in which a member is told what nobody else may read; made if there is none.
    async fn room_for(&self, member: &str) -> Result<String, MessageError> {
        self.register().await?;
        let alias = self.alias(member);
        let full = self.full(&alias);
        if let Some(found) = self.homeserver.find(&full).await? {
            let room = self.homeserver.room(&found).await?;
            let room = room
                .filter(|room| room.is_private(self.user(), member) && !room.is_encrypted_by_others_than(self.user()));
            if let Some(room) = room {
                if !room.expects(member) {
                    self.homeserver.invite(&found, member).await?;
                }
                return Ok(found);
            }
            self.homeserver.unname(&full).await?;
        }
        match self.homeserver.make(&alias, &self.name, member).await? {
            Some(made) => Ok(made),
            // Somebody else of this bridge was first.
            None => self.homeserver.find(&full).await?.ok_or(MessageError::Unwritten),
        }
    }

    /// What follows from something that the homeserver tells.
    async fn follow(&self, seen: Seen, until: Instant) -> Result<Vec<Heard>, MessageError> {
        let is_counted = self.counted.contains(&seen.room);
        match &seen.what {
            _ if seen.by == self.user() => Ok(Vec::new()),
            What::Invited { whom, is_direct } if whom == self.user() => {
                let is_meant = *is_direct || self.is_neighbour(&seen.by) || is_counted;
                if is_meant { self.come(&seen, until).await } else { Ok(Vec::new()) }
            }
            What::Invited { .. } => Ok(Vec::new()),
            What::Encrypted if is_counted => {
                tracing::warn!("a room that is to be counted is encrypted: nothing of it is counted");
                Ok(Vec::new())
            }
            _ if is_counted => self.count(seen).await,
            What::Wrote { .. } | What::Encrypted => self.hear(seen, until).await,
            What::Reacted(_) | What::Redacted(_) => Ok(Vec::new()),
        }
    }

    /// Comes in where somebody invites the bridge, and hears what they wrote until it came.
    async fn come(&self, seen: &Seen, until: Instant) -> Result<Vec<Heard>, MessageError> {
        let Seen { id, room, by, .. } = seen;
        if !self.abroad(by, until, self.homeserver.join(room)).await? || self.counted.contains(room) {
            return Ok(Vec::new());
        }
        let found = match self.abroad(by, until, self.homeserver.room(room)).await {
            Err(MessageError::Unwritten) => None,
            found => found?,
        };
        match found.filter(|found| found.is_private(self.user(), by)) {
            None => self.withdraw(room, by, until).await.map(|()| Vec::new()),
            Some(found) if found.is_encrypted() => self.part(room, by, until).await,
            Some(_) => {
                self.homeserver.name(&self.full(&self.alias(by)), room).await?;
                let before = self.abroad(by, until, self.homeserver.written_before(room, id)).await?;
                Ok(before.into_iter().filter(|it| it.by == *by).filter_map(said).collect())
            }
        }
    }

    /// Hears what somebody says in private.
    async fn hear(&self, seen: Seen, until: Instant) -> Result<Vec<Heard>, MessageError> {
        let room = self.homeserver.room(&seen.room).await?;
        match room.filter(|room| room.is_private(self.user(), &seen.by)) {
            None => self.withdraw(&seen.room, &seen.by, until).await.map(|()| Vec::new()),
            Some(room) if room.is_encrypted() => self.part(&seen.room, &seen.by, until).await,
            Some(_) => Ok(said(seen).into_iter().collect()),
        }
    }

    /// Says that nothing encrypted can be read, invites whoever encrypts to another room, and leaves. What is said has the same id
    /// however often that is done.
    async fn part(&self, room: &str, member: &str, until: Instant) -> Result<Vec<Heard>, MessageError> {
        let parting = async {
            self.room_for(member).await?;
            self.homeserver.say(room, self.sign("encrypted", room), words::encrypted(self.language)).await?;
            self.homeserver.leave(room).await
        };
        self.abroad(member, until, parting).await.map(|()| Vec::new())
    }

    /// What is counted of what happened, each under an id of its own. Whose message an event answered that was taken back is not
    /// known any more: what was counted of them stays.
    async fn count(&self, seen: Seen) -> Result<Vec<Heard>, MessageError> {
        let Seen { id, room, by, at, what } = seen;
        let wrote = what
            .text()
            .filter(|_| self.hands_on_words)
            .map(|text| Heard::Wrote(Wrote { handle: by.clone(), text: text.to_owned() }));
        let (deed, answered, got) = match what {
            What::Wrote { answers: None, .. } => (Deed::Posted, None, Deed::GotReply),
            What::Wrote { answers, .. } => (Deed::Replied, answers, Deed::GotReply),
            What::Reacted(to) => (Deed::Reacted, Some(to), Deed::GotReaction),
            What::Redacted(event) => {
                let author = self.homeserver.author(&room, &event).await?;
                return Ok(author.map(|handle| Heard::Undone(Undone { id: event, handle })).into_iter().collect());
            }
            What::Invited { .. } | What::Encrypted => return Ok(Vec::new()),
        };
        let author = match answered {
            Some(event) => self.homeserver.author(&room, &event).await?,
            None => None,
        };
        let got_id = format!("{id}/got");
        let other = author.filter(|author| *author != by && author != self.user());
        let got = other.map(|handle| Heard::Happened(Happened { id: got_id, handle, at, deed: got }));
        Ok([Heard::Happened(Happened { id, handle: by, at, deed })].into_iter().chain(got).chain(wrote).collect())
    }

    async fn received(&self, head: Head<'_>, body: &[u8]) -> Result<Received, Refused> {
        self.register().await.map_err(|error| later(&error))?;
        if !head.path.starts_with("_matrix/app/v1/transactions/") {
            return Ok(Received::default());
        }
        let until = Instant::now() + self.patience;
        let (mut all, mut failed) = (Vec::new(), BTreeMap::new());
        for seen in read::transaction(body)? {
            let (what, room, by) = (self.at_stake(&seen), seen.room.clone(), seen.by.clone());
            if self.undone.is_left(&what) || failed.contains_key(&what) {
                continue;
            }
            match self.follow(seen, until).await {
                Ok(more) => all.extend(more),
                // However often the homeserver brings it: it must not keep others waiting.
                Err(error @ (MessageError::Gone(_) | MessageError::Unwritten)) => {
                    tracing::warn!(cause = %error, "the homeserver does not let the bridge do what an event asks for");
                }
                Err(error) if !self.homeserver.is_there().await => return Err(later(&error)),
                Err(error) if self.undone.again(&what) => {
                    tracing::error!(cause = %error, "the homeserver is there, and fails again and again at an event: it is left");
                    let _left_or_not = self.withdraw(&room, &by, until).await;
                }
                Err(error) => {
                    failed.insert(what, error);
                }
            }
        }
        if let Some(error) = failed.into_values().next() {
            return Err(later(&error));
        }
        self.undone.begin_anew();
        Ok(Received { heard: all, answer: None })
    }

    /// Whether the homeserver asks whether the bridge's own user is there.
    fn is_own(&self, user: &str) -> bool {
        let mut encoded = String::new();
        for sign in self.user().chars() {
            match sign {
                '@' | ':' | '=' | '/' | '+' => _ = write!(encoded, "%{:02X}", u32::from(sign)),
                other => encoded.push(other),
            }
        }
        user == self.user() || user.eq_ignore_ascii_case(&encoded)
    }
}

/// Something said in private.
fn said(seen: Seen) -> Option<Heard> {
    let Seen { id, room: conversation, by: handle, what: What::Wrote { text, .. }, .. } = seen else { return None };
    Some(Heard::Said(Spoken { id, handle, conversation, words: Words::Written(text), language: None }))
}

fn later(error: &MessageError) -> Refused {
    tracing::warn!(cause = %error, "the homeserver does not say what has to be known");
    Refused::Later
}

/// What the homeserver does not let the bridge say is of no use a second time, and its operator should know.
fn note(said: Result<(), MessageError>) -> Result<(), MessageError> {
    if let Err(MessageError::Gone(status)) = &said {
        tracing::warn!(status, "the homeserver does not let the bridge say something in a room");
    }
    said
}

impl Platform for Matrix {
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<(), MessageError>> {
        async move {
            let room = self.room_for(&message.handle).await?;
            note(self.homeserver.say(&room, message.id, &message.text).await)
        }
        .boxed()
    }

    /// To a room, by its id: the bridge must be there.
    fn post<'a>(&'a self, room: &'a str, id: Uuid, text: &'a str) -> BoxFuture<'a, Result<(), MessageError>> {
        async move { note(self.homeserver.say(room, id, text).await) }.boxed()
    }
}

impl Connector for Matrix {
    fn admit(&self, head: &Head<'_>) -> Result<(), Refused> {
        let is_asked = match (head.method, head.path.strip_prefix(BELOW)) {
            ("PUT", Some(path)) => path.starts_with("transactions/"),
            ("POST", Some(path)) => path == "ping",
            ("GET", Some(path)) => path.strip_prefix("users/").is_some_and(|user| self.is_own(user)),
            _ => false,
        };
        match is_asked {
            _ if !head.shows("authorization", "Bearer ", &self.shown) => Err(Refused::Unknown),
            true => Ok(()),
            false => Err(Refused::NoSuchPath),
        }
    }

    fn receive<'a>(&'a self, head: Head<'a>, body: &'a [u8]) -> BoxFuture<'a, Result<Received, Refused>> {
        self.received(head, body).boxed()
    }

    fn answer<'a>(&'a self, spoken: &'a Spoken, says: &'a Says) -> BoxFuture<'a, Result<Option<Value>, MessageError>> {
        async move { self.reply(spoken, says).await.map(|()| None) }.boxed()
    }

    fn greet(&self) -> BoxFuture<'_, Result<(), MessageError>> {
        async {
            self.register().await?;
            self.homeserver.wake(&self.registration).await
        }
        .boxed()
    }

    fn language(&self) -> Language {
        self.language
    }
}
