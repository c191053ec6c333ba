//! How a consent ends: taken back, or with the link that it stands on.

use jiff::Timestamp;

use super::lent::forget;
use super::mark::ask_to_mark;
use super::{Bridge, ConsentError, record};
use crate::consent::change::{self, ChangeError};
use crate::delivery::smart_auth::patient::TokenSet;
use crate::domain::consented::{Change, Method};
use crate::domain::grant::{Grant, GrantState};
use crate::domain::ids::{ClinicId, GrantId, MemberId};
use crate::enrolment::join::linked_patient;
use crate::enrolment::unlink as link;
use crate::store::{EndedBy, LaneKey, StoreError, Tx};

/// A consent that was taken back.
#[derive(Debug)]
pub struct Revoked {
    /// The grant, ended.
    pub grant: Grant,
    /// How many waiting items were withdrawn.
    pub withdrawn: u64,
    /// What the member had lent the bridge, if it is forgotten here: to be given back to the clinic after the commit.
    pub lent: Option<TokenSet>,
}

/// What ended with a link.
#[derive(Debug)]
pub struct Unlinked {
    /// How many waiting items were withdrawn.
    pub withdrawn: u64,
    /// As in [`Revoked`].
    pub lent: Option<TokenSet>,
}

/// Takes a consent back; with `marking`, the clinic is also asked to mark what it has as entered in error. Taking it back
/// twice is the same as once.
///
/// # Errors
/// [`ConsentError`]; the transaction must then be dropped.
pub async fn revoke(
    bridge: &Bridge,
    tx: &mut Tx,
    member: MemberId,
    id: GrantId,
    method: Method,
    marking: bool,
    now: Timestamp,
) -> Result<Revoked, ConsentError> {
    tx.lock_member(member).await?;
    let before = tx.newest_grant(member, id).await?.ok_or(ChangeError::NotFound)?;
    let (grant, withdrawn) = change::revoke(tx, member, id, now).await?;
    if before.state != GrantState::Revoked {
        record::follow(bridge, tx, &grant, Change::Revoked, method, now).await?;
    }
    if marking {
        ask_to_mark(bridge, tx, member, &grant.clinic, now).await?;
    }
    // Only now it is known whether anything is left to be told.
    let lane = LaneKey { clinic: grant.clinic.clone(), member };
    // What is kept for them there and is not booked is given back when the chores are done.
    tx.end_holds(&lane, now).await?;
    let lent = forget(bridge, tx, &lane, now).await?;
    Ok(Revoked { grant, withdrawn, lent })
}

/// What follows when the time of a member's consents is over: each is written down once, and its clinic is told. The caller
/// holds the member.
///
/// # Errors
/// [`ConsentError`]; the transaction must then be dropped.
pub async fn note_expired(bridge: &Bridge, tx: &mut Tx, grants: &[Grant], now: Timestamp) -> Result<(), ConsentError> {
    for grant in grants {
        if change::note_expired(tx, grant, now).await? {
            record::tell_again(bridge, tx, grant, now).await?;
        }
    }
    Ok(())
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
    let withdrawn = end_link(bridge, tx, member, clinic, (ended_by, method), now).await?;
    let lent = forget(bridge, tx, &LaneKey { clinic: clinic.clone(), member }, now).await?;
    Ok(Unlinked { withdrawn, lent })
}

/// The same, but for what the member lent: it goes when the chores are done. Returns how many items were withdrawn.
pub(super) async fn end_link(
    bridge: &Bridge,
    tx: &mut Tx,
    member: MemberId,
    clinic: &ClinicId,
    (ended_by, method): (EndedBy, Method),
    now: Timestamp,
) -> Result<u64, UnlinkError> {
    let patient = linked_patient(tx, &bridge.keyring, member, clinic).await.map_err(ConsentError::from)?;
    let before = tx.living_grants(&[member]).await?;
    let withdrawn = link::unlink(tx, member, clinic, ended_by, now).await?;
    tx.end_holds(&LaneKey { clinic: clinic.clone(), member }, now).await?;
    // It was perhaps somebody else's. What was their own, members keep.
    if ended_by != EndedBy::Member {
        tx.forget_recommendations(member, clinic).await?;
    }
    for living in before.into_iter().filter(|grant| grant.clinic == *clinic) {
        let Some(ended) = tx.newest_grant(member, living.id).await? else { continue };
        record::keep_again(bridge, tx, &ended, Change::Revoked, method, now).await?;
        if let Some(patient) = &patient {
            record::tell_again_for(bridge, tx, &ended, patient, now).await?;
        }
    }
    Ok(withdrawn)
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
