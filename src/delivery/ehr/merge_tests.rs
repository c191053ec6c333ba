use serde_json::json;

use super::*;

fn observation(value: i64) -> Value {
    json!({"resourceType": "Observation", "status": "final", "valueQuantity": {"value": value}})
}

#[test]
fn a_correction_replaces_what_the_member_said_and_leaves_what_others_added() {
    let current = json!({
        "resourceType": "Observation", "id": "1", "meta": {"versionId": "3", "tag": [{"code": "theirs"}]},
        "text": {"status": "generated"}, "status": "final", "extension": [{"url": "theirs"}],
        "valueQuantity": {"value": 2}, "note": [{"text": "old"}],
    });
    let expected = json!({
        "resourceType": "Observation", "id": "1", "meta": {"versionId": "3", "tag": [{"code": "theirs"}]},
        "text": {"status": "generated"}, "status": "corrected", "extension": [{"url": "theirs"}],
        "valueQuantity": {"value": 4},
    });
    assert_eq!(merged(&current, &observation(4), Operation::Correct), expected);
}

#[test]
fn a_correction_that_stands_there_already_changes_nothing() {
    let once = merged(&observation(2), &observation(4), Operation::Correct);
    assert_eq!(merged(&once, &observation(4), Operation::Correct), once);
}

#[test]
fn a_value_may_give_way_to_a_reason_for_its_absence() {
    let wanted = json!({"resourceType": "Observation", "dataAbsentReason": {"text": "x"}});
    let got = merged(&observation(2), &wanted, Operation::Correct);
    assert_eq!(got.get("valueQuantity"), None);
}

#[test]
fn a_retraction_marks_what_stands_there_and_keeps_it() {
    let retraction = json!({"resourceType": "Observation", "status": "entered-in-error"});
    let got = merged(&observation(2), &retraction, Operation::Retract);
    assert_eq!(
        got,
        json!({"resourceType": "Observation", "status": "entered-in-error", "valueQuantity": {"value": 2}})
    );
}

#[test]
fn a_note_is_amended() {
    let note = json!({"resourceType": "DocumentReference", "status": "current", "docStatus": "final"});
    let got = merged(&note, &note, Operation::Correct);
    assert_eq!((got["status"].as_str(), got["docStatus"].as_str()), (Some("current"), Some("amended")));
}

fn observation_of(meta: &Value) -> Value {
    json!({"resourceType": "Observation", "meta": meta})
}

fn label(system: &str, code: &str) -> Value {
    json!({"system": system, "code": code})
}

#[test]
fn labels_and_profiles_are_those_of_the_newest_version_and_what_others_added_stays() {
    let theirs =
        [label("https://clinic.example/labels", "SUD"), label(ACT_CODE, "VIP"), label(OBSERVATION_VALUE, "ASTRL")];
    let before = [label(ACT_CODE, "PSY"), label(ACT_CODE, "SUD"), label(OBSERVATION_VALUE, "DEVAST")];
    let after = [label(ACT_CODE, "PSY"), label(ACT_CODE, "SEX"), label(OBSERVATION_VALUE, "PATAST")];
    let current = observation_of(&json!({
        "versionId": "3", "source": "https://theirs.example", "tag": [{"code": "theirs"}], "security": ([before, theirs.clone()].concat()),
        "profile": ["http://hl7.org/fhir/StructureDefinition/heartrate", "https://clinic.example/profile"],
    }));
    let wanted = observation_of(&json!({"source": "urn:mostik", "tag": [{"code": "ours"}], "security": after}));
    let [psychiatry, sexuality, patient] = after;
    let expected = json!({
        "versionId": "3", "source": "https://theirs.example", "tag": [{"code": "theirs"}],
        "security": ([vec![psychiatry], theirs.to_vec(), vec![sexuality, patient]].concat()),
        "profile": ["https://clinic.example/profile"],
    });
    let once = merged(&current, &wanted, Operation::Correct);
    assert_eq!(once["meta"], expected);
    assert_eq!(merged(&once, &wanted, Operation::Correct), once);
}

#[test]
fn what_others_added_within_an_element_stays_unless_the_element_says_something_else_now() {
    let ours = json!({"system": "urn:mostik", "value": "1"});
    let current = json!({
        "resourceType": "DocumentReference",
        "identifier": [{"system": "urn:theirs", "value": "7"}, ours],
        "category": [{"coding": [{"code": "survey"}, {"code": "theirs"}], "text": "theirs"}],
        "subject": {"reference": "Patient/1", "display": "theirs"},
        "context": {"period": {"start": "2026-11-01"}, "encounter": [{"reference": "Encounter/1"}]},
    });
    let mut wanted = json!({
        "resourceType": "DocumentReference",
        "identifier": [ours], "category": [{"coding": [{"code": "survey"}]}], "subject": {"reference": "Patient/1"},
        "context": {"period": {"start": "2026-11-02"}},
    });
    let mut expected = current.clone();
    expected["context"]["period"]["start"] = json!("2026-11-02");
    expected["docStatus"] = json!("amended");
    assert_eq!(merged(&current, &wanted, Operation::Correct), expected);
    wanted["category"] = json!([{"coding": [{"code": "activity"}]}]);
    assert_eq!(merged(&current, &wanted, Operation::Correct)["category"], wanted["category"]);
    let without = json!({"resourceType": "DocumentReference", "identifier": [{"system": "urn:theirs", "value": "7"}]});
    assert_eq!(merged(&without, &wanted, Operation::Correct)["identifier"], current["identifier"]);
}

#[test]
fn a_device_is_gone_when_the_newest_version_was_not_measured() {
    let current = json!({"resourceType": "Observation", "device": {"display": "A watch"}});
    assert_eq!(merged(&current, &observation(4), Operation::Correct).get("device"), None);
}

#[test]
fn the_provenance_of_a_correction_says_that_it_was_revised() {
    let did = |code: &str, display: &str| json!({"coding": [{"system": "s", "code": code, "display": display}]});
    let with = |did: Value| json!([{"resourceType": "Provenance", "activity": did}]);
    let mut wanted = observation(4);
    wanted["contained"] = with(did("CREATE", "create"));
    assert_eq!(merged(&observation(2), &wanted, Operation::Correct)["contained"], with(did("UPDATE", "revise")));
    assert_eq!(merged(&wanted, &observation(2), Operation::Retract)["contained"], wanted["contained"]);
}
