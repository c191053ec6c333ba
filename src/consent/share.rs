//! What summaries are made of, summaries themselves, and pages of them, to be decided about.

use jiff::Timestamp;

use super::decide::Disclosable;
use crate::domain::category::{Category, Detail};
use crate::domain::ids::MemberId;
use crate::domain::matter::{Fact, Matter, Parts};
use crate::domain::page::Page;
use crate::domain::reading::Reading;
use crate::domain::summary::Summary;

/// What a reading adds to a summary. It is asked for at the coarsest detail there is: a permit for it says how finely the
/// reading may be shown, and so in which summary it counts. Free text adds nothing to one, and stays what it is.
#[derive(Clone, Debug)]
pub struct Share {
    member: MemberId,
    fact: Fact,
}

impl Share {
    /// What this reading adds.
    #[must_use]
    pub fn of(reading: &Reading) -> Self {
        let mut share = Self::at(reading.member, reading.measure.category(), reading.moment.at);
        share.fact.labels.clone_from(&reading.labels);
        share
    }

    /// What a reading of a category would add that was lived at this instant, and of which nothing else is known.
    #[must_use]
    pub fn at(member: MemberId, category: Category, measured_at: Timestamp) -> Self {
        let detail = if category.is_summarised() || category.is_for_pages() {
            Detail::WeeklySummary
        } else {
            Detail::EveryEntry
        };
        Self { member, fact: Fact { detail, ..Fact::entry(category, measured_at) } }
    }
}

impl Disclosable for Share {
    fn member(&self) -> MemberId {
        self.member
    }

    fn matter(&self) -> Matter {
        Matter::Fact(self.fact.clone())
    }
}

impl Disclosable for Summary {
    fn member(&self) -> MemberId {
        self.member
    }

    fn matter(&self) -> Matter {
        let fact = Fact::entry(self.category(), self.start.at);
        Matter::Fact(Fact { detail: self.detail, labels: self.labels.clone(), ..fact })
    }
}

impl Disclosable for Page {
    fn member(&self) -> MemberId {
        self.member
    }

    fn matter(&self) -> Matter {
        Matter::Page(Parts { facts: self.parts.clone(), answers: !self.recommended.is_empty() })
    }
}
