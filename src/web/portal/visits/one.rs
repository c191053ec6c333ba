//! The page of one visit: where it stands, and what can be done with it.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use askama::Template;
use jiff::Timestamp;
use jiff::civil::Date;

use super::{shown, title};
use crate::booking;
use crate::booking::video::{EARLY, is_open, is_past};
use crate::domain::booking::{Booking, BookingState, Note, Visit};
use crate::domain::day::Days;
use crate::domain::ids::BookingId;
use crate::domain::visit_type::VisitType;
use crate::store::Tx;
use crate::web::State;
use crate::web::portal::caller::Session;
use crate::web::portal::error::PortalError;
use crate::web::portal::frame::{Frame, page};
use crate::web::portal::own::Own;

#[derive(Template)]
#[template(path = "visit.html")]
#[expect(clippy::struct_excessive_bools, reason = "each is a sentence of its own")]
struct VisitPage {
    frame: Frame,
    id: BookingId,
    title: String,
    clinic: String,
    /// Where the member's clock stands, by which all times are shown.
    zone: String,
    /// How it stands: the key of its words.
    stands: &'static str,
    /// What the member is told about it: the key of its words.
    note: Option<&'static str>,
    /// That the clinic does not offer it at present, and what that means here: the key of its words.
    not_offered: Option<&'static str>,
    when: Option<String>,
    /// The time until which it is kept for them.
    until: Option<String>,
    reason: Option<String>,
    /// The times that are offered, day by day.
    days: Vec<Day>,
    /// When it was looked which times are free.
    looked: Option<String>,
    /// Whether it takes the place of another one, which stays until then.
    is_change: bool,
    /// Whether it is a place in a group session.
    is_seat: bool,
    /// Whether the member waits for something free.
    waits: bool,
    /// Whether the clinic's system was asked something.
    is_asked: bool,
    can: Can,
    /// The way in, where the clinic holds its visits by video.
    way: Option<WayIn>,
    /// Whether there is something for the member's own calendar.
    is_for_calendar: bool,
    /// What there is while the visit can be entered.
    here: Option<Here>,
    /// Whether the member is asked how it was.
    is_to_be_rated: bool,
}

/// What there is while a visit can be entered.
struct Here {
    /// Whether the member can say that they are there.
    can_say: bool,
    /// When they said so.
    since: Option<String>,
    /// The telephone of the clinic, as people write it and as a link has it.
    phone: Option<(String, String)>,
}

/// The way into a visit.
struct WayIn {
    is_open: bool,
    /// From when on, if that is to come.
    from: Option<String>,
}

/// A day with the times that are free on it.
struct Day {
    name: String,
    /// Each as a form names it, and as a clock shows it.
    times: Vec<(String, String)>,
}

/// What can be done with a booking.
#[derive(Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a button of its own")]
struct Can {
    choose: bool,
    look: bool,
    confirm: bool,
    release: bool,
    change: bool,
    cancel: bool,
    wait: bool,
}

/// Shows it.
pub async fn show(
    state: Data<State>,
    frame: Frame,
    session: Session,
    id: Path<String>,
) -> Result<HttpResponse, PortalError> {
    let id: BookingId = id.parse().map_err(|_| PortalError::NotFound)?;
    let mut tx = state.bridge.store.read().await?;
    let own = Own::open(&state.bridge, &mut tx, session.member).await?;
    let booking = booking::one(&mut tx, &own.key, id).await?.ok_or(PortalError::NotFound)?;
    let (days, now) = (own.days(), state.bridge.clock.now());
    let here = here(&state, &mut tx, &own, &booking).await?;
    let is_to_be_rated = booking::is_to_be_rated(&mut tx, &booking, now).await?;
    let visit = state.bridge.visit(&mut tx, &booking.clinic, &booking.visit).await?;
    drop(tx);
    let moment = |at: Timestamp| frame.moment(days.moment(at));
    let mut can = can(&booking, now);
    if here.as_ref().is_some_and(|here| here.since.is_some()) {
        // Whoever is there does not call it off here any more.
        (can.change, can.cancel) = (false, false);
    }
    let is_off = visit.as_ref().is_some_and(|visit| !visit.is_offered);
    let not_offered = is_off.then(|| can.without_offers()).flatten();
    let way = booking.visit().filter(|visit| state.rooms.is_there(&visit.clinic) && !is_past(visit.time.end, now));
    let way = way.map(|Visit { time, .. }| WayIn {
        is_open: is_open(time.start, time.end, now),
        from: time.start.checked_sub(EARLY).ok().filter(|from| now < *from).map(moment),
    });
    page(&VisitPage {
        way,
        here,
        is_to_be_rated,
        is_for_calendar: booking.time.is_some_and(|time| now < time.end) && booking.state == BookingState::Booked,
        id,
        title: title(&state, &frame, &booking),
        clinic: state.bridge.house.clinic_name(&booking.clinic).to_owned(),
        zone: own.zone().to_owned(),
        stands: shown::stands(&booking),
        note: booking.note.map(shown::note),
        not_offered,
        when: booking.time.map(|time| weekday(&frame, days.moment(time.start).shown().date(), &moment(time.start))),
        until: booking.hold_until.filter(|_| can.confirm).map(|until| until_when(&frame, &days, until, now)),
        reason: booking.details.reason.clone(),
        days: if can.choose { offers(&frame, &days, &booking, visit.as_ref(), now) } else { Vec::new() },
        looked: booking.details.looked_at.filter(|_| can.look).map(|at| clock(&days, at)),
        is_change: booking.replaces.is_some() && !booking.state.is_over() && booking.state != BookingState::Booked,
        is_seat: booking.seat.is_some(),
        waits: booking.waits || (booking.seat.is_some() && booking.state == BookingState::Requested),
        is_asked: booking.wish.is_some() && !(booking.seat.is_some() && booking.state.is_over()),
        can,
        frame,
    })
}

/// What there is of a visit that can be entered now.
async fn here(state: &State, tx: &mut Tx, own: &Own, booking: &Booking) -> Result<Option<Here>, PortalError> {
    let now = state.bridge.clock.now();
    let visit = booking.visit().filter(|visit| is_open(visit.time.start, visit.time.end, now));
    let Some(visit) = visit else { return Ok(None) };
    let arrived = booking::arrived(tx, &visit).await?;
    let grants = tx.living_grants(&[visit.member]).await?;
    let may = booking::may_ask(&grants, visit.member, &visit.clinic, false, now);
    let phone = state.bridge.house.phone(&visit.clinic).map(|phone| {
        let dialled = phone.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
        (phone.to_owned(), dialled)
    });
    Ok(Some(Here {
        can_say: may && visit.seat.is_none_or(|seat| seat.is_known) && arrived.is_none() && booking.wish.is_none(),
        since: arrived.map(|at| clock(&own.days(), at)),
        phone,
    }))
}

impl Can {
    /// What is left of it where the clinic does not offer the visit at present: no other time. Returns the key of the words that say
    /// so, if there is anything to say.
    const fn without_offers(&mut self) -> Option<&'static str> {
        let said = if self.change {
            Some("visit-not-offered-booked")
        } else if self.choose || self.look {
            Some("visit-not-offered-open")
        } else {
            None
        };
        (self.choose, self.look, self.change) = (false, false, false);
        said
    }
}

fn can(booking: &Booking, now: Timestamp) -> Can {
    let is_to_come = booking.time.is_none_or(|time| now < time.start);
    if booking.wish.is_some() {
        return Can::default();
    }
    if booking.seat.is_some() {
        let is_living = matches!(booking.state, BookingState::Requested | BookingState::Booked);
        return Can { cancel: is_to_come && is_living, ..Can::default() };
    }
    let is_kept = booking.hold_until.is_some_and(|until| now < until);
    let is_searching = booking.hold_until.is_none();
    match booking.state {
        BookingState::Requested => Can {
            look: is_searching && booking.time.is_none() && booking.details.looked_at.is_some(),
            wait: is_searching && booking.details.looked_at.is_some(),
            cancel: true,
            ..Can::default()
        },
        BookingState::Offered => Can { choose: is_searching, look: is_searching, cancel: true, ..Can::default() },
        BookingState::Held => Can { confirm: is_kept, release: true, cancel: true, ..Can::default() },
        BookingState::Booked => Can { change: is_to_come, cancel: is_to_come, ..Can::default() },
        _ => Can::default(),
    }
}

/// The times that can be chosen, day by day. One that somebody else has just taken is not among them, nor one that the clinic does
/// not offer any more.
fn offers(frame: &Frame, days: &Days, booking: &Booking, visit: Option<&VisitType>, now: Timestamp) -> Vec<Day> {
    let taken = booking.details.place.as_ref().filter(|_| booking.note == Some(Note::Taken));
    let reaches = |start| visit.is_none_or(|visit| visit.reaches(start, now)) && start > now;
    let mut by_day: Vec<(Date, Day)> = Vec::new();
    for offer in booking.details.offers.iter().filter(|offer| reaches(offer.time.start) && taken != Some(&offer.place))
    {
        let date = days.moment(offer.time.start).shown().date();
        let time = (shown::field_of(&offer.place), clock(days, offer.time.start));
        match by_day.last_mut() {
            Some((last, day)) if *last == date => day.times.push(time),
            _ => by_day.push((date, Day { name: weekday(frame, date, &frame.date(date)), times: vec![time] })),
        }
    }
    by_day.into_iter().map(|(_, day)| day).collect()
}

/// What follows, with the day of the week before it.
fn weekday(frame: &Frame, date: Date, rest: &str) -> String {
    let number = i64::from(date.weekday().to_monday_one_offset());
    frame.tn("visit-day", &[("weekday", number.into()), ("date", rest.into())])
}

/// The time until which something is, with its day where that is not today.
fn until_when(frame: &Frame, days: &Days, until: Timestamp, now: Timestamp) -> String {
    if days.day_of(until) == days.day_of(now) { clock(days, until) } else { frame.moment(days.moment(until)) }
}

/// What the member's clock shows.
fn clock(days: &Days, at: Timestamp) -> String {
    let shown = days.moment(at).shown();
    format!("{:02}:{:02}", shown.hour(), shown.minute())
}
