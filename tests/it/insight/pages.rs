//! One-page summaries as clinics receive them: made when a week is over or when somebody asks, decided part by part, put
//! right when an entry comes late, and gone with the consent.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::Method;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::bridge::{Person, TestBridge, config_text, mood, note, retraction};
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::http;
use crate::support::outbox::items;
use crate::support::own::at;
use crate::support::validate::assert_valid;

/// The end of the week in Berlin in which every test begins.
const MONDAY: &str = "2026-11-22T23:00:00Z";

/// A clinic that gets pages as `rules` say.
pub async fn paged(database: Database, ehr: &Ehr, rules: &str) -> TestBridge {
    let text = config_text(&database, &ehr.base, "127.0.0.1:0");
    TestBridge::start_with(database, &format!("{text}[clinics.riverside.summary]\n{rules}\n")).await
}

/// A member in Berlin whose clinic gets a page each week. It is Friday, the 20th of November 2026, 13:00 there.
async fn ready(database: Database, ehr: &Ehr) -> (TestBridge, Person) {
    let bridge = paged(database, ehr, "page = \"weekly\"").await;
    let member = bridge.person("sparrow", &ehr.patient).await;
    bridge.move_to(&member, "Europe/Berlin").await;
    (bridge, member)
}

/// Every document about the patient, as the EHR's own search tells.
pub async fn documents(ehr: &Ehr) -> Vec<Value> {
    let url = format!("{}/DocumentReference?patient={}&_count=100", ehr.base, ehr.patient);
    let got = http::call(Method::GET, &url, None, None).await;
    assert_eq!(got.status, 200, "{:?}", got.json);
    let entries = got.json["entry"].as_array().cloned().unwrap_or_default();
    entries.into_iter().map(|entry| entry["resource"].clone()).collect()
}

/// The bytes of an attachment.
pub fn attached(document: &Value, content_type: &str) -> Option<Vec<u8>> {
    let content = document["content"].as_array().unwrap().iter();
    let mut attachments = content.map(|it| &it["attachment"]);
    let found = attachments.find(|it| it["contentType"].as_str().unwrap().starts_with(content_type))?;
    Some(BASE64_STANDARD.decode(found["data"].as_str().unwrap()).unwrap())
}

pub fn words(document: &Value) -> String {
    String::from_utf8(attached(document, "text/plain").unwrap()).unwrap()
}

pub fn rated(id: &str, time: &str, rating: i64) -> Value {
    at(mood(id, "sparrow", rating), time)
}

pub fn slept(id: &str, time: &str, minutes: i64) -> Value {
    json!({
        "specversion": "1.0", "id": id, "source": "/test", "type": "mostik.measurement.v1", "time": time,
        "subject": "sparrow", "data": {"of": "sleep-duration", "value": minutes, "modality": "sensed"},
    })
}

pub async fn send(bridge: &TestBridge, events: &[Value]) {
    let got = bridge.send(&json!(events)).await;
    assert!(got.status < 300, "{:?}", got.json);
}

/// The page about the week in which every test begins.
fn this_week(found: &[Value]) -> Option<&Value> {
    found.iter().find(|it| it["context"]["period"]["end"] == "2026-11-22T23:59:59+01:00")
}

/// Two weeks of moods and nights, and what nobody is to see.
async fn noted(bridge: &TestBridge) {
    let days = [(10, 4, 430), (12, 3, 425), (16, 2, 380), (18, 1, 395), (20, 3, 350)];
    for (day, rating, minutes) in days {
        let time = format!("2026-11-{day}T08:00:00+01:00");
        send(bridge, &[rated(&format!("m{day}"), &time, rating), slept(&format!("s{day}"), &time, minutes)]).await;
    }
    bridge.send(&note("n", "sparrow", "a canary in the diary")).await;
}

on_both_databases! {
    async fn a_page_arrives_when_the_week_is_over_and_says_what_is_shared_and_no_more(database) {
        let ehr = Ehr::sandbox().await;
        let (bridge, member) = ready(database, &ehr).await;
        bridge.share(&member, json!({"mood": "daily-summary", "sleep": "weekly-summary"})).await;
        noted(&bridge).await;
        bridge.until("2026-11-22T22:59:59Z").await;
        bridge.deliver_in_time().await;
        let found = documents(&ehr).await;
        assert_eq!((found.len(), this_week(&found)), (1, None), "the week before is over, this one is not in Berlin");
        bridge.until(MONDAY).await;
        bridge.deliver_in_time().await;
        let found = documents(&ehr).await;
        let document = this_week(&found).unwrap();
        let words = words(document).split_whitespace().collect::<Vec<_>>().join(" ");
        for said in ["Mood: 2.00 (1 is the worst, 5 the best); 3.50 the week before (-1.5). Noted on 3 of 7 days.",
            "Sleep: 6:15; 7:08 the week before (-53 min)"] {
            assert!(words.contains(said), "{said} in {words}");
        }
        for canary in ["canary", "Steps", "Heart", "Notes"] {
            assert!(!words.contains(canary), "{canary} in {words}");
        }
        assert_eq!(document["context"]["period"],
            json!({"start": "2026-10-26T00:00:00+01:00", "end": "2026-11-22T23:59:59+01:00"}));
        let labels: Vec<&str> =
            document["meta"]["security"].as_array().unwrap().iter().map(|it| it["code"].as_str().unwrap()).collect();
        assert_eq!(labels, ["R", "PSY", "PATAST"]);
        assert!(attached(document, "application/pdf").unwrap().starts_with(b"%PDF-1.7"));
        assert_valid(document).await;
        bridge.until("2026-11-30T12:00:00Z").await;
        bridge.deliver_in_time().await;
        assert_eq!(documents(&ehr).await.len(), 2, "a week in which nothing was noted is not spoken of");
    }
}

on_both_databases! {
    async fn a_late_entry_puts_the_page_right_where_it_stands(database) {
        let ehr = Ehr::sandbox().await;
        let (bridge, member) = ready(database, &ehr).await;
        bridge.share(&member, json!({"mood": "daily-summary"})).await;
        send(&bridge, &[rated("1", "2026-11-18T08:00:00+01:00", 4)]).await;
        bridge.until(MONDAY).await;
        bridge.deliver_in_time().await;
        send(&bridge, &[rated("2", "2026-11-19T08:00:00+01:00", 1)]).await;
        bridge.chores().await;
        bridge.deliver_in_time().await;
        let found = documents(&ehr).await;
        assert_eq!(found.len(), 1, "it is the same resource");
        assert_eq!(found[0]["docStatus"], "amended");
        assert!(words(&found[0]).contains("Mood: 2.50"), "{}", words(&found[0]));
        bridge.chores().await;
        assert_eq!(bridge.open_items().await, 0, "what says nothing new is told once");
        for entry in ["1", "2"] {
            send(&bridge, &[retraction(&format!("r{entry}"), "sparrow", entry)]).await;
        }
        bridge.chores().await;
        bridge.deliver_in_time().await;
        assert_eq!(documents(&ehr).await[0]["status"], "entered-in-error", "nothing is left of it");
    }
}

on_both_databases! {
    async fn a_page_of_which_a_part_is_no_longer_shared_does_not_go_and_goes_without_it(database) {
        let ehr = Ehr::sandbox().await;
        let (bridge, member) = ready(database, &ehr).await;
        let grant = bridge.share(&member, json!({"mood": "daily-summary", "sleep": "daily-summary"})).await;
        noted(&bridge).await;
        bridge.until(MONDAY).await;
        bridge.change_terms(&member, &grant, json!({"categories": {"mood": "daily-summary"}})).await;
        bridge.deliver_in_time().await;
        assert!(documents(&ehr).await.is_empty(), "it was decided once more, and speaks of sleep");
        let withdrawn = items(&bridge, &member).await.iter().any(|it| it.reason.as_deref() == Some("category-not-shared"));
        assert!(withdrawn);
        bridge.chores().await;
        bridge.deliver_in_time().await;
        let found = documents(&ehr).await;
        let words = words(this_week(&found).unwrap());
        assert!(words.contains("Mood: 2.00") && !words.contains("Sleep"), "{words}");
    }
}

on_both_databases! {
    async fn only_weeks_are_told_where_only_weeks_are_shared_by_the_time_it_goes(database) {
        let ehr = Ehr::sandbox().await;
        let (bridge, member) = ready(database, &ehr).await;
        let grant = bridge.share(&member, json!({"mood": "every-entry"})).await;
        noted(&bridge).await;
        bridge.deliver_in_time().await;
        bridge.until(MONDAY).await;
        bridge.change_terms(&member, &grant, json!({"categories": {"mood": "weekly-summary"}})).await;
        bridge.deliver_in_time().await;
        let reasons: Vec<String> = items(&bridge, &member).await.into_iter().filter_map(|it| it.reason).collect();
        assert!(reasons.contains(&"summary-only".to_owned()), "its days are too fine: {reasons:?}");
        bridge.chores().await;
        bridge.deliver_in_time().await;
        let found = documents(&ehr).await;
        assert!(words(this_week(&found).unwrap()).contains("Mood (a summary of each week)"));
    }
}

on_both_databases! {
    async fn nothing_goes_once_the_consent_has_ended_and_nothing_is_made_during_a_pause(database) {
        let ehr = Ehr::sandbox().await;
        let (bridge, member) = ready(database, &ehr).await;
        let grant = bridge.share(&member, json!({"mood": "daily-summary"})).await;
        noted(&bridge).await;
        bridge.change_grant(&member, &grant, "pause").await;
        bridge.until(MONDAY).await;
        assert!(items(&bridge, &member).await.is_empty(), "nothing is made during a pause");
        bridge.change_grant(&member, &grant, "resume").await;
        bridge.chores().await;
        assert_eq!(bridge.open_items().await, 7, "five days, and a page for each of the two weeks");
        bridge.change_grant(&member, &grant, "revoke").await;
        bridge.chores().await;
        bridge.deliver_in_time().await;
        assert!(documents(&ehr).await.is_empty());
        bridge.share(&member, json!({"mood": "daily-summary"})).await;
        bridge.until("2026-11-24T12:00:00Z").await;
        assert_eq!(bridge.open_items().await, 0, "consent given anew begins anew");
    }
}

on_both_databases! {
    async fn a_server_that_nobody_here_wrote_gives_the_page_back_as_it_was(database) {
        let Some(ehr) = Ehr::sekmet().await else { return };
        let (bridge, member) = ready(database, &ehr).await;
        bridge.share(&member, json!({"mood": "daily-summary"})).await;
        noted(&bridge).await;
        bridge.until(MONDAY).await;
        let sent = items(&bridge, &member).await.into_iter().filter_map(|it| it.body);
        let sent: Vec<Value> = sent.filter(|it| it["resourceType"] == "DocumentReference").collect();
        let sent = this_week(&sent).unwrap();
        assert_valid(sent).await;
        bridge.deliver_in_time().await;
        let found = documents(&ehr).await;
        let got = this_week(&found).unwrap();
        for name in ["identifier", "status", "docStatus", "type", "category", "date", "author", "content", "context", "contained"] {
            assert_eq!(got[name], sent[name], "{name}");
        }
        assert_eq!(got["meta"]["security"], sent["meta"]["security"]);
    }
}

on_both_databases! {
    async fn a_clinic_that_takes_one_attachment_and_notes_alone_gets_the_text(database) {
        let ehr = Ehr::sandbox().await;
        let rules = "page = \"weekly\"\npdf = false\n[clinics.riverside.takes]\nform = \"document\"";
        let bridge = paged(database, &ehr, rules).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        bridge.share(&member, json!({"mood": "every-entry"})).await;
        send(&bridge, &[rated("1", "2026-11-18T08:00:00Z", 4)]).await;
        bridge.until("2026-11-23T00:00:00Z").await;
        bridge.deliver_in_time().await;
        let found = documents(&ehr).await;
        let page = found.iter().find(|it| it["description"] == "Summary of the patient's own notes").unwrap();
        assert_eq!(page["content"].as_array().unwrap().len(), 1);
        assert_eq!(found.len(), 2, "the entry is a note of its own");
        send(&bridge, &[retraction("2", "sparrow", "1")]).await;
        bridge.chores().await;
        bridge.deliver_in_time().await;
        let statuses: Vec<Value> = documents(&ehr).await.iter().map(|it| it["status"].clone()).collect();
        assert_eq!(statuses, ["entered-in-error", "entered-in-error"], "and neither stands any more");
    }
}
