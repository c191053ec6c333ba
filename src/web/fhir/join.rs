//! `POST /fhir/Appointment/{identifier}/$join`: somebody of the clinic enters the remote visit that a patient booked, or leads a group session.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, post};
use serde_json::{Value, json};

use super::access::{Interaction, note};
use super::caller::ClinicCaller;
use super::{Outcome, resource};
use crate::booking::video::{Meeting, RoomError, Side, WAY_IN, is_open};
use crate::web::{Problem, RequestId, State};

const JOIN: Interaction = Interaction { name: "operation", resource_type: "Appointment" };

/// What the room and whoever leads it are called, where a video service shows it: it says nothing of anybody.
const TITLE: &str = "Appointment";
const CLINICIAN: &str = "Clinician";

/// Gives the clinic's system the address that leads its clinician into a visit, as moderator, for ten minutes. Whoever has it
/// can come in: it is for the browser of the one who asked.
#[utoipa::path(
    tag = "clinics",
    security(("clinic_token" = ["system/Appointment.r"])),
    params(("identifier" = String, Path, description = "The value of the identifier that the bridge gave the Appointment")),
    responses(
        (status = 200, description = "Parameters: `url`, and `until` when it leads there", body = Value, content_type = "application/fhir+json"),
        (status = 404, description = "No visit that is booked, or group session, that is this clinic's and can be entered now", body = Value, content_type = "application/fhir+json"),
        (status = 503, description = "The video service does not answer", body = Value, content_type = "application/fhir+json"),
    ),
)]
#[post("/fhir/Appointment/{identifier}/$join")]
pub async fn join(
    state: Data<State>,
    caller: ClinicCaller,
    identifier: Path<String>,
    id: RequestId,
) -> Result<HttpResponse, Outcome> {
    caller.check("Appointment", 'r')?;
    let now = state.bridge.clock.now();
    let mut tx = state.bridge.store.begin().await?;
    let booking = tx.booking_of_identifier(&identifier).await?.filter(|booking| booking.clinic == caller.clinic);
    note(&mut tx, &caller, booking.as_ref().map(|booking| booking.member), JOIN, id, now);
    let session = match identifier.parse() {
        Ok(id) => tx.group_session(&caller.clinic, id).await?,
        Err(_) => None,
    };
    tx.commit().await?;
    let visit =
        booking.and_then(|booking| booking.visit()).filter(|visit| is_open(visit.time.start, visit.time.end, now));
    let session = session.filter(|session| session.will_be() && is_open(session.time.start, session.time.end, now));
    let meeting = visit.as_ref().map(Meeting::from).or_else(|| session.as_ref().map(Meeting::from));
    let meeting = meeting.ok_or_else(Outcome::not_found)?;
    let way = match state.rooms.enter(meeting, (Side::Clinic, CLINICIAN), TITLE, now).await {
        Ok(way) => way.ok_or_else(Outcome::not_found)?,
        Err(RoomError::Video(error)) => return Err(Problem::internal(&error).into()),
        Err(error) => {
            tracing::warn!(clinic_id = %caller.clinic, cause = %error, "a room of the video service does not open");
            let away = "The video service does not answer at present";
            return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "video-service-away", away).into());
        }
    };
    let until = now.checked_add(WAY_IN).unwrap_or(now);
    Ok(resource(&parameters(way.as_str(), &until.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())))
}

/// R4, parameters.html.
fn parameters(url: &str, until: &str) -> Value {
    json!({
        "resourceType": "Parameters",
        "parameter": [{"name": "url", "valueUrl": url}, {"name": "until", "valueInstant": until}],
    })
}
