//! Consent as a member lives through it: given, changed, paused, taken back, while everything moves.

use jiff::SignedDuration;
use mostik::domain::delivery::DeliveryState;
use mostik::sandbox::{Fault, FaultKind};
use reqwest::Method;
use serde_json::json;

use crate::on_every_database;
use crate::support::bridge::{TestBridge, mood};
use crate::support::ehr::Ehr;

on_every_database! {
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

on_every_database! {
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

on_every_database! {
    async fn a_change_during_a_pause_does_not_end_the_pause(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        let grant = bridge.grant(&member, &["mood", "note"]).await;
        bridge.send(&mood("1", "sparrow", 4)).await;
        bridge.change_grant(&member, &grant, "pause").await;
        let narrower = json!({"categories": {"mood": "every-entry"}});
        let changed = bridge.as_member(&member, Method::PUT, &format!("/v1/grants/{grant}"), Some(&narrower)).await;
        assert_eq!(changed.json["state"], "paused");
        bridge.deliver_in_time_of(SignedDuration::from_hours(3)).await;
        assert_eq!(ehr.observations().await.len(), 0);
        bridge.change_grant(&member, &grant, "resume").await;
        bridge.deliver().await;
        assert_eq!(ehr.observations().await.len(), 1);
    }
}

on_every_database! {
    async fn what_was_withdrawn_can_go_when_consent_is_given_anew(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        for (round, status) in [(1, 202), (2, 202)] {
            let grant = bridge.grant(&member, &["mood"]).await;
            assert_eq!(bridge.send(&mood("1", "sparrow", 4)).await.status, status, "round {round}");
            bridge.change_grant(&member, &grant, "revoke").await;
        }
        bridge.grant(&member, &["mood"]).await;
        assert_eq!(bridge.send(&mood("1", "sparrow", 4)).await.status, 202);
        assert_eq!(bridge.send(&mood("1", "sparrow", 4)).await.status, 200, "now it is under way");
        bridge.deliver_in_time().await;
        assert_eq!(ehr.observations().await.len(), 1);
        assert_eq!(bridge.send(&mood("1", "sparrow", 4)).await.status, 200, "and now it has arrived");
    }
}

on_every_database! {
    async fn a_consent_is_changed_while_everything_moves(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        let grant = bridge.grant(&member, &["mood"]).await;
        let path = format!("/v1/grants/{grant}");
        let same = json!({"categories": {"mood": "every-entry"}});
        let changes = async {
            for _ in 0..40 {
                let changed = bridge.as_member(&member, Method::PUT, &path, Some(&same)).await;
                assert_eq!(changed.status, 200, "{:?}", changed.json);
            }
        };
        let sends = async {
            for n in 0..100 {
                let sent = bridge.send(&mood(&n.to_string(), "sparrow", 3)).await;
                assert_eq!(sent.status, 202, "the same consent is in force all the time: {:?}", sent.json);
            }
        };
        let deliveries = async {
            for _ in 0..40 {
                bridge.deliver().await;
            }
        };
        futures_util::future::join3(changes, sends, deliveries).await;
        bridge.deliver_in_time().await;
        assert_eq!(bridge.count(DeliveryState::Withdrawn).await, 0);
        assert_eq!(ehr.observations().await.len(), 100);
    }
}

on_every_database! {
    async fn taking_consent_back_succeeds_even_while_it_is_changed(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        for round in 0..15 {
            let patient = crate::support::ehr::create_patient(&ehr.base).await;
            let member = bridge.person(&format!("bird-{round}"), &patient).await;
            let grant = bridge.grant(&member, &["mood"]).await;
            let path = format!("/v1/grants/{grant}");
            let narrower = json!({"categories": {"note": "every-entry"}});
            let (changed, revoked) = futures_util::future::join(
                bridge.as_member(&member, Method::PUT, &path, Some(&narrower)),
                bridge.change_grant(&member, &grant, "revoke"),
            ).await;
            assert!([200, 409].contains(&changed.status), "{:?}", changed.json);
            assert_eq!(revoked.status, 200, "{:?}", revoked.json);
            let list = bridge.as_member(&member, Method::GET, "/v1/grants", None).await;
            let living = list.json["grants"].as_array().unwrap().iter().filter(|grant| grant["state"] == "active").count();
            assert_eq!(living, 0, "{:?}", list.json);
        }
    }
}

on_every_database! {
    async fn an_ehr_that_is_slow_to_say_what_it_can_do_does_not_delay_a_send_past_a_revocation(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let sandbox = ehr.sandbox.as_ref().unwrap();
        sandbox.faults().switch_on(Fault::always(FaultKind::Stall).on("GET", "metadata"));
        let member = bridge.person("sparrow", &ehr.patient).await;
        let grant = bridge.grant(&member, &["mood"]).await;
        bridge.send(&mood("1", "sparrow", 4)).await;
        let desks = bridge.desks.clone();
        let delivering = tokio::spawn(async move { desks.drain().await });
        // The worker waits a second for the EHR's word; the member takes consent back meanwhile.
        let mut ticks = tokio::time::interval(std::time::Duration::from_millis(100));
        ticks.tick().await;
        ticks.tick().await;
        assert_eq!(bridge.change_grant(&member, &grant, "revoke").await.status, 200);
        delivering.await.unwrap().unwrap();
        assert_eq!(ehr.observations().await.len(), 0);
    }
}

on_every_database! {
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

on_every_database! {
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

on_every_database! {
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

on_every_database! {
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

on_every_database! {
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
            let desks = bridge.desks.clone();
            let delivering = tokio::spawn(async move { desks.drain().await });
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

on_every_database! {
    async fn single_entries_never_go_where_summaries_were_granted(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        let grant = bridge.grant(&member, &["mood"]).await;
        bridge.send(&mood("1", "sparrow", 4)).await;
        let coarser = json!({"categories": {"mood": "weekly-summary"}});
        let changed = bridge.as_member(&member, Method::PUT, &format!("/v1/grants/{grant}"), Some(&coarser)).await;
        assert_eq!(changed.json["categories"]["mood"], "weekly-summary", "{:?}", changed.json);
        let taken = bridge.send(&mood("2", "sparrow", 3)).await;
        assert_eq!(taken.status, 202, "it will count in the week's summary: {:?}", taken.json);
        bridge.deliver().await;
        assert_eq!(bridge.count(DeliveryState::Withdrawn).await, 1, "what waited under the finer consent is withdrawn");
        assert_eq!(ehr.observations().await.len(), 0);
    }
}
