//! Booking: a member's way from "I would like to talk to someone" to a visit in a clinic's own schedule.
//!
//! What is known of a booking is its [`BookingState`]; what the clinic's system was asked and has not answered yet is its
//! [`Wish`]. Times are instants: they stay what they are, wherever the member is and whatever clocks do.

mod rating;
mod state;

pub use rating::Rating;
pub use state::{After, Answered, BookingState, InvalidStep, Note, Said, Wish};

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::group::Seat;
use super::ids::{BookingId, ClinicId, GroupSessionId, MemberId, VisitTypeId};

/// The longest reason that a member may write, in characters.
pub const LONGEST_REASON: usize = 500;

/// A member's way to one visit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Booking {
    /// Which.
    pub id: BookingId,
    /// Whose.
    pub member: MemberId,
    /// At which clinic.
    pub clinic: ClinicId,
    /// What kind of visit it is to be, as the clinic offers it.
    pub visit: VisitTypeId,
    /// What is known of it.
    pub state: BookingState,
    /// What the clinic's system was asked, and has not answered yet.
    pub wish: Option<Wish>,
    /// What the member is to be told about it.
    pub note: Option<Note>,
    /// The time that was chosen.
    pub time: Option<Time>,
    /// Until when that time is kept for them, or they wait for an answer.
    pub hold_until: Option<Timestamp>,
    /// Whether they are told when something is free.
    pub waits: bool,
    /// The booking whose place it takes.
    pub replaces: Option<BookingId>,
    /// The place in a group session that it is, if it is one. While it is asked for, somebody waits for a place.
    pub seat: Option<Seat>,
    /// Grows with each change of its time, or of whether it will be (RFC 5545, section 3.8.7.4).
    pub sequence: i64,
    /// What else is known of it.
    pub details: Details,
    /// When it began.
    pub created_at: Timestamp,
    /// When anything about it last changed here.
    pub updated_at: Timestamp,
}

/// A time, from an instant to another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Time {
    /// Its first instant.
    pub start: Timestamp,
    /// The first instant after it.
    pub end: Timestamp,
}

/// What is kept of a booking under the member's key. Personal: its `Debug` does not tell.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Details {
    /// The times that were free when it was last looked.
    #[serde(default)]
    pub offers: Vec<Offer>,
    /// When that was.
    #[serde(default)]
    pub looked_at: Option<Timestamp>,
    /// Where the time that was chosen stands in the EHR.
    #[serde(default)]
    pub place: Option<Place>,
    /// What it is about, in the member's own words, if they want the clinic to know.
    #[serde(default)]
    pub reason: Option<String>,
}

/// A time that is free. Personal once somebody looks at it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Where it stands in the EHR.
    pub place: Place,
    /// When it is.
    pub time: Time,
}

/// Where a time stands in an EHR, and so in which way it is booked.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// A `Slot`, by its id.
    Slot(String),
    /// A proposed `Appointment`, by its id (IHE ITI Scheduling, ITI-115).
    Proposed(String),
}

/// In which way visits are booked at a clinic.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// By the operations of IHE ITI Scheduling, or of Argonaut Scheduling (`$find`, `$hold`, `$book`).
    Operations,
    /// By free Slots.
    Slots,
    /// A wish for a visit is sent, and the clinic's people say when.
    Request,
}

/// What a clinic is asked about a visit, or told: it takes the member's consent, unless something is given back.
#[derive(Clone, Copy)]
pub struct Asking<'a> {
    /// Whose visit.
    pub member: MemberId,
    /// What is asked.
    pub wish: Wish,
    /// When it is.
    pub time: Option<Time>,
    /// Where that stands in the EHR.
    pub place: Option<&'a Place>,
    /// Why they come, if they say so.
    pub reason: Option<&'a str>,
    /// The group session in which it is a place.
    pub session: Option<GroupSessionId>,
}

/// A visit that will be, as whoever reminds of it, joins it or writes it into a calendar knows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Visit {
    /// Which.
    pub booking: BookingId,
    /// Whose.
    pub member: MemberId,
    /// At which clinic.
    pub clinic: ClinicId,
    /// What kind of visit, as the clinic offers it.
    pub visit: VisitTypeId,
    /// When.
    pub time: Time,
    /// As in [`Booking::seat`].
    pub seat: Option<Seat>,
    /// As in [`Booking::sequence`].
    pub sequence: i64,
}

impl Booking {
    /// The visit that will be, if it is booked.
    #[must_use]
    pub fn visit(&self) -> Option<Visit> {
        let time = self.time.filter(|_| self.state == BookingState::Booked)?;
        Some(Visit {
            booking: self.id,
            member: self.member,
            clinic: self.clinic.clone(),
            visit: self.visit.clone(),
            time,
            seat: self.seat,
            sequence: self.sequence,
        })
    }

    /// Where it stands after the clinic's people said this of it; `None` where that is no news. A visit that was booked at
    /// another time than was known was moved; one that they never chose is theirs to give. When a group session is, the session
    /// itself says.
    #[must_use]
    pub fn told(&self, said: Said, time: Option<Time>) -> Option<After> {
        use BookingState::{Booked, Cancelled, Fulfilled, Held, NoShow, Offered, Requested};
        let time = time.filter(|_| self.seat.is_none());
        let (state, note, let_go) = match (self.state, said) {
            (Requested, Said::Booked) if time.is_some() => (Booked, None, false),
            (Held, Said::Booked) => (Booked, None, false),
            (Booked, Said::Booked) if time.is_some() && time != self.time => (Booked, Some(Note::ClinicMoved), false),
            // What it keeps beside it is given back, and the member may choose again.
            (Held, Said::Cancelled) => (Offered, Some(Note::ClinicCancelled), true),
            (Requested | Booked, Said::Cancelled) => (Cancelled, Some(Note::ClinicCancelled), false),
            (Booked | NoShow, Said::Fulfilled) => (Fulfilled, None, false),
            (Booked | Fulfilled, Said::NoShow) => (NoShow, None, false),
            _ => return None,
        };
        Some(After { state, note, let_go })
    }

    /// The offer at this place, if it is one.
    #[must_use]
    pub fn offer(&self, place: &Place) -> Option<&Offer> {
        self.details.offers.iter().find(|offer| offer.place == *place)
    }
}

impl Place {
    /// Its id in the EHR.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Slot(id) | Self::Proposed(id) => id,
        }
    }
}

impl fmt::Debug for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Details(..)")
    }
}

impl fmt::Debug for Asking<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Asking({})", self.wish.as_str())
    }
}

impl fmt::Debug for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Offer(..)")
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Place(..)")
    }
}

#[cfg(test)]
mod tests;
