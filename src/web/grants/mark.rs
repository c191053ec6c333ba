//! `/v1/grants/{grant_id}/mark`: a member asks their clinic to mark what it was told as entered in error.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, get, post};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::grant_id;
use crate::consent::change::ChangeError;
use crate::domain::grant::Grant;
use crate::domain::ids::MemberId;
use crate::pipeline::consent;
use crate::store::Tx;
use crate::web::auth::SignedInMember;
use crate::web::{Problem, State};

/// For how many resources the clinic is being asked.
#[derive(Debug, Serialize, ToSchema)]
pub struct Asked {
    /// How many. What it was asked for before is not counted again.
    asked: u64,
}

/// What came of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct MarkList {
    /// In the order in which the clinic is asked.
    marks: Vec<MarkEntry>,
}

/// What came of it, for one resource.
#[derive(Debug, Serialize, ToSchema)]
pub struct MarkEntry {
    /// Value of the resource's identifier at the clinic.
    identifier: String,
    /// `waiting`, `marked`, `refused` or `not-asked`.
    outcome: &'static str,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// Asks the clinic of a grant that was taken back to mark everything that it was told as entered in error. It decides
/// itself what it makes of that. Asking twice is the same as asking once.
#[utoipa::path(
    operation_id = "ask_for_marks",
    tag = "grants",
    security(("member_token" = [])),
    params(("grant_id" = Uuid, Path)),
    responses(
        (status = 202, body = Asked),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "A consent towards the clinic is in force", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not now: the same again after `Retry-After`", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/grants/{grant_id}/mark")]
pub async fn ask(state: Data<State>, member: SignedInMember, grant: Path<String>) -> Result<HttpResponse, Problem> {
    let now = state.bridge.clock.now();
    let mut tx = state.bridge.store.begin().await?;
    let grant = find(&mut tx, member.0, &grant).await?;
    if tx.living_grants(&[member.0]).await?.iter().any(|living| living.clinic == grant.clinic) {
        return Err(Problem::new(StatusCode::CONFLICT, "in-force", "A consent towards this clinic is in force")
            .detail("Take it back first."));
    }
    let asked = consent::ask_to_mark(&state.bridge, &mut tx, member.0, &grant.clinic, now).await?;
    tx.commit().await?;
    tracing::info!(grant_id = %grant.id, clinic_id = %grant.clinic, asked, "the clinic is asked to mark what it has");
    state.bridge.wake.notify_waiters();
    Ok(HttpResponse::Accepted().json(Asked { asked }))
}

/// Says what came of it, resource by resource.
#[utoipa::path(
    tag = "grants",
    security(("member_token" = [])),
    params(("grant_id" = Uuid, Path)),
    responses(
        (status = 200, body = MarkList),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not now: the same again after `Retry-After`", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[get("/v1/grants/{grant_id}/mark")]
pub async fn outcomes(
    state: Data<State>,
    member: SignedInMember,
    grant: Path<String>,
) -> Result<HttpResponse, Problem> {
    let mut tx = state.bridge.store.read().await?;
    let grant = find(&mut tx, member.0, &grant).await?;
    let marks = consent::marks(&mut tx, member.0, &grant.clinic).await?.into_iter();
    let entry = |marked: consent::Marked| MarkEntry {
        identifier: marked.identifier,
        outcome: marked.outcome.as_str(),
        at: marked.at,
    };
    Ok(HttpResponse::Ok().json(MarkList { marks: marks.map(entry).collect() }))
}

async fn find(tx: &mut Tx, member: MemberId, id: &str) -> Result<Grant, Problem> {
    Ok(tx.newest_grant(member, grant_id(id)?).await?.ok_or(ChangeError::NotFound)?)
}
