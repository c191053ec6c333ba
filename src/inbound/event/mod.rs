//! Events from communities and apps: CloudEvents 1.0 in JSON, one reading each.

mod parse;
mod refusal;
mod schema;

pub use parse::{MalformedBody, parse_body};
pub use refusal::{Refusal, RefusalReason};
pub use schema::EventSchemas;

use std::fmt;

use crate::domain::ids::MemberId;
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
    /// When it was lived.
    pub moment: Moment,
    /// What was reported.
    pub measure: Measure,
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
        write!(f, "Event({:?})", self.measure)
    }
}
