//! The decision, as properties.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use mostik::consent::decide::{DenyReason, decide};
use mostik::domain::category::{Category, Detail};
use mostik::domain::grant::{Addressee, Grant, GrantState, Purpose, Terms, WayBack};
use mostik::domain::ids::{ClinicId, GrantId, MemberId, ReadingId};
use mostik::domain::moment::Moment;
use mostik::domain::reading::{Measure, Reading};
use proptest::prelude::*;
use uuid::Uuid;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn clinic(n: u8) -> ClinicId {
    format!("clinic-{n}").parse().unwrap()
}

fn reading(member: u8, category: Category, second: i64) -> Reading {
    let measure = match category {
        Category::Mood => {
            Measure::Mood(mostik::domain::reading::Mood { rating: None, label: None, state_of_mind: None })
        }
        Category::Note => Measure::Note(String::new()),
        Category::Tags => Measure::Tags(Vec::new()),
    };
    let moment = Moment { at: at(second), offset_seconds: 0 };
    Reading { id: ReadingId(Uuid::nil()), member: MemberId(Uuid::from_u128(member.into())), moment, measure }
}

prop_compose! {
    fn any_grant()(
        id in 0u128..4, version in 1i32..4, member in 0u8..2, clinic_no in 0u8..2,
        state in prop::sample::select(vec![GrantState::Active, GrantState::Paused, GrantState::Superseded, GrantState::Revoked]),
        categories in prop::collection::btree_map(
            prop::sample::select(Category::ALL.to_vec()), prop::sample::select(Detail::ALL.to_vec()), 0..3,
        ),
        purposes in prop::collection::btree_set(prop::sample::select(vec![Purpose::Treatment, Purpose::CareManagement]), 0..2),
        from in -5i64..5, length in 0i64..10, data_from in prop::option::of(-5i64..5),
    ) -> Grant {
        Grant {
            id: GrantId(Uuid::from_u128(id)),
            version,
            member: MemberId(Uuid::from_u128(member.into())),
            clinic: clinic(clinic_no),
            state,
            terms: Terms {
                categories,
                purposes,
                valid_from: at(from),
                valid_until: at(from + length),
                data_from: data_from.map(at),
                recipient: Addressee::Clinic,
                way_back: WayBack::None,
                withheld: BTreeSet::new(),
            },
            created_at: at(from),
            ended_at: None,
        }
    }
}

prop_compose! {
    fn any_reading()(
        member in 0u8..2, category in prop::sample::select(Category::ALL.to_vec()), second in -6i64..6,
    ) -> Reading {
        reading(member, category, second)
    }
}

/// Said again in other words, from the definition of a grant: the judge of the properties.
fn plainly_covered(grant: &Grant, reading: &Reading, clinic: &ClinicId, now: Timestamp) -> bool {
    let terms = &grant.terms;
    [
        grant.state == GrantState::Active,
        grant.member == reading.member,
        &grant.clinic == clinic,
        (terms.valid_from..terms.valid_until).contains(&now),
        terms.categories.get(&reading.measure.category()) == Some(&Detail::EveryEntry),
        terms.purposes.contains(&Purpose::Treatment),
        terms.data_from.is_none_or(|from| from <= reading.moment.at),
    ]
    .into_iter()
    .all(|holds| holds)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn it_permits_exactly_what_some_active_grant_covers(
        grants in prop::collection::vec(any_grant(), 0..5), reading in any_reading(), second in -6i64..16,
    ) {
        let (clinic, now) = (clinic(0), at(second));
        let covered = grants.iter().any(|grant| plainly_covered(grant, &reading, &clinic, now));
        match decide(&grants, &reading, &clinic, Purpose::Treatment, now) {
            Ok(permit) => {
                prop_assert!(covered);
                let (id, version) = permit.grant();
                prop_assert!(grants.iter().any(|grant| (grant.id, grant.version) == (id, version)
                    && plainly_covered(grant, &reading, &clinic, now)));
                prop_assert_eq!(permit.item().member, reading.member);
            }
            Err(denied) => {
                prop_assert!(!covered);
                prop_assert!(denied.reasons().count() > 0, "a deny has a reason");
            }
        }
    }

    #[test]
    fn the_order_of_grants_does_not_matter(
        grants in prop::collection::vec(any_grant(), 0..5).prop_shuffle(), reading in any_reading(), second in -6i64..16,
    ) {
        let (clinic, now) = (clinic(0), at(second));
        let mut sorted = grants.clone();
        sorted.sort_by_key(|grant| (grant.id, grant.version));
        let one = decide(&grants, &reading, &clinic, Purpose::Treatment, now).map(|permit| permit.grant());
        let other = decide(&sorted, &reading, &clinic, Purpose::Treatment, now).map(|permit| permit.grant());
        prop_assert_eq!(one, other);
    }

    #[test]
    fn taking_a_grant_back_never_widens(
        grants in prop::collection::vec(any_grant(), 1..5), which: prop::sample::Index, reading in any_reading(), second in -6i64..16,
    ) {
        let (clinic, now) = (clinic(0), at(second));
        let before = decide(&grants, &reading, &clinic, Purpose::Treatment, now).is_ok();
        let mut fewer = grants.clone();
        let place = which.index(grants.len());
        fewer[place].state = GrantState::Revoked;
        let after = decide(&fewer, &reading, &clinic, Purpose::Treatment, now).is_ok();
        prop_assert!(before || !after);
    }
}

#[test]
fn it_ends_at_the_very_instant() {
    let grant = Grant {
        id: GrantId(Uuid::nil()),
        version: 1,
        member: MemberId(Uuid::from_u128(0)),
        clinic: clinic(0),
        state: GrantState::Active,
        terms: Terms {
            categories: BTreeMap::from([(Category::Mood, Detail::EveryEntry)]),
            purposes: BTreeSet::from([Purpose::Treatment]),
            valid_from: at(0),
            valid_until: at(10),
            data_from: None,
            recipient: Addressee::Clinic,
            way_back: WayBack::None,
            withheld: BTreeSet::new(),
        },
        created_at: at(0),
        ended_at: None,
    };
    let (reading, clinic) = (reading(0, Category::Mood, 0), clinic(0));
    let micro = SignedDuration::from_micros(1);
    let ask = |now: Timestamp| {
        decide(std::slice::from_ref(&grant), &reading, &clinic, Purpose::Treatment, now)
            .map(|_| ())
            .map_err(|denied| denied.foremost())
    };
    assert_eq!(ask(at(0) - micro), Err(DenyReason::NotYetValid));
    assert_eq!(ask(at(0)), Ok(()));
    assert_eq!(ask(at(10) - micro), Ok(()));
    assert_eq!(ask(at(10)), Err(DenyReason::Expired));
}
