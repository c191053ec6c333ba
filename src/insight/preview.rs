//! Exactly what would have gone out in the last seven days under terms that a member is still thinking about. It asks the
//! same decision and the same mapping as everything that goes; it writes nothing.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::plan::Target;
use super::standing::Standing;
use super::tell::worked_out;
use super::words;
use crate::consent::decide::{DenyReason, Permit};
use crate::consent::share::Share;
use crate::domain::category::{Category, Detail};
use crate::domain::grant::{Grant, GrantState, Terms};
use crate::domain::ids::{ClinicId, GrantId, MemberId};
use crate::domain::language::Language;
use crate::domain::moment::Moment;
use crate::domain::outbound::Outbound;
use crate::domain::reading::Reading;
use crate::mapping::to_fhir::{MappingError, Recipient, parts_to_fhir, summary_to_fhir, to_fhir};
use crate::pipeline::{AcceptError, Bridge, KnownPatient};
use crate::readings::kept;

/// How far back it looks.
pub const LOOKS_BACK: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The Patient of a member whom the clinic does not know yet, as it is shown.
const NOT_LINKED: &str = "not-linked-yet";

/// What would have gone, and what would not. The newest first.
#[derive(Debug)]
pub struct Preview {
    /// What the clinic would have received.
    pub goes: Vec<Going>,
    /// What it would not.
    pub withheld: Vec<Withheld>,
}

/// What the clinic would have received. Personal.
#[derive(Debug)]
pub struct Going {
    /// When it was lived, or the last second of the day or week.
    pub at: Moment,
    /// Under which consent it falls.
    pub category: Category,
    /// How fine it is.
    pub detail: Detail,
    /// What it says, in words.
    pub line: String,
    /// The resource, as it would have been put into the outbox.
    pub fhir: Outbound,
    /// Its parts, where it is told as several resources.
    pub parts: Vec<Outbound>,
}

/// What the clinic would not have received, neither by itself nor in a summary. Personal.
#[derive(Debug)]
pub struct Withheld {
    /// When it was lived.
    pub at: Moment,
    /// Under which consent it falls.
    pub category: Category,
    /// What it says, in words.
    pub line: String,
    /// Why.
    pub reason: DenyReason,
    /// The same in words.
    pub why: &'static str,
}

/// Shows what would have gone to a clinic under these terms, from what is kept of the member's readings; `None` if there is
/// no such member. Terms that begin later are looked at as if they had begun.
///
/// # Errors
/// [`AcceptError`].
pub async fn preview(
    bridge: &Bridge,
    member: MemberId,
    clinic: &ClinicId,
    terms: Terms,
    language: Language,
) -> Result<Option<Preview>, AcceptError> {
    let now = bridge.clock.now();
    let since = now.checked_sub(LOOKS_BACK).unwrap_or(Timestamp::MIN);
    let mut tx = bridge.store.read().await?;
    let Some(mut standing) = Standing::load(bridge, &mut tx, member).await? else { return Ok(None) };
    let week = standing.days.period_of(Detail::WeeklySummary, since);
    let readings = kept::all(&mut tx, &standing.key, None, week.start, Timestamp::MAX).await?;
    let as_of = now.max(terms.valid_from);
    standing.grants = vec![draft(&standing, clinic, terms, now)];
    let stranger = KnownPatient::stand_in(member, clinic.clone(), NOT_LINKED);
    let patient = standing.patient(clinic).unwrap_or(&stranger);
    let view = View { bridge, standing: &standing, patient, clinic, language, since, now, as_of };
    let mut preview = Preview { goes: Vec::new(), withheld: Vec::new() };
    for reading in readings.iter().filter(|reading| reading.moment.at >= since) {
        view.entry(reading, &mut preview)?;
    }
    for category in Category::ALL {
        view.summaries(category, &readings, &mut preview)?;
    }
    preview.goes.sort_by_key(|going| std::cmp::Reverse(going.at.at));
    preview.withheld.sort_by_key(|withheld| std::cmp::Reverse(withheld.at.at));
    Ok(Some(preview))
}

/// The grant that these terms would make. Where there is none yet, nobody knows its id.
fn draft(standing: &Standing, clinic: &ClinicId, terms: Terms, now: Timestamp) -> Grant {
    let living = standing.grants.iter().find(|grant| grant.clinic == *clinic);
    let (id, version) = living.map_or((GrantId(Uuid::nil()), 0), |grant| (grant.id, grant.version));
    Grant {
        id,
        version: version.saturating_add(1),
        member: standing.member,
        clinic: clinic.clone(),
        state: GrantState::Active,
        terms,
        created_at: now,
        ended_at: None,
    }
}

struct View<'a> {
    bridge: &'a Bridge,
    standing: &'a Standing,
    patient: &'a KnownPatient,
    clinic: &'a ClinicId,
    language: Language,
    since: Timestamp,
    now: Timestamp,
    /// When the terms are looked at.
    as_of: Timestamp,
}

impl View<'_> {
    fn entry(&self, reading: &Reading, preview: &mut Preview) -> Result<(), MappingError> {
        let (at, category) = (reading.moment, reading.measure.category());
        let line = words::reading(reading, self.language);
        match self.standing.decide(reading, self.clinic, self.as_of) {
            // It stands on a page, or counts in a week, and goes by no other way.
            Ok(_) if category.is_for_pages() || category.is_weekly_only() => {}
            Ok(permit) => {
                let recipient = self.recipient(&permit, self.patient.identifier(self.bridge, reading.id));
                let (fhir, parts) = (to_fhir(&permit, recipient)?, parts_to_fhir(&permit, recipient)?);
                preview.goes.push(Going { at, category, detail: Detail::EveryEntry, line, fhir, parts });
            }
            Err(denied) => {
                let share = Share::of(reading);
                // What counts in a summary is not withheld.
                let Err(from_summary) = self.standing.decide(&share, self.clinic, self.as_of) else { return Ok(()) };
                let reason = match denied.foremost() {
                    DenyReason::SummaryOnly => from_summary.foremost(),
                    reason => reason,
                };
                preview.withheld.push(Withheld {
                    at,
                    category,
                    line,
                    reason,
                    why: words::reason(reason, self.language),
                });
            }
        }
        Ok(())
    }

    /// The summaries of the days or weeks that ended within the time that is looked at.
    fn summaries(&self, category: Category, readings: &[Reading], preview: &mut Preview) -> Result<(), MappingError> {
        let share = Share::at(self.standing.member, category, Timestamp::MAX);
        let Ok(permit) = self.standing.decide(&share, self.clinic, self.as_of) else { return Ok(()) };
        let detail = if category.is_weekly_only() { Detail::WeeklySummary } else { permit.detail() };
        if detail == Detail::EveryEntry {
            return Ok(());
        }
        let mut period = self.standing.days.period_of(detail, self.since);
        while period.end <= self.now {
            let target = Target { clinic: self.clinic.clone(), category, detail, period };
            let told = worked_out(self.bridge, self.standing, self.patient, target, readings, self.as_of);
            for (identifier, summary) in told.summaries() {
                let Ok(permit) = self.standing.decide(summary, self.clinic, self.as_of) else { continue };
                let fhir = summary_to_fhir(&permit, self.recipient(&permit, identifier))?;
                let line = words::summary(summary, self.language);
                preview.goes.push(Going { at: summary.last, category, detail, line, fhir, parts: Vec::new() });
            }
            period = self.standing.days.period_of(detail, period.end);
        }
        Ok(())
    }

    /// A practitioner whom only the draft names is not known by name yet.
    fn recipient<T>(&self, permit: &Permit<'_, T>, identifier: Uuid) -> Recipient<'_> {
        let patient = &self.patient.id;
        let practitioner = self.standing.practitioner(permit);
        Recipient { patient, identifier, source: &self.bridge.source, recorded: self.now, practitioner }
    }
}
