//! What an EHR showed is judged and kept: in one transaction that holds the member, so that nothing of it is kept after a
//! consent or a link has ended.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::Value;

use super::{Place, WayBack, WayBackError};
use crate::booking;
use crate::consent::decide::{Permit, Request, decide};
use crate::domain::advice::{Advice, Standing, Word};
use crate::domain::audit::{Chain, Decisions, Event, ForMember, NotKept, Stage};
use crate::domain::grant::Grant;
use crate::domain::ids::{ClinicId, GrantId, MemberId, RecommendationId};
use crate::domain::recommendation::{RecommendationState, Said};
use crate::enrolment::join::PATIENT_COLUMN;
use crate::inbound::advice::{self, NoAdvice};
use crate::inbound::visits;
use crate::pipeline::Bridge;
use crate::recommendations;
use crate::store::{EhrVersion, LaneKey, ResourceIndexes, SealedRecommendation, StoreError, Tx};
use crate::vault::{Index, MemberKey};

/// A resource that an EHR showed, and what it asks to do. Personal.
pub(super) struct Found {
    pub resource: Value,
    pub focus: Option<Value>,
}

/// The keyed index of a resource at a clinic.
pub(super) fn resource_index(bridge: &Bridge, clinic: &ClinicId, kind: &str, id: &str) -> Index {
    let parts = [clinic.as_str(), kind, id].map(str::as_bytes);
    bridge.keyring.index().index("clinic-resource", &parts)
}

/// Whether this very version of a resource was taken before.
pub(super) async fn is_known(bridge: &Bridge, clinic: &ClinicId, resource: &Value) -> Result<bool, WayBackError> {
    let text = |pointer: &str| resource.pointer(pointer).and_then(Value::as_str);
    let (Some(kind), Some(id), Some(version)) = (text("/resourceType"), text("/id"), text("/meta/versionId")) else {
        return Ok(false);
    };
    let index = resource_index(bridge, clinic, kind, id);
    let rows = bridge.store.read().await?.recommendations_of_resource(clinic, index).await?;
    Ok(!rows.is_empty() && rows.iter().all(|row| row.version.id.as_deref() == Some(version)))
}

impl WayBack {
    /// Keeps what is for the member, as far as they consent; takes back what no longer is.
    pub(super) async fn take(&self, place: &Place, lane: &LaneKey, found: &[Found]) -> Result<(), WayBackError> {
        let mut tx = self.bridge.store.begin().await?;
        match tx.lock_member(lane.member).await {
            // Erased in the meantime.
            Err(StoreError::RowCount { .. }) => return Ok(()),
            locked => locked?,
        }
        let Some(mut taking) = Taking::begin(&self.bridge, &mut tx, lane).await? else { return Ok(()) };
        for found in found {
            taking.one(&mut tx, place, found).await?;
        }
        taking.decisions.entries(taking.now).for_each(|entry| tx.record_entry(entry));
        tx.commit().await?;
        self.bridge.wake.notify_waiters();
        Ok(())
    }

    /// The EHR has a resource no longer: what was made of it is taken back.
    pub(super) async fn gone(&self, lane: &LaneKey, kind: &str, id: &str) -> Result<(), WayBackError> {
        let index = resource_index(&self.bridge, &lane.clinic, kind, id);
        let mut tx = self.bridge.store.begin().await?;
        match tx.lock_member(lane.member).await {
            Err(StoreError::RowCount { .. }) => return Ok(()),
            locked => locked?,
        }
        let now = self.bridge.clock.now();
        for row in tx.recommendations_of_resource(&lane.clinic, index).await? {
            if row.member == lane.member {
                retract(&mut tx, &row, now).await?;
            }
        }
        Ok(tx.commit().await?)
    }
}

/// A transaction that holds a member.
struct Taking<'a> {
    bridge: &'a Bridge,
    clinic: &'a ClinicId,
    member: MemberId,
    key: MemberKey,
    patient: String,
    grants: Vec<Grant>,
    decisions: Decisions,
    now: Timestamp,
}

impl<'a> Taking<'a> {
    /// `None` where the member is not linked to the clinic, or no longer.
    async fn begin(bridge: &'a Bridge, tx: &mut Tx, lane: &'a LaneKey) -> Result<Option<Self>, WayBackError> {
        let (member, clinic) = (lane.member, &lane.clinic);
        let link = tx.links(&[member]).await?.into_iter().find(|link| link.clinic == *clinic);
        let (Some(link), Some(wrapped)) = (link, tx.member_key(member).await?) else { return Ok(None) };
        let key = bridge.keyring.unwrap_member_key(member, &wrapped)?;
        let patient = key.open(PATIENT_COLUMN, clinic.as_str().as_bytes(), &link.sealed_patient)?;
        let patient = String::from_utf8(patient).map_err(|_| StoreError::Corrupt("a Patient id that is no text"))?;
        let grants = tx.living_grants(&[member]).await?;
        let decisions = Decisions::at(Stage::Intake);
        // Only now, when nobody can change this member's consent any more.
        let now = bridge.clock.now();
        Ok(Some(Self { bridge, clinic, member, key, patient, grants, decisions, now }))
    }

    async fn one(&mut self, tx: &mut Tx, place: &Place, found: &Found) -> Result<(), WayBackError> {
        let resource = &found.resource;
        let text = |pointer: &str| resource.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let (kind, id) = (text("/resourceType"), text("/id"));
        let index = resource_index(self.bridge, self.clinic, kind, id);
        let rows = tx.recommendations_of_resource(self.clinic, index).await?;
        let (own, others): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.member == self.member);
        let mut known: HashMap<RecommendationId, SealedRecommendation> =
            own.into_iter().map(|row| (row.id, row)).collect();
        let told = match advice::read(resource, self.own_focus(found), place.ear()) {
            Ok(told) => told,
            Err(NoAdvice::Own) => return self.own_visit(tx, resource, place).await,
            Err(NoAdvice::NoResource) => return Ok(()),
            Err(NoAdvice::NoPatient | NoAdvice::NotForThem) => Vec::new(),
        };
        // What is this Patient's now was perhaps told to somebody else, and is theirs no longer.
        if told.iter().any(|advice| advice.patient == self.patient) {
            for row in others {
                retract(tx, &row, self.now).await?;
            }
        }
        for advice in told {
            if advice.patient != self.patient {
                self.not_kept(tx, kind, "another-patient");
                continue;
            }
            let id = self.id_of(&advice);
            let before = known.remove(&id);
            if before.as_ref().is_some_and(|row| is_stale(row, &advice, found.focus.is_some()))
                || !place.rules.wants(advice.kind)
            {
                continue;
            }
            let word = Word { member: self.member, advice: Some(&advice) };
            match decide(&self.grants, Request::to_member(&word, self.clinic, self.now)) {
                Ok(permit) => {
                    let indexes = ResourceIndexes { own: index, focus: self.focus_index(&advice) };
                    keep(self, tx, &permit, &advice, id, before, indexes).await?;
                }
                Err(denied) => self.decisions.deny(self.clinic, self.member, denied.foremost().as_str()),
            }
        }
        // It was told before, and is no longer there, or no longer for them.
        for row in known.into_values() {
            retract(tx, &row, self.now).await?;
        }
        Ok(())
    }

    /// What became of a visit that the bridge asked for.
    async fn own_visit(&mut self, tx: &mut Tx, resource: &Value, place: &Place) -> Result<(), WayBackError> {
        let ear = place.ear();
        let Some(theirs) = visits::read(resource, ear.identifier_system, ear.base) else { return Ok(()) };
        if theirs.patient != self.patient {
            self.not_kept(tx, "Appointment", "another-patient");
            return Ok(());
        }
        let word = Word { member: self.member, advice: None };
        match decide(&self.grants, Request::to_member(&word, self.clinic, self.now)) {
            Ok(_) => drop(booking::changed(self.bridge, tx, (self.member, self.clinic), &theirs, self.now).await?),
            Err(denied) => self.decisions.deny(self.clinic, self.member, denied.foremost().as_str()),
        }
        Ok(())
    }

    /// What a Task asks to do, if that is about nobody else.
    fn own_focus<'f>(&self, found: &'f Found) -> Option<&'f Value> {
        let focus = found.focus.as_ref()?;
        let whose = focus.pointer("/subject/reference").and_then(Value::as_str);
        let is_own = whose.is_none_or(|whose| whose.rsplit('/').next() == Some(self.patient.as_str()));
        Some(focus).filter(|_| is_own)
    }

    /// The same for all versions of it.
    fn id_of(&self, advice: &Advice) -> RecommendationId {
        let source = &advice.says.source;
        let part = source.part.as_deref().unwrap_or_default();
        let parts = [self.clinic.as_str(), &self.member.to_string(), &source.resource_type, &source.id, part];
        RecommendationId(self.bridge.keyring.index().uuid("recommendation", &parts.map(str::as_bytes)))
    }

    fn focus_index(&self, advice: &Advice) -> Option<Index> {
        let (kind, id) = advice.focus.as_ref()?;
        Some(resource_index(self.bridge, self.clinic, kind, id))
    }

    fn not_kept(&self, tx: &mut Tx, resource_type: &str, why: &str) {
        let event = NotKept { resource_type: resource_type.to_owned(), why: why.to_owned() };
        tx.record(Chain::between(self.clinic, self.member), self.now, Event::NotKept(event));
    }
}

/// Whether an older version, or the very same, was shown late. The same Task may say something else, where what it asks to do
/// was shown with it.
fn is_stale(row: &SealedRecommendation, advice: &Advice, has_focus: bool) -> bool {
    let is_same = advice.version.is_some() && row.version.id == advice.version && !has_focus;
    let is_older = row.version.updated_at.zip(advice.updated_at).is_some_and(|(kept, shown)| shown < kept);
    is_same || is_older
}

/// Keeps a version of something that may come back to its member.
async fn keep(
    taking: &Taking<'_>,
    tx: &mut Tx,
    permit: &Permit<'_, Word<'_>>,
    advice: &Advice,
    id: RecommendationId,
    before: Option<SealedRecommendation>,
    indexes: ResourceIndexes,
) -> Result<(), WayBackError> {
    let (key, now) = (&taking.key, taking.now);
    let version = EhrVersion { id: advice.version.clone(), updated_at: advice.updated_at };
    let Some(before) = before else {
        // What was over before anybody was told is none of the member's news.
        if advice.standing != Standing::Open {
            return Ok(());
        }
        let row = SealedRecommendation {
            member: taking.member,
            id,
            clinic: taking.clinic.clone(),
            kind: advice.kind,
            state: RecommendationState::Received,
            sealed: Some(recommendations::seal(key, id, &advice.says)?),
            version,
            received_at: now,
            updated_at: now,
        };
        record(tx, &row, now, Event::Received, permit.grant());
        tx.put_telling(row.member, row.id.0, now).await?;
        return Ok(tx.put_recommendation(&row, indexes).await?);
    };
    let to = match advice.standing {
        Standing::Withdrawn => {
            let row = SealedRecommendation { version, ..before };
            retract(tx, &row, now).await?;
            return Ok(());
        }
        Standing::Done => RecommendationState::Done,
        Standing::Declined => RecommendationState::Declined,
        Standing::Open => before.state,
    };
    let is_news = is_news(recommendations::open(key, before.clone())?.says.as_ref(), &advice.says);
    let row = if is_news && advice.standing == Standing::Open {
        SealedRecommendation {
            kind: advice.kind,
            state: RecommendationState::Received,
            sealed: Some(recommendations::seal(key, id, &advice.says)?),
            version,
            received_at: now,
            updated_at: now,
            ..before
        }
    } else {
        let state = before.state.step(to).unwrap_or(before.state);
        let updated_at = if state == before.state { before.updated_at } else { now };
        SealedRecommendation { state, version, updated_at, ..before }
    };
    if is_news && advice.standing == Standing::Open {
        record(tx, &row, now, Event::Received, permit.grant());
        tx.put_telling(row.member, row.id.0, now).await?;
    }
    Ok(tx.put_recommendation(&row, indexes).await?)
}

/// Whether it says something else than before. That somebody's name cannot be had this time is no news.
fn is_news(before: Option<&Said>, says: &Said) -> bool {
    let Some(before) = before else { return true };
    let by = says.by.clone().or_else(|| before.by.clone());
    *before != Said { by, ..says.clone() }
}

/// Takes something back, and all that it said.
async fn retract(tx: &mut Tx, row: &SealedRecommendation, now: Timestamp) -> Result<(), WayBackError> {
    if row.state == RecommendationState::Retracted {
        return Ok(());
    }
    record(tx, row, now, Event::Retracted, None);
    // Whoever never heard of it need not hear that it is gone.
    if row.state != RecommendationState::Received {
        tx.put_telling(row.member, row.id.0, now).await?;
    }
    tx.set_recommendation_state(row, RecommendationState::Retracted, now).await?;
    Ok(tx.set_recommendation_version(row).await?)
}

fn record(
    tx: &mut Tx,
    row: &SealedRecommendation,
    now: Timestamp,
    event: fn(ForMember) -> Event,
    grant: Option<(GrantId, i32)>,
) {
    let about = ForMember {
        recommendation: row.id,
        what: row.kind.as_str().to_owned(),
        grant: grant.map(|(grant, _)| grant),
        version: grant.map(|(_, version)| version),
        answer: None,
    };
    tx.record(Chain::between(&row.clinic, row.member), now, event(about));
}
