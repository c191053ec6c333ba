//! *For my visit* in the portal: what a member wants to talk about, what a clinic would be sent, and sending it now.

use reqwest::Method;
use serde_json::{Value, json};

use crate::insight::pages::{documents, words};
use crate::on_both_databases;
use crate::support::bridge::{Person, mood};
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::log::Log;
use crate::support::outbox::items;
use crate::support::own::at;
use crate::support::portal::{Browser, Portal, portal_config};
use crate::support::postbox::Postbox;
use crate::support::search::{in_database, times};
use crate::support::validate::assert_valid;
use crate::vault::canaries::{CANARY, canary};
use crate::vault::export::files;

/// A member in Berlin at a clinic that gets pages when somebody asks, signed in. They noted something last week.
async fn ready(database: Database, ehr: &Ehr, language: &str, shared: Value) -> (Portal, Person, Browser) {
    let postbox = Postbox::open();
    let text = portal_config(&database, &ehr.base, &postbox);
    let rules = format!("[clinics.riverside.summary]\npage = \"on-request\"\nlanguage = \"{language}\"\n");
    let portal = Portal::open_with(database, &(text + &rules), postbox).await;
    let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
    portal.bridge.move_to(&sparrow, "Europe/Berlin").await;
    portal.bridge.share(&sparrow, shared).await;
    portal.bridge.send(&at(mood("1", "sparrow", 4), "2026-11-12T08:00:00+01:00")).await;
    let browser = portal.sign_in(&sparrow).await;
    (portal, sparrow, browser)
}

async fn send(portal: &Portal, browser: &mut Browser) {
    browser.get("/data/summary").await;
    assert_eq!(browser.post("/data/summary/riverside", &[]).await.location(), "/data/summary");
    portal.bridge.chores().await;
    portal.bridge.deliver_in_time().await;
}

fn both() -> Value {
    json!({"mood": "weekly-summary", "agenda": "every-entry"})
}

on_both_databases! {
    async fn a_member_writes_down_what_to_talk_about_sees_what_would_go_and_sends_it(database) {
        let ehr = Ehr::sandbox().await;
        let (portal, _, mut browser) = ready(database, &ehr, "en", both()).await;
        let page = browser.get("/data/summary").await;
        assert!(page.html().named("pre")[0].text().contains("Mood: 4.00"), "{}", page.body);
        let saved = browser.post("/data/summary", &[("agenda", "  the dose,\nand sleep ")]).await;
        assert_eq!((saved.status, saved.location()), (303, "/data/summary"));
        let page = browser.get("/data/summary").await.html();
        assert_eq!(page.field("agenda").text(), "the dose, and sleep");
        let shown = page.named("pre")[0].text();
        assert!(documents(&ehr).await.is_empty(), "nothing goes before somebody asks");
        send(&portal, &mut browser).await;
        let found = documents(&ehr).await;
        assert_eq!(found.len(), 1);
        assert!(words(&found[0]).contains("  the dose,\n  and sleep"), "{}", words(&found[0]));
        let said = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(said(&words(&found[0])), said(&shown), "what they saw is what went");
        assert_valid(&found[0]).await;
        let shared = browser.get("/shared").await.html().named("main")[0].text();
        assert!(shared.contains("Summary of your last weeks"), "{shared}");
        send(&portal, &mut browser).await;
        assert_eq!(documents(&ehr).await[0]["docStatus"], "final", "the same is not sent twice");
        browser.post("/data/summary", &[("agenda", "")]).await;
        send(&portal, &mut browser).await;
        let found = documents(&ehr).await;
        assert_eq!((found.len(), &found[0]["docStatus"]), (1, &json!("amended")));
        assert!(!words(&found[0]).contains("TALK ABOUT"));
        assert!(ehr.observations().await.iter().all(|it| it["valueString"].is_null()), "it goes by no other way");
    }
}

on_both_databases! {
    async fn what_no_clinic_may_see_is_not_kept_and_nothing_that_was_written_is_lost(database) {
        let ehr = Ehr::sandbox().await;
        let (portal, sparrow, mut browser) = ready(database, &ehr, "en", json!({"mood": "weekly-summary"})).await;
        browser.get("/data/summary").await;
        let answer = browser.post("/data/summary", &[("agenda", "only mine")]).await;
        assert_eq!(answer.status, 422);
        assert_eq!(answer.html().field("agenda").text(), "only mine");
        assert_eq!(portal.bridge.readings(&sparrow).await.len(), 1, "the mood");
        browser.post("/data/keep", &[("keep", "everything")]).await;
        assert_eq!(browser.post("/data/summary", &[("agenda", "only mine")]).await.status, 303);
        let page = browser.get("/data/summary").await.html();
        assert_eq!(page.field("agenda").text(), "only mine");
        assert!(!page.named("pre")[0].text().contains("only mine"));
        let long = "ш".repeat(1001);
        assert_eq!(browser.post("/data/summary", &[("agenda", &long)]).await.status, 422);
        send(&portal, &mut browser).await;
        assert!(!words(&documents(&ehr).await[0]).contains("only mine"));
    }
}

on_both_databases! {
    async fn a_page_is_in_the_language_of_its_clinic(database) {
        let ehr = Ehr::sandbox().await;
        let (portal, _, mut browser) = ready(database, &ehr, "ru", both()).await;
        send(&portal, &mut browser).await;
        let found = documents(&ehr).await;
        assert!(words(&found[0]).starts_with("СВОДКА СОБСТВЕННЫХ ЗАПИСЕЙ"));
        assert_eq!(found[0]["content"][1]["attachment"]["language"], "ru");
        assert_valid(&found[0]).await;
    }
}

on_both_databases! {
    async fn where_nothing_is_shared_nothing_is_sent_and_the_archive_has_what_was_written(database) {
        let ehr = Ehr::sandbox().await;
        let (portal, sparrow, mut browser) = ready(database, &ehr, "en", json!({"agenda": "every-entry"})).await;
        send(&portal, &mut browser).await;
        assert!(items(&portal.bridge, &sparrow).await.is_empty());
        browser.post("/data/summary", &[("agenda", "in the archive")]).await;
        let exported = files(&portal.bridge, &sparrow).await;
        let rows = exported.rows("readings/readings.csv");
        assert!(rows.iter().any(|row| row["category"] == "agenda" && row["text"] == "in the archive"));
        let got = portal.bridge.as_member(&sparrow, Method::GET, "/v1/grants", None).await;
        assert!(got.json.to_string().contains("agenda"));
    }
}

on_both_databases! {
    async fn nothing_of_a_page_is_found_in_the_database_or_in_what_is_logged(database) {
        let log = Log::listen();
        let ehr = Ehr::sandbox().await;
        let shared = json!({"mood": "weekly-summary", "agenda": "every-entry", "tags": "weekly-summary"});
        let (portal, _, mut browser) = ready(database, &ehr, "en", shared).await;
        let tags = json!({
            "specversion": "1.0", "id": "2", "source": "/test", "type": "mostik.tags.v1", "subject": "sparrow",
            "time": "2026-11-12T08:00:00+01:00", "data": {"tags": [canary("page-tag", 1)]},
        });
        portal.bridge.send(&tags).await;
        browser.get("/data/summary").await;
        browser.post("/data/summary", &[("agenda", &canary("agenda", 1))]).await;
        let page = browser.get("/data/summary").await;
        assert_eq!(times(CANARY, page.body.as_bytes()), 3, "in the field, and twice on the page");
        browser.post("/data/summary/riverside", &[]).await;
        portal.bridge.chores().await;
        assert_eq!(portal.bridge.open_items().await, 3, "two summaries and the page wait to be sent");
        let [found, control] = in_database(&portal.bridge.database, [CANARY, "riverside"]).await;
        assert!((found, control > 0) == (0, true), "{found}, control {control}");
        portal.bridge.deliver_in_time().await;
        assert_eq!(documents(&ehr).await.len(), 1);
        assert_eq!(times(CANARY, &log.bytes()), 0);
    }
}
