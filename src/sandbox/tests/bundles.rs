//! Batches and transactions.

use super::*;

async fn send(bench: &Bench, kind: &str, entries: Value) -> Response {
    let bundle = json!({ "resourceType": "Bundle", "type": kind, "entry": entries });
    bench.call(Method::POST, "").json(&bundle).send().await.unwrap()
}

fn post_entry(resource: &Value) -> Value {
    json!({ "resource": resource, "request": { "method": "POST", "url": resource["resourceType"] } })
}

fn statuses(bundle: &Value) -> Vec<&str> {
    bundle["entry"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["response"]["status"].as_str().unwrap()[..3])
        .collect()
}

/// A mood of a patient who is created by another entry of the same bundle.
fn mood_of_entry(full_url: &str) -> Value {
    let mut resource = mood("x", "r-1");
    resource["subject"]["reference"] = json!(full_url);
    resource
}

#[tokio::test]
async fn each_entry_of_a_batch_stands_for_itself() {
    let bench = bench().await;
    let patient = bench.patient().await;
    let mut conditional = post_entry(&mood(&patient, "r-1"));
    conditional["request"]["ifNoneExist"] = json!("identifier=urn:mostik:reading|r-1");
    let read = json!({ "request": { "method": "GET", "url": format!("Patient/{patient}") } });
    let search = json!({ "request": { "method": "GET", "url": "Observation?identifier=r-1" } });
    let recursive = json!({ "request": { "method": "POST", "url": "" } });
    let entries = json!([conditional, conditional, post_entry(&mood("nobody", "r-2")), read, search, recursive, {}]);
    let response = send(&bench, "batch", entries).await;
    assert_eq!(response.status(), StatusCode::OK);
    let bundle: Value = response.json().await.unwrap();
    assert_eq!(bundle["type"], "batch-response");
    assert_eq!(statuses(&bundle), ["201", "200", "422", "200", "200", "405", "400"]);
    let created = &bundle["entry"][0]["response"];
    assert_eq!((&created["etag"], &created["lastModified"]), (&json!("W/\"1\""), &json!("2026-03-01T08:00:00.000Z")));
    assert!(created["location"].as_str().unwrap().ends_with("/_history/1"));
    assert_eq!(bundle["entry"][2]["response"]["outcome"]["resourceType"], "OperationOutcome");
    assert_eq!(bundle["entry"][3]["resource"]["id"], json!(patient));
    assert_eq!(bundle["entry"][4]["resource"]["total"], 1);
}

#[tokio::test]
async fn the_entries_of_a_transaction_refer_to_each_other_in_any_order() {
    let bench = bench().await;
    let mut observation = post_entry(&mood_of_entry("urn:uuid:p"));
    observation["fullUrl"] = json!("urn:uuid:o");
    let mut patient = post_entry(&json!({ "resourceType": "Patient" }));
    patient["fullUrl"] = json!("urn:uuid:p");
    let provenance = json!({ "resourceType": "Provenance", "target": [{ "reference": "urn:uuid:o" }],
        "recorded": "2026-03-01T08:00:00Z", "agent": [{ "who": { "display": "bridge" } }] });
    let response = send(&bench, "transaction", json!([post_entry(&provenance), observation, patient])).await;
    let bundle: Value = response.json().await.unwrap();
    assert_eq!(bundle["type"], "transaction-response");
    assert_eq!(statuses(&bundle), ["201", "201", "201"]);
    let (provenance, observation) = (&bundle["entry"][0]["resource"], &bundle["entry"][1]["resource"]);
    assert_eq!(provenance["target"][0]["reference"], json!(format!("Observation/{}", id(observation))));
    let patient = format!("Patient/{}", id(&bundle["entry"][2]["resource"]));
    assert_eq!(observation["subject"]["reference"], json!(patient));
}

#[tokio::test]
async fn a_transaction_with_one_refused_entry_leaves_no_trace() {
    let bench = bench().await;
    let patient = bench.patient().await;
    let stored = bench.stored(&mood(&patient, "r-0")).await;
    let mut changed = stored.clone();
    changed["identifier"][0]["value"] = json!("r-9");
    let url = format!("Observation/{}", id(&stored));
    let update = json!({ "resource": changed, "request": { "method": "PUT", "url": url, "ifMatch": "W/\"1\"" } });
    let read = json!({ "request": { "method": "GET", "url": "Patient/nobody" } });
    let response = send(&bench, "transaction", json!([post_entry(&mood(&patient, "r-1")), update, read])).await;
    let outcome = refused(response, 404, "not-found").await;
    assert_eq!(outcome["issue"][0]["expression"], json!(["Bundle.entry[2]"]));
    assert_eq!(bench.sandbox.resources("Observation"), [stored]);
    assert_eq!(bench.found("/Observation?identifier=r-0").await["total"], 1);
    assert_eq!(bench.found("/Observation?identifier=r-1,r-9").await["total"], 0);
}

#[tokio::test]
async fn a_conditional_entry_of_a_transaction_refers_to_what_is_there() {
    let bench = bench().await;
    let known = json!({ "resourceType": "Patient", "identifier": [{ "system": "s", "value": "p-1" }] });
    let existing = id(&bench.stored(&known).await);
    let mut patient = post_entry(&known);
    patient["fullUrl"] = json!("urn:uuid:p");
    patient["request"]["ifNoneExist"] = json!("identifier=s|p-1");
    let response = send(&bench, "transaction", json!([patient, post_entry(&mood_of_entry("urn:uuid:p"))])).await;
    let bundle: Value = response.json().await.unwrap();
    assert_eq!(statuses(&bundle), ["200", "201"]);
    let reference = &bundle["entry"][1]["resource"]["subject"]["reference"];
    assert_eq!(*reference, json!(format!("Patient/{existing}")));
}

#[tokio::test]
async fn two_entries_of_a_transaction_cannot_create_the_same_resource() {
    let bench = bench().await;
    let known = json!({ "resourceType": "Patient", "identifier": [{ "system": "s", "value": "p-1" }] });
    let entry = |name: &str| {
        let mut entry = post_entry(&known);
        entry["fullUrl"] = json!(name);
        entry["request"]["ifNoneExist"] = json!("identifier=s|p-1");
        entry
    };
    let response = send(&bench, "transaction", json!([entry("urn:uuid:a"), entry("urn:uuid:b")])).await;
    refused(response, 400, "duplicate").await;
    assert!(bench.sandbox.resources("Patient").is_empty());
}

#[tokio::test]
async fn what_is_no_batch_and_no_transaction_is_refused() {
    let bench = bench().await;
    refused(send(&bench, "document", json!([])).await, 422, "value").await;
    let patient = bench.call(Method::POST, "").json(&json!({ "resourceType": "Patient" })).send().await.unwrap();
    refused(patient, 422, "invalid").await;
}
