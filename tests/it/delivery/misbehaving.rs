//! Delivery when the EHR misbehaves: the right state, nothing lost, nothing twice.

use jiff::SignedDuration;
use mostik::domain::delivery::DeliveryState;
use mostik::sandbox::{Fault, FaultKind};

use crate::on_every_database;
use crate::support::bridge::{TestBridge, config_text, mood, riverside};
use crate::support::ehr::{Ehr, identifier};

/// A bridge with one mood on its way to the sandbox.
async fn one_mood(database: crate::support::database::Database) -> (TestBridge, Ehr) {
    let ehr = Ehr::without_conditional_create().await;
    let bridge = TestBridge::start(database, &ehr.base).await;
    let member = bridge.person("sparrow", &ehr.patient).await;
    bridge.grant(&member, &["mood"]).await;
    assert_eq!(bridge.send(&mood("1", "sparrow", 4)).await.status, 202);
    (bridge, ehr)
}

async fn with_fault(database: crate::support::database::Database, kind: FaultKind, state: DeliveryState) {
    let (bridge, ehr) = one_mood(database).await;
    ehr.sandbox.as_ref().unwrap().faults().switch_on(Fault::once(kind).on("POST", "Observation"));
    bridge.deliver().await;
    assert_eq!(bridge.count(state).await, 1, "{kind:?}: {:?}", bridge.counts().await);
    bridge.deliver_in_time().await;
    assert_eq!(bridge.count(DeliveryState::Confirmed).await, 1, "{kind:?}");
    assert_eq!(ehr.observations().await.len(), 1, "{kind:?}: exactly once");
}

on_every_database! {
    async fn an_answer_that_never_came_is_unknown_until_the_search(database) {
        with_fault(database, FaultKind::LostReply, DeliveryState::Unknown).await;
    }
}

on_every_database! {
    async fn a_connection_reset_before_the_write_is_unknown_too(database) {
        with_fault(database, FaultKind::Reset, DeliveryState::Unknown).await;
    }
}

on_every_database! {
    async fn an_ehr_that_stalls_is_left_after_the_timeout(database) {
        with_fault(database, FaultKind::Stall, DeliveryState::Unknown).await;
    }
}

on_every_database! {
    async fn a_server_error_may_have_stored_it(database) {
        with_fault(database, FaultKind::Status { code: 500, retry_after: None }, DeliveryState::Unknown).await;
    }
}

on_every_database! {
    async fn an_html_error_page_is_no_answer_about_the_resource(database) {
        with_fault(database, FaultKind::HtmlError, DeliveryState::Unknown).await;
    }
}

on_every_database! {
    async fn an_ehr_that_asks_for_patience_gets_it(database) {
        let (bridge, ehr) = one_mood(database).await;
        let fault = Fault::once(FaultKind::Status { code: 429, retry_after: Some(120) }).on("POST", "Observation");
        ehr.sandbox.as_ref().unwrap().faults().switch_on(fault);
        bridge.deliver().await;
        assert_eq!(bridge.count(DeliveryState::Retry).await, 1);
        bridge.clock.advance(SignedDuration::from_secs(119));
        bridge.deliver().await;
        assert_eq!(ehr.observations().await.len(), 0, "not a second early");
        bridge.clock.advance(SignedDuration::from_secs(1));
        bridge.deliver().await;
        assert_eq!(ehr.observations().await.len(), 1);
    }
}

on_every_database! {
    async fn what_the_ehr_refuses_waits_for_a_human_and_holds_up_nothing(database) {
        let (bridge, ehr) = one_mood(database).await;
        let fault = Fault::once(FaultKind::Status { code: 422, retry_after: None }).on("POST", "Observation");
        ehr.sandbox.as_ref().unwrap().faults().switch_on(fault);
        bridge.send(&mood("2", "sparrow", 2)).await;
        bridge.deliver().await;
        assert_eq!(bridge.count(DeliveryState::Rejected).await, 1);
        assert_eq!(bridge.count(DeliveryState::Confirmed).await, 1, "the next one is not held up");
    }
}

on_every_database! {
    async fn an_ehr_that_stays_away_makes_a_dead_letter_not_a_busy_loop(database) {
        let (bridge, ehr) = one_mood(database).await;
        let fault = Fault::always(FaultKind::Status { code: 503, retry_after: None }).on("POST", "Observation");
        ehr.sandbox.as_ref().unwrap().faults().switch_on(fault);
        let mut attempts = 0;
        while bridge.open_items().await > 0 {
            let before = ehr.sandbox.as_ref().unwrap().requests();
            bridge.deliver().await;
            attempts += ehr.sandbox.as_ref().unwrap().requests() - before;
            bridge.clock.advance(SignedDuration::from_hours(36));
            assert!(attempts < 30, "{attempts} requests are a busy loop");
        }
        assert_eq!(bridge.count(DeliveryState::Dead).await, 1);
    }
}

on_every_database! {
    async fn a_lane_keeps_its_order_and_many_workers_share_the_lanes(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let mut expected = 0;
        for bird in 0..6 {
            let handle = format!("bird-{bird}");
            let patient = crate::support::ehr::create_patient(&ehr.base).await;
            let member = bridge.person(&handle, &patient).await;
            bridge.grant(&member, &["mood"]).await;
            for n in 0..15 {
                bridge.send(&mood(&format!("{bird}-{n}"), &handle, 1 + n % 5)).await;
                expected += 1;
            }
        }
        let workers = (0..5).map(|_| {
            let desks = bridge.desks.clone();
            tokio::spawn(async move { desks.drain().await.unwrap() })
        });
        futures_util::future::join_all(workers).await;
        let stored = ehr.sandbox.as_ref().unwrap().resources("Observation");
        assert_eq!(stored.len(), expected);
        let mut seen = std::collections::BTreeMap::<String, Vec<i64>>::new();
        for observation in &stored {
            let patient = observation["subject"]["reference"].as_str().unwrap().to_owned();
            seen.entry(patient).or_default().push(observation["valueQuantity"]["value"].as_i64().unwrap());
        }
        for (patient, values) in seen {
            let in_order: Vec<i64> = (0..15).map(|n| 1 + n % 5).collect();
            assert_eq!(values, in_order, "{patient}");
        }
    }
}

on_every_database! {
    async fn a_worker_whose_lease_ran_out_settles_nothing(database) {
        let (bridge, ehr) = one_mood(database).await;
        let lease = |from: jiff::Timestamp| from.checked_add(SignedDuration::from_secs(3)).unwrap();
        let mut tx = bridge.bridge.store.begin().await.unwrap();
        let stale = tx.lease_lanes(&riverside(), bridge.now(), lease(bridge.now()), 1).await.unwrap().lanes;
        tx.commit().await.unwrap();
        bridge.deliver().await;
        assert_eq!(ehr.observations().await.len(), 0, "a leased lane is left alone");
        bridge.clock.advance(SignedDuration::from_secs(3));
        bridge.deliver().await;
        assert_eq!(ehr.observations().await.len(), 1, "and taken up when its lease has run out");
        let mut tx = bridge.bridge.store.begin().await.unwrap();
        let held = tx.hold_lanes(&riverside(), &stale, bridge.now()).await.unwrap();
        assert!(held.is_empty(), "the first worker has lost it");
    }
}

on_every_database! {
    async fn a_member_with_much_to_deliver_does_not_hold_up_the_others(database) {
        let ehr = Ehr::sandbox().await;
        let text = config_text(&database, &ehr.base, "127.0.0.1:0").replace("[delivery]", "[delivery]\nconcurrency = 1");
        let bridge = TestBridge::start_with(database, &text).await;
        let sparrow = bridge.person("sparrow", &ehr.patient).await;
        let other = crate::support::ehr::create_patient(&ehr.base).await;
        let wren = bridge.person("wren", &other).await;
        bridge.grant(&sparrow, &["mood"]).await;
        bridge.grant(&wren, &["mood"]).await;
        let many: serde_json::Value = (0..120).map(|n| mood(&format!("s{n}"), "sparrow", 3)).collect();
        bridge.send(&many).await;
        bridge.clock.advance(SignedDuration::from_secs(1));
        bridge.send(&mood("w", "wren", 3)).await;
        bridge.clock.advance(SignedDuration::from_secs(1));
        bridge.deliver().await;
        let charted = ehr.sandbox.as_ref().unwrap().resources("Observation");
        let hers = |observation: &serde_json::Value| observation["subject"]["reference"] == format!("Patient/{other}");
        let place = charted.iter().position(hers).unwrap();
        assert!(place < 60, "wren's turn comes before sparrow's second, not as number {place} of {}", charted.len());
    }
}

on_every_database! {
    async fn a_full_batch_goes_to_three_clinics(database) {
        let ehrs = [Ehr::sandbox().await, Ehr::sandbox().await, Ehr::sandbox().await];
        let text = config_text(&database, &ehrs[0].base, "127.0.0.1:0");
        let clinic = |name, ehr: &Ehr| format!("[clinics.{name}]\nname = \"{name}\"\nfhir_base = {:?}\n", ehr.base);
        let text = [text, clinic("hillside", &ehrs[1]), clinic("lakeside", &ehrs[2])].concat();
        let bridge = TestBridge::start_with(database, &text).await;
        let member = bridge.person("sparrow", &ehrs[0].patient).await;
        bridge.grant(&member, &["mood"]).await;
        let batch: serde_json::Value = (0..1000).map(|n| mood(&n.to_string(), "sparrow", 3)).collect();
        assert_eq!(bridge.send(&batch).await.status, 200);
        for (name, ehr) in ["hillside", "lakeside"].into_iter().zip(&ehrs[1..]) {
            let clinic: mostik::domain::ids::ClinicId = name.parse().unwrap();
            let mut tx = bridge.bridge.store.begin().await.unwrap();
            let (keyring, now) = (&bridge.bridge.keyring, bridge.now());
            mostik::enrolment::join::link(&mut tx, keyring, member.id, &clinic, &ehr.patient, "test", now).await.unwrap();
            tx.commit().await.unwrap();
            let asked = serde_json::json!({"clinic": name, "terms": {"categories": {"mood": "every-entry"}}});
            bridge.as_member(&member, reqwest::Method::POST, "/v1/grants", Some(&asked)).await;
        }
        let again = bridge.send(&batch).await;
        assert_eq!(again.json["results"][999]["status"], "accepted", "known here, and new to the other clinics");
        assert_eq!(bridge.open_items().await, 3000);
        let once_more = bridge.send(&batch).await;
        assert_eq!(once_more.json["results"][0]["status"], "duplicate");
        assert_eq!(bridge.open_items().await, 3000);
    }
}

on_every_database! {
    async fn one_absent_search_is_not_believed(database) {
        let (bridge, ehr) = one_mood(database).await;
        let sandbox = ehr.sandbox.as_ref().unwrap();
        sandbox.faults().switch_on(Fault::once(FaultKind::Reset).on("POST", "Observation"));
        bridge.deliver().await;
        let sent = sandbox.requests();
        bridge.clock.advance(SignedDuration::from_secs(7));
        bridge.deliver().await;
        assert_eq!(sandbox.requests(), sent + 1, "one search");
        assert_eq!(bridge.count(DeliveryState::Unknown).await, 1, "the EHR may be storing it only now");
        bridge.clock.advance(SignedDuration::from_secs(1));
        bridge.deliver().await;
        assert_eq!(sandbox.requests(), sent + 3, "another search, and only then the send");
        assert_eq!(ehr.observations().await.len(), 1);
    }
}

on_every_database! {
    async fn two_clinics_get_identifiers_that_cannot_be_joined(database) {
        let (one, other) = (Ehr::sandbox().await, Ehr::sandbox().await);
        let folder = &database.folder;
        let text = config_text(&database, &one.base, "127.0.0.1:0");
        let text = format!("{text}[clinics.hillside]\nname = \"Hillside\"\nfhir_base = {:?}\n", other.base);
        assert!(folder.path().exists());
        let bridge = TestBridge::start_with(database, &text).await;
        let member = bridge.person("sparrow", &one.patient).await;
        let hillside: mostik::domain::ids::ClinicId = "hillside".parse().unwrap();
        let mut tx = bridge.bridge.store.begin().await.unwrap();
        mostik::enrolment::join::link(
            &mut tx, &bridge.bridge.keyring, member.id, &hillside, &other.patient, "test", bridge.now(),
        ).await.unwrap();
        tx.commit().await.unwrap();
        bridge.grant(&member, &["mood"]).await;
        let asked = serde_json::json!({"clinic": "hillside", "terms": {"categories": {"mood": "every-entry"}}});
        bridge.as_member(&member, reqwest::Method::POST, "/v1/grants", Some(&asked)).await;
        bridge.send(&mood("1", "sparrow", 4)).await;
        bridge.deliver().await;
        let (here, there) = (one.observations().await, other.observations().await);
        assert_eq!((here.len(), there.len()), (1, 1), "each clinic has it once");
        assert_ne!(identifier(&here[0]), identifier(&there[0]));
    }
}
