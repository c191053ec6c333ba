//! A member takes a place in a session, and gives it back.

use jiff::Timestamp;

use crate::booking::BookingError;
use crate::booking::act::begun;
use crate::booking::kept::{Held, hold_member};
use crate::booking::put::{identifier, may_ask, put, send};
use crate::domain::booking::{Booking, BookingState, Details, Note, Wish};
use crate::domain::delivery::Operation;
use crate::domain::grant::Grant;
use crate::domain::group::GroupSession;
use crate::domain::ids::{ClinicId, GroupSessionId, MemberId};
use crate::pipeline::Bridge;
use crate::store::{Link, SealedBooking, Tx};

/// Whether a member may take part in sessions of one kind, and whether the clinic then knows them: `None` if they may not. What
/// the clinic may know, their consent says; to take part in what is open to everybody, nobody need be known.
#[must_use]
pub fn may_join(
    (grants, links): (&[Grant], &[Link]),
    member: MemberId,
    clinic: &ClinicId,
    is_open: bool,
    now: Timestamp,
) -> Option<bool> {
    let is_known = links.iter().any(|link| link.clinic == *clinic) && may_ask(grants, member, clinic, false, now);
    (is_known || is_open).then_some(is_known)
}

/// The member takes a place in a session, or waits for one where none is free. Whoever has one, or waits already, still does.
///
/// # Errors
/// [`BookingError`]; the transaction must then be dropped.
pub async fn join(
    bridge: &Bridge,
    tx: &mut Tx,
    member: MemberId,
    (clinic, id): (&ClinicId, GroupSessionId),
    now: Timestamp,
) -> Result<Booking, BookingError> {
    let key = hold_member(bridge, tx, member).await?;
    let session = tx.lock_group_session(clinic, id).await?.ok_or(BookingError::NotFound)?;
    let is_theirs = |row: &SealedBooking| row.session == Some(id) && !row.state.is_over();
    if let Some(row) = tx.bookings(member).await?.into_iter().find(is_theirs) {
        return crate::booking::of(&key, &row);
    }
    let is_known = admitted(bridge, tx, member, &session, now).await?.ok_or(BookingError::NotFound)?;
    if !session.is_joinable(now) {
        return Err(BookingError::NotNow);
    }
    let mut held = begun(bridge, key, (clinic, &session.visit), Details::default(), now)?;
    (held.row.session, held.row.time) = (Some(id), Some(session.time));
    if session.has_room(tx.count_seats(id).await?) {
        seated(bridge, tx, &mut held, is_known, now).await?;
    }
    held.keep(tx, now).await?;
    Ok(held.booking())
}

/// Somebody who waited gets a place that became free, if they still may. Whoever may not waits no longer. Returns whether
/// anything was done.
pub(super) async fn move_up(
    bridge: &Bridge,
    tx: &mut Tx,
    held: &mut Held,
    session: &GroupSession,
    now: Timestamp,
) -> Result<bool, BookingError> {
    if held.row.state != BookingState::Requested || !session.is_joinable(now) {
        return Ok(false);
    }
    if !session.has_seat(tx.count_seats(session.id).await?) {
        return Ok(false);
    }
    match admitted(bridge, tx, held.row.member, session, now).await? {
        Some(is_known) => {
            seated(bridge, tx, held, is_known, now).await?;
            held.row.note = Some(Note::MovedUp);
            tx.put_telling(held.row.member, held.row.id.0, now).await?;
        }
        None => held.row.state = BookingState::Cancelled,
    }
    held.keep(tx, now).await?;
    Ok(true)
}

/// The member gives their place back, or waits for one no longer. It is free at once, whatever the EHR says to it.
pub(in crate::booking) async fn leave(
    bridge: &Bridge,
    tx: &mut Tx,
    held: &mut Held,
    now: Timestamp,
) -> Result<(), BookingError> {
    if held.row.state == BookingState::Booked {
        held.row.sequence += 1;
    }
    (held.row.state, held.row.note) = (BookingState::Cancelled, None);
    if held.row.identifier.is_some() {
        put(bridge, tx, held, Wish::Cancel, now).await?;
    }
    held.keep(tx, now).await
}

/// As [`may_join`], for a member who is held.
async fn admitted(
    bridge: &Bridge,
    tx: &mut Tx,
    member: MemberId,
    session: &GroupSession,
    now: Timestamp,
) -> Result<Option<bool>, BookingError> {
    let visit = bridge.visit(tx, &session.clinic, &session.visit).await?.filter(|visit| visit.is_offered);
    let Some(rules) = visit.and_then(|visit| visit.group) else { return Ok(None) };
    let (grants, links) = (tx.living_grants(&[member]).await?, tx.links(&[member]).await?);
    Ok(may_join((&grants, &links), member, &session.clinic, rules.open, now))
}

/// The place is theirs; the clinic is told so where it may know.
async fn seated(
    bridge: &Bridge,
    tx: &mut Tx,
    held: &mut Held,
    is_known: bool,
    now: Timestamp,
) -> Result<(), BookingError> {
    (held.row.state, held.row.attempt) = (BookingState::Booked, 1);
    held.row.sequence += 1;
    if is_known {
        held.row.identifier = Some(identifier(bridge, held.row.id, 1));
        send(bridge, tx, held, (Wish::Book, Operation::Create), now).await?;
    }
    Ok(())
}
