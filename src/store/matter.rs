//! What an item of the outbox tells, in columns.

use std::collections::BTreeSet;

use jiff::Timestamp;
use uuid::Uuid;

use super::{StoreError, instant, named};
use crate::domain::category::{Category, Detail};
use crate::domain::grant::Addressee;
use crate::domain::ids::{GrantId, PractitionerId};
use crate::domain::label::Label;
use crate::domain::matter::{Fact, Matter, Parts};

/// The columns of what an item tells.
pub(super) struct MatterColumns {
    pub kind: &'static str,
    pub category: &'static str,
    pub detail: &'static str,
    pub labels: String,
    pub measured_at: i64,
    /// The parts of a page, or how a warning was decided, as JSON.
    pub parts: Option<String>,
}

/// The same, as they are read.
#[derive(sqlx::FromRow)]
pub(super) struct FactRow {
    category: String,
    detail: String,
    labels: String,
    measured_at: i64,
}

/// Whether this program knows a kind of item. A later one, at work on the same database, may have kinds of its own.
pub(super) fn is_known(kind: &str) -> bool {
    matches!(
        kind,
        "fact"
            | "page"
            | "answered-page"
            | "consent"
            | "mark"
            | "word"
            | "answer"
            | "warning"
            | "booking"
            | "booking-why"
            | "cancelling"
    )
}

impl From<&Matter> for MatterColumns {
    fn from(matter: &Matter) -> Self {
        // A program that does not know kinds decides about anything else as about what is guarded most.
        let other = Fact::entry(Category::Note, Timestamp::UNIX_EPOCH);
        let mut parts = None;
        let (kind, fact) = match matter {
            Matter::Fact(fact) => ("fact", fact),
            Matter::Page(of) => {
                parts = serde_json::to_string(&of.facts).ok();
                (if of.answers { "answered-page" } else { "page" }, of.facts.first().unwrap_or(&other))
            }
            Matter::Consent(_) => ("consent", &other),
            Matter::Mark(fact) => ("mark", fact),
            Matter::Word => ("word", &other),
            Matter::Answer => ("answer", &other),
            Matter::Booking { says_why: false } => ("booking", &other),
            Matter::Booking { says_why: true } => ("booking-why", &other),
            Matter::Cancelling => ("cancelling", &other),
            Matter::Warning(decided) => {
                parts = serde_json::to_string(decided).ok();
                ("warning", &other)
            }
        };
        let labels: Vec<&str> = fact.labels.iter().map(|label| label.as_str()).collect();
        Self {
            kind,
            category: fact.category.as_str(),
            detail: fact.detail.as_str(),
            labels: labels.join(" "),
            measured_at: fact.measured_at.as_microsecond(),
            parts,
        }
    }
}

impl FactRow {
    /// What the columns say of a fact.
    pub(super) fn read(self) -> Result<Fact, StoreError> {
        let label = |code| named(Label::from_name(code), "a label it should not");
        Ok(Fact {
            category: named(Category::from_name(&self.category), "a category it should not")?,
            detail: named(Detail::from_name(&self.detail), "a detail it should not")?,
            labels: self.labels.split_whitespace().map(label).collect::<Result<BTreeSet<_>, _>>()?,
            measured_at: instant(self.measured_at)?,
        })
    }

    /// What the columns of an item say that stands under a grant; `None`: under none.
    pub(super) fn matter(self, kind: &str, parts: Option<&str>, grant: Option<GrantId>) -> Result<Matter, StoreError> {
        match kind {
            "fact" => self.read().map(Matter::Fact),
            "page" | "answered-page" => {
                let facts = parts.and_then(|parts| serde_json::from_str(parts).ok());
                let facts = facts.ok_or(StoreError::Corrupt("a page without its parts"))?;
                Ok(Matter::Page(Parts { facts, answers: kind == "answered-page" }))
            }
            "consent" => grant.map(Matter::Consent).ok_or(StoreError::Corrupt("a consent without its grant")),
            "mark" => self.read().map(Matter::Mark),
            "word" => Ok(Matter::Word),
            "answer" => Ok(Matter::Answer),
            "booking" => Ok(Matter::Booking { says_why: false }),
            "booking-why" => Ok(Matter::Booking { says_why: true }),
            "cancelling" => Ok(Matter::Cancelling),
            "warning" => {
                let decided = parts.and_then(|parts| serde_json::from_str(parts).ok());
                decided.map(Matter::Warning).ok_or(StoreError::Corrupt("a warning without its decision"))
            }
            _ => Err(StoreError::Corrupt("a kind of item it should not")),
        }
    }
}

/// The column of the grant under which an item stands: all zeros for what stands under none.
pub(super) fn grant_column(grant: Option<GrantId>) -> Uuid {
    grant.map_or(Uuid::nil(), |grant| grant.0)
}

/// The grant that a column says.
pub(super) fn grant(column: Uuid) -> Option<GrantId> {
    Some(GrantId(column)).filter(|_| !column.is_nil())
}

/// The column of an addressee.
pub(super) fn addressee_column(addressee: Addressee) -> Option<Uuid> {
    match addressee {
        Addressee::Clinic => None,
        Addressee::Practitioner(practitioner) => Some(practitioner.0),
    }
}

/// The addressee that a column says.
pub(super) fn addressee(column: Option<Uuid>) -> Addressee {
    column.map_or(Addressee::Clinic, |id| Addressee::Practitioner(PractitionerId(id)))
}
