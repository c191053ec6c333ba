//! The member's wish that a clinic marks what it was told as entered in error. It tells the clinic nothing new, and so it
//! needs no living consent: a narrow permit of its own, one retraction for each entry of the ledger. The clinic decides
//! what it makes of it; what came of each is shown.

use std::borrow::Cow;

use jiff::Timestamp;
use serde_json::json;

use super::record::member_key;
use super::{Bridge, ConsentError};
use crate::consent::decide::{Request, decide};
use crate::domain::delivery::{DeliveryState, Operation};
use crate::domain::ids::{ClinicId, MemberId};
use crate::domain::matter::Mark;
use crate::domain::outbound::Outbound;
use crate::outbox::enqueue::{Letter, Parcel, enqueue};
use crate::store::{LaneKey, LedgerEntry, Tx, Version};

/// What came of the wish, for one resource.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Marked {
    /// Value of the resource's identifier.
    pub identifier: String,
    /// What came of it.
    pub outcome: MarkOutcome,
    /// Since when.
    pub at: Timestamp,
}

/// What came of the wish that something is marked.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum MarkOutcome {
    /// The clinic is being asked.
    Waiting,
    /// It is marked.
    Marked,
    /// The clinic's EHR refused it, or does not let anybody change what stands there.
    Refused,
    /// The clinic could not be asked.
    NotAsked,
}

impl MarkOutcome {
    /// The word used in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Marked => "marked",
            Self::Refused => "refused",
            Self::NotAsked => "not-asked",
        }
    }
}

/// Asks a clinic to mark everything that it was told about a member as entered in error. What it was asked to mark already
/// is not asked for twice. Returns for how many resources it is asked.
///
/// # Errors
/// [`ConsentError`]; the transaction must then be dropped.
pub async fn ask_to_mark(
    bridge: &Bridge,
    tx: &mut Tx,
    member: MemberId,
    clinic: &ClinicId,
    now: Timestamp,
) -> Result<u64, ConsentError> {
    tx.lock_member(member).await?;
    let key = member_key(bridge, tx, member).await?;
    let grants = tx.grant_history(member).await?;
    let lane = LaneKey { clinic: clinic.clone(), member };
    let ledger = tx.ledger(&lane).await?;
    let identifiers: Vec<String> = ledger.iter().map(|entry| entry.identifier.clone()).collect();
    let told = tx.newest_versions(&identifiers).await?;
    let wishes: Vec<(Mark, &LedgerEntry)> =
        ledger.iter().filter_map(|entry| Some((mark(member, entry, told.get(&entry.identifier)?)?, entry))).collect();
    let mut parcels = Vec::with_capacity(wishes.len());
    for (wish, entry) in &wishes {
        let permit = decide(&grants, Request::to_record(wish, clinic, now)).map_err(|_| ConsentError::NotOurs)?;
        let resource_type = entry.stored.resource_type.clone();
        let body = json!({"resourceType": resource_type, "status": "entered-in-error"}).to_string().into_bytes();
        let outbound = Outbound {
            resource_type: Cow::Owned(resource_type),
            identifier: entry.identifier.clone(),
            is_part: told.get(&entry.identifier).is_some_and(|before| before.is_part),
            body,
        };
        parcels.push(Parcel::new(permit, Letter { operation: Operation::Retract, outbound, content: None }, &key));
    }
    enqueue(tx, &parcels, &[], bridge.keyring.entropy(), now).await?;
    tx.wake_lane(&lane).await?;
    Ok(wishes.len() as u64)
}

/// The wish for one resource; none for what is marked already, or was asked for, or is no fact.
fn mark(member: MemberId, entry: &LedgerEntry, told: &Version) -> Option<Mark> {
    // A visit is cancelled; that it was asked for was no error.
    let is_fact = !["Consent", "Appointment"].contains(&entry.stored.resource_type.as_str());
    let is_gone = told.operation == Operation::Retract;
    (is_fact && !is_gone).then(|| Mark { member, fact: told.fact.clone() })
}

/// What came of a member's wishes at a clinic.
///
/// # Errors
/// [`ConsentError`].
pub async fn marks(tx: &mut Tx, member: MemberId, clinic: &ClinicId) -> Result<Vec<Marked>, ConsentError> {
    let rows = tx.marks(&LaneKey { clinic: clinic.clone(), member }).await?;
    let marked = |(identifier, state, at): (String, DeliveryState, Timestamp)| {
        let outcome = match state {
            DeliveryState::Confirmed => MarkOutcome::Marked,
            DeliveryState::Rejected | DeliveryState::Held => MarkOutcome::Refused,
            DeliveryState::Dead | DeliveryState::Withdrawn => MarkOutcome::NotAsked,
            DeliveryState::Ready | DeliveryState::Sending | DeliveryState::Retry | DeliveryState::Unknown => {
                MarkOutcome::Waiting
            }
        };
        Marked { identifier, outcome, at }
    };
    Ok(rows.into_iter().map(marked).collect())
}
