//! The way into a visit, made when the member asks for it and theirs alone; and the visit for their own calendar.

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_DISPOSITION, LOCATION};
use actix_web::web::{Data, Path};

use crate::booking;
use crate::booking::calendar::calendar;
use crate::booking::video::{Meeting, RoomError, Side, is_open};
use crate::domain::booking::Booking;
use crate::domain::ids::BookingId;
use crate::web::State;
use crate::web::calendar::entry;
use crate::web::portal::caller::Session;
use crate::web::portal::error::PortalError;
use crate::web::portal::frame::Frame;
use crate::web::portal::own::Own;

/// Leads into the visit: to the clinic's own video service, with a token that holds for minutes. Before its time, and where there
/// is no way, back to the page that says so.
pub async fn join(
    state: Data<State>,
    frame: Frame,
    session: Session,
    id: Path<String>,
) -> Result<HttpResponse, PortalError> {
    let booking = of(&state, &session, &id).await?;
    let now = state.bridge.clock.now();
    let visit = booking.visit().filter(|visit| is_open(visit.time.start, visit.time.end, now));
    let Some(visit) = visit else { return Ok(to(&format!("/visits/{}", booking.id))) };
    let (name, title) = (frame.t("visit-guest"), frame.t("visit-neutral"));
    enter(&state, &visit, (Side::Member, &name), &title).await
}

/// Leads somebody into a visit or group session, by an address that is made for them now and holds for minutes.
pub async fn enter(
    state: &State,
    meeting: impl Into<Meeting<'_>>,
    who: (Side, &str),
    title: &str,
) -> Result<HttpResponse, PortalError> {
    let meeting = meeting.into();
    match state.rooms.enter(meeting, who, title, state.bridge.clock.now()).await {
        Ok(Some(way)) => Ok(to(way.as_str())),
        Ok(None) => Err(PortalError::NotFound),
        Err(RoomError::Video(error)) => Err(PortalError::internal(&error)),
        Err(error) => {
            tracing::warn!(clinic_id = %meeting.clinic, cause = %error, "a room of the video service does not open");
            Err(PortalError::Busy)
        }
    }
}

/// The visit for the member's own calendar: when it is, and nothing of what or with whom.
pub async fn for_calendar(
    state: Data<State>,
    frame: Frame,
    session: Session,
    id: Path<String>,
) -> Result<HttpResponse, PortalError> {
    let booking = of(&state, &session, &id).await?;
    let time = booking.time.ok_or(PortalError::NotFound)?;
    let title = frame.t("visit-neutral");
    let entry = entry(&state.public_url, &booking, time).map_err(|error| PortalError::internal(&error))?;
    let text = calendar(&[entry], &title, &title);
    Ok(HttpResponse::Ok()
        .content_type("text/calendar; charset=utf-8")
        .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"visit.ics\""))
        .body(text))
}

async fn of(state: &State, session: &Session, id: &str) -> Result<Booking, PortalError> {
    let id: BookingId = id.parse().map_err(|_| PortalError::NotFound)?;
    let mut tx = state.bridge.store.read().await?;
    let own = Own::open(&state.bridge, &mut tx, session.member).await?;
    booking::one(&mut tx, &own.key, id).await?.ok_or(PortalError::NotFound)
}

/// Elsewhere, with a page that is asked for anew each time.
pub fn to(place: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, place)).finish()
}
