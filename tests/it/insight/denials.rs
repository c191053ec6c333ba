//! What the chore that makes summaries may not tell a clinic is in the audit log, as it is at the intake.

use mostik::domain::settings::Change;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::audit::{between, chain, wrong};
use crate::support::bridge::{Person, TestBridge, mood};
use crate::support::ehr::Ehr;

/// What was denied so far, one after the other.
async fn denied(bridge: &TestBridge, member: &Person) -> Vec<Value> {
    let entries = chain(bridge, &between(member)).await.into_iter().filter(|entry| entry.kind == "decision");
    let bodies = entries.map(|entry| serde_json::from_str::<Value>(&entry.body).unwrap());
    bodies.filter(|body| !body["denied"].is_null()).map(|body| body["denied"].clone()).collect()
}

on_both_databases! {
    async fn what_counts_in_no_summary_is_told_with_its_reason_and_nothing_more(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        bridge.set(&member, Change { keep: Some(true), ..Change::default() }).await;
        bridge.share_by(&member, json!({"categories": {"mood": "daily-summary"}, "withheld": ["SUD"]})).await;
        let mut sensitive = mood("2", "sparrow", 1);
        sensitive["sensitivity"] = json!("SUD");
        bridge.send(&json!([mood("1", "sparrow", 4), sensitive])).await;
        let before = denied(&bridge, &member).await;
        bridge.until("2026-11-21T12:00:00Z").await;
        bridge.deliver().await;
        let found = ehr.observations().await;
        assert_eq!(found.len(), 1, "one summary");
        let told = denied(&bridge, &member).await;
        assert_eq!(told[before.len()..], [json!({"label-withheld": 1})]);
        assert_eq!(wrong(&bridge).await, [""; 0]);
    }
}

on_both_databases! {
    async fn what_no_consent_covers_when_its_day_is_over_is_denied(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        let grant = bridge.share(&member, json!({"mood": "daily-summary"})).await;
        bridge.send(&mood("1", "sparrow", 4)).await;
        bridge.change_terms(&member, &grant, json!({"categories": {"note": "every-entry"}})).await;
        let before = denied(&bridge, &member).await;
        bridge.until("2026-11-21T12:00:00Z").await;
        assert_eq!(denied(&bridge, &member).await[before.len()..], [json!({"category-not-shared": 1})]);
    }
}
