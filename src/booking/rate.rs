//! After a visit its member may say how it was. That is counted, by kind of visit and month, and nothing keeps who said what: of
//! the booking it is only known that it was asked about.

use jiff::{SignedDuration, Timestamp};

use super::BookingError;
use super::kept::hold;
use crate::domain::booking::{Booking, BookingState, Rating};
use crate::domain::ids::{BookingId, MemberId};
use crate::pipeline::Bridge;
use crate::store::{StoreError, Tx};

/// How long after its end a visit is asked about.
const ASKED_FOR: SignedDuration = SignedDuration::from_hours(14 * 24);

/// Whether the member is to be asked how a visit was.
///
/// # Errors
/// [`StoreError`].
pub async fn is_to_be_rated(tx: &mut Tx, booking: &Booking, now: Timestamp) -> Result<bool, StoreError> {
    Ok(is_past(booking, now) && !tx.is_rated((booking.member, booking.id)).await?)
}

/// Counts what the member says of a visit. Said twice, it counts once.
///
/// # Errors
/// [`BookingError`]; the transaction must then be dropped.
pub async fn rate(
    bridge: &Bridge,
    tx: &mut Tx,
    member: MemberId,
    id: BookingId,
    rating: Rating,
    now: Timestamp,
) -> Result<(), BookingError> {
    let booking = hold(bridge, tx, member, id).await?.booking();
    if !is_past(&booking, now) {
        return Err(BookingError::NotNow);
    }
    if tx.note_rated((member, id)).await? {
        tx.count_rating(&booking.clinic, &booking.visit, rating, now).await?;
    }
    Ok(())
}

/// Whether a visit was, and not long ago.
fn is_past(booking: &Booking, now: Timestamp) -> bool {
    let was = matches!(booking.state, BookingState::Booked | BookingState::Fulfilled);
    was && booking.time.is_some_and(|time| time.end <= now && now.duration_since(time.end) <= ASKED_FOR)
}
