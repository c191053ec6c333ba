//! Readings → what a chart draws and the table beside it says. Pure. A day without an entry is a gap: nothing is drawn
//! across it, because nobody knows how it was.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use jiff::Span;
use jiff::civil::Date;

use super::summarise::total;
use crate::domain::day::Days;
use crate::domain::decimal::Decimal;
use crate::domain::reading::Reading;
use crate::domain::statistics::Spread;
use crate::domain::summary::Scale;

/// The most days that one chart shows.
pub const MOST_DAYS: usize = 400;

/// One scale, day by day.
#[derive(Clone, PartialEq)]
pub struct Chart {
    /// The scale.
    pub scale: Scale,
    /// Every day of the stretch, also those without an entry.
    pub days: Vec<ChartDay>,
    /// Which of them follow each other without a gap: a line is drawn within each run, never between two.
    pub runs: Vec<Range<usize>>,
    /// How many entries there are in all.
    pub entries: usize,
}

/// A day.
#[derive(Clone, PartialEq)]
pub struct ChartDay {
    /// By the member's own clock.
    pub day: Date,
    /// How many entries.
    pub entries: usize,
    /// What they amount to; `None` without one.
    pub spread: Option<Spread>,
}

/// The numbers of each day, each with the reading that says it.
type ByDay<'r> = BTreeMap<Date, Vec<(&'r Reading, Cow<'r, Decimal>)>>;

/// A chart for each scale on which there is a number in the days from `first` to `last`, the one with the most entries
/// first. Of more than [`MOST_DAYS`] days, the last ones.
#[must_use]
pub fn charts(readings: &[Reading], days: &Days, first: Date, last: Date) -> Vec<Chart> {
    let reach = Span::new().days(i64::try_from(MOST_DAYS).unwrap_or(i64::MAX) - 1);
    let first = last.checked_sub(reach).unwrap_or(first).max(first);
    let mut scales: BTreeMap<String, (Scale, ByDay<'_>)> = BTreeMap::new();
    for reading in readings {
        let day = days.day_of(reading.moment.at);
        if day < first || day > last {
            continue;
        }
        for (scale, number) in reading.numbers() {
            let (_, numbers) = scales.entry(scale.name()).or_insert_with(|| (scale, BTreeMap::new()));
            numbers.entry(day).or_default().push((reading, number));
        }
    }
    let mut charts: Vec<Chart> =
        scales.into_values().map(|(scale, numbers)| chart(scale, &numbers, first, last)).collect();
    charts.sort_by_key(|chart| std::cmp::Reverse(chart.entries));
    charts
}

/// What the numbers of a day amount to: to one, where they add up.
fn of_a_day(scale: &Scale, numbers: &[(&Reading, &Decimal)]) -> Option<Spread> {
    match scale {
        Scale::Measured(of) if of.adds_up() => Spread::of(&[total(numbers)?.as_ref()]),
        _ => Spread::of(&numbers.iter().map(|(_, number)| *number).collect::<Vec<_>>()),
    }
}

fn chart(scale: Scale, numbers: &ByDay<'_>, first: Date, last: Date) -> Chart {
    let days: Vec<ChartDay> = first
        .series(Span::new().days(1))
        .take_while(|day| *day <= last)
        .map(|day| {
            let numbers = numbers.get(&day).into_iter().flatten();
            let numbers: Vec<_> = numbers.map(|(reading, number)| (*reading, number.as_ref())).collect();
            ChartDay { day, entries: numbers.len(), spread: of_a_day(&scale, &numbers) }
        })
        .collect();
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (place, day) in days.iter().enumerate() {
        match runs.last_mut() {
            _ if day.spread.is_none() => {}
            Some(run) if run.end == place => run.end += 1,
            _ => runs.push(place..place + 1),
        }
    }
    let entries = days.iter().map(|day| day.entries).sum();
    Chart { scale, days, runs, entries }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use jiff::tz::TimeZone;
    use uuid::Uuid;

    use super::*;
    use crate::domain::ids::{MemberId, ReadingId};
    use crate::domain::moment::Moment;
    use crate::domain::reading::{Measure, Mood, Rating};

    fn reading(when: &str, value: &str, best: &str) -> Reading {
        let rating = Rating { value: value.parse().unwrap(), worst: "1".parse().unwrap(), best: best.parse().unwrap() };
        Reading {
            id: ReadingId(Uuid::nil()),
            member: MemberId(Uuid::nil()),
            moment: Moment::parse_rfc3339(when).unwrap(),
            measure: Measure::Mood(Mood { rating: Some(rating), label: None, state_of_mind: None }),
            labels: [].into(),
            source: None,
        }
    }

    fn berlin() -> Days {
        Days::new(std::iter::empty(), TimeZone::get("Europe/Berlin").unwrap())
    }

    #[test]
    fn a_gap_is_seen_and_nothing_is_drawn_across_it() {
        let readings = [
            reading("2026-11-02T09:00:00Z", "2", "5"),
            reading("2026-11-02T20:00:00Z", "5", "5"),
            // Half past midnight in Berlin.
            reading("2026-11-02T23:30:00Z", "4", "5"),
            reading("2026-11-05T09:00:00Z", "3", "5"),
        ];
        let charts = charts(&readings, &berlin(), date(2026, 11, 1), date(2026, 11, 6));
        let [chart] = charts.as_slice() else { panic!("one scale") };
        assert_eq!(chart.days.iter().map(|day| day.entries).collect::<Vec<_>>(), [0, 2, 1, 0, 1, 0]);
        assert_eq!(chart.runs, [1..3, 4..5]);
        let spread = chart.days[1].spread.as_ref().unwrap();
        assert_eq!(spread.mean.as_ref().unwrap().as_str(), "3.50");
        assert!(chart.days[3].spread.is_none());
    }

    #[test]
    fn scales_are_drawn_apart_the_more_used_one_first() {
        let readings = [
            reading("2026-11-02T09:00:00Z", "2", "10"),
            reading("2026-11-03T09:00:00Z", "4", "5"),
            reading("2026-11-04T09:00:00Z", "4.0", "5.0"),
        ];
        let charts = charts(&readings, &berlin(), date(2026, 11, 1), date(2026, 11, 6));
        assert_eq!(charts.iter().map(|chart| chart.entries).collect::<Vec<_>>(), [2, 1]);
        assert!((charts[0].scale.height(&"4".parse().unwrap()) - 0.75).abs() < 1e-9);
    }

    #[test]
    fn a_chart_has_an_end() {
        let charts =
            charts(&[reading("2026-11-02T09:00:00Z", "2", "5")], &berlin(), date(1990, 1, 1), date(2026, 11, 6));
        assert_eq!(charts[0].days.len(), MOST_DAYS);
        assert_eq!(charts[0].days.last().unwrap().day, date(2026, 11, 6));
    }
}
