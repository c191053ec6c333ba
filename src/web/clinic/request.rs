//! Who asks for a visit, or waits for one.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;
use jiff::Timestamp;
use jiff::civil::Date;

use super::caller::StaffSession;
use super::{MOST, clock, days, look, look_at_all, title};
use crate::booking::{FindError, Seen};
use crate::domain::booking::{BookingState, Offer};
use crate::domain::day::Days;
use crate::domain::ids::BookingId;
use crate::domain::visit_type::VisitType;
use crate::web::State;
use crate::web::portal::error::PortalError;
use crate::web::portal::frame::{Frame, page, page_with};
use crate::web::portal::visits::shown::field_of;

/// The most free times that are shown.
const MOST_TIMES: usize = 60;

#[derive(Template)]
#[template(path = "clinic_requests.html")]
struct ListPage {
    frame: Frame,
    lines: Vec<Line>,
    /// How many stand in the EHR only.
    hidden: usize,
    zone: String,
}

/// A request in the list.
struct Line {
    id: BookingId,
    title: String,
    patient: String,
    since: String,
    /// How it stands: the key of its words.
    stands: &'static str,
}

#[derive(Template)]
#[template(path = "clinic_request.html")]
struct RequestPage {
    frame: Frame,
    id: BookingId,
    title: String,
    patient: String,
    since: String,
    zone: String,
    /// How it stands: the key of its words.
    stands: &'static str,
    reason: Option<String>,
    /// Whether something can be decided now.
    is_open: bool,
    /// Whether its time is one of those that are free in the EHR, or written by hand.
    has_schedule: bool,
    days: Vec<Day>,
    /// Whether the EHR did not say what is free.
    is_away: bool,
    /// The first day that can be written.
    first_day: String,
    /// What is wrong with the form: the key of a text.
    wrong: Option<&'static str>,
}

/// A day with the times that are free on it.
struct Day {
    name: String,
    /// Each as a form names it, and as a clock shows it.
    times: Vec<(String, String)>,
}

/// Lists them.
pub async fn requests(state: Data<State>, frame: Frame, session: StaffSession) -> Result<HttpResponse, PortalError> {
    let (who, now) = (&session.who, state.bridge.clock.now());
    let mut tx = state.bridge.store.begin().await?;
    let keys = tx.bookings_waiting_at(&who.clinic, MOST).await?;
    let (seen, hidden) = look_at_all(&state, &mut tx, who, &keys, now).await?;
    tx.commit().await?;
    let days = days(&state, who);
    let line = |seen: &Seen| Line {
        id: seen.booking.id,
        title: title(&state, &frame, &seen.booking),
        patient: seen.patient.clone(),
        since: frame.moment(days.moment(seen.booking.created_at)),
        stands: stands(seen),
    };
    let lines = seen.iter().map(line).collect();
    page(&ListPage { lines, hidden, zone: super::zone(&state, who).name().to_owned(), frame })
}

/// Shows one, and what can be decided.
pub async fn request(
    state: Data<State>,
    frame: Frame,
    session: StaffSession,
    id: Path<String>,
) -> Result<HttpResponse, PortalError> {
    show(&state, frame, &session, &id, None).await
}

/// The page of a request, with what is wrong with the form that was sent.
pub(super) async fn show(
    state: &State,
    frame: Frame,
    session: &StaffSession,
    id: &str,
    wrong: Option<&'static str>,
) -> Result<HttpResponse, PortalError> {
    let who = &session.who;
    let mut tx = state.bridge.store.begin().await?;
    let seen = look(state, &mut tx, who, id).await?;
    let booking = &seen.booking;
    let visit = state.bridge.visit(&mut tx, &booking.clinic, &booking.visit).await?;
    tx.commit().await?;
    let (days, now) = (days(state, who), state.bridge.clock.now());
    let is_open = booking.state == BookingState::Requested && booking.wish.is_none();
    let free = match visit.filter(|_| is_open) {
        Some(visit) => times(state, &seen, &visit).await?,
        None => Times::ByHand,
    };
    let (has_schedule, is_away) = (matches!(free, Times::Free(_)), matches!(free, Times::Away));
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let template = RequestPage {
        id: booking.id,
        title: title(state, &frame, booking),
        patient: seen.patient.clone(),
        since: frame.moment(days.moment(booking.created_at)),
        zone: super::zone(state, who).name().to_owned(),
        stands: stands(&seen),
        reason: seen.reason.clone(),
        is_open,
        has_schedule,
        is_away,
        days: by_day(&frame, &days, if let Times::Free(offers) = free { offers } else { Vec::new() }),
        first_day: days.day_of(now).to_string(),
        wrong,
        frame,
    };
    page_with(status, &template)
}

/// Where the time for a request comes from.
pub(super) enum Times {
    /// From the EHR: these are free.
    Free(Vec<Offer>),
    /// From the EHR, which does not say at present.
    Away,
    /// It is written by hand.
    ByHand,
}

/// Which times there are for a request.
pub(super) async fn times(state: &State, seen: &Seen, visit: &VisitType) -> Result<Times, PortalError> {
    let (member, clinic) = (seen.booking.member, &seen.booking.clinic);
    let found = match state.finder.has_times(member, clinic, visit).await {
        Ok(true) => state.finder.free_times(member, clinic, visit).await.map(Times::Free),
        Ok(false) => Ok(Times::ByHand),
        Err(error) => Err(error),
    };
    match found {
        Ok(times) => Ok(times),
        Err(FindError::Away(reason)) => {
            tracing::info!(clinic_id = %clinic, reason, "nobody knows what is free at a clinic");
            Ok(Times::Away)
        }
        Err(FindError::Booking(error)) => Err(error.into()),
    }
}

/// How a request stands: the key of its words.
const fn stands(seen: &Seen) -> &'static str {
    match (seen.booking.state, seen.booking.wish) {
        (_, Some(_)) => "clinic-stands-asked",
        (BookingState::Requested, None) if seen.booking.waits => "clinic-stands-waits",
        (BookingState::Requested, None) => "clinic-stands-open",
        (BookingState::Held, None) => "clinic-stands-held",
        (BookingState::Booked, None) => "clinic-stands-booked",
        (BookingState::Cancelled, None) => "clinic-stands-cancelled",
        (_, None) => "clinic-stands-closed",
    }
}

fn by_day(frame: &Frame, days: &Days, offers: Vec<Offer>) -> Vec<Day> {
    let mut by_day: Vec<(Date, Day)> = Vec::new();
    for offer in offers.into_iter().take(MOST_TIMES) {
        let date = days.day_of(offer.time.start);
        let time = (field_of(&offer.place), span(days, offer.time.start, offer.time.end));
        match by_day.last_mut() {
            Some((last, day)) if *last == date => day.times.push(time),
            _ => by_day.push((date, Day { name: frame.date(date), times: vec![time] })),
        }
    }
    by_day.into_iter().map(|(_, day)| day).collect()
}

/// From when until when, as a clock shows it.
fn span(days: &Days, start: Timestamp, end: Timestamp) -> String {
    format!("{}–{}", clock(days, start), clock(days, end))
}
