//! `/v1/concerns`: a community's own program shows its people who needs them, and says who looks after it.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Payload, Query};
use actix_web::{HttpRequest, HttpResponse, get, post};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::{ConcernDecider, ConcernKeeper};
use super::body::json;
use super::{Problem, State};
use crate::domain::concern::{ConcernState, Rule};
use crate::domain::ids::ConcernId;
use crate::pipeline::warn::{WarnError, warn};
use crate::safety::{self, Concern, LONGEST_NAME, SafetyError, Warned, is_name};
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
    /// The phrase that was found, as it stands in the list; absent if none was. The list is not validated.
    #[serde(skip_serializing_if = "Option::is_none")]
    phrase: Option<String>,
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
    /// Which clinics were told without consent; absent if none was.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    disclosed: Vec<ToldClinic>,
}

/// A clinic that was told without consent, or is being told.
#[derive(Debug, Serialize, ToSchema)]
pub struct ToldClinic {
    /// What the clinic is called.
    clinic: String,
    /// When it was decided.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Who decided so, as they called themselves.
    by: String,
    /// `waiting`: it is on its way; `arrived`: it stands in the clinic's record, read or not; `failed`: it does not go.
    state: &'static str,
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

/// Who decides that a clinic is told without consent, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DiscloseRequest {
    /// Their name, as the operator wrote it among those who may decide so.
    #[schema(min_length = 1, max_length = 64)]
    by: String,
    /// Why, in 1 to 1,000 characters. The clinic does not get it; the audit log has it, sealed, and the member's own
    /// archive.
    #[schema(min_length = 1, max_length = 1000)]
    reason: String,
}

/// Lists the concerns about the members of the community. Whoever is named here may be in danger: show it to those who
/// look after others, and to nobody else.
#[utoipa::path(
    operation_id = "list_concerns",
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
    let concerns = found.into_iter().map(|concern| shown(&state, concern)).collect();
    Ok(HttpResponse::Ok().json(ConcernList { concerns }))
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
    let by = json(&request, payload).await?;
    settle(&state, &keeper, &concern, by, safety::acknowledge).await
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
    let by = json(&request, payload).await?;
    settle(&state, &keeper, &concern, by, safety::close).await
}

/// Decides that the member's clinics are told without consent that they may be in danger. Only where the operator has
/// written by which law (`[clinics.….warnings]`), only by those whom the operator has named, and only clinics that the
/// member is linked to; each is told that there was such an answer, and nothing else. Whoever decides so looks after
/// the concern, if nobody does yet. The answer names the clinics: call them, for nobody knows when somebody reads what
/// stands in a record. The same by the same person again is the same once; what did not go is decided anew.
#[utoipa::path(
    tag = "concerns",
    params(("concern_id" = Uuid, Path)),
    request_body = DiscloseRequest,
    security(("api_key" = ["concerns:disclose"])),
    responses(
        (status = 200, body = ConcernBody),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "An API key without the scope concerns:disclose, a person who was not named, or no policy that allows it", body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "None of the member's clinics may be told, somebody else decided so already, or the concern is closed or too old", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not now: the same again after `Retry-After`", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/concerns/{concern_id}/disclose")]
pub async fn disclose(
    state: Data<State>,
    decider: ConcernDecider,
    concern: Path<String>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let id = concern_id(&concern)?;
    let DiscloseRequest { by, reason } = json(&request, payload).await?;
    let by = name(SettleRequest { by })?;
    let (bridge, now) = (&state.bridge, state.bridge.clock.now());
    let mut tx = bridge.store.begin().await?;
    let done = warn(bridge, &mut tx, (Some(&decider.0), id), (&by, reason.trim()), now).await?;
    tx.commit().await?;
    bridge.wake.notify_waiters();
    tracing::warn!(concern_id = %id, community_id = %decider.0, "a clinic is told without consent");
    Ok(HttpResponse::Ok().json(shown(&state, done)))
}

/// Settles a concern of a community, one way or the other.
async fn settle(
    state: &State,
    ConcernKeeper(community): &ConcernKeeper,
    concern: &str,
    by: SettleRequest,
    how: impl AsyncFnOnce(&mut Tx, &Keyring, safety::Which<'_>, &str, Timestamp) -> Result<Concern, SafetyError>,
) -> Result<HttpResponse, Problem> {
    let (id, by, now) = (concern_id(concern)?, name(by)?, state.bridge.clock.now());
    let mut tx = state.bridge.store.begin().await?;
    let done = how(&mut tx, &state.bridge.keyring, (Some(community), id), &by, now).await?;
    tx.commit().await?;
    tracing::info!(concern_id = %id, community_id = %community, state = done.state.as_str(), "a concern was settled");
    Ok(HttpResponse::Ok().json(shown(state, done)))
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

/// A concern as the community's people see it.
fn shown(state: &State, concern: Concern) -> ConcernBody {
    let settled = |(at, by)| Settled { at, by };
    let Concern { id, handle, rule, phrase, raised_at, told_at, escalated_at, acknowledged, closed, warned, .. } =
        concern;
    let told = |Warned { clinic, decided_at, why, state: of, .. }: Warned| ToldClinic {
        clinic: state.bridge.house.clinic_name(&clinic).to_owned(),
        at: decided_at,
        by: why.by,
        state: of.as_str(),
    };
    ConcernBody {
        id,
        handle,
        rule,
        phrase,
        state: concern.state,
        raised_at,
        told_at,
        escalated_at,
        acknowledged: acknowledged.map(settled),
        closed: closed.map(settled),
        disclosed: warned.into_iter().map(told).collect(),
    }
}

impl From<WarnError> for Problem {
    fn from(error: WarnError) -> Self {
        let said = format!("Nothing was sent: {error}.");
        match error {
            WarnError::Safety(error) => error.into(),
            WarnError::Accept(error) => error.into(),
            WarnError::NotNamed | WarnError::NoPolicy => {
                Self::new(StatusCode::FORBIDDEN, "disclosure-not-allowed", "Nothing is told without consent")
                    .detail(said)
            }
            WarnError::NoClinic
            | WarnError::OtherRule
            | WarnError::TooOld
            | WarnError::Decided
            | WarnError::NotPermitted(_) => {
                Self::new(StatusCode::CONFLICT, "not-now", "The concern stands elsewhere").detail(said)
            }
            WarnError::Reason => {
                Self::new(StatusCode::BAD_REQUEST, "malformed", "The body cannot be read").field("/reason").detail(said)
            }
        }
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
