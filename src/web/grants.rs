//! `/v1/grants`: a member's own consent, in their own hands.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse, get, post, put};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::auth::SignedInMember;
use super::{Problem, State, body};
use crate::consent::change::{self as consent, ChangeError};
use crate::domain::category::{Category, Detail};
use crate::domain::grant::{Addressee, Grant, Purpose, Terms, WayBack};
use crate::domain::ids::{ClinicId, GrantId};
use crate::store::{StoreError, Tx};
use crate::telemetry::crash_point;

/// How long a consent lasts when the member does not say: about six months.
const DEFAULT_VALIDITY: SignedDuration = SignedDuration::from_hours(24 * 183);

/// What a member consents to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TermsRequest {
    /// Which categories, and how finely each.
    categories: BTreeMap<Category, Detail>,
    /// For which purposes; treatment if absent.
    #[serde(default = "treatment")]
    purposes: BTreeSet<Purpose>,
    /// From when; now if absent.
    #[schema(value_type = Option<String>, format = DateTime)]
    valid_from: Option<Timestamp>,
    /// Until when; six months from `valid_from` if absent.
    #[schema(value_type = Option<String>, format = DateTime)]
    valid_until: Option<Timestamp>,
    /// Only data lived at or after this instant; everything if absent.
    #[schema(value_type = Option<String>, format = DateTime)]
    data_from: Option<Timestamp>,
}

/// A first consent towards a clinic.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantRequest {
    /// Towards whom.
    #[schema(value_type = String)]
    clinic: ClinicId,
    /// What the member consents to.
    terms: TermsRequest,
}

/// One version of a grant.
#[derive(Debug, Serialize, ToSchema)]
pub struct GrantBody {
    /// The grant; its versions share it.
    id: Uuid,
    /// Which version.
    version: i32,
    /// Towards whom.
    #[schema(value_type = String)]
    clinic: ClinicId,
    /// Where in its life it stands: `active`, `paused`, `expired`, `superseded` or `revoked`.
    state: &'static str,
    /// Which categories, and how finely each.
    categories: BTreeMap<Category, Detail>,
    /// For which purposes.
    purposes: BTreeSet<Purpose>,
    /// From when.
    #[schema(value_type = String, format = DateTime)]
    valid_from: Timestamp,
    /// Until when.
    #[schema(value_type = String, format = DateTime)]
    valid_until: Timestamp,
    /// Only data lived at or after this instant.
    #[schema(value_type = Option<String>, format = DateTime)]
    data_from: Option<Timestamp>,
    /// When this version was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it ended for good.
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
}

/// Every version of every grant of the member.
#[derive(Debug, Serialize, ToSchema)]
pub struct GrantList {
    /// Oldest first.
    grants: Vec<GrantBody>,
    /// In which form each clinic's EHR takes what is shared, as far as it is known: `discrete` (as data), `document` (as
    /// a note to read) or `none` (not at all yet).
    #[schema(value_type = BTreeMap<String, String>)]
    arrives_as: BTreeMap<String, &'static str>,
}

/// A revoked grant.
#[derive(Debug, Serialize, ToSchema)]
pub struct Revoked {
    /// The grant, ended.
    grant: GrantBody,
    /// How many waiting items were withdrawn.
    withdrawn: u64,
}

/// Lists every version of every grant of the member, oldest first.
#[utoipa::path(
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
    let mut tx = state.bridge.store.read().await.map_err(ChangeError::from)?;
    let grants = tx.grant_history(member.0).await.map_err(ChangeError::from)?;
    let concerned: BTreeSet<&ClinicId> = grants.iter().map(|grant| &grant.clinic).collect();
    let clinics = tx.clinics().await.map_err(ChangeError::from)?;
    let known = clinics.into_iter().filter(|row| concerned.contains(&row.clinic));
    let arrives_as = known.filter_map(|row| Some((row.clinic.to_string(), row.rung?.as_str()))).collect();
    let grants = grants.into_iter().map(|grant| GrantBody::at(grant, now)).collect();
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
        (status = 409, description = "Not linked, or a living grant exists", body = Problem, content_type = "application/problem+json"),
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
    let asked: GrantRequest = body::json(&request, payload).await?;
    if !state.clinics.contains(&asked.clinic) {
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "unknown-clinic", "There is no such clinic")
            .field("/clinic"));
    }
    let now = state.bridge.clock.now();
    let id = state.bridge.keyring.entropy().uuid(now).map_err(|error| Problem::internal(&error))?;
    let mut tx = begin(&state).await?;
    let granted = consent::grant(&mut tx, GrantId(id), member.0, asked.clinic, asked.terms.at(now), now).await;
    let grant = granted.map_err(|error| problem(error, "/terms"))?;
    commit(tx, &grant, "granted").await?;
    Ok(HttpResponse::Created().json(GrantBody::at(grant, now)))
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
    let terms: TermsRequest = body::json(&request, payload).await?;
    let now = state.bridge.clock.now();
    let mut tx = begin(&state).await?;
    let changed = consent::change(&mut tx, member.0, grant_id(&grant)?, terms.at(now), now).await;
    let grant = changed.map_err(|error| problem(error, ""))?;
    commit(tx, &grant, "changed").await?;
    state.bridge.wake.notify_waiters();
    Ok(HttpResponse::Ok().json(GrantBody::at(grant, now)))
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
    let mut tx = begin(&state).await?;
    let grant = consent::pause(&mut tx, member.0, grant_id(&grant)?, now).await?;
    commit(tx, &grant, "paused").await?;
    Ok(HttpResponse::Ok().json(GrantBody::at(grant, now)))
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
    let mut tx = begin(&state).await?;
    let grant = consent::resume(&mut tx, member.0, grant_id(&grant)?, now).await?;
    commit(tx, &grant, "resumed").await?;
    state.bridge.wake.notify_waiters();
    Ok(HttpResponse::Ok().json(GrantBody::at(grant, now)))
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
    let mut tx = begin(&state).await?;
    let (grant, withdrawn) = consent::revoke(&mut tx, member.0, grant_id(&grant)?, now).await?;
    crash_point("revoke:before-commit");
    commit(tx, &grant, "revoked").await?;
    crash_point("revoke:after-commit");
    Ok(HttpResponse::Ok().json(Revoked { grant: GrantBody::at(grant, now), withdrawn }))
}

async fn begin(state: &State) -> Result<Tx, ChangeError> {
    Ok(state.bridge.store.begin().await?)
}

async fn commit(tx: Tx, grant: &Grant, what: &str) -> Result<(), ChangeError> {
    tx.commit().await?;
    tracing::info!(grant_id = %grant.id, version = grant.version, clinic_id = %grant.clinic, change = what, "consent");
    Ok(())
}

/// An id that is no id names no grant.
fn grant_id(text: &str) -> Result<GrantId, ChangeError> {
    text.parse().map_err(|_| ChangeError::NotFound)
}

fn treatment() -> BTreeSet<Purpose> {
    BTreeSet::from([Purpose::Treatment])
}

impl TermsRequest {
    fn at(self, now: Timestamp) -> Terms {
        let valid_from = self.valid_from.unwrap_or(now);
        let until = self.valid_until.or_else(|| valid_from.checked_add(DEFAULT_VALIDITY).ok());
        Terms {
            categories: self.categories,
            purposes: self.purposes,
            valid_from,
            valid_until: until.unwrap_or(Timestamp::MAX),
            data_from: self.data_from,
            recipient: Addressee::Clinic,
            way_back: WayBack::None,
            withheld: BTreeSet::new(),
        }
    }
}

impl GrantBody {
    /// The grant as it stands at the instant `now`.
    fn at(grant: Grant, now: Timestamp) -> Self {
        let expired = !grant.state.is_final() && now >= grant.terms.valid_until;
        Self {
            id: grant.id.0,
            version: grant.version,
            clinic: grant.clinic,
            state: if expired { "expired" } else { grant.state.as_str() },
            categories: grant.terms.categories,
            purposes: grant.terms.purposes,
            valid_from: grant.terms.valid_from,
            valid_until: grant.terms.valid_until,
            data_from: grant.terms.data_from,
            created_at: grant.created_at,
            ended_at: grant.ended_at,
        }
    }
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        problem(error, "")
    }
}

/// What the caller is told; `terms_at` is where in the body the terms stand.
fn problem(error: ChangeError, terms_at: &str) -> Problem {
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
