//! A clinic asks for the summary of a patient: it gets into the record what the patient shares, and learns nothing else.

use mostik::vault::signing::SigningAlgorithm;
use reqwest::Method;
use serde_json::json;

use crate::insight::pages::{documents, words};
use crate::on_both_databases;
use crate::support::bridge::{TestBridge, config_text, mood};
use crate::support::clinic::{ALL_SCOPES, PUBLIC_URL, System, entries, read};
use crate::support::database::Database;
use crate::support::ehr::{Ehr, create_patient};
use crate::support::http::{self, Got};
use crate::support::own::at;
use crate::support::validate::assert_valid;

const ASK: &str = "system/DocumentReference.c";

async fn with_a_system(database: Database, ehr: &Ehr) -> (TestBridge, System) {
    let system = System::new("riverside-ehr", SigningAlgorithm::Es384);
    let text = config_text(&database, &ehr.base, "127.0.0.1:0");
    let text = text.replace("[server]\n", &format!("[server]\npublic_url = {PUBLIC_URL:?}\n"));
    let access = system.registered("riverside") + &format!("scopes = \"{ALL_SCOPES} {ASK}\"\n");
    let text = text + &access + "[clinics.riverside.summary]\npage = \"on-request\"\n";
    (TestBridge::start_with(database, &text).await, system)
}

async fn ask(bridge: &TestBridge, token: &str, patient: &str) -> Got {
    let url = format!("{}/fhir/Patient/{patient}/$ask-summary", bridge.api);
    http::call(Method::POST, &url, Some(token), None).await
}

on_both_databases! {
    async fn a_clinic_asks_and_finds_in_its_record_what_is_shared(database) {
        let ehr = Ehr::sandbox().await;
        let (bridge, system) = with_a_system(database, &ehr).await;
        let sparrow = bridge.person("sparrow", &ehr.patient).await;
        bridge.share(&sparrow, json!({"mood": "weekly-summary"})).await;
        bridge.send(&at(mood("1", "sparrow", 4), "2026-11-12T08:00:00Z")).await;
        let token = system.token(&bridge, &format!("{ALL_SCOPES} {ASK}")).await;
        let got = ask(&bridge, &token, &ehr.patient).await;
        assert_eq!((got.status, got.content_type.as_str()), (202, "application/fhir+json"), "{:?}", got.json);
        assert_valid(&got.json).await;
        bridge.chores().await;
        bridge.deliver_in_time().await;
        let found = documents(&ehr).await;
        assert_eq!(found.len(), 1);
        assert!(words(&found[0]).contains("Mood: 4.00"));
        ask(&bridge, &token, &ehr.patient).await;
        bridge.chores().await;
        assert_eq!(bridge.open_items().await, 0, "the same is not sent twice");
        let events = read(&bridge, &token, &format!("/fhir/AuditEvent?patient={}", ehr.patient)).await;
        let asked = entries(&events.json).into_iter().filter(|it| it["subtype"][0]["code"] == "operation");
        let asked: Vec<_> = asked.collect();
        assert_eq!((asked.len(), &asked[0]["action"]), (2, &json!("E")), "it is written down that it asked");
        assert_valid(&asked[0]).await;
    }
}

on_both_databases! {
    async fn the_answer_does_not_tell_who_is_known_or_shares_anything(database) {
        let ehr = Ehr::sandbox().await;
        let (bridge, system) = with_a_system(database, &ehr).await;
        let (silent, stranger) = (create_patient(&ehr.base).await, create_patient(&ehr.base).await);
        bridge.person("sparrow", &silent).await;
        let token = system.token(&bridge, ASK).await;
        let answers: Vec<(u16, String)> = futures_util::future::join_all([&silent, &stranger].map(|patient| ask(&bridge, &token, patient)))
            .await.into_iter().map(|got| (got.status, got.json.to_string())).collect();
        assert_eq!(answers[0], answers[1]);
        bridge.chores().await;
        assert_eq!(bridge.open_items().await, 0);
        let reads = system.token(&bridge, ALL_SCOPES).await;
        assert_eq!(ask(&bridge, &reads, &silent).await.status, 403, "who may read may not ask");
    }
}
