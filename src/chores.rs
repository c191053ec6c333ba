//! What the time brings about, without anybody asking: what has expired is forgotten, what has become due is done.
//!
//! Every replica does every chore. A chore finds its work in the database, is one short transaction, does nothing twice
//! when two replicas do it at once, and leaves nothing half done when it is cut off.

use std::time::Duration;

use crate::audit;
use crate::audit::checkpoint::CheckpointError;
use crate::booking::{self, BookingError};
use crate::companion;
use crate::enrolment::{code, launch};
use crate::erasure::{self, ErasureError};
use crate::insight::asks::note_asks;
use crate::insight::upkeep::look_after_members;
use crate::pipeline::{Bridge, consent};
use crate::readings::drafts;
use crate::safety;
use crate::store::StoreError;

/// How long to wait when there was nothing to do.
pub const EVERY: Duration = Duration::from_secs(5);

/// How many old readings, or drafts, are forgotten in one transaction.
const OLD_AT_ONCE: i64 = 1000;

/// A chore that was left; what it did not do is found again.
#[derive(Debug, thiserror::Error)]
pub enum ChoreError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It was not noted how far the audit log goes.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A member could not be erased.
    #[error(transparent)]
    Erasure(#[from] ErasureError),
    /// A time at a clinic could not be given back.
    #[error(transparent)]
    Booking(#[from] BookingError),
}

/// Sees what an operator changed before this process started that is a chore now.
///
/// # Errors
/// [`StoreError`]; what is not done then is done at the next start.
pub async fn begin(bridge: &Bridge) -> Result<(), StoreError> {
    note_asks(bridge).await
}

/// Does what is due, a portion of each chore. Returns whether there may be more.
///
/// # Errors
/// [`ChoreError`] of the first chore that failed; those before it are done.
pub async fn run_due(bridge: &Bridge) -> Result<bool, ChoreError> {
    forget_expired_credentials(bridge).await?;
    forget_ended_sessions(bridge).await?;
    forget_ended_links(bridge).await?;
    erasure::mirror(bridge).await?;
    // Each gets its turn, however much there is of the other; what was lent goes before its member may.
    let mut is_more = sweep_withdrawn(bridge).await? | consent::let_go(bridge).await?;
    // What clinics keep for members is given back before a member may go.
    is_more |= booking::tend(bridge).await? | erasure::work(bridge).await?;
    is_more |= booking::remind(bridge).await?;
    is_more |= look_after_members(bridge).await? | forget_old_readings(bridge).await?;
    is_more |=
        forget_old_drafts(bridge).await? | forget_old_talks(bridge).await? | forget_closed_concerns(bridge).await?;
    note_how_far_the_audit_log_goes(bridge).await?;
    Ok(is_more)
}

/// What was withdrawn in one stroke when consent ended: its rows follow.
async fn sweep_withdrawn(bridge: &Bridge) -> Result<bool, ChoreError> {
    let mut tx = bridge.store.begin().await?;
    let swept = tx.sweep_any_lane(bridge.clock.now()).await?;
    tx.commit().await?;
    Ok(swept)
}

/// Outside of the database. Last of all: where the file cannot be written, everything else was done.
async fn note_how_far_the_audit_log_goes(bridge: &Bridge) -> Result<(), ChoreError> {
    let now = bridge.clock.now();
    if bridge.checkpoints.is_due(now)? {
        audit::note_signing_keys(&bridge.store, &bridge.signing, now).await?;
        bridge.checkpoints.write(bridge.audited(), now).await?;
    }
    Ok(())
}

/// What was lived long ago is kept no longer. Returns whether there may be more.
async fn forget_old_readings(bridge: &Bridge) -> Result<bool, ChoreError> {
    let mut tx = bridge.store.begin().await?;
    let forgotten = tx.forget_old_readings(bridge.readings.kept_from(bridge.clock.now()), OLD_AT_ONCE).await?;
    tx.commit().await?;
    Ok(forgotten > 0)
}

/// A questionnaire that nobody goes on with is kept no longer. Returns whether there may be more.
async fn forget_old_drafts(bridge: &Bridge) -> Result<bool, ChoreError> {
    let before = bridge.clock.now().checked_sub(drafts::KEPT_FOR).unwrap_or(jiff::Timestamp::MIN);
    let mut tx = bridge.store.begin().await?;
    let forgotten = tx.forget_old_drafts(before, OLD_AT_ONCE).await?;
    tx.commit().await?;
    Ok(forgotten > 0)
}

/// A talk that nobody went on with begins anew. Returns whether there may be more.
async fn forget_old_talks(bridge: &Bridge) -> Result<bool, ChoreError> {
    let before = bridge.clock.now().checked_sub(companion::KEPT_FOR).unwrap_or(jiff::Timestamp::MIN);
    let mut tx = bridge.store.begin().await?;
    let forgotten = tx.forget_old_talks(before, OLD_AT_ONCE).await?;
    tx.commit().await?;
    Ok(forgotten > 0)
}

/// A concern that somebody saw to long ago is kept no longer. Returns whether there may be more.
async fn forget_closed_concerns(bridge: &Bridge) -> Result<bool, ChoreError> {
    let before = bridge.clock.now().checked_sub(safety::KEPT_FOR).unwrap_or(jiff::Timestamp::MIN);
    let mut tx = bridge.store.begin().await?;
    let forgotten = tx.forget_closed_concerns(before, OLD_AT_ONCE).await?;
    tx.commit().await?;
    Ok(forgotten > 0)
}

/// An expired token opens nothing; its row would only say that there was a member.
async fn forget_expired_credentials(bridge: &Bridge) -> Result<(), ChoreError> {
    let mut tx = bridge.store.begin().await?;
    let now = bridge.clock.now();
    tx.forget_expired_member_tokens(now).await?;
    tx.forget_expired_clinic_access(now).await?;
    Ok(tx.commit().await?)
}

/// Sessions that have ended, links to sign in that nobody used, and walks through a provider whose browser never came back,
/// would only say that somebody was there.
async fn forget_ended_sessions(bridge: &Bridge) -> Result<(), ChoreError> {
    let now = bridge.clock.now();
    let mut tx = bridge.store.begin().await?;
    tx.forget_ended_sessions(now).await?;
    tx.forget_expired_sign_in_links(now).await?;
    tx.forget_expired_identity_requests(now).await?;
    tx.forget_ended_staff_sessions(now).await?;
    Ok(tx.commit().await?)
}

/// Launches whose browser never came back, codes that nobody told, and how often others were tried.
async fn forget_ended_links(bridge: &Bridge) -> Result<(), ChoreError> {
    let now = bridge.clock.now();
    let mut tx = bridge.store.begin().await?;
    launch::forget_expired(&mut tx, now).await?;
    code::forget_ended(&mut tx, now).await?;
    tx.forget_ended_join_codes(now).await?;
    Ok(tx.commit().await?)
}
