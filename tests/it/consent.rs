//! Consent: the decision as properties, and its changes as a member lives through them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use mostik::consent::decide::{DenyReason, decide};
use mostik::domain::category::{Category, Detail};
use mostik::domain::delivery::DeliveryState;
use mostik::domain::grant::{Grant, GrantState, Purpose, Terms};
use mostik::domain::ids::{ClinicId, GrantId, MemberId, ReadingId};
use mostik::domain::moment::Moment;
use mostik::domain::reading::{Measure, Reading};
use proptest::prelude::*;
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use crate::on_both_databases;
use crate::support::bridge::{TestBridge, mood};
use crate::support::ehr::Ehr;

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
        categories in prop::collection::btree_set(prop::sample::select(Category::ALL.to_vec()), 0..3),
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
                categories: categories.into_iter().map(|category| (category, Detail::EveryEntry)).collect(),
                purposes,
                valid_from: at(from),
                valid_until: at(from + length),
                data_from: data_from.map(at),
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
        terms.categories.contains_key(&reading.measure.category()),
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

on_both_databases! {
    async fn a_pause_holds_what_waits_and_takes_nothing_new(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        let grant = bridge.grant(&member, &["mood"]).await;
        bridge.send(&mood("1", "sparrow", 4)).await;
        assert_eq!(bridge.change_grant(&member, &grant, "pause").await.status, 200);
        bridge.clock.advance(SignedDuration::from_hours(2));
        bridge.deliver().await;
        assert_eq!(ehr.observations().await.len(), 0, "nothing goes out during a pause");
        assert_eq!(bridge.count(DeliveryState::Ready).await, 1, "and nothing is withdrawn");
        let refused = bridge.send(&mood("2", "sparrow", 3)).await;
        assert!(refused.json.to_string().contains("consent-paused"), "{:?}", refused.json);
        assert_eq!(bridge.change_grant(&member, &grant, "pause").await.status, 409, "twice is once too often");
        assert_eq!(bridge.change_grant(&member, &grant, "resume").await.status, 200);
        bridge.deliver().await;
        assert_eq!(ehr.observations().await.len(), 1);
    }
}

on_both_databases! {
    async fn what_waits_through_a_pause_is_withdrawn_when_the_consent_expires(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        let asked = json!({"clinic": "riverside", "terms":
            {"categories": {"mood": "every-entry"}, "valid_until": "2026-11-21T12:00:00Z"}});
        let grant = bridge.as_member(&member, Method::POST, "/v1/grants", Some(&asked)).await;
        bridge.send(&mood("1", "sparrow", 4)).await;
        bridge.change_grant(&member, grant.json["id"].as_str().unwrap(), "pause").await;
        bridge.deliver().await;
        assert_eq!(bridge.count(DeliveryState::Ready).await, 1);
        bridge.clock.advance(SignedDuration::from_hours(24));
        bridge.deliver().await;
        assert_eq!(bridge.count(DeliveryState::Withdrawn).await, 1);
        assert_eq!(ehr.observations().await.len(), 0);
    }
}

on_both_databases! {
    async fn a_change_is_a_new_version_and_decides_about_what_waits(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        let grant = bridge.grant(&member, &["mood", "note"]).await;
        bridge.send(&mood("1", "sparrow", 4)).await;
        let narrower = json!({"categories": {"note": "every-entry"}});
        let path = format!("/v1/grants/{grant}");
        let changed = bridge.as_member(&member, Method::PUT, &path, Some(&narrower)).await;
        assert_eq!((changed.status, changed.json["version"].as_i64()), (200, Some(2)));
        bridge.deliver_in_time().await;
        assert_eq!(ehr.observations().await.len(), 0, "the mood is no longer covered");
        assert_eq!(bridge.count(DeliveryState::Withdrawn).await, 1);
        let list = bridge.as_member(&member, Method::GET, "/v1/grants", None).await;
        let states: Vec<&str> = list.json["grants"].as_array().unwrap().iter().map(|g| g["state"].as_str().unwrap()).collect();
        assert_eq!(states, ["superseded", "active"], "the old version is kept");
    }
}

on_both_databases! {
    async fn consent_that_expires_before_the_send_lets_nothing_out(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        let asked = json!({"clinic": "riverside", "terms":
            {"categories": {"mood": "every-entry"}, "valid_until": "2026-11-20T13:00:00Z"}});
        assert_eq!(bridge.as_member(&member, Method::POST, "/v1/grants", Some(&asked)).await.status, 201);
        bridge.send(&mood("1", "sparrow", 4)).await;
        bridge.clock.advance(SignedDuration::from_hours(1));
        bridge.deliver().await;
        assert_eq!(ehr.observations().await.len(), 0);
        assert_eq!(bridge.count(DeliveryState::Withdrawn).await, 1);
        let again = bridge.grant(&member, &["mood"]).await;
        assert!(!again.is_empty(), "an expired consent does not stand in the way of a new one");
    }
}

on_both_databases! {
    async fn a_clinic_has_one_living_grant_of_a_member_even_when_asked_at_once(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        let asked = json!({"clinic": "riverside", "terms": {"categories": {"mood": "every-entry"}}});
        let asks = (0..8).map(|_| bridge.as_member(&member, Method::POST, "/v1/grants", Some(&asked)));
        let answers = futures_util::future::join_all(asks).await;
        let mut statuses: Vec<u16> = answers.iter().map(|got| got.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
    }
}

on_both_databases! {
    async fn revoking_twice_is_revoking_once(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        let grant = bridge.grant(&member, &["mood"]).await;
        bridge.send(&mood("1", "sparrow", 4)).await;
        for withdrawn in [1, 0] {
            let got = bridge.change_grant(&member, &grant, "revoke").await;
            assert_eq!((got.status, got.json["withdrawn"].as_u64()), (200, Some(withdrawn)));
            assert_eq!(got.json["grant"]["state"], "revoked");
        }
        for how in ["pause", "resume"] {
            assert_eq!(bridge.change_grant(&member, &grant, how).await.status, 409, "an ended consent stays ended");
        }
    }
}

on_both_databases! {
    async fn no_send_begins_once_a_revocation_is_answered(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        for round in 0..10 {
            let handle = format!("bird-{round}");
            let patient = crate::support::ehr::create_patient(&ehr.base).await;
            let member = bridge.person(&handle, &patient).await;
            let grant = bridge.grant(&member, &["mood"]).await;
            let batch: serde_json::Value = (0..20).map(|n| mood(&format!("{round}-{n}"), &handle, 3)).collect();
            bridge.send(&batch).await;
            let worker = bridge.worker.clone();
            let delivering = tokio::spawn(async move { worker.drain().await });
            let revoked = bridge.change_grant(&member, &grant, "revoke").await;
            assert_eq!(revoked.status, 200);
            let at_the_answer = ehr.sandbox.as_ref().unwrap().requests();
            delivering.await.unwrap().unwrap();
            let later = ehr.sandbox.as_ref().unwrap().requests();
            assert!(later - at_the_answer <= 1, "only what was in flight may still end: {at_the_answer} → {later}");
            assert_eq!(bridge.open_items().await, 0);
        }
    }
}
