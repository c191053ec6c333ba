//! Putting permitted resources on their lanes.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::consent::decide::{Disclosable, Permit};
use crate::domain::delivery::Operation;
use crate::domain::entropy::{Entropy, NoEntropy};
use crate::domain::ids::DeliveryId;
use crate::domain::outbound::Outbound;
use crate::store::{LaneKey, NewDelivery, StoreError, Tx};
use crate::vault::{MemberKey, SealError};

/// A resource and the permit under which it was made.
#[derive(Debug)]
pub struct Parcel<'a, T> {
    /// Why it may go, and to whom.
    pub permit: Permit<'a, T>,
    /// What becomes of the resource.
    pub operation: Operation,
    /// What goes.
    pub outbound: Outbound,
    /// The member's key: the content is sealed with it.
    pub key: &'a MemberKey,
}

/// Parcels that could not be put on their lanes; none was.
#[derive(Debug, thiserror::Error)]
pub enum EnqueueError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The content could not be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// No id could be made.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
}

/// The column a payload is sealed for; its row is the delivery's id.
pub const PAYLOAD_COLUMN: &str = "outbox.sealed_payload";

/// Puts parcels at the end of their lanes, in the given order. A correction or a retraction takes the place of what was
/// said earlier of the same resource and not sent yet.
///
/// # Errors
/// [`EnqueueError`]; the caller's transaction must then be dropped.
pub async fn enqueue<T: Disclosable>(
    tx: &mut Tx,
    parcels: &[Parcel<'_, T>],
    entropy: &Entropy,
    now: Timestamp,
) -> Result<(), EnqueueError> {
    let mut counts: BTreeMap<LaneKey, i64> = BTreeMap::new();
    for parcel in parcels {
        *counts.entry(lane_of(&parcel.permit)).or_default() += 1;
    }
    let mut next = tx.reserve_lanes(&counts, now).await?;
    // After the lanes are reserved: nobody marks their items as sending from here on.
    let changed: Vec<String> = parcels
        .iter()
        .filter(|parcel| parcel.operation != Operation::Create)
        .map(|parcel| parcel.outbound.identifier.clone())
        .collect();
    tx.supersede(&changed, now).await?;
    for (lane, last) in &mut next {
        *last -= counts.get(lane).copied().unwrap_or_default();
    }
    let mut items = Vec::with_capacity(parcels.len());
    for parcel in parcels {
        let lane = lane_of(&parcel.permit);
        let seq = next.get_mut(&lane).ok_or(StoreError::Corrupt("no lane that was just reserved"))?;
        *seq += 1;
        let id = DeliveryId(entropy.uuid(now)?);
        items.push(NewDelivery {
            id,
            seq: *seq,
            lane,
            operation: parcel.operation,
            grant: parcel.permit.grant().0,
            category: parcel.permit.item().category(),
            measured_at: parcel.permit.item().measured_at(),
            resource_type: parcel.outbound.resource_type,
            identifier: parcel.outbound.identifier.clone(),
            sealed_payload: parcel.key.seal(PAYLOAD_COLUMN, id.0.as_bytes(), &parcel.outbound.body)?,
        });
    }
    Ok(tx.insert_deliveries(&items, now).await?)
}

fn lane_of<T: Disclosable>(permit: &Permit<'_, T>) -> LaneKey {
    LaneKey { clinic: permit.clinic().clone(), member: permit.item().member() }
}
