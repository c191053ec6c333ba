//! The whole way of a reading on one page: inbound → consent → mapping → outbox. Delivery takes it from there.
//!
//! A batch is one transaction: what is accepted is stored together with everything that follows from it, or not at all.
//! A reading that no clinic may see is not stored and not remembered: it can be sent again once consent is given.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::Notify;

use crate::consent::decide::{DenyReason, Permit, decide};
use crate::domain::clock::Clock;
use crate::domain::entropy::NoEntropy;
use crate::domain::grant::{Grant, Purpose};
use crate::domain::ids::{ClinicId, CommunityId, MemberId, ReadingId};
use crate::domain::reading::Reading;
use crate::enrolment::join::{PATIENT_COLUMN, handle_index};
use crate::inbound::event::{Event, Refusal, Subject};
use crate::mapping::to_fhir::{MappingError, Recipient, to_fhir};
use crate::outbox::enqueue::{EnqueueError, Parcel, enqueue};
use crate::store::{SeenEvent, Store, StoreError, Tx};
use crate::telemetry::crash_point;
use crate::vault::signing::SigningKeys;
use crate::vault::{Index, Keyring, MemberKey, SealError};

/// What every part of a running bridge shares. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Bridge {
    /// The database.
    pub store: Store,
    /// The keys.
    pub keyring: Keyring,
    /// The keys to sign with.
    pub signing: SigningKeys,
    /// The time.
    pub clock: Clock,
    /// This installation, as `meta.source` of what it writes: a URI.
    pub source: Arc<str>,
    /// Tells the workers of this process that something was put into the outbox.
    pub wake: Arc<Notify>,
}

/// What became of one event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It is on its way to every clinic that may see it.
    Accepted,
    /// The same event with the same content was taken before, by every clinic that may see it.
    Duplicate,
    /// The same event was taken before with another content.
    Conflict,
    /// It was not taken, and left no trace.
    Refused(Refusal),
}

/// A batch that could not be taken; nothing of it was stored.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A value could not be sealed or opened.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A reading could not be mapped.
    #[error(transparent)]
    Mapping(#[from] MappingError),
    /// There is no randomness for an id.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
}

impl From<EnqueueError> for AcceptError {
    fn from(error: EnqueueError) -> Self {
        match error {
            EnqueueError::Store(error) => Self::Store(error),
            EnqueueError::Seal(error) => Self::Seal(error),
            EnqueueError::NoEntropy(error) => Self::NoEntropy(error),
        }
    }
}

/// Everything that is known about the members of a batch, read in the transaction that takes it.
struct Members {
    by_handle: HashMap<Index, MemberId>,
    keys: HashMap<MemberId, MemberKey>,
    grants: Vec<Grant>,
    patients: Vec<(MemberId, ClinicId, String)>,
}

/// An event that some clinic may see.
struct Candidate {
    position: usize,
    seen: SeenEvent,
    reading: Reading,
}

/// Takes a batch of events of one community. The outcomes stand in the order of the events.
///
/// # Errors
/// [`AcceptError`]; then nothing of the batch was stored.
pub async fn accept(
    bridge: &Bridge,
    community: &CommunityId,
    events: Vec<Result<Event, Refusal>>,
) -> Result<Vec<Outcome>, AcceptError> {
    let mut tx = bridge.store.begin().await?;
    let outcomes = take(bridge, &mut tx, community, events).await?;
    crash_point("accept:before-commit");
    tx.commit().await?;
    crash_point("accept:after-commit");
    bridge.wake.notify_waiters();
    Ok(outcomes)
}

/// Says what [`accept`] would do, and does nothing.
///
/// # Errors
/// [`AcceptError`].
pub async fn rehearse(
    bridge: &Bridge,
    community: &CommunityId,
    events: Vec<Result<Event, Refusal>>,
) -> Result<Vec<Outcome>, AcceptError> {
    let mut tx = bridge.store.begin().await?;
    // The transaction is dropped: what was done in it leaves no trace.
    take(bridge, &mut tx, community, events).await
}

/// The whole way, within one transaction.
async fn take(
    bridge: &Bridge,
    tx: &mut Tx,
    community: &CommunityId,
    events: Vec<Result<Event, Refusal>>,
) -> Result<Vec<Outcome>, AcceptError> {
    let members = Members::load(bridge, tx, community, &events).await?;
    // Only now, when nobody can change these members' consent any more.
    let now = bridge.clock.now();
    let mut outcomes = Vec::with_capacity(events.len());
    let mut candidates = Vec::new();
    for (position, event) in events.into_iter().enumerate() {
        match event.and_then(|event| members.candidate(bridge, community, event, position, now)) {
            Ok(candidate) => {
                candidates.push(candidate);
                outcomes.push(Outcome::Duplicate);
            }
            Err(refusal) => outcomes.push(Outcome::Refused(refusal)),
        }
    }
    sort_out(tx, community, &candidates, &mut outcomes, now).await?;
    let mut parcels = Vec::new();
    for candidate in candidates.iter().filter(|candidate| is_kept(&outcomes, candidate)) {
        for (patient, permit) in members.permits(&candidate.reading, now) {
            parcels.push((candidate.position, members.parcel(bridge, patient, permit)?));
        }
    }
    let parcels = leave_out_what_is_under_way(tx, parcels, &mut outcomes).await?;
    enqueue(tx, &parcels, bridge.keyring.entropy(), now).await?;
    Ok(outcomes)
}

fn is_kept(outcomes: &[Outcome], candidate: &Candidate) -> bool {
    matches!(outcomes.get(candidate.position), Some(Outcome::Accepted | Outcome::Duplicate))
}

/// Remembers the candidates' events, and notes of each whether it was new, known, or known with another content.
async fn sort_out(
    tx: &mut Tx,
    community: &CommunityId,
    candidates: &[Candidate],
    outcomes: &mut [Outcome],
    now: Timestamp,
) -> Result<(), AcceptError> {
    let seen: Vec<SeenEvent> = candidates.iter().map(|candidate| candidate.seen).collect();
    let mut new: HashSet<Index> = tx.insert_events(community, &seen, now).await?.into_iter().collect();
    let old: Vec<Index> = seen.iter().map(|seen| seen.event).filter(|event| !new.contains(event)).collect();
    let mut bodies = tx.seen_events(community, &old).await?;
    for Candidate { position, seen, .. } in candidates {
        let outcome = if new.remove(&seen.event) {
            bodies.insert(seen.event, seen.body);
            Outcome::Accepted
        } else if bodies.get(&seen.event) == Some(&seen.body) {
            Outcome::Duplicate
        } else {
            Outcome::Conflict
        };
        if let Some(slot) = outcomes.get_mut(*position) {
            *slot = outcome;
        }
    }
    Ok(())
}

/// A known event may still have something to deliver: to a clinic that may see it only now, or whose delivery was
/// withdrawn before consent was given anew. Such an event counts as accepted; the rest of the known ones is left out.
async fn leave_out_what_is_under_way<'a>(
    tx: &mut Tx,
    parcels: Vec<(usize, Parcel<'a, Reading>)>,
    outcomes: &mut [Outcome],
) -> Result<Vec<Parcel<'a, Reading>>, AcceptError> {
    let is_known = |outcomes: &[Outcome], position: usize| outcomes.get(position) == Some(&Outcome::Duplicate);
    let identifiers: Vec<String> = parcels
        .iter()
        .filter(|(position, _)| is_known(outcomes, *position))
        .map(|(_, parcel)| parcel.outbound.identifier.clone())
        .collect();
    let mut under_way = tx.delivered_or_under_way(&identifiers).await?;
    let mut left = Vec::with_capacity(parcels.len());
    for (position, parcel) in parcels {
        // Each identifier once, also when a batch says the same thing twice.
        if under_way.insert(parcel.outbound.identifier.clone()) {
            if let Some(slot) = outcomes.get_mut(position) {
                *slot = Outcome::Accepted;
            }
            left.push(parcel);
        }
    }
    Ok(left)
}

impl Members {
    /// Finds the members of a batch and holds their consent as it is.
    async fn load(
        bridge: &Bridge,
        tx: &mut Tx,
        community: &CommunityId,
        events: &[Result<Event, Refusal>],
    ) -> Result<Self, AcceptError> {
        let mut handles = HashSet::new();
        let mut ids = HashSet::new();
        for event in events.iter().flatten() {
            match &event.subject {
                Subject::Handle(handle) => handles.insert(handle_index(&bridge.keyring, community, handle)),
                Subject::Member(member) => ids.insert(*member),
            };
        }
        let handles: Vec<Index> = handles.into_iter().collect();
        let by_handle = tx.members_by_handle(community, &handles).await?;
        ids.extend(by_handle.values());
        let ids: Vec<MemberId> = ids.into_iter().collect();
        let wrapped = tx.hold_members(&ids).await?;
        // A member whose key does not open is as good as unknown; the others are none the worse for it.
        let keys: HashMap<MemberId, MemberKey> = wrapped
            .into_iter()
            .filter_map(|(member, key)| {
                Some((member, readable(member, bridge.keyring.unwrap_member_key(member, &key))?))
            })
            .collect();
        let ids: Vec<MemberId> = keys.keys().copied().collect();
        let grants = tx.living_grants(&ids).await?;
        let mut patients = Vec::new();
        for link in tx.links(&ids).await? {
            let Some(key) = keys.get(&link.member) else { continue };
            let opened = key.open(PATIENT_COLUMN, link.clinic.as_str().as_bytes(), &link.sealed_patient);
            let patient = readable(link.member, opened).and_then(|patient| String::from_utf8(patient).ok());
            patients.extend(patient.map(|patient| (link.member, link.clinic, patient)));
        }
        Ok(Self { by_handle, keys, grants, patients })
    }

    /// The event as a reading, if some clinic may see it.
    fn candidate(
        &self,
        bridge: &Bridge,
        community: &CommunityId,
        event: Event,
        position: usize,
        now: Timestamp,
    ) -> Result<Candidate, Refusal> {
        let member = match &event.subject {
            Subject::Handle(handle) => self.by_handle.get(&handle_index(&bridge.keyring, community, handle)).copied(),
            Subject::Member(member) => self.keys.contains_key(member).then_some(*member),
        };
        let member = member.ok_or_else(Refusal::unknown_member)?;
        let seen = SeenEvent {
            event: event_index(&bridge.keyring, community, &event),
            member,
            body: body_index(&bridge.keyring, member, &event),
        };
        let id = ReadingId(bridge.keyring.index().uuid("reading", &[&seen.event]));
        let reading = Reading { id, member, moment: event.moment, measure: event.measure };
        if self.permits(&reading, now).is_empty() {
            return Err(Refusal::not_permitted(self.foremost_denial(&reading, now).as_str()));
        }
        Ok(Candidate { position, seen, reading })
    }

    /// A permit for each linked clinic that may see the reading, with that clinic's Patient.
    fn permits<'a>(&'a self, reading: &'a Reading, now: Timestamp) -> Vec<(&'a str, Permit<'a, Reading>)> {
        self.patients
            .iter()
            .filter(|(member, ..)| *member == reading.member)
            .filter_map(|(_, clinic, patient)| {
                let permit = decide(&self.grants, reading, clinic, Purpose::Treatment, now).ok()?;
                Some((patient.as_str(), permit))
            })
            .collect()
    }

    fn foremost_denial(&self, reading: &Reading, now: Timestamp) -> DenyReason {
        self.patients
            .iter()
            .filter(|(member, ..)| *member == reading.member)
            .filter_map(|(_, clinic, _)| decide(&self.grants, reading, clinic, Purpose::Treatment, now).err())
            .map(|denied| denied.foremost())
            .max()
            .unwrap_or(DenyReason::NoGrant)
    }

    fn parcel<'a>(
        &'a self,
        bridge: &Bridge,
        patient: &str,
        permit: Permit<'a, Reading>,
    ) -> Result<Parcel<'a, Reading>, AcceptError> {
        let reading = permit.item();
        let clinic = permit.clinic().as_str().as_bytes();
        let identifier = bridge.keyring.index().uuid("identifier", &[clinic, reading.id.0.as_bytes()]);
        let recipient = Recipient { patient, identifier, source: &bridge.source };
        let key = self.key(reading.member)?;
        let outbound = to_fhir(&permit, recipient)?;
        Ok(Parcel { permit, outbound, key })
    }

    fn key(&self, member: MemberId) -> Result<&MemberKey, AcceptError> {
        self.keys.get(&member).ok_or(AcceptError::Seal(SealError::DoesNotOpen))
    }
}

fn readable<T>(member: MemberId, opened: Result<T, SealError>) -> Option<T> {
    opened.inspect_err(|_| tracing::error!(member_id = %member, "a sealed value of a member does not open")).ok()
}

fn event_index(keyring: &Keyring, community: &CommunityId, event: &Event) -> Index {
    let parts = [community.as_str().as_bytes(), event.source.as_bytes(), event.id.as_bytes()];
    keyring.index().index("event", &parts)
}

/// What the event says, however its JSON was laid out.
fn body_index(keyring: &Keyring, member: MemberId, event: &Event) -> Index {
    let said = serde_json::to_vec(&(event.moment, &event.measure)).unwrap_or_default();
    keyring.index().index("body", &[member.0.as_bytes(), &said])
}
