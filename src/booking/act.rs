//! What a member does with a booking. Each is one transaction of the caller's; after its commit the caller wakes the desks
//! ([`Bridge::wake`]).

use jiff::{SignedDuration, Timestamp};

use super::group::leave;
use super::kept::{Held, hold, hold_member, seal};
use super::put::{identifier, permitted, put};
use super::{ANSWERED_WITHIN, BookingError, MOST_AT_ONCE};
use crate::domain::booking::{Booking, BookingState, Details, LONGEST_REASON, Place, Way, Wish};
use crate::domain::ids::{BookingId, ClinicId, MemberId, VisitTypeId};
use crate::domain::visit_type::VisitType;
use crate::pipeline::Bridge;
use crate::store::{SealedBooking, Tx};

/// What a member asks for.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    /// At which clinic.
    pub clinic: &'a ClinicId,
    /// What kind of visit.
    pub visit: &'a VisitTypeId,
    /// Why, in their own words; empty where they do not say.
    pub reason: &'a str,
    /// In which way it is booked there.
    pub way: Way,
}

/// The member asks for a visit. Where the clinic's people say when, they are asked at once; else times are to be found.
///
/// # Errors
/// [`BookingError`]; the transaction must then be dropped.
pub async fn ask(
    bridge: &Bridge,
    tx: &mut Tx,
    member: MemberId,
    asked: Ask<'_>,
    now: Timestamp,
) -> Result<Booking, BookingError> {
    let key = hold_member(bridge, tx, member).await?;
    let reason = tidied(asked.reason)?;
    let visit = offered(bridge, tx, asked.clinic, asked.visit).await?;
    if !visit.can_be_asked_for() {
        return Err(BookingError::NotFound);
    }
    let is_open = |row: &&SealedBooking| {
        let is_begun = !row.state.is_over() && row.state != BookingState::Booked;
        row.clinic == *asked.clinic && is_begun && row.session.is_none()
    };
    if tx.bookings(member).await?.iter().filter(is_open).count() >= MOST_AT_ONCE {
        return Err(BookingError::TooMany);
    }
    permitted(&tx.living_grants(&[member]).await?, member, asked.clinic, reason.as_deref(), now)?;
    let details = Details { reason, ..Details::default() };
    let mut held = begun(bridge, key, (asked.clinic, asked.visit), details, now)?;
    if asked.way == Way::Request {
        held.row.attempt = 1;
        held.row.identifier = Some(identifier(bridge, held.row.id, 1));
        put(bridge, tx, &mut held, Wish::Request, now).await?;
    }
    held.keep(tx, now).await?;
    Ok(held.booking())
}

/// The member wants another time for a visit that is booked: a new booking begins, which takes its place when it is booked
/// itself. One that began before goes on.
///
/// # Errors
/// [`BookingError`]; the transaction must then be dropped.
pub async fn change(
    bridge: &Bridge,
    tx: &mut Tx,
    member: MemberId,
    id: BookingId,
    now: Timestamp,
) -> Result<Booking, BookingError> {
    let before = hold(bridge, tx, member, id).await?;
    if before.row.state != BookingState::Booked || before.row.wish.is_some() || before.row.session.is_some() {
        return Err(BookingError::NotNow);
    }
    permitted(&tx.living_grants(&[member]).await?, member, &before.row.clinic, None, now)?;
    offered(bridge, tx, &before.row.clinic, &before.row.visit).await?;
    let begun_before = tx.bookings(member).await?.into_iter();
    let begun_before = begun_before.filter(|row| row.replaces == Some(id) && !row.state.is_over());
    if let Some(row) = begun_before.max_by_key(|row| row.created_at) {
        return super::of(&before.key, &row);
    }
    let place = (&before.row.clinic, &before.row.visit);
    let details = Details { reason: before.details.reason.clone(), ..Details::default() };
    let mut held = begun(bridge, before.key.clone(), place, details, now)?;
    held.row.replaces = Some(id);
    held.keep(tx, now).await?;
    Ok(held.booking())
}

/// The member chooses a time: the clinic's system is asked to keep it for them, for a while.
///
/// # Errors
/// [`BookingError`]; the transaction must then be dropped.
pub async fn choose(
    bridge: &Bridge,
    tx: &mut Tx,
    member: MemberId,
    id: BookingId,
    place: &Place,
    now: Timestamp,
) -> Result<Booking, BookingError> {
    let mut held = hold(bridge, tx, member, id).await?;
    let is_kept = held.row.hold_until.is_some();
    if held.row.state != BookingState::Offered || held.row.wish.is_some() || is_kept {
        return Err(BookingError::NotNow);
    }
    let visit = offered(bridge, tx, &held.row.clinic, &held.row.visit).await?;
    let offer = held.booking().offer(place).cloned().filter(|offer| visit.reaches(offer.time.start, now));
    let offer = offer.ok_or(BookingError::NotOffered)?;
    held.row.attempt += 1;
    held.row.identifier = Some(identifier(bridge, id, held.row.attempt));
    (held.row.time, held.details.place) = (Some(offer.time), Some(offer.place));
    held.row.hold_until = now.checked_add(SignedDuration::from_mins(i64::from(visit.hold_minutes))).ok();
    held.row.look_at = None;
    put(bridge, tx, &mut held, Wish::Hold, now).await?;
    held.keep(tx, now).await?;
    Ok(held.booking())
}

/// The member confirms the time that is kept for them.
///
/// # Errors
/// [`BookingError`]; the transaction must then be dropped.
pub async fn confirm(
    bridge: &Bridge,
    tx: &mut Tx,
    member: MemberId,
    id: BookingId,
    now: Timestamp,
) -> Result<Booking, BookingError> {
    let mut held = hold(bridge, tx, member, id).await?;
    let is_kept = held.row.hold_until.is_some_and(|until| now < until);
    if held.row.state != BookingState::Held || held.row.wish.is_some() || !is_kept {
        return Err(BookingError::NotNow);
    }
    held.row.hold_until = now.checked_add(ANSWERED_WITHIN).ok();
    put(bridge, tx, &mut held, Wish::Book, now).await?;
    held.keep(tx, now).await?;
    Ok(held.booking())
}

/// The member wants another time than the one that is kept for them.
///
/// # Errors
/// [`BookingError`]; the transaction must then be dropped.
pub async fn release(
    bridge: &Bridge,
    tx: &mut Tx,
    member: MemberId,
    id: BookingId,
    now: Timestamp,
) -> Result<Booking, BookingError> {
    let mut held = hold(bridge, tx, member, id).await?;
    let may_be = matches!((held.row.state, held.row.wish), (BookingState::Held, None) | (_, Some(Wish::Hold)));
    if !may_be {
        return Err(BookingError::NotNow);
    }
    held.row.hold_until = None;
    put(bridge, tx, &mut held, Wish::Release, now).await?;
    held.keep(tx, now).await?;
    Ok(held.booking())
}

/// The member does not want the visit, or no longer. Where the clinic may keep a time for them, or expects them, its system is
/// told so; else nobody need be told.
///
/// # Errors
/// [`BookingError`]; the transaction must then be dropped.
pub async fn cancel(
    bridge: &Bridge,
    tx: &mut Tx,
    member: MemberId,
    id: BookingId,
    now: Timestamp,
) -> Result<Booking, BookingError> {
    let mut held = hold(bridge, tx, member, id).await?;
    let is_given_back = held.row.wish.is_some_and(|wish| !wish.asks() && wish != Wish::Release);
    if held.row.state.is_over() || is_given_back {
        return Err(BookingError::NotNow);
    }
    if held.row.session.is_some() {
        // Whoever was there, was there.
        held.row.time.filter(|time| now < time.end).ok_or(BookingError::NotNow)?;
        leave(bridge, tx, &mut held, now).await?;
        return Ok(held.booking());
    }
    held.row.look_at = None;
    let is_at_clinic = held.row.wish.is_some()
        || held.row.hold_until.is_some()
        || held.row.state == BookingState::Booked
        || (held.row.state == BookingState::Requested && held.row.identifier.is_some());
    if is_at_clinic {
        held.row.hold_until = None;
        put(bridge, tx, &mut held, Wish::Cancel, now).await?;
    } else {
        (held.row.state, held.row.note, held.row.time) = (BookingState::Cancelled, None, None);
    }
    held.keep(tx, now).await?;
    Ok(held.booking())
}

/// A kind of visit that members can ask for now.
pub(super) async fn offered(
    bridge: &Bridge,
    tx: &mut Tx,
    clinic: &ClinicId,
    visit: &VisitTypeId,
) -> Result<VisitType, BookingError> {
    let visit = bridge.visit(tx, clinic, visit).await?.ok_or(BookingError::NotFound)?;
    if visit.is_offered { Ok(visit) } else { Err(BookingError::NotOfferedNow) }
}

/// A booking that begins.
pub(super) fn begun(
    bridge: &Bridge,
    key: crate::vault::MemberKey,
    (clinic, visit): (&ClinicId, &VisitTypeId),
    details: Details,
    now: Timestamp,
) -> Result<Held, BookingError> {
    let id = BookingId(bridge.keyring.entropy().uuid(now)?);
    let row = SealedBooking {
        member: key.member(),
        id,
        clinic: clinic.clone(),
        visit: visit.clone(),
        state: BookingState::Requested,
        wish: None,
        note: None,
        attempt: 0,
        identifier: None,
        time: None,
        hold_until: None,
        look_at: None,
        replaces: None,
        session: None,
        sequence: 0,
        sealed: seal(&key, id, &details)?,
        created_at: now,
        updated_at: now,
    };
    Ok(Held { key, row, details })
}

/// The reason without blanks around it and control characters in it; none where nothing is left.
fn tidied(text: &str) -> Result<Option<String>, BookingError> {
    let text: String = text.chars().filter(|c| !c.is_control() || *c == '\n').collect();
    let text = text.trim();
    if text.chars().count() > LONGEST_REASON {
        return Err(BookingError::Reason);
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}
