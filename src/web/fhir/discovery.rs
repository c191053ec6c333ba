//! `/fhir/.well-known/smart-configuration`: how a clinic's system gets in (SMART App Launch 2.2.0, conformance).

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use serde::Serialize;
use utoipa::ToSchema;

use crate::web::State;

/// What this authorization server does.
#[derive(Debug, Serialize, ToSchema)]
pub struct SmartConfiguration {
    token_endpoint: String,
    grant_types_supported: [&'static str; 1],
    token_endpoint_auth_methods_supported: [&'static str; 1],
    token_endpoint_auth_signing_alg_values_supported: [&'static str; 2],
    scopes_supported: [&'static str; 3],
    capabilities: [&'static str; 3],
    code_challenge_methods_supported: [&'static str; 1],
}

/// Says where a clinic's system asks for a token, and how.
#[utoipa::path(tag = "clinics", responses((status = 200, body = SmartConfiguration)))]
#[get("/fhir/.well-known/smart-configuration")]
pub async fn smart_configuration(state: Data<State>) -> HttpResponse {
    HttpResponse::Ok().json(SmartConfiguration {
        token_endpoint: state.fhir.clients.token_url().to_owned(),
        grant_types_supported: ["client_credentials"],
        token_endpoint_auth_methods_supported: ["private_key_jwt"],
        token_endpoint_auth_signing_alg_values_supported: ["ES384", "RS384"],
        scopes_supported: ["system/Consent.rs", "system/AuditEvent.rs", "system/DocumentReference.c"],
        capabilities: ["client-confidential-asymmetric", "permission-v1", "permission-v2"],
        // Asked for by the standard, although nobody launches here.
        code_challenge_methods_supported: ["S256"],
    })
}
