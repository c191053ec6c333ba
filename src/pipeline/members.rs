//! Everything that is known about the members of a batch, read in the transaction that takes it.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use uuid::Uuid;

use super::candidate::{Candidate, Wants};
use super::known::Known;
use super::practitioners::Practitioners;
use super::{AcceptError, Bridge};
use crate::consent::decide::{Denied, DenyReason, Disclosable, Permit, Request, decide};
use crate::domain::audit::Decisions;
use crate::domain::consented::Practitioner;
use crate::domain::grant::Grant;
use crate::domain::ids::{ClinicId, CommunityId, MemberId, ReadingId};
use crate::domain::reading::Reading;
use crate::enrolment::join::{PATIENT_COLUMN, handle_index};
use crate::inbound::event::{Event, Refusal, Subject};
use crate::store::{Tx, Version};
use crate::vault::{Index, MemberKey, SealError};

/// The members of a batch, and their consent, which stays as it is until the transaction ends.
pub(super) struct Members {
    by_handle: HashMap<Index, MemberId>,
    keys: HashMap<MemberId, MemberKey>,
    grants: Vec<Grant>,
    patients: Vec<KnownPatient>,
    practitioners: Practitioners,
}

/// Whom a clinic knows a member as. Personal.
pub(super) struct KnownPatient {
    member: MemberId,
    /// Which clinic.
    pub clinic: ClinicId,
    /// The Patient's id there.
    pub id: String,
    lineage: Option<Index>,
}

/// What clinics were last told, by the identifier of the resource.
pub(super) type Told = HashMap<String, Version>;

impl Members {
    /// Finds the members of a batch and holds their consent as it is.
    pub(super) async fn load(
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
            let id = readable(link.member, opened).and_then(|patient| String::from_utf8(patient).ok());
            let known = |id| KnownPatient { member: link.member, clinic: link.clinic, id, lineage: link.lineage };
            patients.extend(id.map(known));
        }
        let practitioners = Practitioners::load(tx, &grants, &keys).await?;
        Ok(Self { by_handle, keys, grants, patients, practitioners })
    }

    /// The event as a candidate, if its member is known and, for a reading, some clinic may see it. Whom a retraction
    /// concerns is known only when it is known who has the entry. Each clinic that may not see it is noted among the
    /// decisions.
    pub(super) fn candidate(
        &self,
        bridge: &Bridge,
        community: &CommunityId,
        event: Event,
        position: usize,
        decisions: &mut Decisions,
        now: Timestamp,
    ) -> Result<Candidate, Refusal> {
        let member = match &event.subject {
            Subject::Handle(handle) => self.by_handle.get(&handle_index(&bridge.keyring, community, handle)).copied(),
            Subject::Member(member) => Some(*member),
        };
        let member = member.filter(|member| self.keys.contains_key(member)).ok_or_else(Refusal::unknown_member)?;
        let candidate = Candidate::new(&bridge.keyring, community, member, event, position);
        if let Wants::Version { reading, .. } = &candidate.wants {
            for (clinic, denied) in self.denials(reading, now) {
                decisions.deny(clinic, member, denied.as_str());
            }
            if self.permits(reading, now).is_empty() {
                let foremost = self.denials(reading, now).map(|(_, denied)| denied).max();
                return Err(Refusal::not_permitted(foremost.unwrap_or(DenyReason::NoGrant).as_str()));
            }
        }
        Ok(candidate)
    }

    /// What clinics were last told of those candidates' entries that were there before.
    pub(super) async fn what_clinics_were_told(
        &self,
        bridge: &Bridge,
        tx: &mut Tx,
        candidates: &[Candidate],
        known: &Known,
    ) -> Result<Told, AcceptError> {
        let old = candidates.iter().filter(|candidate| known.get(&candidate.entry).is_some());
        let identifiers: HashSet<String> = old
            .flat_map(|candidate| {
                self.clinics(candidate.member).map(|patient| patient.identifier(bridge, candidate.id).to_string())
            })
            .collect();
        let identifiers: Vec<String> = identifiers.into_iter().collect();
        Ok(tx.newest_versions(&identifiers).await?)
    }

    /// Whom clinics know a member as.
    pub(super) fn clinics(&self, member: MemberId) -> impl Iterator<Item = &KnownPatient> {
        self.patients.iter().filter(move |patient| patient.member == member)
    }

    /// A permit for each linked clinic that may see the reading, with that clinic's Patient.
    pub(super) fn permits<'a>(
        &'a self,
        reading: &'a Reading,
        now: Timestamp,
    ) -> Vec<(&'a KnownPatient, Permit<'a, Reading>)> {
        self.clinics(reading.member)
            .filter_map(|patient| Some((patient, self.decide(reading, &patient.clinic, now).ok()?)))
            .filter(|(_, permit)| self.practitioners.can_address(permit))
            .collect()
    }

    pub(super) fn decide<'a, T: Disclosable>(
        &self,
        item: &'a T,
        clinic: &'a ClinicId,
        now: Timestamp,
    ) -> Result<Permit<'a, T>, Denied> {
        decide(&self.grants, Request::to_record(item, clinic, now))
    }

    /// The linked clinics that may not see the reading, each with the reason closest to a permit.
    fn denials<'a>(&'a self, reading: &'a Reading, now: Timestamp) -> impl Iterator<Item = (&'a ClinicId, DenyReason)> {
        self.clinics(reading.member)
            .map(|patient| &patient.clinic)
            .filter_map(move |clinic| Some((clinic, self.decide(reading, clinic, now).err()?.foremost())))
    }

    /// The one practitioner whom something is to be addressed to.
    pub(super) fn practitioner<T>(&self, permit: &Permit<'_, T>) -> Option<&Practitioner> {
        self.practitioners.of(permit)
    }

    pub(super) fn key(&self, member: MemberId) -> Result<&MemberKey, AcceptError> {
        self.keys.get(&member).ok_or(AcceptError::Seal(SealError::DoesNotOpen))
    }
}

impl KnownPatient {
    /// The identifier of a reading as this Patient's: another clinic gets another one, and so does another Patient, so
    /// that whoever is linked anew never changes what was written about somebody else.
    pub(super) fn identifier(&self, bridge: &Bridge, reading: ReadingId) -> Uuid {
        let (keys, clinic) = (bridge.keyring.index(), self.clinic.as_str().as_bytes());
        match &self.lineage {
            None => keys.uuid("identifier", &[clinic, reading.0.as_bytes()]),
            Some(lineage) => keys.uuid("identifier", &[clinic, reading.0.as_bytes(), lineage]),
        }
    }
}

fn readable<T>(member: MemberId, opened: Result<T, SealError>) -> Option<T> {
    opened.inspect_err(|_| tracing::error!(member_id = %member, "a sealed value of a member does not open")).ok()
}
