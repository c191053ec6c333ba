use serde_json::json;

use super::*;
use crate::domain::questionnaire::Instrument;
use crate::domain::recommendation::AppointmentNews;

const EAR: Ear<'static> =
    Ear { base: "https://ehr.example/fhir/", identifier_system: "urn:own", owner: Some("Device/mostik") };

fn of(resource: &Value) -> Result<Vec<Advice>, NoAdvice> {
    read(resource, None, EAR)
}

fn one(resource: &Value) -> Advice {
    of(resource).unwrap().pop().unwrap()
}

fn task() -> Value {
    json!({
        "resourceType": "Task", "id": "t1", "meta": {"versionId": "3", "lastUpdated": "2026-11-20T10:00:00Z"},
        "status": "requested", "intent": "order", "for": {"reference": "Patient/p1"}, "owner": {"reference": "Patient/p1"},
        "description": "Walk half an hour a day", "requester": {"display": "Dr. Ada"}, "authoredOn": "2026-11-19",
        "restriction": {"period": {"end": "2026-12-01"}},
    })
}

fn with(mut resource: Value, name: &str, value: Value) -> Value {
    resource[name] = value;
    resource
}

#[test]
fn a_task_of_the_patient_is_something_to_do() {
    let advice = one(&task());
    assert_eq!((advice.kind, advice.standing), (RecommendationKind::Task, Standing::Open));
    assert_eq!((advice.patient.as_str(), advice.version.as_deref()), ("p1", Some("3")));
    let says = advice.says;
    assert_eq!((says.text.as_str(), says.by.as_deref()), ("Walk half an hour a day", Some("Dr. Ada")));
    assert!(says.is_actionable && says.is_answerable && !says.is_unclear);
    assert_eq!(serde_json::to_value(says.until).unwrap(), json!({"day": "2026-12-01"}));
}

#[test]
fn a_task_of_somebody_at_the_clinic_is_none_of_the_patients() {
    for owner in [json!(null), json!({"reference": "Practitioner/7"}), json!({"reference": "Patient/p2"})] {
        assert_eq!(of(&with(task(), "owner", owner)), Err(NoAdvice::NotForThem));
    }
    assert!(of(&with(task(), "owner", json!({"reference": "Device/mostik"}))).is_ok(), "the bridge stands for them");
    let absolute = json!({"reference": "https://ehr.example/fhir/Patient/p1/_history/2"});
    assert_eq!(one(&with(task(), "for", absolute)).patient, "p1");
    let elsewhere = json!({"reference": "https://other.example/fhir/Patient/p1"});
    assert_eq!(of(&with(task(), "for", elsewhere)), Err(NoAdvice::NoPatient));
}

#[test]
fn what_is_not_understood_is_unclear_and_nothing_of_it_is_told() {
    let marked = json!([{"url": "https://example.org/negated", "valueBoolean": true}]);
    let deep = json!({"period": {"end": "2026-12-01"}, "modifierExtension": marked});
    for resource in [
        with(task(), "modifierExtension", marked.clone()),
        with(task(), "implicitRules", json!("https://example.org/rules")),
        with(task(), "restriction", deep),
        with(task(), "status", json!("half-done")),
    ] {
        let says = one(&resource).says;
        assert!(says.is_unclear && !says.is_actionable && !says.is_answerable, "{resource}");
        assert_eq!(says.text, "");
    }
    assert!(!one(&with(task(), "modifierExtension", json!([]))).says.is_unclear, "nothing is no mark");
}

#[test]
fn a_focus_says_what_it_is_about_and_what_is_not_to_be_done() {
    let order = json!({"resourceType": "ServiceRequest", "id": "s1", "status": "active", "doNotPerform": true,
        "code": {"text": "Alcohol"}, "patientInstruction": "Not while you take this."});
    let about = with(task(), "focus", json!({"reference": "ServiceRequest/s1"}));
    let advice = read(&about, Some(&order), EAR).unwrap().pop().unwrap();
    assert_eq!(advice.focus, Some(("ServiceRequest".to_owned(), "s1".to_owned())));
    assert_eq!(advice.says.text, "Walk half an hour a day\n\nAlcohol\n\nNot while you take this.");
    assert!(advice.says.is_not_to_be_done && !advice.says.is_actionable);
    let strange = with(order, "doNotPerform", json!("perhaps"));
    assert!(read(&about, Some(&strange), EAR).unwrap().pop().unwrap().says.is_unclear);
}

#[test]
fn a_questionnaire_that_the_bridge_has_is_found_by_its_address_or_by_loinc() {
    let form = json!({"resourceType": "Questionnaire", "id": "q", "title": "PHQ-9", "status": "active",
        "code": [{"system": "http://loinc.org", "code": "44249-1"}]});
    let asked = with(task(), "focus", json!({"reference": "Questionnaire/q"}));
    let advice = read(&asked, Some(&form), EAR).unwrap().pop().unwrap();
    assert_eq!(advice.kind, RecommendationKind::Questionnaire);
    assert_eq!(advice.says.questionnaire, Some(Instrument::Phq9));
    let input =
        json!([{"type": {"text": "questionnaire"}, "valueCanonical": format!("{}|1.0.0", Instrument::Gad7.url())}]);
    assert_eq!(one(&with(task(), "input", input)).says.questionnaire, Some(Instrument::Gad7));
    let unknown = one(&with(task(), "focus", json!({"reference": "Questionnaire/other"})));
    assert_eq!((unknown.kind, unknown.says.questionnaire), (RecommendationKind::Questionnaire, None));
}

fn message(kind: &str, status: &str) -> Value {
    json!({
        "resourceType": kind, "id": "m1", "status": status, "subject": {"reference": "Patient/p1"},
        "recipient": [{"reference": "Patient/p1"}], "sender": {"reference": "Practitioner/7", "display": "Dr. Ada"},
        "payload": [{"contentString": "See you on Monday."}], "sent": "2026-11-20T10:00:00+01:00",
    })
}

#[test]
fn a_message_to_the_patient_is_told_and_one_from_them_is_not() {
    let advice = one(&message("Communication", "completed"));
    assert_eq!((advice.kind, advice.says.text.as_str()), (RecommendationKind::Communication, "See you on Monday."));
    assert!(!advice.says.is_actionable && advice.says.is_answerable);
    let own = with(message("Communication", "completed"), "sender", json!({"reference": "Patient/p1"}));
    assert_eq!(of(&own), Err(NoAdvice::NotForThem));
    let inside = with(message("Communication", "completed"), "recipient", json!([{"reference": "Practitioner/8"}]));
    assert_eq!(of(&inside), Err(NoAdvice::NotForThem));
    let ours = with(message("Communication", "completed"), "identifier", json!([{"system": "urn:own", "value": "1"}]));
    assert_eq!(of(&ours), Err(NoAdvice::Own));
    let not = with(message("CommunicationRequest", "active"), "doNotPerform", json!(true));
    assert_eq!(one(&not).standing, Standing::Withdrawn);
}

#[test]
fn drafts_and_what_was_taken_back_are_withdrawn() {
    for status in ["draft", "on-hold", "cancelled", "failed", "entered-in-error"] {
        assert_eq!(one(&with(task(), "status", json!(status))).standing, Standing::Withdrawn, "{status}");
    }
    for status in ["draft", "on-hold", "revoked", "entered-in-error"] {
        assert_eq!(one(&message("CommunicationRequest", status)).standing, Standing::Withdrawn, "{status}");
    }
}

#[test]
fn markup_becomes_text_and_scripts_are_gone() {
    let html = "<p>Dear <b>Ms X</b>,</p><script>alert(1)</script><style>p{}</style><ul><li>walk</li><li>sleep &amp; eat</li></ul>\
        <img src=\"https://evil.example/p.gif\" onerror=\"alert(2)\"/><a href=\"javascript:alert(3)\">here</a>";
    let payload = json!([{"contentAttachment": {"contentType": "text/html; charset=utf-8",
        "data": base64::Engine::encode(&base64::engine::general_purpose::STANDARD, html)}},
        {"contentAttachment": {"contentType": "application/pdf", "title": "Leaflet", "data": "AAAA"}}]);
    let text = one(&with(message("Communication", "completed"), "payload", payload)).says.text;
    assert!(text.contains("Dear Ms X,") && text.contains("sleep & eat") && text.contains("here"), "{text}");
    assert!(text.ends_with("Leaflet"), "{text}");
    for gone in ["alert", "evil", "javascript", "<", "p{}"] {
        assert!(!text.contains(gone), "{gone} in {text}");
    }
    let narrative =
        json!({"status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">Only <i>here</i></div>"});
    let silent = with(with(message("Communication", "completed"), "payload", json!([])), "text", narrative);
    assert_eq!(one(&silent).says.text, "Only here");
}

#[test]
fn a_text_cannot_turn_itself_around_or_go_on_for_ever() {
    let payload = json!([{"contentString": format!("a\u{202e}b\u{7}c{}", "x".repeat(30_000))}]);
    let text = one(&with(message("Communication", "completed"), "payload", payload)).says.text;
    assert!(text.starts_with("abcx") && text.ends_with('…') && text.chars().count() == 20_001);
    let deep = "<div>".repeat(5_000);
    assert_eq!(text::of_markup(&deep), "");
}

#[test]
fn a_plan_tells_each_activity_that_speaks_to_the_patient() {
    let plan = json!({"resourceType": "CarePlan", "id": "c1", "status": "active", "intent": "plan",
    "subject": {"reference": "Patient/p1"}, "author": {"display": "Dr. Ada"}, "activity": [
        {"detail": {"status": "not-started", "description": "Keep a diary", "performer": [{"reference": "Patient/p1"}]}},
        {"detail": {"status": "scheduled", "description": "Group on Tuesdays"}},
        {"detail": {"status": "scheduled", "description": "Review the chart", "performer": [{"reference": "Practitioner/7"}]}},
        {"reference": {"reference": "ServiceRequest/s1"}},
        {"id": "a5", "detail": {"status": "stopped", "description": "Old", "performer": [{"reference": "Patient/p1"}]}},
    ]});
    let told = of(&plan).unwrap();
    let told: Vec<_> =
        told.iter().map(|advice| (advice.says.text.as_str(), advice.says.is_actionable, advice.standing)).collect();
    assert_eq!(
        told,
        [
            ("Keep a diary", true, Standing::Open),
            ("Group on Tuesdays", false, Standing::Open),
            ("Old", true, Standing::Withdrawn)
        ]
    );
    let revoked = with(plan, "status", json!("revoked"));
    assert!(of(&revoked).unwrap().iter().all(|advice| advice.standing == Standing::Withdrawn));
}

#[test]
fn an_order_is_told_where_it_speaks_to_the_patient() {
    let order = json!({"resourceType": "ServiceRequest", "id": "s1", "status": "active", "intent": "order",
        "subject": {"reference": "Patient/p1"}, "code": {"text": "Blood test"}});
    assert_eq!(of(&order), Err(NoAdvice::NotForThem));
    let told = one(&with(order, "patientInstruction", json!("Come with an empty stomach.")));
    assert_eq!(told.says.text, "Blood test\n\nCome with an empty stomach.");
    assert!(!told.says.is_actionable);
}

#[test]
fn an_appointment_tells_what_became_of_it_and_a_group_is_nobodys_own() {
    let at = |status: &str| {
        json!({"resourceType": "Appointment", "id": "a1", "status": status, "start": "2026-12-01T09:00:00Z",
            "participant": [{"actor": {"reference": "Patient/p1"}, "status": "accepted"},
                {"actor": {"reference": "Practitioner/7", "display": "Dr. Ada"}, "status": "accepted"}]})
    };
    for (status, news) in [("booked", AppointmentNews::Booked), ("cancelled", AppointmentNews::Cancelled)] {
        let advice = one(&at(status));
        assert_eq!((advice.says.appointment, advice.says.by.as_deref()), (Some(news), Some("Dr. Ada")));
        assert!(!advice.says.is_unclear, "when it is says enough");
    }
    assert_eq!(one(&at("entered-in-error")).standing, Standing::Withdrawn);
    let mut group = at("booked");
    group["participant"][1]["actor"]["reference"] = json!("Patient/p2");
    assert_eq!(of(&group), Err(NoAdvice::NotForThem));
}

#[test]
fn a_page_of_search_results_tells_what_matches() {
    let page = json!({"resourceType": "Bundle", "type": "searchset", "meta": {"lastUpdated": "2026-11-20T10:00:00Z"},
        "link": [{"relation": "next", "url": "https://ehr.example/fhir?page=2"}], "entry": [
            {"resource": {"resourceType": "Task", "id": "1"}, "search": {"mode": "match"}},
            {"resource": {"resourceType": "Patient", "id": "1"}, "search": {"mode": "include"}},
            {"resource": {"resourceType": "OperationOutcome"}, "search": {"mode": "outcome"}},
            {"resource": {"resourceType": "Task", "id": "2"}}]});
    let bundle = Bundle::read(page.to_string().as_bytes()).unwrap();
    assert_eq!((bundle.resources.len(), bundle.next.as_deref()), (2, Some("https://ehr.example/fhir?page=2")));
    assert!(bundle.at.is_some());
    assert!(Bundle::read(b"{\"resourceType\":\"Task\"}").is_err() && Bundle::read(b"<html>").is_err());
}
