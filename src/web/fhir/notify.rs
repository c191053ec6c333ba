//! `POST /fhir/notify/{token}`: a clinic's EHR says that something changed. What it says is believed no more than that it is
//! worth a look; what is looked at is asked for at the EHR itself.

use actix_web::http::StatusCode;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse, post};

use crate::way_back::{Received, WayBackError, receive};
use crate::web::{Problem, State};

/// The largest notice that is read, in bytes: it should hold ids only.
const MAX_NOTICE: usize = 256 * 1024;

/// An EHR says that something changed: a notification of the Subscriptions R5 Backport, or the empty one of plain R4. Each of
/// the bridge's Subscriptions has an address of its own, and a secret that every notification carries.
#[utoipa::path(
    tag = "clinics",
    security(("subscription_secret" = [])),
    params(("token" = String, Path, description = "The secret end of a Subscription's address")),
    request_body(content = Value, content_type = "application/fhir+json"),
    responses(
        (status = 204, description = "Taken; or known already"),
        (status = 401, description = "It does not carry the Subscription's secret", body = Problem),
        (status = 404, description = "There is no such Subscription, or no longer", body = Problem),
        (status = 413, description = "It is larger than is read", body = Problem),
        (status = 503, description = "It could not be stored: send it again", body = Problem),
    ),
)]
#[post("/fhir/notify/{token}")]
pub async fn notify(
    state: Data<State>,
    request: HttpRequest,
    token: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let too_large = || {
        let detail = format!("Expected at most {MAX_NOTICE} bytes. Send ids only.");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The notification is too large").detail(detail)
    };
    let Ok(Ok(body)) = payload.to_bytes_limited(MAX_NOTICE).await else { return Err(too_large()) };
    let carried = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let secret = carried.strip_prefix("Bearer ").unwrap_or_default();
    match receive(&state.bridge, &token, secret, &body).await {
        Ok(Received::Taken) => Ok(HttpResponse::NoContent().finish()),
        Ok(Received::Forged) => Err(Problem::new(StatusCode::UNAUTHORIZED, "secret", "The secret is another one")),
        Ok(Received::Unknown) => Err(Problem::new(StatusCode::NOT_FOUND, "not-found", "There is no such Subscription")),
        Err(WayBackError::Store(error)) => Err(error.into()),
        Err(error) => Err(Problem::internal(&error)),
    }
}
