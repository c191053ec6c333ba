//! What the time brings about, without anybody asking: what has expired is forgotten, what has become due is done.
//!
//! Every replica does every chore. A chore finds its work in the database, is one short transaction, does nothing twice
//! when two replicas do it at once, and leaves nothing half done when it is cut off.

use std::time::Duration;

use crate::pipeline::Bridge;
use crate::store::StoreError;

/// How long to wait when there was nothing to do.
pub const EVERY: Duration = Duration::from_secs(5);

/// A chore that was left; what it did not do is found again.
#[derive(Debug, thiserror::Error)]
pub enum ChoreError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Does what is due, a portion of each chore. Returns whether there may be more.
///
/// # Errors
/// [`ChoreError`] of the first chore that failed; those before it are done.
pub async fn run_due(bridge: &Bridge) -> Result<bool, ChoreError> {
    forget_expired_credentials(bridge).await?;
    sweep_withdrawn(bridge).await
}

/// What was withdrawn in one stroke when consent ended: its rows follow.
async fn sweep_withdrawn(bridge: &Bridge) -> Result<bool, ChoreError> {
    let mut tx = bridge.store.begin().await?;
    let swept = tx.sweep_any_lane(bridge.clock.now()).await?;
    tx.commit().await?;
    Ok(swept)
}

/// An expired token opens nothing; its row would only say that there was a member.
async fn forget_expired_credentials(bridge: &Bridge) -> Result<(), ChoreError> {
    let mut tx = bridge.store.begin().await?;
    let now = bridge.clock.now();
    tx.forget_expired_member_tokens(now).await?;
    tx.forget_expired_clinic_access(now).await?;
    Ok(tx.commit().await?)
}
