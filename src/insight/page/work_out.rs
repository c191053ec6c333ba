//! Readings → a page. Pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::{SignedDuration, Span, Timestamp};

use super::scores::scores;
use crate::consent::decide::{Disclosable, Request, decide};
use crate::consent::share::Share;
use crate::domain::category::{Category, Detail};
use crate::domain::day::{Days, Period};
use crate::domain::grant::Grant;
use crate::domain::ids::{ClinicId, MemberId};
use crate::domain::label::Label;
use crate::domain::matter::Fact;
use crate::domain::measurement::Measured;
use crate::domain::moment::Moment;
use crate::domain::page::{Page, Recommended, Row, Scope, WEEKS, Week};
use crate::domain::reading::{Measure, Reading, StateOfMindKind};
use crate::domain::summary::{Figures, Scale, Summary, TagCount};
use crate::insight::chart::charts;
use crate::insight::summarise::{Stretch, is_by_device, summaries};

/// How many tags it names.
const MOST_TAGS: usize = 5;

/// What numbers it shows, in this order.
const NUMBERS: [Category; 5] =
    [Category::Mood, Category::Sleep, Category::Activity, Category::Heart, Category::Questionnaires];

/// Whose page it is.
#[derive(Clone, Copy, Debug)]
pub struct Whose<'a> {
    /// The member.
    pub member: MemberId,
    /// Their living grants.
    pub grants: &'a [Grant],
    /// How their time falls into days.
    pub days: &'a Days,
}

/// The weeks that the page about a week shows, the oldest first.
#[must_use]
pub fn weeks(days: &Days, week: Period) -> Vec<Period> {
    let mut weeks = vec![week];
    for _ in 1..WEEKS {
        let Some(first) = weeks.last() else { break };
        let before = first.start.checked_sub(SignedDuration::from_micros(1)).unwrap_or(first.start);
        weeks.push(days.period_of(Detail::WeeklySummary, before));
    }
    weeks.reverse();
    weeks
}

/// The week of the day before an instant, up to the end of that day: whole days alone, as everything that is told by days.
#[must_use]
pub fn week_up_to(days: &Days, at: Timestamp) -> Period {
    let next_day = days.day_of(at);
    let end = days.start_of(next_day);
    let last = end.checked_sub(SignedDuration::from_micros(1)).unwrap_or(end);
    Period { next_day, end, ..days.period_of(Detail::WeeklySummary, last) }
}

/// What the page about a week tells a clinic, made of readings of its weeks, and of what the clinic recommended and may know
/// the fate of; `None` if it may be told nothing. Where the week is not over, what may be told by weeks alone is not told of it:
/// once it is over, both together would tell more.
#[must_use]
pub fn work_out(
    whose: Whose<'_>,
    clinic: &ClinicId,
    week: Period,
    readings: &[Reading],
    recommended: Vec<Recommended>,
    now: Timestamp,
) -> Option<Page> {
    let grant = whose.grants.iter().find(|grant| grant.clinic == *clinic)?;
    let weeks = weeks(whose.days, week);
    let view = View { whose, clinic, grant, weeks: &weeks, week, now };
    let (mut rows, mut found, mut results) = (vec![], vec![], vec![]);
    let (mut tags, mut parts, mut has_news, mut is_measured) = (vec![], vec![], false, false);
    for category in NUMBERS {
        let Some(seen) = view.seen(category, readings) else { continue };
        if category == Category::Questionnaires && seen.shows_days() {
            let (scored, of) = scores(&seen.readings, whose.days, |reading| view.may_tell(reading));
            found = scored;
            let is_told = |reading: &&Reading| of.contains(&reading.id) && view.may_tell(*reading);
            results = seen.readings.iter().filter(is_told).map(|reading| reading.id).collect();
        } else {
            let numbers = view.rows(&seen);
            // A form without a total, or a mood without a number: nothing of it stands on the page, and then that is said.
            if numbers.is_empty() {
                continue;
            }
            rows.extend(numbers);
        }
        has_news |= seen.has_news;
        is_measured |= seen.readings.iter().any(|reading| is_by_device(&reading.measure));
        let mut fact = seen.fact();
        if category == Category::Questionnaires && found.iter().any(|scored| !scored.self_harm.is_empty()) {
            // One answer by itself is finer than a summary: where less is shared by the time the page goes, it is made anew.
            fact.detail = Detail::EveryEntry;
        }
        parts.push(fact);
    }
    if let Some(seen) = view.seen(Category::Tags, readings) {
        has_news |= seen.has_news;
        tags = view.tags(&seen);
        parts.push(seen.fact());
    }
    let agenda = view.agenda(readings).map(|(moment, words, fact)| {
        has_news |= (week.start..week.end).contains(&moment.at);
        parts.push(fact);
        (moment, words)
    });
    has_news |= recommended.iter().any(|it| {
        let days = it.replies.iter().map(|reply| reply.on).chain([it.since]);
        days.into_iter().any(|day| (week.first_day..week.next_day).contains(&day))
    });
    let (first, last) = (weeks.first()?, last_second_before(week.end));
    (!(parts.is_empty() && recommended.is_empty())).then(|| Page {
        member: whose.member,
        weeks: weeks.iter().map(|week| week.first_day).collect(),
        start: whose.days.moment(first.start),
        last: whose.days.moment(last),
        rows,
        tags,
        scores: found,
        results,
        agenda,
        recommended,
        scope: scope(whose.days, grant),
        parts,
        is_measured,
        has_news,
    })
}

fn scope(days: &Days, grant: &Grant) -> Scope {
    let terms = &grant.terms;
    Scope {
        categories: terms.categories.iter().map(|(category, detail)| (*category, *detail)).collect(),
        since: terms.data_from.map(|from| days.day_of(from)),
        until: days.day_of(terms.valid_until.checked_sub(SignedDuration::from_micros(1)).unwrap_or_default()),
    }
}

/// What a clinic may see of a category.
struct Seen {
    category: Category,
    readings: Vec<Reading>,
    /// From when on.
    from: Timestamp,
    /// No finer than days: a page is no diary.
    detail: Detail,
    labels: BTreeSet<Label>,
    /// Whether some of it was noted in the week that the page is about.
    has_news: bool,
    /// Whether that week is not over.
    is_open: bool,
}

impl Seen {
    fn fact(&self) -> Fact {
        // Some days of a week are no week.
        let detail = if self.shows_days() || self.is_open { self.detail } else { Detail::WeeklySummary };
        Fact { category: self.category, detail, labels: self.labels.clone(), measured_at: self.from }
    }

    /// Days are shown of what is drawn, and of questionnaires.
    fn shows_days(&self) -> bool {
        self.detail > Detail::WeeklySummary
            && matches!(self.category, Category::Mood | Category::Sleep | Category::Questionnaires)
    }
}

struct View<'a> {
    whose: Whose<'a>,
    clinic: &'a ClinicId,
    grant: &'a Grant,
    weeks: &'a [Period],
    week: Period,
    now: Timestamp,
}

impl View<'_> {
    /// Whether the clinic may be told this by itself.
    fn may_tell<T: Disclosable>(&self, item: &T) -> bool {
        decide(self.whose.grants, Request::to_record(item, self.clinic, self.now)).is_ok()
    }

    /// Whether the week that the page is about is not over.
    fn is_open(&self) -> bool {
        let end = self.week.first_day.checked_add(Span::new().weeks(1)).unwrap_or(Date::MAX);
        self.week.next_day < end
    }

    /// What the clinic may see of a category in these weeks, if anything.
    fn seen(&self, category: Category, readings: &[Reading]) -> Option<Seen> {
        let start = self.weeks.first()?.start;
        let mut detail = Detail::DailySummary;
        let within = |reading: &&Reading| (start..self.week.end).contains(&reading.moment.at);
        let mut visible: Vec<Reading> = readings
            .iter()
            .filter(|reading| reading.measure.category() == category)
            .filter(within)
            .filter(|reading| {
                let share = Share::of(reading);
                let asked = Request::to_record(&share, self.clinic, self.now);
                let permit = decide(self.whose.grants, asked).map(|it| it.detail());
                permit.is_ok_and(|granted| {
                    detail = detail.min(granted);
                    true
                })
            })
            .cloned()
            .collect();
        let is_open = self.is_open();
        if is_open && detail == Detail::WeeklySummary {
            visible.retain(|reading| reading.moment.at < self.week.start);
        }
        (!visible.is_empty()).then(|| Seen {
            category,
            from: start.max(self.grant.terms.data_from.unwrap_or(Timestamp::MIN)),
            detail,
            labels: visible.iter().flat_map(|reading| reading.labels.iter().copied()).collect(),
            has_news: visible.iter().any(|reading| reading.moment.at >= self.week.start),
            is_open,
            readings: visible,
        })
    }

    /// What the member wants to talk about, if it is not newer than the next page will be.
    fn agenda(&self, readings: &[Reading]) -> Option<(Moment, String, Fact)> {
        let until = self.week.end.checked_add(SignedDuration::from_hours(7 * 24)).unwrap_or(Timestamp::MAX);
        let of = |reading: &&Reading| reading.measure.category() == Category::Agenda && reading.moment.at < until;
        let reading = readings.iter().filter(of).max_by_key(|reading| reading.moment.at)?;
        let Measure::Agenda(words) = &reading.measure else { return None };
        let is_covered = self.may_tell(reading);
        let fact = Fact {
            detail: Detail::WeeklySummary,
            labels: reading.labels.clone(),
            ..Fact::entry(Category::Agenda, reading.moment.at)
        };
        (is_covered && !words.is_empty()).then(|| (reading.moment, words.clone(), fact))
    }

    fn summaries(&self, seen: &Seen, period: Period) -> Vec<Summary> {
        let stretch = Stretch {
            member: self.whose.member,
            detail: Detail::WeeklySummary,
            period,
            covered_from: seen.from,
            days: self.whose.days,
        };
        summaries(stretch, seen.category, &seen.readings)
    }

    /// One row for each scale.
    fn rows(&self, seen: &Seen) -> Vec<Row> {
        let mut rows: BTreeMap<(usize, String), Row> = BTreeMap::new();
        for (place, period) in self.weeks.iter().enumerate() {
            for summary in self.summaries(seen, *period) {
                let Figures::Numbers(scale, spread) = summary.figures else { continue };
                let waits = seen.is_open && seen.detail == Detail::WeeklySummary;
                let empty = Row { scale: scale.clone(), weeks: vec![None; self.weeks.len()], days: Vec::new(), waits };
                let row = rows.entry((rank(&scale), scale.name())).or_insert(empty);
                if let Some(week) = row.weeks.get_mut(place) {
                    let Summary { days, days_missing, entries, .. } = summary;
                    *week = Some(Week { days, days_missing, entries, spread });
                }
            }
        }
        let mut rows: Vec<Row> = rows.into_values().collect();
        if seen.shows_days() {
            self.days(seen, &mut rows);
        }
        rows
    }

    fn days(&self, seen: &Seen, rows: &mut [Row]) {
        let first = self.weeks.first().map_or(self.week.first_day, |week| week.first_day);
        let last = self.week.next_day.yesterday().unwrap_or(self.week.first_day);
        for chart in charts(&seen.readings, self.whose.days, first, last) {
            let days = chart.days.into_iter().map(|day| day.spread.and_then(|spread| spread.mean));
            if let Some(row) = rows.iter_mut().find(|row| row.scale.name() == chart.scale.name()) {
                row.days = days.collect();
            }
        }
    }

    fn tags(&self, seen: &Seen) -> Vec<TagCount> {
        let summary = self.summaries(seen, self.week).pop().map(|summary| summary.figures);
        let Some(Figures::Tags { mut counts, .. }) = summary else { return Vec::new() };
        counts.truncate(MOST_TAGS);
        counts
    }
}

/// Where a scale stands.
fn rank(scale: &Scale) -> usize {
    match scale {
        Scale::Rating { .. } => 0,
        Scale::Valence(StateOfMindKind::DailyMood) => 1,
        Scale::Valence(StateOfMindKind::MomentaryEmotion) => 2,
        Scale::Measured(of) => {
            Measured::ALL.iter().position(|it| it == of).map_or(usize::MAX, |place| place.saturating_add(3))
        }
        Scale::Score(_) => usize::MAX,
    }
}

fn last_second_before(at: Timestamp) -> Timestamp {
    let second = (at.as_microsecond() - 1).div_euclid(1_000_000);
    Timestamp::from_second(second).unwrap_or(at)
}
