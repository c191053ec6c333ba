//! What is asked of the decision.

use jiff::Timestamp;

use crate::domain::advice::Word;
use crate::domain::booking::Asking;
use crate::domain::category::Detail;
use crate::domain::delivery::Delivery;
use crate::domain::grant::{Addressee, Purpose, Standing};
use crate::domain::ids::{ClinicId, MemberId, PractitionerId};
use crate::domain::matter::{Fact, Mark, Matter};
use crate::domain::reading::{Reading, Retraction};
use crate::domain::recommendation::{Recommendation, Reply};
use crate::domain::warning::Warning;

/// Something about a member that may be disclosed if they consent.
pub trait Disclosable {
    /// Whom it is about.
    fn member(&self) -> MemberId;
    /// What it tells.
    fn matter(&self) -> Matter;
}

/// Which way something goes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Direction {
    /// From the community to the clinic.
    ToClinic,
    /// From the clinic back to the member, through their community.
    ToMember,
}

/// Who at the clinic gets it.
///
/// What naming one practitioner can do: everything that the bridge itself shows, it shows to nobody else, and everything
/// that it writes names them as the one it is meant for. What it cannot do: once a resource stands in the clinic's EHR,
/// the clinic's own rules say who may open it. The notice says so to the member.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Reader {
    /// The clinic's record. What goes there is addressed as the permit obliges ([`super::Obligations::addressee`]).
    Record,
    /// This practitioner, and nobody else: they look at it themselves, or it is addressed to them.
    Practitioner(PractitionerId),
    /// Somebody at the clinic, nobody knows who.
    Anyone,
}

/// May this item go there, now, for that?
#[derive(Debug)]
pub struct Request<'a, T> {
    /// What is to go.
    pub item: &'a T,
    /// Which clinic gets it, or sends it.
    pub clinic: &'a ClinicId,
    /// Who there.
    pub reader: Reader,
    /// What for.
    pub purpose: Purpose,
    /// Which way.
    pub direction: Direction,
    /// The time.
    pub now: Timestamp,
}

impl<'a, T> Request<'a, T> {
    /// To write an item into a clinic's record, for treatment.
    #[must_use]
    pub const fn to_record(item: &'a T, clinic: &'a ClinicId, now: Timestamp) -> Self {
        let (reader, purpose, direction) = (Reader::Record, Purpose::Treatment, Direction::ToClinic);
        Self { item, clinic, reader, purpose, direction, now }
    }
}

impl<'a> Request<'a, Word<'a>> {
    /// To let a member have what a clinic has for them.
    #[must_use]
    pub const fn to_member(item: &'a Word<'a>, clinic: &'a ClinicId, now: Timestamp) -> Self {
        Self { direction: Direction::ToMember, ..Self::to_record(item, clinic, now) }
    }
}

impl<'a> Request<'a, Delivery> {
    /// To send a delivery where it is meant to go, addressed as it is.
    #[must_use]
    pub const fn to_send(item: &'a Delivery, now: Timestamp) -> Self {
        let reader = match item.addressee {
            Addressee::Clinic => Reader::Anyone,
            Addressee::Practitioner(practitioner) => Reader::Practitioner(practitioner),
        };
        Self { reader, ..Self::to_record(item, &item.clinic, now) }
    }
}

impl Disclosable for Reading {
    fn member(&self) -> MemberId {
        self.member
    }

    fn matter(&self) -> Matter {
        let entry = Fact::entry(self.measure.category(), self.moment.at);
        // What stands on pages only, or counts in weeks only, is shared by whoever shares it at all, however finely.
        let is_coarse = entry.category.is_for_pages() || entry.category.is_weekly_only();
        let detail = if is_coarse { Detail::WeeklySummary } else { entry.detail };
        Matter::Fact(Fact { labels: self.labels.clone(), detail, ..entry })
    }
}

impl Disclosable for Retraction {
    fn member(&self) -> MemberId {
        self.member
    }

    fn matter(&self) -> Matter {
        Matter::Fact(self.fact.clone())
    }
}

impl Disclosable for Standing<'_> {
    fn member(&self) -> MemberId {
        self.0.member
    }

    fn matter(&self) -> Matter {
        Matter::Consent(self.0.id)
    }
}

impl Disclosable for Mark {
    fn member(&self) -> MemberId {
        self.member
    }

    fn matter(&self) -> Matter {
        Matter::Mark(self.fact.clone())
    }
}

impl Disclosable for Recommendation {
    fn member(&self) -> MemberId {
        self.member
    }

    fn matter(&self) -> Matter {
        Matter::Word
    }
}

impl Disclosable for Word<'_> {
    fn member(&self) -> MemberId {
        self.member
    }

    fn matter(&self) -> Matter {
        Matter::Word
    }
}

impl Disclosable for Reply<'_> {
    fn member(&self) -> MemberId {
        self.member
    }

    fn matter(&self) -> Matter {
        Matter::Answer
    }
}

impl Disclosable for Warning {
    fn member(&self) -> MemberId {
        self.member
    }

    fn matter(&self) -> Matter {
        Matter::Warning(self.decided)
    }
}

impl Disclosable for Asking<'_> {
    fn member(&self) -> MemberId {
        self.member
    }

    fn matter(&self) -> Matter {
        if self.wish.asks() { Matter::Booking { says_why: self.reason.is_some() } } else { Matter::Cancelling }
    }
}

impl Disclosable for Delivery {
    fn member(&self) -> MemberId {
        self.member
    }

    fn matter(&self) -> Matter {
        self.matter.clone()
    }
}
