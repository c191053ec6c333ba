//! A night whose beginning changed, in a file that is brought again: it is told once as what a day amounts to.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::intake::files::health_connect_at;
use crate::on_both_databases;
use crate::support::bridge::{Person, TestBridge};
use crate::support::imports::{bring, keeper};
use crate::support::outbox::items;

/// The night goes to Saturday, the 21st of November, and begins so many minutes before eleven.
fn night(before: u32) -> String {
    format!(
        "UPDATE sleep_session_record_table SET start_time = start_time + 6 * 86400000 - {before} * 60000,
           end_time = end_time + 6 * 86400000;
         UPDATE sleep_stages_table SET stage_start_time = stage_start_time + 6 * 86400000,
           stage_end_time = stage_end_time + 6 * 86400000;
         UPDATE sleep_stages_table SET stage_start_time = stage_start_time - {before} * 60000 WHERE stage_type = 4;"
    )
}

/// How long they slept, in minutes, as the clinic was told last of a day.
async fn told(bridge: &TestBridge, person: &Person) -> Option<i64> {
    let told = items(bridge, person).await.into_iter().filter_map(|item| item.body);
    let mut slept = told.filter(|body| body["code"]["coding"][0]["code"] == "sleep-duration-summary");
    let body = slept.next_back()?;
    let of = |component: &&Value| component["code"]["coding"][0]["code"] == "maximum";
    body["component"].as_array()?.iter().find(of)?["valueQuantity"]["value"].as_i64()
}

on_both_databases! {
    async fn a_night_whose_beginning_was_mended_is_one_night(database) {
        let (portal, sparrow, _) = keeper(database).await;
        let bridge = &portal.bridge;
        bridge.share(&sparrow, json!({"sleep": "daily-summary"})).await;
        let file = bridge.database.folder.path().join("health.db");
        for (at, before, slept) in [("2026-11-21T22:50:00Z", 0, 420), ("2026-11-22T08:00:00Z", 10, 430)] {
            bridge.until(at).await;
            let mut browser = portal.sign_in(&sparrow).await;
            let page = bring(&mut browser, &health_connect_at(&file, &night(before)).await, "take").await;
            assert_eq!(page.status, 200, "{}", page.body);
            bridge.clock.advance(SignedDuration::from_mins(20));
            bridge.chores().await;
            assert_eq!(told(bridge, &sparrow).await, Some(slept), "one night, and not two of them");
            let chart = browser.get("/data").await.html().named("main")[0].text();
            assert!(chart.contains(&slept.to_string()) && !chart.contains("850"), "{chart}");
        }
    }
}
