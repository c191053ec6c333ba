//! Somebody looks after a concern, and is done.

use jiff::Timestamp;

use super::tell::escalate;
use super::{Concern, Content, SafetyError, found, open, opened, read, record, seal};
use crate::domain::audit::{ConcernAt, Event};
use crate::domain::concern::{ConcernState, Level, NotNow};
use crate::domain::ids::{CommunityId, ConcernId};
use crate::store::{ConcernRow, Tx};
use crate::vault::Keyring;

/// Whose concern, and which: of a community, only its own; `None`: of any.
pub type Which<'a> = (Option<&'a CommunityId>, ConcernId);

/// Notes that somebody looks after a concern: nobody is told of it any more. Said twice under the same name, it is said
/// once.
///
/// # Errors
/// [`SafetyError`]; the caller's transaction must then be dropped.
pub async fn acknowledge(
    tx: &mut Tx,
    keyring: &Keyring,
    which: Which<'_>,
    by: &str,
    now: Timestamp,
) -> Result<Concern, SafetyError> {
    // Before anything is held: whoever it is not about must not keep anybody from being told, not even until they are refused.
    found(tx, which).await?;
    tx.end_tellings(which.1, None).await?;
    step(tx, keyring, which, by, now, &ACKNOWLEDGE).await
}

/// Notes that whoever looks after a concern is done. Said twice under the same name, it is said once.
///
/// # Errors
/// [`SafetyError`]; the caller's transaction must then be dropped.
pub async fn close(
    tx: &mut Tx,
    keyring: &Keyring,
    which: Which<'_>,
    by: &str,
    now: Timestamp,
) -> Result<Concern, SafetyError> {
    step(tx, keyring, which, by, now, &CLOSE).await
}

/// Has the second level told at once, without waiting for the first. Of one that was escalated before, nothing changes.
///
/// # Errors
/// [`SafetyError`]; the caller's transaction must then be dropped.
pub async fn escalate_now(
    tx: &mut Tx,
    keyring: &Keyring,
    which: Which<'_>,
    now: Timestamp,
) -> Result<Concern, SafetyError> {
    found(tx, which).await?;
    tx.hurry_telling(which.1, Level::Second, now).await?;
    let mut row = tx.hold_concern(which.1).await?.ok_or(SafetyError::NotFound)?;
    match row.state {
        ConcernState::Acknowledged => return Err(NotNow::Acknowledged.into()),
        ConcernState::Closed => return Err(NotNow::Closed.into()),
        ConcernState::Escalated => {}
        ConcernState::Raised | ConcernState::Told => escalate(tx, &mut row, now).await?,
    }
    Ok(opened(tx, keyring, row).await?.0)
}

/// A step that somebody takes with a concern.
struct Step {
    /// Why it is not taken by whoever comes second.
    done: NotNow,
    /// When it was taken, and by whom.
    taken: fn(&Concern) -> Option<&(Timestamp, String)>,
    /// Takes it in the row, and says by whom in what is sealed.
    take: fn(&mut ConcernRow, &mut Content, &str, Timestamp) -> Result<(), NotNow>,
    /// As it is written down.
    event: fn(ConcernAt) -> Event,
}

const ACKNOWLEDGE: Step = Step {
    done: NotNow::Acknowledged,
    taken: |concern| concern.acknowledged.as_ref(),
    take: |row, content, by, now| {
        row.state = row.state.acknowledged()?;
        (row.acknowledged_at, content.acknowledged_by) = (Some(now), Some(by.to_owned()));
        Ok(())
    },
    event: Event::ConcernAcknowledged,
};

const CLOSE: Step = Step {
    done: NotNow::Closed,
    taken: |concern| concern.closed.as_ref(),
    take: |row, content, by, now| {
        row.state = row.state.closed()?;
        (row.closed_at, content.closed_by) = (Some(now), Some(by.to_owned()));
        Ok(())
    },
    event: Event::ConcernClosed,
};

async fn step(
    tx: &mut Tx,
    keyring: &Keyring,
    (community, id): Which<'_>,
    by: &str,
    now: Timestamp,
    step: &Step,
) -> Result<Concern, SafetyError> {
    // Nobody else changes it meanwhile.
    let row = tx.hold_concern(id).await?;
    let row = row.filter(|row| community.is_none_or(|community| row.community == *community));
    let mut row = row.ok_or(SafetyError::NotFound)?;
    let (before, key) = opened(tx, keyring, row.clone()).await?;
    let mut content = open(&key, &row)?;
    match (step.take)(&mut row, &mut content, by, now) {
        Err(done) if done == step.done && (step.taken)(&before).is_some_and(|(_, who)| who == by) => return Ok(before),
        taken => taken?,
    }
    row.sealed = seal(&key, id, &content)?;
    tx.update_concern(&row).await?;
    let at = ConcernAt { concern: row.id, community: row.community.clone() };
    record(tx, &key, (step.event)(at), by, now)?;
    Ok(Concern { handle: before.handle, warned: before.warned, ..read(&key, row)? })
}
