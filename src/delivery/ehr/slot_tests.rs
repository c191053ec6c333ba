use serde_json::json;

use super::*;

const SYSTEM: &str = "https://bridge.example/sid";

fn wanted(status: &str) -> Wanted {
    Wanted::read(json!({
        "resourceType": "Appointment", "status": status, "identifier": [{"system": SYSTEM, "value": "ours"}],
        "slot": [{"reference": "Slot/s"}],
        "participant": [{"actor": {"reference": "Patient/p"}, "status": "accepted"}],
    }))
    .unwrap()
}

fn stored(resource_type: &str) -> Stored {
    Stored { resource_type: resource_type.to_owned(), id: "1".to_owned(), version: Some("1".to_owned()) }
}

#[expect(clippy::unnecessary_wraps, reason = "whatever is read may be absent")]
fn slot(status: &str, mark: Option<&str>) -> Option<Slot> {
    let mut resource = json!({"resourceType": "Slot", "id": "s", "status": status, "comment": "theirs"});
    if let Some(mark) = mark {
        resource["identifier"] = json!([{"system": "theirs", "value": "x"}, {"system": SYSTEM, "value": mark}]);
    }
    Some(Slot { at: stored("Slot"), resource })
}

#[expect(clippy::unnecessary_wraps, reason = "whatever is read may be absent")]
fn visit(status: &str) -> Option<Appointment> {
    let participants = json!([{"actor": {"reference": "Practitioner/d"}, "status": "accepted"},
                              {"actor": {"reference": "https://ehr.example/fhir/Patient/p"}, "status": "tentative"}]);
    let resource = json!({"resourceType": "Appointment", "status": status, "slot": [{"reference": "Slot/s"}],
                          "participant": participants, "comment": "theirs"});
    Some(Appointment { at: stored("Appointment"), resource })
}

/// What is done, in words: `slot=busy appointment=booked`.
fn done(wanted: &Wanted, visit: Option<Appointment>, slot: Option<Slot>) -> String {
    match wanted.next(visit, slot, SYSTEM) {
        Next::Done(_) => "done".to_owned(),
        Next::Never(reason) => reason.to_owned(),
        Next::Absent => "absent".to_owned(),
        Next::Change(change) => {
            let status = |resource: &Value| text(resource, "/status").unwrap().to_owned();
            let slot = change.slot.map(|(_, slot)| format!("slot={} ", status(&slot))).unwrap_or_default();
            let visit = change
                .appointment
                .map(|(at, visit)| format!("{}={}", if at.is_some() { "put" } else { "post" }, status(&visit)));
            format!("{slot}{}", visit.unwrap_or_default()).trim().to_owned()
        }
    }
}

#[test]
fn a_free_time_is_taken_and_one_of_somebody_else_is_not() {
    let hold = wanted("pending");
    assert_eq!(done(&hold, None, slot("free", None)), "slot=busy-tentative post=pending");
    assert_eq!(done(&hold, None, slot("busy-tentative", Some("other"))), SLOT_TAKEN);
    assert_eq!(done(&hold, None, slot("busy", None)), SLOT_TAKEN);
    assert_eq!(done(&hold, None, slot("busy-unavailable", None)), SLOT_TAKEN);
    assert_eq!(done(&hold, None, None), SLOT_GONE);
}

#[test]
fn what_was_done_halfway_is_done_to_its_end_and_nothing_twice() {
    let (hold, book, cancel) = (wanted("pending"), wanted("booked"), wanted("cancelled"));
    assert_eq!(done(&hold, None, slot("busy-tentative", Some("ours"))), "post=pending", "the slot, and then it died");
    assert_eq!(done(&hold, visit("pending"), slot("busy-tentative", Some("ours"))), "done");
    assert_eq!(done(&book, visit("pending"), slot("busy-tentative", Some("ours"))), "slot=busy put=booked");
    assert_eq!(done(&book, visit("pending"), slot("busy", Some("ours"))), "put=booked");
    assert_eq!(done(&book, visit("booked"), slot("busy", Some("ours"))), "done");
    assert_eq!(done(&cancel, visit("booked"), slot("busy", Some("ours"))), "slot=free put=cancelled");
    assert_eq!(
        done(&cancel, visit("cancelled"), slot("busy", Some("ours"))),
        "slot=free",
        "cancelled, and then it died"
    );
    assert_eq!(done(&cancel, visit("cancelled"), slot("free", None)), "done");
    assert_eq!(done(&cancel, None, slot("busy-tentative", Some("ours"))), "slot=free", "the slot alone was taken");
    assert_eq!(done(&cancel, None, slot("free", None)), "absent");
    assert_eq!(done(&cancel, None, slot("busy", Some("other"))), "absent", "it is somebody else's by now");
}

#[test]
fn a_time_that_was_given_to_somebody_else_is_not_given_back() {
    let cancel = wanted("cancelled");
    assert_eq!(done(&cancel, visit("cancelled"), slot("busy", Some("other"))), "done");
    assert_eq!(done(&cancel, visit("booked"), slot("busy", Some("other"))), "put=cancelled");
    assert_eq!(done(&wanted("booked"), visit("pending"), slot("busy", Some("other"))), SLOT_TAKEN);
}

#[test]
fn an_ehr_that_keeps_no_mark_is_understood_by_its_appointment() {
    assert_eq!(done(&wanted("booked"), visit("pending"), slot("busy-tentative", None)), "slot=busy put=booked");
    assert_eq!(done(&wanted("cancelled"), visit("booked"), slot("busy", None)), "slot=free put=cancelled");
    assert_eq!(done(&wanted("pending"), None, slot("busy-tentative", None)), SLOT_TAKEN, "without one nobody knows");
}

#[test]
fn what_is_over_stays_so() {
    for status in ["cancelled", "noshow", "entered-in-error"] {
        assert_eq!(done(&wanted("booked"), visit(status), slot("free", None)), VISIT_OVER, "{status}");
    }
    for status in ["arrived", "fulfilled"] {
        assert_eq!(done(&wanted("cancelled"), visit(status), slot("busy", Some("ours"))), VISIT_OVER, "{status}");
        assert_eq!(done(&wanted("booked"), visit(status), slot("busy", Some("ours"))), "done", "{status}");
    }
}

#[test]
fn what_others_wrote_stays() {
    let Next::Change(change) = wanted("booked").next(visit("pending"), slot("busy-tentative", Some("ours")), SYSTEM)
    else {
        panic!("there is something to change")
    };
    let ((_, slot), (_, visit)) = (change.slot.unwrap(), change.appointment.unwrap());
    assert_eq!((&slot["comment"], &visit["comment"]), (&json!("theirs"), &json!("theirs")));
    assert_eq!(slot["identifier"].as_array().unwrap().len(), 2, "{slot}");
    assert_eq!(visit["participant"][0]["status"], "accepted");
    assert_eq!(visit["participant"][1]["status"], "accepted", "the patient says yes");
    let (_, free) = Slot { at: stored("Slot"), resource: slot }.given_back("ours").unwrap();
    assert_eq!(free["identifier"], json!([{"system": "theirs", "value": "x"}]));
}
