//! What a member does with a visit. Each form leads back to the visit's page, which says where it stands.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use askama::Template;

use super::{shown, title};
use crate::booking::{self, BookingError, FindError};
use crate::domain::booking::{Booking, Rating};
use crate::domain::ids::{BookingId, MemberId};
use crate::store::{BookingKey, SealedBooking};
use crate::web::State;
use crate::web::portal::caller::Session;
use crate::web::portal::error::PortalError;
use crate::web::portal::form::Posted;
use crate::web::portal::frame::{Frame, go_to, go_to_saying, page};
use crate::web::portal::own::Own;

/// How long a page waits for the clinic's system at most: most answer at once, and then nobody has to look again.
const PATIENCE: Duration = Duration::from_millis(1500);

/// How often it is looked in that time whether it has answered.
const LOOK_EVERY: Duration = Duration::from_millis(50);

#[derive(Template)]
#[template(path = "visit_cancel.html")]
struct CancelPage {
    frame: Frame,
    id: BookingId,
    title: String,
    clinic: String,
    when: Option<String>,
    /// Whether it is a place in a group session.
    is_seat: bool,
}

/// Looks which times are free now.
pub async fn look(state: Data<State>, posted: Posted, id: Path<String>) -> Result<HttpResponse, PortalError> {
    let id = parse(&id)?;
    match state.finder.find(posted.session.member, id).await {
        Ok(_) => Ok(go_to(&path(id))),
        Err(FindError::Away(_)) => Ok(go_to_saying(&path(id), "flash-visit-away")),
        Err(FindError::Booking(error)) => Err(error.into()),
    }
}

/// Has the member told when something is free, or no longer.
pub async fn wait(state: Data<State>, posted: Posted, id: Path<String>) -> Result<HttpResponse, PortalError> {
    let id = parse(&id)?;
    let waits = posted.fields.text("wait") == "yes";
    state.finder.wait(posted.session.member, id, waits).await?;
    Ok(go_to_saying(&path(id), if waits { "flash-visit-waits" } else { "flash-visit-waits-no-more" }))
}

/// Has a time kept for the member.
pub async fn choose(state: Data<State>, posted: Posted, id: Path<String>) -> Result<HttpResponse, PortalError> {
    let id = parse(&id)?;
    let place = shown::place_of(posted.fields.text("place")).ok_or(PortalError::BadForm)?;
    let (member, now) = (posted.session.member, state.bridge.clock.now());
    let mut tx = state.bridge.store.begin().await?;
    booking::choose(&state.bridge, &mut tx, member, id, &place, now).await?;
    tx.commit().await?;
    answered(&state, member, id).await
}

/// Confirms the time that is kept.
pub async fn confirm(state: Data<State>, posted: Posted, id: Path<String>) -> Result<HttpResponse, PortalError> {
    let id = parse(&id)?;
    let (member, now) = (posted.session.member, state.bridge.clock.now());
    let mut tx = state.bridge.store.begin().await?;
    booking::confirm(&state.bridge, &mut tx, member, id, now).await?;
    tx.commit().await?;
    answered(&state, member, id).await
}

/// Gives the time back, to choose another one.
pub async fn release(state: Data<State>, posted: Posted, id: Path<String>) -> Result<HttpResponse, PortalError> {
    let id = parse(&id)?;
    let (member, now) = (posted.session.member, state.bridge.clock.now());
    let mut tx = state.bridge.store.begin().await?;
    booking::release(&state.bridge, &mut tx, member, id, now).await?;
    tx.commit().await?;
    answered(&state, member, id).await
}

/// Begins to look for another time. The one that is booked stays until then.
pub async fn change(state: Data<State>, posted: Posted, id: Path<String>) -> Result<HttpResponse, PortalError> {
    let id = parse(&id)?;
    let (member, now) = (posted.session.member, state.bridge.clock.now());
    let mut tx = state.bridge.store.begin().await?;
    let begun = booking::change(&state.bridge, &mut tx, member, id, now).await?;
    tx.commit().await?;
    match state.finder.find(member, begun.id).await {
        // One that began before may be farther than that.
        Ok(_) | Err(FindError::Booking(BookingError::NotNow)) => Ok(go_to(&path(begun.id))),
        Err(FindError::Away(_)) => Ok(go_to_saying(&path(begun.id), "flash-visit-away")),
        Err(FindError::Booking(error)) => Err(error.into()),
    }
}

/// Says that the member is there.
pub async fn here(state: Data<State>, posted: Posted, id: Path<String>) -> Result<HttpResponse, PortalError> {
    let id = parse(&id)?;
    let (member, now) = (posted.session.member, state.bridge.clock.now());
    let mut tx = state.bridge.store.begin().await?;
    booking::arrive(&state.bridge, &mut tx, member, id, now).await?;
    tx.commit().await?;
    state.bridge.wake.notify_waiters();
    Ok(go_to(&path(id)))
}

/// Counts how the member found it.
pub async fn rate(state: Data<State>, posted: Posted, id: Path<String>) -> Result<HttpResponse, PortalError> {
    let id = parse(&id)?;
    let rating = match posted.fields.text("rating") {
        "" => return Ok(go_to_saying(&path(id), "flash-visit-rate-none")),
        "0" => Rating::UNSAID,
        said => said.parse().ok().and_then(Rating::new).ok_or(PortalError::BadForm)?,
    };
    let (member, now) = (posted.session.member, state.bridge.clock.now());
    let mut tx = state.bridge.store.begin().await?;
    booking::rate(&state.bridge, &mut tx, member, id, rating, now).await?;
    tx.commit().await?;
    Ok(go_to_saying(&path(id), "flash-visit-rated"))
}

/// Asks whether it is really to be cancelled.
pub async fn ask_to_cancel(
    state: Data<State>,
    frame: Frame,
    session: Session,
    id: Path<String>,
) -> Result<HttpResponse, PortalError> {
    let id = parse(&id)?;
    let mut tx = state.bridge.store.read().await?;
    let own = Own::open(&state.bridge, &mut tx, session.member).await?;
    let booking: Booking = booking::one(&mut tx, &own.key, id).await?.ok_or(PortalError::NotFound)?;
    drop(tx);
    let days = own.days();
    page(&CancelPage {
        id,
        title: title(&state, &frame, &booking),
        clinic: state.bridge.house.clinic_name(&booking.clinic).to_owned(),
        when: booking.time.map(|time| frame.moment(days.moment(time.start))),
        is_seat: booking.seat.is_some(),
        frame,
    })
}

/// Cancels it.
pub async fn cancel(state: Data<State>, posted: Posted, id: Path<String>) -> Result<HttpResponse, PortalError> {
    let id = parse(&id)?;
    let (member, now) = (posted.session.member, state.bridge.clock.now());
    let mut tx = state.bridge.store.begin().await?;
    booking::cancel(&state.bridge, &mut tx, member, id, now).await?;
    tx.commit().await?;
    answered(&state, member, id).await
}

/// Wakes the desks, and leads back to the visit when the clinic's system has answered, or after a moment.
async fn answered(state: &State, member: MemberId, id: BookingId) -> Result<HttpResponse, PortalError> {
    state.bridge.wake.notify_waiters();
    once_answered(state, (member, id)).await?;
    Ok(go_to(&path(id)))
}

/// How a booking stands when the clinic's system has answered, or after a moment.
pub async fn once_answered(state: &State, key: BookingKey) -> Result<Option<SealedBooking>, PortalError> {
    // A clock that is moved by hand does not go on while somebody waits.
    let looks = if state.bridge.clock.is_system() { PATIENCE.as_millis() / LOOK_EVERY.as_millis() } else { 0 };
    for _ in 0..looks {
        let row = state.bridge.store.read().await?.booking(key).await?;
        if row.as_ref().is_none_or(|row| row.wish.is_none()) {
            return Ok(row);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(state.bridge.store.read().await?.booking(key).await?)
}

fn parse(id: &str) -> Result<BookingId, PortalError> {
    id.parse().map_err(|_| PortalError::NotFound)
}

fn path(id: BookingId) -> String {
    format!("/visits/{id}")
}
