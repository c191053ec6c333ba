//! A member says that they are there: the clinic's system is told so, where it takes such a word (R4, appointmentstatus: arrived).
//! Nobody waits for its answer, and what its people do with the visit meanwhile counts as ever.

use jiff::Timestamp;

use super::BookingError;
use super::kept::hold;
use super::put::send;
use super::video::{EARLY, is_open};
use crate::domain::booking::{Visit, Wish};
use crate::domain::delivery::Operation;
use crate::domain::ids::{BookingId, MemberId};
use crate::pipeline::Bridge;
use crate::store::{StoreError, Tx};

/// The member is there for a visit that can be entered now. Said twice, it is said once.
///
/// # Errors
/// [`BookingError`]; the transaction must then be dropped.
pub async fn arrive(
    bridge: &Bridge,
    tx: &mut Tx,
    member: MemberId,
    id: BookingId,
    now: Timestamp,
) -> Result<(), BookingError> {
    let held = hold(bridge, tx, member, id).await?;
    let visit = held.row.visit().filter(|visit| is_open(visit.time.start, visit.time.end, now));
    let visit = visit.filter(|_| held.row.wish.is_none()).ok_or(BookingError::NotNow)?;
    if arrived(tx, &visit).await?.is_some() {
        return Ok(());
    }
    if visit.seat.is_none_or(|seat| seat.is_known) {
        send(bridge, tx, &held, (Wish::Arrive, Operation::Correct), now).await?;
    }
    Ok(tx.note_arrival((member, id), now).await?)
}

/// When the member said that they are there. What they said before the visit was moved says nothing of the time that it has now.
///
/// # Errors
/// [`StoreError`].
pub async fn arrived(tx: &mut Tx, visit: &Visit) -> Result<Option<Timestamp>, StoreError> {
    let at = tx.arrived_at((visit.member, visit.booking)).await?;
    let first = visit.time.start.checked_sub(EARLY).unwrap_or(Timestamp::MIN);
    Ok(at.filter(|at| *at >= first))
}
