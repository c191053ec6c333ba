//! Everything that is known about the members of a batch, read in the transaction that takes it.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::candidate::{Candidate, Wants};
use super::known::Known;
use super::patients::KnownPatient;
use super::practitioners::Practitioners;
use super::{AcceptError, Bridge};
use crate::consent::decide::{Denied, Disclosable, Permit, Request, decide};
use crate::domain::audit::Decisions;
use crate::domain::consented::Practitioner;
use crate::domain::day::Days;
use crate::domain::grant::Grant;
use crate::domain::ids::{ClinicId, CommunityId, MemberId};
use crate::domain::settings::Settings;
use crate::enrolment::join::handle_index;
use crate::inbound::event::{Event, Refusal, Subject};
use crate::mapping::to_fhir::part_identifiers;
use crate::readings::{Rules, settings};
use crate::store::{Tx, Version};
use crate::vault::{Index, MemberKey, SealError};

/// The members of a batch, and their consent, which stays as it is until the transaction ends.
pub(super) struct Members {
    by_handle: HashMap<Index, MemberId>,
    keys: HashMap<MemberId, MemberKey>,
    pub(super) grants: Vec<Grant>,
    patients: Vec<KnownPatient>,
    pub(super) practitioners: Practitioners,
    settings: HashMap<MemberId, Settings>,
    pub(super) rules: Rules,
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
        let patients = KnownPatient::load(tx, &keys).await?;
        let practitioners = Practitioners::load(tx, &grants, &keys).await?;
        let sealed = tx.settings(&ids).await?.into_iter();
        let settings = sealed.filter_map(|(member, sealed)| {
            Some((member, readable(member, settings::open(keys.get(&member)?, &sealed))?))
        });
        let settings = settings.collect();
        Ok(Self { by_handle, keys, grants, patients, practitioners, settings, rules: bridge.readings.clone() })
    }

    /// The event as a candidate, if its member is known and, for a reading, some clinic may see it, the member wants
    /// everything kept for themselves, or it may have to take the place of what clinics may see. Whom a retraction concerns is
    /// known only when it is known who has the entry.
    /// Each clinic that may do nothing with it is noted among the decisions.
    pub(super) fn candidate(
        &self,
        bridge: &Bridge,
        community: &CommunityId,
        event: Event,
        position: usize,
        decisions: &mut Decisions,
        now: Timestamp,
    ) -> Result<Candidate, Refusal> {
        if let Some(flaw) = event.flaw {
            return Err(*flaw);
        }
        let member = self.member_of(bridge, community, &event.subject).ok_or_else(Refusal::unknown_member)?;
        let mut candidate = Candidate::new(&bridge.keyring, community, member, event, position);
        if let Wants::Version { reading, denied, .. } = &mut candidate.wants {
            *denied = self.why_no_clinic(reading, decisions, now).filter(|_| !self.keeps(member));
            if let Some(reason) = denied.filter(|reason| !reason.is_of_the_reading()) {
                return Err(Refusal::not_permitted(reason.as_str()));
            }
        }
        Ok(candidate)
    }

    /// Whom an event is about, if they are known and their key opens.
    pub(super) fn member_of(&self, bridge: &Bridge, community: &CommunityId, subject: &Subject) -> Option<MemberId> {
        let member = match subject {
            Subject::Handle(handle) => self.by_handle.get(&handle_index(&bridge.keyring, community, handle)).copied(),
            Subject::Member(member) => Some(*member),
        };
        member.filter(|member| self.keys.contains_key(member))
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
        let told_as = old.flat_map(|candidate| self.told_as(bridge, candidate, known));
        let identifiers: HashSet<String> = told_as.map(|(_, identifier)| identifier).collect();
        let identifiers: Vec<String> = identifiers.into_iter().collect();
        Ok(tx.newest_versions(&identifiers).await?)
    }

    /// The identifiers of all resources as which each clinic may have been told of an entry, the whole before its parts.
    pub(super) fn told_as(
        &self,
        bridge: &Bridge,
        candidate: &Candidate,
        known: &Known,
    ) -> Vec<(&KnownPatient, String)> {
        let of_entry = || known.get(&candidate.entry).and_then(|entry| entry.category);
        let category = candidate.category().or_else(of_entry);
        let of_clinic = |patient| {
            let whole = KnownPatient::identifier(patient, bridge, candidate.id);
            let parts = category.map(|category| part_identifiers(category, whole)).unwrap_or_default();
            std::iter::once(whole).chain(parts).map(move |identifier| (patient, identifier.to_string()))
        };
        self.clinics(candidate.member).flat_map(of_clinic).collect()
    }

    /// Whom clinics know a member as.
    pub(super) fn clinics(&self, member: MemberId) -> impl Iterator<Item = &KnownPatient> {
        self.patients.iter().filter(move |patient| patient.member == member)
    }

    pub(super) fn decide<'a, T: Disclosable>(
        &self,
        item: &'a T,
        clinic: &'a ClinicId,
        now: Timestamp,
    ) -> Result<Permit<'a, T>, Denied> {
        decide(&self.grants, Request::to_record(item, clinic, now))
    }

    /// The one practitioner whom something is to be addressed to.
    pub(super) fn practitioner<T>(&self, permit: &Permit<'_, T>) -> Option<&Practitioner> {
        self.practitioners.of(permit)
    }

    /// Whether a member's own view keeps what no clinic may see.
    pub(super) fn keeps(&self, member: MemberId) -> bool {
        self.settings.get(&member).is_some_and(|settings| settings.keep)
    }

    /// When the first of a member's consents ends, if it ends by itself and what it covered must then be looked at.
    pub(super) fn end_of_consent(&self, member: MemberId) -> Option<Timestamp> {
        let of_member = self.grants.iter().filter(|grant| grant.member == member && !self.keeps(member));
        of_member.map(|grant| grant.terms.valid_until).min()
    }

    /// How a member's time falls into days.
    pub(super) fn days(&self, member: MemberId) -> Days {
        self.settings.get(&member).cloned().unwrap_or_default().days(&self.rules.zone)
    }

    pub(super) fn key(&self, member: MemberId) -> Result<&MemberKey, AcceptError> {
        self.keys.get(&member).ok_or(AcceptError::Seal(SealError::DoesNotOpen))
    }
}

pub(super) fn readable<T, E>(member: MemberId, opened: Result<T, E>) -> Option<T> {
    opened.inspect_err(|_| tracing::error!(member_id = %member, "a sealed value of a member does not open")).ok()
}
