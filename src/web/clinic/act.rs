//! What a clinic's staff decide. Each form leads back to the page that says where it stands; whoever comes second is told so.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use jiff::civil::{DateTime, Time as ClockTime};
use jiff::{SignedDuration, Timestamp};

use super::caller::StaffPosted;
use super::request::{Times, show, times};
use super::{between, days, done, key, look};
use crate::booking::{self, BookingError, Given, Seen};
use crate::domain::audit::Event;
use crate::domain::booking::{BookingState, Note, Time};
use crate::enrolment::staff::Colleague;
use crate::store::{BookingKey, Tx};
use crate::web::State;
use crate::web::portal::error::PortalError;
use crate::web::portal::form::Fields;
use crate::web::portal::frame::{Frame, go_to_saying};
use crate::web::portal::visits::once_answered;
use crate::web::portal::visits::shown::place_of;

/// How far ahead a time may be.
pub(super) const FARTHEST: SignedDuration = SignedDuration::from_hours(24 * 366);

/// How long a time can be kept for a member who is to confirm it, in hours.
const KEPT_HOURS: [i64; 3] = [24, 48, 72];

/// Gives the member a time, or keeps one for them until they answer.
pub async fn decide(
    state: Data<State>,
    frame: Frame,
    posted: StaffPosted,
    id: Path<String>,
) -> Result<HttpResponse, PortalError> {
    let (who, now) = (&posted.session.who, state.bridge.clock.now());
    let mut tx = state.bridge.store.begin().await?;
    let seen = look(&state, &mut tx, who, &id).await?;
    tx.commit().await?;
    let given = match given(&state, who, &seen, &posted.fields, now).await? {
        Ok(given) => given,
        Err(wrong) => return show(&state, frame, &posted.session, &id, Some(wrong)).await,
    };
    let what = if given.until.is_some() { "offer" } else { "give" };
    let mut tx = state.bridge.store.begin().await?;
    let key = key(&mut tx, who, &id).await?;
    booking::give(&state.bridge, &mut tx, (&who.clinic, key), given, now).await?;
    decided(&state, tx, who, key, what).await?;
    let stands = answered(&state, key).await?;
    // It was asked, and somebody else has this time.
    let not_had = stands.is_some_and(|(state, is_asked)| state == BookingState::Requested && !is_asked);
    Ok(go_to_saying(&format!("/clinic/requests/{id}"), flash(stands, not_had)))
}

/// Says no to a request.
pub async fn decline(state: Data<State>, posted: StaffPosted, id: Path<String>) -> Result<HttpResponse, PortalError> {
    say_no(&state, &posted, &id, "/clinic").await
}

/// Calls off a visit that is booked.
pub async fn cancel(state: Data<State>, posted: StaffPosted, id: Path<String>) -> Result<HttpResponse, PortalError> {
    say_no(&state, &posted, &id, &format!("/clinic/visits/{id}")).await
}

async fn say_no(state: &State, posted: &StaffPosted, id: &str, back: &str) -> Result<HttpResponse, PortalError> {
    let (who, now) = (&posted.session.who, state.bridge.clock.now());
    let note = match posted.fields.text("why") {
        "no-time" => Note::ClinicNoTime,
        "call" => Note::ClinicCall,
        "else" => Note::ClinicElse,
        "cancelled" => Note::ClinicCancelled,
        _ => return Err(PortalError::BadForm),
    };
    let mut tx = state.bridge.store.begin().await?;
    let key = key(&mut tx, who, id).await?;
    booking::decline(&state.bridge, &mut tx, (&who.clinic, key), note, now).await?;
    decided(state, tx, who, key, "decline").await?;
    let stands = answered(state, key).await?;
    Ok(go_to_saying(back, flash(stands, false)))
}

/// Notes down whether a visit took place.
pub async fn mark(state: Data<State>, posted: StaffPosted, id: Path<String>) -> Result<HttpResponse, PortalError> {
    let (who, now) = (&posted.session.who, state.bridge.clock.now());
    let from = BookingState::from_name(posted.fields.text("from")).ok_or(PortalError::BadForm)?;
    let took_place = match posted.fields.text("as") {
        "fulfilled" => true,
        "noshow" => false,
        _ => return Err(PortalError::BadForm),
    };
    let mut tx = state.bridge.store.begin().await?;
    let key = key(&mut tx, who, &id).await?;
    booking::mark(&state.bridge, &mut tx, (&who.clinic, key), (from, took_place), now).await?;
    decided(&state, tx, who, key, if took_place { "fulfil" } else { "miss" }).await?;
    let stands = answered(&state, key).await?;
    Ok(go_to_saying(&format!("/clinic/visits/{id}"), flash(stands, false)))
}

/// Commits what was decided, together with the word in the audit log that it was.
async fn decided(state: &State, mut tx: Tx, who: &Colleague, key: BookingKey, what: &str) -> Result<(), PortalError> {
    tx.record(between(who, key.0), state.bridge.clock.now(), Event::StaffDecided(done(who, key.1, what)));
    tx.commit().await?;
    tracing::info!(clinic_id = %who.clinic, what, "a clinic's staff decided about a visit");
    state.bridge.wake.notify_waiters();
    Ok(())
}

/// How the booking stands when the EHR has answered, or after a moment: and whether it is being asked still.
async fn answered(state: &State, key: BookingKey) -> Result<Option<(BookingState, bool)>, PortalError> {
    let row = once_answered(state, key).await?;
    Ok(row.map(|row| (row.state, row.wish.is_some())))
}

fn flash(stands: Option<(BookingState, bool)>, not_had: bool) -> &'static str {
    match stands {
        _ if not_had => "flash-clinic-not-free",
        Some((_, true)) => "flash-clinic-asked",
        _ => "flash-clinic-done",
    }
}

/// The time that a form names; else what is wrong with it, as the key of a text.
async fn given(
    state: &State,
    who: &Colleague,
    seen: &Seen,
    fields: &Fields,
    now: Timestamp,
) -> Result<Result<Given, &'static str>, PortalError> {
    let Seen { booking, .. } = seen;
    if booking.state != BookingState::Requested || booking.wish.is_some() {
        return Err(BookingError::NotNow.into());
    }
    let visit = state.bridge.visit(&mut state.bridge.store.read().await?, &booking.clinic, &booking.visit).await?;
    let visit = visit.ok_or(PortalError::NotFound)?;
    let (time, place) = match times(state, seen, &visit).await? {
        Times::ByHand => match written(state, who, fields, SignedDuration::from_mins(i64::from(visit.minutes))) {
            Some(time) => (time, None),
            None => return Ok(Err("clinic-wrong-time")),
        },
        Times::Away => return Ok(Err("clinic-wrong-away")),
        Times::Free(offers) => {
            let place = place_of(fields.text("place"));
            match offers.into_iter().find(|offer| Some(&offer.place) == place.as_ref()) {
                Some(offer) => (offer.time, Some(offer.place)),
                None => return Ok(Err("clinic-wrong-not-free")),
            }
        }
    };
    let is_near = now < time.start && time.start.duration_since(now) < FARTHEST;
    let until = match fields.text("how") {
        "give" => None,
        "offer" => {
            let hours = fields.text("hours").parse().ok().filter(|hours| KEPT_HOURS.contains(hours));
            let hours = hours.ok_or(PortalError::BadForm)?;
            // Not longer than until it begins.
            Some(now.checked_add(SignedDuration::from_hours(hours)).unwrap_or(time.start).min(time.start))
        }
        _ => return Err(PortalError::BadForm),
    };
    Ok(if is_near { Ok(Given { time, place, until }) } else { Err("clinic-wrong-time") })
}

/// The time that was written by hand, by the clinic's clock.
pub(super) fn written(state: &State, who: &Colleague, fields: &Fields, minutes: SignedDuration) -> Option<Time> {
    let at = fields.text("time").parse::<ClockTime>().ok()?;
    let shown: DateTime = fields.text("day").parse::<jiff::civil::Date>().ok()?.to_datetime(at);
    let start = days(state, who).instant_of(shown)?;
    Some(Time { start, end: start.checked_add(minutes).ok()? })
}
