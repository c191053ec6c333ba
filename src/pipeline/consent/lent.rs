//! What members lent, after the consent has ended that it was lent for. Where nothing is left to be told it is forgotten in
//! the same stroke; otherwise the clinic is told of the end with it, and then it goes: when that is done, and ten minutes
//! later at most ([`FAREWELL`](crate::consent::change::FAREWELL)).

use jiff::Timestamp;

use super::Bridge;
use crate::delivery::smart_auth::patient::{TokenSet, lent};
use crate::store::{LaneKey, StoreError, Tx};

/// How many are let go before others get their turn.
const AT_ONCE: i64 = 20;

/// Forgets what a member lent, if its end was set and may come now. Returns it, to be given back to the clinic after the
/// commit ([`Launches::give_back`](crate::enrolment::launch::Launches::give_back)). The caller holds the member.
///
/// # Errors
/// [`StoreError`].
pub(super) async fn forget(
    bridge: &Bridge,
    tx: &mut Tx,
    lane: &LaneKey,
    now: Timestamp,
) -> Result<Option<TokenSet>, StoreError> {
    if !tx.may_patient_tokens_go(lane, now).await? {
        return Ok(None);
    }
    let lent = lent(tx, &bridge.keyring, &lane.clinic, lane.member).await?;
    tx.delete_patient_tokens(&lane.clinic, lane.member).await?;
    Ok(lent)
}

/// Lets go of what was kept for a farewell that has been said, or was not to be said in time. Returns whether there may be
/// more.
///
/// # Errors
/// [`StoreError`]; what was not done is found again.
pub async fn let_go(bridge: &Bridge) -> Result<bool, StoreError> {
    let found = bridge.store.read().await?.patient_tokens_to_go(bridge.clock.now(), AT_ONCE).await?;
    let is_more = i64::try_from(found.len()).is_ok_and(|count| count == AT_ONCE);
    for lane in found {
        let mut tx = bridge.store.begin().await?;
        match tx.lock_member(lane.member).await {
            // They were erased in between.
            Err(StoreError::RowCount { .. }) => continue,
            held => held?,
        }
        let lent = forget(bridge, &mut tx, &lane, bridge.clock.now()).await?;
        tx.commit().await?;
        if let Some(lent) = lent {
            bridge.launches.give_back(&lane.clinic, &lent).await;
        }
    }
    Ok(is_more)
}
