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
