//! `/v1/concerns`: a community's own program shows its people who needs them, and says who looks after it.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Payload, Query};
use actix_web::{HttpRequest, HttpResponse, get, post};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::ConcernKeeper;
use super::body::json;
use super::{Problem, State};
use crate::domain::concern::{ConcernState, Rule};
use crate::domain::ids::{CommunityId, ConcernId};
use crate::safety::{self, Concern, LONGEST_NAME, SafetyError, is_name};
use crate::store::Tx;
use crate::vault::Keyring;

/// Which concerns.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// Those that are closed, too: then the newest come first.
    #[serde(default)]
    closed: bool,
}

/// Concerns about a community's members.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConcernList {
    /// At most 1,000. Those that are not closed, the oldest first.
    concerns: Vec<ConcernBody>,
}

/// A concern about a member. It says that somebody should look after them, and nothing of what they answered.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConcernBody {
    /// Its id.
    #[schema(value_type = Uuid)]
    id: ConcernId,
    /// The name under which the community knows the member; absent if they have left it.
    #[serde(skip_serializing_if = "Option::is_none")]
    handle: Option<String>,
    /// What raised it.
    rule: Rule,
    /// Where it stands.
    state: ConcernState,
    /// When it was raised.
    #[schema(value_type = String, format = DateTime)]
    raised_at: Timestamp,
    /// When somebody was told first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    told_at: Option<Timestamp>,
    /// When nobody had acknowledged it in time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    escalated_at: Option<Timestamp>,
    /// Since when somebody looks after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    acknowledged: Option<Settled>,
    /// When they were done.
    #[serde(skip_serializing_if = "Option::is_none")]
    closed: Option<Settled>,
}

/// Who did it, and when.
#[derive(Debug, Serialize, ToSchema)]
pub struct Settled {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Who, as they called themselves.
    by: String,
}

/// Who does it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettleRequest {
    /// A name by which the community knows which of its people it is; 1 to 64 characters.
    #[schema(min_length = 1, max_length = 64)]
    by: String,
}

/// Lists the concerns about the members of the community. Whoever is named here may be in danger: show it to those who
/// look after others, and to nobody else.
#[utoipa::path(
    tag = "concerns",
    params(("closed" = Option<bool>, Query, description = "`true`: those that are closed, too; then the newest come first")),
    security(("api_key" = ["concerns:manage"])),
    responses(
        (status = 200, body = ConcernList),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "An API key without the scope concerns:manage", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not now: the same again after `Retry-After`", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[get("/v1/concerns")]
pub async fn list(state: Data<State>, keeper: ConcernKeeper, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let which = Query::<Which>::from_query(request.query_string()).map_err(|_| {
        Problem::new(StatusCode::BAD_REQUEST, "malformed", "The query cannot be read")
            .detail("Expected nothing, or `closed=true`.")
    })?;
    let mut tx = state.bridge.store.read().await?;
    let found = safety::concerns(&mut tx, &state.bridge.keyring, Some(&keeper.0), which.closed).await?;
    Ok(HttpResponse::Ok().json(ConcernList { concerns: found.into_iter().map(ConcernBody::from).collect() }))
}

/// Says that somebody looks after a concern: nobody is told of it any more. The same under the same name again is the same
/// once; under another name it is a conflict, and the list says who was first.
#[utoipa::path(
    tag = "concerns",
    params(("concern_id" = Uuid, Path)),
    request_body = SettleRequest,
    security(("api_key" = ["concerns:manage"])),
    responses(
        (status = 200, body = ConcernBody),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "An API key without the scope concerns:manage", body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Somebody else looks after it already, or it is closed", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not now: the same again after `Retry-After`", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/concerns/{concern_id}/acknowledge")]
pub async fn acknowledge(
    state: Data<State>,
    keeper: ConcernKeeper,
    concern: Path<String>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let (id, by) = (concern_id(&concern)?, name(json(&request, payload).await?)?);
    let done = settle(&state, &keeper.0, id, &by, safety::acknowledge).await?;
    tracing::info!(concern_id = %id, community_id = %keeper.0, "a concern was acknowledged");
    Ok(HttpResponse::Ok().json(ConcernBody::from(done)))
}

/// Says that whoever looks after a concern is done. It is forgotten ninety days later.
#[utoipa::path(
    tag = "concerns",
    params(("concern_id" = Uuid, Path)),
    request_body = SettleRequest,
    security(("api_key" = ["concerns:manage"])),
    responses(
        (status = 200, body = ConcernBody),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "An API key without the scope concerns:manage", body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Nobody has acknowledged it yet, or somebody else closed it", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not now: the same again after `Retry-After`", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/concerns/{concern_id}/close")]
pub async fn close(
    state: Data<State>,
    keeper: ConcernKeeper,
    concern: Path<String>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let (id, by) = (concern_id(&concern)?, name(json(&request, payload).await?)?);
    let done = settle(&state, &keeper.0, id, &by, safety::close).await?;
    tracing::info!(concern_id = %id, community_id = %keeper.0, "a concern was closed");
    Ok(HttpResponse::Ok().json(ConcernBody::from(done)))
}

/// Settles a concern of a community, one way or the other.
async fn settle(
    state: &State,
    community: &CommunityId,
    id: ConcernId,
    by: &str,
    how: impl AsyncFnOnce(
        &mut Tx,
        &Keyring,
        (Option<&CommunityId>, ConcernId),
        &str,
        Timestamp,
    ) -> Result<Concern, SafetyError>,
) -> Result<Concern, Problem> {
    let now = state.bridge.clock.now();
    let mut tx = state.bridge.store.begin().await?;
    let done = how(&mut tx, &state.bridge.keyring, (Some(community), id), by, now).await?;
    tx.commit().await?;
    Ok(done)
}

fn concern_id(text: &str) -> Result<ConcernId, Problem> {
    text.parse().map_err(|_| SafetyError::NotFound.into())
}

fn name(request: SettleRequest) -> Result<String, Problem> {
    if is_name(&request.by) {
        return Ok(request.by);
    }
    Err(Problem::new(StatusCode::BAD_REQUEST, "malformed", "The body cannot be read")
        .field("/by")
        .detail(format!("Expected a name of 1 to {LONGEST_NAME} characters on one line.")))
}

impl From<Concern> for ConcernBody {
    fn from(concern: Concern) -> Self {
        let settled = |(at, by)| Settled { at, by };
        let Concern { id, handle, rule, state, raised_at, told_at, escalated_at, acknowledged, closed, .. } = concern;
        let (acknowledged, closed) = (acknowledged.map(settled), closed.map(settled));
        Self { id, handle, rule, state, raised_at, told_at, escalated_at, acknowledged, closed }
    }
}

impl From<SafetyError> for Problem {
    fn from(error: SafetyError) -> Self {
        match error {
            SafetyError::Store(error) => error.into(),
            SafetyError::NotFound => Self::new(StatusCode::NOT_FOUND, "not-found", "There is no such concern"),
            SafetyError::NotNow(not_now) => Self::new(StatusCode::CONFLICT, "not-now", "The concern stands elsewhere")
                .detail(format!("It was not changed: {not_now}.")),
            other => Self::internal(&other),
        }
    }
}
