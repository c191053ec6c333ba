//! The whole way of a reading on one page: inbound → consent → mapping → outbox. Delivery takes it from there.
//!
//! A batch is one transaction: what is accepted is stored together with everything that follows from it, or not at all.
//! A reading that no clinic may see is not stored and not remembered, unless its member switched that on: it can be sent
//! again once consent is given.
//!
//! The event that first reports an entry names it for ever. Later versions and the retraction change what stands under
//! that name, in the order in which they arrive; each clinic is told the newest state only.
//!
//! What wants a human's eye becomes a concern in the same transaction, whatever becomes of its event otherwise.
//!
//! Locks are taken in one order: members, events, lanes, items, readings, concerns.

pub mod answers;
mod candidate;
mod concern;
pub mod consent;
mod fate;
mod house;
mod kept;
mod known;
mod members;
mod patients;
mod post;
mod practitioners;
pub mod screened;
mod uses;
mod visits;
pub mod warn;

pub(crate) use candidate::content_of;
pub(crate) use concern::heed;
pub(crate) use patients::KnownPatient;
pub(crate) use practitioners::Practitioners;

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::Notify;

use self::consent::ConsentError;
use crate::audit::checkpoint::{self, CheckpointError, Checkpoints};
use crate::consent::change::ChangeError;
use crate::domain::audit::{Decisions, Stage};
use crate::domain::clock::Clock;
use crate::domain::entropy::NoEntropy;
use crate::domain::ids::CommunityId;
use crate::enrolment::launch::Launches;
use crate::inbound::event::{Event, Refusal};
use crate::mapping::to_fhir::MappingError;
use crate::outbox::enqueue::{EnqueueError, enqueue};
use crate::readings::{KeptError, Rules};
use crate::recommendations::RecommendationError;
use crate::safety::SafetyError;
use crate::store::{Store, StoreError, Tx};
use crate::telemetry::crash_point;
use crate::vault::signing::SigningKeys;
use crate::vault::{ErasedList, Keyring, SealError};

pub use house::{Counterpart, House, Watch};
pub use practitioners::PRACTITIONER_COLUMN;
pub use visits::{Offered, SetUp};

use fate::Fates;
use known::Known;
use members::Members;

/// What every part of a running bridge shares. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Bridge {
    /// The database.
    pub store: Store,
    /// The keys.
    pub keyring: Keyring,
    /// The keys to sign with.
    pub signing: SigningKeys,
    /// Whoever was erased, outside the database.
    pub erased: ErasedList,
    /// The time.
    pub clock: Clock,
    /// This installation, as `meta.source` of what it writes: a URI.
    pub source: Arc<str>,
    /// Where it is noted how far the audit log goes.
    pub checkpoints: Checkpoints,
    /// What it says of itself and of its clinics.
    pub house: Arc<House>,
    /// What is kept of readings.
    pub readings: Rules,
    /// Where members show at clinics who they are, and where what they lent is given back.
    pub launches: Arc<Launches>,
    /// Tells the desks of this process that something was put into the outbox.
    pub wake: Arc<Notify>,
    /// Tells whoever looks for what clinics have for members that there is something new.
    pub news: Arc<Notify>,
}

impl Bridge {
    /// Notes outside of the database how far the audit log goes now.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub async fn checkpoint(&self) -> Result<bool, CheckpointError> {
        self.checkpoints.write(self.audited(), self.clock.now()).await
    }

    /// What a checkpoint is made from.
    #[must_use]
    pub const fn audited(&self) -> checkpoint::House<'_> {
        checkpoint::House { store: &self.store, signing: &self.signing, entropy: self.keyring.entropy() }
    }
}

/// What became of one event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It is on its way to every clinic that may see it, or will be as part of a summary.
    Accepted,
    /// It is the newest version of an entry that was known, and on its way to every clinic that may see it. Those that may
    /// not, and were told of the entry before, are told that it is no longer so.
    Corrected,
    /// Its entry is deleted; every clinic that has it and may be told is being told.
    Retracted,
    /// There is nothing to do: it was taken before, by every clinic that may see it, or changes nothing.
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
    /// A reading could not be kept.
    #[error(transparent)]
    Kept(#[from] KeptError),
    /// A concern could not be raised.
    #[error(transparent)]
    Safety(SafetyError),
}

impl From<SafetyError> for AcceptError {
    fn from(error: SafetyError) -> Self {
        match error {
            SafetyError::Store(error) => Self::Store(error),
            other => Self::Safety(other),
        }
    }
}

impl From<RecommendationError> for AcceptError {
    fn from(error: RecommendationError) -> Self {
        match error {
            RecommendationError::Store(error) => Self::Store(error),
            RecommendationError::Seal(error) => Self::Seal(error),
            RecommendationError::Unreadable => KeptError::Unreadable.into(),
        }
    }
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

impl From<ConsentError> for AcceptError {
    fn from(error: ConsentError) -> Self {
        match error {
            ConsentError::Change(ChangeError::Store(error)) => Self::Store(error),
            ConsentError::Seal(error) => Self::Seal(error),
            ConsentError::Mapping(error) => Self::Mapping(error),
            ConsentError::NoEntropy(error) => Self::NoEntropy(error),
            _ => StoreError::Corrupt("a consent it should not").into(),
        }
    }
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
    let outcomes = take(bridge, &mut tx, (community, None), events).await?;
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
    take(bridge, &mut tx, (community, None), events).await
}

/// The whole way, within one transaction: of the caller, who wakes the desks once it is committed. Where a member says it here
/// in the chat of a community, only that one's people are told of what wants a human's eye.
///
/// # Errors
/// [`AcceptError`]; the caller's transaction must then be dropped.
pub(crate) async fn take(
    bridge: &Bridge,
    tx: &mut Tx,
    (community, chat): (&CommunityId, Option<&CommunityId>),
    events: Vec<Result<Event, Refusal>>,
) -> Result<Vec<Outcome>, AcceptError> {
    let members = Members::load(bridge, tx, community, &events).await?;
    // Only now, when nobody can change these members' consent any more.
    let now = bridge.clock.now();
    let worries = concern::noticed(bridge, (community, chat), &members, &events, now);
    let mut outcomes = Vec::with_capacity(events.len());
    let mut candidates = Vec::new();
    let mut decisions = Decisions::at(Stage::Intake);
    for (position, event) in events.into_iter().enumerate() {
        match event.and_then(|event| members.candidate(bridge, community, event, position, &mut decisions, now)) {
            Ok(candidate) => {
                candidates.push(candidate);
                outcomes.push(Outcome::Duplicate);
            }
            Err(refusal) => outcomes.push(Outcome::Refused(refusal)),
        }
    }
    let known = Known::load(tx, community, &candidates, now).await?;
    let told = members.what_clinics_were_told(bridge, tx, &candidates, &known).await?;
    let mut fates = Fates { bridge, members: &members, told: &told, known, newest: HashMap::new(), now };
    for candidate in &candidates {
        if let Some(slot) = outcomes.get_mut(candidate.position) {
            *slot = fates.of(candidate);
        }
    }
    let mail = fates.mail(&mut outcomes)?;
    for (clinic, member, denied) in &mail.denied {
        decisions.deny(clinic, *member, denied.as_str());
    }
    decisions.entries(now).for_each(|entry| tx.record_entry(entry));
    let kept = fates.kept(tx, &candidates, &outcomes, &mail).await?;
    fates.known.save(tx, community, now).await?;
    enqueue(tx, &mail.parcels, &mail.recalls, bridge.keyring.entropy(), now).await?;
    kept.save(tx, now).await?;
    concern::raise(bridge, tx, &members, worries, now).await?;
    Ok(outcomes)
}
