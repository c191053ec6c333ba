//! Both offline validators: every resource that leaves the bridge must pass each.

use serde_json::Value;

use super::http;
use super::parts::part;

/// Fails with every issue found. Without validators it says so, and passes.
pub async fn assert_valid(resource: &Value) {
    let Some(validators) = part("MOSTIK_TEST_VALIDATORS", "the FHIR validators") else { return };
    assert!(validators.split_whitespace().count() >= 2, "expected two validators");
    for validator in validators.split_whitespace() {
        let got = http::call(reqwest::Method::POST, validator, None, Some(resource)).await;
        assert_eq!(got.status, 200, "{validator} {:?}", got.json);
        assert_eq!(got.json["valid"], true, "{validator}\n{:#}\n{resource:#}", got.json["issues"]);
    }
}
