//! Members join from a community, and are linked to their Patient at a clinic.

use jiff::Timestamp;

use super::link::{self, Claim, LinkError, Linked, Proof};
use crate::domain::audit::{Chain, Event, Joined};
use crate::domain::entropy::NoEntropy;
use crate::domain::ids::{ClinicId, CommunityId, MemberId};
use crate::store::{StoreError, Tx};
use crate::vault::{Index, Keyring, SealError};

/// The column a handle is sealed for; its row is the community.
pub const HANDLE_COLUMN: &str = "handles.sealed_handle";

/// The column a Patient id is sealed for; its row is the clinic.
pub const PATIENT_COLUMN: &str = "links.sealed_patient";

/// Somebody who could not be enrolled; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// The community knows somebody under that name already.
    #[error("the community has a member under this name already")]
    HandleTaken,
    /// There is no such member.
    #[error("there is no such member")]
    UnknownMember,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A value could not be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// No id could be made.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
}

/// The keyed index of a handle within its community.
#[must_use]
pub fn handle_index(keyring: &Keyring, community: &CommunityId, handle: &str) -> Index {
    keyring.index().index("handle", &[community.as_str().as_bytes(), handle.as_bytes()])
}

/// The keyed index of a Patient's id at a clinic.
#[must_use]
pub fn patient_index(keyring: &Keyring, clinic: &ClinicId, patient: &str) -> Index {
    keyring.index().index("patient", &[clinic.as_str().as_bytes(), patient.as_bytes()])
}

/// The id of a member's Patient at a clinic, if they are linked there.
///
/// # Errors
/// [`EnrolError`].
pub async fn linked_patient(
    tx: &mut Tx,
    keyring: &Keyring,
    member: MemberId,
    clinic: &ClinicId,
) -> Result<Option<String>, EnrolError> {
    let link = tx.links(&[member]).await?.into_iter().find(|link| link.clinic == *clinic);
    let (Some(link), Some(wrapped)) = (link, tx.member_key(member).await?) else { return Ok(None) };
    let key = keyring.unwrap_member_key(member, &wrapped)?;
    let patient = key.open(PATIENT_COLUMN, clinic.as_str().as_bytes(), &link.sealed_patient)?;
    Ok(Some(String::from_utf8(patient).map_err(|_| StoreError::Corrupt("a Patient id that is no text"))?))
}

/// Makes a new member, known to `community` as `handle`.
///
/// # Errors
/// [`EnrolError`].
pub async fn join(
    tx: &mut Tx,
    keyring: &Keyring,
    community: &CommunityId,
    handle: &str,
    now: Timestamp,
) -> Result<MemberId, EnrolError> {
    let member = MemberId(keyring.entropy().uuid(now)?);
    // Held until the member is there: so a rotation of the master key that begins now finds them.
    let index_key = tx.hold_index_key().await?.ok_or(StoreError::Corrupt("no index key"))?;
    let (key, wrapped) = keyring.following(&index_key)?.create_member_key(member)?;
    let sealed = key.seal(HANDLE_COLUMN, community.as_str().as_bytes(), handle.as_bytes())?;
    tx.insert_member(member, &wrapped, now).await?;
    match tx.insert_handle(community, handle_index(keyring, community, handle), member, &sealed).await {
        Ok(()) => {}
        Err(StoreError::Conflict) => return Err(EnrolError::HandleTaken),
        Err(error) => return Err(error.into()),
    }
    tx.record(Chain::of_member(member), now, Event::MemberJoined(Joined { community: community.clone() }));
    Ok(member)
}

/// Links a member to their Patient at a clinic on the word of somebody here, such as the operator, who has it from the
/// clinic.
///
/// # Errors
/// [`LinkError`].
pub async fn link(
    tx: &mut Tx,
    keyring: &Keyring,
    member: MemberId,
    clinic: &ClinicId,
    patient: &str,
    word_of: &str,
    now: Timestamp,
) -> Result<Linked, LinkError> {
    let proof = Proof::Word { of: word_of.to_owned(), replaces: false };
    link::link(tx, keyring, Claim { member, clinic, patient, proof: &proof }, now).await
}
