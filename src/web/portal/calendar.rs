//! *My calendar*: the address under which a calendar program finds a member's visits. It is shown when it is made, and never again.

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;

use super::caller::Session;
use super::error::PortalError;
use super::form::Posted;
use super::frame::{Frame, go_to_saying, page};
use super::own::Own;
use crate::enrolment::calendar::open_calendar;
use crate::web::State;

#[derive(Template)]
#[template(path = "calendar.html")]
struct CalendarPage {
    frame: Frame,
    /// Since when there is an address.
    since: Option<String>,
    /// The address, just made.
    address: Option<String>,
}

/// Shows it.
pub async fn show(state: Data<State>, frame: Frame, session: Session) -> Result<HttpResponse, PortalError> {
    shown(&state, frame, &session, None).await
}

/// Makes an address, in the place of the one that there was.
pub async fn make(state: Data<State>, frame: Frame, posted: Posted) -> Result<HttpResponse, PortalError> {
    let (bridge, member) = (&state.bridge, posted.session.member);
    let mut tx = bridge.store.begin().await?;
    let token = open_calendar(&mut tx, &bridge.keyring, member, bridge.clock.now()).await;
    let token = token.map_err(|error| PortalError::internal(&error))?;
    tx.commit().await?;
    let address = state.public_url.join(&format!("/calendar/{token}/visits.ics"));
    let address = address.map_err(|error| PortalError::internal(&error))?;
    shown(&state, frame, &posted.session, Some(address.into())).await
}

/// The address leads nowhere any more.
pub async fn off(state: Data<State>, posted: Posted) -> Result<HttpResponse, PortalError> {
    let mut tx = state.bridge.store.begin().await?;
    tx.delete_calendar_feed(posted.session.member).await?;
    tx.commit().await?;
    Ok(go_to_saying("/settings/calendar", "flash-calendar-off"))
}

async fn shown(
    state: &State,
    frame: Frame,
    session: &Session,
    address: Option<String>,
) -> Result<HttpResponse, PortalError> {
    let mut tx = state.bridge.store.read().await?;
    let days = Own::open(&state.bridge, &mut tx, session.member).await?.days();
    let since = tx.calendar_feed_since(session.member).await?.map(|at| frame.date(days.day_of(at)));
    drop(tx);
    page(&CalendarPage { frame, since, address })
}
