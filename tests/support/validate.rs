//! Both offline validators: every resource that leaves the bridge must pass each, as what it claims to be and as what the
//! profile of ours wants.

use serde_json::Value;

use super::http;
use super::parts::part;
use super::profiles::{PROFILES, claiming};

/// Fails with every issue found. Without validators it says so, and passes.
pub async fn assert_valid(resource: &Value) {
    let resource = claiming(resource);
    for (validator, verdict) in verdicts(&resource).await {
        assert_eq!(verdict["valid"], true, "{validator}\n{:#}\n{resource:#}", verdict["issues"]);
        let unknown = verdict["unknown_profiles"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let ours: Vec<&str> = unknown.filter(|url| url.starts_with(PROFILES)).collect();
        assert!(ours.is_empty(), "{validator} does not know {ours:?}");
    }
}

/// What each validator says of a resource as it stands. None without validators, and says so.
pub async fn verdicts(resource: &Value) -> Vec<(String, Value)> {
    let Some(validators) = part("MOSTIK_TEST_VALIDATORS", "the FHIR validators") else { return Vec::new() };
    assert!(validators.split_whitespace().count() >= 2, "expected two validators");
    let mut verdicts = Vec::new();
    for validator in validators.split_whitespace() {
        let got = http::call(reqwest::Method::POST, validator, None, Some(resource)).await;
        assert_eq!(got.status, 200, "{validator} {:?}", got.json);
        verdicts.push((validator.to_owned(), got.json));
    }
    verdicts
}
