//! What a clinic answers about a visit is written into the booking that it is about, in the transaction that settles the item.

use jiff::Timestamp;

use super::ehr::{SLOT_GONE, SLOT_TAKEN, VISIT_OVER};
use super::settle::{NOTHING_THERE, Outcome};
use crate::domain::booking::{Answered, BookingState, Note, Wish};
use crate::domain::delivery::{Delivery, DeliveryState, Operation};
use crate::domain::matter::Matter;
use crate::store::{SealedBooking, StoreError, Tx};

/// What came of an item that is about a booking.
#[derive(Debug)]
pub struct Answer {
    identifier: String,
    operation: Operation,
    answered: Answered,
}

/// What an outcome says to a booking, if the item is about one and nothing more comes of it.
pub fn answer(item: &Delivery, outcome: &Outcome) -> Option<Answer> {
    if !matches!(item.matter, Matter::Booking { .. } | Matter::Cancelling) {
        return None;
    }
    let answered = match (outcome.state, outcome.reason.as_deref()) {
        (DeliveryState::Confirmed, _) | (DeliveryState::Withdrawn, Some(NOTHING_THERE)) => Answered::Done,
        (DeliveryState::Withdrawn, Some(SLOT_TAKEN | SLOT_GONE | VISIT_OVER)) => Answered::No,
        (DeliveryState::Withdrawn | DeliveryState::Rejected | DeliveryState::Dead, _) => Answered::Failed,
        _ => return None,
    };
    Some(Answer { identifier: item.identifier.clone(), operation: item.operation, answered })
}

/// Writes down what clinics answered. Whoever changed their mind in the meantime has asked for something else since: an
/// answer to what they no longer want changes nothing.
///
/// # Errors
/// [`StoreError`].
pub async fn write_down(tx: &mut Tx, answers: Vec<Answer>, now: Timestamp) -> Result<(), StoreError> {
    for answer in answers {
        let Some(row) = tx.booking_of_identifier(&answer.identifier).await? else { continue };
        let wish = row.wish.filter(|wish| is_carried_by(*wish, answer.operation));
        let Some(wish) = wish else { continue };
        let before = row.state;
        let settled = settled(row, wish, answer.answered, now);
        // They believe that they need not come; or the clinic's people decided something.
        let is_decided = matches!(wish, Wish::Give | Wish::Offer | Wish::Decline) && settled.state != before;
        if settled.note == Some(Note::NotCancelled) || is_decided {
            tx.put_telling(settled.member, settled.id.0, now).await?;
        }
        tx.put_booking(&settled).await?;
    }
    Ok(())
}

/// Whether an item that does this may carry a wish.
const fn is_carried_by(wish: Wish, operation: Operation) -> bool {
    match wish {
        Wish::Hold | Wish::Request => matches!(operation, Operation::Create),
        Wish::Book | Wish::Arrive | Wish::Fulfil | Wish::Miss => matches!(operation, Operation::Correct),
        // As something of it stands there already, or not.
        Wish::Give | Wish::Offer => matches!(operation, Operation::Create | Operation::Correct),
        Wish::Release | Wish::Cancel | Wish::Replace | Wish::Decline => matches!(operation, Operation::Retract),
    }
}

fn settled(row: SealedBooking, wish: Wish, answered: Answered, now: Timestamp) -> SealedBooking {
    let after = wish.settled(row.state, answered);
    let state = row.state.step(after.state).unwrap_or(row.state);
    let hold_until = match state {
        _ if after.let_go => Some(now),
        BookingState::Held => row.hold_until,
        _ => None,
    };
    // Of a time that is given back a member still hears why.
    let is_said_before = wish == Wish::Release || (wish == Wish::Decline && answered == Answered::Done);
    let note = if is_said_before { row.note } else { after.note };
    let is_open = matches!(state, BookingState::Offered | BookingState::Requested);
    let time = row.time.filter(|_| !is_open || after.let_go);
    let is_news = state != row.state && (state.is_over() || state == BookingState::Booked);
    let sequence = row.sequence + i64::from(is_news);
    SealedBooking { state, wish: None, note, hold_until, time, sequence, updated_at: now, ..row }
}
