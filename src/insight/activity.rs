//! What a member did in their community → counts of a week. Pure.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;

use super::summarise::number;
use crate::domain::activity::Activity;
use crate::domain::category::Detail;
use crate::domain::day::Days;
use crate::domain::reading::{Measure, Reading};

/// The hours of the night: those of the member's clock before this one.
const MORNING: i8 = 5;

/// What happened from an instant to before another, as the readings within that time say; `None` where there is none.
///
/// An hour that the clock shows twice, because it is set back, is one; a day is one by [`Days`], whatever its length.
#[must_use]
pub fn activity(start: Timestamp, end: Timestamp, days: &Days, readings: &[&Reading]) -> Option<Activity> {
    let mut found = Activity::default();
    let (mut active, mut nights) = (BTreeSet::new(), BTreeSet::new());
    let mut own: Vec<Timestamp> = vec![start, end];
    let mut is_empty = true;
    for reading in readings {
        let (Measure::Deed(deed), at) = (&reading.measure, reading.moment.at) else { continue };
        is_empty = false;
        found.add(*deed);
        if deed.is_own() {
            own.push(at);
            active.insert(days.day_of(at));
            let shown = days.moment(at).shown();
            if shown.hour() < MORNING {
                nights.insert((shown.date(), shown.hour()));
            }
        }
    }
    own.sort_unstable();
    let gap = |pair: &[Timestamp]| match pair {
        [one, next] => next.duration_since(*one).as_hours(),
        _ => 0,
    };
    let longest = own.windows(2).map(gap).max().unwrap_or_default();
    (found.active_days, found.night_hours) = (number(active.len()), number(nights.len()));
    found.longest_silence = u32::try_from(longest).unwrap_or_default();
    (!is_empty).then_some(found)
}

/// The weeks up to now in which something happened, each by its first day; the newest first. The one that is not over
/// counts up to now.
#[must_use]
pub fn weeks(readings: &[Reading], days: &Days, now: Timestamp) -> Vec<(Date, Activity)> {
    let mut left: Vec<&Reading> = readings.iter().filter(|reading| reading.moment.at <= now).collect();
    left.sort_by_key(|reading| reading.moment.at);
    let mut weeks = Vec::new();
    while let Some(last) = left.last() {
        let week = days.period_of(Detail::WeeklySummary, last.moment.at);
        let within = left.split_off(left.partition_point(|reading| reading.moment.at < week.start));
        let found = activity(week.start, week.end.min(now), days, &within);
        weeks.extend(found.map(|found| (week.first_day, found)));
    }
    weeks
}
