//! `POST /v1/events`: readings from communities and apps, their corrections, and their retractions.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse, post};
use serde::Serialize;
use utoipa::ToSchema;

use super::auth::EventSender;
use super::{Problem, State, body, help};
use crate::domain::helpline::Help;
use crate::domain::ids::CommunityId;
use crate::inbound::event::{MAX_BATCH, MalformedBody, Refusal, parse_body};
use crate::pipeline::{Outcome, accept};

/// CloudEvents 1.0 JSON format: one event, a batch; plain JSON may be either.
const MEDIA_TYPES: [&str; 3] =
    ["application/cloudevents+json", "application/cloudevents-batch+json", "application/json"];

/// What became of each event of a request.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventResults {
    /// One entry for each event, in the order of the request.
    pub results: Vec<EventResult>,
}

/// What became of one event.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventResult {
    /// What became of it.
    pub status: EventStatus,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
    /// Where the member finds help: there whenever they said that they think of hurting themselves, whatever became of the
    /// event. Show it to them at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<Help>,
}

/// What became of one event.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EventStatus {
    /// Stored, and on its way to every clinic that may see it.
    Accepted,
    /// Stored as the newest version of an entry that was known, and on its way to every clinic that may see it.
    Corrected,
    /// The entry is deleted; every clinic that has it and may be told is being told.
    Retracted,
    /// Nothing more to do: the same event with the same content was taken before, or a later version of its entry was,
    /// or it says what the newest version says already, or it retracts what no clinic has.
    Duplicate,
    /// The same source and id were taken before with another content; not stored. What changed in an entry is told by an
    /// event with an id of its own and the attribute `corrects`.
    Conflict,
    /// Not taken; it left no trace.
    Refused,
}

/// Takes one event or a batch of up to 1,000. Each event stands or falls alone; what is accepted is durable when the
/// answer arrives, so a request whose answer was lost can be sent again as it was.
///
/// An entry is named by the `id` of the event that first reported it. When the member changes it, send how it reads now
/// as an event of the same type, source and subject, with an `id` of its own and the extension attribute `corrects`,
/// which is the `id` of the first report, however often the entry was corrected since. When they delete it, send
/// `mostik.retraction.v1` with `data.retracts`, the `id` of the first report. Versions count in the order in which they
/// arrive. A correction of what was never taken is a first report; a retraction of it is a duplicate and is not
/// remembered. What was retracted does not come back: a correction of it is refused with the reason `retracted`. Both
/// fall under the consent that the entry falls under: without one, a clinic that has the entry is told nothing, and the
/// event is refused when that is so for all of them. What only waits to be sent is dropped in any case.
///
/// Where the answers to a questionnaire say that the member thinks of hurting themselves, the answer carries `help`: whom
/// they can call in their country, in each language of the bridge. It is there before any consent is asked for, also where
/// the event is refused or cannot be stored; show it to the member at once. It is no alarm. Where the community has named people who look after
/// its members (`[communities.….safety]`), a concern is raised in the same stroke, for those who have joined here, and those
/// people are told: see `/v1/concerns`.
#[utoipa::path(
    tag = "events",
    request_body(
        content(
            (serde_json::Value = "application/cloudevents+json"),
            (Vec<serde_json::Value> = "application/cloudevents-batch+json"),
            (serde_json::Value = "application/json"),
        ),
        description = "CloudEvents 1.0. The JSON Schemas of the envelope and of each type are in schemas/events/.",
    ),
    security(("api_key" = ["events:write"])),
    responses(
        (status = 200, description = "A batch, or one event that is a duplicate", body = EventResults),
        (status = 202, description = "One event, accepted, corrected or retracted", body = EventResults),
        (status = 400, description = "No event can be made out", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No valid API key", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "An API key without the scope events:write", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "One event, known with another content", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Too many bytes or events", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "Another media type or charset", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "One event, refused", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not now: the same again after `Retry-After`", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/events")]
pub async fn post_events(
    state: Data<State>,
    sender: EventSender,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let bytes = body::read(&request, payload, &MEDIA_TYPES).await?;
    let now = state.bridge.clock.now();
    let (events, is_batch) = parse_body(&state.schemas.events, &bytes, now).map_err(|error| unreadable(&error))?;
    // Before any consent, and whatever becomes of them: it goes to nobody but the member.
    let wants_help: Vec<bool> = events.iter().map(help::is_wanted).collect();
    let helped = |wanted: bool| wanted.then(|| state.help.of(&sender.0).clone());
    let outcomes = accept(&state.bridge, &sender.0, events).await.map_err(|error| {
        let help = helped(wants_help.contains(&true)).map(Box::new);
        Problem { help, ..error.into() }
    })?;
    let results: Vec<EventResult> = outcomes
        .into_iter()
        .zip(wants_help)
        .map(|(outcome, wanted)| EventResult { help: helped(wanted), ..result(outcome) })
        .collect();
    note("events", &sender.0, results.iter().map(|result| result.status));
    answer(results, is_batch)
}

/// Says in the log what became of what a community sent.
pub(super) fn note(what: &'static str, community_id: &CommunityId, became: impl Iterator<Item = EventStatus>) {
    let became: Vec<EventStatus> = became.collect();
    let count = |of| became.iter().filter(|status| **status == of).count();
    tracing::info!(
        %community_id,
        accepted = count(EventStatus::Accepted),
        corrected = count(EventStatus::Corrected),
        retracted = count(EventStatus::Retracted),
        duplicate = count(EventStatus::Duplicate),
        conflict = count(EventStatus::Conflict),
        refused = count(EventStatus::Refused),
        "{what}"
    );
}

pub(super) fn result(outcome: Outcome) -> EventResult {
    let (status, refusal) = match outcome {
        Outcome::Accepted => (EventStatus::Accepted, None),
        Outcome::Corrected => (EventStatus::Corrected, None),
        Outcome::Retracted => (EventStatus::Retracted, None),
        Outcome::Duplicate => (EventStatus::Duplicate, None),
        Outcome::Conflict => (EventStatus::Conflict, None),
        Outcome::Refused(refusal) => (EventStatus::Refused, Some(refusal)),
    };
    EventResult { status, refusal, help: None }
}

/// A batch is answered as a whole; a single event's fate is the status of the answer.
fn answer(results: Vec<EventResult>, is_batch: bool) -> Result<HttpResponse, Problem> {
    let single = results.first().filter(|_| !is_batch);
    let help = single.and_then(|result| result.help.clone()).map(Box::new);
    match single.map(|result| (result.status, result.refusal.clone())) {
        None | Some((EventStatus::Duplicate, _)) => Ok(HttpResponse::Ok().json(EventResults { results })),
        Some((EventStatus::Accepted | EventStatus::Corrected | EventStatus::Retracted, _)) => {
            Ok(HttpResponse::Accepted().json(EventResults { results }))
        }
        Some((EventStatus::Conflict, _)) => {
            let problem =
                Problem::new(StatusCode::CONFLICT, "conflict", "The event was taken before with another content")
                    .detail(
                        "Nothing was changed. Give a changed event an id of its own, and name this one in `corrects`.",
                    );
            Err(Problem { help, ..problem })
        }
        Some((EventStatus::Refused, refusal)) => {
            let problem =
                Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "refused", "The event was not taken; it left no trace");
            Err(Problem { refusal: refusal.map(Box::new), help, ..problem })
        }
    }
}

pub(super) fn unreadable(error: &MalformedBody) -> Problem {
    match error {
        MalformedBody::TooMany => {
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-many", "There are too many events in the batch")
                .detail(format!("Expected at most {MAX_BATCH} events in one request."))
        }
        other => body::malformed(other.to_string()),
    }
}
