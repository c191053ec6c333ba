//! `/calendar/{token}/visits.ics`: a member's visits, as their calendar program asks for them every hour. It shows nothing but the
//! secret in its address; what it gets says when there are appointments, and nothing of what or with whom.

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, ETag, EntityTag, IfNoneMatch};
use actix_web::web::{Data, Header, Path};
use actix_web::{HttpRequest, HttpResponse, route};
use aws_lc_rs::digest;
use url::{ParseError, Url};

use super::{Problem, State};
use crate::booking;
use crate::booking::calendar::{Entry, EntryState, calendar};
use crate::domain::booking::{Booking, BookingState, Time};
use crate::enrolment::calendar::calendar_of;
use crate::readings::settings::settings;

/// Nobody but the program that asked may keep a copy, and it asks each time whether that is still good.
const PRIVATE: &str = "private, no-cache";

/// A visit for a calendar. What a calendar is shown is the same each time until the visit changes.
///
/// # Errors
/// [`ParseError`]; never for an address that the configuration takes.
pub fn entry(public_url: &Url, booking: &Booking, time: Time) -> Result<Entry, ParseError> {
    Ok(Entry {
        id: booking.id.0,
        sequence: u32::try_from(booking.sequence).unwrap_or_default(),
        start: time.start,
        end: time.end,
        state: match booking.state {
            BookingState::Booked | BookingState::Fulfilled => EntryState::Confirmed,
            BookingState::Requested | BookingState::Offered | BookingState::Held => EntryState::Tentative,
            BookingState::Rescheduled | BookingState::Cancelled | BookingState::NoShow => EntryState::Cancelled,
        },
        changed: booking.updated_at,
        page: public_url.join(&format!("/visits/{}", booking.id))?,
    })
}

/// Gives a member's calendar program their visits: those that are booked, and those that were and will not be.
#[route("/calendar/{token}/visits.ics", method = "GET", method = "HEAD")]
pub async fn feed(
    state: Data<State>,
    request: HttpRequest,
    token: Path<String>,
    known: Option<Header<IfNoneMatch>>,
) -> Result<HttpResponse, Problem> {
    state.portal.count_calendar(&request).map_err(|wait| {
        let mut problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-often", "This was asked for too often");
        problem.retry_after = u32::try_from(wait.as_secs()).ok().map(|seconds| seconds.saturating_add(1));
        problem
    })?;
    let bridge = &state.bridge;
    let mut tx = bridge.store.read().await?;
    let nobody = || Problem::new(StatusCode::NOT_FOUND, "not-found", "There is no such calendar");
    let member = calendar_of(&mut tx, &bridge.keyring, &token).await?.ok_or_else(nobody)?;
    let wrapped = tx.member_key(member).await?.ok_or_else(nobody)?;
    let key = bridge.keyring.unwrap_member_key(member, &wrapped).map_err(|error| Problem::internal(&error))?;
    let settings = settings(&mut tx, &key).await.map_err(|error| Problem::internal(&error))?;
    let all = booking::all(&mut tx, &key).await.map_err(|error| Problem::internal(&error))?;
    drop(tx);
    let shown = all.iter().filter_map(|booking| Some((booking, booking.time.filter(|_| is_shown(booking))?)));
    let entries = shown.map(|(booking, time)| entry(&state.public_url, booking, time));
    let entries = entries.collect::<Result<Vec<_>, _>>().map_err(|error| Problem::internal(&error))?;
    let title = state.portal.neutral_title(settings.language.unwrap_or_default());
    let text = calendar(&entries, &title, &title);
    let tag = EntityTag::new_strong(fingerprint(&text));
    let is_known = known.is_some_and(|Header(known)| match known {
        IfNoneMatch::Any => true,
        IfNoneMatch::Items(tags) => tags.iter().any(|known| known.weak_eq(&tag)),
    });
    let mut answer = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    answer.insert_header((CACHE_CONTROL, PRIVATE)).insert_header(ETag(tag));
    Ok(if is_known { answer.finish() } else { answer.content_type("text/calendar; charset=utf-8").body(text) })
}

/// Whether a calendar shows it: what is only asked for, or kept for some minutes, is no appointment yet.
const fn is_shown(booking: &Booking) -> bool {
    !matches!(booking.state, BookingState::Requested | BookingState::Offered | BookingState::Held)
}

/// The first 128 bits of a text's SHA-256.
fn fingerprint(text: &str) -> String {
    let digest = digest::digest(&digest::SHA256, text.as_bytes());
    digest.as_ref().iter().take(16).fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}
