//! Whoever was erased stays erased, whatever comes back from a backup.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::ErasureError;
use crate::domain::ids::MemberId;
use crate::pipeline::Bridge;
use crate::store::{Erasure, ErasureState};
use crate::vault::Erased;

/// Longer than a transaction takes, and than the clocks of two processes differ.
const SLOWEST_COMMIT: SignedDuration = SignedDuration::from_hours(1);

/// Erases again whoever stands in the list of erased members and is in the database as if nothing had happened. Called
/// before anything else is done with a database. Returns how many members were back.
///
/// # Errors
/// [`ErasureError`]; then nothing may be done with this database.
pub async fn again(bridge: &Bridge) -> Result<u64, ErasureError> {
    let listed = bridge.erased.read(bridge.keyring.index())?;
    if listed.is_empty() {
        return Ok(0);
    }
    let mut tx = bridge.store.read().await?;
    let members: Vec<MemberId> = listed.iter().map(|erased| erased.member).collect();
    let back: BTreeSet<MemberId> = tx.members_among(&members).await?.into_iter().collect();
    let ids: Vec<_> = listed.iter().map(|erased| erased.erasure).collect();
    let done = tx.erased_among(&ids).await?;
    drop(tx);
    let mut count = 0;
    for erased in listed {
        let is_back = back.contains(&erased.member);
        if is_back || !done.contains(&erased.erasure) {
            count += u64::from(erase_again(bridge, erased).await? && is_back);
        }
    }
    if count > 0 {
        tracing::warn!(members = count, "erased members were back, as after a restore, and are erased again");
        bridge.store.truncate_log().await?;
    }
    Ok(count)
}

/// Returns whether anything of the member was there.
async fn erase_again(bridge: &Bridge, erased: Erased) -> Result<bool, ErasureError> {
    let mut tx = bridge.store.begin().await?;
    tx.lock_member_for_good(erased.member).await?;
    let counts = tx.wipe_member(erased.member).await?;
    let erasure = Erasure {
        id: erased.erasure,
        member: erased.member,
        state: ErasureState::Erased,
        ask_clinics: false,
        method: None,
        certificate_index: erased.certificate_index,
        sealed_secret: None,
        requested_at: erased.requested_at,
        due_at: erased.erased_at,
        upstream_until: None,
        ended_at: Some(erased.erased_at),
        certificate: Some(erased.certificate),
    };
    tx.put_erasure(&erasure).await?;
    tx.commit().await?;
    Ok(!counts.is_empty())
}

/// Adds to this process's list whom other processes have erased, each of which may have a list of its own.
///
/// # Errors
/// [`ErasureError`]; what was not added is found again.
pub async fn mirror(bridge: &Bridge) -> Result<(), ErasureError> {
    // What was written earlier may have been committed later.
    let since = bridge.erased.newest().and_then(|newest| newest.checked_sub(SLOWEST_COMMIT).ok());
    let since = since.unwrap_or(Timestamp::UNIX_EPOCH);
    for erasure in bridge.store.read().await?.erased_since(since).await? {
        let (Some(at), Some(certificate)) = (erasure.ended_at, erasure.certificate) else { continue };
        let erased = Erased {
            erasure: erasure.id,
            member: erasure.member,
            requested_at: erasure.requested_at,
            erased_at: at,
            certificate_index: erasure.certificate_index,
            certificate,
        };
        bridge.erased.add_if_new(bridge.keyring.index(), &erased)?;
    }
    Ok(())
}
