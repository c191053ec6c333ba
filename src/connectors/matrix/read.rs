//! What a homeserver brings: a transaction of events (Matrix 1.16, Application Service API, "Pushing events"), and what it says of
//! rooms and events when it is asked. Of what was written in a room nothing is read but that something was.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::connectors::Refused;

/// The longest id of a user or an event, in bytes (Matrix 1.16, appendices, "Common identifier format").
const LONGEST: usize = 255;

/// Something that a homeserver tells of a room. Personal.
#[derive(Clone, PartialEq, Eq)]
pub struct Seen {
    /// The event's id.
    pub id: String,
    /// In which room.
    pub room: String,
    /// Who did it.
    pub by: String,
    /// When, as the homeserver says.
    pub at: Timestamp,
    /// What.
    pub what: What,
}

/// What was done.
#[derive(Clone, PartialEq, Eq)]
pub enum What {
    /// Somebody was invited (`m.room.member`), into a room that is meant for two or not.
    Invited {
        /// Whom.
        whom: String,
        /// Whether the room is meant for the two.
        is_direct: bool,
    },
    /// Something was written (`m.room.message`); changes of it, and what programs write of themselves, are left out.
    Wrote {
        /// In which words; empty if it is a picture or the like. Personal.
        text: String,
        /// The event that it answers.
        answers: Option<String>,
    },
    /// Somebody reacted to an event (`m.reaction`).
    Reacted(String),
    /// An event was taken back (`m.room.redaction`).
    Redacted(String),
    /// Something that cannot be read (`m.room.encrypted`), or that from now on nothing can be (`m.room.encryption`).
    Encrypted,
}

/// A room, as far as it matters who is there.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Room {
    /// Who is there, is invited or asks to come in; `true`: is there.
    members: BTreeMap<String, bool>,
    /// Whether anybody may come in, or look in from outside.
    is_open: bool,
    /// Who switched its encryption on, if it is on.
    encrypted_by: Option<String>,
}

#[derive(Deserialize)]
struct Transaction {
    events: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Messages {
    chunk: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    #[serde(rename = "event_id")]
    id: String,
    room_id: Option<String>,
    sender: String,
    #[serde(default)]
    origin_server_ts: i64,
    state_key: Option<String>,
    content: Content,
    redacts: Option<String>,
}

#[derive(Deserialize)]
struct Content {
    msgtype: Option<String>,
    body: Option<String>,
    membership: Option<String>,
    is_direct: Option<bool>,
    redacts: Option<String>,
    #[serde(rename = "m.relates_to")]
    relates_to: Option<Relation>,
}

/// An event of a room's state.
#[derive(Deserialize)]
struct Standing {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    state_key: String,
    sender: String,
    content: Box<RawValue>,
}

#[derive(Deserialize)]
struct Setting {
    membership: Option<String>,
    join_rule: Option<String>,
    history_visibility: Option<String>,
}

#[derive(Deserialize)]
struct Relation {
    rel_type: Option<String>,
    event_id: Option<String>,
    is_falling_back: Option<bool>,
    #[serde(rename = "m.in_reply_to")]
    in_reply_to: Option<InReplyTo>,
}

#[derive(Deserialize)]
struct InReplyTo {
    event_id: String,
}

/// Reads a transaction. What in it is none of what is looked at, or not as the specification has it, is left out: it would come
/// again for ever.
///
/// # Errors
/// [`Refused::Malformed`].
pub fn transaction(body: &[u8]) -> Result<Vec<Seen>, Refused> {
    let read: Transaction = serde_json::from_slice(body).map_err(|_| Refused::Malformed("expected a transaction"))?;
    Ok(read.events.iter().filter_map(|raw| Event::read(raw)).filter_map(|event| event.seen(None)).collect())
}

/// What was written in a room before the bridge came in, since it was invited: the newest last. Empty if it is nothing of that
/// form (Client-Server API, `GET /rooms/{roomId}/messages`, backwards).
#[must_use]
pub fn written_before(body: &[u8], room: &str, invited: &str) -> Vec<Seen> {
    let read = serde_json::from_slice(body).unwrap_or(Messages { chunk: Vec::new() });
    let events = read.chunk.iter().filter_map(|raw| Event::read(raw)).take_while(|event| event.id != invited);
    let mut seen: Vec<Seen> = events.filter_map(|event| event.seen(Some(room))).collect();
    seen.retain(|seen| matches!(seen.what, What::Wrote { .. }));
    seen.reverse();
    seen
}

/// Who did something (`GET /rooms/{roomId}/event/{eventId}`).
#[must_use]
pub fn author(body: &[u8]) -> Option<String> {
    let event: Event = serde_json::from_slice(body).ok()?;
    is_id('@', &event.sender).then_some(event.sender)
}

impl What {
    /// The words that were written, if some were.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Wrote { text, .. } if !text.is_empty() => Some(text),
            _ => None,
        }
    }
}

impl Event {
    fn read(raw: &RawValue) -> Option<Self> {
        let event: Self = serde_json::from_str(raw.get()).ok()?;
        (is_id('@', &event.sender) && is_id('$', &event.id)).then_some(event)
    }

    /// What it tells; `room` where it does not say so itself.
    fn seen(self, room: Option<&str>) -> Option<Seen> {
        let Self { kind, id, room_id, sender: by, origin_server_ts, state_key, content, redacts } = self;
        let what = match (kind.as_str(), state_key) {
            ("m.room.member", Some(whom)) if content.membership.as_deref() == Some("invite") => {
                What::Invited { whom, is_direct: content.is_direct.unwrap_or_default() }
            }
            ("m.room.message", None) => content.wrote()?,
            ("m.reaction", None) => What::Reacted(content.relates_to?.annotates()?),
            ("m.room.redaction", None) => What::Redacted(redacts.or(content.redacts).filter(|id| is_id('$', id))?),
            ("m.room.encrypted", None) | ("m.room.encryption", Some(_)) => What::Encrypted,
            _ => return None,
        };
        let at = Timestamp::from_millisecond(origin_server_ts).ok()?;
        let room = room_id.or_else(|| room.map(str::to_owned)).filter(|room| is_id('!', room))?;
        Some(Seen { id, room, by, at, what })
    }
}

impl Content {
    /// Something that a person wrote, and not again.
    fn wrote(self) -> Option<What> {
        let Self { msgtype, body, relates_to, .. } = self;
        let msgtype = msgtype.filter(|it| it != "m.notice")?;
        let is_edit = relates_to.as_ref().is_some_and(|it| it.rel_type.as_deref() == Some("m.replace"));
        let answers = relates_to.and_then(Relation::answers);
        let text = body.filter(|_| msgtype == "m.text").unwrap_or_default();
        let text = if answers.is_some() { own_words(&text) } else { &text };
        (!is_edit).then(|| What::Wrote { text: text.to_owned(), answers })
    }
}

/// Without what it answers, as older programs repeat it (Matrix 1.12, "Fallbacks for rich replies").
fn own_words(text: &str) -> &str {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('\n').filter(|(line, _)| line.starts_with('>')) {
        rest = after;
    }
    rest.trim_start_matches('\n')
}

impl Relation {
    /// The event that is answered, if it can be one: what it says itself, and in a thread the one that the thread began with.
    fn answers(self) -> Option<String> {
        let thread = self.event_id.filter(|_| self.rel_type.as_deref() == Some("m.thread"));
        let is_fallback = thread.is_some() && self.is_falling_back.unwrap_or_default();
        self.in_reply_to.map(|it| it.event_id).filter(|_| !is_fallback).or(thread).filter(|id| is_id('$', id))
    }

    fn annotates(self) -> Option<String> {
        self.event_id.filter(|_| self.rel_type.as_deref() == Some("m.annotation")).filter(|id| is_id('$', id))
    }
}

impl Room {
    /// A room by its state (`GET /rooms/{roomId}/state`); `None` if it is nothing of that form.
    #[must_use]
    pub fn read(state: &[u8]) -> Option<Self> {
        let state: Vec<Standing> = serde_json::from_slice(state).ok()?;
        let mut room = Self::default();
        for Standing { kind, state_key, sender, content } in state {
            match kind.as_str() {
                "m.room.member" | "m.room.join_rules" | "m.room.history_visibility" => {
                    room.stands(state_key, serde_json::from_str(content.get()).ok()?);
                }
                "m.room.encryption" => room.encrypted_by = Some(sender),
                _ => {}
            }
        }
        Some(room)
    }

    fn stands(&mut self, whom: String, set: Setting) {
        if let Some(membership @ ("join" | "invite" | "knock")) = set.membership.as_deref() {
            self.members.insert(whom, membership == "join");
        }
        self.is_open |= set.join_rule.is_some_and(|rule| !matches!(rule.as_str(), "invite" | "knock" | "private"));
        self.is_open |= set.history_visibility.is_some_and(|visibility| visibility == "world_readable");
    }

    /// Whether `user` is there and nobody else is, or can come unasked, but `member`.
    #[must_use]
    pub fn is_private(&self, user: &str, member: &str) -> bool {
        let is_known = self.members.keys().all(|known| known == user || known == member);
        is_known && !self.is_open && self.members.get(user) == Some(&true)
    }

    /// Whether somebody is there, or is invited.
    #[must_use]
    pub fn expects(&self, member: &str) -> bool {
        self.members.contains_key(member)
    }

    /// Whether somebody else than `user` switched encryption on there: what the homeserver switches on for every new room it does
    /// in the name of who made it.
    #[must_use]
    pub fn is_encrypted_by_others_than(&self, user: &str) -> bool {
        self.encrypted_by.as_ref().is_some_and(|by| by != user)
    }

    /// Whether what is said there can be read by those only who are there.
    #[must_use]
    pub const fn is_encrypted(&self) -> bool {
        self.encrypted_by.is_some()
    }
}

/// Whether it is an id of this kind: `@` of a user, `$` of an event, `!` of a room.
fn is_id(sigil: char, id: &str) -> bool {
    id.starts_with(sigil) && (2..=LONGEST).contains(&id.len()) && !id.contains(char::is_control)
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
