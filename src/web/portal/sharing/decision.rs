//! A member's decisions, carried out: each in the transaction in which it was looked at.

use jiff::Timestamp;

use crate::delivery::smart_auth::patient::TokenSet;
use crate::domain::consented::Method;
use crate::domain::grant::Grant;
use crate::domain::ids::{ClinicId, MemberId};
use crate::pipeline::Bridge;
use crate::pipeline::consent::{self, Wish};
use crate::store::Tx;
use crate::web::portal::error::PortalError;

/// A first consent towards a clinic, or a new version of the one there is.
pub async fn share(
    bridge: &Bridge,
    mut tx: Tx,
    (member, clinic): (MemberId, ClinicId),
    before: Option<Grant>,
    wish: Wish,
    now: Timestamp,
) -> Result<(), PortalError> {
    let grant = match before {
        Some(grant) => consent::change(bridge, &mut tx, member, grant.id, wish, now).await?,
        None => consent::give(bridge, &mut tx, member, clinic, wish, now).await?,
    };
    commit(bridge, tx, &grant, "shared").await
}

/// Sets a grant aside.
pub async fn pause(bridge: &Bridge, mut tx: Tx, grant: Grant, now: Timestamp) -> Result<(), PortalError> {
    let grant = consent::pause(bridge, &mut tx, grant.member, grant.id, Method::Portal, now).await?;
    commit(bridge, tx, &grant, "paused").await
}

/// Takes a grant up again.
pub async fn resume(bridge: &Bridge, mut tx: Tx, grant: Grant, now: Timestamp) -> Result<(), PortalError> {
    let grant = consent::resume(bridge, &mut tx, grant.member, grant.id, Method::Portal, now).await?;
    commit(bridge, tx, &grant, "resumed").await
}

/// Takes a consent back; with `marking`, the clinic is also asked to mark what it has as entered in error. Returns what the
/// member had lent the bridge.
pub async fn revoke(
    bridge: &Bridge,
    mut tx: Tx,
    grant: Grant,
    marking: bool,
    now: Timestamp,
) -> Result<Option<TokenSet>, PortalError> {
    let revoked = consent::revoke(bridge, &mut tx, grant.member, grant.id, Method::Portal, marking, now).await?;
    commit(bridge, tx, &revoked.grant, "revoked").await?;
    Ok(revoked.lent)
}

async fn commit(bridge: &Bridge, tx: Tx, grant: &Grant, what: &str) -> Result<(), PortalError> {
    tx.commit().await?;
    tracing::info!(grant_id = %grant.id, version = grant.version, clinic_id = %grant.clinic, change = what, "consent");
    bridge.wake.notify_waiters();
    Ok(())
}
