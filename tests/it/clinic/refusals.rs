//! Whom the rooms for clinics send away is in the audit log; and nobody can fill it by coming again and again.

use jiff::SignedDuration;
use mostik::domain::audit::Chain;
use mostik::domain::ids::ClinicId;
use mostik::vault::signing::SigningAlgorithm;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::audit::{chain, wrong};
use crate::support::bridge::{TestBridge, riverside};
use crate::support::clinic::{ALL_SCOPES, System, post_form, read, with_systems};
use crate::support::http;

/// What a chain says of refusals.
async fn refusals(bridge: &TestBridge, of: Chain) -> Vec<Value> {
    let entries = chain(bridge, &of).await.into_iter().filter(|entry| entry.kind == "clinic-refused");
    entries.map(|entry| serde_json::from_str(&entry.body).unwrap()).collect()
}

async fn of(bridge: &TestBridge, clinic: &ClinicId) -> Vec<Value> {
    refusals(bridge, Chain::of_clinic(clinic)).await
}

/// Where, why, as whom, and whether that was proven.
fn told(refusal: &Value) -> (&str, &str, Option<&str>, bool) {
    let text = |name: &str| refusal[name].as_str();
    (text("route").unwrap(), text("why").unwrap(), text("client"), refusal["is_proven"].as_bool().unwrap())
}

on_both_databases! {
    async fn each_refusal_is_in_the_chain_of_the_clinic_that_it_was(database) {
        let (bridge, river, _) = with_systems(database).await;
        let token = river.token(&bridge, "system/Consent.rs").await;
        assert_eq!(read(&bridge, &token, "/fhir/AuditEvent?patient=17").await.status, 403);
        assert_eq!(post_form(&bridge, "/fhir/AuditEvent/_search", Some(&token), &[("patient", "17")]).await.status, 403);
        assert_eq!(river.ask(&bridge, "system/Observation.rs").await.status, 400);
        let stranger = System::new("riverside-ehr", SigningAlgorithm::Es384);
        assert_eq!(stranger.ask(&bridge, ALL_SCOPES).await.status, 400);
        let found = of(&bridge, &riverside()).await;
        let found: Vec<_> = found.iter().map(told).collect();
        assert_eq!(found, [
            ("/fhir/AuditEvent", "scope", Some("riverside-ehr"), true),
            ("/fhir/AuditEvent/_search", "scope", Some("riverside-ehr"), true),
            ("/fhir/token", "scope", Some("riverside-ehr"), true),
            ("/fhir/token", "unknown-key", None, false),
        ]);
        assert_eq!(of(&bridge, &"lakeside".parse().unwrap()).await, [Value::Null; 0]);
        for path in ["/fhir/Consent?patient=17", "/fhir/Consent/17-1"] {
            assert_eq!(http::call(reqwest::Method::GET, &format!("{}{path}", bridge.api), None, None).await.status, 401);
        }
        let nobodys = refusals(&bridge, Chain::HOUSE).await;
        let nobodys: Vec<_> = nobodys.iter().map(told).collect();
        let read = ("/fhir/Consent/{id}", "no-token", None, false);
        assert_eq!(nobodys, [("/fhir/Consent", "no-token", None, false), read], "and no word of what was asked for");
        assert_eq!(wrong(&bridge).await, [""; 0]);
    }
}

on_both_databases! {
    async fn what_is_no_refusal_is_not_told_as_one(database) {
        let (bridge, river, _) = with_systems(database).await;
        let token = river.token(&bridge, ALL_SCOPES).await;
        for path in ["/fhir/Consent", "/fhir/Consent?patient=17", "/fhir/Consent/17-1", "/fhir/metadata", "/fhir/Nothing"] {
            read(&bridge, &token, path).await;
        }
        assert_eq!((of(&bridge, &riverside()).await, refusals(&bridge, Chain::HOUSE).await), (vec![], vec![]));
    }
}

on_both_databases! {
    async fn whoever_comes_again_and_again_fills_nothing_and_is_counted(database) {
        let (bridge, river, _) = with_systems(database).await;
        let token = river.token(&bridge, "system/Consent.rs").await;
        for _ in 0..40 {
            assert_eq!(http::call(reqwest::Method::GET, &format!("{}/fhir/Consent", bridge.api), None, None).await.status, 401);
        }
        let stranger = System::new("riverside-ehr", SigningAlgorithm::Es384);
        for _ in 0..40 {
            stranger.ask(&bridge, ALL_SCOPES).await;
        }
        assert_eq!(refusals(&bridge, Chain::HOUSE).await.len(), 10);
        assert_eq!(of(&bridge, &riverside()).await.len(), 10);
        assert_eq!(read(&bridge, &token, "/fhir/AuditEvent?patient=17").await.status, 403);
        let found = of(&bridge, &riverside()).await;
        assert_eq!((found.len(), told(&found[10]).1), (11, "scope"), "a stranger does not silence the clinic's own");
        bridge.clock.advance(SignedDuration::from_mins(10));
        stranger.ask(&bridge, ALL_SCOPES).await;
        stranger.ask(&bridge, ALL_SCOPES).await;
        let found = of(&bridge, &riverside()).await;
        assert_eq!((found.len(), &found[11]["unwritten"]), (12, &json!(30)));
        assert_eq!(wrong(&bridge).await, [""; 0]);
    }
}

on_both_databases! {
    async fn a_refusal_that_cannot_be_written_down_is_one_all_the_same(database) {
        let (bridge, river, _) = with_systems(database).await;
        let token = river.token(&bridge, "system/Consent.rs").await;
        bridge.database.run("ALTER TABLE audit_entries RENAME TO audit_entries_away").await;
        assert_eq!(read(&bridge, &token, "/fhir/AuditEvent?patient=17").await.status, 403);
        bridge.database.run("ALTER TABLE audit_entries_away RENAME TO audit_entries").await;
        assert_eq!(read(&bridge, &token, "/fhir/AuditEvent?patient=17").await.status, 403);
        let found = of(&bridge, &riverside()).await;
        assert_eq!((found.len(), &found[0]["unwritten"]), (1, &json!(1)), "it is counted");
    }
}
