//! What members do in their community: counted for each week, shared as counts or not at all, undone where it is withdrawn.

use mostik::domain::settings::Change;
use reqwest::Method;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::bridge::{Person, TestBridge, config_text, correcting, retraction};
use crate::support::database::Database;
use crate::support::ehr::{Ehr, create_patient};
use crate::support::outbox::{Item, items};
use crate::support::own::at;
use crate::support::portal::{Page, Portal};
use crate::support::validate::assert_valid;
use crate::vault::export::files;

/// A member in Berlin. It is Friday, the 20th of November 2026, 13:00 there.
async fn ready(database: Database) -> (TestBridge, Person, Ehr) {
    let ehr = Ehr::sandbox().await;
    let bridge = TestBridge::start(database, &ehr.base).await;
    let member = bridge.person("sparrow", &ehr.patient).await;
    bridge.move_to(&member, "Europe/Berlin").await;
    (bridge, member, ehr)
}

/// Something that happened at a time.
pub fn did(id: &str, what: &str, time: &str) -> Value {
    json!({
        "specversion": "1.0", "id": id, "source": "/test", "type": "mostik.activity.v1", "time": time,
        "subject": "sparrow", "data": {"what": what},
    })
}

/// A week in Berlin: from Monday, the 16th of November, on.
fn a_week() -> Value {
    json!([
        did("1", "posted", "2026-11-16T01:30:00+01:00"),
        did("2", "replied", "2026-11-16T01:59:59+01:00"),
        did("3", "reacted", "2026-11-16T04:59:59+01:00"),
        did("4", "got-reply", "2026-11-17T03:00:00+01:00"),
        did("5", "got-reaction", "2026-11-18T12:00:00+01:00"),
        did("6", "posted", "2026-11-19T05:00:00+01:00"),
        did("7", "got-reply", "2026-11-20T12:00:00+01:00"),
    ])
}

/// The counts that an Observation has, in the order in which they stand there.
fn counts(body: &Value) -> Vec<(String, i64)> {
    let components = body["component"].as_array().unwrap().iter();
    let count = |it: &Value| {
        let code = it["code"]["coding"][0]["code"].as_str().unwrap().to_owned();
        (code, it["valueQuantity"]["value"].as_i64().unwrap())
    };
    components.map(count).collect()
}

fn count(body: &Value, code: &str) -> i64 {
    counts(body).into_iter().find(|(found, _)| found == code).unwrap().1
}

async fn told(bridge: &TestBridge, member: &Person) -> Vec<Item> {
    items(bridge, member).await.into_iter().filter(|item| item.body.is_some()).collect()
}

on_both_databases! {
    async fn a_week_is_counted_by_the_members_clock_and_told_once_it_is_over(database) {
        let (bridge, sparrow, ehr) = ready(database).await;
        bridge.share(&sparrow, json!({"community": "weekly-summary"})).await;
        let got = bridge.send(&a_week()).await;
        assert!(got.json["results"].as_array().unwrap().iter().all(|it| it["status"] == "accepted"), "{:?}", got.json);
        bridge.until("2026-11-22T22:59:59Z").await;
        assert_eq!(items(&bridge, &sparrow).await.len(), 0, "nothing goes by itself, and nothing before the week is over");
        bridge.until("2026-11-22T23:00:00Z").await;
        bridge.deliver_in_time().await;
        let charted = ehr.observations().await;
        assert_eq!(charted.len(), 1, "{charted:#?}");
        let week = &charted[0];
        assert_eq!(week["code"]["coding"][0]["code"], "community-activity-summary");
        assert_eq!(week["effectivePeriod"], json!({"start": "2026-11-16T00:00:00+01:00", "end": "2026-11-22T23:59:59+01:00"}));
        let expected = [
            ("days", 7), ("active-days", 2), ("posts", 2), ("replies-given", 1), ("replies-received", 2),
            ("reactions-given", 1), ("reactions-received", 1), ("night-hours", 2), ("longest-silence", 91),
        ];
        assert_eq!(counts(week), expected.map(|(code, number)| (code.to_owned(), number)));
        assert!(week.get("valueQuantity").is_none() && week["category"][0]["coding"][0]["code"] == "social-history");
        assert_valid(week).await;
        assert_eq!(bridge.send(&a_week()).await.json["results"][0]["status"], "duplicate");
    }
}

on_both_databases! {
    async fn what_is_withdrawn_late_or_corrected_puts_the_count_right(database) {
        let (bridge, sparrow, _ehr) = ready(database).await;
        bridge.share(&sparrow, json!({"community": "weekly-summary"})).await;
        bridge.send(&a_week()).await;
        bridge.until("2026-11-23T00:00:00Z").await;
        assert_eq!(bridge.send(&retraction("8", "sparrow", "6")).await.json["results"][0]["status"], "retracted");
        bridge.chores().await;
        let newest = told(&bridge, &sparrow).await.pop().unwrap();
        let body = newest.body.unwrap();
        assert_eq!((count(&body, "posts"), count(&body, "active-days"), count(&body, "longest-silence")), (1, 1, 163));
        bridge.deliver_in_time().await;

        bridge.send(&did("9", "posted", "2026-11-22T23:59:59+01:00")).await;
        bridge.send(&correcting(did("10", "got-reaction", "2026-11-17T03:00:00+01:00"), "4")).await;
        bridge.chores().await;
        let newest = told(&bridge, &sparrow).await.pop().unwrap();
        let body = newest.body.unwrap();
        assert_eq!(newest.operation, "correct");
        let found = ["posts", "active-days", "replies-received", "reactions-received"].map(|code| count(&body, code));
        assert_eq!(found, [2, 2, 1, 2], "what came late, and what is something else now");

        for (id, entry) in [("a", "1"), ("b", "2"), ("c", "3"), ("d", "4"), ("e", "5"), ("f", "7"), ("g", "9")] {
            bridge.send(&retraction(id, "sparrow", entry)).await;
        }
        bridge.deliver_in_time().await;
        bridge.chores().await;
        let last = items(&bridge, &sparrow).await.pop().unwrap();
        assert_eq!(last.operation, "retract", "of a week of which nothing is left, nothing is said");
    }
}

on_both_databases! {
    async fn without_a_consent_nothing_is_stored_unless_the_member_wants_it(database) {
        let (bridge, sparrow, _ehr) = ready(database).await;
        let everything_else = ["mood", "note", "tags", "sleep", "activity", "heart", "questionnaires", "agenda"];
        bridge.grant(&sparrow, &everything_else).await;
        let refused = bridge.send(&did("1", "posted", "2026-11-20T09:00:00+01:00")).await;
        assert_eq!((refused.status, &refused.json["refusal"]["reason"]), (422, &json!("not-permitted")));
        assert_eq!((bridge.traces(&sparrow).await, bridge.readings(&sparrow).await.len()), (0, 0));
        bridge.set(&sparrow, Change { keep: Some(true), ..Change::default() }).await;
        assert_eq!(bridge.send(&did("1", "posted", "2026-11-20T09:00:00+01:00")).await.status, 202);
        bridge.until("2026-11-23T00:00:00Z").await;
        assert_eq!((bridge.readings(&sparrow).await.len(), items(&bridge, &sparrow).await.len()), (1, 0));
    }
}

on_both_databases! {
    async fn however_finely_it_is_shared_only_counts_of_weeks_go(database) {
        let (bridge, sparrow, _ehr) = ready(database).await;
        bridge.grant(&sparrow, &["community"]).await;
        bridge.send(&a_week()).await;
        bridge.until("2026-11-22T22:00:00Z").await;
        assert_eq!(items(&bridge, &sparrow).await.len(), 0);
        bridge.until("2026-11-23T00:00:00Z").await;
        let told = told(&bridge, &sparrow).await;
        assert_eq!((told.len(), &told[0].body.as_ref().unwrap()["code"]["text"]), (1, &json!("Activity in the peer community: summary of a week")));
    }
}

#[tokio::test]
async fn what_was_written_and_by_whom_cannot_even_be_said() {
    let (bridge, sparrow, _ehr) = ready(Database::sqlite()).await;
    bridge.share(&sparrow, json!({"community": "weekly-summary"})).await;
    for (name, value) in [
        ("text", "hello"),
        ("title", "My week"),
        ("to", "wren"),
        ("room", "night owls"),
        ("url", "https://forum.example/1"),
    ] {
        let mut event = did("1", "posted", "2026-11-20T09:00:00+01:00");
        event["data"][name] = json!(value);
        let got = bridge.send(&event).await;
        assert_eq!(
            (got.status, &got.json["refusal"]["reason"], &got.json["refusal"]["field"]),
            (422, &json!("invalid"), &json!("/data"))
        );
        assert!(!got.json.to_string().contains(value));
    }
    for what in [json!("liked"), json!(null), json!(1), json!("Posted")] {
        let mut event = did("1", "posted", "2026-11-20T09:00:00+01:00");
        event["data"]["what"] = what;
        assert_eq!(bridge.send(&event).await.json["refusal"]["field"], "/data/what");
    }
    assert_eq!(bridge.traces(&sparrow).await, 0);
}

fn main_text(page: &Page) -> String {
    page.html().named("main")[0].text()
}

on_both_databases! {
    async fn a_member_sees_their_own_weeks_and_what_would_go(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let bridge = &portal.bridge;
        let sparrow = bridge.person("sparrow", &ehr.patient).await;
        bridge.move_to(&sparrow, "Europe/Berlin").await;
        bridge.share(&sparrow, json!({"community": "weekly-summary"})).await;
        let mut browser = portal.sign_in(&sparrow).await;
        assert!(!main_text(&browser.get("/data").await).contains("In my community"), "nothing of which there is nothing");
        bridge.send(&a_week()).await;
        bridge.send(&did("0", "posted", "2026-11-12T09:00:00+01:00")).await;
        let page = browser.get("/data").await;
        let said = main_text(&page);
        assert!(said.contains("In my community, week by week"), "{said}");
        assert!(said.contains("16 November 2026 2 2 1 2 1 1 2 72"), "{said}");
        assert!(said.contains("9 November 2026 1 1 0 0 0 0 0 87"), "{said}");
        assert!(said.contains("In my community: I wrote × 1, I replied × 1, I reacted × 1"), "a day in a line: {said}");
        let preview = main_text(&browser.get("/preview/riverside").await);
        assert!(preview.contains("Summary of a week, community: posts 1"), "{preview}");
        assert!(!preview.contains("In my community: I wrote"), "{preview}");
        let sharing = main_text(&browser.get("/sharing/riverside").await);
        assert!(sharing.contains("What I do in my community") && sharing.contains("Never what anybody wrote"), "{sharing}");

        let archive = files(bridge, &sparrow).await;
        let rows = archive.rows("readings/readings.csv");
        assert_eq!(rows.iter().filter(|row| row["category"] == "community").count(), 8);
        let fhir = archive.json("readings/fhir-bundle.json");
        assert_valid(&fhir).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fhir_server_nobody_here_wrote_takes_the_counts_and_gives_them_back() {
    let Some(ehr) = Ehr::sekmet().await else { return };
    let bridge = TestBridge::start(Database::sqlite(), &ehr.base).await;
    let sparrow = bridge.person("sparrow", &ehr.patient).await;
    bridge.move_to(&sparrow, "Europe/Berlin").await;
    bridge.share(&sparrow, json!({"community": "weekly-summary"})).await;
    bridge.send(&a_week()).await;
    bridge.until("2026-11-23T00:00:00Z").await;
    bridge.deliver_in_time().await;
    bridge.send(&retraction("8", "sparrow", "6")).await;
    bridge.chores().await;
    bridge.deliver_in_time().await;
    let charted = ehr.observations().await;
    assert_eq!((charted.len(), &charted[0]["status"], count(&charted[0], "posts")), (1, &json!("corrected"), 1));
    assert_valid(&charted[0]).await;
}

#[tokio::test]
async fn each_clinic_gets_the_counts_that_it_may_have() {
    let (ehr, database) = (Ehr::sandbox().await, Database::sqlite());
    let lakeside = format!("[clinics.lakeside]\nname = \"Lakeside\"\nfhir_base = {:?}\n", ehr.base);
    let text = config_text(&database, &ehr.base, "127.0.0.1:0") + &lakeside;
    let bridge = TestBridge::start_with(database, &text).await;
    let sparrow = bridge.person("sparrow", &ehr.patient).await;
    let other = create_patient(&ehr.base).await;
    let mut tx = bridge.bridge.store.begin().await.unwrap();
    let keyring = &bridge.bridge.keyring;
    mostik::enrolment::join::link(
        &mut tx,
        keyring,
        sparrow.id,
        &"lakeside".parse().unwrap(),
        &other,
        "test",
        bridge.now(),
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
    bridge.share(&sparrow, json!({"community": "weekly-summary"})).await;
    let asked = json!({"clinic": "lakeside", "terms": {"categories": {"mood": "every-entry"}}});
    assert_eq!(bridge.as_member(&sparrow, Method::POST, "/v1/grants", Some(&asked)).await.status, 201);
    bridge.send(&at(did("1", "posted", ""), "2026-11-16T09:00:00Z")).await;
    bridge.until("2026-11-23T00:00:00Z").await;
    let told = told(&bridge, &sparrow).await;
    assert_eq!((told.len(), told[0].clinic.as_str()), (1, "riverside"));
}
