//! Reading resources, versions and the server's own description.

use super::*;

#[tokio::test]
async fn a_resource_and_each_of_its_versions_can_be_read() {
    let bench = bench().await;
    let mut patient = bench.stored(&json!({ "resourceType": "Patient", "active": true })).await;
    patient["active"] = json!(false);
    bench.clock.advance(jiff::SignedDuration::from_secs(60));
    bench.put(&patient, "W/\"1\"").send().await.unwrap();
    let path = format!("/Patient/{}", id(&patient));
    let current = bench.get(&path).await;
    assert_eq!(header(&current, "ETag"), "W/\"2\"");
    assert_eq!(header(&current, "Last-Modified"), "Sun, 01 Mar 2026 08:01:00 GMT");
    assert_eq!(current.json::<Value>().await.unwrap()["active"], false);
    assert_eq!(bench.found(&format!("{path}/_history/1")).await["active"], true);
    refused(bench.get(&format!("{path}/_history/3")).await, 404, "not-found").await;
}

#[tokio::test]
async fn what_is_not_there_is_404_and_what_is_deleted_is_410() {
    let bench = bench().await;
    let patient = bench.stored(&json!({ "resourceType": "Patient" })).await;
    let path = format!("/Patient/{}", id(&patient));
    refused(bench.get("/Patient/nobody").await, 404, "not-found").await;
    refused(bench.get("/Shoe/1").await, 404, "not-supported").await;
    refused(bench.get("/Patient/1/$everything").await, 404, "not-supported").await;
    assert_eq!(bench.delete(&patient).await.status(), StatusCode::NO_CONTENT);
    assert_eq!(bench.delete(&patient).await.status(), StatusCode::NO_CONTENT, "twice is no error");
    refused(bench.get(&path).await, 410, "deleted").await;
    refused(bench.get(&format!("{path}/_history/2")).await, 410, "deleted").await;
    assert_eq!(bench.found(&format!("{path}/_history/1")).await["id"], patient["id"]);
    assert!(bench.sandbox.resources("Patient").is_empty());
}

#[tokio::test]
async fn a_method_that_is_not_supported_is_405_and_says_which_are() {
    let bench = bench().await;
    let response = bench.call(Method::POST, "/Patient/1").send().await.unwrap();
    assert_eq!(header(&response, "Allow"), "GET, PUT, PATCH, DELETE");
    refused(response, 405, "not-supported").await;
}

#[tokio::test]
async fn only_json_is_spoken() {
    let bench = bench().await;
    let xml = bench.call(Method::GET, "/Patient").header("Accept", "application/fhir+xml").send().await.unwrap();
    refused(xml, 406, "not-supported").await;
    refused(bench.get("/Patient?_format=xml").await, 406, "not-supported").await;
    bench.found("/Patient?_format=json").await;
}

#[tokio::test]
async fn the_id_of_a_request_comes_back_on_answers_and_refusals() {
    let bench = bench().await;
    for path in ["/metadata", "/Patient/nobody"] {
        let response = bench.call(Method::GET, path).header("X-Request-Id", "abc-1").send().await.unwrap();
        assert_eq!(header(&response, "X-Request-Id"), "abc-1");
    }
}

#[tokio::test]
async fn the_capability_statement_says_what_the_bridge_needs_to_know() {
    let bench = bench().await;
    let statement = bench.found("/metadata").await;
    assert_eq!((&statement["fhirVersion"], &statement["kind"]), (&json!("4.0.1"), &json!("instance")));
    let resources = statement["rest"][0]["resource"].as_array().unwrap();
    assert_eq!(resources.len(), 19);
    let observation = resources.iter().find(|resource| resource["type"] == "Observation").unwrap();
    assert_eq!(observation["conditionalCreate"], true);
    assert_eq!(observation["updateCreate"], false);
    assert_eq!(observation["versioning"], "versioned-update");
    let interactions: Vec<_> =
        observation["interaction"].as_array().unwrap().iter().map(|it| it["code"].as_str().unwrap()).collect();
    assert_eq!(observation["operation"], Value::Null);
    assert_eq!(interactions, ["create", "read", "vread", "update", "patch", "delete", "search-type"]);
}

#[tokio::test]
async fn every_search_parameter_in_the_capability_statement_is_taken_in_strict_handling() {
    let bench = bench().await;
    let statement = bench.found("/metadata").await;
    for resource in statement["rest"][0]["resource"].as_array().unwrap() {
        for param in resource["searchParam"].as_array().unwrap() {
            let value = if param["type"] == "date" { "2026" } else { "x" };
            let path = format!("/{}?{}={value}", resource["type"].as_str().unwrap(), param["name"].as_str().unwrap());
            let response = bench.call(Method::GET, &path).header("Prefer", "handling=strict").send().await.unwrap();
            assert_eq!(response.status(), StatusCode::OK, "{path}");
        }
    }
}
