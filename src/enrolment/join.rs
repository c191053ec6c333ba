//! Members join from a community, and are linked to their Patient at a clinic.

use jiff::Timestamp;

use crate::domain::entropy::NoEntropy;
use crate::domain::ids::{ClinicId, CommunityId, MemberId};
use crate::store::{NewLink, StoreError, Tx};
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
    /// The member has a link to the clinic, or the Patient belongs to another member.
    #[error("the member is linked to this clinic already, or this Patient belongs to another member")]
    LinkTaken,
    /// There is no such member.
    #[error("there is no such member")]
    UnknownMember,
    /// A FHIR id is 1 to 64 letters, digits, '-' and '.' (R4, datatypes, id).
    #[error("expected a FHIR id: 1 to 64 letters, digits, '-' and '.'")]
    PatientId,
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
        Ok(()) => Ok(member),
        Err(StoreError::Conflict) => Err(EnrolError::HandleTaken),
        Err(error) => Err(error.into()),
    }
}

/// Links a member to their Patient at a clinic. `proof` says how the clinic vouched for it.
///
/// # Errors
/// [`EnrolError`].
pub async fn link(
    tx: &mut Tx,
    keyring: &Keyring,
    member: MemberId,
    clinic: &ClinicId,
    patient: &str,
    proof: &str,
    now: Timestamp,
) -> Result<(), EnrolError> {
    if !is_fhir_id(patient) {
        return Err(EnrolError::PatientId);
    }
    let wrapped = tx.member_key(member).await?.ok_or(EnrolError::UnknownMember)?;
    let row = clinic.as_str().as_bytes();
    let link = NewLink {
        member,
        clinic,
        patient_index: keyring.index().index("patient", &[row, patient.as_bytes()]),
        sealed_patient: keyring.unwrap_member_key(member, &wrapped)?.seal(PATIENT_COLUMN, row, patient.as_bytes())?,
        proof,
    };
    match tx.insert_link(link, now).await {
        Ok(()) => Ok(()),
        Err(StoreError::Conflict) => Err(EnrolError::LinkTaken),
        Err(error) => Err(error.into()),
    }
}

fn is_fhir_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
}
