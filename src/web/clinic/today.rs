//! Today's visits, by the clinic's clock.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use askama::Template;
use jiff::Timestamp;

use super::caller::StaffSession;
use super::{MOST, between, clock, days, done, groups, key, look, look_at_all, title};
use crate::booking::video::{EARLY, Side, is_open, is_past};
use crate::booking::{self, Seen};
use crate::domain::audit::Event;
use crate::domain::booking::BookingState;
use crate::domain::ids::BookingId;
use crate::web::State;
use crate::web::portal::error::PortalError;
use crate::web::portal::frame::{Frame, page};
use crate::web::portal::visits::{enter, shown, to};

#[derive(Template)]
#[template(path = "clinic_today.html")]
struct TodayPage {
    frame: Frame,
    day: String,
    zone: String,
    lines: Vec<Line>,
    /// Today's group sessions.
    groups: Vec<groups::Line>,
    /// How many stand in the EHR only.
    hidden: usize,
}

/// A visit in the list.
struct Line {
    id: BookingId,
    title: String,
    patient: String,
    from: String,
    until: String,
    /// How it stands: the key of its words.
    stands: &'static str,
    can_join: bool,
}

#[derive(Template)]
#[template(path = "clinic_visit.html")]
struct VisitPage {
    frame: Frame,
    id: BookingId,
    title: String,
    patient: String,
    when: String,
    zone: String,
    /// How it stands: the key of its words.
    stands: &'static str,
    /// How it stands, as a form says it back.
    from: &'static str,
    reason: Option<String>,
    /// Whether the EHR is being asked something.
    is_asked: bool,
    can: Can,
    /// From when on it can be entered, if that is to come.
    opens: Option<String>,
}

/// What can be done with a visit.
#[derive(Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a button of its own")]
struct Can {
    join: bool,
    fulfil: bool,
    miss: bool,
    cancel: bool,
}

/// Lists them.
pub async fn today(state: Data<State>, frame: Frame, session: StaffSession) -> Result<HttpResponse, PortalError> {
    let (who, now) = (&session.who, state.bridge.clock.now());
    let days = days(&state, who);
    let day = days.day_of(now);
    let (from, until) = (days.start_of(day), days.start_of(day.tomorrow().unwrap_or(day)));
    let mut tx = state.bridge.store.begin().await?;
    let keys = tx.visits_at(&who.clinic, from, until, MOST).await?;
    let (seen, hidden) = look_at_all(&state, &mut tx, who, &keys, now).await?;
    let groups = groups::lines(&state, &frame, &mut tx, who, (from, until)).await?;
    tx.commit().await?;
    let line = |seen: &Seen| {
        let time = seen.booking.time?;
        Some(Line {
            id: seen.booking.id,
            title: title(&state, &frame, &seen.booking),
            patient: seen.patient.clone(),
            from: clock(&days, time.start),
            until: clock(&days, time.end),
            stands: shown::stands(&seen.booking),
            can_join: can(&state, seen, now).join,
        })
    };
    let lines = seen.iter().filter_map(line).collect();
    let zone = super::zone(&state, who).name().to_owned();
    page(&TodayPage { day: frame.date(day), zone, lines, groups, hidden, frame })
}

/// Shows one.
pub async fn visit(
    state: Data<State>,
    frame: Frame,
    session: StaffSession,
    id: Path<String>,
) -> Result<HttpResponse, PortalError> {
    let (who, now) = (&session.who, state.bridge.clock.now());
    let mut tx = state.bridge.store.begin().await?;
    let seen = look(&state, &mut tx, who, &id).await?;
    tx.commit().await?;
    let time = seen.booking.time.ok_or(PortalError::NotFound)?;
    let (days, can) = (days(&state, who), can(&state, &seen, now));
    let opens = time.start.checked_sub(EARLY).ok().filter(|opens| now < *opens && has_room(&state, &seen));
    page(&VisitPage {
        id: seen.booking.id,
        title: title(&state, &frame, &seen.booking),
        when: format!("{}–{}", frame.moment(days.moment(time.start)), clock(&days, time.end)),
        zone: super::zone(&state, who).name().to_owned(),
        stands: shown::stands(&seen.booking),
        from: seen.booking.state.as_str(),
        is_asked: seen.booking.wish.is_some(),
        opens: opens.map(|opens| frame.moment(days.moment(opens))),
        patient: seen.patient,
        reason: seen.reason,
        can,
        frame,
    })
}

/// Leads whoever asks into the visit, as the one who leads it: by an address that is made for them now and holds for minutes.
pub async fn join(
    state: Data<State>,
    frame: Frame,
    session: StaffSession,
    id: Path<String>,
) -> Result<HttpResponse, PortalError> {
    let (who, now) = (&session.who, state.bridge.clock.now());
    let mut tx = state.bridge.store.begin().await?;
    let key = key(&mut tx, who, &id).await?;
    let seen = booking::see(&state.bridge, &mut tx, &who.clinic, key, now).await?.ok_or(PortalError::NotFound)?;
    tx.record(between(who, key.0), now, Event::StaffSaw(done(who, key.1, "join")));
    tx.commit().await?;
    let visit = seen.booking.visit().filter(|visit| is_open(visit.time.start, visit.time.end, now));
    let Some(visit) = visit else { return Ok(to(&format!("/clinic/visits/{id}"))) };
    let (name, room) = (frame.t("clinic-clinician"), frame.t("visit-neutral"));
    enter(&state, &visit, (Side::Clinic, &name), &room).await
}

fn has_room(state: &State, seen: &Seen) -> bool {
    state.rooms.is_there(&seen.booking.clinic) && seen.booking.state == BookingState::Booked
}

fn can(state: &State, seen: &Seen, now: Timestamp) -> Can {
    let Some(time) = seen.booking.time else {
        return Can { join: false, fulfil: false, miss: false, cancel: false };
    };
    let (stands, is_asked) = (seen.booking.state, seen.booking.wish.is_some());
    let has_begun = time.start <= now;
    Can {
        join: has_room(state, seen) && is_open(time.start, time.end, now) && !is_past(time.end, now),
        fulfil: !is_asked && has_begun && matches!(stands, BookingState::Booked | BookingState::NoShow),
        miss: !is_asked && has_begun && matches!(stands, BookingState::Booked | BookingState::Fulfilled),
        cancel: !is_asked && !has_begun && stands == BookingState::Booked,
    }
}
