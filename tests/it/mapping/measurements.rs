//! Sleep, activity and heart: as events, as Observations, and in summaries.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use mostik::domain::measurement::{Measured, Measurement, Modality};
use mostik::domain::moment::Moment;
use mostik::domain::reading::Measure;
use mostik::domain::summary::{Figures, Scale, Summary};
use mostik::mapping::to_fhir::document;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::mapping::moods::mapped;
use crate::mapping::summaries::{mapped as summarised, spread, week};
use crate::on_both_databases;
use crate::support::bridge::TestBridge;
use crate::support::database::Database;
use crate::support::ehr::{Ehr, observations};
use crate::support::outbox::items;
use crate::support::own::at;
use crate::support::validate::assert_valid;

const END: &str = "2026-11-20T07:10:00+01:00";

/// An event about something that was measured with a watch.
fn measured(id: &str, of: &str, value: &Value) -> Value {
    json!({
        "specversion": "1.0", "id": id, "source": "/test", "type": "mostik.measurement.v1",
        "time": END, "subject": "sparrow",
        "data": {"of": of, "value": value, "modality": "sensed", "device": "A watch"},
    })
}

/// The same, over a period that ends when the event happened.
fn since(mut event: Value, start: &str) -> Value {
    event["data"]["start"] = json!(start);
    event
}

fn resource(of: Measured, start: Option<&str>, modality: Modality) -> Value {
    let start = start.map(|start| Moment::parse_rfc3339(start).unwrap());
    let device = (modality == Modality::Sensed).then(|| "A watch".to_owned());
    let measurement = Measurement { of, value: "42.50".parse().unwrap(), start, modality, device };
    let text = mapped(Measure::Measurement(measurement), END);
    assert!(text.contains("\"value\":42.50,"), "digit by digit: {text}");
    serde_json::from_str(&text).unwrap()
}

#[tokio::test]
async fn each_has_its_code_and_unit_and_is_valid() {
    for of in Measured::ALL {
        let start = (of.adds_up()).then_some("2026-11-19T23:05:00+01:00");
        let resource = resource(of, start, Modality::Sensed);
        insta::assert_json_snapshot!(format!("measured_{}", of.as_str()), resource);
        assert_valid(&resource).await;
    }
}

#[tokio::test]
async fn what_a_member_says_of_their_sleep_is_vouched_for_by_them() {
    let said = resource(Measured::SleepDuration, None, Modality::SelfReported);
    insta::assert_json_snapshot!("measured_self_reported", said);
    assert_valid(&said).await;
}

#[tokio::test]
async fn a_note_says_by_whose_word_a_number_stands_and_with_which_device() {
    let night = Some("2026-11-19T23:05:00+01:00");
    let steps = week(Figures::Numbers(Scale::Measured(Measured::Steps), spread(&["4000", "6001"])));
    let summary = |by_device| serde_json::from_str(&summarised(&Summary { by_device, ..steps.clone() })).unwrap();
    for (name, resource) in [
        ("night", resource(Measured::SleepDuration, night, Modality::Sensed)),
        ("heart", resource(Measured::HeartRate, None, Modality::Sensed)),
        ("typed_in", resource(Measured::SleepDuration, night, Modality::SelfReported)),
        ("steps_of_a_week", summary(false)),
        ("steps_of_a_week_by_device", summary(true)),
    ] {
        let note = document(&resource).unwrap();
        let data = note["content"][0]["attachment"]["data"].as_str().unwrap();
        let words = String::from_utf8(BASE64_STANDARD.decode(data).unwrap()).unwrap();
        insta::assert_snapshot!(format!("note_of_{name}"), words);
        assert_valid(&note).await;
    }
}

#[tokio::test]
async fn an_ehr_that_nobody_here_wrote_takes_each_and_gives_it_back_as_it_was() {
    let Some(ehr) = Ehr::sekmet().await else { return };
    let bridge = TestBridge::start(Database::sqlite(), &ehr.base).await;
    let sparrow = bridge.person("sparrow", &ehr.patient).await;
    bridge.grant(&sparrow, &["sleep", "activity", "heart"]).await;
    for of in Measured::ALL {
        let got = bridge.send(&measured(of.as_str(), of.as_str(), &json!(61.25))).await;
        assert_eq!(got.status, 202, "{:?}", got.json);
    }
    let sent: Vec<Value> = items(&bridge, &sparrow).await.into_iter().filter_map(|item| item.body).collect();
    bridge.deliver_in_time().await;
    let charted = observations(&ehr.base, &ehr.patient).await;
    assert_eq!(charted.len(), Measured::ALL.len());
    for sent in sent {
        let found = charted.iter().find(|it| it["code"] == sent["code"]).unwrap();
        for part in ["valueQuantity", "effectiveDateTime", "category", "device", "status"] {
            assert_eq!(found[part], sent[part], "{part}");
        }
    }
}

on_both_databases! {
    async fn a_night_arrives_with_its_period_and_a_heart_that_is_not_shared_does_not(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let sparrow = bridge.person("sparrow", &ehr.patient).await;
        bridge.grant(&sparrow, &["sleep"]).await;
        let night = since(measured("1", "sleep-duration", &json!(431)), "2026-11-19T23:05:00+01:00");
        assert_eq!(bridge.send(&night).await.status, 202);
        let refused = bridge.send(&measured("2", "heart-rate", &json!(62))).await;
        assert_eq!((refused.status, &refused.json["refusal"]["reason"]), (422, &json!("not-permitted")));
        bridge.deliver_in_time().await;
        let charted = ehr.observations().await;
        assert_eq!(charted.len(), 1);
        assert_eq!(charted[0]["effectivePeriod"], json!({"start": "2026-11-19T23:05:00+01:00", "end": END}));
        assert_eq!(charted[0]["valueQuantity"]["value"], 431);
    }
}

#[tokio::test]
async fn what_cannot_be_is_refused_by_the_name_of_its_field() {
    let ehr = Ehr::sandbox().await;
    let bridge = TestBridge::start(Database::sqlite(), &ehr.base).await;
    let sparrow = bridge.person("sparrow", &ehr.patient).await;
    bridge.grant(&sparrow, &["sleep", "activity", "heart"]).await;
    let steps = |value: Value| measured("1", "steps", &value);
    let without = |field: &str| {
        let mut event = steps(json!(1));
        event["data"].as_object_mut().unwrap().remove(field);
        event
    };
    for (event, field) in [
        (measured("1", "blood-pressure", &json!(1)), "/data/of"),
        (steps(json!(-1)), "/data/value"),
        (steps(json!("many")), "/data/value"),
        (steps(json!(1_000_001)), "/data/value"),
        (measured("1", "heart-rate", &json!(2_001)), "/data/value"),
        (without("modality"), "/data"),
        (without("value"), "/data"),
        (since(steps(json!(1)), "yesterday"), "/data/start"),
        (since(steps(json!(1)), "2026-11-20T07:10:01+01:00"), "/data/start"),
        (since(steps(json!(1)), "2026-10-20T07:09:59+01:00"), "/data/start"),
    ] {
        let got = bridge.send(&event).await;
        let refusal = &got.json["refusal"];
        assert_eq!((got.status, &refusal["reason"], &refusal["field"]), (422, &json!("invalid"), &json!(field)));
    }
    assert_eq!(bridge.traces(&sparrow).await, 0);
}

on_both_databases! {
    async fn of_what_adds_up_a_summary_tells_of_whole_days_and_of_a_heart_it_does_not(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let sparrow = bridge.person("sparrow", &ehr.patient).await;
        bridge.move_to(&sparrow, "Europe/Berlin").await;
        bridge.share(&sparrow, json!({"sleep": "weekly-summary", "heart": "daily-summary"})).await;
        for (id, of, value, time) in [
            ("1", "sleep-duration", json!(400), "2026-11-19T07:00:00+01:00"),
            ("2", "sleep-duration", json!(30.5), "2026-11-19T14:00:00+01:00"),
            ("3", "sleep-duration", json!(480), "2026-11-20T07:00:00+01:00"),
            ("4", "heart-rate", json!(60), "2026-11-20T08:00:00+01:00"),
            ("5", "heart-rate", json!(80), "2026-11-20T09:00:00+01:00"),
        ] {
            let mut event = at(measured(id, of, &value), time);
            if id == "2" {
                event["data"]["modality"] = json!("self-reported");
            }
            assert_eq!(bridge.send(&event).await.status, 202);
        }
        bridge.until("2026-11-22T23:00:00Z").await;
        let mut told: Vec<Value> = items(&bridge, &sparrow).await.into_iter().filter_map(|item| item.body).collect();
        told.sort_by_key(|body| body["code"]["text"].to_string());
        let figure = |body: &Value, code: &str| {
            let component = body["component"].as_array().unwrap().iter().find(|it| it["code"]["coding"][0]["code"] == code);
            component.unwrap()["valueQuantity"].clone()
        };
        assert_eq!(told.len(), 2, "{told:#?}");
        let (heart, sleep) = (&told[0], &told[1]);
        let is_labelled = |body: &Value, code: &str| body["meta"]["security"].to_string().contains(code);
        assert!(is_labelled(heart, "DEVAST") && !is_labelled(heart, "PATAST"), "devices vouch for all of it");
        assert!(is_labelled(sleep, "PATAST") && !is_labelled(sleep, "DEVAST"), "a nap is the member's own word");
        assert_eq!(heart["code"]["text"], "Heart rate: summary of a day");
        assert_eq!(figure(heart, "average")["value"], 70.0);
        assert_eq!(figure(heart, "average")["code"], "/min");
        assert_eq!(sleep["code"]["text"], "Sleep duration: summary of a week");
        assert_eq!(figure(sleep, "count")["value"], 3);
        assert_eq!(figure(sleep, "average")["value"], 455.25);
        assert_eq!((&figure(sleep, "minimum")["value"], &figure(sleep, "maximum")["value"]), (&json!(430.5), &json!(480)));
        for body in &told {
            assert_valid(body).await;
        }
    }
}

proptest! {
    #[test]
    fn any_measurement_maps_and_says_the_same_twice(
        of in prop::sample::select(&Measured::ALL), whole in 0u32..2000, device in prop::option::of("\\PC{1,40}"),
        start in prop::option::of(0i64..2_000_000),
    ) {
        let end = Moment::parse_rfc3339(END).unwrap();
        let start = start.map(|before| Moment { at: end.at - jiff::SignedDuration::from_secs(before), ..end });
        let measurement = Measurement { of, value: whole.to_string().parse().unwrap(), start, modality: Modality::Sensed, device };
        let once = mapped(Measure::Measurement(measurement.clone()), END);
        prop_assert_eq!(&once, &mapped(Measure::Measurement(measurement), END));
        let resource: Value = serde_json::from_str(&once).unwrap();
        prop_assert_eq!(&resource["valueQuantity"]["code"], of.unit());
        prop_assert_eq!(resource["effectivePeriod"].is_object(), start.is_some());
    }
}
