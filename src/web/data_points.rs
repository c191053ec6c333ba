//! `POST /v1/data-points`: what apps and devices measured, in the shapes in which they say it.

use actix_web::http::StatusCode;
use actix_web::http::header::HeaderValue;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse, post};
use serde::Serialize;
use utoipa::ToSchema;

use super::auth::DataSender;
use super::events::{EventResult, EventStatus, note, result, unreadable};
use super::{Problem, State, body};
use crate::domain::ids::{CommunityId, IMPORT_COMMUNITY, InvalidSlug};
use crate::domain::zone::Zone;
use crate::inbound::data_point::{Given, Record, parse_body};
use crate::inbound::event::{Event, MAX_BATCH, Refusal, Subject};
use crate::pipeline::accept;

/// Whose the records are, where they do not say it themselves.
const SUBJECT: &str = "Mostik-Subject";
/// Where the clock stood that they were made by, where they do not say it themselves.
const TIME_ZONE: &str = "Mostik-Time-Zone";

/// What became of each thing that a request says.
#[derive(Debug, Serialize, ToSchema)]
pub struct DataPointResults {
    /// One entry for each thing that a record says, or for a record that is not understood, in the order of the request.
    pub results: Vec<DataPointResult>,
}

/// What became of one thing that a record says.
#[derive(Debug, Serialize, ToSchema)]
pub struct DataPointResult {
    /// Where the record stands in the request, as a JSON Pointer.
    pub at: String,
    /// What it says: `mood`, `tags`, or what was measured, as in `mostik.measurement.v1`. Absent where it is not understood.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reading: Option<&'static str>,
    /// What became of it.
    pub status: EventStatus,
    /// Why it was refused. Its field is a JSON Pointer into the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
}

/// Takes one record or an array of them. Which shape it has, the content says:
///
/// - a data point or a data series of Open mHealth or IEEE 1752.1, by the JSON Schemas in schemas/data-points/: heart rate,
///   steps, sleep, time in bed, exercise;
/// - what the app Health Auto Export pushes: `stateOfMind`, and metrics of steps, exercise, mindfulness, sleep and heart;
/// - what Fitbit's and Withings' APIs answer about sleep.
///
/// A community says by the header `Mostik-Subject` whose records they are, under the name under which it knows the member;
/// Open mHealth's `user_id` will do as well. A member sends their own with their own token. `Mostik-Time-Zone`, a zone of
/// the IANA database, says where the clock stood: Fitbit needs it, and times in UTC are shown to clinics in it.
///
/// A record may say several things; each stands or falls alone, by the consent for its own category. Sent again, a record
/// is a duplicate; changed under its own id, it corrects what it said before. Figures of several measurements (a mean, a
/// maximum) are refused: summaries are made here, of what was measured.
#[utoipa::path(
    tag = "events",
    params(
        ("Mostik-Subject" = Option<String>, Header, description = "The member's name in the community that sends"),
        ("Mostik-Time-Zone" = Option<String>, Header, description = "Such as Europe/Berlin"),
    ),
    request_body(content((serde_json::Value = "application/json")), description = "One record, or an array of up to 1,000."),
    security(("api_key" = ["events:write"]), ("member_token" = [])),
    responses(
        (status = 200, description = "What became of each", body = DataPointResults),
        (status = 400, description = "No record can be made out, or a header is not understood", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No valid credential", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "An API key without the scope events:write", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Too many bytes, records or readings", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "Another media type or charset", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not now: the same again after `Retry-After`", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/data-points")]
pub async fn post_data_points(
    state: Data<State>,
    sender: DataSender,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let zone = header(&request, TIME_ZONE)?.map(|name| Zone::named(&name)).transpose();
    let zone = zone.map_err(|error| body::malformed(error.to_string()).field(TIME_ZONE))?;
    let (community, subject) = match sender {
        DataSender::Community(community) => (community, header(&request, SUBJECT)?.map(Subject::Handle)),
        DataSender::Member(member) => (imported()?, Some(Subject::Member(member))),
    };
    let bytes = body::read(&request, payload, &["application/json"]).await?;
    let given = Given { subject: subject.as_ref(), zone: zone.as_ref(), now: state.bridge.clock.now() };
    let records = parse_body(&state.schemas.data_points, &bytes, &given).map_err(|error| unreadable(&error))?;
    let (mut results, mut events) = (Vec::new(), Vec::new());
    for record in records {
        for (result, event) in parts(record) {
            results.push(result);
            events.push(event);
        }
    }
    let most = state.data_point_readings;
    if events.len() > most {
        let detail = format!("Expected at most {most} readings in one request; nothing of it was taken.");
        let title = "There are too many readings in the request";
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-many", title).detail(detail));
    }
    let mut events = events.into_iter();
    let mut outcomes = Vec::with_capacity(results.len());
    loop {
        // A record that is sent again says nothing new: what a lost connection left out comes with the next attempt.
        let batch: Vec<Result<Event, Refusal>> = events.by_ref().take(MAX_BATCH).collect();
        if batch.is_empty() {
            break;
        }
        outcomes.extend(accept(&state.bridge, &community, batch).await?);
    }
    for (slot, outcome) in results.iter_mut().zip(outcomes) {
        let EventResult { status, refusal, .. } = result(outcome);
        (slot.status, slot.refusal) = (status, refusal);
    }
    note("data points", &community, results.iter().map(|result| result.status));
    Ok(HttpResponse::Ok().json(DataPointResults { results }))
}

/// What a record says, each with the result that is filled in once it is known.
fn parts(record: Record) -> Vec<(DataPointResult, Result<Event, Refusal>)> {
    let Record { at, says } = record;
    let open = |reading| DataPointResult { at: at.clone(), reading, status: EventStatus::Refused, refusal: None };
    match says {
        Ok(says) => says.into_iter().map(|said| (open(Some(said.reading)), Ok(said.event))).collect(),
        Err(refusal) => vec![(open(None), Err(refusal))],
    }
}

fn header(request: &HttpRequest, name: &str) -> Result<Option<String>, Problem> {
    let text = |value: &HeaderValue| String::from_utf8(value.as_bytes().to_vec()).ok().filter(|text| !text.is_empty());
    let expected = || body::malformed("Expected a text in UTF-8.").field(name);
    request.headers().get(name).map(|value| text(value).ok_or_else(expected)).transpose()
}

/// What members give themselves belongs to no community.
fn imported() -> Result<CommunityId, Problem> {
    IMPORT_COMMUNITY.parse().map_err(|error: InvalidSlug| Problem::internal(&error))
}
