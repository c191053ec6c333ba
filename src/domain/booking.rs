//! Booking: a member's way from "I would like to talk to someone" to a visit in a clinic's own schedule.
//!
//! What is known of a booking is its [`BookingState`]; what the clinic's system was asked and has not answered yet is its
//! [`Wish`]. Times are instants: they stay what they are, wherever the member is and whatever clocks do.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::{BookingId, ClinicId, MemberId, VisitTypeId};

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
    /// By the operations of IHE ITI Scheduling (`$find`, `$hold`, `$book`).
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
    /// As in [`Booking::sequence`].
    pub sequence: i64,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum $name {
            $($(#[$of])* $variant,)*
        }

        impl $name {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word used in the database and the logs.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            /// The one with this word, if there is one.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == name)
            }
        }
    };
}

words! {
    /// The life of a booking: `requested → offered → held → booked → rescheduled | fulfilled | cancelled | noshow`; a hold that
    /// ends leads back to what is offered.
    BookingState {
        /// The member asked; nothing is offered (yet).
        Requested = "requested",
        /// Times are offered to them.
        Offered = "offered",
        /// A time is kept for them, for a while.
        Held = "held",
        /// It will be.
        Booked = "booked",
        /// Another visit took its place.
        Rescheduled = "rescheduled",
        /// It was.
        Fulfilled = "fulfilled",
        /// It will not be.
        Cancelled = "cancelled",
        /// The member did not come.
        NoShow = "noshow",
    }
}

words! {
    /// What a clinic's system was asked.
    Wish {
        /// To keep a time for a while.
        Hold = "hold",
        /// To book the time that it keeps.
        Book = "book",
        /// That its people propose a time.
        Request = "request",
        /// To keep a time no longer; the member may choose another one.
        Release = "release",
        /// To cancel.
        Cancel = "cancel",
        /// To cancel, because another visit took its place.
        Replace = "replace",
    }
}

words! {
    /// What a member is to be told about a booking.
    Note {
        /// Somebody was faster.
        Taken = "taken",
        /// The time is kept for them no longer.
        HoldEnded = "hold-ended",
        /// The clinic's system did not do it.
        NotDone = "not-done",
        /// The clinic's system did not cancel it.
        NotCancelled = "not-cancelled",
        /// The clinic cancelled it.
        ClinicCancelled = "clinic-cancelled",
        /// The clinic moved it.
        ClinicMoved = "clinic-moved",
        /// Something is free that they waited for.
        NowFree = "now-free",
    }
}

/// How a clinic's people say that a visit stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Said {
    /// It will be.
    Booked,
    /// It was.
    Fulfilled,
    /// The patient did not come.
    NoShow,
    /// It will not be.
    Cancelled,
}

/// What came of a [`Wish`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Answered {
    /// It was done.
    Done,
    /// It cannot be: the time is somebody else's, or it is over.
    No,
    /// It was not done, and nobody knows how much of it was.
    Failed,
}

/// How a booking stands after an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct After {
    /// Where.
    pub state: BookingState,
    /// What the member is to be told.
    pub note: Option<Note>,
    /// Whether the clinic may still keep a time for them, which it is to keep no longer.
    pub let_go: bool,
}

/// A step that its life does not allow.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a booking that is {from} cannot become {to}")]
pub struct InvalidStep {
    from: &'static str,
    to: &'static str,
}

impl BookingState {
    /// Whether nothing more comes of it.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Rescheduled | Self::Fulfilled | Self::Cancelled | Self::NoShow)
    }

    /// Where it stands after a step.
    ///
    /// # Errors
    /// [`InvalidStep`] when its life does not allow it.
    pub const fn step(self, to: Self) -> Result<Self, InvalidStep> {
        let is_allowed = match (self, to) {
            (Self::Requested, Self::Offered | Self::Booked | Self::Cancelled)
            | (Self::Offered, Self::Requested | Self::Held | Self::Booked | Self::Cancelled)
            | (Self::Held, Self::Offered | Self::Booked | Self::Cancelled)
            | (Self::Booked, Self::Rescheduled | Self::Fulfilled | Self::Cancelled | Self::NoShow)
            // The clinic's people put right what they noted down.
            | (Self::Fulfilled, Self::NoShow)
            | (Self::NoShow, Self::Fulfilled) => true,
            _ => self as u8 == to as u8,
        };
        if is_allowed { Ok(to) } else { Err(InvalidStep { from: self.as_str(), to: to.as_str() }) }
    }
}

impl Wish {
    /// Whether the booking must be there for it.
    #[must_use]
    pub const fn is_legal(self, state: BookingState) -> bool {
        match self {
            Self::Hold => matches!(state, BookingState::Offered),
            Self::Book => matches!(state, BookingState::Held),
            Self::Request => matches!(state, BookingState::Requested),
            Self::Release => matches!(state, BookingState::Offered | BookingState::Held),
            Self::Cancel => !state.is_over(),
            Self::Replace => matches!(state, BookingState::Booked),
        }
    }

    /// Whether it asks for something, and does not give anything back.
    #[must_use]
    pub const fn asks(self) -> bool {
        matches!(self, Self::Hold | Self::Book | Self::Request)
    }

    /// Where a booking stands that stood at `state`, after the clinic's system answered this.
    #[must_use]
    pub const fn settled(self, state: BookingState, answered: Answered) -> After {
        use BookingState::{Booked, Cancelled, Held, Offered, Rescheduled};
        let (state, note, let_go) = match (self, answered) {
            (Self::Hold, Answered::Done) => (Held, None, false),
            (Self::Hold, Answered::No) => (Offered, Some(Note::Taken), false),
            (Self::Hold, Answered::Failed) => (Offered, Some(Note::NotDone), true),
            (Self::Book, Answered::Done) => (Booked, None, false),
            (Self::Book, Answered::No) => (Held, Some(Note::HoldEnded), true),
            (Self::Book, Answered::Failed) => (Held, Some(Note::NotDone), true),
            (Self::Request, Answered::Done) => (state, None, false),
            (Self::Request, Answered::No | Answered::Failed) => (Cancelled, Some(Note::NotDone), false),
            (Self::Release, _) => (Offered, None, false),
            (Self::Cancel, Answered::Done) => (Cancelled, None, false),
            (Self::Replace, Answered::Done) => (Rescheduled, None, false),
            (Self::Cancel | Self::Replace, Answered::No | Answered::Failed) => (state, Some(Note::NotCancelled), false),
        };
        After { state, note, let_go }
    }
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
            sequence: self.sequence,
        })
    }

    /// Where it stands after the clinic's people said this of it; `None` where that is no news. A visit that was booked at
    /// another time than was known was moved; one that they never chose is theirs to give.
    #[must_use]
    pub fn told(&self, said: Said, time: Option<Time>) -> Option<After> {
        use BookingState::{Booked, Cancelled, Fulfilled, Held, NoShow, Offered, Requested};
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
#[path = "booking_tests.rs"]
mod tests;
