//! `/v1/erasure`: a member takes everything back, for good. Asking for it and doing it at once are two calls, so that no
//! mistake of a program does in one what cannot be undone. The certificate needs no account.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse, get, post};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::auth::SignedInMember;
use super::body::json;
use super::{Problem, State};
use crate::domain::consented::Method;
use crate::erasure::{self, CertificateSecret, ErasureError, UnderWay, Wish};
use crate::store::Erasure;

/// How a member wants to be erased.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ErasureRequest {
    /// Whether clinics are asked to mark what they were sent as entered in error. They decide themselves.
    #[serde(default)]
    ask_clinics: bool,
}

/// An erasure.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErasureBody {
    /// Which.
    id: Uuid,
    /// Where it stands: `requested`, `upstream` (begun; clinics are waited for), `erased` or `cancelled`.
    state: &'static str,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    requested_at: Timestamp,
    /// Through what: `portal`, `api` or `operator`.
    requested_by: Option<&'static str>,
    /// When it begins; until then it can be called off.
    #[schema(value_type = Option<String>, format = DateTime)]
    due_at: Option<Timestamp>,
    /// Until when clinics are waited for, once it has begun.
    #[schema(value_type = Option<String>, format = DateTime)]
    upstream_until: Option<Timestamp>,
    /// Whether clinics are asked.
    ask_clinics: bool,
    /// Under which the certificate is had, when there is no account any more: keep it.
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate_secret: Option<String>,
}

/// Under what a certificate is had.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CertificateRequest {
    /// The secret that was given when the erasure was asked for.
    secret: String,
}

/// A certificate, or how far it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct CertificateBody {
    /// Where the erasure stands.
    state: &'static str,
    /// What was erased, when, and what clinics keep: a compact JWS (RFC 7515), signed with a key in
    /// `/.well-known/jwks.json`, or JSON where there was none to sign with. `null` until it is done.
    certificate: Option<String>,
}

/// Asks for the erasure of everything. For seven days nothing happens, and it can be called off.
#[utoipa::path(
    operation_id = "ask_for_erasure",
    tag = "member",
    security(("member_token" = [])),
    request_body = ErasureRequest,
    responses(
        (status = 201, body = ErasureBody),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It was asked for already", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not now: the same again after `Retry-After`", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/erasure")]
pub async fn ask(
    state: Data<State>,
    member: SignedInMember,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let ErasureRequest { ask_clinics } = json(&request, payload).await?;
    let wish = Wish { at_once: false, ask_clinics, method: Method::Api };
    let (bridge, now) = (&state.bridge, state.bridge.clock.now());
    let mut tx = bridge.store.begin().await?;
    let requested = erasure::request(&mut tx, &bridge.keyring, member.0, wish, now).await?;
    tx.commit().await?;
    Ok(HttpResponse::Created().json(body(&requested.erasure, Some(requested.secret))))
}

/// Says how the erasure stands that is under way, with the secret of its certificate.
#[utoipa::path(
    tag = "member",
    security(("member_token" = [])),
    responses(
        (status = 200, body = ErasureBody),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "None is under way", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not now: the same again after `Retry-After`", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[get("/v1/erasure")]
pub async fn status(state: Data<State>, member: SignedInMember) -> Result<HttpResponse, Problem> {
    let mut tx = state.bridge.store.read().await?;
    let UnderWay { erasure, secret } =
        erasure::under_way(&state.bridge, &mut tx, member.0).await?.ok_or_else(none_under_way)?;
    Ok(HttpResponse::Ok().json(body(&erasure, secret)))
}

/// Calls the erasure off, as long as it has not begun.
#[utoipa::path(
    tag = "member",
    security(("member_token" = [])),
    responses(
        (status = 200, body = ErasureBody),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is none that could still be called off", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not now: the same again after `Retry-After`", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/erasure/cancel")]
pub async fn cancel(state: Data<State>, member: SignedInMember) -> Result<HttpResponse, Problem> {
    let mut tx = state.bridge.store.begin().await?;
    let erasure = erasure::cancel(&mut tx, member.0, Method::Api, state.bridge.clock.now()).await?;
    tx.commit().await?;
    Ok(HttpResponse::Ok().json(body(&erasure, None)))
}

/// Erases now, without the rest of the seven days, or without waiting any longer for clinics. This cannot be undone.
#[utoipa::path(
    tag = "member",
    security(("member_token" = [])),
    responses(
        (status = 200, description = "`erased`, or `upstream` while clinics are waited for", body = ErasureBody),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "None is under way", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not now: the same again after `Retry-After`", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/erasure/hurry")]
pub async fn hurry(state: Data<State>, member: SignedInMember) -> Result<HttpResponse, Problem> {
    let UnderWay { erasure, secret } = erasure::at_once(&state.bridge, member.0, Method::Api).await?;
    Ok(HttpResponse::Ok().json(body(&erasure, secret)))
}

/// Gives the certificate of an erasure to whoever has its secret. There is no account to sign in to any more.
#[utoipa::path(
    tag = "member",
    request_body = CertificateRequest,
    responses(
        (status = 200, body = CertificateBody),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not now: the same again after `Retry-After`", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/erasure/certificate")]
pub async fn certificate(state: Data<State>, request: HttpRequest, payload: Payload) -> Result<HttpResponse, Problem> {
    let CertificateRequest { secret } = json(&request, payload).await?;
    let mut tx = state.bridge.store.read().await?;
    let found = erasure::by_secret(&mut tx, &state.bridge.keyring, &secret).await?;
    let found =
        found.ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "not-found", "There is no such certificate"))?;
    Ok(HttpResponse::Ok().json(CertificateBody { state: found.state.as_str(), certificate: found.certificate }))
}

fn body(erasure: &Erasure, secret: Option<CertificateSecret>) -> ErasureBody {
    let is_under_way = erasure.ended_at.is_none();
    ErasureBody {
        id: erasure.id.0,
        state: erasure.state.as_str(),
        requested_at: erasure.requested_at,
        requested_by: erasure.method.map(Method::as_str),
        due_at: is_under_way.then_some(erasure.due_at),
        upstream_until: erasure.upstream_until.filter(|_| is_under_way),
        ask_clinics: erasure.ask_clinics,
        certificate_secret: secret.map(|secret| secret.0),
    }
}

fn none_under_way() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not-requested", "No erasure is under way that this could be done with")
}

impl From<ErasureError> for Problem {
    fn from(error: ErasureError) -> Self {
        match error {
            ErasureError::UnknownMember => Self::unauthorized(),
            ErasureError::AlreadyRequested => {
                Self::new(StatusCode::CONFLICT, "already-requested", "The erasure was asked for already")
                    .detail("GET /v1/erasure says how it stands.")
            }
            ErasureError::NotRequested => none_under_way(),
            ErasureError::Consent(error) => error.into(),
            ErasureError::Store(error) => error.into(),
            other => Self::internal(&other),
        }
    }
}
