//! Members are reminded of their visits, as long before as they wish: as a rule a day and an hour.
//!
//! A reminder stands among what members are told from the transaction on that writes down that it was due, so it comes once,
//! however many replicas look and whoever dies. It is about a visit at a time: of one that was moved meanwhile, called off, or
//! has begun, nobody is told ([`reminded_of`]).

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::BookingError;
use super::kept::hold_member;
use crate::domain::booking::Visit;
use crate::domain::ids::MemberId;
use crate::domain::settings::Reminders;
use crate::domain::visit_type::usual_reminders;
use crate::pipeline::Bridge;
use crate::readings::KeptError;
use crate::readings::settings::settings;
use crate::store::{BookingKey, SealedBooking, StoreError, Tx};
use crate::vault::MemberKey;

/// How many visits are looked at before others get their turn.
const AT_ONCE: i64 = 50;

/// When a visit is looked at again that could not be.
const LATER: SignedDuration = SignedDuration::from_mins(5);

/// Has members reminded of their visits, a portion of them. Returns whether there may be more.
///
/// # Errors
/// [`StoreError`]; whoever was not reminded is found again.
pub async fn remind(bridge: &Bridge) -> Result<bool, StoreError> {
    let now = bridge.clock.now();
    let due = bridge.store.read().await?.visits_to_remind_of(now, AT_ONCE).await?;
    for key in &due {
        match remind_of(bridge, *key).await {
            Ok(()) | Err(BookingError::NotFound) => {}
            Err(BookingError::Store(error)) => return Err(error),
            // What is wrong with one member must not keep others waiting.
            Err(error) => {
                tracing::error!(member_id = %key.0, %error, "it cannot be seen whether to remind a member of a visit");
                let mut tx = bridge.store.begin().await?;
                tx.looked_whether_to_remind(*key, now.checked_add(LATER).ok()).await?;
                tx.commit().await?;
            }
        }
    }
    Ok(!due.is_empty())
}

async fn remind_of(bridge: &Bridge, (member, id): BookingKey) -> Result<(), BookingError> {
    let mut tx = bridge.store.begin().await?;
    let key = hold_member(bridge, &mut tx, member).await?;
    // Only now, when nobody can change it any more.
    let now = bridge.clock.now();
    let Some(since) = tx.remind_at((member, id)).await?.filter(|since| *since <= now) else { return Ok(()) };
    let coming = coming(&mut tx, member, now).await?.into_iter().find(|visit| visit.booking == id);
    let due = match &coming {
        Some(visit) => instants(visit, &wished(bridge, &mut tx, &key, visit).await?),
        None => BTreeSet::new(),
    };
    if coming.is_some() {
        // Its clinic may be due a page before it: that is seen where all else of the member's is.
        tx.look_after(&[(member, now)]).await?;
    }
    if let Some(visit) = coming.filter(|_| due.range(since..=now).next().is_some()) {
        tx.put_telling(member, reminder(bridge, &visit), now).await?;
    }
    tx.looked_whether_to_remind((member, id), due.into_iter().find(|at| *at > now)).await?;
    Ok(tx.commit().await?)
}

/// How many minutes before it a member wishes to be reminded of a visit: as they say, else as the clinic does.
async fn wished(bridge: &Bridge, tx: &mut Tx, key: &MemberKey, visit: &Visit) -> Result<BTreeSet<u16>, BookingError> {
    let settings = settings(tx, key).await.map_err(|error| match error {
        KeptError::Store(error) => BookingError::Store(error),
        KeptError::Seal(error) => BookingError::Seal(error),
        KeptError::Unreadable => BookingError::Unreadable,
    })?;
    let offered = bridge.visit(tx, &visit.clinic, &visit.visit).await?;
    Ok(match settings.reminders {
        Reminders::Before(minutes) => minutes,
        Reminders::Usual => offered.map_or_else(usual_reminders, |offered| offered.remind_minutes),
    })
}

/// The instants at which it is time to remind of a visit.
fn instants(visit: &Visit, minutes: &BTreeSet<u16>) -> BTreeSet<Timestamp> {
    let before = |minutes: &u16| visit.time.start.checked_sub(SignedDuration::from_mins(i64::from(*minutes))).ok();
    minutes.iter().filter_map(before).collect()
}

/// The visits of a member that are to come.
async fn coming(tx: &mut Tx, member: MemberId, now: Timestamp) -> Result<Vec<Visit>, StoreError> {
    Ok(tx.visits_to_come(member, now).await?.iter().filter_map(SealedBooking::visit).collect())
}

/// Under which name a member is told that a visit is near: another one for each time that it has.
fn reminder(bridge: &Bridge, visit: &Visit) -> Uuid {
    let start = visit.time.start.as_microsecond().to_be_bytes();
    bridge.keyring.index().uuid("visit-reminder", &[visit.booking.0.as_bytes(), &start])
}

/// The visit of which a member is told under this name, as long as it is to come and at that time.
///
/// # Errors
/// [`StoreError`].
pub async fn reminded_of(
    bridge: &Bridge,
    tx: &mut Tx,
    member: MemberId,
    name: Uuid,
) -> Result<Option<Visit>, StoreError> {
    let coming = coming(tx, member, bridge.clock.now()).await?;
    Ok(coming.into_iter().find(|visit| reminder(bridge, visit) == name))
}
