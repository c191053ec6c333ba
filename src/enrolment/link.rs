//! A member is linked to their Patient at a clinic, on proof. One Patient belongs to one member: whoever comes second is
//! refused, unless the clinic says that they take the first one's place.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::join::{PATIENT_COLUMN, patient_index};
use super::trouble::Trouble;
use crate::domain::audit::{self, Chain, Entry, Event};
use crate::domain::ids::{ClinicId, MemberId, is_fhir_id};
use crate::store::{Link, NewLink, StoreError, Tx};
use crate::vault::{Index, Keyring, MemberKey, SealError};

/// The column a proof is sealed for; its row is the clinic and the time of the link.
const PROOF_COLUMN: &str = "links.sealed_proof";

/// How a clinic vouched for it that a member is a Patient. Personal.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "kebab-case")]
pub enum Proof {
    /// Somebody here said so, on the clinic's word.
    Word {
        /// Who.
        of: String,
        /// Whether on the clinic's word, too, that the member takes the place of who was linked before.
        replaces: bool,
    },
    /// The member told a code that the clinic had handed to the Patient.
    ClinicCode {
        /// When it was issued.
        issued_at: Timestamp,
        /// Whether it said that the member takes the place of who was linked before.
        replaces: bool,
    },
    /// The member signed in at the clinic (SMART App Launch 2.2.0, standalone launch).
    SmartLaunch {
        /// Where.
        issuer: String,
        /// As which client this bridge asked.
        client_id: String,
        /// What was granted.
        scopes: String,
        /// The server's own name for who signed in, if it said that.
        subject: Option<String>,
    },
}

/// What is to be linked.
#[derive(Clone, Copy)]
pub struct Claim<'a> {
    /// Who.
    pub member: MemberId,
    /// Where.
    pub clinic: &'a ClinicId,
    /// The Patient's FHIR id. Personal.
    pub patient: &'a str,
    /// Why that is believed.
    pub proof: &'a Proof,
}

/// What came of a claim.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Linked {
    /// The member is linked now.
    Anew,
    /// They were before, to the same Patient; nothing was changed.
    Already,
    /// The member is linked now, and this one no longer is.
    InPlaceOf(MemberId),
}

/// A link that could not be made; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// There is no such member.
    #[error("there is no such member")]
    UnknownMember,
    /// What was said to be a Patient is none.
    #[error("expected a FHIR id: 1 to 64 letters, digits, '-' and '.'")]
    PatientId,
    /// The member is linked to somebody else there.
    #[error(
        "the member is linked to another Patient at this clinic: that link has to end first (in the portal, or mostik \
         member unlink --member {member} --clinic {clinic})"
    )]
    LinkedToAnother {
        /// Who.
        member: MemberId,
        /// Where.
        clinic: ClinicId,
    },
    /// Another member is linked to this Patient.
    #[error(
        "another member is linked to this Patient: if the clinic says that it is this member, run mostik member link \
         --member {member} --clinic {clinic} --patient … --replace, or hand out a code made with --replace"
    )]
    PatientTaken {
        /// Who was refused.
        member: MemberId,
        /// Where.
        clinic: ClinicId,
    },
    /// The link in whose place this one comes could not be ended.
    #[error("the link in whose place this one comes could not be ended: {0}")]
    Unlink(Box<dyn std::error::Error + Send + Sync>),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A value could not be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
}

impl Proof {
    /// The method in a word, for lists.
    #[must_use]
    pub fn word(&self) -> &str {
        match self {
            Self::Word { of, .. } => of,
            Self::ClinicCode { .. } => "clinic-code",
            Self::SmartLaunch { .. } => "smart-launch",
        }
    }

    /// Whether it says that the member takes the place of who was linked before.
    #[must_use]
    pub const fn replaces(&self) -> bool {
        match self {
            Self::Word { replaces, .. } | Self::ClinicCode { replaces, .. } => *replaces,
            // The server says who the Patient is, and nothing about others.
            Self::SmartLaunch { .. } => false,
        }
    }

    /// The proof of a member's link, if there is one and it was kept.
    ///
    /// # Errors
    /// [`LinkError::Store`]; [`LinkError::Seal`] when it does not open.
    pub async fn of(tx: &mut Tx, key: &MemberKey, link: &Link) -> Result<Option<Self>, LinkError> {
        let Some(sealed) = tx.link_proof(link.member, &link.clinic).await? else { return Ok(None) };
        let plain = Zeroizing::new(key.open(PROOF_COLUMN, &proof_row(&link.clinic, link.linked_at), &sealed)?);
        serde_json::from_slice(&plain).map(Some).map_err(|_| SealError::DoesNotOpen.into())
    }

    fn seal(&self, key: &MemberKey, clinic: &ClinicId, now: Timestamp) -> Result<Vec<u8>, SealError> {
        let plain = Zeroizing::new(serde_json::to_vec(self).map_err(|_| SealError::DoesNotOpen)?);
        key.seal(PROOF_COLUMN, &proof_row(clinic, now), &plain)
    }
}

impl LinkError {
    /// What the member is told.
    #[must_use]
    pub const fn trouble(&self) -> Trouble {
        match self {
            Self::LinkedToAnother { .. } => Trouble::LinkedToAnother,
            Self::PatientTaken { .. } => Trouble::PatientTaken,
            Self::UnknownMember | Self::PatientId | Self::Unlink(_) | Self::Store(_) | Self::Seal(_) => {
                Trouble::OurTrouble
            }
        }
    }
}

/// Who is linked to the Patient of a claim, and has to make room for it on the clinic's word: their link is to end first, in
/// the same transaction. Holds both members. `None`: nobody is in the way.
///
/// # Errors
/// [`LinkError`]; the caller's transaction must then be dropped.
pub async fn whose_place(tx: &mut Tx, keyring: &Keyring, claim: Claim<'_>) -> Result<Option<MemberId>, LinkError> {
    match stand(tx, keyring, claim).await? {
        Stand::Free | Stand::Already => Ok(None),
        Stand::TakenBy(holder) if claim.proof.replaces() => Ok(Some(holder)),
        Stand::TakenBy(_) => Err(claim.taken()),
    }
}

/// Links a member to their Patient, to whom nobody else is linked.
///
/// # Errors
/// [`LinkError`]; the caller's transaction must then be dropped.
pub async fn link(tx: &mut Tx, keyring: &Keyring, claim: Claim<'_>, now: Timestamp) -> Result<Linked, LinkError> {
    let Claim { member, clinic, patient, proof } = claim;
    match stand(tx, keyring, claim).await? {
        Stand::Free => {}
        Stand::Already => return Ok(Linked::Already),
        Stand::TakenBy(_) => return Err(claim.taken()),
    }
    let patient_index = patient_index(keyring, clinic, patient);
    let wrapped = tx.member_key(member).await?.ok_or(LinkError::UnknownMember)?;
    let key = keyring.unwrap_member_key(member, &wrapped)?;
    let first = tx.first_former_patient(member, clinic).await?;
    let new = NewLink {
        member,
        clinic,
        patient_index,
        sealed_patient: key.seal(PATIENT_COLUMN, clinic.as_str().as_bytes(), patient.as_bytes())?,
        lineage: first.filter(|first| *first != patient_index).map(|_| lineage(keyring, clinic, patient)),
        proof: proof.word(),
        sealed_proof: proof.seal(&key, clinic, now)?,
    };
    match tx.insert_link(new, now).await {
        Ok(()) => {}
        Err(StoreError::Conflict) => return Err(claim.taken()),
        Err(error) => return Err(error.into()),
    }
    let event = Event::Linked(audit::Linked { proof: proof.word().to_owned() });
    let mut entry = Entry::new(Chain::between(clinic, member), now, event);
    entry.sealed = Some(key.seal(audit::SEALED_COLUMN, &entry.sealed_row(), patient.as_bytes())?);
    tx.record_entry(entry);
    Ok(Linked::Anew)
}

/// How it stands with a claim.
enum Stand {
    /// Nothing is in the way.
    Free,
    /// It was made before.
    Already,
    /// Another member is linked to the Patient.
    TakenBy(MemberId),
}

/// Holds whom a claim concerns, and says how it stands.
async fn stand(tx: &mut Tx, keyring: &Keyring, claim: Claim<'_>) -> Result<Stand, LinkError> {
    let Claim { member, clinic, patient, .. } = claim;
    if !is_fhir_id(patient) {
        return Err(LinkError::PatientId);
    }
    let patient_index = patient_index(keyring, clinic, patient);
    let holder = hold(tx, member, clinic, patient_index).await?;
    let own = tx.links(&[member]).await?.into_iter().find(|link| link.clinic == *clinic);
    match (own, holder) {
        (Some(own), _) if own.patient_index == patient_index => Ok(Stand::Already),
        (Some(_), _) => Err(LinkError::LinkedToAnother { member, clinic: clinic.clone() }),
        (None, Some(holder)) => Ok(Stand::TakenBy(holder)),
        (None, None) => Ok(Stand::Free),
    }
}

impl Claim<'_> {
    fn taken(&self) -> LinkError {
        LinkError::PatientTaken { member: self.member, clinic: self.clinic.clone() }
    }
}

/// Holds the member, and whoever is linked to the Patient, in the order of their ids; returns the latter, if it is
/// another one.
async fn hold(
    tx: &mut Tx,
    member: MemberId,
    clinic: &ClinicId,
    patient_index: Index,
) -> Result<Option<MemberId>, LinkError> {
    let holder = tx.member_by_patient(clinic, patient_index).await?.filter(|holder| *holder != member);
    let mut concerned: Vec<MemberId> = holder.into_iter().chain([member]).collect();
    concerned.sort();
    for whom in concerned {
        match tx.lock_member(whom).await {
            Err(StoreError::RowCount { .. }) => return Err(LinkError::UnknownMember),
            held => held?,
        }
    }
    // Between the two statements another link may have come or gone.
    let now_held = tx.member_by_patient(clinic, patient_index).await?.filter(|holder| *holder != member);
    match (holder, now_held) {
        (_, None) => Ok(None),
        (Some(before), Some(now)) if before == now => Ok(Some(now)),
        (_, Some(_)) => Err(LinkError::PatientTaken { member, clinic: clinic.clone() }),
    }
}

/// What tells a Patient's resources apart from those of the first one whom the member was linked to.
fn lineage(keyring: &Keyring, clinic: &ClinicId, patient: &str) -> Index {
    keyring.index().index("lineage", &[clinic.as_str().as_bytes(), patient.as_bytes()])
}

fn proof_row(clinic: &ClinicId, linked_at: Timestamp) -> Vec<u8> {
    let mut row = linked_at.as_microsecond().to_be_bytes().to_vec();
    row.extend_from_slice(clinic.as_str().as_bytes());
    row
}

impl std::fmt::Debug for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Proof({})", self.word())
    }
}

impl std::fmt::Debug for Claim<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Claim({} at {})", self.member, self.clinic)
    }
}
