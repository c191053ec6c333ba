//! A member, a clinic, what the member reports, and consent.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use mostik::domain::category::{Category, Detail};
use mostik::domain::grant::{Addressee, Grant, GrantState, Purpose, Terms, WayBack};
use mostik::domain::ids::{ClinicId, GrantId, MemberId, ReadingId};
use mostik::domain::moment::Moment;
use mostik::domain::reading::{Measure, Mood, Rating, Reading};
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

fn reading(measure: Measure) -> Reading {
    Reading {
        id: ReadingId(Uuid::from_u128(2)),
        member: MEMBER,
        moment: Moment::parse_rfc3339("2026-11-20T11:00:00+01:00").unwrap(),
        measure,
        labels: BTreeSet::new(),
    }
}
