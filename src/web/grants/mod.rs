//! `/v1/grants`: a member's own consent, in their own hands.

mod body;
pub mod mark;

use std::collections::BTreeSet;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse, get, post, put};
use jiff::Timestamp;

use super::auth::SignedInMember;
use super::body::json;
use super::{Problem, State};
use crate::consent::change::ChangeError;
use crate::delivery::smart_auth::patient::TokenSet;
use crate::domain::consented::Method;
use crate::domain::grant::Grant;
use crate::domain::ids::{ClinicId, GrantId};
use crate::pipeline::consent::{self, ConsentError};
use crate::store::{StoreError, Tx};
use crate::telemetry::crash_point;

pub use body::{GrantBody, GrantList, GrantRequest, Revoked, TermsRequest};

/// Lists every version of every grant of the member, oldest first.
#[utoipa::path(
    operation_id = "list_grants",
    tag = "grants",
    security(("member_token" = [])),
    responses(
        (status = 200, body = GrantList),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not now: the same again after `Retry-After`", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[get("/v1/grants")]
pub async fn list(state: Data<State>, member: SignedInMember) -> Result<HttpResponse, Problem> {
    let now = state.bridge.clock.now();
    let mut tx = state.bridge.store.read().await?;
    let grants = consent::versions(&state.bridge, &mut tx, member.0).await?;
    let concerned: BTreeSet<&ClinicId> = grants.iter().map(|version| &version.grant.clinic).collect();
    let clinics = tx.clinics().await?;
    let known = clinics.into_iter().filter(|row| concerned.contains(&row.clinic));
    let arrives_as = known.filter_map(|row| Some((row.clinic.to_string(), row.rung?.as_str()))).collect();
    let grants = grants.into_iter().map(|version| GrantBody::at(version, now)).collect();
    Ok(HttpResponse::Ok().json(GrantList { grants, arrives_as }))
}

/// Gives a first consent towards a clinic that the member is linked to.
#[utoipa::path(
    tag = "grants",
    security(("member_token" = [])),
    responses(
        (status = 201, body = GrantBody),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Not linked, a living grant exists, or the member is being erased", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Terms that contradict themselves", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not now: the same again after `Retry-After`", body = Problem, content_type = "application/problem+json"),
    ),
    request_body = GrantRequest,
)]
#[post("/v1/grants")]
pub async fn create(
    state: Data<State>,
    member: SignedInMember,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let asked: GrantRequest = json(&request, payload).await?;
    if !state.clinics.contains(&asked.clinic) {
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "unknown-clinic", "There is no such clinic")
            .field("/clinic"));
    }
    let now = state.bridge.clock.now();
    let mut tx = state.bridge.store.begin().await?;
    let given = consent::give(&state.bridge, &mut tx, member.0, asked.clinic, asked.terms.at(now), now).await;
    let grant = given.map_err(|error| problem(error, "/terms"))?;
    let body = commit(&state, tx, grant, "granted", now).await?;
    Ok(HttpResponse::Created().json(body))
}

/// Replaces the terms of a grant with a new version.
#[utoipa::path(
    tag = "grants",
    security(("member_token" = [])),
    params(("grant_id" = Uuid, Path)),
    request_body = TermsRequest,
    responses(
        (status = 200, body = GrantBody),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The grant has ended", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Terms that contradict themselves", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not now: the same again after `Retry-After`", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[put("/v1/grants/{grant_id}")]
pub async fn change(
    state: Data<State>,
    member: SignedInMember,
    grant: Path<String>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let terms: TermsRequest = json(&request, payload).await?;
    let now = state.bridge.clock.now();
    let mut tx = state.bridge.store.begin().await?;
    let grant = consent::change(&state.bridge, &mut tx, member.0, grant_id(&grant)?, terms.at(now), now).await?;
    Ok(HttpResponse::Ok().json(commit(&state, tx, grant, "changed", now).await?))
}

/// Sets a grant aside: nothing goes out until it is resumed; what waits keeps waiting.
#[utoipa::path(
    tag = "grants",
    security(("member_token" = [])),
    params(("grant_id" = Uuid, Path)),
    responses(
        (status = 200, body = GrantBody),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Not active", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not now: the same again after `Retry-After`", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/grants/{grant_id}/pause")]
pub async fn pause(state: Data<State>, member: SignedInMember, grant: Path<String>) -> Result<HttpResponse, Problem> {
    let now = state.bridge.clock.now();
    let mut tx = state.bridge.store.begin().await?;
    let grant = consent::pause(&state.bridge, &mut tx, member.0, grant_id(&grant)?, Method::Api, now).await?;
    Ok(HttpResponse::Ok().json(commit(&state, tx, grant, "paused", now).await?))
}

/// Ends a pause: what waited goes on.
#[utoipa::path(
    tag = "grants",
    security(("member_token" = [])),
    params(("grant_id" = Uuid, Path)),
    responses(
        (status = 200, body = GrantBody),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Not paused", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not now: the same again after `Retry-After`", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/grants/{grant_id}/resume")]
pub async fn resume(state: Data<State>, member: SignedInMember, grant: Path<String>) -> Result<HttpResponse, Problem> {
    let now = state.bridge.clock.now();
    let mut tx = state.bridge.store.begin().await?;
    let grant = consent::resume(&state.bridge, &mut tx, member.0, grant_id(&grant)?, Method::Api, now).await?;
    Ok(HttpResponse::Ok().json(commit(&state, tx, grant, "resumed", now).await?))
}

/// Takes consent back. When the answer arrives, no further send begins, and what waited is erased. Asking twice is the
/// same as asking once.
#[utoipa::path(
    tag = "grants",
    security(("member_token" = [])),
    params(("grant_id" = Uuid, Path)),
    responses(
        (status = 200, body = Revoked),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "A newer version took its place", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not now: the same again after `Retry-After`", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/grants/{grant_id}/revoke")]
pub async fn revoke(state: Data<State>, member: SignedInMember, grant: Path<String>) -> Result<HttpResponse, Problem> {
    let now = state.bridge.clock.now();
    let mut tx = state.bridge.store.begin().await?;
    let id = grant_id(&grant)?;
    let revoked = consent::revoke(&state.bridge, &mut tx, member.0, id, Method::Api, false, now).await?;
    crash_point("revoke:before-commit");
    let clinic = revoked.grant.clinic.clone();
    let grant = commit(&state, tx, revoked.grant, "revoked", now).await?;
    crash_point("revoke:after-commit");
    give_back(state, clinic, revoked.lent);
    Ok(HttpResponse::Ok().json(Revoked { grant, withdrawn: revoked.withdrawn }))
}

/// Commits, and shows the grant as it stands now.
async fn commit(state: &State, mut tx: Tx, grant: Grant, what: &str, now: Timestamp) -> Result<GrantBody, Problem> {
    let (id, version, clinic) = (grant.id, grant.version, grant.clinic.clone());
    let shown = consent::version(&state.bridge, &mut tx, grant).await?;
    tx.commit().await?;
    tracing::info!(grant_id = %id, version, clinic_id = %clinic, change = what, "consent");
    state.bridge.wake.notify_waiters();
    Ok(GrantBody::at(shown, now))
}

/// Gives back to a clinic what a member had lent, which is forgotten here. Nobody waits for the clinic.
pub fn give_back(state: Data<State>, clinic: ClinicId, lent: Option<TokenSet>) {
    if let Some(lent) = lent {
        actix_web::rt::spawn(async move { state.launches.give_back(&clinic, &lent).await });
    }
}

/// An id that is no id names no grant.
fn grant_id(text: &str) -> Result<GrantId, ChangeError> {
    text.parse().map_err(|_| ChangeError::NotFound)
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        change_problem(error, "")
    }
}

impl From<ConsentError> for Problem {
    fn from(error: ConsentError) -> Self {
        problem(error, "")
    }
}

/// What the caller is told; `terms_at` is where in the body the terms stand.
fn problem(error: ConsentError, terms_at: &str) -> Problem {
    let wrong = |field: &str| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "terms", "The terms cannot be")
            .field(format!("{terms_at}/{field}"))
            .detail(error.to_string())
    };
    match error {
        ConsentError::OldNotice => wrong("notice/version"),
        ConsentError::Practitioner => wrong("practitioner"),
        ConsentError::Change(error) => change_problem(error, terms_at),
        ConsentError::BeingErased => Problem::new(StatusCode::CONFLICT, "being-erased", "The member is being erased"),
        other => Problem::internal(&other),
    }
}

fn change_problem(error: ChangeError, terms_at: &str) -> Problem {
    let conflict = |name, title| Problem::new(StatusCode::CONFLICT, name, title);
    match error {
        ChangeError::Terms { field, expected } => {
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "terms", "The terms contradict themselves")
                .field(format!("{terms_at}/{field}"))
                .detail(format!("Expected {expected}."))
        }
        ChangeError::NotLinked => conflict("not-linked", "The member is not linked to this clinic")
            .detail("The clinic must first confirm which patient the member is."),
        ChangeError::AlreadyGranted(id) => conflict("already-granted", "There is a living grant towards this clinic")
            .detail(format!("Change it instead: PUT /v1/grants/{id}.")),
        ChangeError::NotFound => Problem::new(StatusCode::NOT_FOUND, "not-found", "There is no such grant"),
        ChangeError::Transition(error) => {
            conflict("transition", "The grant's life does not allow this").detail(error.to_string())
        }
        ChangeError::Store(StoreError::RowCount { .. } | StoreError::Conflict) => {
            conflict("concurrent-change", "The grant was changed at the same time").detail("Look again, and repeat.")
        }
        ChangeError::Store(error) => error.into(),
    }
}
