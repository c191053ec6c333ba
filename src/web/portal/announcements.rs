//! *Open sessions*: what is announced to the whole community, for whoever looks, signed in or not.

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;

use super::error::PortalError;
use super::frame::{Frame, page};
use crate::booking::group::{Announced, announced};
use crate::domain::day::Days;
use crate::web::State;

#[derive(Template)]
#[template(path = "announcements.html")]
struct AnnouncementsPage {
    frame: Frame,
    zone: String,
    sessions: Vec<Line>,
}

/// A session that is announced.
struct Line {
    title: String,
    clinic: String,
    when: String,
    minutes: u16,
    has_room: bool,
}

/// Lists them.
pub async fn list(state: Data<State>, frame: Frame) -> Result<HttpResponse, PortalError> {
    let mut tx = state.bridge.store.read().await?;
    let all = announced(&state.bridge, &mut tx, state.bridge.clock.now()).await?;
    drop(tx);
    let (house, zone) = (&state.bridge.house, &state.bridge.readings.zone);
    let days = Days::new(std::iter::empty(), zone.rules().clone());
    let line = |Announced { session, visit, has_room }: &Announced| Line {
        title: visit.title.get(frame.language).to_owned(),
        clinic: house.clinic_name(&session.clinic).to_owned(),
        when: frame.moment(days.moment(session.time.start)),
        minutes: visit.minutes,
        has_room: *has_room,
    };
    page(&AnnouncementsPage { sessions: all.iter().map(line).collect(), zone: zone.name().to_owned(), frame })
}
