//! What a clinic's staff decide about a booking in the bridge's own staff view. Each is one transaction of the caller's, and goes to
//! the clinic's EHR as what members ask for does; the member is told when the EHR has it. Nothing is decided twice: whoever is
//! second finds that the first has asked already.

use jiff::Timestamp;

use super::BookingError;
use super::kept::{Held, hold};
use super::put::{identifier, put, put_as};
use super::seen::may_be_shown;
use crate::domain::booking::{Booking, BookingState, Note, Place, Time, Wish};
use crate::domain::delivery::Operation;
use crate::domain::ids::ClinicId;
use crate::pipeline::Bridge;
use crate::store::{BookingKey, Tx};

/// A time that a clinic's staff give to a member.
#[derive(Clone, PartialEq, Eq)]
pub struct Given {
    /// When.
    pub time: Time,
    /// Where it stands in the EHR; `None`: it has no place there but in the Appointment itself.
    pub place: Option<Place>,
    /// Until when it is kept for the member, who is to confirm it; `None`: it is theirs.
    pub until: Option<Timestamp>,
}

/// Gives a time to a member who asked for one, or keeps one for them until they answer.
///
/// # Errors
/// [`BookingError`]; the transaction must then be dropped.
pub async fn give(
    bridge: &Bridge,
    tx: &mut Tx,
    (clinic, key): (&ClinicId, BookingKey),
    given: Given,
    now: Timestamp,
) -> Result<Booking, BookingError> {
    let mut held = held(bridge, tx, clinic, key, now).await?;
    let is_ahead = now < given.time.start && given.until.is_none_or(|until| now < until && until <= given.time.start);
    if held.row.state != BookingState::Requested || !is_ahead {
        return Err(BookingError::NotNow);
    }
    // What its people were asked for stands in the EHR already; somebody who waits does not.
    let operation = if held.row.identifier.is_some() { Operation::Correct } else { Operation::Create };
    if held.row.identifier.is_none() {
        held.row.attempt += 1;
        held.row.identifier = Some(identifier(bridge, held.row.id, held.row.attempt));
    }
    (held.row.time, held.details.place) = (Some(given.time), given.place);
    (held.row.hold_until, held.row.look_at) = (given.until, None);
    let wish = if given.until.is_some() { Wish::Offer } else { Wish::Give };
    put_as(bridge, tx, &mut held, (wish, operation), now).await?;
    held.keep(tx, now).await?;
    Ok(held.booking())
}

/// Says no to a request, or calls off a visit that is booked; the member is told this.
///
/// # Errors
/// [`BookingError`]; the transaction must then be dropped.
pub async fn decline(
    bridge: &Bridge,
    tx: &mut Tx,
    (clinic, key): (&ClinicId, BookingKey),
    note: Note,
    now: Timestamp,
) -> Result<Booking, BookingError> {
    let mut held = held(bridge, tx, clinic, key, now).await?;
    let is_past = held.row.time.is_some_and(|time| time.start <= now);
    if !matches!(held.row.state, BookingState::Requested | BookingState::Booked) || is_past {
        return Err(BookingError::NotNow);
    }
    held.row.look_at = None;
    if held.row.identifier.is_some() {
        put(bridge, tx, &mut held, Wish::Decline, now).await?;
    } else {
        // Nothing of it stands anywhere.
        held.row.state = BookingState::Cancelled;
        tx.put_telling(held.row.member, held.row.id.0, now).await?;
    }
    held.row.note = Some(note);
    held.keep(tx, now).await?;
    Ok(held.booking())
}

/// Notes down whether a visit took place, once it has begun. `from` is how it stood for whoever says so.
///
/// # Errors
/// [`BookingError`]; the transaction must then be dropped.
pub async fn mark(
    bridge: &Bridge,
    tx: &mut Tx,
    (clinic, key): (&ClinicId, BookingKey),
    (from, took_place): (BookingState, bool),
    now: Timestamp,
) -> Result<Booking, BookingError> {
    let mut held = held(bridge, tx, clinic, key, now).await?;
    let wish = if took_place { Wish::Fulfil } else { Wish::Miss };
    let has_begun = held.row.time.is_some_and(|time| time.start <= now);
    if held.row.state != from || !wish.is_legal(from) || !has_begun {
        return Err(BookingError::NotNow);
    }
    put(bridge, tx, &mut held, wish, now).await?;
    held.keep(tx, now).await?;
    Ok(held.booking())
}

/// A booking that nobody else changes until the transaction ends, if the clinic's staff may see it and nothing is under way.
async fn held(
    bridge: &Bridge,
    tx: &mut Tx,
    clinic: &ClinicId,
    (member, id): BookingKey,
    now: Timestamp,
) -> Result<Held, BookingError> {
    let held = hold(bridge, tx, member, id).await?;
    let grants = tx.living_grants(&[member]).await?;
    let is_unknown = held.row.seat().is_some_and(|seat| !seat.is_known);
    if held.row.clinic != *clinic || is_unknown || !may_be_shown(&grants, member, clinic, None, now) {
        return Err(BookingError::NotFound);
    }
    if held.row.wish.is_some() {
        return Err(BookingError::NotNow);
    }
    Ok(held)
}
