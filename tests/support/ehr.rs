//! EHRs to deliver to: the sandbox, and a FHIR server that nobody here wrote.

use std::net::{Ipv4Addr, SocketAddr};

use mostik::domain::clock::Clock;
use mostik::domain::entropy::Entropy;
use mostik::sandbox::{Fault, FaultKind, Sandbox};
use reqwest::Method;
use serde_json::{Value, json};

use super::http;
use super::parts::part;

/// An EHR with a Patient of the test's own.
pub struct Ehr {
    pub base: String,
    pub patient: String,
    pub sandbox: Option<Sandbox>,
}

impl Ehr {
    /// The sandbox, fresh.
    pub async fn sandbox() -> Self {
        Self::sandbox_by(Clock::System).await
    }

    /// The sandbox, fresh, by this clock.
    pub async fn sandbox_by(clock: Clock) -> Self {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let sandbox = Sandbox::start(listen, clock, Entropy::System).await.unwrap();
        Self::at(sandbox.fhir_base(), Some(sandbox)).await
    }

    /// A sandbox that does not say what it can do, so that no create is conditional: the bridge's own care alone must
    /// keep things from happening twice.
    pub async fn without_conditional_create() -> Self {
        let ehr = Self::sandbox().await;
        let silent = Fault::always(FaultKind::Status { code: 404, retry_after: None }).on("GET", "metadata");
        ehr.sandbox.as_ref().unwrap().faults().switch_on(silent);
        ehr
    }

    /// sekmet-fhir, shared by all tests; each has a Patient of its own.
    pub async fn sekmet() -> Option<Self> {
        let base = part("MOSTIK_TEST_FHIR", "the FHIR server sekmet-fhir")?;
        Some(Self::at(base, None).await)
    }

    async fn at(base: String, sandbox: Option<Sandbox>) -> Self {
        let patient = create_patient(&base).await;
        Self { base, patient, sandbox }
    }

    /// Every Observation about the patient, as the EHR's own search tells.
    pub async fn observations(&self) -> Vec<Value> {
        observations(&self.base, &self.patient).await
    }
}

/// A new Patient; returns its id.
pub async fn create_patient(base: &str) -> String {
    create_patient_as(base, None).await
}

/// A new Patient, where only the holder of a credential may make one.
pub async fn create_patient_as(base: &str, credential: Option<&str>) -> String {
    let patient = json!({"resourceType": "Patient", "name": [{"family": "Example"}]});
    let mut request = http::client().post(format!("{base}/Patient"));
    if let Some(credential) = credential {
        request = request.bearer_auth(credential);
    }
    let response = request
        .header("content-type", "application/fhir+json")
        .header("prefer", "return=representation")
        .body(patient.to_string())
        .send()
        .await
        .unwrap();
    let got = http::Got::read(response).await;
    assert_eq!(got.status, 201, "{:?}", got.json);
    got.json["id"].as_str().unwrap().to_owned()
}

/// So many new Patients in one request, where the EHR takes batches; returns their ids.
pub async fn create_patients(base: &str, count: usize) -> Vec<String> {
    let entry = json!({
        "resource": {"resourceType": "Patient", "name": [{"family": "Example"}]},
        "request": {"method": "POST", "url": "Patient"},
    });
    let batch = json!({"resourceType": "Bundle", "type": "batch", "entry": vec![entry; count]});
    let got = http::call(Method::POST, base, None, Some(&batch)).await;
    assert_eq!(got.status, 200, "{:?}", got.json);
    let location = |entry: &Value| entry["response"]["location"].as_str().unwrap().to_owned();
    let id = |location: String| location.split("Patient/").nth(1).unwrap().split('/').next().unwrap().to_owned();
    got.json["entry"].as_array().unwrap().iter().map(location).map(id).collect()
}

/// Every Observation about a patient, page by page.
pub async fn observations(base: &str, patient: &str) -> Vec<Value> {
    observations_as(base, patient, None).await
}

/// Every Observation about a patient, where only the holder of a credential may look.
pub async fn observations_as(base: &str, patient: &str, credential: Option<&str>) -> Vec<Value> {
    let mut found = Vec::new();
    let mut next = Some(format!("{base}/Observation?patient={patient}&_count=100"));
    while let Some(url) = next.take() {
        let mut request = http::client().get(&url).header("accept", "application/fhir+json");
        if let Some(credential) = credential {
            request = request.bearer_auth(credential);
        }
        let response = request.send().await.unwrap();
        let got = http::Got::read(response).await;
        assert_eq!(got.status, 200, "{:?}", got.json);
        for entry in got.json["entry"].as_array().into_iter().flatten() {
            if entry["resource"]["resourceType"] == "Observation" {
                found.push(entry["resource"].clone());
            }
        }
        let links = got.json["link"].as_array().cloned().unwrap_or_default();
        next =
            links.iter().find(|link| link["relation"] == "next").map(|link| link["url"].as_str().unwrap().to_owned());
    }
    found
}

/// The value of the bridge's identifier on a resource.
pub fn identifier(resource: &Value) -> String {
    resource["identifier"][0]["value"].as_str().unwrap().to_owned()
}
