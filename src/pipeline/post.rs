//! What clinics are told of the newest state of entries.

use super::candidate::{Candidate, Wants};
use super::fate::Fates;
use super::patients::KnownPatient;
use super::uses::Use;
use super::{AcceptError, Outcome};
use crate::consent::decide::{DenyReason, Permit};
use crate::domain::category::Detail;
use crate::domain::delivery::Operation;
use crate::domain::ids::{ClinicId, MemberId};
use crate::domain::matter::Fact;
use crate::domain::outbound::Outbound;
use crate::domain::reading::{Reading, Retraction};
use crate::inbound::event::Refusal;
use crate::mapping::to_fhir::{Recipient, parts_to_fhir, to_fhir};
use crate::outbox::enqueue::{Letter, Parcel, Recall};
use crate::store::{LaneKey, Unsummarised, Version};
use crate::vault::Index;

/// What leaves the pipeline.
#[derive(Default)]
pub(super) struct Mail<'a> {
    pub parcels: Vec<Parcel<'a>>,
    pub recalls: Vec<Recall>,
    /// Clinics that may not be told of a retraction.
    pub denied: Vec<(ClinicId, MemberId, DenyReason)>,
    /// What clinics are not told by itself, but in summaries.
    pub unsummarised: Vec<Unsummarised>,
}

/// A clinic that was told of an entry, and the retraction that it is to get.
struct Holder<'a> {
    clinic: &'a ClinicId,
    identifier: String,
    version: &'a Version,
    retraction: Retraction,
}

impl<'a> Fates<'a> {
    /// What is to be sent and what is not to be sent any more. An event that was known and still has something to tell,
    /// to a clinic that may see it only now or whose delivery was withdrawn, is no duplicate.
    pub(super) fn mail(&self, outcomes: &mut [Outcome]) -> Result<Mail<'a>, AcceptError> {
        let mut mail = Mail::default();
        let mut newest: Vec<&Candidate> = self.newest.values().copied().collect();
        newest.sort_by_key(|candidate| candidate.position);
        for candidate in newest {
            let before = mail.parcels.len() + mail.recalls.len();
            let did = match &candidate.wants {
                Wants::Version { reading, content, .. } => self.versions(candidate, reading, *content, &mut mail)?,
                Wants::Retraction => self.retractions(candidate, &mut mail)?,
            };
            let is_more = mail.parcels.len() + mail.recalls.len() > before;
            if let Some(slot) =
                outcomes.get_mut(candidate.position).filter(|slot| is_more && **slot == Outcome::Duplicate)
            {
                *slot = did;
            }
        }
        Ok(mail)
    }

    fn versions(
        &self,
        candidate: &Candidate,
        reading: &'a Reading,
        content: Index,
        mail: &mut Mail<'a>,
    ) -> Result<Outcome, AcceptError> {
        let first = self.known.get(&candidate.entry).and_then(|entry| entry.body);
        let mut did = Outcome::Accepted;
        for patient in self.members.clinics(reading.member) {
            let clinic = &patient.clinic;
            let identifier = patient.identifier(self.bridge, reading.id);
            let told = self.told.get(&identifier.to_string());
            let is_told =
                |told: &Version| told.operation != Operation::Retract && told.content.or(first) == Some(content);
            if told.is_some_and(is_told) {
                continue;
            }
            match self.members.use_of(reading, clinic, self.now) {
                Ok(Use::Entry(permit)) => {
                    if told.is_some() {
                        did = Outcome::Corrected;
                    }
                    self.send(candidate, patient, permit, content, mail)?;
                }
                Ok(Use::Summary(detail)) => {
                    mail.unsummarised.push(Unsummarised {
                        lane: LaneKey { clinic: clinic.clone(), member: reading.member },
                        category: reading.measure.category(),
                        detail,
                        measured_at: reading.moment.at,
                    });
                    // What it was told of the entry itself is no longer so; how it reads now, summaries say.
                    self.take_all_back(candidate, clinic, mail)?;
                }
                // The clinic may not know how it reads now; but that it is no longer as it was told before, it may.
                Err(reason) if reason.is_of_the_reading() => {
                    if self.take_all_back(candidate, clinic, mail)? {
                        did = Outcome::Corrected;
                    }
                }
                Ok(Use::Page) | Err(_) => {}
            }
        }
        Ok(did)
    }

    /// Tells a clinic all that a reading is told as. The whole comes last: where it has arrived, its parts were dealt with.
    /// Parts that an earlier version had, and this one has not, are taken back.
    fn send(
        &self,
        candidate: &Candidate,
        patient: &KnownPatient,
        permit: Permit<'_, Reading>,
        content: Index,
        mail: &mut Mail<'a>,
    ) -> Result<(), AcceptError> {
        let (source, practitioner) = (&self.bridge.source, self.members.practitioner(&permit));
        let identifier = patient.identifier(self.bridge, candidate.id);
        let recipient = Recipient { patient: &patient.id, identifier, source, recorded: self.now, practitioner };
        let mut outbound = parts_to_fhir(&permit, recipient)?;
        outbound.push(to_fhir(&permit, recipient)?);
        for holder in self.holders(candidate).filter(|holder| holder.clinic == &patient.clinic) {
            if outbound.iter().all(|outbound| outbound.identifier != holder.identifier) {
                self.take_back(candidate, holder, mail)?;
            }
        }
        let letter = |outbound: Outbound| {
            let is_told = self.told.contains_key(&outbound.identifier);
            let operation = if is_told { Operation::Correct } else { Operation::Create };
            Letter { operation, outbound, content: Some(content) }
        };
        let letters = outbound.into_iter().map(letter).collect();
        mail.parcels.extend(Parcel::several(permit, letters, self.members.key(candidate.member)?));
        Ok(())
    }

    /// Whether a retraction can be taken: every clinic forgets what waits for it without being told anything; only what
    /// may have been sent takes a consent to be taken back. One clinic that may be told is enough.
    pub(super) fn may_be_retracted(&self, candidate: &Candidate) -> Result<(), Refusal> {
        let mut foremost: Option<DenyReason> = None;
        let mut is_for_somebody = false;
        for holder in self.holders(candidate) {
            match self.permit(&holder) {
                Err(denied) if !holder.version.is_unsent => foremost = foremost.max(Some(denied)),
                Ok(_) | Err(_) => is_for_somebody = true,
            }
        }
        match foremost {
            Some(denied) if !is_for_somebody => Err(Refusal::not_permitted(denied.as_str())),
            _ => Ok(()),
        }
    }

    /// Takes back all that a clinic was told of an entry. Whether that was anything.
    fn take_all_back(
        &self,
        candidate: &Candidate,
        clinic: &ClinicId,
        mail: &mut Mail<'a>,
    ) -> Result<bool, AcceptError> {
        let holders: Vec<Holder<'_>> = self.holders(candidate).filter(|holder| holder.clinic == clinic).collect();
        let was_told = !holders.is_empty();
        for holder in holders {
            self.take_back(candidate, holder, mail)?;
        }
        Ok(was_told)
    }

    fn retractions(&self, candidate: &Candidate, mail: &mut Mail<'a>) -> Result<Outcome, AcceptError> {
        for holder in self.holders(candidate) {
            self.take_back(candidate, holder, mail)?;
        }
        Ok(Outcome::Retracted)
    }

    /// Tells a clinic that what it was told is no longer so, if it may be told; otherwise what waits for it is dropped.
    fn take_back(&self, candidate: &Candidate, holder: Holder<'_>, mail: &mut Mail<'a>) -> Result<(), AcceptError> {
        let permit = match self.permit(&holder) {
            Ok(permit) => permit,
            Err(denied) => {
                mail.denied.push((holder.clinic.clone(), candidate.member, denied));
                let lane = LaneKey { clinic: holder.clinic.clone(), member: candidate.member };
                mail.recalls.push((lane, holder.identifier));
                return Ok(());
            }
        };
        let letter = Letter::retraction(holder.identifier.clone(), holder.version);
        mail.parcels.push(Parcel::new(permit, letter, self.members.key(candidate.member)?));
        Ok(())
    }

    /// The clinics that were told of an entry and not that it was deleted, once for each resource; the whole comes last.
    fn holders(&self, candidate: &Candidate) -> impl Iterator<Item = Holder<'a>> {
        let (member, told) = (candidate.member, self.told);
        let told_as = self.members.told_as(self.bridge, candidate, &self.known);
        told_as.into_iter().rev().filter_map(move |(patient, identifier)| {
            let version = told.get(&identifier).filter(|version| version.operation != Operation::Retract)?;
            // That it is no longer so shows nothing: it may be said at any detail.
            let fact = Fact { detail: Detail::WeeklySummary, ..version.fact.clone() };
            let retraction = Retraction { member, fact };
            Some(Holder { clinic: &patient.clinic, identifier, version, retraction })
        })
    }

    fn permit<'h>(&self, holder: &'h Holder<'_>) -> Result<Permit<'h, Retraction>, DenyReason> {
        self.members.decide(&holder.retraction, holder.clinic, self.now).map_err(|denied| denied.foremost())
    }
}
