//! A person of a community decides that the clinics of a member are told without consent that they may be in danger.
//!
//! Only clinics that the member is linked to, each only where a policy of the operator's lets it be warned
//! (`[clinics.….warnings]`, off unless written); only by somebody whom the community named for it; and only that there
//! was such an answer. Whether it may go is decided again in the transaction that sends it.

use jiff::Timestamp;
use uuid::Uuid;

use super::{AcceptError, Bridge, KnownPatient};
use crate::consent::decide::{DenyReason, warn as decide_to_warn};
use crate::domain::audit::{Chain, Entry, Event, SEALED_COLUMN, WarningDecided};
use crate::domain::concern::{ConcernState, NotNow, Rule, SPEAKS_OF_NOW};
use crate::domain::delivery::Operation;
use crate::domain::ids::ConcernId;
use crate::domain::warning::{Decided, LONGEST_REASON, Warning, WarningPolicy, WarningState, basis_in, is_reason};
use crate::mapping::to_fhir::{self, Operator, Recipient};
use crate::outbox::enqueue::{Letter, Parcel, enqueue};
use crate::safety::{self, Concern, SafetyError, Which, Why, seal_warning};
use crate::store::{LaneKey, StoreError, Tx, WarningRow};
use crate::vault::MemberKey;

/// A decision that cannot be taken; nothing of it was stored.
#[derive(Debug, thiserror::Error)]
pub enum WarnError {
    /// The community named nobody, or not this person.
    #[error(
        "nobody by this name may decide that a clinic is told without consent: expected one of the people in \
         communities.….safety.deciders"
    )]
    NotNamed,
    /// No clinic may be warned at all.
    #[error("no clinic may be told without consent: there is no policy, [clinics.….warnings], for any")]
    NoPolicy,
    /// The concern is about something else.
    #[error("only that somebody answered that they think of hurting themselves may be told without consent")]
    OtherRule,
    /// None of the member's clinics may be warned, or there is none.
    #[error("the member is linked to no clinic that may be told without consent")]
    NoClinic,
    /// The answer speaks of a time that is over.
    #[error("the concern is more than two weeks old, and speaks of now no more")]
    TooOld,
    /// Somebody else decided so before.
    #[error("somebody has decided so already")]
    Decided,
    /// Why it was decided is not said.
    #[error("expected why it was decided, in 1 to {LONGEST_REASON} characters")]
    Reason,
    /// There is no such concern, or it stands elsewhere.
    #[error(transparent)]
    Safety(#[from] SafetyError),
    /// It may not go. Nothing that can be asked here is denied.
    #[error("not-permitted: {0}")]
    NotPermitted(DenyReason),
    /// It could not be put on its way.
    #[error(transparent)]
    Accept(#[from] AcceptError),
}

impl From<StoreError> for WarnError {
    fn from(error: StoreError) -> Self {
        Self::Safety(error.into())
    }
}

/// A clinic that is to be warned.
struct Target<'a> {
    patient: KnownPatient,
    policy: &'a WarningPolicy,
    identifier: Uuid,
}

/// Has the clinics of the member warned whom a concern is about, and notes that whoever decided so looks after it, if
/// nobody does yet. Decided twice by the same person, it is decided once; what was decided and did not go is decided
/// anew.
///
/// # Errors
/// [`WarnError`]; the caller's transaction must then be dropped.
pub async fn warn(
    bridge: &Bridge,
    tx: &mut Tx,
    which: Which<'_>,
    (by, reason): (&str, &str),
    now: Timestamp,
) -> Result<Concern, WarnError> {
    if !is_reason(reason) {
        return Err(WarnError::Reason);
    }
    let (before, key) = safety::concern(tx, &bridge.keyring, which).await?;
    let watch = bridge.house.watched.get(&before.community);
    if !watch.is_some_and(|watch| watch.deciders.iter().any(|name| name == by)) {
        return Err(WarnError::NotNamed);
    }
    if bridge.house.clinics.values().all(|clinic| clinic.warnings.is_none()) {
        return Err(WarnError::NoPolicy);
    }
    if before.rule != Rule::SelfHarm {
        return Err(WarnError::OtherRule);
    }
    // The member before lanes and concerns, as everywhere; and nobody changes their links any more.
    tx.lock_member(before.member).await?;
    let targets = targets(bridge, tx, &key, before.id).await?;
    if targets.is_empty() {
        return Err(WarnError::NoClinic);
    }
    if before.state == ConcernState::Closed {
        return Err(SafetyError::NotNow(NotNow::Closed).into());
    }
    if now.duration_since(before.raised_at) > SPEAKS_OF_NOW {
        return Err(WarnError::TooOld);
    }
    let on_its_way = |target: &Target<'_>| {
        before
            .warned
            .iter()
            .find(|warned| warned.identifier == target.identifier && warned.state != WarningState::Failed)
    };
    let (told, untold): (Vec<_>, Vec<_>) = targets.into_iter().partition(|target| on_its_way(target).is_some());
    if untold.is_empty() {
        let is_same = told.iter().filter_map(on_its_way).all(|warned| warned.why.by == by);
        return if is_same { Ok(before) } else { Err(WarnError::Decided) };
    }
    for target in &untold {
        send(bridge, tx, &key, &before, target, (by, reason), now).await?;
    }
    if before.state.is_waiting() {
        safety::acknowledge(tx, &bridge.keyring, which, by, now).await?;
    }
    Ok(safety::concern(tx, &bridge.keyring, which).await?.0)
}

/// The clinics that the member is linked to and that may be warned.
async fn targets<'a>(
    bridge: &'a Bridge,
    tx: &mut Tx,
    key: &MemberKey,
    concern: ConcernId,
) -> Result<Vec<Target<'a>>, WarnError> {
    let keys = [(key.member(), key.clone())].into();
    let target = |patient: KnownPatient| {
        let policy = bridge.house.clinics.get(&patient.clinic)?.warnings.as_ref()?;
        let identifier = patient.warning_identifier(bridge, concern);
        Some(Target { patient, policy, identifier })
    };
    Ok(KnownPatient::load(tx, &keys).await?.into_iter().filter_map(target).collect())
}

/// Puts one warning on its way, and writes down who decided so and why.
async fn send(
    bridge: &Bridge,
    tx: &mut Tx,
    key: &MemberKey,
    concern: &Concern,
    target: &Target<'_>,
    (by, reason): (&str, &str),
    now: Timestamp,
) -> Result<(), WarnError> {
    let Target { patient, policy, identifier } = target;
    let warning = Warning {
        member: concern.member,
        concern: concern.id,
        rule: concern.rule,
        raised_at: concern.raised_at,
        decided: Decided { at: now, purpose: policy.purpose },
        legal_basis: basis_in(&policy.legal_basis, policy.language).to_owned(),
    };
    let permit = decide_to_warn(Some(policy), &warning, &patient.clinic, now);
    let permit = permit.map_err(|denied| WarnError::NotPermitted(denied.foremost()))?;
    let recipient = Recipient {
        patient: &patient.id,
        identifier: *identifier,
        source: &bridge.source,
        recorded: now,
        practitioner: None,
    };
    let operator = Operator { name: &bridge.house.operator, contact: &bridge.house.contact };
    let outbound = to_fhir::warning(&permit, recipient, policy.language, operator).map_err(AcceptError::from)?;
    let letter = Letter { operation: Operation::Create, outbound, content: None };
    let parcel = Parcel::new(permit, letter, key);
    enqueue(tx, &[parcel], &[], bridge.keyring.entropy(), now).await.map_err(AcceptError::from)?;
    // Even where everything else waits for the end of a pause.
    tx.wake_lane(&LaneKey { clinic: patient.clinic.clone(), member: concern.member }).await?;
    let why = Why {
        by: by.to_owned(),
        reason: reason.to_owned(),
        legal_basis: policy.legal_basis.clone(),
        purpose: policy.purpose,
    };
    let sealed = seal_warning(key, *identifier, &why)?;
    tx.put_warning(&WarningRow {
        member: concern.member,
        identifier: *identifier,
        concern: concern.id,
        clinic: patient.clinic.clone(),
        sealed,
        decided_at: now,
    })
    .await?;
    record(tx, key, concern, target, &why, now)
}

fn record(
    tx: &mut Tx,
    key: &MemberKey,
    concern: &Concern,
    target: &Target<'_>,
    why: &Why,
    now: Timestamp,
) -> Result<(), WarnError> {
    let decided = WarningDecided {
        concern: concern.id,
        community: concern.community.clone(),
        identifier: target.identifier.to_string(),
        purpose: why.purpose,
    };
    let chain = Chain::between(&target.patient.clinic, concern.member);
    let mut entry = Entry::new(chain, now, Event::WarningDecided(decided));
    let plain = serde_json::to_vec(why).map_err(|_| SafetyError::Unreadable)?;
    entry.sealed = Some(key.seal(SEALED_COLUMN, &entry.sealed_row(), &plain).map_err(SafetyError::from)?);
    tx.record_entry(entry);
    Ok(())
}
