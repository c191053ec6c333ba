//! What the time brings about: what a clinic keeps and is to keep no longer is given back. Every replica does it; a booking is
//! one short transaction, does nothing twice, and whoever died left it to be found.

use jiff::{SignedDuration, Timestamp};

use super::kept::{Held, hold};
use super::put::put;
use super::{BookingError, group};
use crate::domain::booking::{BookingState, Note, Wish};
use crate::domain::ids::MemberId;
use crate::pipeline::Bridge;
use crate::store::{BookingKey, Tx};

/// How many bookings are looked after before others get their turn.
const AT_ONCE: i64 = 50;

/// How long a booking that came to nothing is kept.
const IDLE_FOR: SignedDuration = SignedDuration::from_hours(14 * 24);

/// How long a visit that is over is kept.
const OVER_FOR: SignedDuration = SignedDuration::from_hours(365 * 24);

/// Gives back a portion of what is to be given back, and forgets what is old. Returns whether there may be more.
///
/// # Errors
/// [`BookingError`]; what was not done is found again.
pub async fn tend(bridge: &Bridge) -> Result<bool, BookingError> {
    let now = bridge.clock.now();
    let due = bridge.store.read().await?.bookings_to_let_go(now, AT_ONCE).await?;
    let mut is_more = false;
    for key in due {
        is_more |= tend_one(bridge, key).await?;
    }
    if is_more {
        bridge.wake.notify_waiters();
    }
    let before = |time| now.checked_sub(time).unwrap_or(Timestamp::MIN);
    let mut tx = bridge.store.begin().await?;
    let forgotten = tx.forget_old_bookings(before(IDLE_FOR), before(OVER_FOR), AT_ONCE).await?;
    tx.commit().await?;
    Ok(group::tend(bridge).await? || is_more || forgotten > 0)
}

/// Looks after one booking. Returns whether there was anything to be done.
async fn tend_one(bridge: &Bridge, (member, id): BookingKey) -> Result<bool, BookingError> {
    let mut tx = bridge.store.begin().await?;
    let mut held = match hold(bridge, &mut tx, member, id).await {
        // They were erased in between, or it was forgotten.
        Err(BookingError::NotFound) => return Ok(false),
        held => held?,
    };
    // Only now, when nobody can change it any more.
    let now = bridge.clock.now();
    let Some(wish) = due(&mut tx, &held, now).await? else { return Ok(false) };
    give_back(bridge, &mut tx, &mut held, wish, now).await?;
    tx.commit().await?;
    Ok(true)
}

/// What is to be given back of a booking, if anything is.
async fn due(tx: &mut Tx, held: &Held, now: Timestamp) -> Result<Option<Wish>, BookingError> {
    let row = &held.row;
    Ok(match row.wish {
        None | Some(Wish::Hold | Wish::Book | Wish::Offer) if row.hold_until.is_some_and(|until| until <= now) => {
            Some(Wish::Release)
        }
        None if row.state == BookingState::Booked && row.note != Some(Note::NotCancelled) => {
            tx.is_replaced((row.member, row.id)).await?.then_some(Wish::Replace)
        }
        // It was said already, and did not get there: a consent ended, and all that waited with it.
        Some(wish @ (Wish::Release | Wish::Cancel | Wish::Replace | Wish::Decline)) => {
            let identifier = row.identifier.as_deref().unwrap_or_default();
            (!tx.is_being_given_back(row.member, identifier).await?).then_some(wish)
        }
        _ => None,
    })
}

async fn give_back(
    bridge: &Bridge,
    tx: &mut Tx,
    held: &mut Held,
    wish: Wish,
    now: Timestamp,
) -> Result<(), BookingError> {
    let note = match held.row.note {
        None | Some(Note::ClinicOffers) if wish == Wish::Release && !held.row.state.is_over() => Some(Note::HoldEnded),
        note => note,
    };
    held.row.hold_until = None;
    match put(bridge, tx, held, wish, now).await {
        Ok(()) => held.row.note = note,
        // Nobody knows any more by what right anything was asked for; a human sees to it.
        Err(BookingError::NotPermitted(reason)) => {
            tracing::error!(%reason, clinic_id = %held.row.clinic, "a time at a clinic cannot be given back");
            held.row.wish = None;
            held.row.state = held.row.state.step(BookingState::Offered).unwrap_or(held.row.state);
        }
        Err(error) => return Err(error),
    }
    held.keep(tx, now).await
}

/// Gives back everything that clinics keep for a member and that is not booked, and their places in group sessions. The caller holds the member.
///
/// # Errors
/// [`BookingError`]; the transaction must then be dropped.
pub async fn let_go_of(bridge: &Bridge, tx: &mut Tx, member: MemberId, now: Timestamp) -> Result<(), BookingError> {
    for row in tx.bookings(member).await? {
        let is_kept = row.hold_until.is_some() || row.wish.is_some_and(Wish::asks);
        // What ended with a consent was not told yet.
        let is_to_come = row.session.is_some() && row.time.is_some_and(|time| now < time.end);
        let is_seat = is_to_come && (!row.state.is_over() || row.wish == Some(Wish::Cancel));
        if !is_kept && !is_seat {
            continue;
        }
        let mut held = hold(bridge, tx, member, row.id).await?;
        if is_seat {
            group::leave(bridge, tx, &mut held, now).await?;
        } else {
            give_back(bridge, tx, &mut held, Wish::Release, now).await?;
        }
    }
    Ok(())
}
