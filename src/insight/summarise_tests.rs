//! Summaries, held against a computation that knows nothing of periods: it asks the member's clock entry by entry.

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::domain::activity::{Activity, Deed};
use crate::domain::ids::ReadingId;
use crate::domain::measurement::{Measured, Measurement, Modality};
use crate::domain::moment::Moment;
use crate::domain::reading::{Mood, Rating, StateOfMind, StateOfMindKind};
use crate::domain::statistics::plain;

const MEMBER: MemberId = MemberId(Uuid::nil());

/// Five zones with clock changes of every kind, and an hour (since 1970) near one of their changes in 2026.
const CHANGES: [(&str, &str); 10] = [
    ("Europe/Berlin", "2026-03-29T01:00:00Z"),
    ("Europe/Berlin", "2026-10-25T01:00:00Z"),
    ("America/New_York", "2026-03-08T07:00:00Z"),
    ("America/New_York", "2026-11-01T06:00:00Z"),
    ("Africa/Cairo", "2026-04-23T22:00:00Z"),
    ("Africa/Cairo", "2026-10-29T21:00:00Z"),
    ("Australia/Lord_Howe", "2026-04-04T15:00:00Z"),
    ("Australia/Lord_Howe", "2026-10-03T15:30:00Z"),
    ("America/Havana", "2026-03-08T05:00:00Z"),
    ("America/Havana", "2026-11-01T05:00:00Z"),
];

fn days(zone: &str) -> Days {
    Days::new(std::iter::empty(), TimeZone::get(zone).unwrap())
}

fn reading(n: u128, at: Timestamp, measure: Measure) -> Reading {
    Reading {
        id: ReadingId(Uuid::from_u128(n)),
        member: MEMBER,
        moment: Moment::new(at, jiff::tz::Offset::UTC),
        measure,
        labels: BTreeSet::new(),
        source: None,
    }
}

fn rating(value: &str, worst: &str, best: &str) -> Measure {
    let rating = Rating { value: value.parse().unwrap(), worst: worst.parse().unwrap(), best: best.parse().unwrap() };
    Measure::Mood(Mood { rating: Some(rating), label: Some("a word".to_owned()), state_of_mind: None })
}

fn stretch(days: &Days, detail: Detail, at: Timestamp) -> Stretch<'_> {
    Stretch { member: MEMBER, detail, period: days.period_of(detail, at), covered_from: Timestamp::MIN, days }
}

/// What a week or day amounts to, by the date that the member's clock shows at each entry: scale, entries, days missing,
/// mean in hundredths (if exact), least, most.
fn by_brute_force(
    zone: &str,
    first: Date,
    length: i64,
    readings: &[Reading],
) -> Vec<(String, u32, u32, f64, f64, f64)> {
    let rules = TimeZone::get(zone).unwrap();
    let dates: Vec<Date> = (0..length).map(|n| first.checked_add(jiff::Span::new().days(n)).unwrap()).collect();
    let mut found: BTreeMap<String, (BTreeSet<Date>, Vec<f64>)> = BTreeMap::new();
    for reading in readings {
        let date = rules.to_datetime(reading.moment.at).date();
        if !dates.contains(&date) {
            continue;
        }
        let Measure::Mood(Mood { rating: Some(rating), .. }) = &reading.measure else { continue };
        let scale = format!("rating {} {}", plain(&rating.worst), plain(&rating.best));
        let (with_entry, numbers) = found.entry(scale).or_default();
        with_entry.insert(date);
        numbers.push(rating.value.approximate());
    }
    let summary = |(scale, (with_entry, numbers)): (String, (BTreeSet<Date>, Vec<f64>))| {
        let mean = numbers.iter().sum::<f64>() / f64::from(number(numbers.len()));
        let (least, most) = numbers.iter().fold((f64::MAX, f64::MIN), |(l, m), n| (l.min(*n), m.max(*n)));
        (scale, number(numbers.len()), number(dates.len() - with_entry.len()), mean, least, most)
    };
    found.into_iter().map(summary).collect()
}

/// What happened in a week, by the dates and hours that the member's clock shows, second after second in between.
fn community_by_brute_force(zone: &str, monday: Date, readings: &[Reading]) -> Option<Activity> {
    let rules = TimeZone::get(zone).unwrap();
    let sunday = monday.checked_add(jiff::Span::new().days(6)).unwrap();
    let shown = |reading: &Reading| rules.to_datetime(reading.moment.at);
    let within: Vec<&Reading> =
        readings.iter().filter(|reading| (monday..=sunday).contains(&shown(reading).date())).collect();
    let mut counts = Activity::default();
    let mut seconds: Vec<i64> = Vec::new();
    for reading in &within {
        let Measure::Deed(deed) = reading.measure else { panic!("a deed") };
        match deed {
            Deed::Posted => counts.posts += 1,
            Deed::Replied => counts.replies_given += 1,
            Deed::GotReply => counts.replies_received += 1,
            Deed::Reacted => counts.reactions_given += 1,
            Deed::GotReaction => counts.reactions_received += 1,
        }
        if matches!(deed, Deed::Posted | Deed::Replied | Deed::Reacted) {
            seconds.push(reading.moment.at.as_second());
        }
    }
    let own = |reading: &&&Reading| matches!(reading.measure, Measure::Deed(deed) if !matches!(deed, Deed::GotReply | Deed::GotReaction));
    for day in monday.series(jiff::Span::new().days(1)).take(7) {
        let on_it: Vec<&&Reading> = within.iter().filter(own).filter(|reading| shown(reading).date() == day).collect();
        counts.active_days += u32::from(!on_it.is_empty());
        counts.night_hours +=
            (0..5i8).map(|hour| u32::from(on_it.iter().any(|reading| shown(reading).hour() == hour))).sum::<u32>();
    }
    let midnight =
        |day: Date| rules.to_ambiguous_zoned(day.at(0, 0, 0, 0)).compatible().unwrap().timestamp().as_second();
    let (mut last, end) = (midnight(monday), midnight(sunday.tomorrow().unwrap()));
    seconds.sort_unstable();
    for second in seconds.into_iter().chain([end]) {
        counts.longest_silence = counts.longest_silence.max(u32::try_from((second - last) / 3600).unwrap());
        last = second;
    }
    (!within.is_empty()).then_some(counts)
}

proptest! {
    #[test]
    fn summaries_say_what_a_count_by_hand_says_across_clock_changes(
        change in 0..CHANGES.len(),
        entries in prop::collection::vec((-10i64 * 24 * 60..10 * 24 * 60, 10i64..=50, prop::bool::ANY), 0..60),
        look in -9i64 * 24..9 * 24,
        weekly: bool,
    ) {
        let (zone, change) = CHANGES[change];
        let (days, change): (Days, Timestamp) = (days(zone), change.parse().unwrap());
        let readings: Vec<Reading> = entries.iter().zip(1u128..).map(|((minutes, tenths, is_fine), n)| {
            let at = change.checked_add(SignedDuration::from_mins(*minutes)).unwrap();
            let value = format!("{}.{}", tenths / 10, tenths % 10);
            reading(n, at, if *is_fine { rating(&value, "1", "5.0") } else { rating(&value, "10", "0") })
        }).collect();
        let detail = if weekly { Detail::WeeklySummary } else { Detail::DailySummary };
        let stretch = stretch(&days, detail, change.checked_add(SignedDuration::from_hours(look)).unwrap());
        let found = summaries(stretch, Category::Mood, &readings);
        let expected = by_brute_force(zone, stretch.period.first_day, if weekly { 7 } else { 1 }, &readings);
        prop_assert_eq!(found.len(), expected.len());
        for (found, (scale, entries, missing, mean, least, most)) in found.iter().zip(expected) {
            let Figures::Numbers(_, spread) = &found.figures else { panic!("numbers") };
            prop_assert_eq!((found.scale_name(), found.entries, found.days_missing), (scale, entries, missing));
            let mean_found = spread.mean.as_ref().unwrap().approximate();
            prop_assert!((mean_found - mean).abs() <= 0.005 + 1e-9, "{mean_found} {mean}");
            prop_assert!((spread.least.approximate() - least).abs() < 1e-9 && (spread.most.approximate() - most).abs() < 1e-9);
        }
    }

    /// Of what adds up, the days are what is compared: a night and a nap are one number. What came by several ways may be the
    /// same: of each day, the one that tells most counts.
    #[test]
    fn what_adds_up_is_added_up_by_the_dates_of_the_members_clock(
        change in 0..CHANGES.len(),
        entries in prop::collection::vec((-10i64 * 24 * 60..10 * 24 * 60, 0u32..5000, 0usize..3), 0..40),
        weekly: bool,
    ) {
        let (zone, change) = CHANGES[change];
        let (days, change): (Days, Timestamp) = (days(zone), change.parse().unwrap());
        let rules = TimeZone::get(zone).unwrap();
        let steps = |count: u32| {
            let (of, value, modality) = (Measured::Steps, count.to_string().parse().unwrap(), Modality::Sensed);
            Measure::Measurement(Measurement { of, value, start: None, modality, device: None })
        };
        let ways = [None, Some("one/sparrow".to_owned()), Some("other/sparrow".to_owned())];
        let readings: Vec<Reading> = entries.iter().zip(1u128..).map(|((minutes, count, way), n)| {
            let at = change.checked_add(SignedDuration::from_mins(*minutes)).unwrap();
            Reading { source: ways[*way].clone(), ..reading(n, at, steps(*count)) }
        }).collect();
        let detail = if weekly { Detail::WeeklySummary } else { Detail::DailySummary };
        let stretch = stretch(&days, detail, change);
        let dates: Vec<Date> = (0..if weekly { 7 } else { 1 })
            .map(|n| stretch.period.first_day.checked_add(jiff::Span::new().days(n)).unwrap())
            .collect();
        let mut by_way: BTreeMap<Date, [u32; 3]> = BTreeMap::new();
        let mut counted = 0;
        for (reading, (_, count, way)) in readings.iter().zip(&entries) {
            let date = rules.to_datetime(reading.moment.at).date();
            if dates.contains(&date) {
                by_way.entry(date).or_default()[*way] += count;
                counted += 1;
            }
        }
        let sums: BTreeMap<Date, u32> = by_way.iter().map(|(day, ways)| (*day, *ways.iter().max().unwrap())).collect();
        let found = summaries(stretch, Category::Activity, &readings);
        let found: Vec<_> = found.iter().map(|summary| {
            let Figures::Numbers(_, spread) = &summary.figures else { panic!("numbers") };
            let text = |number: &Decimal| number.as_str().parse::<f64>().unwrap();
            (summary.entries, summary.days_missing, text(&spread.least), text(&spread.most), text(spread.mean.as_ref().unwrap()))
        }).collect();
        match (found.as_slice(), sums.is_empty()) {
            ([], true) => {}
            ([(entries, missing, least, most, mean)], false) => {
                let (fewest, furthest) = (sums.values().min().unwrap(), sums.values().max().unwrap());
                prop_assert_eq!(
                    (*entries, *missing, *least, *most),
                    (counted, number(dates.len() - sums.len()), f64::from(*fewest), f64::from(*furthest))
                );
                let by_hand = f64::from(sums.values().sum::<u32>()) / f64::from(number(sums.len()));
                prop_assert!((mean - by_hand).abs() <= 0.005 + 1e-9, "{mean} {by_hand}");
            }
            other => panic!("{other:?}"),
        }
    }

    /// What happened in a community, counted hour by hour of the member's clock.
    #[test]
    fn a_week_in_a_community_is_what_a_count_by_hand_says_across_clock_changes(
        change in 0..CHANGES.len(),
        happened in prop::collection::vec((-10i64 * 24 * 3600..10 * 24 * 3600, 0..Deed::ALL.len()), 0..80),
        look in -9i64 * 24..9 * 24,
    ) {
        let (zone, change) = CHANGES[change];
        let (days, change): (Days, Timestamp) = (days(zone), change.parse().unwrap());
        let readings: Vec<Reading> = happened.iter().zip(1u128..).map(|((seconds, deed), n)| {
            reading(n, change.checked_add(SignedDuration::from_secs(*seconds)).unwrap(), Measure::Deed(Deed::ALL[*deed]))
        }).collect();
        let stretch = stretch(&days, Detail::WeeklySummary, change.checked_add(SignedDuration::from_hours(look)).unwrap());
        let found = summaries(stretch, Category::Community, &readings).into_iter().next();
        let expected = community_by_brute_force(zone, stretch.period.first_day, &readings);
        let counts = found.map(|it| match it.figures {
            Figures::Activity(counts) => counts,
            _ => panic!("counts"),
        });
        prop_assert!(counts == expected);
        let daily = Stretch { detail: Detail::DailySummary, ..stretch };
        prop_assert!(summaries(daily, Category::Community, &readings).is_empty(), "nothing finer than a week");
    }

    /// Every reading lies in exactly one day and one week, wherever the member was.
    #[test]
    fn no_entry_is_counted_twice_or_not_at_all(
        hours in prop::collection::vec(0i64..24 * 40, 1..40), moved in 0i64..24 * 40, zones in (0..CHANGES.len(), 0..CHANGES.len()),
    ) {
        let begin: Timestamp = "2026-10-10T00:00:00Z".parse().unwrap();
        let at = |hours| begin.checked_add(SignedDuration::from_hours(hours)).unwrap();
        let zone = |place: usize| TimeZone::get(CHANGES[place].0).unwrap();
        let days = Days::new([(zone(zones.0), at(moved))].into_iter(), zone(zones.1));
        let readings: Vec<Reading> =
            hours.iter().zip(1u128..).map(|(hour, n)| reading(n, at(*hour), rating("3", "1", "5"))).collect();
        for detail in [Detail::DailySummary, Detail::WeeklySummary] {
            let periods: BTreeSet<Period> =
                (-24..24 * 42).step_by(1).map(|hour| days.period_of(detail, at(hour))).collect();
            let mut counted = 0;
            for period in periods {
                for summary in summaries(Stretch { period, ..stretch(&days, detail, begin) }, Category::Mood, &readings) {
                    counted += summary.entries;
                    prop_assert!(summary.days_missing < summary.days && summary.days <= 7);
                }
            }
            prop_assert_eq!(counted, number(readings.len()));
        }
    }
}

#[test]
fn a_valence_and_a_rating_are_two_scales_and_the_words_go_nowhere() {
    let days = days("Europe/Berlin");
    let at: Timestamp = "2026-11-18T12:00:00Z".parse().unwrap();
    let state = |kind, valence: &str| StateOfMind { kind, valence: valence.parse().unwrap(), classification: None };
    let mood = |kind, valence, value: &str| {
        let Measure::Mood(mood) = rating(value, "1", "5") else { panic!() };
        Measure::Mood(Mood { state_of_mind: Some(state(kind, valence)), ..mood })
    };
    let readings = [
        reading(1, at, mood(StateOfMindKind::DailyMood, "0.5", "4")),
        reading(2, at, mood(StateOfMindKind::DailyMood, "-0.25", "2")),
        reading(3, at, mood(StateOfMindKind::MomentaryEmotion, "1", "2")),
    ];
    let found = summaries(stretch(&days, Detail::WeeklySummary, at), Category::Mood, &readings);
    let said: Vec<(String, u32)> = found.iter().map(|summary| (summary.scale_name(), summary.entries)).collect();
    let expected = [("rating 1 5", 3), ("valence daily-mood", 2), ("valence momentary-emotion", 1)];
    assert_eq!(said, expected.map(|(name, count)| (name.to_owned(), count)));
    assert!(!serde_json::to_string(&found).unwrap().contains("a word"));
    assert!(summaries(stretch(&days, Detail::WeeklySummary, at), Category::Note, &readings).is_empty());
}

#[test]
fn tags_are_counted_once_an_entry_the_most_frequent_first_and_not_without_end() {
    let days = days("Europe/Berlin");
    let at: Timestamp = "2026-11-18T12:00:00Z".parse().unwrap();
    let tags = |tags: &[&str]| Measure::Tags(tags.iter().map(|tag| (*tag).to_owned()).collect());
    let many: Vec<String> = (0..150).map(|n| format!("tag {n:03}")).collect();
    let readings = [
        reading(1, at, tags(&["walk", "tea", "walk"])),
        reading(2, at, tags(&["walk"])),
        reading(3, at, Measure::Tags(many)),
    ];
    let found = summaries(stretch(&days, Detail::DailySummary, at), Category::Tags, &readings);
    let Figures::Tags { counts, left_out } = &found[0].figures else { panic!() };
    let first: Vec<(&str, u32)> = counts.iter().take(3).map(|count| (count.tag.as_str(), count.entries)).collect();
    assert_eq!(first, [("walk", 2), ("tag 000", 1), ("tag 001", 1)]);
    assert_eq!((counts.len(), *left_out, found[0].entries), (100, 52, 3));
}

#[test]
fn what_is_not_covered_is_not_spoken_of() {
    let days = days("Europe/Berlin");
    let monday: Timestamp = "2026-11-16T12:00:00Z".parse().unwrap();
    let wednesday: Timestamp = "2026-11-18T09:00:00Z".parse().unwrap();
    let readings = [reading(1, monday, rating("1", "1", "5")), reading(2, wednesday, rating("4", "1", "5"))];
    let stretch = Stretch { covered_from: wednesday, ..stretch(&days, Detail::WeeklySummary, monday) };
    let found = summaries(stretch, Category::Mood, &readings);
    let [summary] = found.as_slice() else { panic!("one") };
    assert_eq!((summary.entries, summary.days, summary.days_missing), (1, 5, 4), "Wednesday to Sunday");
    assert_eq!(summary.start.to_rfc3339(), "2026-11-18T10:00:00+01:00");
    assert_eq!(summary.last.to_rfc3339(), "2026-11-22T23:59:59+01:00");
    assert_eq!(summary.first_day, jiff::civil::date(2026, 11, 16), "it is still the same week");
}

#[test]
fn a_week_with_a_clock_change_begins_and_ends_by_the_members_clock() {
    let days = days("Africa/Cairo");
    let at: Timestamp = "2026-04-23T12:00:00Z".parse().unwrap();
    let found =
        summaries(stretch(&days, Detail::DailySummary, at), Category::Mood, &[reading(1, at, rating("1", "1", "5"))]);
    assert_eq!(found[0].start.to_rfc3339(), "2026-04-23T00:00:00+02:00");
    assert_eq!(found[0].last.to_rfc3339(), "2026-04-23T23:59:59+02:00", "at midnight the clock goes to one");
}
