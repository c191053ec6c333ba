//! Numbers as phones write them: with many zeros before the first digit that counts, and with exponents.

use reqwest::Method;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::bridge::{Person, TestBridge, mood};
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::http::{Got, client};
use crate::support::outbox::items;
use crate::support::validate::assert_valid;

/// Sends a text as it is: a JSON value would write its numbers anew.
async fn post(bridge: &TestBridge, path: &str, credential: &str, content_type: &str, body: String) -> Value {
    let request = client().request(Method::POST, format!("{}{path}", bridge.api)).bearer_auth(credential);
    Got::read(request.header("content-type", content_type).body(body).send().await.unwrap()).await.json
}

async fn house(database: Database, categories: &[&str]) -> (Ehr, TestBridge, Person) {
    let ehr = Ehr::sandbox().await;
    let bridge = TestBridge::start(database, &ehr.base).await;
    let sparrow = bridge.person("sparrow", &ehr.patient).await;
    bridge.grant(&sparrow, categories).await;
    (ehr, bridge, sparrow)
}

/// The first number in each resource that leaves, in the characters in which it does.
async fn leaving(bridge: &TestBridge, person: &Person) -> Vec<String> {
    let texts = items(bridge, person).await.into_iter().filter_map(|item| item.text);
    let numbers = texts.filter_map(|text| {
        let (_, from) = text.split_once("\"valueQuantity\":{\"value\":")?;
        Some(from.split([',', '}']).next().unwrap().to_owned())
    });
    numbers.collect()
}

/// What each that was sent becomes, and what of it leaves.
const VALENCES: [(&str, &str); 6] = [
    ("-0.017391304347826087", "-0.017391304347826087"),
    ("5.2e-05", "0.000052"),
    ("5.20E-5", "0.0000520"),
    ("5.551115123125783e-17", "0.00000000000000005551115123125783"),
    ("-1.0", "-1.0"),
    ("0.30000000000000004", "0.30000000000000004"),
];

on_both_databases! {
    async fn a_state_of_mind_near_neutral_is_taken_with_every_digit(database) {
        let (ehr, bridge, sparrow) = house(database, &["mood"]).await;
        let feeling = |(number, (valence, _)): (usize, &(&str, &str))| format!(
            r#"{{"id": "{number}", "start": "2026-11-20 09:0{number}:00 +0100", "end": "2026-11-20 09:0{number}:00 +0100",
                "kind": "momentary_emotion", "valence": {valence}, "labels": [], "associations": []}}"#
        );
        let feelings: Vec<String> = VALENCES.iter().enumerate().map(feeling).collect();
        let body = format!(r#"{{"data": {{"metrics": [], "stateOfMind": [{}]}}}}"#, feelings.join(","));
        let got = post(&bridge, "/v1/data-points", &sparrow.token, "application/json", body).await;
        let results = got["results"].as_array().unwrap();
        assert!(results.len() == VALENCES.len() && results.iter().all(|it| it["status"] == "accepted"), "{got}");
        assert_eq!(leaving(&bridge, &sparrow).await, VALENCES.map(|(_, out)| out));
        bridge.deliver_in_time().await;
        let charted = ehr.observations().await;
        assert_eq!(charted.len(), VALENCES.len());
        assert_valid(&charted[0]).await;
    }
}

on_both_databases! {
    async fn a_valence_in_an_event_is_taken_with_every_digit_and_again_as_the_same(database) {
        let (_, bridge, sparrow) = house(database, &["mood"]).await;
        let event = |number: usize, valence: &str| {
            let mut event = mood(&number.to_string(), "sparrow", 3);
            event["data"] = json!({"state_of_mind": {"kind": "dailyMood", "valence": "here"}});
            event.to_string().replace("\"here\"", valence)
        };
        let media = "application/json";
        for (number, (valence, out)) in VALENCES.iter().enumerate() {
            for (written, fate) in [(valence, "accepted"), (out, "duplicate")] {
                let got = post(&bridge, "/v1/events", &bridge.api_key, media, event(number, written)).await;
                assert_eq!(got["results"][0]["status"], fate, "{written} {got}");
            }
        }
        assert_eq!(leaving(&bridge, &sparrow).await, VALENCES.map(|(_, out)| out));
        for wrong in ["1.5", "1e1", "-1e400", "0.1234567890123456789", "1e-400"] {
            let got = post(&bridge, "/v1/events", &bridge.api_key, media, event(99, wrong)).await;
            assert!(got["refusal"]["reason"] == "invalid" || got["status"] == 400, "{wrong} {got}");
        }
        assert_eq!(leaving(&bridge, &sparrow).await.len(), VALENCES.len());
    }
}

on_both_databases! {
    async fn a_stage_of_a_minute_does_not_cost_the_night(database) {
        let (ehr, bridge, sparrow) = house(database, &["sleep"]).await;
        let night = r#"{"data": {"metrics": [{"name": "sleep_analysis", "units": "hr", "data": [{
            "date": "2026-11-20", "sleepStart": "2026-11-19 23:05:00 +0100", "sleepEnd": "2026-11-20 07:10:00 +0100",
            "totalSleep": 7.516666666666667, "core": 1.7333333333333334, "deep": 5.2e-02, "rem": 0.016666666666666666
        }]}]}}"#;
        let got = post(&bridge, "/v1/data-points", &sparrow.token, "application/json", night.to_owned()).await;
        let results = got["results"].as_array().unwrap();
        assert!(results.len() == 4 && results.iter().all(|it| it["status"] == "accepted"), "{got}");
        // Sixty times what was sent, to the last digit.
        let expected = ["451.00000000000002", "104.000000000000004", "3.12", "0.99999999999999996"];
        assert_eq!(leaving(&bridge, &sparrow).await, expected);
        bridge.deliver_in_time().await;
        let charted = ehr.observations().await;
        assert_eq!(charted.len(), 4);
        assert_valid(&charted[0]).await;
    }
}
