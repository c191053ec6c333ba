//! A member is linked to their Patient. Where the clinic says that they take the place of another member, that one's link
//! ends first, with all that stood on it: recorded, receipted and told like any other end.

use jiff::Timestamp;

use super::end::end_link;
use super::{Bridge, UnlinkError};
use crate::domain::consented::Method;
use crate::domain::ids::{ClinicId, MemberId};
use crate::enrolment::code::{self, CodeError};
use crate::enrolment::link::{self, Claim, LinkError, Linked};
use crate::enrolment::unlink::UnlinkError as NotUnlinked;
use crate::store::{EndedBy, Tx};

/// Links a member to their Patient.
///
/// # Errors
/// [`LinkError`]; the transaction must then be dropped.
pub async fn link(bridge: &Bridge, tx: &mut Tx, claim: Claim<'_>, now: Timestamp) -> Result<Linked, LinkError> {
    let before = link::whose_place(tx, &bridge.keyring, claim).await?;
    if let Some(holder) = before {
        let said_by = (EndedBy::Clinic, Method::Clinic);
        end_link(bridge, tx, holder, claim.clinic, said_by, now).await.map_err(|error| match error {
            UnlinkError::Link(NotUnlinked::Store(error)) => LinkError::Store(error),
            error => LinkError::Unlink(Box::new(error)),
        })?;
    }
    let linked = link::link(tx, &bridge.keyring, claim, now).await?;
    Ok(before.map_or(linked, Linked::InPlaceOf))
}

/// Links the member who tells a code that a clinic handed out, once.
///
/// # Errors
/// [`CodeError`]. A code whose holder cannot be linked stays good.
pub async fn redeem(
    bridge: &Bridge,
    member: MemberId,
    clinic: &ClinicId,
    typed: &str,
    now: Timestamp,
) -> Result<Linked, CodeError> {
    let told = code::told(&bridge.store, &bridge.keyring, member, clinic, typed, now).await?;
    let mut tx = bridge.store.begin().await?;
    let claim = Claim { member, clinic, patient: &told.patient, proof: &told.proof };
    let linked = link(bridge, &mut tx, claim, now).await?;
    code::use_up(&mut tx, &told).await?;
    tx.commit().await?;
    tracing::info!(clinic_id = %clinic, member_id = %member, proof = told.proof.word(), "linked");
    if linked != Linked::Anew {
        bridge.wake.notify_waiters();
    }
    Ok(linked)
}
