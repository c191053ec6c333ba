//! A member, a clinic, what the member reports, and consent.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::date;
use mostik::domain::category::{Category, Detail};
use mostik::domain::day::Days;
use mostik::domain::decimal::Decimal;
use mostik::domain::grant::{Addressee, Grant, GrantState, Purpose, Terms, WayBack};
use mostik::domain::ids::{ClinicId, GrantId, MemberId, ReadingId};
use mostik::domain::measurement::{Measured, Measurement, Modality};
use mostik::domain::moment::Moment;
use mostik::domain::page::Page;
use mostik::domain::questionnaire::{Answer, Answers, Instrument};
use mostik::domain::reading::{Measure, Mood, Rating, Reading};
use mostik::domain::statistics::Spread;
use mostik::domain::summary::{Figures, Scale, Summary, TagCount};
use mostik::insight::page::{Whose, work_out};
use uuid::Uuid;

/// Who reports.
pub const MEMBER: MemberId = MemberId(Uuid::from_u128(1));

/// When everything is decided.
pub fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

/// Who receives.
pub fn clinic() -> ClinicId {
    "riverside".parse().unwrap()
}

/// A grant of every category.
pub fn grant(number: u128, member: MemberId, clinic: ClinicId) -> Grant {
    Grant {
        id: GrantId(Uuid::from_u128(number)),
        version: 1,
        member,
        clinic,
        state: GrantState::Active,
        terms: Terms {
            categories: Category::ALL
                .into_iter()
                .map(|category| (category, Detail::EveryEntry))
                .collect::<BTreeMap<_, _>>(),
            purposes: BTreeSet::from([Purpose::Treatment]),
            valid_from: "2026-01-01T00:00:00Z".parse().unwrap(),
            valid_until: "2027-01-01T00:00:00Z".parse().unwrap(),
            data_from: None,
            recipient: Addressee::Clinic,
            way_back: WayBack::None,
            withheld: BTreeSet::new(),
        },
        created_at: "2026-01-01T00:00:00Z".parse().unwrap(),
        ended_at: None,
    }
}

/// Grants that have nothing to do with [`MEMBER`] and [`clinic`]: of other members, and towards other clinics, by turns.
pub fn other_grants(count: u128) -> Vec<Grant> {
    (0..count)
        .map(|number| match number % 2 {
            0 => grant(number, MemberId(Uuid::from_u128(1000 + number)), clinic()),
            _ => grant(number, MEMBER, format!("clinic-{number}").parse().unwrap()),
        })
        .collect()
}

/// A mood with a rating and the source's word for it, as a diary app sends it.
pub fn mood() -> Reading {
    reading(Measure::Mood(Mood {
        rating: Some(Rating { value: "3.5".parse().unwrap(), worst: 1.into(), best: 5.into() }),
        label: Some("meh".to_owned()),
        state_of_mind: None,
    }))
}

/// A note of some sentences.
pub fn note() -> Reading {
    reading(Measure::Note("Slept badly again, and still went for a walk along the river in the afternoon. ".repeat(5)))
}

/// The tags of a day.
pub fn tags() -> Reading {
    reading(Measure::Tags(["slept badly", "walk", "friends", "work", "tired"].map(str::to_owned).to_vec()))
}

/// A night, measured by a watch.
pub fn sleep() -> Reading {
    let start = Some(Moment::parse_rfc3339("2026-11-19T23:05:00+01:00").unwrap());
    reading(measured(Measured::SleepDuration, "431.5", start))
}

/// A heart rate, measured by a watch.
pub fn heart_rate() -> Reading {
    reading(measured(Measured::HeartRate, "61", None))
}

fn measured(of: Measured, value: &str, start: Option<Moment>) -> Measure {
    let (value, device) = (value.parse().unwrap(), Some("A watch".to_owned()));
    Measure::Measurement(Measurement { of, value, start, modality: Modality::Sensed, device })
}

/// PHQ-9 with all of its questions answered.
pub fn questionnaire() -> Reading {
    let answers = [2, 1, 0, 1, 3, 0, 1, 2, 0, 1].map(Answer::Given).to_vec();
    reading(Measure::Questionnaire(Answers::new(Instrument::Phq9, answers).unwrap()))
}

/// A week of moods.
pub fn week_of_moods() -> Summary {
    let scale = Scale::Rating { worst: 1.into(), best: 5.into() };
    let numbers: Vec<Decimal> = ["4", "2.5", "3"].iter().map(|number| number.parse().unwrap()).collect();
    week(Figures::Numbers(scale, Spread::of(&numbers.iter().collect::<Vec<_>>()).unwrap()))
}

/// A week of tags.
pub fn week_of_tags() -> Summary {
    let count = |entries| TagCount { tag: format!("tag {entries}"), entries };
    week(Figures::Tags { counts: (1..=20).rev().map(count).collect(), left_out: 0 })
}

fn week(figures: Figures) -> Summary {
    Summary {
        member: MEMBER,
        detail: Detail::WeeklySummary,
        first_day: date(2026, 11, 9),
        start: Moment::parse_rfc3339("2026-11-09T00:00:00+01:00").unwrap(),
        last: Moment::parse_rfc3339("2026-11-15T23:59:59+01:00").unwrap(),
        days: 7,
        days_missing: 2,
        entries: 9,
        by_device: false,
        labels: BTreeSet::new(),
        figures,
    }
}

/// A page of what somebody noted in four weeks, day by day.
pub fn page() -> Page {
    let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
    let days = Days::new(std::iter::empty(), zone);
    let (clinic, grants) = (clinic(), [grant(1, MEMBER, clinic())]);
    let of_day = |day: i64| {
        let at = now() - jiff::SignedDuration::from_hours(24 * day);
        [mood(), sleep(), heart_rate(), questionnaire()].map(|reading| Reading { moment: days.moment(at), ..reading })
    };
    let readings: Vec<Reading> = (0..28).flat_map(of_day).collect();
    let whose = Whose { member: MEMBER, grants: &grants, days: &days };
    work_out(whose, &clinic, days.period_of(Detail::WeeklySummary, now()), &readings, Vec::new(), now()).unwrap()
}

fn reading(measure: Measure) -> Reading {
    Reading {
        id: ReadingId(Uuid::from_u128(2)),
        member: MEMBER,
        moment: Moment::parse_rfc3339("2026-11-20T11:00:00+01:00").unwrap(),
        measure,
        labels: BTreeSet::new(),
        source: None,
    }
}
