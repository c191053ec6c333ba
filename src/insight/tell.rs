//! From days and weeks that are over to what clinics are told of them: the same way as every entry goes.

use std::collections::HashMap;

use jiff::Timestamp;
use uuid::Uuid;

use super::plan::{Made, Target};
use super::standing::Standing;
use super::summarise::{Stretch, summaries};
use crate::consent::decide::DenyReason;
use crate::consent::share::Share;
use crate::domain::category::Detail;
use crate::domain::delivery::Operation;
use crate::domain::ids::ClinicId;
use crate::domain::matter::Fact;
use crate::domain::reading::{Reading, Retraction};
use crate::domain::summary::Summary;
use crate::mapping::to_fhir::{Recipient, summary_to_fhir};
use crate::outbox::enqueue::{Letter, Parcel, Recall};
use crate::pipeline::{AcceptError, Bridge, KnownPatient};
use crate::readings::kept;
use crate::store::{LaneKey, MadeSummary, Tx, Unsummarised, Version};
use crate::vault::Index;

/// A day or week, worked out.
#[derive(Debug)]
pub struct Told {
    target: Target,
    summaries: Vec<(Uuid, Summary)>,
    /// Why some of its readings count in none of them.
    denied: Vec<DenyReason>,
}

/// What leaves for clinics.
#[derive(Debug, Default)]
pub struct Mail<'k> {
    /// What they are told.
    pub parcels: Vec<Parcel<'k>>,
    /// What they are not told any more.
    pub recalls: Vec<Recall>,
    /// The summaries that were made.
    pub made: Made,
    /// What is still to be summarised.
    pub unsummarised: Vec<Unsummarised>,
    /// What they may not be told, and why.
    pub denied: Vec<(ClinicId, DenyReason)>,
}

/// What the readings of a period amount to that a clinic may see, and the identifiers of the resources that say so.
#[must_use]
pub fn worked_out(
    bridge: &Bridge,
    standing: &Standing,
    patient: &KnownPatient,
    target: Target,
    readings: &[Reading],
    now: Timestamp,
) -> Told {
    let Target { clinic, category, detail, period } = &target;
    let mut covered_from = Timestamp::MIN;
    let (mut visible, mut denied) = (Vec::new(), Vec::new());
    for reading in readings {
        let share = Share::of(reading);
        let permit = match standing.decide(&share, clinic, now) {
            Ok(permit) => permit,
            Err(why) => {
                denied.push(why.foremost());
                continue;
            }
        };
        let grant = standing.grants.iter().find(|grant| Some((grant.id, grant.version)) == permit.grant());
        covered_from = covered_from.max(grant.and_then(|grant| grant.terms.data_from).unwrap_or(Timestamp::MIN));
        visible.push(reading.clone());
    }
    let stretch =
        Stretch { member: standing.member, detail: *detail, period: *period, covered_from, days: &standing.days };
    let summaries = summaries(stretch, *category, &visible);
    let named = |summary: Summary| (patient.summary_identifier(bridge, &summary), summary);
    Told { summaries: summaries.into_iter().map(named).collect(), target, denied }
}

/// Works out what is planned.
///
/// # Errors
/// [`AcceptError`].
pub async fn work_out(
    bridge: &Bridge,
    tx: &mut Tx,
    standing: &Standing,
    targets: Vec<Target>,
    now: Timestamp,
) -> Result<Vec<Told>, AcceptError> {
    let mut told = Vec::with_capacity(targets.len());
    for target in targets {
        let Target { clinic, category, period, .. } = &target;
        let Some(patient) = standing.patient(clinic) else { continue };
        let readings = kept::all(tx, &standing.key, Some(*category), period.start, period.end).await?;
        told.push(worked_out(bridge, standing, patient, target, &readings, now));
    }
    Ok(told)
}

/// What clinics are to be told of what was worked out, after what they were told before.
///
/// # Errors
/// [`AcceptError`].
pub async fn mail<'k>(
    bridge: &Bridge,
    tx: &mut Tx,
    standing: &'k Standing,
    told: &[Told],
    made: &Made,
    now: Timestamp,
) -> Result<Mail<'k>, AcceptError> {
    let computed = told.iter().flat_map(|told| told.summaries.iter().map(|(identifier, _)| identifier.to_string()));
    let known = told.iter().flat_map(|told| told.made(standing, made).map(|made| made.identifier.clone()));
    let identifiers: Vec<String> = computed.chain(known).collect();
    let versions = tx.newest_versions(&identifiers).await?;
    let writer = Writer { bridge, standing, versions: &versions, now };
    let mut mail = Mail::default();
    for told in told {
        mail.denied.extend(told.denied.iter().map(|reason| (told.target.clinic.clone(), *reason)));
        writer.write(told, made, &mut mail)?;
    }
    Ok(mail)
}

impl<'k> Mail<'k> {
    /// Says of what a clinic was told that it is no longer so, if it may be said; otherwise what waits is dropped. Nothing
    /// if it was said before.
    pub fn take_back(
        &mut self,
        standing: &'k Standing,
        clinic: &ClinicId,
        identifier: &str,
        before: &Version,
        now: Timestamp,
    ) -> bool {
        if before.operation == Operation::Retract {
            return false;
        }
        // That it is no longer so shows nothing: it may be said at any detail.
        let fact = Fact { detail: Detail::WeeklySummary, ..before.fact.clone() };
        let retraction = Retraction { member: standing.member, fact };
        if let Ok(permit) = standing.decide(&retraction, clinic, now) {
            let letter = Letter::retraction(identifier.to_owned(), before);
            self.parcels.push(Parcel::new(permit, letter, &standing.key));
        } else {
            let lane = LaneKey { clinic: clinic.clone(), member: standing.member };
            self.recalls.push((lane, identifier.to_owned()));
        }
        true
    }
}

impl Told {
    /// The summaries worked out, for whoever wants to see them.
    pub fn summaries(&self) -> impl Iterator<Item = (Uuid, &Summary)> {
        self.summaries.iter().map(|(identifier, summary)| (*identifier, summary))
    }

    fn lane(&self, standing: &Standing) -> LaneKey {
        LaneKey { clinic: self.target.clinic.clone(), member: standing.member }
    }

    /// The summaries of this day or week that were made before.
    fn made<'m>(&self, standing: &Standing, made: &'m Made) -> impl Iterator<Item = &'m MadeSummary> {
        let (detail, first_day) = (self.target.detail, self.target.period.first_day);
        let of_clinic = made.get(&(self.lane(standing), self.target.category)).into_iter().flatten();
        of_clinic.filter(move |made| made.detail == detail && made.first_day == first_day)
    }
}

struct Writer<'a, 'k> {
    bridge: &'a Bridge,
    standing: &'k Standing,
    versions: &'a HashMap<String, Version>,
    now: Timestamp,
}

impl<'k> Writer<'_, 'k> {
    fn write(&self, told: &Told, made: &Made, mail: &mut Mail<'k>) -> Result<(), AcceptError> {
        let Some(patient) = self.standing.patient(&told.target.clinic) else { return Ok(()) };
        let open: Vec<&MadeSummary> = told.made(self.standing, made).collect();
        for (identifier, summary) in &told.summaries {
            let name = identifier.to_string();
            let is_open = open.iter().any(|made| made.identifier == name);
            self.summary(told, (*identifier, summary), &patient.id, is_open, mail)?;
        }
        for made in open {
            let is_gone = |(identifier, _): &(Uuid, Summary)| identifier.to_string() != made.identifier;
            if told.summaries.iter().all(is_gone) {
                self.take_back(told, &made.identifier, mail);
            }
        }
        Ok(())
    }

    fn summary(
        &self,
        told: &Told,
        (identifier, summary): (Uuid, &Summary),
        patient: &str,
        is_open: bool,
        mail: &mut Mail<'k>,
    ) -> Result<(), AcceptError> {
        let name = identifier.to_string();
        let before = self.versions.get(&name);
        let content = self.content(summary);
        let is_told = before.is_some_and(|it| it.operation != Operation::Retract && it.content == Some(content));
        // It stands there from a time of which the readings are gone.
        let is_closed = before.is_some() && !is_open;
        if is_told || is_closed {
            return Ok(());
        }
        let deny = |reason: DenyReason, mail: &mut Mail<'k>| {
            mail.denied.push((told.target.clinic.clone(), reason));
            Ok(())
        };
        let permit = match self.standing.decide(summary, &told.target.clinic, self.now) {
            Ok(permit) if self.standing.can_address(&permit) => permit,
            Ok(_) => return deny(DenyReason::RecipientNotNamed, mail),
            // What it was told is finer than what it may be told now, and no longer right: that goes, and what is so is
            // said as coarsely as it may be.
            Err(denied) if denied.foremost() == DenyReason::SummaryOnly => {
                if self.take_back(told, &name, mail) {
                    mail.unsummarised.push(Unsummarised {
                        lane: told.lane(self.standing),
                        category: told.target.category,
                        detail: summary.detail,
                        measured_at: summary.start.at,
                    });
                }
                return deny(DenyReason::SummaryOnly, mail);
            }
            Err(denied) => return deny(denied.foremost(), mail),
        };
        let (source, practitioner) = (&self.bridge.source, self.standing.practitioner(&permit));
        let recipient = Recipient { patient, identifier, source, recorded: self.now, practitioner };
        let operation = if before.is_some() { Operation::Correct } else { Operation::Create };
        let letter = Letter { operation, outbound: summary_to_fhir(&permit, recipient)?, content: Some(content) };
        mail.parcels.push(Parcel::new(permit, letter, &self.standing.key));
        let made = MadeSummary { detail: summary.detail, first_day: summary.first_day, identifier: name };
        mail.made.entry((told.lane(self.standing), told.target.category)).or_default().push(made);
        Ok(())
    }

    /// Says that a summary is no longer so, unless that was said before.
    fn take_back(&self, told: &Told, identifier: &str, mail: &mut Mail<'k>) -> bool {
        let before = self.versions.get(identifier);
        before.is_some_and(|before| mail.take_back(self.standing, &told.target.clinic, identifier, before, self.now))
    }

    fn content(&self, summary: &Summary) -> Index {
        let text = serde_json::to_vec(summary).unwrap_or_default();
        self.bridge.keyring.index().index("summary-body", &[&text])
    }
}
