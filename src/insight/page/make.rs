//! From a week that is over, or a wish, to a page on its way: the same way as every summary goes.

use std::collections::{BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::before::{Before, before_visits};
use super::pdf::pdf;
use super::recommended::recommended;
use super::text::text;
use super::versions::Versions;
use super::words::{Fixed, Words};
use super::work_out::{Whose, week_up_to, weeks, work_out};
use crate::consent::decide::{DenyReason, Permit};
use crate::consent::share::Share;
use crate::domain::category::{Category, Detail};
use crate::domain::day::Period;
use crate::domain::delivery::Operation;
use crate::domain::ids::{ClinicId, MemberId};
use crate::domain::page::{Page, PageRules, PageWhen};
use crate::insight::standing::{Standing, waits};
use crate::insight::tell::Mail;
use crate::mapping::to_fhir::{Recipient, Sheet, page_to_fhir, report_identifier, report_to_fhir};
use crate::outbox::enqueue::{Letter, Parcel};
use crate::pipeline::{AcceptError, Bridge, KnownPatient};
use crate::readings::kept;
use crate::store::{DuePage, LaneKey, PageDue, PageKey, Tx, Version};
use crate::vault::Index;

/// What came of the wish for a page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asked {
    /// It is made, and goes if it says something that the clinic does not have yet.
    Taken,
    /// There is nothing that the clinic may be told, or it gets no pages.
    Nothing,
}

/// The page about a week as a clinic would get it now; `None` if it may be told nothing.
///
/// # Errors
/// [`AcceptError`].
pub(crate) async fn page_for(
    tx: &mut Tx,
    standing: &Standing,
    clinic: &ClinicId,
    week: Period,
    now: Timestamp,
) -> Result<Option<Page>, AcceptError> {
    let weeks = weeks(&standing.days, week);
    let from = weeks.first().map_or(week.start, |first| first.start);
    let mut readings = Vec::new();
    for category in Category::ALL.into_iter().filter(|it| it.is_summarised() && !it.is_weekly_only()) {
        readings.extend(kept::all(tx, &standing.key, Some(category), from, week.end).await?);
    }
    readings.extend(kept::all(tx, &standing.key, Some(Category::Agenda), Timestamp::MIN, Timestamp::MAX).await?);
    let whose = Whose { member: standing.member, grants: &standing.grants, days: &standing.days };
    let recommended = recommended(tx, standing, clinic, &weeks, now).await?;
    Ok(work_out(whose, clinic, week, &readings, recommended, now))
}

/// The last week that is over.
pub(super) fn last_week(standing: &Standing, now: Timestamp) -> Period {
    let this = standing.days.period_of(Detail::WeeklySummary, now).start;
    let before = this.checked_sub(SignedDuration::from_micros(1)).unwrap_or(this);
    standing.days.period_of(Detail::WeeklySummary, before)
}

/// Takes the wish for a page about the last week that is over: the member's own, or their clinic's.
///
/// # Errors
/// [`AcceptError`].
pub async fn ask(bridge: &Bridge, member: MemberId, clinic: &ClinicId) -> Result<Asked, AcceptError> {
    if bridge.house.pages(clinic).is_none() {
        return Ok(Asked::Nothing);
    }
    let mut tx = bridge.store.begin().await?;
    tx.lock_member(member).await?;
    let now = bridge.clock.now();
    let Some(standing) = Standing::load(bridge, &mut tx, member).await? else { return Ok(Asked::Nothing) };
    let week = last_week(&standing, now);
    if standing.patient(clinic).is_none() || page_for(&mut tx, &standing, clinic, week, now).await?.is_none() {
        return Ok(Asked::Nothing);
    }
    let key = PageKey { lane: LaneKey { clinic: clinic.clone(), member }, first_day: week.first_day };
    tx.note_pages(&BTreeSet::from([key]), PageDue::Asked).await?;
    tx.look_after(&[(member, now)]).await?;
    tx.commit().await?;
    Ok(Asked::Taken)
}

/// Makes the pages of a member, whom the caller has locked, that are due. Returns when the next one is. One whose week is not
/// over is looked at again when it is.
///
/// # Errors
/// [`AcceptError`].
pub(crate) async fn make_due<'k>(
    bridge: &Bridge,
    tx: &mut Tx,
    standing: &'k Standing,
    mail: &mut Mail<'k>,
    now: Timestamp,
) -> Result<Option<Timestamp>, AcceptError> {
    let (before, mut next) = before_visits(bridge, tx, standing, now).await?;
    for due in tx.due_pages(standing.member).await? {
        let clinic = &due.key.lane.clinic;
        let whole = standing.days.period_of(Detail::WeeklySummary, standing.days.start_of(due.key.first_day));
        let is_open = whole.end > now;
        if is_open {
            next = Some(next.map_or(whole.end, |next| next.min(whole.end)));
        }
        let Some(week) = about(standing, &due, whole, &before, now) else { continue };
        if must_wait(standing, clinic, week, now) {
            continue;
        }
        let (Some(rules), Some(patient)) = (bridge.house.pages(clinic), standing.patient(clinic)) else {
            tx.page_done(&due.key, None).await?;
            continue;
        };
        let first = weeks(&standing.days, week).first().map_or(week.start, |first| first.start);
        if first < bridge.readings.kept_from(now) {
            tx.page_done(&due.key, None).await?;
            continue;
        }
        let page = page_for(tx, standing, clinic, week, now).await?;
        let identifier = patient.page_identifier(bridge, due.key.first_day);
        let results = page.iter().flat_map(|page| &page.results).map(|reading| patient.identifier(bridge, *reading));
        let results: Vec<Uuid> = results.collect();
        let names = Versions::names(identifier).into_iter().chain([report_identifier(identifier)]);
        let names = names.chain(results.iter().copied());
        let told = tx.newest_versions(&names.map(|name| name.to_string()).collect::<Vec<_>>()).await?;
        let versions = Versions::of(identifier, rules.corrections, &told);
        let maker = Maker { bridge, standing, patient, rules, due: &due, identifier, versions, results, told, now };
        let made = maker.write(page.as_ref(), mail)?.map(|document| document.to_string());
        tx.page_done(&due.key, made.as_deref()).await?;
        if is_open && (made.is_some() || rules.page == PageWhen::Weekly) {
            tx.note_pages(&BTreeSet::from([due.key]), PageDue::Changed).await?;
        }
    }
    Ok(next)
}

/// How much of its week a page is about: all of it once it is over; as long as it is not, what is over of it, if the page cannot
/// wait.
fn about(standing: &Standing, due: &DuePage, whole: Period, before: &Before, now: Timestamp) -> Option<Period> {
    if whole.end <= now {
        return Some(whole);
    }
    let week = before.get(&due.key).copied().unwrap_or_else(|| week_up_to(&standing.days, now));
    (due.due != PageDue::Changed && week.first_day == due.key.first_day).then_some(week)
}

/// Whether nothing stands in the way but time: a pause ends, a consent begins.
pub(super) fn must_wait(standing: &Standing, clinic: &ClinicId, week: Period, now: Timestamp) -> bool {
    let last = week.end.checked_sub(SignedDuration::from_micros(1)).unwrap_or(week.end);
    let decided = Category::ALL.into_iter().map(|category| {
        let share = Share::at(standing.member, category, last);
        standing.decide(&share, clinic, now).map(drop)
    });
    let decided: Vec<_> = decided.collect();
    decided.iter().all(Result::is_err) && decided.iter().any(|it| it.as_ref().is_err_and(waits))
}

struct Maker<'a, 'k> {
    bridge: &'a Bridge,
    standing: &'k Standing,
    patient: &'a KnownPatient,
    rules: PageRules,
    due: &'a DuePage,
    /// The page's, whatever becomes of it.
    identifier: Uuid,
    /// The documents as which it goes.
    versions: Versions,
    /// What the clinic may have been told of which the page has totals.
    results: Vec<Uuid>,
    /// The newest versions of all of these, and of the report.
    told: HashMap<String, Version>,
    now: Timestamp,
}

/// As what a page goes. The page itself comes last: where it has arrived, the other was dealt with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Report,
    Page,
}

impl<'k> Maker<'_, 'k> {
    /// Puts the page on its way, if it says something new. Returns the identifier of its document, if there is one.
    fn write(&self, page: Option<&Page>, mail: &mut Mail<'k>) -> Result<Option<Uuid>, AcceptError> {
        let clinic = &self.due.key.lane.clinic;
        let Some(page) = page else {
            self.take_back(mail);
            return Ok(None);
        };
        let is_asked = self.due.due != PageDue::Changed;
        // A week in which nothing was noted is not spoken of, unless it was.
        if !(page.has_news || is_asked || self.due.is_made) {
            return Ok(None);
        }
        let content = self.content(page);
        // It stands there from a time of which the readings are gone.
        let is_closed = !self.versions.told.is_empty() && !self.due.is_made && !is_asked;
        let forms = self.forms(content);
        if forms.is_empty() || is_closed {
            return Ok((self.due.is_made || is_asked).then_some(self.versions.newest));
        }
        let denied = match self.standing.decide(page, clinic, self.now) {
            Ok(permit) if self.standing.can_address(&permit) => {
                let letters = self.letters(&permit, &forms, content)?;
                mail.parcels.extend(Parcel::several(permit, letters, &self.standing.key));
                let is_sent = forms.contains(&Form::Page);
                return Ok(Some(if is_sent { self.versions.next } else { self.versions.newest }));
            }
            Ok(_) => DenyReason::RecipientNotNamed,
            Err(denied) => denied.foremost(),
        };
        mail.denied.push((clinic.clone(), denied));
        Ok(None)
    }

    /// Says of what was told that it is no longer so.
    fn take_back(&self, mail: &mut Mail<'k>) {
        let report = self.identifier_of(Form::Report);
        for identifier in std::iter::once(report).chain(self.versions.told.iter().copied()) {
            if let Some(before) = self.version(identifier).filter(|_| self.due.is_made) {
                mail.take_back(self.standing, &self.due.key.lane.clinic, &identifier.to_string(), before, self.now);
            }
        }
    }

    /// As what it goes that the clinic was not told yet. A report that stands there is put right also where no more of them
    /// are wanted.
    fn forms(&self, content: Index) -> Vec<Form> {
        let stands = |form| self.version(self.identifier_of(form)).filter(|it| it.operation != Operation::Retract);
        let is_wanted = |form: &Form| match form {
            Form::Report => self.rules.report || stands(*form).is_some(),
            Form::Page => true,
        };
        let is_news = |form: &Form| stands(*form).is_none_or(|it| it.content != Some(content));
        [Form::Report, Form::Page].into_iter().filter(is_wanted).filter(is_news).collect()
    }

    fn letters(&self, permit: &Permit<'_, Page>, forms: &[Form], content: Index) -> Result<Vec<Letter>, AcceptError> {
        let (page, practitioner) = (permit.item(), self.standing.practitioner(permit));
        let (name, language) = (practitioner.map(|named| named.display.as_str()), self.rules.language);
        let text = text(page, name, language);
        let pdf = self.pdf(page, name);
        let sheet = Sheet { title: Words(language).fixed(Fixed::Title), language, text: &text, pdf: pdf.as_deref() };
        let recipient = Recipient {
            patient: &self.patient.id,
            identifier: self.identifier,
            source: &self.bridge.source,
            recorded: self.now,
            practitioner,
        };
        let letter = |form: &Form| {
            let (identifier, outbound) = match form {
                Form::Report => {
                    let report = report_to_fhir(permit, recipient, &sheet, &self.results_told())?;
                    (self.identifier_of(*form), report)
                }
                Form::Page => {
                    let Versions { next, replaces, .. } = self.versions;
                    (next, page_to_fhir(permit, Recipient { identifier: next, ..recipient }, &sheet, replaces)?)
                }
            };
            let is_told = self.version(identifier).is_some();
            let operation = if is_told { Operation::Correct } else { Operation::Create };
            Ok(Letter { operation, outbound, content: Some(content) })
        };
        forms.iter().map(letter).collect()
    }

    /// The totals that stand at the clinic by themselves, as far as anybody knows.
    fn results_told(&self) -> Vec<Uuid> {
        let stands = |result: &&Uuid| {
            self.version(**result).is_some_and(|told| {
                told.resource_type == "Observation" && told.operation != Operation::Retract && !told.is_unsent
            })
        };
        self.results.iter().filter(stands).copied().collect()
    }

    /// The identifier under which the clinic was told of it last, if it was.
    fn identifier_of(&self, form: Form) -> Uuid {
        match form {
            Form::Report => report_identifier(self.identifier),
            Form::Page => self.versions.newest,
        }
    }

    fn version(&self, identifier: Uuid) -> Option<&Version> {
        self.told.get(&identifier.to_string())
    }

    /// With the charts, where the clinic takes them. The text never waits for it: it is complete in itself.
    fn pdf(&self, page: &Page, addressee: Option<&str>) -> Option<Vec<u8>> {
        if !self.rules.pdf {
            return None;
        }
        let made = pdf(page, addressee, self.rules.language, self.now);
        made.inspect_err(|error| tracing::error!(member_id = %page.member, %error, "a page goes without its PDF")).ok()
    }

    fn content(&self, page: &Page) -> Index {
        let text = serde_json::to_vec(page).unwrap_or_default();
        self.bridge.keyring.index().index("page-body", &[&text])
    }
}
