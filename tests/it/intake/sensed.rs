//! Who vouches for a number from a file: a device only for what it measured, and whoever typed something in for the rest.

use serde_json::{Value, json};

use crate::intake::files::{Case, health_connect, ready, record};
use crate::support::outbox::items;

const ALL: [&str; 3] = ["sleep", "activity", "heart"];

/// What waits for the clinic: what, until which day, how much, by whose word, and with which device.
async fn told(case: &Case) -> Vec<String> {
    let mut told: Vec<String> = bodies(case).await.iter().map(said).collect();
    told.sort();
    told
}

async fn bodies(case: &Case) -> Vec<Value> {
    items(&case.bridge, &case.member).await.into_iter().filter_map(|item| item.body).collect()
}

fn said(body: &Value) -> String {
    let end = body["effectiveDateTime"].as_str().or(body["effectivePeriod"]["end"].as_str()).unwrap();
    let labels = body["meta"]["security"].as_array().unwrap();
    let vouches: Vec<&str> =
        labels.iter().filter_map(|label| label["code"].as_str()).filter(|code| code.ends_with("AST")).collect();
    let device = body["device"]["display"].as_str().map(|name| format!(" by {name}")).unwrap_or_default();
    let (what, value) = (body["code"]["text"].as_str().unwrap(), &body["valueQuantity"]["value"]);
    format!("{what} {} {value} {}{device}", &end[8..10], vouches.join(" "))
}

fn typed_in(record: &str) -> String {
    record.replace("/>\n", "><MetadataEntry key=\"HKWasUserEntered\" value=\"1\"/></Record>\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_night_or_a_day_of_which_any_part_was_typed_in_is_the_members_own_word() {
    let case = ready(&ALL).await;
    let steps = |start, end, count| record("QuantityTypeIdentifierStepCount", "count", start, end, count);
    let slept = |start, end, stage: &str| {
        let stage = format!("HKCategoryValueSleepAnalysis{stage}");
        record("CategoryTypeIdentifierSleepAnalysis", "", start, end, &stage)
    };
    let body = [
        steps("15 09:00", "15 09:10", "800"),
        typed_in(&steps("15 10:00", "15 10:10", "100")),
        steps("16 09:00", "16 09:10", "700"),
        slept("14 23:00", "15 01:00", "Asleep"),
        typed_in(&slept("15 01:00", "15 02:00", "Asleep")),
        slept("15 23:00", "16 01:00", "Asleep"),
    ]
    .concat();
    case.takes(format!("<?xml version=\"1.0\"?>\n<HealthData>\n{body}</HealthData>\n").as_bytes(), &[]);
    assert_eq!(
        told(&case).await,
        ["Sleep duration 15 180 PATAST", "Sleep duration 16 120 DEVAST", "Steps 15 900 PATAST", "Steps 16 700 DEVAST"]
    );
}

/// The columns that say who wrote a row, the devices, and what wrote the heart rates.
const WROTE: &str = "
    CREATE TABLE device_info_table (row_id INTEGER PRIMARY KEY AUTOINCREMENT, manufacturer TEXT, model TEXT, device_type INTEGER);
    INSERT INTO device_info_table VALUES (1, 'Google', 'Pixel Watch', 1), (2, 'Acme', NULL, 2), (3, '', printf('%.*c', 401, 'x'), 0);
    ALTER TABLE steps_record_table ADD COLUMN recording_method INTEGER;
    ALTER TABLE steps_record_table ADD COLUMN device_info_id INTEGER;
    INSERT INTO steps_record_table SELECT 3, randomblob(16), 1, start_time, end_time, 3600, 3600, 650, 2, 2
      FROM steps_record_table WHERE row_id = 1;
    UPDATE steps_record_table SET recording_method = 2, device_info_id = 1 WHERE row_id = 1;
    UPDATE steps_record_table SET recording_method = 3 WHERE row_id = 2;
    ALTER TABLE sleep_session_record_table ADD COLUMN recording_method INTEGER;
    ALTER TABLE sleep_session_record_table ADD COLUMN device_info_id INTEGER;
    UPDATE sleep_session_record_table SET recording_method = 2, device_info_id = 1;
    ALTER TABLE mindfulness_session_record_table ADD COLUMN recording_method INTEGER;
    ALTER TABLE mindfulness_session_record_table ADD COLUMN device_info_id INTEGER;
    UPDATE mindfulness_session_record_table SET recording_method = 3, device_info_id = 2;
    CREATE TABLE heart_rate_record_table (row_id INTEGER PRIMARY KEY AUTOINCREMENT, uuid BLOB, app_info_id INTEGER,
      start_time INTEGER, end_time INTEGER, start_zone_offset INTEGER, end_zone_offset INTEGER, recording_method INTEGER,
      device_info_id INTEGER);
    INSERT INTO heart_rate_record_table SELECT 1, randomblob(16), 1, epoch_millis, epoch_millis, 3600, 3600, 2, 1
      FROM heart_rate_record_series_table WHERE beats_per_minute = 61;
    INSERT INTO heart_rate_record_table SELECT 2, randomblob(16), 1, epoch_millis, epoch_millis, 3600, 3600, 3, 3
      FROM heart_rate_record_series_table WHERE beats_per_minute = 62;
    UPDATE heart_rate_record_series_table SET parent_key = 2 WHERE beats_per_minute = 62;";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_connect_says_what_was_typed_in_and_which_device_measured_the_rest() {
    let case = ready(&ALL).await;
    let did = case.takes(&health_connect(&case, WROTE).await, &[]);
    assert!(did.contains("health-connect: 12 records read"), "who wrote something is no record: {did}");
    let told = told(&case).await;
    let expected = [
        "Awakenings 15 1 DEVAST by Google Pixel Watch",
        "Deep sleep duration 15 60 DEVAST by Google Pixel Watch",
        "Heart rate 15 61 DEVAST by Google Pixel Watch",
        "Heart rate 15 62 PATAST",
        "Heart rate variability (RMSSD) 15 40.25 DEVAST",
        "Light sleep duration 15 60 DEVAST by Google Pixel Watch",
        "Mindful session 15 10 PATAST by Acme",
        "REM sleep duration 15 300 DEVAST by Google Pixel Watch",
        "Sleep duration 15 420 DEVAST by Google Pixel Watch",
        "Steps 15 900 PATAST",
    ];
    assert_eq!(told, expected, "and what two devices of one app counted is not added up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_device_vouched_for_it_vouches_for_when_it_comes_back() {
    let case = ready(&ALL).await;
    case.takes(&health_connect(&case, WROTE).await, &[]);
    let entries: Vec<Value> = bodies(&case).await.into_iter().map(|body| json!({"resource": body})).collect();
    let bundle = json!({"resourceType": "Bundle", "type": "collection", "entry": entries}).to_string();
    let other = ready(&ALL).await;
    other.takes(bundle.as_bytes(), &[]);
    assert_eq!(told(&other).await, told(&case).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_wrote_something_cannot_be_a_program_or_take_memory() {
    let case = ready(&ALL).await;
    for (sql, table) in [
        ("CREATE VIEW device_info_table AS SELECT 1 AS row_id, 'a' AS manufacturer, 'b' AS model", "device_info_table"),
        (
            "CREATE TABLE device_info_table (row_id INTEGER, manufacturer TEXT, model TEXT AS (hex(zeroblob(500000000))))",
            "device_info_table",
        ),
        ("CREATE VIEW heart_rate_record_table AS SELECT 1 AS row_id", "heart_rate_record_table"),
        ("ALTER TABLE steps_record_table ADD COLUMN recording_method AS (count % 4)", "steps_record_table"),
    ] {
        let said = case.refuses(&health_connect(&case, sql).await);
        assert!(said.contains(table), "{sql}: {said}");
    }
    let odd = "UPDATE steps_record_table SET recording_method = 'typed', device_info_id = x'01';
               UPDATE device_info_table SET manufacturer = zeroblob(100000), model = x'ff';
               UPDATE heart_rate_record_table SET recording_method = randomblob(1000), device_info_id = 9e99";
    case.takes(&health_connect(&case, &format!("{WROTE}\n{odd}")).await, &[]);
    let told = told(&case).await;
    assert!(told.iter().all(|said| !said.contains(" by ")), "{told:?}");
    assert!(told.contains(&"Steps 15 1350 DEVAST".to_owned()), "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_is_told_when_somebody_should_look_after_a_member() {
    let case = ready(&["questionnaires"]).await;
    for (choice, is_told) in [(0, false), (1, true)] {
        let item = |code: &str, choice: u8| json!({"linkId": format!("/{code}"), "answer": [{"valueInteger": choice}]});
        let items = [item("44250-9", 0), item("44260-8", choice), item("44261-6", 27)];
        let form = json!({"resourceType": "QuestionnaireResponse", "id": "1", "status": "completed",
                          "authored": "2026-11-15T08:00:00+01:00", "item": items});
        let said = case.refuses(form.to_string().as_bytes());
        assert!(said.contains("entry 1: expected the sum of the answers as its total"), "{said}");
        assert_eq!(said.contains("tell them where help is"), is_told, "{said}");
    }
}
