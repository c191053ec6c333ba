//! Somebody looks after a concern, and is done.

use jiff::Timestamp;

use super::{Concern, SafetyError, open, opened, read, record, seal};
use crate::domain::audit::{ConcernAt, Event};
use crate::domain::concern::NotNow;
use crate::domain::ids::{CommunityId, ConcernId};
use crate::store::{ConcernRow, Tx};
use crate::vault::Keyring;

/// Notes that somebody looks after a concern: nobody is told of it any more. Said twice under the same name, it is said
/// once. Of a community, only its own; `None`: of any.
///
/// # Errors
/// [`SafetyError`]; the caller's transaction must then be dropped.
pub async fn acknowledge(
    tx: &mut Tx,
    keyring: &Keyring,
    (community, id): (Option<&CommunityId>, ConcernId),
    by: &str,
    now: Timestamp,
) -> Result<Concern, SafetyError> {
    tx.end_tellings(id, None).await?;
    let mut row = held(tx, community, id).await?;
    let (before, key) = opened(tx, keyring, row.clone()).await?;
    match row.state.acknowledged() {
        Err(NotNow::Acknowledged) if before.acknowledged.as_ref().is_some_and(|(_, who)| who == by) => {
            return Ok(before);
        }
        state => row.state = state?,
    }
    let mut content = open(&key, &row)?;
    (row.acknowledged_at, content.acknowledged_by) = (Some(now), Some(by.to_owned()));
    row.sealed = seal(&key, id, &content)?;
    tx.update_concern(&row).await?;
    record(tx, &key, Event::ConcernAcknowledged(at(&row)), by, now)?;
    Ok(Concern { handle: before.handle, ..read(&key, row)? })
}

/// Notes that whoever looks after a concern is done. Said twice under the same name, it is said once.
///
/// # Errors
/// [`SafetyError`]; the caller's transaction must then be dropped.
pub async fn close(
    tx: &mut Tx,
    keyring: &Keyring,
    (community, id): (Option<&CommunityId>, ConcernId),
    by: &str,
    now: Timestamp,
) -> Result<Concern, SafetyError> {
    let mut row = held(tx, community, id).await?;
    let (before, key) = opened(tx, keyring, row.clone()).await?;
    match row.state.closed() {
        Err(NotNow::Closed) if before.closed.as_ref().is_some_and(|(_, who)| who == by) => return Ok(before),
        state => row.state = state?,
    }
    let mut content = open(&key, &row)?;
    (row.closed_at, content.closed_by) = (Some(now), Some(by.to_owned()));
    row.sealed = seal(&key, id, &content)?;
    tx.update_concern(&row).await?;
    record(tx, &key, Event::ConcernClosed(at(&row)), by, now)?;
    Ok(Concern { handle: before.handle, ..read(&key, row)? })
}

/// A concern that this community may see, which nobody else changes meanwhile.
async fn held(tx: &mut Tx, community: Option<&CommunityId>, id: ConcernId) -> Result<ConcernRow, SafetyError> {
    let row = tx.hold_concern(id).await?;
    let row = row.filter(|row| community.is_none_or(|community| row.community == *community));
    row.ok_or(SafetyError::NotFound)
}

fn at(row: &ConcernRow) -> ConcernAt {
    ConcernAt { concern: row.id, community: row.community.clone() }
}
