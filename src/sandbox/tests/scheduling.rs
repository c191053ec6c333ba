//! `$find`, `$hold` and `$book`: as IHE ITI Scheduling and Argonaut Scheduling have them.

use super::super::schedule::HOLD_LASTS;
use super::*;

const SYSTEM: &str = "urn:mostik:reading";

impl Bench {
    /// Free Slots of a new Practitioner's, from each of these hours of the second of March on; returns their ids.
    async fn free(&self, hours: &[u32]) -> Vec<String> {
        let doctor = id(&self.stored(&json!({ "resourceType": "Practitioner" })).await);
        let actor = json!([{ "reference": format!("Practitioner/{doctor}") }]);
        let schedule = id(&self.stored(&json!({ "resourceType": "Schedule", "actor": actor })).await);
        let mut slots = Vec::new();
        for hour in hours {
            let slot = json!({ "resourceType": "Slot", "schedule": { "reference": format!("Schedule/{schedule}") },
                "status": "free", "start": format!("2026-03-02T{hour:02}:00:00Z"), "end": format!("2026-03-02T{hour:02}:50:00Z") });
            slots.push(id(&self.stored(&slot).await));
        }
        slots
    }

    async fn operate(&self, path: &str, parameters: Value) -> Response {
        let parameters = json!({ "resourceType": "Parameters", "parameter": parameters });
        self.call(Method::POST, &format!("/Appointment/{path}")).json(&parameters).send().await.unwrap()
    }

    /// The one Appointment that an operation answers with.
    async fn done(&self, path: &str, parameters: Value) -> Value {
        let response = self.operate(path, parameters).await;
        assert_eq!(response.status(), StatusCode::OK);
        let bundle: Value = response.json().await.unwrap();
        assert_eq!((&bundle["total"], bundle["entry"].as_array().unwrap().len()), (&json!(1), 1), "{bundle}");
        bundle["entry"][0]["resource"].clone()
    }

    async fn hold(&self, offer: &str) -> Value {
        self.done("$hold", held(offer)).await
    }

    /// The ids of what is offered on the second of March.
    async fn offered(&self) -> Vec<String> {
        let found = self.found("/Appointment/$find?start=2026-03-02T00:00:00Z&end=2026-03-03T00:00:00Z").await;
        found["entry"].as_array().into_iter().flatten().map(|entry| id(&entry["resource"])).collect()
    }

    async fn status(&self, path: &str) -> String {
        self.found(&format!("/{path}")).await["status"].as_str().unwrap().to_owned()
    }
}

fn held(offer: &str) -> Value {
    json!([{ "name": "appointment-reference", "valueReference": { "reference": format!("Appointment/{offer}"),
        "identifier": { "system": SYSTEM, "value": "ours" } } }])
}

/// An Appointment as it is to stand, whole.
fn whole(appointment: &Value, status: &str, patient: &str) -> Value {
    let mut whole = appointment.clone();
    whole["status"] = json!(status);
    whole["participant"] = json!([{ "actor": { "reference": format!("Patient/{patient}") }, "status": "accepted" }]);
    whole["reasonCode"] = json!([{ "text": "the nights" }]);
    json!([{ "name": "appointment-resource", "resource": whole }])
}

/// Asserts that somebody was too late: nothing but an `OperationOutcome` that says so.
async fn too_late(response: Response) {
    assert_eq!(response.status(), StatusCode::OK, "IHE says it in the Bundle");
    let bundle: Value = response.json().await.unwrap();
    assert_eq!((&bundle["total"], bundle["entry"].as_array().unwrap().len()), (&json!(0), 1));
    let issue = &bundle["entry"][0]["resource"]["issue"][0];
    assert_eq!((&issue["severity"], &issue["code"]), (&json!("fatal"), &json!("not-found")));
}

#[tokio::test]
async fn what_is_free_is_offered_the_earliest_first_and_what_is_held_is_not() {
    let bench = bench().await;
    let slots = bench.free(&[11, 9, 10]).await;
    let offers: Vec<String> = [&slots[1], &slots[2], &slots[0]].map(|slot| format!("slot-{slot}")).into();
    assert_eq!(bench.offered().await, offers);
    let period = json!([{ "name": "start", "valueDateTime": "2026-03-02T09:30:00Z" },
        { "name": "end", "valueDateTime": "2026-03-02T11:30:00+00:00" }]);
    let response = bench.operate("$find?_count=1", period).await;
    let found: Value = response.json().await.unwrap();
    assert_eq!((&found["total"], found["entry"].as_array().unwrap().len()), (&json!(2), 1));
    let first = &found["entry"][0]["resource"];
    assert_eq!((&first["status"], &first["start"]), (&json!("proposed"), &json!("2026-03-02T10:00:00Z")));
    assert_eq!(first["participant"][0]["status"], "needs-action");
    bench.hold(&offers[0]).await;
    assert_eq!(bench.offered().await, offers[1..]);
    assert!(bench.sandbox.resources("Appointment").len() == 1, "what is only offered is not stored");
}

#[tokio::test]
async fn a_search_for_a_kind_of_visit_finds_that_and_what_is_for_anything() {
    let bench = bench().await;
    let slots = bench.free(&[9, 10, 11]).await;
    for (slot, code) in [(&slots[0], "490"), (&slots[1], "57")] {
        let mut typed = bench.found(&format!("/Slot/{slot}")).await;
        typed["serviceType"] = json!([{ "coding": [{ "system": "urn:type", "code": code }] }]);
        bench.put(&typed, "W/\"1\"").send().await.unwrap();
    }
    let query = "start=2026-03-02T00:00:00Z&end=2026-03-03T00:00:00Z&visit-type=urn:type%7C490";
    let found = bench.found(&format!("/Appointment/$find?{query}")).await;
    let found: Vec<_> = found["entry"].as_array().unwrap().iter().map(|entry| id(&entry["resource"])).collect();
    assert_eq!(found, [format!("slot-{}", slots[0]), format!("slot-{}", slots[2])]);
}

#[tokio::test]
async fn of_two_who_hold_a_time_one_has_it_and_the_other_is_told() {
    let bench = bench().await;
    let slots = bench.free(&[9]).await;
    let offer = format!("slot-{}", slots[0]);
    let first = bench.hold(&offer).await;
    assert_eq!((&first["status"], &first["identifier"][0]["value"]), (&json!("pending"), &json!("ours")));
    assert_eq!(bench.status(&format!("Slot/{}", slots[0])).await, "busy-tentative");
    too_late(bench.operate("$hold", held(&offer)).await).await;
    too_late(bench.operate("$hold", held(&id(&first))).await).await;
    refused(bench.operate(&format!("{offer}/$hold"), json!([])).await, 409, "not-found").await;
    let patient = bench.patient().await;
    let others = json!([{ "name": "appointment-reference", "valueReference": { "reference": format!("Appointment/{offer}") } },
        { "name": "patient-resource", "resource": { "resourceType": "Patient", "id": patient } }]);
    too_late(bench.operate("$book", others).await).await;
}

#[tokio::test]
async fn what_is_held_is_booked_as_told_and_freed_when_it_is_cancelled() {
    let bench = bench().await;
    let (slots, patient) = (bench.free(&[9]).await, bench.patient().await);
    let held = bench.hold(&format!("slot-{}", slots[0])).await;
    let nobody = bench.operate("$book", whole(&held, "pending", "nobody")).await;
    refused(nobody, 422, "not-found").await;
    let booked = bench.done("$book", whole(&held, "pending", &patient)).await;
    assert_eq!((&booked["id"], &booked["status"]), (&held["id"], &json!("booked")));
    assert_eq!((&booked["identifier"], &booked["reasonCode"][0]["text"]), (&held["identifier"], &json!("the nights")));
    assert_eq!(booked["participant"].as_array().unwrap().len(), 2, "the practitioner and the patient");
    assert_eq!(bench.status(&format!("Slot/{}", slots[0])).await, "busy");
    bench.clock.advance(HOLD_LASTS);
    assert_eq!(bench.status(&format!("Slot/{}", slots[0])).await, "busy", "a hold that was booked does not end");
    too_late(bench.operate("$book", whole(&booked, "pending", &patient)).await).await;
    assert_eq!(bench.done("$book", whole(&booked, "cancelled", &patient)).await["status"], "cancelled");
    assert_eq!(bench.status(&format!("Slot/{}", slots[0])).await, "free");
    too_late(bench.operate("$book", whole(&booked, "cancelled", &patient)).await).await;
}

#[tokio::test]
async fn a_hold_ends_by_the_clock_and_its_time_is_offered_again() {
    let bench = bench().await;
    let (slots, patient) = (bench.free(&[9]).await, bench.patient().await);
    let offer = format!("slot-{}", slots[0]);
    let held = bench.hold(&offer).await;
    bench.clock.advance(HOLD_LASTS - jiff::SignedDuration::from_millis(1));
    assert!(bench.offered().await.is_empty());
    bench.clock.advance(jiff::SignedDuration::from_millis(1));
    assert_eq!(bench.offered().await, [offer.as_str()]);
    assert_eq!(bench.status(&format!("Appointment/{}", id(&held))).await, "cancelled");
    too_late(bench.operate("$book", whole(&held, "pending", &patient)).await).await;
    assert_ne!(bench.hold(&offer).await["id"], held["id"], "another Appointment");
}

#[tokio::test]
async fn argonaut_holds_and_books_on_the_appointment_itself_and_cancels_by_a_patch() {
    let bench = bench().await;
    let (slots, patient) = (bench.free(&[9]).await, bench.patient().await);
    let offer = format!("slot-{}", slots[0]);
    let held = bench
        .done(&format!("{offer}/$hold"), json!([{ "name": "appt-id", "valueUri": format!("Appointment/{offer}") }]))
        .await;
    let who = json!([{ "name": "patient-id", "valueUri": format!("Patient/{patient}") }, { "name": "comment", "valueString": "the nights" }]);
    let booked = bench.done(&format!("{}/$book", id(&held)), who).await;
    assert_eq!((&booked["status"], &booked["comment"]), (&json!("booked"), &json!("the nights")));
    let patch = |body: Value| {
        let request = bench.call(Method::PATCH, &format!("/Appointment/{}", id(&held)));
        request.header("Content-Type", "application/json-patch+json").body(body.to_string())
    };
    refused(patch(json!([{ "op": "replace", "path": "/id", "value": "x" }])).send().await.unwrap(), 422, "invalid")
        .await;
    refused(patch(json!([{ "op": "test", "path": "/status", "value": "x" }])).send().await.unwrap(), 422, "invalid")
        .await;
    refused(patch(json!({})).send().await.unwrap(), 400, "structure").await;
    let cancel = json!([{ "op": "replace", "path": "/status", "value": "cancelled" }]);
    let stale = patch(cancel.clone()).header("If-Match", "W/\"1\"");
    refused(stale.send().await.unwrap(), 412, "conflict").await;
    let cancelled: Value = patch(cancel).send().await.unwrap().json().await.unwrap();
    assert_eq!(cancelled["status"], "cancelled");
    assert_eq!(bench.status(&format!("Slot/{}", slots[0])).await, "free");
}

#[tokio::test]
async fn what_cannot_be_read_is_refused() {
    let bench = bench().await;
    bench.free(&[9]).await;
    refused(bench.get("/Appointment/$find?start=2026-03-02").await, 400, "required").await;
    refused(bench.get("/Appointment/$find?provider=x").await, 400, "not-supported").await;
    refused(bench.get("/Appointment/$hold").await, 405, "not-supported").await;
    refused(bench.operate("$hold", json!([])).await, 400, "required").await;
    refused(bench.operate("$hold", json!([{ "name": "appointment-reference" }])).await, 400, "structure").await;
    refused(
        bench.operate("x/$hold", json!([{ "name": "appt-id", "valueUri": "Appointment/y" }])).await,
        400,
        "invalid",
    )
    .await;
    refused(bench.operate("$cancel", json!([])).await, 404, "not-supported").await;
    refused(bench.call(Method::POST, "/Patient/$find").send().await.unwrap(), 404, "not-supported").await;
}
