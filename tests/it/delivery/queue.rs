//! What an operator sees of the outbox, and tries again by hand.

use std::process::Command;

use mostik::domain::delivery::DeliveryState;
use mostik::domain::ids::DeliveryId;
use mostik::sandbox::{Fault, FaultKind};
use mostik::store::Replay;

use crate::on_every_database;
use crate::support::bridge::{TestBridge, mood, riverside};
use crate::support::ehr::Ehr;

on_every_database! {
    async fn what_was_rejected_is_seen_with_its_reason_and_sent_again_by_hand(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        bridge.grant(&member, &["mood"]).await;
        let faults = ehr.sandbox.as_ref().unwrap().faults();
        faults.switch_on(Fault::always(FaultKind::Status { code: 422, retry_after: None }).on("POST", "Observation"));
        bridge.send(&serde_json::json!([mood("1", "sparrow", 4), mood("2", "sparrow", 2)])).await;
        bridge.deliver().await;
        let seen = bridge.bridge.store.read().await.unwrap().queue().await.unwrap();
        let row = &seen[0];
        assert_eq!(
            (seen.len(), row.state, row.reason.as_deref(), row.count),
            (1, DeliveryState::Rejected, Some("http-422"), 2)
        );

        faults.clear();
        let clinic = riverside();
        assert_eq!(replay(&bridge, Replay::Clinic(&clinic, Some("http-400"))).await, 0, "another reason, other items");
        assert_eq!(replay(&bridge, Replay::Clinic(&clinic, Some("http-422"))).await, 2);
        bridge.deliver().await;
        assert_eq!(ehr.observations().await.len(), 2);
        assert_eq!(replay(&bridge, Replay::Clinic(&clinic, None)).await, 0, "what has arrived is not sent again");
    }
}

on_every_database! {
    async fn a_dead_letter_whose_fate_is_unknown_is_searched_for_before_it_is_sent_again(database) {
        let ehr = Ehr::without_conditional_create().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        bridge.grant(&member, &["mood"]).await;
        let faults = ehr.sandbox.as_ref().unwrap().faults();
        // It is stored, the answer is lost, and the EHR cannot be searched for days.
        faults.switch_on(Fault::once(FaultKind::LostReply).on("POST", "Observation"));
        faults.switch_on(Fault::always(FaultKind::Status { code: 500, retry_after: None }).on("GET", "Observation"));
        bridge.send(&mood("1", "sparrow", 4)).await;
        while bridge.open_items().await > 0 {
            bridge.deliver().await;
            bridge.clock.advance(jiff::SignedDuration::from_hours(30));
        }
        assert_eq!(bridge.count(DeliveryState::Dead).await, 1);
        faults.clear();
        assert_eq!(replay(&bridge, Replay::Clinic(&riverside(), None)).await, 1);
        bridge.deliver_in_time().await;
        assert_eq!(bridge.count(DeliveryState::Confirmed).await, 1);
        assert_eq!(ehr.observations().await.len(), 1, "it was there all the time");
    }
}

on_every_database! {
    async fn a_replay_sends_nothing_without_consent(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        let grant = bridge.grant(&member, &["mood"]).await;
        let faults = ehr.sandbox.as_ref().unwrap().faults();
        faults.switch_on(Fault::once(FaultKind::Status { code: 422, retry_after: None }).on("POST", "Observation"));
        bridge.send(&mood("1", "sparrow", 4)).await;
        bridge.deliver().await;
        bridge.change_grant(&member, &grant, "revoke").await;
        assert_eq!(replay(&bridge, Replay::Clinic(&riverside(), None)).await, 0, "its content was erased");
        bridge.deliver_in_time().await;
        assert_eq!(ehr.observations().await.len(), 0);
    }
}

async fn replay(bridge: &TestBridge, which: Replay<'_>) -> u64 {
    let mut tx = bridge.bridge.store.begin().await.unwrap();
    let replayed = tx.replay(&which, bridge.now()).await.unwrap();
    tx.commit().await.unwrap();
    replayed
}

/// What the program prints for an operator of this bridge.
async fn mostik(bridge: &TestBridge, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mostik"));
    command.arg("--config").arg(bridge.database.folder.path().join("mostik.toml")).args(arguments);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr)
}

on_every_database! {
    async fn what_the_ehr_said_about_a_refused_item_is_kept_sealed_and_shown_on_request(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        let grant = bridge.grant(&member, &["mood"]).await;
        let refused = Fault::always(FaultKind::Status { code: 422, retry_after: None }).on("POST", "Observation");
        ehr.sandbox.as_ref().unwrap().faults().switch_on(refused);
        bridge.send(&mood("1", "sparrow", 4)).await;
        bridge.deliver().await;

        let items = mostik(&bridge, &["queue", "--items"]).await;
        let id = items.split_whitespace().next().unwrap().to_owned();
        assert!(items.contains("rejected") && items.contains("http-422") && items.contains("--answer"), "{items}");
        let answer = mostik(&bridge, &["queue", "--answer", &id]).await;
        assert!(answer.contains("OperationOutcome") && answer.contains("severity"), "{answer}");
        let mut tx = bridge.bridge.store.read().await.unwrap();
        let sealed = tx.refusal(DeliveryId(id.parse().unwrap())).await.unwrap().unwrap().sealed_answer.unwrap();
        drop(tx);
        assert!(!String::from_utf8_lossy(&sealed).contains("OperationOutcome"), "it may quote what was sent");

        bridge.change_grant(&member, &grant, "revoke").await;
        let gone = mostik(&bridge, &["queue", "--answer", &id]).await;
        assert!(gone.contains("said nothing about this item"), "erased with the content: {gone}");
        assert!(mostik(&bridge, &["queue", "--answer", "00000000-0000-0000-0000-000000000000"]).await.contains("no item"));
    }
}

on_every_database! {
    async fn an_operator_sees_how_each_ehr_is_and_what_is_not_configured(database) {
        let ehr = Ehr::without_conditional_create().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        bridge.grant(&member, &["mood"]).await;
        let busy = Fault::always(FaultKind::Status { code: 503, retry_after: Some(600) }).on("POST", "Observation");
        ehr.sandbox.as_ref().unwrap().faults().switch_on(busy);
        bridge.send(&mood("1", "sparrow", 4)).await;
        bridge.deliver().await;
        bridge.deliver().await;
        let seen = mostik(&bridge, &["queue"]).await;
        assert!(seen.contains("riverside takes data as: discrete"), "{seen}");
        assert!(seen.contains("http-503"), "{seen}");
        let config = bridge.database.folder.path().join("mostik.toml");
        let elsewhere = bridge.config.replace("[clinics.riverside]", "[clinics.hillside]");
        std::fs::write(config, elsewhere).unwrap();
        let seen = mostik(&bridge, &["queue"]).await;
        assert!(seen.contains("riverside is not configured: nothing is sent there"), "{seen}");
    }
}
