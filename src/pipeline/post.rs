//! What clinics are told of the newest state of entries.

use std::borrow::Cow;

use serde_json::json;

use super::candidate::{Candidate, Wants};
use super::fate::Fates;
use super::{AcceptError, Outcome};
use crate::consent::decide::{DenyReason, Permit};
use crate::domain::delivery::Operation;
use crate::domain::ids::{ClinicId, MemberId};
use crate::domain::outbound::Outbound;
use crate::domain::reading::{Reading, Retraction};
use crate::inbound::event::Refusal;
use crate::mapping::to_fhir::{Recipient, to_fhir};
use crate::outbox::enqueue::{Letter, Parcel, Recall};
use crate::store::{LaneKey, Version};
use crate::vault::Index;

/// What leaves the pipeline.
#[derive(Default)]
pub(super) struct Mail<'a> {
    pub parcels: Vec<Parcel<'a>>,
    pub recalls: Vec<Recall>,
    /// Clinics that may not be told of a retraction.
    pub denied: Vec<(ClinicId, MemberId, DenyReason)>,
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
        for (patient, permit) in self.members.permits(reading, self.now) {
            let identifier = patient.identifier(self.bridge, reading.id);
            let operation = match self.told.get(&identifier.to_string()) {
                None => Operation::Create,
                Some(told) if told.operation != Operation::Retract && told.content.or(first) == Some(content) => {
                    continue;
                }
                Some(_) => {
                    did = Outcome::Corrected;
                    Operation::Correct
                }
            };
            let practitioner = self.members.practitioner(&permit);
            let source = &self.bridge.source;
            let patient = &patient.id;
            let recipient = Recipient { patient, identifier, source, recorded: self.now, practitioner };
            let outbound = to_fhir(&permit, recipient)?;
            let letter = Letter { operation, outbound, content: Some(content) };
            mail.parcels.push(Parcel::new(permit, letter, self.members.key(reading.member)?));
        }
        Ok(did)
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

    fn retractions(&self, candidate: &Candidate, mail: &mut Mail<'a>) -> Result<Outcome, AcceptError> {
        for holder in self.holders(candidate) {
            match self.permit(&holder) {
                Err(denied) => {
                    mail.denied.push((holder.clinic.clone(), candidate.member, denied));
                    let lane = LaneKey { clinic: holder.clinic.clone(), member: candidate.member };
                    mail.recalls.push((lane, holder.identifier));
                }
                Ok(permit) => {
                    let body = json!({"resourceType": holder.version.resource_type, "status": "entered-in-error"});
                    let outbound = Outbound {
                        resource_type: Cow::Owned(holder.version.resource_type.clone()),
                        identifier: holder.identifier.clone(),
                        body: body.to_string().into_bytes(),
                    };
                    let letter = Letter { operation: Operation::Retract, outbound, content: None };
                    mail.parcels.push(Parcel::new(permit, letter, self.members.key(candidate.member)?));
                }
            }
        }
        Ok(Outcome::Retracted)
    }

    /// The clinics that were told of an entry and not that it was deleted.
    fn holders(&self, candidate: &Candidate) -> impl Iterator<Item = Holder<'a>> {
        let (member, id) = (candidate.member, candidate.id);
        let (bridge, told) = (self.bridge, self.told);
        self.members.clinics(member).filter_map(move |patient| {
            let (clinic, identifier) = (&patient.clinic, patient.identifier(bridge, id).to_string());
            let version = told.get(&identifier).filter(|version| version.operation != Operation::Retract)?;
            let retraction = Retraction { member, fact: version.fact.clone() };
            Some(Holder { clinic, identifier, version, retraction })
        })
    }

    fn permit<'h>(&self, holder: &'h Holder<'_>) -> Result<Permit<'h, Retraction>, DenyReason> {
        self.members.decide(&holder.retraction, holder.clinic, self.now).map_err(|denied| denied.foremost())
    }
}
