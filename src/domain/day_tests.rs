//! Days and weeks, held against a clock that is asked minute by minute.

use jiff::SignedDuration;
use jiff::civil::date;
use proptest::prelude::*;

use super::*;

/// Clocks that change at two, at midnight forward (Cairo) and back to midnight (Havana), by half an hour (Lord Howe), just
/// after midnight (St. John's), not at all; and one that skipped a whole day (Apia).
const ZONES: [&str; 8] = [
    "Europe/Berlin",
    "America/New_York",
    "Africa/Cairo",
    "America/Havana",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Pacific/Apia",
];

fn in_zone(name: &str) -> Days {
    Days::new(std::iter::empty(), TimeZone::get(name).unwrap())
}

fn moved(earlier: &[(&str, &str)], now: &str) -> Days {
    let stays = earlier.iter().map(|(zone, until)| (TimeZone::get(zone).unwrap(), until.parse().unwrap()));
    Days::new(stays, TimeZone::get(now).unwrap())
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn hours(period: Period) -> f64 {
    period.end.duration_since(period.start).as_secs_f64() / 3600.0
}

#[test]
fn a_day_is_as_long_as_the_members_clock_makes_it() {
    for (zone, day, length) in [
        ("Europe/Berlin", date(2026, 3, 28), 24.0),
        ("Europe/Berlin", date(2026, 3, 29), 23.0),
        ("Europe/Berlin", date(2026, 10, 25), 25.0),
        ("America/Havana", date(2026, 11, 1), 25.0),
        ("Africa/Cairo", date(2026, 4, 24), 23.0),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
    ] {
        let days = in_zone(zone);
        let period = days.period_of(Detail::DailySummary, days.start_of(day));
        assert_eq!((period.first_day, hours(period)), (day, length), "{zone}");
    }
    let berlin = in_zone("Europe/Berlin");
    let week = berlin.period_of(Detail::WeeklySummary, at("2026-10-22T12:00:00Z"));
    assert_eq!((week.first_day, week.next_day, hours(week)), (date(2026, 10, 19), date(2026, 10, 26), 169.0));
}

#[test]
fn what_the_clock_showed_is_found_where_the_member_was_then() {
    let berlin = in_zone("Europe/Berlin");
    let shown = |days: &Days, text: &str| days.instant_of(text.parse().unwrap()).unwrap();
    assert_eq!(shown(&berlin, "2026-11-20T13:00"), at("2026-11-20T12:00:00Z"));
    assert_eq!(shown(&berlin, "2026-10-25T02:30"), at("2026-10-25T00:30:00Z"), "shown twice: the first");
    assert_eq!(shown(&berlin, "2026-03-29T02:30"), at("2026-03-29T01:30:00Z"), "never shown");
    let east = moved(&[("Europe/Berlin", "2026-11-20T12:00:00Z")], "Asia/Tokyo");
    assert_eq!(shown(&east, "2026-11-20T12:59"), at("2026-11-20T11:59:00Z"), "an entry of before the move stays");
    assert_eq!(shown(&east, "2026-11-20T21:00"), at("2026-11-20T12:00:00Z"));
    assert_eq!(shown(&east, "2026-11-20T15:00"), at("2026-11-20T06:00:00Z"), "jumped over");
    let west = moved(&[("Asia/Tokyo", "2026-11-20T12:00:00Z")], "Europe/Berlin");
    assert_eq!(shown(&west, "2026-11-20T20:59"), at("2026-11-20T11:59:00Z"), "shown in both places: the first");
}

#[test]
fn whoever_moves_west_has_a_longer_day_and_whoever_moves_east_a_shorter_one() {
    // At 18:00 in Berlin it is noon in New York: the day ends there at midnight.
    let west = moved(&[("Europe/Berlin", "2026-11-18T17:00:00Z")], "America/New_York");
    let day = west.period_of(Detail::DailySummary, at("2026-11-18T12:00:00Z"));
    assert_eq!((day.first_day, hours(day)), (date(2026, 11, 18), 30.0));
    // At 20:00 in New York it is two in the night in Berlin: the next day has begun.
    let east = moved(&[("America/New_York", "2026-11-19T01:00:00Z")], "Europe/Berlin");
    let day = east.period_of(Detail::DailySummary, at("2026-11-19T00:00:00Z"));
    assert_eq!((day.first_day, hours(day)), (date(2026, 11, 18), 20.0));
    let next = east.period_of(Detail::DailySummary, at("2026-11-19T01:00:00Z"));
    assert_eq!((next.first_day, hours(next)), (date(2026, 11, 19), 22.0));
    // At 01:00 in Berlin it is still the day before in New York: the day that has begun goes on, and does not come twice.
    let early = moved(&[("Europe/Berlin", "2026-11-19T00:00:00Z")], "America/New_York");
    let day = early.period_of(Detail::DailySummary, at("2026-11-19T00:00:00Z"));
    assert_eq!((day.first_day, hours(day)), (date(2026, 11, 19), 30.0));
}

proptest! {
    #[test]
    fn a_day_begins_when_the_clock_first_shows_it(zone in 0..ZONES.len(), hour in 350_000i64..510_000) {
        let zone = ZONES[zone];
        let (days, rules) = (in_zone(zone), TimeZone::get(zone).unwrap());
        let at = Timestamp::from_second(hour * 3600).unwrap();
        let start = days.start_of(days.day_of(at));
        let shows = |at: Timestamp| rules.to_datetime(at).date();
        prop_assert_eq!(shows(start), days.day_of(at));
        let before = start.checked_sub(SignedDuration::from_secs(1)).unwrap();
        prop_assert!(shows(before) < days.day_of(at));
    }

    #[test]
    fn every_instant_lies_in_one_day_and_never_in_an_earlier_one_than_the_instant_before(
        stays in prop::collection::vec((0..ZONES.len(), 0u16..2000), 0..5), now in 0..ZONES.len(), begin in 350_000i64..510_000,
    ) {
        let second = |hours: i64| Timestamp::from_second((begin + hours) * 3600).unwrap();
        let mut until = 0;
        let earlier = stays.iter().map(|(zone, hours)| {
            until += i64::from(*hours);
            (TimeZone::get(ZONES[*zone]).unwrap(), second(until))
        });
        let days = Days::new(earlier.collect::<Vec<_>>().into_iter(), TimeZone::get(ZONES[now]).unwrap());
        let mut last = Date::MIN;
        for hour in (-48..until + 48).step_by(17) {
            let at = second(hour);
            let day = days.day_of(at);
            prop_assert!(day >= last, "{day} after {last}");
            last = day;
            for detail in [Detail::DailySummary, Detail::WeeklySummary] {
                let period = days.period_of(detail, at);
                prop_assert!(period.start <= at && at < period.end);
                prop_assert!(period.first_day <= day && day < period.next_day);
            }
        }
    }
}
