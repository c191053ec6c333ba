//! `/v1/screenings`: a community's own program says that its people have screened a member, and what they found.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::ConcernKeeper;
use super::body::json;
use super::{Problem, State};
use crate::connectors::LONGEST_NAME;
use crate::domain::concern::Risk;
use crate::domain::helpline::Help;
use crate::pipeline::screened::{ScreenedError, Screening, screened};

/// A screening.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScreeningRequest {
    /// The community's own id for it: the same again raises no second concern.
    #[schema(min_length = 1, max_length = 256)]
    id: String,
    /// The name under which the community knows the member.
    #[schema(min_length = 1, max_length = 256)]
    handle: String,
    /// By which instrument.
    instrument: Screener,
    /// What it found.
    risk: Risk,
}

/// An instrument by which somebody finds out whether a life may be in danger.
#[derive(Debug, Deserialize, ToSchema)]
pub enum Screener {
    /// The screener of the Columbia-Suicide Severity Rating Scale.
    #[serde(rename = "c-ssrs")]
    CSsrs,
}

/// What becomes of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScreeningResult {
    /// Whether the people of the community are told: by the operator's policy they may be told of a higher risk only.
    is_looked_at: bool,
    /// Where the member finds help.
    help: Help,
}

/// Tells the bridge what a screening of a member found. The people who look after the community's members are told, as of any
/// concern; no clinic is, and what was answered is not asked for. The answer says where the member finds help, to be shown to
/// them.
#[utoipa::path(
    operation_id = "post_screening",
    tag = "concerns",
    request_body = ScreeningRequest,
    security(("api_key" = ["concerns:manage"])),
    responses(
        (status = 200, body = ScreeningResult),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "An API key without the scope concerns:manage", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such member has joined", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The community has nobody who is told", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not now: the same again after `Retry-After`", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/screenings")]
pub async fn post_screening(
    state: Data<State>,
    ConcernKeeper(community): ConcernKeeper,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let ScreeningRequest { id, handle, instrument: Screener::CSsrs, risk } = json(&request, payload).await?;
    for (field, value) in [("/id", &id), ("/handle", &handle)] {
        if !(1..=LONGEST_NAME).contains(&value.len()) || value.contains(char::is_control) {
            return Err(Problem::new(StatusCode::BAD_REQUEST, "malformed", "The body cannot be read")
                .field(field)
                .detail(format!("Expected 1 to {LONGEST_NAME} bytes on one line.")));
        }
    }
    let bridge = &state.bridge;
    let mut tx = bridge.store.begin().await?;
    let screening = Screening { id: &id, handle: &handle, risk };
    let is_looked_at = screened(bridge, &mut tx, &community, &screening).await?;
    tx.commit().await?;
    bridge.wake.notify_waiters();
    Ok(HttpResponse::Ok().json(ScreeningResult { is_looked_at, help: state.help.of(&community).clone() }))
}

impl From<ScreenedError> for Problem {
    fn from(error: ScreenedError) -> Self {
        match error {
            ScreenedError::Accept(error) => error.into(),
            ScreenedError::NoMember => Self::new(StatusCode::NOT_FOUND, "not-found", "There is no such member")
                .detail("Nobody has joined under this handle: look after them as you do without the bridge."),
            ScreenedError::NobodyThere => Self::new(StatusCode::CONFLICT, "nobody-there", "Nobody would look")
                .detail("The operator has named nobody who is told in this community ([communities.….safety])."),
        }
    }
}
