//! Creating resources, with and without a condition.

use super::*;

#[tokio::test]
async fn a_created_resource_gets_an_id_a_version_and_its_headers() {
    let bench = bench().await;
    let response = bench.post(&json!({ "resourceType": "Patient", "id": "mine" })).await;
    assert_eq!(response.status(), StatusCode::CREATED);
    assert_eq!(header(&response, "ETag"), "W/\"1\"");
    assert_eq!(header(&response, "Last-Modified"), "Sun, 01 Mar 2026 08:00:00 GMT");
    assert_eq!(header(&response, "Date"), "Sun, 01 Mar 2026 08:00:00 GMT");
    let location = header(&response, "Location").to_owned();
    let stored: Value = response.json().await.unwrap();
    assert_ne!(stored["id"], "mine", "the server gives the id");
    assert_eq!(location, format!("{}/Patient/{}/_history/1", bench.sandbox.fhir_base(), id(&stored)));
    assert_eq!(stored["meta"], json!({ "versionId": "1", "lastUpdated": "2026-03-01T08:00:00.000Z" }));
    assert_eq!(bench.sandbox.resources("Patient"), [stored]);
}

#[tokio::test]
async fn the_labels_in_meta_survive_the_server_stamping_it() {
    let bench = bench().await;
    let labelled = json!({ "resourceType": "Patient", "meta": { "versionId": "9", "tag": [{ "code": "x" }] } });
    let stored = bench.stored(&labelled).await;
    assert_eq!(stored["meta"]["tag"], json!([{ "code": "x" }]));
    assert_eq!(stored["meta"]["versionId"], "1");
}

#[tokio::test]
async fn a_client_chooses_what_a_write_answers_with() {
    let bench = bench().await;
    let patient = json!({ "resourceType": "Patient" });
    let minimal = bench.posting(&patient).header("Prefer", "respond-async, return=minimal").send().await.unwrap();
    assert_eq!((minimal.status(), header(&minimal, "ETag")), (StatusCode::CREATED, "W/\"1\""));
    assert_eq!(minimal.text().await.unwrap(), "");
    let outcome = bench.posting(&patient).header("Prefer", "return=OperationOutcome").send().await.unwrap();
    assert_eq!(outcome.json::<Value>().await.unwrap()["issue"][0]["severity"], "information");
}

#[tokio::test]
async fn a_conditional_create_stores_once_and_then_hands_back_what_is_there() {
    let bench = bench().await;
    let patient = bench.patient().await;
    let conditional = |value: i32| {
        let mut resource = mood(&patient, "r-1");
        resource["valueInteger"] = json!(value);
        bench.posting(&resource).header("If-None-Exist", "identifier=urn:mostik:reading|r-1").send()
    };
    let first = conditional(4).await.unwrap();
    let second = conditional(5).await.unwrap();
    assert_eq!((first.status(), second.status()), (StatusCode::CREATED, StatusCode::OK));
    assert_eq!(header(&first, "Location"), header(&second, "Location"));
    assert_eq!(second.json::<Value>().await.unwrap()["valueInteger"], 4, "the second body is ignored");
    assert_eq!(bench.sandbox.resources("Observation").len(), 1);
}

#[tokio::test]
async fn concurrent_conditional_creates_store_one_resource() {
    let bench = bench().await;
    let patient = bench.patient().await;
    let calls = (0..20).map(|_| {
        bench.posting(&mood(&patient, "r-1")).header("If-None-Exist", "identifier=urn:mostik:reading|r-1").send()
    });
    let answers = futures_util::future::join_all(calls).await;
    let created = answers.into_iter().filter(|answer| answer.as_ref().unwrap().status() == StatusCode::CREATED);
    assert_eq!(created.count(), 1);
    assert_eq!(bench.sandbox.resources("Observation").len(), 1);
}

#[tokio::test]
async fn a_condition_that_matches_several_is_refused() {
    let bench = bench().await;
    let patient = bench.patient().await;
    bench.stored(&mood(&patient, "r-1")).await;
    bench.stored(&mood(&patient, "r-1")).await;
    let third = bench.posting(&mood(&patient, "r-1")).header("If-None-Exist", "identifier=urn:mostik:reading%7Cr-1");
    refused(third.send().await.unwrap(), 412, "multiple-matches").await;
}

#[tokio::test]
async fn a_condition_that_is_not_understood_is_never_ignored() {
    let bench = bench().await;
    let patient = bench.patient().await;
    let with =
        |condition: &'static str| bench.posting(&mood(&patient, "r-1")).header("If-None-Exist", condition).send();
    refused(with("shoe-size=44").await.unwrap(), 400, "not-supported").await;
    refused(with("identifier=,").await.unwrap(), 400, "value").await;
    refused(with("identifier=|").await.unwrap(), 400, "value").await;
    refused(with("identifier=").await.unwrap(), 412, "incomplete").await;
    refused(with("identifier=\u{fc}").await.unwrap(), 400, "invalid").await;
    assert!(bench.sandbox.resources("Observation").is_empty());
}

#[tokio::test]
async fn a_deleted_resource_no_longer_stops_a_conditional_create() {
    let bench = bench().await;
    let patient = bench.patient().await;
    let first = bench.stored(&mood(&patient, "r-1")).await;
    bench.delete(&first).await;
    let again = bench.posting(&mood(&patient, "r-1")).header("If-None-Exist", "identifier=urn:mostik:reading|r-1");
    assert_eq!(again.send().await.unwrap().status(), StatusCode::CREATED);
}

#[tokio::test]
async fn an_observation_needs_its_elements_and_a_patient_of_this_server() {
    let bench = bench().await;
    let patient = bench.patient().await;
    let without = |element: &str| {
        let mut resource = mood(&patient, "r-1");
        resource.as_object_mut().unwrap().remove(element);
        resource
    };
    for element in ["status", "code", "subject"] {
        let outcome = refused(bench.post(&without(element)).await, 422, "required").await;
        assert_eq!(outcome["issue"][0]["expression"], json!([format!("Observation.{element}")]));
    }
    for reference in ["Patient/nobody", "Practitioner/1", "https://elsewhere.example/fhir/Patient/1"] {
        let mut resource = mood(&patient, "r-1");
        resource["subject"]["reference"] = json!(reference);
        let outcome = refused(bench.post(&resource).await, 422, "not-found").await;
        assert_eq!(outcome["issue"][0]["expression"], json!(["Observation.subject"]));
    }
    let mut absolute = mood(&patient, "r-1");
    absolute["subject"]["reference"] = json!(format!("{}/Patient/{patient}", bench.sandbox.fhir_base()));
    assert_eq!(bench.post(&absolute).await.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn a_deleted_patient_takes_no_more_observations() {
    let bench = bench().await;
    let patient = bench.stored(&json!({ "resourceType": "Patient" })).await;
    bench.delete(&patient).await;
    refused(bench.post(&mood(&id(&patient), "r-1")).await, 422, "not-found").await;
}

#[tokio::test]
async fn a_body_that_is_no_fhir_json_is_refused() {
    let bench = bench().await;
    let send = |content_type: &'static str, body: &'static str| {
        bench.call(Method::POST, "/Patient").header("Content-Type", content_type).body(body).send()
    };
    refused(send("application/fhir+json", "{").await.unwrap(), 400, "structure").await;
    refused(send("application/fhir+json", "[]").await.unwrap(), 400, "structure").await;
    refused(send("application/fhir+json", "").await.unwrap(), 400, "required").await;
    refused(send("text/plain", "{\"resourceType\":\"Patient\"}").await.unwrap(), 415, "not-supported").await;
    refused(send("application/fhir+json", "{\"resourceType\":\"Device\"}").await.unwrap(), 422, "invalid").await;
    let empty = "{\"resourceType\":\"Patient\",\"name\":[{\"given\":[\"\"]}]}";
    let outcome = refused(send("application/fhir+json", empty).await.unwrap(), 422, "structure").await;
    assert_eq!(outcome["issue"][0]["expression"], json!(["Patient.name[0].given[0]"]));
    let meta = "{\"resourceType\":\"Patient\",\"meta\":\"x\"}";
    refused(send("application/fhir+json", meta).await.unwrap(), 422, "structure").await;
    let good = send("application/fhir+json; charset=utf-8", "{\"resourceType\":\"Patient\"}").await.unwrap();
    assert_eq!(good.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn a_body_above_one_mebibyte_is_refused_and_one_of_that_size_is_not() {
    let bench = bench().await;
    let sized = |size: usize| {
        let frame = json!({ "resourceType": "Patient", "language": "" }).to_string().len();
        json!({ "resourceType": "Patient", "language": "x".repeat(size - frame) })
    };
    assert_eq!(bench.post(&sized(1024 * 1024)).await.status(), StatusCode::CREATED);
    refused(bench.post(&sized(1024 * 1024 + 1)).await, 413, "too-long").await;
}
