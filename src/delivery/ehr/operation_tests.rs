use jiff::SignedDuration;
use proptest::prelude::*;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;

use super::*;

const SYSTEM: &str = "https://bridge.example/sid";

fn wanted(status: &str) -> Wanted {
    Wanted::read(json!({
        "resourceType": "Appointment", "id": "offer", "status": status,
        "identifier": [{"system": SYSTEM, "value": "ours"}], "reasonCode": [{"text": "the nights"}],
        "participant": [{"actor": {"reference": "Patient/p"}, "status": "accepted"}],
    }))
    .unwrap()
}

/// A visit that stands there, with this identifier of the bridge's and for this patient, if for any.
#[allow(clippy::unnecessary_wraps, reason = "so it is asked for: as what was found, if anything was")]
fn visit(status: &str, mark: Option<&str>, patient: Option<&str>) -> Option<Appointment> {
    let doctor = json!({"actor": {"reference": "Practitioner/d"}, "status": "accepted"});
    let patient = patient.map(|reference| json!({"actor": {"reference": reference}, "status": "tentative"}));
    let participants: Vec<Value> = std::iter::once(doctor).chain(patient).collect();
    let mut resource = json!({
        "resourceType": "Appointment", "id": "held", "status": status, "comment": "theirs", "participant": participants,
    });
    if let Some(mark) = mark {
        resource["identifier"] = json!([{"system": "theirs", "value": "x"}, {"system": SYSTEM, "value": mark}]);
    }
    let at = Stored { resource_type: "Appointment".to_owned(), id: "held".to_owned(), version: Some("4".to_owned()) };
    Some(Appointment { at, resource })
}

fn asked(wanted: &Wanted, visit: Option<Appointment>, dialect: Dialect) -> Result<Ask, &'static str> {
    match next(wanted, "offer", visit, SYSTEM, dialect) {
        Next::Done(_) => Err("done"),
        Next::Never(reason) => Err(reason),
        Next::Absent => Err("absent"),
        Next::Ask(ask) => Ok(*ask),
    }
}

/// What is done, in words.
fn done(wanted: &Wanted, visit: Option<Appointment>) -> String {
    match asked(wanted, visit, Dialect::Argonaut) {
        Ok(ask) => format!("{} {}", ask.method, ask.path),
        Err(word) => word.to_owned(),
    }
}

#[test]
fn a_time_is_held_booked_and_given_back_and_nothing_twice() {
    let (hold, book, cancel) = (wanted("pending"), wanted("booked"), wanted("cancelled"));
    let ours = |status| visit(status, Some("ours"), None);
    assert_eq!(done(&hold, None), "POST Appointment/offer/$hold");
    assert_eq!(done(&hold, ours("pending")), "done", "its answer was lost");
    assert_eq!(done(&hold, ours("proposed")), "POST Appointment/offer/$hold", "the hold ended meanwhile");
    assert_eq!(done(&book, ours("pending")), "POST Appointment/held/$book");
    assert_eq!(
        done(&book, None),
        "POST Appointment/offer/$book",
        "what was held stands nowhere: the EHR says whether it can be"
    );
    assert_eq!(done(&book, ours("booked")), "done");
    assert_eq!(done(&cancel, ours("pending")), "PATCH Appointment/held");
    assert_eq!(done(&cancel, ours("booked")), "PATCH Appointment/held");
    assert_eq!(done(&cancel, ours("cancelled")), "done");
    assert_eq!(done(&cancel, ours("proposed")), "absent", "the hold ended by itself");
    assert_eq!(done(&cancel, None), "absent");
}

#[test]
fn what_is_over_is_neither_held_nor_booked_nor_cancelled() {
    for status in ["cancelled", "noshow", "entered-in-error"] {
        for wanted in [wanted("pending"), wanted("booked")] {
            assert_eq!(done(&wanted, visit(status, Some("ours"), None)), VISIT_OVER, "{status}");
        }
    }
    for status in ["arrived", "checked-in", "fulfilled"] {
        assert_eq!(done(&wanted("cancelled"), visit(status, Some("ours"), None)), VISIT_OVER, "{status}");
        assert_eq!(done(&wanted("booked"), visit(status, Some("ours"), None)), "done", "{status}");
    }
}

#[test]
fn that_a_patient_came_and_what_became_of_a_visit_is_said_once_of_a_visit_that_is_booked() {
    for (status, from, as_well) in [
        ("arrived", &["booked"][..], &["arrived", "checked-in", "fulfilled"][..]),
        ("fulfilled", &["booked", "arrived", "checked-in", "noshow"], &["fulfilled"]),
        ("noshow", &["booked", "arrived", "checked-in", "fulfilled"], &["noshow"]),
    ] {
        for stands in ["pending", "booked", "arrived", "checked-in", "fulfilled", "noshow", "cancelled"] {
            let expected = match stands {
                _ if from.contains(&stands) => "PATCH Appointment/held",
                _ if as_well.contains(&stands) => "done",
                _ => VISIT_OVER,
            };
            assert_eq!(done(&wanted(status), visit(stands, Some("ours"), None)), expected, "{status} of {stands}");
        }
        assert_eq!(done(&wanted(status), None), VISIT_OVER, "{status}");
    }
}

#[test]
fn what_is_somebody_elses_is_neither_believed_to_be_ours_nor_touched() {
    for others in
        [("booked", Some("other"), Some("Patient/p")), ("booked", None, Some("https://ehr.example/fhir/Patient/q"))]
    {
        let stands = || visit(others.0, others.1, others.2);
        assert_eq!(done(&wanted("booked"), stands()), "POST Appointment/offer/$book", "{others:?}");
        assert_eq!(done(&wanted("cancelled"), stands()), "absent", "{others:?}");
        assert_eq!(done(&wanted("pending"), stands()), "POST Appointment/offer/$hold", "{others:?}");
    }
    for ours in
        [(None, Some("https://ehr.example/fhir/Patient/p/_history/2")), (None, None), (Some("ours"), Some("Patient/q"))]
    {
        assert_eq!(done(&wanted("booked"), visit("booked", ours.0, ours.1)), "done", "{ours:?}");
    }
    let alike = visit("booked", None, Some("NoPatient/p"));
    assert_eq!(done(&wanted("booked"), alike), "done", "no patient at all");
}

#[test]
fn each_guide_is_asked_as_it_says() {
    let body =
        |wanted: &Wanted, dialect| asked(wanted, visit("pending", Some("ours"), Some("Patient/p")), dialect).unwrap();
    let hold = asked(&wanted("pending"), None, Dialect::Ihe).unwrap();
    assert_eq!(
        (hold.path.as_str(), &hold.body["parameter"][0]),
        (
            "Appointment/$hold",
            &json!({
                "name": "appointment-reference",
                "valueReference": {"reference": "Appointment/offer", "identifier": {"system": SYSTEM, "value": "ours"}},
            })
        )
    );
    let book = body(&wanted("booked"), Dialect::Ihe);
    let resource = &book.body["parameter"][0]["resource"];
    assert_eq!(
        (book.path.as_str(), &book.body["parameter"][0]["name"]),
        ("Appointment/$book", &json!("appointment-resource"))
    );
    assert_eq!((&resource["id"], &resource["status"]), (&json!("held"), &json!("pending")));
    assert_eq!(
        (&resource["identifier"][0]["value"], &resource["reasonCode"][0]["text"]),
        (&json!("ours"), &json!("the nights"))
    );
    let cancel = body(&wanted("cancelled"), Dialect::Ihe);
    let resource = &cancel.body["parameter"][0]["resource"];
    assert_eq!((cancel.path.as_str(), &resource["status"]), ("Appointment/$book", &json!("cancelled")));
    assert_eq!((&resource["comment"], &resource["participant"][1]["status"]), (&json!("theirs"), &json!("accepted")));

    let hold = asked(&wanted("pending"), None, Dialect::Argonaut).unwrap();
    assert_eq!(hold.body["parameter"], json!([{"name": "appt-id", "valueUri": "Appointment/offer"}]));
    let book = body(&wanted("booked"), Dialect::Argonaut);
    assert_eq!(
        book.body["parameter"],
        json!([
            {"name": "appt-id", "valueUri": "Appointment/held"}, {"name": "patient-id", "valueUri": "Patient/p"},
            {"name": "comment", "valueString": "the nights"},
        ])
    );
    let cancel = body(&wanted("cancelled"), Dialect::Argonaut);
    assert_eq!(cancel.body, json!([{"op": "replace", "path": "/status", "value": "cancelled"}]));
    assert_eq!(cancel.patched.unwrap().version.as_deref(), Some("4"), "only as it was seen");
}

#[test]
fn times_are_looked_for_in_a_period_and_for_a_kind_of_visit() {
    let from = Timestamp::UNIX_EPOCH;
    let sought = Sought { from, until: from + SignedDuration::from_hours(24), visit_type: Some("urn:x|490") };
    assert_eq!(
        find(&sought)["parameter"],
        json!([
            {"name": "start", "valueDateTime": "1970-01-01T00:00:00Z"},
            {"name": "end", "valueDateTime": "1970-01-02T00:00:00Z"},
            {"name": "visit-type", "valueString": "urn:x|490"},
        ])
    );
    assert_eq!(find(&Sought { visit_type: None, ..sought })["parameter"].as_array().unwrap().len(), 2);
}

fn answer(status: u16, body: &Value) -> Answer {
    let (status, headers) = (StatusCode::from_u16(status).unwrap(), HeaderMap::new());
    Answer { status, headers, body: body.to_string().into_bytes() }
}

fn bundle(resources: &[Value]) -> Value {
    let entries: Vec<Value> = resources.iter().map(|resource| json!({"resource": resource})).collect();
    json!({"resourceType": "Bundle", "type": "searchset", "entry": entries})
}

fn appointment(status: &str) -> Value {
    json!({"resourceType": "Appointment", "id": "held", "meta": {"versionId": "2"}, "status": status})
}

fn outcome(severity: &str, code: &str) -> Value {
    json!({"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": code, "diagnostics": "p was here"}]})
}

fn said(wanted: Standing, status: u16, body: &Value) -> String {
    match answered(wanted, &answer(status, body)) {
        None => "its status says all".to_owned(),
        Some(Sent::Confirmed(stored)) => format!("confirmed {} {}", stored.id, stored.version.unwrap_or_default()),
        Some(Sent::Declined { reason }) => reason.to_owned(),
        Some(Sent::Rejected { reason, outcome }) => format!("rejected {reason} {}", outcome.is_some()),
        Some(Sent::NotStored { reason, .. }) => format!("not stored {reason}"),
        Some(Sent::Unknown { reason }) => format!("unknown {reason}"),
        Some(other) => panic!("{other:?}"),
    }
}

#[test]
fn an_answer_counts_by_what_stands_in_it_and_not_by_its_status_alone() {
    use Standing::{Booked, Cancelled, Held};
    let well = outcome("information", "informational");
    for (wanted, status, body, expected) in [
        (Held, 200, bundle(&[appointment("pending")]), "confirmed held 2"),
        (Held, 200, bundle(&[well.clone(), appointment("pending")]), "confirmed held 2"),
        (Held, 201, appointment("pending"), "confirmed held 2"),
        (Booked, 200, bundle(&[appointment("booked"), outcome("warning", "informational")]), "confirmed held 2"),
        (Cancelled, 200, bundle(&[appointment("cancelled")]), "confirmed held 2"),
        // The same status, and the opposite of it.
        (Held, 200, bundle(&[outcome("fatal", "not-found")]), SLOT_TAKEN),
        (Held, 200, bundle(&[appointment("cancelled")]), SLOT_TAKEN),
        (Booked, 200, bundle(&[outcome("error", "conflict")]), SLOT_TAKEN),
        (Booked, 200, bundle(&[appointment("pending")]), "unknown operation-other-status"),
        (Held, 200, bundle(&[appointment("booked")]), "unknown operation-other-status"),
        (Held, 200, bundle(std::slice::from_ref(&well)), "unknown operation-no-appointment"),
        (Held, 200, bundle(&[json!({"resourceType": "Appointment", "status": "pending"})]), "unknown operation-no-id"),
        (Held, 409, outcome("error", "conflict"), SLOT_TAKEN),
        (Held, 404, outcome("error", "not-found"), SLOT_TAKEN),
        (Cancelled, 404, outcome("error", "not-found"), "not stored operation-not-found"),
        (Held, 422, outcome("error", "business-rule"), "rejected operation-business-rule true"),
        (Held, 200, bundle(&[outcome("error", "Business Rule")]), "rejected operation-refused true"),
        (Held, 200, bundle(&[outcome("error", "throttled")]), "not stored operation-transient"),
        (Booked, 200, bundle(&[outcome("fatal", "exception")]), "unknown operation-exception"),
        (Held, 404, outcome("error", "not-supported"), "its status says all"),
        (Held, 409, well, "its status says all"),
        (Held, 500, outcome("fatal", "not-found"), "its status says all"),
        (Held, 429, outcome("error", "throttled"), "its status says all"),
        (Held, 422, appointment("pending"), "its status says all"),
        (Held, 200, bundle(&[]), "its status says all"),
    ] {
        assert_eq!(said(wanted, status, &body), expected, "{wanted:?} {status} {body}");
    }
    let html = Answer { body: b"<html>".to_vec(), ..answer(200, &Value::Null) };
    assert!(answered(Held, &html).is_none());
}

#[test]
fn a_search_that_failed_is_not_a_search_that_found_nothing() {
    let refused = |resources: &[Value]| is_refusal(bundle(resources).to_string().as_bytes());
    assert!(refused(&[outcome("fatal", "processing")]));
    assert!(!refused(&[]) && !refused(&[outcome("warning", "processing")]));
    assert!(!refused(&[appointment("proposed"), outcome("error", "processing")]));
    assert!(!is_refusal(b"<html>"));
}

proptest! {
    /// Whatever an EHR answers, a time is only believed to be had where an Appointment with an id says so.
    #[test]
    fn nothing_is_had_that_no_appointment_says(
        status in prop::sample::select(vec![200u16, 201, 202, 400, 404, 409, 412, 422, 500]),
        word in prop::sample::select(vec!["pending", "booked", "cancelled", "proposed", "", "fulfilled"]),
        severity in prop::sample::select(vec!["fatal", "error", "warning", "information"]),
        code in prop::sample::select(vec!["not-found", "conflict", "exception", "login", "not-supported", ""]),
        has_visit: bool, has_id: bool, has_outcome: bool,
    ) {
        let mut visit = appointment(word);
        if !has_id {
            visit.as_object_mut().unwrap().remove("id");
        }
        let visit = has_visit.then_some(visit);
        let body = bundle(&visit.into_iter().chain(has_outcome.then(|| outcome(severity, code))).collect::<Vec<_>>());
        for (standing, fits) in [(Standing::Held, "pending"), (Standing::Booked, "booked"), (Standing::Cancelled, "cancelled")] {
            let is_had = matches!(answered(standing, &answer(status, &body)), Some(Sent::Confirmed(_)));
            prop_assert_eq!(is_had, has_visit && has_id && word == fits && matches!(status, 200 | 201));
        }
    }
}
