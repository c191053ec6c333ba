//! A link ends, and everything that stood on it: consent, what waits, what was lent. What was shared stays visible.

use jiff::Timestamp;

use crate::consent::change::{ChangeError, farewell, revoke};
use crate::domain::audit::{Chain, Event, LinkEnded};
use crate::domain::ids::{ClinicId, MemberId};
use crate::store::{EndedBy, LaneKey, StoreError, Tx};

/// A link that could not be ended; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum UnlinkError {
    /// There is no such link.
    #[error("the member is not linked to this clinic")]
    NotLinked,
    /// Consent could not be taken back.
    #[error(transparent)]
    Consent(#[from] ChangeError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Ends a member's link to a clinic: takes back the consent that lives, withdraws what waits, sets an end to what was lent.
/// Nothing of what waited can go any more, not even under a consent that is given later, to another Patient. Returns how
/// many waiting items were withdrawn.
///
/// What follows for people (records, receipts, what the clinic is told) is `pipeline::consent`'s: call that.
///
/// # Errors
/// [`UnlinkError`]; the caller's transaction must then be dropped.
pub async fn unlink(
    tx: &mut Tx,
    member: MemberId,
    clinic: &ClinicId,
    ended_by: EndedBy,
    now: Timestamp,
) -> Result<u64, UnlinkError> {
    match tx.lock_member(member).await {
        Err(StoreError::RowCount { .. }) => return Err(UnlinkError::NotLinked),
        held => held?,
    }
    if !tx.links(&[member]).await?.iter().any(|link| link.clinic == *clinic) {
        return Err(UnlinkError::NotLinked);
    }
    let mut withdrawn = 0;
    for living in tx.living_grants(&[member]).await?.into_iter().filter(|grant| grant.clinic == *clinic) {
        withdrawn += revoke(tx, member, living.id, now).await?.1;
    }
    // What waits under a consent that was over already goes too.
    let lane = LaneKey { clinic: clinic.clone(), member };
    withdrawn += tx.withdraw_lane(&lane, now).await?;
    tx.end_patient_tokens(clinic, member, farewell(now)).await?;
    tx.forget_launch(member, clinic).await?;
    tx.end_link(member, clinic, ended_by, now).await?;
    let ended = LinkEnded { by: ended_by.as_str().to_owned(), withdrawn };
    tx.record(Chain::between(clinic, member), now, Event::Unlinked(ended));
    Ok(withdrawn)
}
