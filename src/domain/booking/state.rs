//! The life of a booking: where it stands, what its clinic was asked, and what comes of the answer. Pure.

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
        /// To take note that the member is there. Nobody waits for the answer: it stands on no booking.
        Arrive = "arrive",
        /// To take note that its people gave this time to the member.
        Give = "give",
        /// To keep this time for the member, to whom its people offer it.
        Offer = "offer",
        /// To cancel, because its people said no.
        Decline = "decline",
        /// To take note that the visit was.
        Fulfil = "fulfil",
        /// To take note that the member did not come.
        Miss = "miss",
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
        /// The clinic keeps a time for them, which they are to confirm.
        ClinicOffers = "clinic-offers",
        /// The clinic has no time for it at present.
        ClinicNoTime = "clinic-no-time",
        /// The clinic wants them to call.
        ClinicCall = "clinic-call",
        /// The clinic finds that something else suits better.
        ClinicElse = "clinic-else",
        /// A place in a group session became free that they waited for: it is theirs.
        MovedUp = "moved-up",
    }
}

/// How a clinic's people say that a visit stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Said {
    /// Its time is kept, and it is not booked.
    Kept,
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
            (Self::Requested | Self::Held, Self::Offered | Self::Booked | Self::Cancelled)
            // The clinic's people keep a time for them.
            | (Self::Requested, Self::Held)
            | (Self::Offered, Self::Requested | Self::Held | Self::Booked | Self::Cancelled)
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
            Self::Request | Self::Give | Self::Offer => matches!(state, BookingState::Requested),
            Self::Release => matches!(state, BookingState::Offered | BookingState::Held),
            Self::Cancel | Self::Decline => !state.is_over(),
            Self::Fulfil => matches!(state, BookingState::Booked | BookingState::NoShow),
            Self::Miss => matches!(state, BookingState::Booked | BookingState::Fulfilled),
            Self::Replace | Self::Arrive => matches!(state, BookingState::Booked),
        }
    }

    /// Whether it says something new of the member, and does not give anything back.
    #[must_use]
    pub const fn asks(self) -> bool {
        matches!(self, Self::Hold | Self::Book | Self::Request | Self::Give | Self::Offer | Self::Arrive)
    }

    /// Where a booking stands that stood at `state`, after the clinic's system answered this.
    #[must_use]
    pub const fn settled(self, state: BookingState, answered: Answered) -> After {
        use BookingState::{Booked, Cancelled, Fulfilled, Held, NoShow, Offered, Requested, Rescheduled};
        let (state, note, let_go) = match (self, answered) {
            (Self::Hold, Answered::Done) => (Held, None, false),
            (Self::Hold, Answered::No) => (Offered, Some(Note::Taken), false),
            (Self::Hold | Self::Give | Self::Offer, Answered::Failed) => (Offered, Some(Note::NotDone), true),
            (Self::Book | Self::Give, Answered::Done) => (Booked, None, false),
            (Self::Book, Answered::No) => (Held, Some(Note::HoldEnded), true),
            (Self::Book, Answered::Failed) => (Held, Some(Note::NotDone), true),
            (Self::Request, Answered::Done)
            | (Self::Arrive, _)
            | (Self::Decline | Self::Fulfil | Self::Miss, Answered::No | Answered::Failed) => (state, None, false),
            (Self::Request, Answered::No | Answered::Failed) => (Cancelled, Some(Note::NotDone), false),
            (Self::Release, _) => (Offered, None, false),
            (Self::Offer, Answered::Done) => (Held, Some(Note::ClinicOffers), false),
            // Its people find another time.
            (Self::Give | Self::Offer, Answered::No) => (Requested, None, false),
            (Self::Cancel | Self::Decline, Answered::Done) => (Cancelled, None, false),
            (Self::Replace, Answered::Done) => (Rescheduled, None, false),
            (Self::Fulfil, Answered::Done) => (Fulfilled, None, false),
            (Self::Miss, Answered::Done) => (NoShow, None, false),
            (Self::Cancel | Self::Replace, Answered::No | Answered::Failed) => (state, Some(Note::NotCancelled), false),
        };
        After { state, note, let_go }
    }
}
