//! `/fhir/metadata`: what a clinic's system can read here (FHIR R4, `CapabilityStatement`).

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get};
use serde_json::{Value, json};

use super::parameters::check_format;
use super::{Door, Outcome, resource};
use crate::web::State;

/// When what is said here last changed.
const DATE: &str = "2026-11-26";

/// What asking for a summary is (`schemas/fhir/OperationDefinition-ask-summary.json`).
const ASK_SUMMARY: &str = "https://w3id.org/mostik/fhir/OperationDefinition/ask-summary";

/// Says what can be read here.
#[utoipa::path(
    tag = "clinics",
    responses((status = 200, description = "A CapabilityStatement", body = serde_json::Value, content_type = "application/fhir+json")),
)]
#[get("/fhir/metadata")]
pub async fn metadata(state: Data<State>, request: HttpRequest) -> Result<HttpResponse, Outcome> {
    check_format(&request)?;
    Ok(resource(&statement(&state.fhir)))
}

fn statement(door: &Door) -> Value {
    let patient = "Expected in every search: the id of a Patient in the clinic's own EHR, or the address there.";
    let identifier = "The address of a Patient in the clinic's own EHR, as urn:ietf:rfc:3986|https://...; the bridge knows \
                      no other identifier of a patient.";
    json!({
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": DATE,
        "kind": "instance",
        "software": { "name": "mostik", "version": env!("CARGO_PKG_VERSION") },
        "implementation": { "description": "What a clinic's own system may read about its own patients", "url": door.base },
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "rest": [{
            "mode": "server",
            "security": {
                "service": [{ "coding": [{
                    "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
                    "code": "SMART-on-FHIR",
                }] }],
                "description": "SMART Backend Services; see .well-known/smart-configuration",
            },
            "resource": [
                {
                    "type": "Consent",
                    "documentation": "Each version of each consent that a patient gave towards this clinic.",
                    "interaction": [{ "code": "read" }, { "code": "search-type" }],
                    "versioning": "no-version",
                    "searchParam": [
                        { "name": "patient", "type": "reference", "documentation": patient },
                        { "name": "patient.identifier", "type": "token", "documentation": identifier },
                        { "name": "status", "type": "token" },
                    ],
                },
                {
                    "type": "Patient",
                    "documentation": "Nothing is told about patients here; their summary can be asked for.",
                    "operation": [{ "name": "ask-summary", "definition": ASK_SUMMARY }],
                },
                {
                    "type": "AuditEvent",
                    "documentation": "What the clinic was sent about a patient and under which consent, and what its system read.",
                    "interaction": [{ "code": "search-type" }],
                    "versioning": "no-version",
                    "searchParam": [
                        { "name": "patient", "type": "reference", "documentation": patient },
                        { "name": "patient.identifier", "type": "token", "documentation": identifier },
                        { "name": "date", "type": "date" },
                    ],
                },
                {
                    "type": "Questionnaire",
                    "documentation": "The forms that patients fill in here; no token is needed.",
                    "interaction": [{ "code": "read" }, { "code": "search-type" }],
                    "versioning": "no-version",
                    "searchParam": [{ "name": "url", "type": "uri" }],
                },
            ],
        }],
    })
}
