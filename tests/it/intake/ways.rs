//! The same steps and the same night, by two ways: pushed by an app, and in a file.

use std::io::Cursor;

use jiff::tz::TimeZone;
use mostik::domain::day::Days;
use mostik::import::{self, Diary};
use mostik::inbound::mood::daylio::MoodScale;
use reqwest::Method;
use serde_json::{Value, json};

use super::files::record;
use crate::on_both_databases;
use crate::support::bridge::{Person, TestBridge};
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::http::call;

/// A member in Berlin, who shares each day's figures. It is Friday, the 20th of November 2026, 13:00 there.
async fn ready(database: Database) -> (Ehr, TestBridge, Person) {
    let ehr = Ehr::sandbox().await;
    let bridge = TestBridge::start(database, &ehr.base).await;
    let sparrow = bridge.person("sparrow", &ehr.patient).await;
    bridge.move_to(&sparrow, "Europe/Berlin").await;
    bridge.share(&sparrow, json!({"activity": "daily-summary", "sleep": "daily-summary"})).await;
    (ehr, bridge, sparrow)
}

/// As Health Auto Export pushes them: the steps of an hour, and of another one; and the night.
async fn push(bridge: &TestBridge, person: &Person, steps: [i64; 2]) {
    let count = |hour: i64, steps: i64| json!({"date": format!("2026-11-20 {hour}:00:00 +0100"), "qty": steps});
    let night = json!({
        "date": "2026-11-20", "sleepStart": "2026-11-19 23:30:00 +0100", "sleepEnd": "2026-11-20 07:00:00 +0100",
        "totalSleep": 7.5,
    });
    let body = json!({"data": {"metrics": [
        {"name": "step_count", "units": "count", "data": [count(10, steps[0]), count(12, steps[1])]},
        {"name": "sleep_analysis", "units": "hr", "data": [night]},
    ]}});
    let url = format!("{}/v1/data-points", bridge.api);
    let got = call(Method::POST, &url, Some(&person.token), Some(&body)).await;
    let results = got.json["results"].as_array().unwrap();
    assert!(results.len() == 3 && results.iter().all(|it| it["status"] == "accepted"), "{:?}", got.json);
}

/// As Apple writes them into its file.
async fn bring(bridge: &TestBridge, person: &Person, steps: i64) {
    let asleep = "HKCategoryValueSleepAnalysisAsleepUnspecified";
    let records = [
        record("QuantityTypeIdentifierStepCount", "count", "20 09:00", "20 12:00", &steps.to_string()),
        record("CategoryTypeIdentifierSleepAnalysis", "", "19 23:30", "20 07:00", asleep),
    ];
    let export = format!("<HealthData>\n{}</HealthData>\n", records.concat()).into_bytes();
    let days = Days::new(std::iter::empty(), TimeZone::get("Europe/Berlin").unwrap());
    let diary = Diary::new(person.id, days, MoodScale::default());
    let report = import::file(&bridge.bridge, &diary, Cursor::new(export)).await.unwrap();
    assert!(report.bad_lines.is_empty() && report.accepted.values().sum::<u64>() == 2, "{report:?}");
}

/// What the clinic has of the day: its steps, and its sleep in minutes.
async fn charted(bridge: &TestBridge, ehr: &Ehr) -> [Vec<Value>; 2] {
    bridge.until("2026-11-20T23:00:00Z").await;
    bridge.deliver_in_time().await;
    let charted = ehr.observations().await;
    ["{steps}", "min"].map(|unit| {
        let components = charted.iter().flat_map(|it| it["component"].as_array().unwrap());
        let most = components.filter(|it| it["code"]["coding"][0]["code"] == "maximum");
        most.map(|it| &it["valueQuantity"]).filter(|it| it["code"] == unit).map(|it| it["value"].clone()).collect()
    })
}

on_both_databases! {
    async fn steps_that_come_by_two_ways_are_walked_once(database) {
        let (ehr, bridge, sparrow) = ready(database).await;
        push(&bridge, &sparrow, [3000, 5000]).await;
        bring(&bridge, &sparrow, 8000).await;
        assert_eq!(charted(&bridge, &ehr).await, [vec![json!(8000)], vec![json!(450)]]);
    }
}

on_both_databases! {
    async fn of_two_ways_the_one_that_tells_most_counts(database) {
        let (ehr, bridge, sparrow) = ready(database).await;
        bring(&bridge, &sparrow, 7000).await;
        push(&bridge, &sparrow, [3000, 5001]).await;
        assert_eq!(charted(&bridge, &ehr).await, [vec![json!(8001)], vec![json!(450)]]);
    }
}

on_both_databases! {
    async fn what_comes_by_one_way_adds_up(database) {
        let (ehr, bridge, sparrow) = ready(database).await;
        push(&bridge, &sparrow, [3000, 5000]).await;
        assert_eq!(charted(&bridge, &ehr).await, [vec![json!(8000)], vec![json!(450)]]);
    }
}
