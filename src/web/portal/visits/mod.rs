//! *Visits*: what a member has booked at clinics, and how they book: they ask, choose a time, and confirm it.

mod act;
mod ask;
mod camera;
mod groups;
mod join;
mod near;
mod one;
pub(in crate::web) mod shown;

pub use act::{ask_to_cancel, cancel, change, choose, confirm, here, look, once_answered, rate, release, wait};
pub use ask::{ask, form};
pub use camera::camera;
pub use groups::join as join_group;
pub use join::{enter, for_calendar, join, to};
pub use near::{NearVisit, near};
pub use one::show;

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;

use super::caller::Session;
use super::error::PortalError;
use super::frame::{Frame, page};
use super::own::Own;
use crate::booking;
use crate::domain::booking::{Booking, BookingState};
use crate::domain::ids::{BookingId, ClinicId, VisitTypeId};
use crate::web::State;

/// How many visits that are over are listed.
const MOST_OVER: usize = 20;

#[derive(Template)]
#[template(path = "visits.html")]
struct ListPage {
    frame: Frame,
    zone: String,
    coming: Vec<Line>,
    open: Vec<Line>,
    over: Vec<Line>,
    /// The group sessions that they can take part in.
    groups: Vec<groups::GroupLine>,
    /// What can be asked for.
    offered: Vec<Offered>,
    /// Clinics that offer visits to those only who let something come back from them.
    closed: Vec<(ClinicId, String)>,
}

impl ListPage {
    /// What is listed: under which heading, by which name, and the lines.
    fn sections(&self) -> [(&'static str, &'static str, &[Line]); 3] {
        [
            ("visits-coming", "coming", &self.coming),
            ("visits-open", "open", &self.open),
            ("visits-over", "over", &self.over),
        ]
    }
}

/// A booking in the list.
struct Line {
    id: BookingId,
    title: String,
    clinic: String,
    /// When it is, if a time was chosen.
    when: String,
    /// How it stands: the key of its words.
    stands: &'static str,
}

/// A kind of visit that can be asked for.
struct Offered {
    clinic: ClinicId,
    visit: VisitTypeId,
    title: String,
    at: String,
    minutes: u16,
}

/// Lists them.
pub async fn list(state: Data<State>, frame: Frame, session: Session) -> Result<HttpResponse, PortalError> {
    let mut tx = state.bridge.store.read().await?;
    let own = Own::open(&state.bridge, &mut tx, session.member).await?;
    let all = booking::all(&mut tx, &own.key).await?;
    let (offered, closed) = offered(&state, &frame, &mut tx, &session).await?;
    let days = own.days();
    let groups = groups::sessions(&state, &frame, &mut tx, (session.member, &all, &days)).await?;
    drop(tx);
    let line = |booking: &Booking| Line {
        id: booking.id,
        title: title(&state, &frame, booking),
        clinic: state.bridge.house.clinic_name(&booking.clinic).to_owned(),
        when: booking.time.map(|time| frame.moment(days.moment(time.start))).unwrap_or_default(),
        stands: shown::stands(booking),
    };
    let now = state.bridge.clock.now();
    let is_over = |booking: &&Booking| {
        booking.state.is_over()
            || booking.time.is_some_and(|time| time.end <= now && booking.state == BookingState::Booked)
    };
    let (over, living): (Vec<&Booking>, Vec<&Booking>) = all.iter().partition(is_over);
    let (mut coming, open): (Vec<&Booking>, Vec<&Booking>) =
        living.into_iter().partition(|booking| booking.state == BookingState::Booked);
    coming.sort_by_key(|booking| booking.time);
    page(&ListPage {
        zone: own.zone().to_owned(),
        coming: coming.into_iter().map(line).collect(),
        open: open.into_iter().map(line).collect(),
        over: over.into_iter().take(MOST_OVER).map(line).collect(),
        groups,
        offered,
        closed,
        frame,
    })
}

/// What a member can ask for, and the clinics where their consent does not let them.
async fn offered(
    state: &State,
    frame: &Frame,
    tx: &mut crate::store::Tx,
    session: &Session,
) -> Result<(Vec<Offered>, Vec<(ClinicId, String)>), PortalError> {
    let grants = tx.living_grants(&[session.member]).await?;
    let now = state.bridge.clock.now();
    let (mut offered, mut closed) = (Vec::new(), Vec::new());
    for link in tx.links(&[session.member]).await? {
        let mut visits = state.bridge.visits(tx, &link.clinic).await?;
        visits.retain(|visit| visit.is_offered);
        let at = state.bridge.house.clinic_name(&link.clinic).to_owned();
        if visits.is_empty() {
            continue;
        }
        if !booking::may_ask(&grants, session.member, &link.clinic, false, now) {
            closed.push((link.clinic, at));
            continue;
        }
        offered.extend(visits.iter().filter(|visit| visit.can_be_asked_for()).map(|visit| Offered {
            clinic: link.clinic.clone(),
            visit: visit.id.clone(),
            title: visit.title.get(frame.language).to_owned(),
            at: at.clone(),
            minutes: visit.minutes,
        }));
    }
    Ok((offered, closed))
}

/// What a visit is called; one that the clinic offers no longer has a plain name.
fn title(state: &State, frame: &Frame, booking: &Booking) -> String {
    let title = state.bridge.house.visit_title(&booking.clinic, &booking.visit);
    title.map_or_else(|| frame.t("visit-plain"), |title| title.get(frame.language).to_owned())
}
