//! What an item tells about a member, and so which consent it takes.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::category::{Category, Detail};
use super::ids::{GrantId, MemberId};
use super::label::Label;
use super::warning::Decided;

/// What an item tells, and to whom.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Matter {
    /// A clinic learns something that a member reported.
    Fact(Fact),
    /// A clinic learns several things on one page: it goes only as long as each of them may.
    Page(Parts),
    /// A clinic learns how a consent stands that the member has given it, or has ended.
    Consent(GrantId),
    /// A clinic is asked to mark as entered in error what it was told: the member asked for that. It learns nothing new.
    Mark(Fact),
    /// A member is told something by their clinic.
    Word,
    /// A clinic learns what a member says to something that it told them.
    Answer,
    /// A clinic learns that a member wants to see somebody there, and when.
    Booking {
        /// Whether it learns why, in the member's own words.
        says_why: bool,
    },
    /// A clinic learns that it need not keep a time for a member any longer. It learns nothing new about them.
    Cancelling,
    /// A clinic is warned without consent that its patient may be in danger: a person decided so.
    Warning(Decided),
}

/// What a page tells.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Parts {
    /// What the member reported.
    pub facts: Vec<Fact>,
    /// Whether it also says what the clinic recommended, and what the member answered.
    pub answers: bool,
}

/// What is known of something reported without opening it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Fact {
    /// Under which consent it falls.
    pub category: Category,
    /// How fine it is.
    pub detail: Detail,
    /// The labels that it carries beside those of its category.
    pub labels: BTreeSet<Label>,
    /// When it was lived.
    pub measured_at: Timestamp,
}

/// The wish of a member that a clinic marks as entered in error what it was told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mark {
    /// Who wishes it.
    pub member: MemberId,
    /// What the clinic was told.
    pub fact: Fact,
}

impl Fact {
    /// A single entry that carries the labels of its category and no others.
    #[must_use]
    pub const fn entry(category: Category, measured_at: Timestamp) -> Self {
        Self { category, detail: Detail::EveryEntry, labels: BTreeSet::new(), measured_at }
    }

    /// Whether it carries a label, for itself or with its whole category.
    #[must_use]
    pub fn carries(&self, label: Label) -> bool {
        self.labels.contains(&label) || self.category.labels().contains(&label)
    }

    /// Every label that it carries.
    #[must_use]
    pub fn all_labels(&self) -> BTreeSet<Label> {
        self.labels.iter().chain(self.category.labels()).copied().collect()
    }
}
