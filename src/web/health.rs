//! `/livez` and `/readyz`: whether the process lives, and whether it can work.

use actix_web::web::Data;
use actix_web::{HttpResponse, route};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Problem, State};

/// How the bridge is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `ok`.
    status: &'static str,
}

/// Answers as long as the process lives.
#[utoipa::path(get, path = "/livez", tag = "health", responses((status = 200, body = Health)))]
#[route("/livez", method = "GET", method = "HEAD")]
pub async fn livez() -> HttpResponse {
    HttpResponse::Ok().json(Health { status: "ok" })
}

/// Answers 200 when the database can be read, 503 otherwise.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "health",
    responses(
        (status = 200, body = Health),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ),
)]
#[route("/readyz", method = "GET", method = "HEAD")]
pub async fn readyz(state: Data<State>) -> Result<HttpResponse, Problem> {
    let ready = async { state.bridge.store.read().await?.index_key().await };
    match ready.await {
        Ok(Some(_)) => Ok(HttpResponse::Ok().json(Health { status: "ok" })),
        Ok(None) | Err(_) => Err(Problem::new(
            actix_web::http::StatusCode::SERVICE_UNAVAILABLE,
            "not-ready",
            "The database cannot be reached",
        )),
    }
}
