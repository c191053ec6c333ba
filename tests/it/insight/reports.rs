//! The page about the last weeks as a report, for an EHR that shows these: beside the page, put right and taken back with it.

use serde_json::{Value, json};

use crate::insight::pages::{attached, documents, paged};
use crate::on_both_databases;
use crate::support::bridge::{Person, TestBridge, mood, retraction};
use crate::support::database::Database;
use crate::support::ehr::{Ehr, identifier};
use crate::support::http;
use crate::support::outbox::items;
use crate::support::own::at;
use crate::support::validate::assert_valid;

/// The end of the week in UTC in which every test begins.
const MONDAY: &str = "2026-11-23T00:00:00Z";

const REPORTED: &str = "page = \"weekly\"\nreport = true";

async fn reports(ehr: &Ehr) -> Vec<Value> {
    let url = format!("{}/DiagnosticReport?patient={}", ehr.base, ehr.patient);
    let got = http::call(reqwest::Method::GET, &url, None, None).await;
    assert_eq!(got.status, 200, "{:?}", got.json);
    let entries = got.json["entry"].as_array().cloned().unwrap_or_default();
    entries.into_iter().map(|entry| entry["resource"].clone()).collect()
}

async fn ready(database: Database, ehr: &Ehr, rules: &str) -> (TestBridge, Person) {
    let bridge = paged(database, ehr, rules).await;
    let member = bridge.person("sparrow", &ehr.patient).await;
    (bridge, member)
}

async fn send(bridge: &TestBridge, event: &Value) {
    let got = bridge.send(event).await;
    assert!(got.status < 300, "{:?}", got.json);
}

fn rated(id: &str, rating: i64) -> Value {
    at(mood(id, "sparrow", rating), "2026-11-18T08:00:00Z")
}

fn gad7(id: &str, choice: u8) -> Value {
    let codes = ["69725-0", "68509-9", "69733-4", "69734-2", "69735-9", "69689-8", "69736-7"];
    let answers: Value = codes.into_iter().map(|code| (code.to_owned(), json!(choice))).collect();
    json!({
        "specversion": "1.0", "id": id, "source": "/test", "type": "mostik.questionnaire.v1",
        "time": "2026-11-19T08:00:00Z", "subject": "sparrow", "data": {"instrument": "gad-7", "answers": answers},
    })
}

on_both_databases! {
    async fn it_stands_beside_the_page_and_says_the_same(database) {
        let ehr = Ehr::sandbox().await;
        let (bridge, member) = ready(database, &ehr, REPORTED).await;
        bridge.share(&member, json!({"mood": "daily-summary"})).await;
        send(&bridge, &rated("1", 4)).await;
        bridge.until(MONDAY).await;
        bridge.deliver_in_time().await;
        let (pages, reports) = (documents(&ehr).await, reports(&ehr).await);
        assert_eq!((pages.len(), reports.len()), (1, 1));
        let (page, report) = (&pages[0], &reports[0]);
        let forms: Vec<Value> = page["content"].as_array().unwrap().iter().map(|it| it["attachment"].clone()).collect();
        assert_eq!(report["presentedForm"], Value::from(forms), "the same text and the same PDF");
        assert_eq!((&report["status"], &report["code"]), (&json!("final"), &page["type"]));
        assert_eq!(report["effectivePeriod"], page["context"]["period"]);
        assert_eq!(report["meta"]["security"], page["meta"]["security"]);
        assert_ne!(identifier(report), identifier(page));
        for silent in ["result", "performer", "conclusion", "conclusionCode"] {
            assert!(report.get(silent).is_none(), "{silent}: {report:#}");
        }
        let mut shown = report.clone();
        for form in shown["presentedForm"].as_array_mut().unwrap() {
            form["data"] = json!("[base64]");
        }
        for name in ["id", "meta", "identifier", "subject", "contained"] {
            shown.as_object_mut().unwrap().remove(name);
        }
        insta::assert_json_snapshot!("report", shown);
        assert_valid(report).await;
    }
}

on_both_databases! {
    async fn it_is_put_right_and_taken_back_with_the_page(database) {
        let ehr = Ehr::sandbox().await;
        let (bridge, member) = ready(database, &ehr, REPORTED).await;
        bridge.share(&member, json!({"mood": "daily-summary"})).await;
        send(&bridge, &rated("1", 4)).await;
        bridge.until(MONDAY).await;
        bridge.deliver_in_time().await;
        let before = reports(&ehr).await;
        send(&bridge, &rated("2", 1)).await;
        bridge.chores().await;
        bridge.deliver_in_time().await;
        let after = reports(&ehr).await;
        assert_eq!((after.len(), &after[0]["id"]), (1, &before[0]["id"]), "it is the same resource");
        assert_eq!(after[0]["status"], "corrected");
        assert_ne!(after[0]["presentedForm"], before[0]["presentedForm"]);
        let page = attached(&documents(&ehr).await[0], "text/plain").unwrap();
        let text = after[0]["presentedForm"][0]["data"].as_str().unwrap().to_owned();
        assert_eq!(text, base64::Engine::encode(&base64::prelude::BASE64_STANDARD, page));
        assert_valid(&after[0]).await;
        bridge.chores().await;
        assert_eq!(bridge.open_items().await, 0, "what says nothing new is told once");
        for entry in ["1", "2"] {
            send(&bridge, &retraction(&format!("r{entry}"), "sparrow", entry)).await;
        }
        bridge.chores().await;
        bridge.deliver_in_time().await;
        assert_eq!(reports(&ehr).await[0]["status"], "entered-in-error");
        assert_eq!(documents(&ehr).await[0]["status"], "entered-in-error");
    }
}

on_both_databases! {
    async fn its_results_are_totals_that_this_clinic_has_and_may_see_one_by_one(database) {
        let ehr = Ehr::sandbox().await;
        let (bridge, member) = ready(database, &ehr, REPORTED).await;
        let grant = bridge.share(&member, json!({"questionnaires": "every-entry", "mood": "every-entry"})).await;
        send(&bridge, &gad7("1", 1)).await;
        bridge.deliver_in_time().await;
        send(&bridge, &gad7("2", 2)).await;
        bridge.until(MONDAY).await;
        let waiting = items(&bridge, &member).await.into_iter().filter_map(|item| item.body);
        let report = waiting.into_iter().find(|body| body["resourceType"] == "DiagnosticReport").unwrap();
        let there = ehr.observations().await;
        let totals = there.iter().filter(|it| it["code"]["coding"][0]["code"] == "70274-6");
        let totals: Vec<String> = totals.map(identifier).collect();
        assert_eq!(totals.len(), 1, "the second was not sent yet");
        let named = |report: &Value| {
            let results = report["result"].as_array().cloned().unwrap_or_default().into_iter();
            results.map(|it| it["identifier"]["value"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(named(&report), totals);
        assert_valid(&report).await;
        bridge.deliver_in_time().await;
        bridge.change_terms(&member, &grant, json!({"categories": {"questionnaires": "daily-summary", "mood": "every-entry"}})).await;
        send(&bridge, &rated("3", 2)).await;
        bridge.chores().await;
        bridge.deliver_in_time().await;
        let report = &reports(&ehr).await[0];
        assert_eq!((&report["status"], named(report)), (&json!("corrected"), vec![]), "single totals are not shared any more");
    }
}

on_both_databases! {
    async fn it_goes_only_where_the_clinic_wants_it_and_its_ehr_says_that_it_takes_it(database) {
        let ehr = Ehr::sandbox().await;
        let (bridge, member) = ready(database, &ehr, "page = \"weekly\"").await;
        bridge.share(&member, json!({"mood": "daily-summary"})).await;
        send(&bridge, &rated("1", 4)).await;
        bridge.until(MONDAY).await;
        assert!(items(&bridge, &member).await.iter().all(|item| !item.is_report()), "nobody asked for it");
        for (ehr, rules, reason) in [
            (Ehr::without_conditional_create().await, REPORTED.to_owned(), "part-not-taken"),
            (Ehr::sandbox().await, format!("{REPORTED}\n[clinics.riverside.takes]\nform = \"document\""), "said-with-the-whole"),
        ] {
            let (bridge, member) = ready(Database::sqlite(), &ehr, &rules).await;
            bridge.share(&member, json!({"mood": "daily-summary"})).await;
            send(&bridge, &rated("1", 4)).await;
            bridge.until(MONDAY).await;
            let report = items(&bridge, &member).await.into_iter().find(crate::support::outbox::Item::is_report).unwrap();
            bridge.deliver_in_time().await;
            let after = items(&bridge, &member).await.into_iter().find(|it| it.identifier == report.identifier).unwrap();
            assert_eq!((after.state.as_str(), after.reason.as_deref()), ("withdrawn", Some(reason)));
            assert!(reports(&ehr).await.is_empty());
            let is_page = |it: &Value| it["description"] == "Summary of the patient's own notes";
            assert!(documents(&ehr).await.iter().any(is_page));
        }
    }
}

on_both_databases! {
    async fn nothing_goes_once_the_consent_has_ended(database) {
        let ehr = Ehr::sandbox().await;
        let (bridge, member) = ready(database, &ehr, REPORTED).await;
        let grant = bridge.share(&member, json!({"mood": "daily-summary"})).await;
        send(&bridge, &rated("1", 4)).await;
        bridge.until(MONDAY).await;
        assert!(items(&bridge, &member).await.iter().any(crate::support::outbox::Item::is_report));
        bridge.change_grant(&member, &grant, "revoke").await;
        bridge.deliver_in_time().await;
        assert!(reports(&ehr).await.is_empty() && documents(&ehr).await.is_empty());
    }
}
