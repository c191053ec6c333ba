//! Updating and deleting under optimistic locking.

use super::*;

#[tokio::test]
async fn an_update_of_the_version_that_was_read_makes_the_next() {
    let bench = bench().await;
    let patient = bench.stored(&json!({ "resourceType": "Patient" })).await;
    let response = bench.put(&patient, "W/\"1\"").send().await.unwrap();
    assert_eq!((response.status(), header(&response, "ETag")), (StatusCode::OK, "W/\"2\""));
    assert!(header(&response, "Location").ends_with("/_history/2"));
    assert_eq!(response.json::<Value>().await.unwrap()["meta"]["versionId"], "2");
}

#[tokio::test]
async fn an_update_of_a_stale_version_changes_nothing() {
    let bench = bench().await;
    let mut patient = bench.stored(&json!({ "resourceType": "Patient" })).await;
    bench.put(&patient, "W/\"1\"").send().await.unwrap();
    patient["active"] = json!(true);
    refused(bench.put(&patient, "W/\"1\"").send().await.unwrap(), 412, "conflict").await;
    assert_eq!(bench.sandbox.resources("Patient")[0]["active"], Value::Null);
}

#[tokio::test]
async fn an_update_without_if_match_is_refused() {
    let bench = bench().await;
    let patient = bench.stored(&json!({ "resourceType": "Patient" })).await;
    let blind = bench.call(Method::PUT, &format!("/Patient/{}", id(&patient))).json(&patient);
    refused(blind.send().await.unwrap(), 400, "required").await;
}

#[tokio::test]
async fn an_update_never_creates() {
    let bench = bench().await;
    let patient = json!({ "resourceType": "Patient", "id": "new" });
    refused(bench.put(&patient, "W/\"1\"").send().await.unwrap(), 405, "not-supported").await;
    assert!(bench.sandbox.resources("Patient").is_empty());
}

#[tokio::test]
async fn an_update_is_validated_like_a_create() {
    let bench = bench().await;
    let patient = bench.patient().await;
    let mut stored = bench.stored(&mood(&patient, "r-1")).await;
    stored["subject"]["reference"] = json!("Patient/nobody");
    refused(bench.put(&stored, "W/\"1\"").send().await.unwrap(), 422, "not-found").await;
    let elsewhere = json!({ "resourceType": "Patient", "id": "other" });
    let crossed = bench.call(Method::PUT, &format!("/Patient/{patient}")).header("If-Match", "W/\"1\"");
    refused(crossed.json(&elsewhere).send().await.unwrap(), 400, "invalid").await;
}

#[tokio::test]
async fn a_deleted_resource_takes_no_updates() {
    let bench = bench().await;
    let patient = bench.stored(&json!({ "resourceType": "Patient" })).await;
    bench.delete(&patient).await;
    refused(bench.put(&patient, "W/\"2\"").send().await.unwrap(), 410, "deleted").await;
}

#[tokio::test]
async fn a_delete_of_a_stale_version_deletes_nothing() {
    let bench = bench().await;
    let patient = bench.stored(&json!({ "resourceType": "Patient" })).await;
    let path = format!("/Patient/{}", id(&patient));
    let stale = bench.call(Method::DELETE, &path).header("If-Match", "W/\"7\"").send().await.unwrap();
    refused(stale, 412, "conflict").await;
    assert_eq!(bench.sandbox.resources("Patient").len(), 1);
}

#[tokio::test]
async fn a_search_by_identifier_follows_an_update() {
    let bench = bench().await;
    let patient = bench.patient().await;
    let mut stored = bench.stored(&mood(&patient, "r-1")).await;
    stored["identifier"][0]["value"] = json!("r-2");
    bench.put(&stored, "W/\"1\"").send().await.unwrap();
    assert_eq!(bench.found("/Observation?identifier=r-1").await["total"], 0);
    assert_eq!(bench.found("/Observation?identifier=r-2").await["total"], 1);
}
