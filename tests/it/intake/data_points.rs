//! `POST /v1/data-points`: what apps and devices measured.
#![expect(clippy::needless_pass_by_value, reason = "JSON that is written down where it is used reads best so")]

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::bridge::{Person, TestBridge, config_text};
use crate::support::database::Database;
use crate::support::ehr::{Ehr, create_patient};
use crate::support::http::{Got, client};
use crate::support::outbox::items;

const FITBIT: &str = include_str!("../../fixtures/data-points/fitbit_sleep_date_v1.json");
const WITHINGS: &str = include_str!("../../fixtures/data-points/withings_sleep_summary.json");
const HEALTH_AUTO_EXPORT: &str = include_str!("../../fixtures/data-points/health_auto_export_state_of_mind.json");

/// What a community sends about a member, with more headers.
pub async fn send(bridge: &TestBridge, body: &str, headers: &[(&'static str, &str)]) -> Got {
    send_as(bridge, &bridge.api_key, body, headers).await
}

async fn send_as(bridge: &TestBridge, credential: &str, body: &str, headers: &[(&'static str, &str)]) -> Got {
    let mut all = HeaderMap::new();
    for (name, value) in headers {
        all.insert(*name, value.parse().unwrap());
    }
    let request = client().request(Method::POST, format!("{}/v1/data-points", bridge.api)).bearer_auth(credential);
    let request = request.header("content-type", "application/json").headers(all).body(body.to_owned());
    Got::read(request.send().await.unwrap()).await
}

/// A data point of Open mHealth about sparrow.
pub fn open_mhealth(schema: &str, version: &str, body: Value) -> Value {
    json!({
        "header": {
            "id": "123e4567-e89b-12d3-a456-426655440000", "creation_date_time": "2026-11-20T08:00:00Z",
            "schema_id": {"namespace": "omh", "name": schema, "version": version},
            "acquisition_provenance": {"source_name": "A watch", "modality": "sensed"}, "user_id": "sparrow",
        },
        "body": body,
    })
}

/// One of IEEE 1752.1, which does not say whose it is.
fn ieee(schema: &str, body: Value) -> Value {
    json!({
        "header": {
            "uuid": "123e4567-e89b-12d3-a456-426655440000", "source_creation_date_time": "2026-11-20T08:00:00Z",
            "schema_id": {"namespace": "ieee", "name": schema, "version": "1.0"}, "modality": "self-reported",
        },
        "body": body,
    })
}

fn lasting(value: Value, unit: &str) -> Value {
    json!({"value": value, "unit": unit})
}

fn night() -> Value {
    json!({"time_interval": {"start_date_time": "2026-11-19T22:05:00Z", "end_date_time": "2026-11-20T06:10:00Z"}})
}

/// What became of each: where it stands, what it says, its fate.
pub fn fates(got: &Got) -> Vec<String> {
    let results = got.json["results"].as_array().unwrap_or_else(|| panic!("{} {}", got.status, got.json));
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let fate = |it: &Value| format!("{} {} {}", it["at"].as_str().unwrap(), word(&it["reading"]), word(&it["status"]));
    results.iter().map(fate).collect()
}

/// What was charted: code or text of it, value, when.
pub async fn charted(bridge: &TestBridge, ehr: &Ehr) -> Vec<String> {
    bridge.deliver_in_time().await;
    let told = |it: &Value| {
        let text = it["code"]["text"].as_str().unwrap_or_default();
        let period = &it["effectivePeriod"];
        let when = it["effectiveDateTime"].as_str().map_or_else(
            || format!("{} – {}", period["start"].as_str().unwrap(), period["end"].as_str().unwrap()),
            str::to_owned,
        );
        format!(
            "{text}: {} {} ({when})",
            it["valueQuantity"]["value"],
            it["valueQuantity"]["code"].as_str().unwrap_or("-")
        )
    };
    let mut told: Vec<String> = ehr.observations().await.iter().map(told).collect();
    told.sort();
    told
}

pub async fn house(database: Database) -> (Ehr, TestBridge, Person) {
    let ehr = Ehr::sandbox().await;
    let bridge = TestBridge::start(database, &ehr.base).await;
    let sparrow = bridge.person("sparrow", &ehr.patient).await;
    bridge.grant(&sparrow, &["mood", "tags", "sleep", "activity", "heart"]).await;
    (ehr, bridge, sparrow)
}

on_both_databases! {
    async fn a_night_of_open_mhealth_arrives_as_each_thing_it_says(database) {
        let (ehr, bridge, _) = house(database).await;
        let body = json!({
            "effective_time_frame": night(), "total_sleep_time": lasting(json!(7.25), "h"),
            "number_of_awakenings": 2, "is_main_sleep": true,
        });
        let point = open_mhealth("sleep-episode", "1.1", body).to_string();
        let got = send(&bridge, &point, &[("mostik-time-zone", "Europe/Berlin")]).await;
        assert_eq!(got.status, 200);
        assert_eq!(fates(&got), [" sleep-duration accepted", " awakenings accepted"]);
        insta::assert_json_snapshot!("data_point_night", charted(&bridge, &ehr).await);
        let again = send(&bridge, &point, &[("mostik-time-zone", "Europe/Berlin")]).await;
        assert_eq!(fates(&again), [" sleep-duration duplicate", " awakenings duplicate"]);
        let longer = point.replace("7.25", "7.5");
        let changed = send(&bridge, &longer, &[("mostik-time-zone", "Europe/Berlin")]).await;
        assert_eq!(fates(&changed), [" sleep-duration corrected", " awakenings duplicate"]);
        let night = charted(&bridge, &ehr).await;
        assert!(night.len() == 2 && night.iter().any(|told| told.contains(": 450 min")), "{night:?}");
    }
}

#[tokio::test]
async fn each_schema_is_read_with_its_unit_and_its_time() {
    let (ehr, bridge, sparrow) = house(Database::sqlite()).await;
    let instant = json!({"date_time": "2026-11-20T07:30:00+01:00"});
    let since = |duration: Value| json!({"time_interval": {"start_date_time": "2026-11-20T07:00:00+01:00", "duration": duration}});
    let until = |duration: Value| json!({"time_interval": {"end_date_time": "2026-11-20T07:00:00+01:00", "duration": duration}});
    let stages = json!({
        "total_sleep_time": lasting(json!(400), "min"), "deep_sleep_duration": lasting(json!(90), "min"),
        "light_sleep_duration": lasting(json!(200), "min"), "rem_sleep_duration": lasting(json!(6600), "sec"),
        "number_of_awakenings": 1,
    });
    let walk = json!({
        "activity_name": "walking", "effective_time_frame": since(lasting(json!(30), "min")),
        "duration": lasting(json!(29.5), "min"), "base_movement_quantity": {"value": 3210, "unit": "steps"},
    });
    let points = [
        open_mhealth(
            "heart-rate",
            "1.1",
            json!({"heart_rate": {"value": 61.50, "unit": "beats/min"}, "effective_time_frame": instant}),
        ),
        open_mhealth(
            "heart-rate",
            "2.0",
            json!({"heart_rate": {"value": 62, "unit": "beats/min"}, "effective_time_frame": instant}),
        ),
        open_mhealth(
            "step-count",
            "1.0",
            json!({"step_count": 4321, "effective_time_frame": since(lasting(json!(1), "h"))}),
        ),
        open_mhealth(
            "step-count",
            "3.0",
            json!({"step_count": {"value": 1234, "unit": "steps"}, "effective_time_frame": since(lasting(json!(1), "h"))}),
        ),
        open_mhealth(
            "sleep-duration",
            "2.0",
            json!({"sleep_duration": lasting(json!(100), "sec"), "effective_time_frame": until(lasting(json!(0.5), "h"))}),
        ),
        open_mhealth(
            "total-sleep-time",
            "1.0",
            json!({"total_sleep_time": lasting(json!(7), "h"), "effective_time_frame": night()}),
        ),
        ieee("total-sleep-time", json!({"total_sleep_time": lasting(json!(8), "h"), "effective_time_frame": night()})),
        ieee("time-in-bed", json!({"time_in_bed": lasting(json!(9), "h"), "effective_time_frame": night()})),
        ieee("sleep-stage-summary", json!({"sleep_stage_summary": stages, "effective_time_frame": night()})),
        ieee("physical-activity", walk),
    ];
    for (number, mut point) in points.into_iter().enumerate() {
        let id = format!("123e4567-e89b-12d3-a456-{number:012}");
        let name = if point["header"]["uuid"].is_null() { "id" } else { "uuid" };
        point["header"][name] = json!(id);
        let got = send(&bridge, &point.to_string(), &[("mostik-subject", "sparrow")]).await;
        assert!(fates(&got).iter().all(|fate| fate.ends_with("accepted")), "{point}: {}", got.json);
    }
    insta::assert_json_snapshot!("data_point_schemas", charted(&bridge, &ehr).await);
    let said = items(&bridge, &sparrow).await;
    let labels = |item: &Value| item["meta"]["security"].to_string();
    assert!(said.iter().filter_map(|item| item.body.as_ref()).all(|body| labels(body).contains("AST")), "vouched for");
}

on_both_databases! {
    async fn a_series_is_read_element_by_element_and_each_stands_alone(database) {
        let (ehr, bridge, _) = house(database).await;
        let one = json!({"total_sleep_time": lasting(json!(8), "h"), "effective_time_frame": night()});
        let two = json!({"total_sleep_time": lasting(json!("long"), "h"), "effective_time_frame": night()});
        let got = send(&bridge, &ieee("total-sleep-time", json!([one, two])).to_string(), &[("mostik-subject", "sparrow")]).await;
        assert_eq!(fates(&got), ["/body/0 sleep-duration accepted", "/body/1 - refused"]);
        assert_eq!(got.json["results"][1]["refusal"]["field"], "/body/1/total_sleep_time/value");
        assert_eq!(charted(&bridge, &ehr).await.len(), 1);
    }
}

on_both_databases! {
    async fn a_request_with_more_readings_than_are_taken_at_once_is_refused_whole(database) {
        let ehr = Ehr::sandbox().await;
        let text = config_text(&database, &ehr.base, "127.0.0.1:0") + "[limits]\ndata_point_readings = 2\n";
        let bridge = TestBridge::start_with(database, &text).await;
        let sparrow = bridge.person("sparrow", &ehr.patient).await;
        bridge.grant(&sparrow, &["sleep"]).await;
        let sleeps = |count: i64| {
            let one = |hours: i64| json!({"total_sleep_time": lasting(json!(hours), "h"), "effective_time_frame": night()});
            ieee("total-sleep-time", (1..=count).map(one).collect()).to_string()
        };
        let got = send(&bridge, &sleeps(3), &[("mostik-subject", "sparrow")]).await;
        assert_eq!((got.status, &got.json["detail"]),
            (413, &json!("Expected at most 2 readings in one request; nothing of it was taken.")));
        assert_eq!(bridge.traces(&sparrow).await, 0);
        assert_eq!(send(&bridge, &sleeps(2), &[("mostik-subject", "sparrow")]).await.status, 200);
        assert_eq!(bridge.traces(&sparrow).await, 2);
    }
}

on_both_databases! {
    async fn a_member_sends_from_their_own_phone_with_their_own_token(database) {
        let (ehr, bridge, sparrow) = house(database).await;
        let got = send_as(&bridge, &sparrow.token, HEALTH_AUTO_EXPORT, &[]).await;
        assert_eq!(fates(&got), ["/data/stateOfMind/0 mood accepted", "/data/stateOfMind/0 tags accepted"]);
        bridge.deliver_in_time().await;
        let mut told = ehr.observations().await;
        told.sort_by_key(|it| it["code"]["text"].to_string());
        for it in &mut told {
            for gone in ["id", "meta", "identifier", "contained", "issued", "subject", "performer"] {
                it.as_object_mut().unwrap().remove(gone);
            }
        }
        insta::assert_json_snapshot!("data_point_state_of_mind", told);
    }
}

#[tokio::test]
async fn health_auto_exports_metrics_are_read_by_name_and_what_is_no_single_measurement_is_not() {
    let (ehr, bridge, sparrow) = house(Database::sqlite()).await;
    let when = "2026-11-19 23:05:00 +0100";
    let metric = |name: &str, units: &str, data: Value| json!({"name": name, "units": units, "data": [data]});
    let quantity = |qty: Value| json!({"date": when, "qty": qty, "source": "A watch"});
    let beats = |min: i32, avg: i32, max: i32| json!({"date": when, "Min": min, "Avg": avg, "Max": max});
    let slept = json!({
        "date": "2026-11-20", "sleepStart": when, "sleepEnd": "2026-11-20 07:10:00 +0100", "totalSleep": 7.5,
        "core": 4, "deep": 1.5, "rem": 2, "inBed": 0, "source": "A watch",
    });
    let body = json!({"data": {"workouts": [], "metrics": [
        metric("step_count", "count", quantity(json!(8500))),
        metric("apple_exercise_time", "min", quantity(json!(31))),
        metric("mindful_minutes", "min", quantity(json!(10.5))),
        metric("resting_heart_rate", "count/min", quantity(json!(58))),
        metric("heart_rate_variability", "ms", quantity(json!(41.25))),
        metric("heart_rate", "count/min", beats(61, 61, 61)),
        metric("heart_rate", "count/min", beats(61, 72, 85)),
        metric("sleep_analysis", "hr", slept),
        metric("blood_glucose", "mg/dL", quantity(json!(99))),
    ]}});
    let got = send_as(&bridge, &sparrow.token, &body.to_string(), &[]).await;
    insta::assert_json_snapshot!("data_point_metrics", fates(&got));
    insta::assert_json_snapshot!("data_point_metrics_charted", charted(&bridge, &ehr).await);
}

#[tokio::test]
async fn what_fitbit_and_withings_answer_is_read_as_it_is() {
    let (ehr, bridge, _) = house(Database::sqlite()).await;
    let nowhere = send(&bridge, FITBIT, &[("mostik-subject", "sparrow")]).await;
    assert_eq!(fates(&nowhere), ["/sleep/0 - refused", "/sleep/1 - refused"]);
    assert!(nowhere.json["results"][0]["refusal"]["expected"].as_str().unwrap().contains("Mostik-Time-Zone"));
    let headers = [("mostik-subject", "sparrow"), ("mostik-time-zone", "America/New_York")];
    let fitbit = send(&bridge, FITBIT, &headers).await;
    let withings = send(&bridge, WITHINGS, &headers).await;
    let all: Vec<String> = fates(&fitbit).into_iter().chain(fates(&withings)).collect();
    assert!(all.iter().all(|fate| fate.ends_with("accepted")), "{all:?}");
    insta::assert_json_snapshot!("data_point_nights", charted(&bridge, &ehr).await);
}

#[tokio::test]
async fn what_is_not_understood_is_refused_by_the_name_of_its_field_and_leaves_nothing() {
    let (_, bridge, sparrow) = house(Database::sqlite()).await;
    let instant = json!({"date_time": "2026-11-20T07:30:00+01:00"});
    let rate = |value: Value, time: &Value| json!({"heart_rate": {"value": value, "unit": "beats/min"}, "effective_time_frame": time});
    let with = |mut point: Value, pointer: &str, value: Value| {
        *point.pointer_mut(pointer).unwrap() = value;
        point
    };
    let good = open_mhealth("heart-rate", "2.0", rate(json!(61), &instant));
    let morning = json!({"time_interval": {"date": "2026-11-20", "part_of_day": "morning"}});
    let figure = with(
        good.clone(),
        "/body",
        json!({"heart_rate": {"value": 61, "unit": "beats/min"}, "effective_time_frame": instant, "descriptive_statistic": "average"}),
    );
    let unknown = with(good.clone(), "/header/schema_id/name", json!("blood-pressure"));
    let nobody = with(good.clone(), "/header/acquisition_provenance", json!({"source_name": "A watch"}));
    for (point, field) in [
        (json!({"what": 1}), ""),
        (json!({"header": {}}), ""),
        (unknown, "/header/schema_id"),
        (with(good.clone(), "/header/schema_id/version", json!("9.0")), "/header/schema_id"),
        (nobody, "/header/acquisition_provenance/modality"),
        (with(good.clone(), "/header/user_id", json!("wren")), "/header/user_id"),
        (with(good.clone(), "/body/heart_rate/value", json!("fast")), "/body/heart_rate/value"),
        (with(good.clone(), "/body/heart_rate/unit", json!("bpm")), "/body/heart_rate/unit"),
        (with(good.clone(), "/body/heart_rate/value", json!(2_001)), ""),
        (
            with(good.clone(), "/body/effective_time_frame/date_time", json!("2026-11-20T07:30:00")),
            "/body/effective_time_frame",
        ),
        (with(good.clone(), "/body/effective_time_frame/date_time", json!("2036-11-20T07:30:00Z")), ""),
        (open_mhealth("heart-rate", "2.0", rate(json!(61), &morning)), "/body/effective_time_frame"),
        (figure, "/body/descriptive_statistic"),
        (ieee("physical-activity", json!({"activity_name": "swimming", "effective_time_frame": night()})), "/body"),
        (
            json!({"data": {"stateOfMind": [{"id": "1", "end": "yesterday", "kind": "mood", "valence": 0.5}]}}),
            "/data/stateOfMind/0/end",
        ),
        (
            json!({"data": {"stateOfMind": [{"id": "1", "end": "2026-11-19 23:05:00 +0100", "kind": "mood", "valence": 1.5}]}}),
            "/data/stateOfMind/0/valence",
        ),
        (
            json!({"body": {"series": [{"timezone": "Mars", "startdate": 1, "enddate": 2, "data": {}}]}}),
            "/body/series/0/timezone",
        ),
    ] {
        let got = send(&bridge, &point.to_string(), &[("mostik-subject", "sparrow")]).await;
        let result = &got.json["results"][0];
        assert_eq!((got.status, &result["status"]), (200, &json!("refused")), "{point}: {}", got.json);
        assert_eq!(result["refusal"]["field"], field, "{point}: {}", got.json);
    }
    let wordless = send(
        &bridge,
        &ieee("time-in-bed", json!({"time_in_bed": lasting(json!(9), "h"), "effective_time_frame": night()}))
            .to_string(),
        &[],
    )
    .await;
    assert!(wordless.json["results"][0]["refusal"]["expected"].as_str().unwrap().contains("Mostik-Subject"));
    for (body, headers, status) in [
        ("", &[] as &[_], 400),
        ("[]", &[], 400),
        ("[1", &[], 400),
        ("{}", &[("mostik-time-zone", "Mars/Olympus")], 400),
    ] {
        assert_eq!(send(&bridge, body, headers).await.status, status, "{body:?}");
    }
    assert_eq!(bridge.traces(&sparrow).await, 0);
}

on_both_databases! {
    async fn what_is_not_shared_is_not_taken_and_what_is_another_members_is_not_touched(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let sparrow = bridge.person("sparrow", &ehr.patient).await;
        let wren = bridge.unlinked_person("wren").await;
        bridge.grant(&sparrow, &["sleep"]).await;
        let body = json!({"effective_time_frame": night(), "total_sleep_time": lasting(json!(7), "h")});
        let point = ieee("total-sleep-time", body).to_string();
        assert_eq!(fates(&send(&bridge, &point, &[("mostik-subject", "sparrow")]).await), [" sleep-duration accepted"]);
        let other = send(&bridge, &point, &[("mostik-subject", "wren")]).await;
        assert_eq!(other.json["results"][0]["refusal"]["reason"], "not-permitted");
        let stranger = send(&bridge, &point, &[("mostik-subject", "nobody")]).await;
        assert_eq!(stranger.json["results"][0]["refusal"]["reason"], "unknown-member");
        let rate = json!({"heart_rate": {"value": 61, "unit": "beats/min"}, "effective_time_frame": {"date_time": "2026-11-20T07:30:00Z"}});
        let heart = send(&bridge, &open_mhealth("heart-rate", "2.0", rate).to_string(), &[]).await;
        assert_eq!(heart.json["results"][0]["refusal"]["reason"], "not-permitted");
        assert_eq!(charted(&bridge, &ehr).await.len(), 1);
        assert_eq!(bridge.traces(&wren).await, 0);
    }
}

on_both_databases! {
    async fn two_members_may_have_records_of_the_same_name(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let sparrow = bridge.person("sparrow", &ehr.patient).await;
        let wren = bridge.person("wren", &create_patient(&ehr.base).await).await;
        for member in [&sparrow, &wren] {
            bridge.grant(member, &["sleep"]).await;
        }
        let body = json!({"effective_time_frame": night(), "total_sleep_time": lasting(json!(7), "h")});
        let point = ieee("total-sleep-time", body).to_string();
        for name in ["sparrow", "wren"] {
            assert_eq!(fates(&send(&bridge, &point, &[("mostik-subject", name)]).await), [" sleep-duration accepted"], "{name}");
        }
        assert_eq!((items(&bridge, &sparrow).await.len(), items(&bridge, &wren).await.len()), (1, 1));
    }
}
