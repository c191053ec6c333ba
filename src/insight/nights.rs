//! A night that was told of twice: a night is named by when it began, and that may change. Its member mends it, a watch tells
//! late what it saw, a gap is filled. Then both stand beside each other, and somebody slept once.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::domain::category::Category;
use crate::domain::decimal::Decimal;
use crate::domain::reading::{Measure, Reading};

/// The numbers that add up, of those that came by one way: **of the sleep that overlaps, the longest stretch counts**. What does
/// not say from when on it speaks overlaps with nothing.
pub(super) fn once<'r>(told: Vec<(&Reading, &'r Decimal)>) -> Vec<&'r Decimal> {
    let mut told: Vec<_> = told.into_iter().map(|(reading, number)| (slept(reading), number)).collect();
    // Of equals, the first: it is the first the next time, too.
    told.sort_by_key(|(slept, _)| Reverse(slept.map(|(start, end)| end.duration_since(start))));
    let mut counted: BTreeMap<Timestamp, Timestamp> = BTreeMap::new();
    told.retain(|(slept, _)| {
        let Some((start, end)) = *slept else { return true };
        let is_counted = counted.range(..end).next_back().is_some_and(|(_, until)| start < *until);
        if !is_counted {
            counted.insert(start, end);
        }
        !is_counted
    });
    told.into_iter().map(|(_, number)| number).collect()
}

/// From when until when somebody slept.
fn slept(reading: &Reading) -> Option<(Timestamp, Timestamp)> {
    let Measure::Measurement(it) = &reading.measure else { return None };
    let start = it.start.filter(|_| it.of.category() == Category::Sleep)?;
    Some((start.at, reading.moment.at))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::ids::{MemberId, ReadingId};
    use crate::domain::measurement::{Measured, Measurement, Modality};
    use crate::domain::moment::Moment;

    /// What counts of these: what was measured, from when until when on the 15th, and how much.
    fn counted(told: &[(Measured, Option<&str>, &str, u32)]) -> Vec<String> {
        let at = |time: &str| Moment::parse_rfc3339(&format!("2026-11-{time}:00Z")).unwrap();
        let reading = |(of, start, end, value): &(Measured, Option<&str>, &str, u32)| {
            let (value, start) = (value.to_string().parse().unwrap(), start.map(at));
            let measure = Measurement { of: *of, value, start, modality: Modality::Sensed, device: None };
            Reading {
                id: ReadingId(Uuid::nil()),
                member: MemberId(Uuid::nil()),
                moment: at(end),
                measure: Measure::Measurement(measure),
                labels: [].into(),
                source: None,
            }
        };
        let readings: Vec<Reading> = told.iter().map(reading).collect();
        let numbers: Vec<_> = readings.iter().flat_map(Reading::numbers).collect();
        let told = readings.iter().zip(&numbers).map(|(reading, (_, number))| (reading, number.as_ref())).collect();
        let mut counted: Vec<String> = once(told).into_iter().map(ToString::to_string).collect();
        counted.sort();
        counted
    }

    #[test]
    fn of_nights_that_overlap_the_longest_counts_and_a_nap_beside_it() {
        use Measured::{SleepDuration, Steps};
        let night = |start, end, value| (SleepDuration, Some(start), end, value);
        let (before, mended) = (night("14T23:00", "15T07:00", 480), night("14T22:50", "15T07:00", 490));
        let nap = night("15T13:00", "15T13:30", 30);
        for told in [[before, mended, nap], [mended, before, nap], [nap, mended, before]] {
            assert_eq!(counted(&told), ["30", "490"]);
        }
        let halves = [night("14T22:00", "15T01:00", 180), night("15T04:00", "15T07:00", 181)];
        assert_eq!(counted(&halves), ["180", "181"]);
        let joined = [halves[0], night("14T22:00", "15T07:00", 540), halves[1]];
        assert_eq!(counted(&joined), ["540"], "the gap between them was filled");
        let one_after_the_other = [night("14T22:00", "15T01:00", 180), night("15T01:00", "15T04:00", 181)];
        assert_eq!(counted(&one_after_the_other), ["180", "181"]);
        let unsaid = [(SleepDuration, None, "15T00:00", 400), before, before];
        assert_eq!(counted(&unsaid), ["400", "480"]);
        let walked = [(Steps, Some("15T08:00"), "15T09:00", 700), (Steps, Some("15T08:30"), "15T09:00", 900)];
        assert_eq!(counted(&walked), ["700", "900"], "it is about sleep only");
    }
}
