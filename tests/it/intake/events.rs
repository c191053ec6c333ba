//! `POST /v1/events`, when all is well.

use mostik::domain::delivery::DeliveryState;
use serde_json::{Value, json};

use crate::on_every_database;
use crate::support::bridge::{TestBridge, mood, note};
use crate::support::database::Database;
use crate::support::ehr::Ehr;

fn statuses(results: &Value) -> Vec<String> {
    let results = results["results"].as_array().unwrap();
    results.iter().map(|result| result["status"].as_str().unwrap().to_owned()).collect()
}

on_every_database! {
    async fn each_event_of_a_batch_stands_or_falls_alone(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        bridge.grant(&member, &["mood"]).await;
        let batch = json!([
            mood("1", "sparrow", 4),
            mood("2", "sparrow", 9),
            mood("1", "sparrow", 4),
            mood("1", "sparrow", 5),
            mood("3", "nobody", 3),
            note("4", "sparrow", "dear diary"),
            42,
        ]);
        let got = bridge.send(&batch).await;
        assert_eq!(got.status, 200);
        assert_eq!(
            statuses(&got.json),
            ["accepted", "refused", "duplicate", "conflict", "refused", "refused", "refused"]
        );
        let reasons: Vec<&str> = got.json["results"].as_array().unwrap().iter()
            .filter_map(|result| result["refusal"]["reason"].as_str()).collect();
        assert_eq!(reasons, ["invalid", "unknown-member", "not-permitted", "invalid"]);
        bridge.deliver_in_time().await;
        assert_eq!(ehr.observations().await.len(), 1);
    }
}

on_every_database! {
    async fn the_same_event_again_is_a_duplicate_and_another_content_a_conflict(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        bridge.grant(&member, &["mood"]).await;
        assert_eq!(bridge.send(&mood("1", "sparrow", 4)).await.status, 202);
        assert_eq!(bridge.send(&mood("1", "sparrow", 4)).await.status, 200);
        let mut laid_out_differently = mood("1", "sparrow", 4);
        laid_out_differently["traceparent"] = json!("00-abc");
        assert_eq!(bridge.send(&laid_out_differently).await.status, 200, "an extension changes nothing");
        let conflict = bridge.send(&mood("1", "sparrow", 5)).await;
        assert_eq!((conflict.status, conflict.content_type.as_str()), (409, "application/problem+json"));
        bridge.deliver_in_time().await;
        let charted = ehr.observations().await;
        assert_eq!(charted.len(), 1);
        assert_eq!(charted[0]["valueQuantity"]["value"], 4);
    }
}

on_every_database! {
    async fn the_same_event_sent_by_many_at_once_is_taken_once(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        bridge.grant(&member, &["mood"]).await;
        let batch: Value = (0..20).map(|n| mood(&n.to_string(), "sparrow", 3)).collect();
        let reversed: Value = batch.as_array().unwrap().iter().rev().cloned().collect();
        let sends = (0..10).map(|turn| bridge.send(if turn % 2 == 0 { &batch } else { &reversed }));
        let answers = futures_util::future::join_all(sends).await;
        let accepted = answers.iter().flat_map(|got| statuses(&got.json)).filter(|status| status == "accepted").count();
        assert_eq!(accepted, 20);
        bridge.deliver_in_time().await;
        assert_eq!(ehr.observations().await.len(), 20);
        assert_eq!(bridge.count(DeliveryState::Confirmed).await, 20);
    }
}

on_every_database! {
    async fn what_was_refused_for_want_of_consent_can_be_sent_again_later(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        assert_eq!(bridge.send(&mood("1", "sparrow", 4)).await.status, 422);
        assert_eq!(bridge.traces(&member).await, 0, "what nobody may see is not stored");
        bridge.grant(&member, &["mood"]).await;
        assert_eq!(bridge.send(&mood("1", "sparrow", 4)).await.status, 202);
    }
}

on_every_database! {
    async fn a_full_batch_of_a_thousand_is_taken(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        bridge.grant(&member, &["mood"]).await;
        let batch: Value = (0..1000).map(|n| mood(&n.to_string(), "sparrow", 1 + n % 5)).collect();
        let got = bridge.send(&batch).await;
        assert_eq!(statuses(&got.json), vec!["accepted"; 1000]);
        assert_eq!(bridge.open_items().await, 1000);
    }
}

on_every_database! {
    async fn two_communities_may_use_the_same_ids_and_names(database) {
        let ehr = Ehr::sandbox().await;
        let text = crate::support::bridge::config_text(&database, &ehr.base, "127.0.0.1:0");
        let bridge = TestBridge::start_with(database, &format!("{text}[communities.app]\nname = \"The app\"\n")).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        bridge.grant(&member, &["mood"]).await;
        let other: mostik::domain::ids::CommunityId = "app".parse().unwrap();
        let mut tx = bridge.bridge.store.begin().await.unwrap();
        let key = mostik::enrolment::credentials::create_api_key(
            &mut tx, &bridge.bridge.keyring, &other, "events:write", bridge.now(),
        ).await.unwrap();
        tx.commit().await.unwrap();
        let url = format!("{}/v1/events", bridge.api);
        let got = crate::support::http::call(
            reqwest::Method::POST, &url, Some(&key.secret), Some(&mood("1", "sparrow", 4)),
        ).await;
        assert_eq!(got.json["refusal"]["reason"], "unknown-member", "the other community has no sparrow");
        assert_eq!(bridge.send(&mood("1", "sparrow", 4)).await.status, 202);
    }
}

#[tokio::test]
async fn a_database_that_was_full_takes_events_again_when_there_is_room() {
    let ehr = Ehr::sandbox().await;
    let bridge = TestBridge::start(Database::sqlite(), &ehr.base).await;
    let member = bridge.person("sparrow", &ehr.patient).await;
    bridge.grant(&member, &["mood"]).await;
    // SQLite gives a transaction up by itself when the disk is full, and when a trigger says so.
    let full = "CREATE TRIGGER full BEFORE INSERT ON outbox BEGIN SELECT RAISE(ROLLBACK, 'full'); END";
    bridge.database.run(full).await;
    for attempt in ["first", "second"] {
        assert_eq!(bridge.send(&mood("1", "sparrow", 4)).await.status, 500, "{attempt}");
    }
    bridge.database.run("DROP TRIGGER full").await;
    assert_eq!(bridge.send(&mood("1", "sparrow", 4)).await.status, 202);
    bridge.deliver().await;
    assert_eq!(ehr.observations().await.len(), 1);
}
