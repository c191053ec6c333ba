//! How consents stand, as a clinic's EHR has them.

use serde_json::Value;

use super::bridge::{TestBridge, config_text};
use super::database::Database;
use super::ehr::Ehr;
use super::http;

/// A bridge whose clinic hears how consents stand.
pub async fn hears(database: Database, ehr: &Ehr) -> TestBridge {
    let text = config_text(&database, &ehr.base, "127.0.0.1:0").replace("consent = false", "consent = true");
    TestBridge::start_with(database, &text).await
}

/// Every Consent of the patient, in the EHR's own words.
pub async fn consents(ehr: &Ehr) -> Vec<Value> {
    let url = format!("{}/Consent?patient={}", ehr.base, ehr.patient);
    let got = http::call(reqwest::Method::GET, &url, None, None).await;
    assert_eq!(got.status, 200, "{:?}", got.json);
    let entries = got.json["entry"].as_array().cloned().unwrap_or_default();
    entries.into_iter().map(|mut entry| entry["resource"].take()).collect()
}

/// The one Consent there is: its status, where it stands, and its version.
pub async fn standing(ehr: &Ehr) -> (String, String, String) {
    let found = consents(ehr).await;
    assert_eq!(found.len(), 1, "{found:#?}");
    let text = |pointer: &str| found[0].pointer(pointer).and_then(Value::as_str).unwrap().to_owned();
    (text("/status"), text("/category/1/coding/0/code"), text("/meta/versionId"))
}

/// What [`standing`] says of a Consent.
pub fn is(status: &str, stands: &str, version: &str) -> (String, String, String) {
    (status.to_owned(), stands.to_owned(), version.to_owned())
}
