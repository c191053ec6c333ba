//! Events from communities and apps: CloudEvents 1.0 in JSON, one reading each, or one that is taken back.

mod harm;
mod parse;
mod questionnaire;
mod refusal;
mod schema;

pub use parse::{MalformedBody, parse_body};
pub use refusal::{Refusal, RefusalReason};
pub use schema::{BrokenSchema, EventSchemas};

use std::collections::BTreeSet;
use std::fmt;

use crate::domain::ids::MemberId;
use crate::domain::label::Label;
use crate::domain::moment::Moment;
use crate::domain::reading::Measure;

/// How far a sender's clock may run ahead of ours.
pub const CLOCK_SKEW: jiff::SignedDuration = jiff::SignedDuration::from_mins(5);

/// The most events that one request may carry.
pub const MAX_BATCH: usize = 1000;

/// One event, checked and understood. A personal value: its `Debug` shows the kind only.
#[derive(Clone, PartialEq)]
pub struct Event {
    /// Which part of the community sent it.
    pub source: String,
    /// Unique within its source.
    pub id: String,
    /// Whose reading it is.
    pub subject: Subject,
    /// What it says.
    pub says: Says,
    /// Why it cannot be taken although it can be read: what it says may want a human's eye all the same.
    pub flaw: Option<Box<Refusal>>,
}

/// What an event says.
#[derive(Clone, PartialEq)]
pub enum Says {
    /// A reading: a new entry, or a version of one.
    Reading(Entry, Version),
    /// The member deleted the entry that was first reported by this event of the same source.
    Retraction(String),
}

/// What a member noted down.
#[derive(Clone, PartialEq)]
pub struct Entry {
    /// When it was lived.
    pub moment: Moment,
    /// What was reported.
    pub measure: Measure,
    /// The sensitivity labels that its sender gave it.
    pub labels: BTreeSet<Label>,
}

/// Which version of its entry a reading is.
#[derive(Clone, PartialEq, Eq)]
pub enum Version {
    /// The first report: the event's id names the entry from here on.
    First,
    /// The entry as it reads now, whatever was reported of it before: the event's id names the entry, not the version.
    Current,
    /// A later version of the entry that was first reported by this event of the same source.
    Corrects(String),
}

/// Whose reading it is.
#[derive(Clone, PartialEq, Eq)]
pub enum Subject {
    /// The name under which the sending community knows the member.
    Handle(String),
    /// A member who gave the reading to the bridge themselves.
    Member(MemberId),
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Event({:?})", self.says)
    }
}

impl fmt::Debug for Says {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reading(entry, version) => write!(f, "{version:?} {:?}", entry.measure),
            Self::Retraction(_) => f.write_str("Retraction(..)"),
        }
    }
}

/// Ids may be personal: they are the sender's own.
impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::First => "First",
            Self::Current => "Current",
            Self::Corrects(_) => "Corrects(..)",
        })
    }
}
