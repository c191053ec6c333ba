//! What a clinic's people do with their sessions. Each is one transaction of the caller's and changes the session alone: its places
//! follow one by one ([`super::tend`]), and the EHR is told.

use jiff::{SignedDuration, Timestamp};

use crate::booking::BookingError;
use crate::domain::booking::Time;
use crate::domain::group::{GroupSession, GroupState, MOST_SEATS};
use crate::domain::ids::{ClinicId, GroupSessionId, VisitTypeId};
use crate::pipeline::Bridge;
use crate::store::Tx;

/// When a session is to be, and for how many.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Plan {
    /// When it begins. How long it takes, its kind says.
    pub start: Timestamp,
    /// How many places it has.
    pub capacity: u16,
}

/// Makes a session of a kind that the clinic offers.
///
/// # Errors
/// [`BookingError`]; the transaction must then be dropped.
pub async fn plan(
    bridge: &Bridge,
    tx: &mut Tx,
    (clinic, visit): (&ClinicId, &VisitTypeId),
    plan: Plan,
    now: Timestamp,
) -> Result<GroupSession, BookingError> {
    let session = GroupSession {
        clinic: clinic.clone(),
        id: GroupSessionId(bridge.keyring.entropy().uuid(now)?),
        visit: visit.clone(),
        state: GroupState::Planned,
        time: time(bridge, tx, (clinic, visit), plan, now).await?,
        capacity: plan.capacity,
        sequence: 1,
        told: 0,
        look_at: Some(now),
        created_at: now,
        updated_at: now,
    };
    tx.put_group_session(&session).await?;
    Ok(session)
}

/// Moves a session, or gives it another number of places. Nobody who has a place loses it by that.
///
/// # Errors
/// [`BookingError`]; the transaction must then be dropped.
pub async fn change(
    bridge: &Bridge,
    tx: &mut Tx,
    (clinic, id): (&ClinicId, GroupSessionId),
    plan: Plan,
    now: Timestamp,
) -> Result<GroupSession, BookingError> {
    let before = held(tx, (clinic, id), now).await?;
    let time = time(bridge, tx, (clinic, &before.visit), plan, now).await?;
    let after = changed(GroupSession { time, capacity: plan.capacity, ..before }, now);
    tx.put_group_session(&after).await?;
    Ok(after)
}

/// Calls a session off.
///
/// # Errors
/// [`BookingError`]; the transaction must then be dropped.
pub async fn call_off(
    tx: &mut Tx,
    which: (&ClinicId, GroupSessionId),
    now: Timestamp,
) -> Result<GroupSession, BookingError> {
    let before = held(tx, which, now).await?;
    let after = changed(GroupSession { state: GroupState::Cancelled, ..before }, now);
    tx.put_group_session(&after).await?;
    Ok(after)
}

/// A session that has not begun and will be, and that nobody else changes until the transaction ends.
async fn held(
    tx: &mut Tx,
    (clinic, id): (&ClinicId, GroupSessionId),
    now: Timestamp,
) -> Result<GroupSession, BookingError> {
    let session = tx.lock_group_session(clinic, id).await?.ok_or(BookingError::NotFound)?;
    let is_to_come = session.state == GroupState::Planned && now < session.time.start;
    if is_to_come { Ok(session) } else { Err(BookingError::NotNow) }
}

/// The session after a change, of which the EHR is to be told.
pub(super) fn changed(session: GroupSession, now: Timestamp) -> GroupSession {
    GroupSession { sequence: session.sequence + 1, look_at: Some(now), updated_at: now, ..session }
}

/// When it would be.
async fn time(
    bridge: &Bridge,
    tx: &mut Tx,
    (clinic, visit): (&ClinicId, &VisitTypeId),
    plan: Plan,
    now: Timestamp,
) -> Result<Time, BookingError> {
    let visit = bridge.visit(tx, clinic, visit).await?.filter(|visit| visit.group.is_some());
    let visit = visit.ok_or(BookingError::NotFound)?;
    let end = plan.start.checked_add(SignedDuration::from_mins(i64::from(visit.minutes)));
    let is_possible = now < plan.start && (1..=MOST_SEATS).contains(&plan.capacity);
    let end = end.ok().filter(|_| is_possible).ok_or(BookingError::NotNow)?;
    Ok(Time { start: plan.start, end })
}
