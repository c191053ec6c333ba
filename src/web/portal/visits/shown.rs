//! The words of bookings: the same wherever they are shown.

use crate::domain::booking::{Booking, BookingState, Note, Place, Wish};

/// How a booking stands: the key of its words.
pub const fn stands(booking: &Booking) -> &'static str {
    match (booking.wish, booking.state) {
        (Some(Wish::Hold | Wish::Offer), _) => "visit-stands-holding",
        (Some(Wish::Book | Wish::Give), _) => "visit-stands-booking",
        (Some(Wish::Release), _) => "visit-stands-releasing",
        // Whatever the clinic's system says to it.
        (_, BookingState::Cancelled) if booking.seat.is_some() => "visit-stands-cancelled",
        (Some(Wish::Cancel | Wish::Replace | Wish::Decline), _) => "visit-stands-cancelling",
        (_, BookingState::Requested) if booking.seat.is_some() => "visit-stands-seat-waits",
        (_, BookingState::Requested) => "visit-stands-requested",
        (_, BookingState::Offered) => "visit-stands-offered",
        (_, BookingState::Held) => "visit-stands-held",
        (_, BookingState::Booked) if booking.seat.is_some() => "visit-stands-seat",
        (_, BookingState::Booked) => "visit-stands-booked",
        (_, BookingState::Rescheduled) => "visit-stands-rescheduled",
        (_, BookingState::Fulfilled) => "visit-stands-fulfilled",
        (_, BookingState::Cancelled) => "visit-stands-cancelled",
        (_, BookingState::NoShow) => "visit-stands-noshow",
    }
}

/// What the member is told about it: the key of its words.
pub const fn note(note: Note) -> &'static str {
    match note {
        Note::Taken => "visit-note-taken",
        Note::HoldEnded => "visit-note-hold-ended",
        Note::NotDone => "visit-note-not-done",
        Note::NotCancelled => "visit-note-not-cancelled",
        Note::ClinicCancelled => "visit-note-clinic-cancelled",
        Note::ClinicMoved => "visit-note-clinic-moved",
        Note::NowFree => "visit-note-now-free",
        Note::ClinicOffers => "visit-note-clinic-offers",
        Note::ClinicNoTime => "visit-note-clinic-no-time",
        Note::ClinicCall => "visit-note-clinic-call",
        Note::ClinicElse => "visit-note-clinic-else",
        Note::MovedUp => "visit-note-moved-up",
    }
}

/// A place as a form names it.
pub fn field_of(place: &Place) -> String {
    match place {
        Place::Slot(id) => format!("slot:{id}"),
        Place::Proposed(id) => format!("proposed:{id}"),
    }
}

/// The place that a form names.
pub fn place_of(field: &str) -> Option<Place> {
    let (kind, id) = field.split_once(':')?;
    match kind {
        "slot" => Some(Place::Slot(id.to_owned())),
        "proposed" => Some(Place::Proposed(id.to_owned())),
        _ => None,
    }
}
