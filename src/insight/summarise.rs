//! Readings → summaries. Pure: the same readings always give the same summaries.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;

use super::activity::activity;
use super::nights;
use crate::domain::category::{Category, Detail};
use crate::domain::day::{Days, Period};
use crate::domain::decimal::Decimal;
use crate::domain::ids::MemberId;
use crate::domain::measurement::{Measurement, Modality};
use crate::domain::reading::{Measure, Reading};
use crate::domain::statistics::{Spread, compare, sum};
use crate::domain::summary::{Figures, Scale, Summary, TagCount};

/// The most tags that one summary counts.
const MOST_TAGS: usize = 100;

/// What is summarised: a part of a member's day or week, up to its end.
#[derive(Clone, Copy, Debug)]
pub struct Stretch<'a> {
    /// Whose.
    pub member: MemberId,
    /// A day or a week.
    pub detail: Detail,
    /// Which one.
    pub period: Period,
    /// From when on it is covered; before its start means all of it.
    pub covered_from: Timestamp,
    /// How the member's time falls into days.
    pub days: &'a Days,
}

/// What the readings of one category within a stretch amount to: one summary for each scale, or one for the tags. None
/// without a reading, and none of free text.
#[must_use]
pub fn summaries(stretch: Stretch<'_>, category: Category, readings: &[Reading]) -> Vec<Summary> {
    let mut within: Vec<&Reading> = readings
        .iter()
        .filter(|reading| reading.measure.category() == category && stretch.covers(reading.moment.at))
        .collect();
    within.sort_by_key(|reading| (reading.moment.at, reading.id));
    match category {
        Category::Mood | Category::Sleep | Category::Activity | Category::Heart | Category::Questionnaires => {
            numbers(stretch, &within)
        }
        Category::Tags => tags(stretch, &within).into_iter().collect(),
        Category::Community if stretch.detail == Detail::WeeklySummary => deeds(stretch, &within).into_iter().collect(),
        Category::Note | Category::Agenda | Category::Community => Vec::new(),
    }
}

/// The numbers on one scale, each with the reading that says it.
type OnScale<'r> = (Scale, Vec<(&'r Reading, Cow<'r, Decimal>)>);

fn numbers(stretch: Stretch<'_>, readings: &[&Reading]) -> Vec<Summary> {
    let mut scales: BTreeMap<String, OnScale<'_>> = BTreeMap::new();
    for reading in readings {
        for (scale, number) in reading.numbers() {
            let (_, numbers) = scales.entry(scale.name()).or_insert_with(|| (scale, Vec::new()));
            numbers.push((reading, number));
        }
    }
    let summary = |(scale, numbers): OnScale<'_>| {
        let of: Vec<&Reading> = numbers.iter().map(|(reading, _)| *reading).collect();
        let numbers: Vec<Cow<'_, Decimal>> = match scale {
            Scale::Measured(measured) if measured.adds_up() => stretch.by_day(&numbers)?,
            _ => numbers.iter().map(|(_, number)| Cow::Borrowed(number.as_ref())).collect(),
        };
        let numbers: Vec<&Decimal> = numbers.iter().map(AsRef::as_ref).collect();
        Some(stretch.summary(&of, Figures::Numbers(scale, Spread::of(&numbers)?)))
    };
    scales.into_values().filter_map(summary).collect()
}

fn tags(stretch: Stretch<'_>, readings: &[&Reading]) -> Option<Summary> {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for reading in readings {
        let Measure::Tags(tags) = &reading.measure else { continue };
        // A tag that stands twice in an entry is still one entry with this tag.
        for tag in tags.iter().map(String::as_str).collect::<BTreeSet<_>>() {
            *counts.entry(tag).or_default() += 1;
        }
    }
    if readings.is_empty() {
        return None;
    }
    let mut counts: Vec<TagCount> =
        counts.into_iter().map(|(tag, entries)| TagCount { tag: tag.to_owned(), entries }).collect();
    counts.sort_by(|one, other| other.entries.cmp(&one.entries).then_with(|| one.tag.cmp(&other.tag)));
    let left_out = number(counts.len().saturating_sub(MOST_TAGS));
    counts.truncate(MOST_TAGS);
    Some(stretch.summary(readings, Figures::Tags { counts, left_out }))
}

fn deeds(stretch: Stretch<'_>, readings: &[&Reading]) -> Option<Summary> {
    let counts = activity(stretch.start(), stretch.period.end, stretch.days, readings)?;
    Some(stretch.summary(readings, Figures::Activity(counts)))
}

impl Stretch<'_> {
    fn start(&self) -> Timestamp {
        self.period.start.max(self.covered_from)
    }

    fn covers(&self, at: Timestamp) -> bool {
        self.start() <= at && at < self.period.end
    }

    /// What the numbers of each day amount to. `None` where that is too much for a decimal.
    fn by_day<'r>(&self, numbers: &'r [(&Reading, Cow<'_, Decimal>)]) -> Option<Vec<Cow<'r, Decimal>>> {
        let mut days: BTreeMap<Date, Vec<(&Reading, &'r Decimal)>> = BTreeMap::new();
        for (reading, number) in numbers {
            days.entry(self.days.day_of(reading.moment.at)).or_default().push((reading, number.as_ref()));
        }
        days.into_values().map(|numbers| total(&numbers)).collect()
    }

    /// What these figures, made of these readings, say of the stretch.
    fn summary(&self, readings: &[&Reading], figures: Figures) -> Summary {
        let with_entry: BTreeSet<Date> = readings.iter().map(|reading| self.days.day_of(reading.moment.at)).collect();
        let days = self.lived_days();
        Summary {
            member: self.member,
            detail: self.detail,
            first_day: self.period.first_day,
            start: self.days.moment(self.start()),
            last: self.days.moment(last_second_before(self.period.end)),
            days,
            days_missing: days.saturating_sub(number(with_entry.len())),
            entries: number(readings.len()),
            labels: readings.iter().flat_map(|reading| reading.labels.iter().copied()).collect(),
            by_device: readings.iter().all(|reading| is_by_device(&reading.measure)),
            figures,
        }
    }

    /// How many days it has. One that the member jumped over, moving, is none.
    fn lived_days(&self) -> u32 {
        let first = self.days.day_of(self.start());
        let dates = first.series(jiff::Span::new().days(1)).take_while(|day| *day < self.period.next_day);
        let lived = dates.filter(|day| {
            let next = day.tomorrow().unwrap_or(Date::MAX);
            self.days.start_of(*day) < self.days.start_of(next)
        });
        number(lived.count())
    }
}

/// What the numbers of one day amount to that add up. The same steps may come by two ways, pushed by an app and in a file of
/// another, and nobody can tell afterwards which were the same: what came by one way adds up, sleep that overlaps once
/// ([`nights`]), and **the way that tells most counts**. `None` without a number, and where it is too much for a decimal.
pub(super) fn total<'r>(numbers: &[(&Reading, &'r Decimal)]) -> Option<Cow<'r, Decimal>> {
    let mut ways: BTreeMap<Option<&str>, Vec<(&Reading, &'r Decimal)>> = BTreeMap::new();
    for (reading, number) in numbers {
        ways.entry(reading.source.as_deref()).or_default().push((reading, number));
    }
    let added = |numbers: Vec<(&Reading, &'r Decimal)>| match nights::once(numbers).as_slice() {
        // As it was written.
        [only] => Some(Cow::Borrowed(*only)),
        several => sum(several).map(Cow::Owned),
    };
    let totals = ways.into_values().map(added).collect::<Option<Vec<_>>>()?;
    totals.into_iter().max_by(|one, other| compare(one, other))
}

/// Whether a device says so.
pub(super) const fn is_by_device(measure: &Measure) -> bool {
    matches!(measure, Measure::Measurement(Measurement { modality: Modality::Sensed, .. }))
}

fn last_second_before(at: Timestamp) -> Timestamp {
    let second = (at.as_microsecond() - 1).div_euclid(1_000_000);
    Timestamp::from_second(second).unwrap_or(at)
}

pub(super) fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[path = "summarise_tests.rs"]
mod tests;
