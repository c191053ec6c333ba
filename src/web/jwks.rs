//! `/.well-known/jwks.json`: the public halves of the keys this bridge signs with (RFC 7517; SMART App Launch 2.2.0,
//! client-confidential-asymmetric). Clinics register this address and fetch from it.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use serde::Serialize;
use utoipa::ToSchema;

use super::State;

/// How long a copy may be kept: short against the hour that a new key waits before it signs.
const MAX_AGE: &str = "public, max-age=300";

/// A JWK Set.
#[derive(Debug, Serialize, ToSchema)]
pub struct PublicKeys {
    /// One JSON Web Key for each key, the newest first; public members only.
    keys: Vec<serde_json::Value>,
}

/// Gives the public halves of the keys this bridge signs with.
#[utoipa::path(
    tag = "keys",
    responses((status = 200, body = PublicKeys, content_type = "application/jwk-set+json")),
)]
#[get("/.well-known/jwks.json")]
pub async fn jwks(state: Data<State>) -> HttpResponse {
    let set = state.bridge.signing.published(state.bridge.clock.now());
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, MAX_AGE))
        .insert_header((CONTENT_TYPE, "application/jwk-set+json"))
        .json(set)
}
