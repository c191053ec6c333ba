//! The sandbox over real HTTP, one behaviour per test. This page holds what the tests share.

mod bundles;
mod creating;
mod faulty;
mod life;
mod reading;
mod scheduling;
mod searching;
mod updating;

use std::net::{Ipv4Addr, SocketAddr};

use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

use super::Sandbox;
use crate::domain::clock::{Clock, ManualClock};
use crate::domain::entropy::{Entropy, SeededEntropy};

const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A sandbox with a client that knows its address, and hands on its clock.
struct Bench {
    sandbox: Sandbox,
    client: Client,
    clock: ManualClock,
}

#[expect(clippy::disallowed_methods, reason = "the tests are the client; no egress rules apply to loopback")]
fn client() -> Client {
    Client::builder().no_proxy().build().unwrap()
}

async fn bench() -> Bench {
    let clock = ManualClock::new("2026-03-01T08:00:00Z".parse().unwrap());
    let entropy = Entropy::Seeded(SeededEntropy::new(7));
    let sandbox = Sandbox::start(ANY_PORT, Clock::Manual(clock.clone()), entropy).await.unwrap();
    Bench { sandbox, client: client(), clock }
}

impl Bench {
    fn call(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.sandbox.fhir_base()))
    }

    async fn get(&self, path: &str) -> Response {
        self.call(Method::GET, path).send().await.unwrap()
    }

    async fn found(&self, path: &str) -> Value {
        let response = self.get(path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.json().await.unwrap()
    }

    fn posting(&self, resource: &Value) -> RequestBuilder {
        let kind = resource["resourceType"].as_str().unwrap();
        self.call(Method::POST, &format!("/{kind}")).json(resource)
    }

    async fn post(&self, resource: &Value) -> Response {
        self.posting(resource).send().await.unwrap()
    }

    /// Stores a resource and hands back how it was stored.
    async fn stored(&self, resource: &Value) -> Value {
        let response = self.post(resource).await;
        assert_eq!(response.status(), StatusCode::CREATED);
        response.json().await.unwrap()
    }

    /// Stores a patient and hands back the id.
    async fn patient(&self) -> String {
        id(&self.stored(&json!({ "resourceType": "Patient" })).await)
    }

    fn put(&self, resource: &Value, if_match: &str) -> RequestBuilder {
        let path = format!("/{}/{}", resource["resourceType"].as_str().unwrap(), id(resource));
        self.call(Method::PUT, &path).header("If-Match", if_match).json(resource)
    }

    /// Waits until `done`, by asking the sandbox something else in the meantime.
    async fn until(&self, done: impl Fn() -> bool) {
        for _ in 0..20_000 {
            if done() {
                return;
            }
            self.client.get(self.sandbox.home()).send().await.unwrap();
        }
        panic!("it never happened");
    }

    async fn delete(&self, resource: &Value) -> Response {
        let path = format!("/{}/{}", resource["resourceType"].as_str().unwrap(), id(resource));
        self.call(Method::DELETE, &path).send().await.unwrap()
    }
}

fn id(resource: &Value) -> String {
    resource["id"].as_str().unwrap().to_owned()
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

fn mood(patient: &str, identifier: &str) -> Value {
    json!({
        "resourceType": "Observation",
        "identifier": [{ "system": "urn:mostik:reading", "value": identifier }],
        "status": "final",
        "category": [{ "coding": [{ "system": "urn:category", "code": "survey" }] }],
        "code": { "coding": [{ "system": "http://loinc.org", "code": "44261-6" }] },
        "subject": { "reference": format!("Patient/{patient}") },
        "effectiveDateTime": "2026-02-28T21:15:00+01:00",
        "valueInteger": 4,
    })
}

/// Asserts a refusal: its status, and the code of the only issue in its `OperationOutcome`.
async fn refused(response: Response, status: u16, code: &str) -> Value {
    assert_eq!(response.status().as_u16(), status);
    assert_eq!(header(&response, "Content-Type"), "application/fhir+json; charset=utf-8");
    let outcome: Value = response.json().await.unwrap();
    assert_eq!(outcome["resourceType"], "OperationOutcome");
    assert_eq!(outcome["issue"][0]["severity"], "error");
    assert_eq!(outcome["issue"][0]["code"], code, "{outcome}");
    assert_ne!(outcome["issue"][0]["diagnostics"], Value::Null);
    outcome
}
