//! What a clinic's people did with a visit in their own system is written into the booking.

use jiff::Timestamp;

use super::BookingError;
use super::kept::hold;
use crate::domain::booking::{BookingState, Place, Said, Wish};
use crate::domain::ids::{ClinicId, MemberId};
use crate::inbound::visits::TheirVisit;
use crate::pipeline::Bridge;
use crate::store::Tx;

/// Writes down how a visit of this member stands at this clinic, as far as that is news. While the clinic's system is being
/// asked for something else, nothing is: its answer says how it stands. The caller holds the member. Returns whether it was
/// news.
///
/// # Errors
/// [`BookingError`]; the transaction must then be dropped.
pub async fn changed(
    bridge: &Bridge,
    tx: &mut Tx,
    (member, clinic): (MemberId, &ClinicId),
    theirs: &TheirVisit,
    now: Timestamp,
) -> Result<bool, BookingError> {
    let row = tx.booking_of_identifier(&theirs.identifier).await?;
    let Some(row) = row.filter(|row| row.member == member && row.clinic == *clinic) else { return Ok(false) };
    // Its people may propose a time before their system's own answer was heard.
    if row.wish.is_some_and(|wish| wish != Wish::Request) {
        return Ok(false);
    }
    let mut held = hold(bridge, tx, member, row.id).await?;
    // What was asked for was done after its member had given up, and had been told that nothing is kept.
    let is_given_up = matches!(row.state, BookingState::Offered | BookingState::Cancelled);
    if theirs.said == Said::Kept && is_given_up && row.wish.is_none() && row.hold_until.is_none() {
        tracing::info!(clinic_id = %clinic, "a clinic keeps a time that nobody wants any more: it is given back");
        held.row.hold_until = Some(now);
        held.keep(tx, now).await?;
        return Ok(false);
    }
    let before = held.booking();
    let Some(after) = before.told(theirs.said, theirs.time) else { return Ok(false) };
    let row = &mut held.row;
    (row.state, row.note, row.wish, row.look_at) = (after.state, after.note, None, None);
    row.hold_until = after.let_go.then_some(now);
    row.sequence += 1;
    if after.state == BookingState::Booked {
        row.time = theirs.time.or(row.time);
        // What was booked by operations is given back by them, whatever Slots stand behind it.
        if !matches!(held.details.place, Some(Place::Proposed(_))) {
            held.details.place = theirs.slot.clone().map(Place::Slot).or(held.details.place);
        }
    }
    held.keep(tx, now).await?;
    if after.note.is_some() || before.state == BookingState::Requested {
        tx.put_telling(member, before.id.0, now).await?;
    }
    Ok(true)
}
