//! How a consent ends: taken back, or with the link that it stands on.

use jiff::Timestamp;

use super::{Bridge, ConsentError, record};
use crate::consent::change::{self, ChangeError};
use crate::delivery::smart_auth::patient::{TokenSet, lent};
use crate::domain::consented::{Change, Method};
use crate::domain::grant::{Grant, GrantState};
use crate::domain::ids::{ClinicId, GrantId, MemberId};
use crate::enrolment::join::linked_patient;
use crate::enrolment::unlink::{self as link, Unlinked};
use crate::store::{EndedBy, StoreError, Tx};

/// A consent that was taken back.
#[derive(Debug)]
pub struct Revoked {
    /// The grant, ended.
    pub grant: Grant,
    /// How many waiting items were withdrawn.
    pub withdrawn: u64,
    /// What the member had lent the bridge: forgotten here, and to be given back to the clinic after the commit.
    pub lent: Option<TokenSet>,
}

/// Takes a consent back. Taking it back twice is the same as once.
///
/// # Errors
/// [`ConsentError`]; the transaction must then be dropped.
pub async fn revoke(
    bridge: &Bridge,
    tx: &mut Tx,
    member: MemberId,
    id: GrantId,
    method: Method,
    now: Timestamp,
) -> Result<Revoked, ConsentError> {
    tx.lock_member(member).await?;
    let before = tx.newest_grant(member, id).await?.ok_or(ChangeError::NotFound)?;
    let lent = lent(tx, &bridge.keyring, &before.clinic, member).await?;
    let (grant, withdrawn) = change::revoke(tx, member, id, now).await?;
    if before.state != GrantState::Revoked {
        record::follow(bridge, tx, &grant, Change::Revoked, method, now).await?;
    }
    // What another grant still stands on is not given back.
    let is_forgotten = tx.patient_tokens(&grant.clinic, member).await?.is_none();
    Ok(Revoked { grant, withdrawn, lent: lent.filter(|_| is_forgotten) })
}

/// Ends a member's link to a clinic, and the consent that stands on it: recorded, receipted and told like any other end.
///
/// # Errors
/// [`UnlinkError`]; the transaction must then be dropped.
pub async fn unlink(
    bridge: &Bridge,
    tx: &mut Tx,
    member: MemberId,
    clinic: &ClinicId,
    ended_by: EndedBy,
    method: Method,
    now: Timestamp,
) -> Result<Unlinked, UnlinkError> {
    let patient = linked_patient(tx, &bridge.keyring, member, clinic).await.map_err(ConsentError::from)?;
    let before = tx.living_grants(&[member]).await?;
    let unlinked = link::unlink(tx, &bridge.keyring, member, clinic, ended_by, now).await?;
    for living in before.into_iter().filter(|grant| grant.clinic == *clinic) {
        let Some(ended) = tx.newest_grant(member, living.id).await? else { continue };
        record::keep_again(bridge, tx, &ended, Change::Revoked, method, now).await?;
        if let Some(patient) = &patient {
            record::tell_again_for(bridge, tx, &ended, patient, now).await?;
        }
    }
    Ok(unlinked)
}

/// A link that could not be ended; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum UnlinkError {
    /// The link itself.
    #[error(transparent)]
    Link(#[from] link::UnlinkError),
    /// What follows for the consent that stood on it.
    #[error(transparent)]
    Consent(#[from] ConsentError),
}

impl From<StoreError> for UnlinkError {
    fn from(error: StoreError) -> Self {
        Self::Link(error.into())
    }
}
