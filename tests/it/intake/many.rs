//! Files with more in them than is taken in at once: years of a diary.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::civil::{DateTime, date};
use jiff::{SignedDuration, ToSpan};
use serde_json::json;

use super::files::{ready, record, zipped};

/// More than are taken in one transaction.
const MANY: i64 = 700;

/// A time on each day, the newest first.
fn each_quarter() -> impl Iterator<Item = DateTime> {
    let last = date(2026, 11, 20).at(7, 45, 0, 0);
    (0..MANY).map(move |quarters| last - (quarters * 15).minutes())
}

/// Takes in a file that has one entry for each of them, and takes in none of them a second time.
async fn is_taken_whole(categories: &[&str], content: &[u8], more: &[&str]) {
    let case = ready(categories).await;
    case.takes(content, more);
    let again = case.takes(content, more);
    assert!(again.contains(&format!("{MANY} were imported before")), "{again}");
}

fn lines(header: &str, line: impl Fn(DateTime) -> String) -> Vec<u8> {
    let mut text = format!("{header}\n");
    for at in each_quarter() {
        writeln!(text, "{}", line(at)).unwrap();
    }
    text.into_bytes()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_entries_of_daylio_are_taken() {
    let header = "full_date,date,weekday,time,mood,activities,note_title,note";
    let file = lines(header, |at| format!("{},x,x,{},good,,,", at.date(), at.strftime("%H:%M")));
    is_taken_whole(&["mood"], &file, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_entries_of_a_backup_of_daylio_are_taken() {
    let entry = |at: DateTime| {
        json!({"year": at.year(), "month": at.month() - 1, "day": at.day(), "hour": at.hour(), "minute": at.minute(),
               "timeZoneOffset": SignedDuration::from_hours(1).as_millis(), "mood": 1, "note": "", "note_title": "", "tags": []})
    };
    let moods = json!([{"id": 1, "custom_name": "", "mood_group_id": 2, "predefined_name_id": 2}]);
    let entries: Vec<_> = each_quarter().map(entry).collect();
    let content = json!({"version": 15, "customMoods": moods, "tags": [], "dayEntries": entries}).to_string();
    let file = zipped(&[("backup.daylio", STANDARD.encode(content).as_bytes())]);
    is_taken_whole(&["mood"], &file, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_rows_of_bearable_are_taken() {
    let header = "date,date formatted,weekday,time of day,category,rating/amount,detail,notes";
    let file = lines(header, |at| format!("x,{},x,{},Mood,6,,", at.date(), at.strftime("%H:%M")));
    is_taken_whole(&["mood"], &file, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_records_of_apple_health_are_taken() {
    let heart = |at: DateTime| {
        let at = at.strftime("%d %H:%M").to_string();
        record("QuantityTypeIdentifierHeartRate", "count/min", &at, &at, "61")
    };
    let records: String = each_quarter().map(heart).collect();
    let file = format!("<HealthData locale=\"de_DE\">\n{records}</HealthData>\n");
    is_taken_whole(&["heart"], file.as_bytes(), &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_resources_of_a_bundle_are_taken() {
    let resource = |at: DateTime| {
        json!({"resource": {
            "resourceType": "Observation", "id": at.strftime("%d-%H-%M").to_string(), "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
            "effectiveDateTime": format!("{at}+01:00"),
            "valueQuantity": {"value": 61, "system": "http://unitsofmeasure.org", "code": "/min"},
        }})
    };
    let entries: Vec<_> = each_quarter().map(resource).collect();
    let file = json!({"resourceType": "Bundle", "type": "collection", "entry": entries}).to_string();
    is_taken_whole(&["heart"], file.as_bytes(), &[]).await;
}
