//! A member's decisions, carried out: each in the transaction in which it was looked at.

use jiff::Timestamp;

use crate::consent::change;
use crate::domain::grant::{Grant, Terms};
use crate::domain::ids::{ClinicId, GrantId, MemberId};
use crate::pipeline::Bridge;
use crate::store::Tx;
use crate::web::portal::error::PortalError;

/// A first consent towards a clinic, or a new version of the one there is.
pub async fn share(
    bridge: &Bridge,
    mut tx: Tx,
    member: MemberId,
    clinic: ClinicId,
    before: Option<Grant>,
    terms: Terms,
    now: Timestamp,
) -> Result<(), PortalError> {
    let grant = match before {
        Some(grant) => change::change(&mut tx, member, grant.id, terms, now).await?,
        None => {
            let id = bridge.keyring.entropy().uuid(now).map_err(|error| PortalError::internal(&error))?;
            change::grant(&mut tx, GrantId(id), member, clinic, terms, now).await?
        }
    };
    commit(bridge, tx, &grant, "shared").await
}

/// Sets a grant aside.
pub async fn pause(bridge: &Bridge, mut tx: Tx, grant: Grant, now: Timestamp) -> Result<(), PortalError> {
    let grant = change::pause(&mut tx, grant.member, grant.id, now).await?;
    commit(bridge, tx, &grant, "paused").await
}

/// Takes a grant up again.
pub async fn resume(bridge: &Bridge, mut tx: Tx, grant: Grant, now: Timestamp) -> Result<(), PortalError> {
    let grant = change::resume(&mut tx, grant.member, grant.id, now).await?;
    commit(bridge, tx, &grant, "resumed").await
}

/// Takes a consent back.
pub async fn revoke(bridge: &Bridge, mut tx: Tx, grant: Grant, now: Timestamp) -> Result<(), PortalError> {
    let (grant, _) = change::revoke(&mut tx, grant.member, grant.id, now).await?;
    commit(bridge, tx, &grant, "revoked").await
}

async fn commit(bridge: &Bridge, tx: Tx, grant: &Grant, what: &str) -> Result<(), PortalError> {
    tx.commit().await?;
    tracing::info!(grant_id = %grant.id, version = grant.version, clinic_id = %grant.clinic, change = what, "consent");
    bridge.wake.notify_waiters();
    Ok(())
}
