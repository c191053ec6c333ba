//! What a batch leaves behind for its members' own view, and for summaries.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::candidate::{Candidate, Wants};
use super::fate::Fates;
use super::post::Mail;
use super::{AcceptError, Outcome};
use crate::domain::category::{Category, Detail};
use crate::domain::ids::{MemberId, ReadingId};
use crate::inbound::event::RefusalReason;
use crate::readings::kept::seal;
use crate::store::{LaneKey, PageDue, PageKey, SealedReading, StoreError, Tx, Unsummarised};

/// How long after its week a page is still begun: what comes later corrects the pages there are, and makes no new one.
const PAGE_WITHIN: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What is to be kept and forgotten once the batch is on its way.
#[derive(Default)]
pub(super) struct Kept {
    readings: Vec<SealedReading>,
    gone: Vec<(MemberId, ReadingId)>,
    unsummarised: Vec<Unsummarised>,
    due: BTreeMap<MemberId, Timestamp>,
    /// Pages that are to be made.
    pages: BTreeSet<PageKey>,
    /// Weeks of which pages may tell that were made.
    paged: BTreeSet<(MemberId, Date)>,
}

/// What is known of readings and summaries that were there before.
struct Before {
    times: HashMap<ReadingId, Timestamp>,
    summarised: HashSet<(LaneKey, Category)>,
}

impl<'a> Fates<'a> {
    /// Sees what becomes of the batch's readings: the newest versions are kept, deleted ones are not, and summaries that
    /// they are part of are made or corrected when their days are over.
    pub(super) async fn kept(
        &self,
        tx: &mut Tx,
        candidates: &[Candidate],
        outcomes: &[Outcome],
        mail: &Mail<'a>,
    ) -> Result<Kept, AcceptError> {
        let told: Vec<&Candidate> = candidates
            .iter()
            .filter(|candidate| self.is_newest(candidate) || self.is_deleted_for_the_member_alone(candidate, outcomes))
            .collect();
        let before = self.before(tx, &told).await?;
        let mut kept = Kept { unsummarised: mail.unsummarised.clone(), ..Kept::default() };
        for candidate in told {
            match &candidate.wants {
                Wants::Version { reading, denied: None, .. }
                    if reading.moment.at >= self.members.rules.kept_from(self.now) =>
                {
                    kept.readings.push(seal(self.members.key(candidate.member)?, reading)?);
                }
                Wants::Version { .. } | Wants::Retraction => kept.gone.push((candidate.member, candidate.id)),
            }
            if outcomes.get(candidate.position) != Some(&Outcome::Duplicate) {
                self.reopen(candidate, &before, &mut kept);
                self.page(candidate, &before, &mut kept);
                self.questionnaire(candidate, &mut kept);
            }
            if let Some(end) = self.members.end_of_consent(candidate.member) {
                kept.look_after(candidate.member, end);
            }
        }
        for change in &mail.unsummarised {
            let days = self.members.days(change.lane.member);
            kept.look_after(change.lane.member, days.period_of(change.detail, change.measured_at).end);
        }
        Ok(kept)
    }

    fn is_newest(&self, candidate: &Candidate) -> bool {
        self.newest.get(&candidate.entry).is_some_and(|newest| newest.position == candidate.position)
    }

    /// A member who deletes an entry while no clinic may be told has deleted it from their own view nevertheless.
    fn is_deleted_for_the_member_alone(&self, candidate: &Candidate, outcomes: &[Outcome]) -> bool {
        let is_refused = matches!(outcomes.get(candidate.position),
            Some(Outcome::Refused(refusal)) if refusal.reason == RefusalReason::NotPermitted);
        is_refused && matches!(candidate.wants, Wants::Retraction) && !self.newest.contains_key(&candidate.entry)
    }

    async fn before(&self, tx: &mut Tx, told: &[&Candidate]) -> Result<Before, StoreError> {
        let members: HashSet<MemberId> = told.iter().map(|candidate| candidate.member).collect();
        let members: Vec<MemberId> = members.into_iter().collect();
        let summarised = tx.summarised(&members).await?;
        let concerned: HashSet<MemberId> = summarised.iter().map(|(lane, _)| lane.member).collect();
        let readings = told.iter().map(|candidate| (candidate.member, candidate.id));
        let has_pages = self.bridge.house.has_pages();
        let readings: Vec<(MemberId, ReadingId)> =
            readings.filter(|(member, _)| has_pages || concerned.contains(member)).collect();
        Ok(Before { times: tx.reading_times(&readings).await?, summarised })
    }

    /// Summaries that were made may no longer be right: at the time when the entry was said to be before, and when it is
    /// said to be now.
    fn reopen(&self, candidate: &Candidate, before: &Before, kept: &mut Kept) {
        let now_at = match &candidate.wants {
            Wants::Version { reading, .. } => Some(reading.moment.at),
            Wants::Retraction => None,
        };
        let entry = self.known.get(&candidate.entry);
        let category = candidate.category().or_else(|| entry.and_then(|entry| entry.category));
        for (lane, of) in before.summarised.iter().filter(|(lane, _)| lane.member == candidate.member) {
            if category.is_some_and(|category| category != *of) {
                continue;
            }
            for measured_at in now_at.into_iter().chain(before.times.get(&candidate.id).copied()) {
                kept.unsummarised.push(Unsummarised {
                    lane: lane.clone(),
                    category: *of,
                    detail: Detail::EveryEntry,
                    measured_at,
                });
                kept.look_after(candidate.member, self.now);
            }
        }
    }

    /// When a questionnaire was filled in, it is known when it is due again.
    fn questionnaire(&self, candidate: &Candidate, kept: &mut Kept) {
        if candidate.category() == Some(Category::Questionnaires) && self.bridge.house.asks() {
            kept.look_after(candidate.member, self.now);
        }
    }

    /// Pages tell of whole weeks: those of the reading's week are made when it is over, and those that were made may no
    /// longer be right.
    fn page(&self, candidate: &Candidate, before: &Before, kept: &mut Kept) {
        if !self.bridge.house.has_pages() {
            return;
        }
        let category = candidate.category().or_else(|| self.known.get(&candidate.entry)?.category);
        // No page tells of it.
        if category.is_some_and(Category::is_weekly_only) {
            return;
        }
        let member = candidate.member;
        let days = self.members.days(member);
        let week = |at| days.period_of(Detail::WeeklySummary, at);
        // What somebody wants to talk about now changes no page that was made.
        let is_shown = !category.is_some_and(Category::is_for_pages);
        let before = before.times.get(&candidate.id).filter(|_| is_shown);
        kept.paged.extend(before.map(|at| (member, week(*at).first_day)));
        let Wants::Version { reading, .. } = &candidate.wants else { return };
        let week = week(reading.moment.at);
        if is_shown {
            kept.paged.insert((member, week.first_day));
        }
        if week.end.checked_add(PAGE_WITHIN).is_ok_and(|last| last <= self.now) {
            return;
        }
        for patient in self.members.clinics(member) {
            let clinic = &patient.clinic;
            let is_covered = || self.members.use_of(reading, clinic, self.now).is_ok();
            if self.bridge.house.has_weekly_pages(clinic) && is_covered() {
                let lane = LaneKey { clinic: clinic.clone(), member };
                kept.pages.insert(PageKey { lane, first_day: week.first_day });
                kept.look_after(member, week.end);
            }
        }
    }
}

impl Kept {
    fn look_after(&mut self, member: MemberId, by: Timestamp) {
        self.due.entry(member).and_modify(|due| *due = by.min(*due)).or_insert(by);
    }

    /// Writes it all down.
    pub(super) async fn save(mut self, tx: &mut Tx, now: Timestamp) -> Result<(), StoreError> {
        self.unsummarised.sort_unstable();
        self.unsummarised.dedup();
        tx.put_readings(&self.readings, now).await?;
        tx.delete_readings(&self.gone).await?;
        tx.note_unsummarised(&self.unsummarised).await?;
        tx.note_pages(&self.pages, PageDue::Changed).await?;
        for (member, week) in std::mem::take(&mut self.paged) {
            if tx.reopen_pages(member, week).await? {
                self.look_after(member, now);
            }
        }
        tx.look_after(&self.due.into_iter().collect::<Vec<_>>()).await
    }
}
