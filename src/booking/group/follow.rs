//! Places follow their sessions: what was moved or called off is so for each who has a place, and whoever waits gets one that
//! became free. Every replica does it; a place is one short transaction, and whoever died left it to be found.

use jiff::{SignedDuration, Timestamp};

use super::seat::move_up;
use crate::booking::BookingError;
use crate::booking::kept::{Held, hold};
use crate::booking::put::{put, send};
use crate::domain::booking::{BookingState, Note, Wish};
use crate::domain::delivery::Operation;
use crate::domain::group::{GroupSession, GroupState};
use crate::pipeline::Bridge;
use crate::store::{BookingKey, Tx};

/// How many places are looked after before others get their turn.
const AT_ONCE: i64 = 50;

/// How long a session that is over is kept, if nobody's booking is a place in it.
const OVER_FOR: SignedDuration = SignedDuration::from_hours(365 * 24);

/// Looks after a portion of places. Returns whether there may be more.
///
/// # Errors
/// [`BookingError`]; what was not done is found again.
pub async fn tend(bridge: &Bridge) -> Result<bool, BookingError> {
    let now = bridge.clock.now();
    let mut tx = bridge.store.read().await?;
    let mut due = tx.seats_to_follow(now, AT_ONCE).await?;
    due.extend(tx.waiting_for_free_seats(now, AT_ONCE).await?);
    drop(tx);
    let mut is_more = false;
    for key in due {
        is_more |= tend_one(bridge, key).await?;
    }
    if is_more {
        bridge.wake.notify_waiters();
    }
    let mut tx = bridge.store.begin().await?;
    let old = now.checked_sub(OVER_FOR).unwrap_or(Timestamp::MIN);
    let forgotten = tx.forget_old_group_sessions(old, AT_ONCE).await?;
    tx.commit().await?;
    Ok(is_more || forgotten > 0)
}

/// Looks after one place. Returns whether there was anything to be done.
async fn tend_one(bridge: &Bridge, (member, id): BookingKey) -> Result<bool, BookingError> {
    let mut tx = bridge.store.begin().await?;
    let mut held = match hold(bridge, &mut tx, member, id).await {
        // They were erased in between, or it was forgotten.
        Err(BookingError::NotFound) => return Ok(false),
        held => held?,
    };
    let Some(session) = held.row.session else { return Ok(false) };
    let Some(session) = tx.lock_group_session(&held.row.clinic, session).await? else { return Ok(false) };
    // Only now, when nobody can change it any more.
    let now = bridge.clock.now();
    let is_open = matches!(held.row.state, BookingState::Requested | BookingState::Booked) && held.row.wish.is_none();
    if !is_open {
        return Ok(false);
    }
    let is_done = follow(bridge, &mut tx, &mut held, &session, now).await?
        || move_up(bridge, &mut tx, &mut held, &session, now).await?;
    if is_done {
        tx.commit().await?;
    }
    Ok(is_done)
}

/// Brings a place to where its session stands. Returns whether anything was done.
async fn follow(
    bridge: &Bridge,
    tx: &mut Tx,
    held: &mut Held,
    session: &GroupSession,
    now: Timestamp,
) -> Result<bool, BookingError> {
    let (is_over, is_waiting) = (session.time.end <= now, held.row.state == BookingState::Requested);
    let is_off = session.state == GroupState::Cancelled && !is_over;
    if (is_over && is_waiting) || is_off {
        held.row.state = BookingState::Cancelled;
    } else if !is_over && held.row.time != Some(session.time) {
        held.row.time = Some(session.time);
    } else {
        return Ok(false);
    }
    if !is_waiting {
        held.row.sequence += 1;
        let is_told = tell_clinic(bridge, tx, held, is_off, now).await;
        // What may not be told just now stands with the session itself.
        if let Err(error) = is_told
            && !matches!(error, BookingError::NotPermitted(_))
        {
            return Err(error);
        }
        held.row.note = Some(if is_off { Note::ClinicCancelled } else { Note::ClinicMoved });
    } else if is_off {
        held.row.note = Some(Note::ClinicCancelled);
    }
    if held.row.note.is_some() {
        tx.put_telling(held.row.member, held.row.id.0, now).await?;
    }
    held.keep(tx, now).await?;
    Ok(true)
}

/// The member's own Appointment follows as well, where there is one.
async fn tell_clinic(
    bridge: &Bridge,
    tx: &mut Tx,
    held: &mut Held,
    is_off: bool,
    now: Timestamp,
) -> Result<(), BookingError> {
    match held.row.identifier {
        None => Ok(()),
        Some(_) if is_off => put(bridge, tx, held, Wish::Decline, now).await,
        Some(_) => send(bridge, tx, held, (Wish::Book, Operation::Correct), now).await,
    }
}
