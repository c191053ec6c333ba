//! Bundles as bridges and EHRs give them.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::*;
use crate::domain::day::Days;
use crate::domain::ids::MemberId;
use crate::inbound::event::{Entry, Says};
use crate::inbound::files::Item;

fn whose() -> Whose {
    let days = Days::new(std::iter::empty(), TimeZone::get("Europe/Berlin").unwrap());
    Whose { member: MemberId(uuid::Uuid::nil()), days, now: "2026-11-20T12:00:00Z".parse().unwrap() }
}

fn read(resources: &[Value]) -> Vec<Line> {
    let entries: Vec<Value> = resources.iter().map(|resource| json!({"resource": resource})).collect();
    let bundle = json!({"resourceType": "Bundle", "type": "searchset", "entry": entries}).to_string();
    let whose = whose();
    Observations::new(bundle.as_bytes(), &whose).unwrap().collect()
}

fn said(line: &Line) -> String {
    let items: &[Item] = match line {
        Ok(Said::Items(items)) => items,
        Ok(_) => return "nothing".to_owned(),
        Err(bad) => return format!("{:?}", bad.about),
    };
    match &items[0].event.says {
        Says::Reading(Entry { moment, measure, .. }, _) => {
            format!("{} {}", moment.to_rfc3339(), serde_json::to_string(&measure).unwrap())
        }
        Says::Retraction(id) => format!("gone {id}"),
    }
}

fn heart_rate() -> Value {
    json!({
        "resourceType": "Observation", "id": "17", "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "subject": {"reference": "Patient/1"}, "effectiveDateTime": "2026-11-15T08:00:00+01:00",
        "valueQuantity": {"value": 72.50, "unit": "beats", "system": "http://unitsofmeasure.org", "code": "/min"},
    })
}

fn with(mut resource: Value, field: &str, value: Value) -> Value {
    resource[field] = value;
    resource
}

fn quantity(value: &str, code: &str) -> Value {
    let value: Value = serde_json::from_str(value).unwrap();
    json!({"value": value, "system": "http://unitsofmeasure.org", "code": code})
}

#[test]
fn a_measurement_is_known_by_its_code_and_time_in_hours_becomes_minutes() {
    let sleep = json!({"coding": [{"system": "http://loinc.org", "code": "93832-4"}]});
    let sleep = with(with(heart_rate(), "code", sleep), "valueQuantity", quantity("7.5", "h"));
    let period = json!({"start": "2026-11-14T23:00:00+01:00", "end": "2026-11-15T06:30:00+01:00"});
    let mut sleep = with(sleep, "effectivePeriod", period);
    sleep.as_object_mut().unwrap().remove("effectiveDateTime");
    let lines = read(&[heart_rate(), sleep]);
    assert!(
        said(&lines[0]).starts_with("2026-11-15T08:00:00+01:00 {\"measurement\":{\"of\":\"heart-rate\",\"value\":72.5")
    );
    let slept = said(&lines[1]);
    assert!(
        slept.starts_with(
            "2026-11-15T06:30:00+01:00 {\"measurement\":{\"of\":\"sleep-duration\",\"value\":450,\"start\""
        ),
        "{slept}"
    );
}

#[test]
fn a_mood_is_read_as_the_bridge_writes_it() {
    let own = |code: &str| json!({"coding": [{"system": "https://w3id.org/mostik/fhir/CodeSystem/mostik-observation", "code": code}]});
    let component =
        |code: &str, value: i32| json!({"code": own(code), "valueQuantity": quantity(&value.to_string(), "{score}")});
    let word = json!({"code": own("mood-word"), "valueString": "meh"});
    let mood = with(with(heart_rate(), "code", own("mood-rating")), "valueQuantity", quantity("2", "{score}"));
    let bare = mood.clone();
    let mood = with(mood, "component", json!([component("scale-worst", 1), component("scale-best", 5), word]));
    let off = with(mood.clone(), "valueQuantity", quantity("6", "{score}"));
    let lines = read(&[mood, bare, off]);
    assert_eq!(
        said(&lines[0]),
        "2026-11-15T08:00:00+01:00 {\"mood\":{\"rating\":{\"value\":2,\"worst\":1,\"best\":5},\
                                 \"label\":\"meh\",\"state_of_mind\":null}}"
    );
    assert_eq!([said(&lines[1]), said(&lines[2])], ["Mood", "Mood"], "without its scale a number says nothing");
}

#[test]
fn what_is_not_taken_is_passed_over_and_what_is_wrong_is_named() {
    let lines = read(&[
        json!({"resourceType": "Patient", "name": [{"family": "x"}]}),
        with(heart_rate(), "status", json!("preliminary")),
        with(heart_rate(), "code", json!({"coding": [{"system": "http://loinc.org", "code": "29463-7"}]})),
        with(heart_rate(), "status", json!("entered-in-error")),
        with(heart_rate(), "valueQuantity", quantity("72", "Hz")),
        with(heart_rate(), "valueQuantity", quantity("99999", "/min")),
        with(heart_rate(), "effectiveDateTime", json!("2026-11")),
        with(heart_rate(), "effectiveDateTime", json!("2036-11-15T08:00:00+01:00")),
        with(heart_rate(), "effectiveDateTime", json!("2026-11-15")),
        with(heart_rate(), "status", json!(17)),
        json!({"x": 1}),
        with(heart_rate(), "text", json!({"div": "x".repeat(LONGEST_RESOURCE)})),
    ]);
    let lines: Vec<String> = lines.iter().map(said).collect();
    assert_eq!(lines[..8], ["nothing", "nothing", "nothing", "gone 17", "Value", "Value", "Time", "Time"]);
    assert!(lines[8].starts_with("2026-11-15T00:00:00+01:00"), "{}", lines[8]);
    assert_eq!(lines[9..], ["Record", "Record", "Record"]);
}

#[test]
fn other_json_is_none() {
    let whose = whose();
    for file in [
        "",
        "{",
        "{}",
        "[]",
        "{\"resourceType\": \"Patient\"}",
        "{\"resourceType\": 1}",
        "{\"resourceType\": \"Bundle\", \"entry\": 1}",
    ] {
        assert!(matches!(Observations::new(file.as_bytes(), &whose), Err(FileError::Unknown(_))), "{file}");
    }
    assert!(matches!(Observations::new(b"{\"\xff\"}".as_slice(), &whose), Err(FileError::Encoding)));
    let deep = "[".repeat(100_000);
    assert!(Observations::new(format!("{{\"resourceType\": {deep}").as_bytes(), &whose).is_err());
    let many = |count: usize| format!("{{\"resourceType\": \"Bundle\", \"entry\": [{}{{}}]}}", "{},".repeat(count - 1));
    assert!(Observations::new(many(MOST_ENTRIES + 1).as_bytes(), &whose).is_err(), "empty ones take memory, too");
    assert_eq!(Observations::new(many(MOST_ENTRIES).as_bytes(), &whose).unwrap().count(), MOST_ENTRIES);
    let one = heart_rate().to_string();
    assert_eq!(Observations::new(format!("\u{feff}{one}").as_bytes(), &whose).unwrap().count(), 1);
}
