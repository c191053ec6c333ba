//! Putting permitted resources on their lanes.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde_json::json;

use crate::consent::decide::{Disclosable, Permit};
use crate::domain::audit::{About, Decisions, Stage};
use crate::domain::delivery::Operation;
use crate::domain::entropy::{Entropy, NoEntropy};
use crate::domain::grant::Addressee;
use crate::domain::ids::{DeliveryId, GrantId};
use crate::domain::matter::Matter;
use crate::domain::outbound::Outbound;
use crate::store::{LaneKey, NewDelivery, Reserved, Room, StoreError, Tx, Version};
use crate::vault::{ContentKey, Index, MemberKey, SealError};

/// A resource that may go to a clinic. There is none without a permit.
#[derive(Debug)]
pub struct Parcel<'k> {
    lane: LaneKey,
    grant: Option<(GrantId, i32)>,
    matter: Matter,
    addressee: Addressee,
    letter: Letter,
    key: &'k MemberKey,
}

/// What goes to a clinic, and what for.
#[derive(Debug)]
pub struct Letter {
    /// What becomes of the resource.
    pub operation: Operation,
    /// The resource.
    pub outbound: Outbound,
    /// Keyed index of what it says; `None` for a retraction.
    pub content: Option<Index>,
}

impl Letter {
    /// Says of a resource of which a clinic was last told this that it was entered in error, and nothing else about it.
    #[must_use]
    pub fn retraction(identifier: String, before: &Version) -> Self {
        let (resource_type, is_part) = (before.resource_type.clone(), before.is_part);
        let body = json!({"resourceType": resource_type, "status": "entered-in-error"}).to_string().into_bytes();
        let outbound = Outbound { resource_type: Cow::Owned(resource_type), identifier, is_part, body };
        Self { operation: Operation::Retract, outbound, content: None }
    }
}

impl<'k> Parcel<'k> {
    /// Uses a permit up. The content will be sealed with the lane's key, which the member's `key` wraps.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "a permit is for one parcel")]
    pub fn new<T: Disclosable>(permit: Permit<'_, T>, letter: Letter, key: &'k MemberKey) -> Self {
        Self::one(&permit, letter, key)
    }

    /// Uses a permit up for all that its item is told as. What belongs together goes under one decision.
    pub fn several<T: Disclosable>(
        permit: Permit<'_, T>,
        letters: Vec<Letter>,
        key: &'k MemberKey,
    ) -> impl Iterator<Item = Self> {
        letters.into_iter().map(move |letter| Self::one(&permit, letter, key))
    }

    fn one<T: Disclosable>(permit: &Permit<'_, T>, letter: Letter, key: &'k MemberKey) -> Self {
        let item = permit.item();
        Self {
            lane: LaneKey { clinic: permit.clinic().clone(), member: item.member() },
            grant: permit.grant(),
            matter: item.matter(),
            addressee: permit.obliges().addressee,
            letter,
            key,
        }
    }
}

/// Something that must not go any more: the lane it waits on, and the identifier of its resource.
pub type Recall = (LaneKey, String);

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
/// said earlier of the same resource and not sent yet; what is recalled is withdrawn with nothing in its place.
///
/// # Errors
/// [`EnqueueError`]; the caller's transaction must then be dropped.
pub async fn enqueue(
    tx: &mut Tx,
    parcels: &[Parcel<'_>],
    recalls: &[Recall],
    entropy: &Entropy,
    now: Timestamp,
) -> Result<(), EnqueueError> {
    let mut lanes = reserve(tx, parcels, recalls, now).await?;
    // After the lanes are reserved: nobody marks their items as sending from here on.
    let told = parcels.iter().map(|parcel| (&parcel.lane, &parcel.letter.outbound.identifier));
    let told = told.chain(recalls.iter().map(|(lane, identifier)| (lane, identifier)));
    let unswept: Vec<String> = told
        .filter(|(lane, _)| lanes.get(lane).is_some_and(|end| end.is_unswept))
        .map(|(_, identifier)| identifier.clone())
        .collect();
    tx.sweep_resources(&unswept, now).await?;
    let changed = parcels.iter().map(|parcel| &parcel.letter).filter(|letter| letter.operation != Operation::Create);
    let changed = changed.map(|letter| letter.outbound.identifier.clone());
    let superseded: Vec<String> = changed.chain(recalls.iter().map(|(_, identifier)| identifier.clone())).collect();
    tx.supersede(&superseded, now).await?;
    let mut items = Vec::with_capacity(parcels.len());
    let mut decisions = Decisions::at(Stage::Intake);
    for Parcel { lane, grant, matter, addressee, letter, .. } in parcels {
        let end = lanes.get_mut(lane).ok_or(StoreError::Corrupt("no lane that was just reserved"))?;
        end.next_seq += 1;
        let id = DeliveryId(entropy.uuid(now)?);
        let key = end.key.as_ref().ok_or(SealError::DoesNotOpen)?;
        items.push(NewDelivery {
            id,
            lane: lane.clone(),
            seq: end.next_seq - 1,
            grant: grant.map(|(grant, _)| grant),
            operation: letter.operation,
            matter: matter.clone(),
            addressee: *addressee,
            resource_type: letter.outbound.resource_type.clone(),
            identifier: letter.outbound.identifier.clone(),
            is_part: letter.outbound.is_part,
            content: letter.content,
            sealed_payload: key.seal(PAYLOAD_COLUMN, id.0.as_bytes(), &letter.outbound.body)?,
        });
        // Whoever decided that something goes under no consent has that written down themselves.
        if let Some(grant) = *grant {
            let identifier = letter.outbound.identifier.clone();
            decisions.permit((&lane.clinic, lane.member), grant, About::of(matter), identifier);
        }
    }
    decisions.entries(now).for_each(|entry| tx.record_entry(entry));
    Ok(tx.insert_deliveries(&items, now).await?)
}

/// The end of a lane at which there is room.
struct End {
    next_seq: i64,
    /// `None` where nothing is put.
    key: Option<ContentKey>,
    is_unswept: bool,
}

/// Makes room at the end of all lanes that something is put on, or taken from.
async fn reserve(
    tx: &mut Tx,
    parcels: &[Parcel<'_>],
    recalls: &[Recall],
    now: Timestamp,
) -> Result<HashMap<LaneKey, End>, EnqueueError> {
    let mut rooms: BTreeMap<LaneKey, Room> = BTreeMap::new();
    let mut keys: HashMap<&LaneKey, &MemberKey> = HashMap::new();
    for Parcel { lane, key, .. } in parcels {
        let room = rooms.entry(lane.clone()).or_default();
        room.items += 1;
        if keys.insert(lane, key).is_none() {
            room.fresh_key = Some(key.create_content_key(&lane.clinic)?);
        }
    }
    for (lane, _) in recalls {
        rooms.entry(lane.clone()).or_default();
    }
    let reserved = tx.reserve_lanes(&rooms, now).await?;
    let end = |(lane, Reserved { last_seq, sealed_key, is_unswept }): (LaneKey, Reserved)| {
        let items = rooms.get(&lane).map_or(0, |room| room.items);
        let key = keys.get(&lane).map(|key| key.content_key(&lane.clinic, sealed_key.as_deref())).transpose()?;
        Ok((lane, End { next_seq: last_seq - items + 1, key, is_unswept }))
    };
    reserved.into_iter().map(end).collect()
}
