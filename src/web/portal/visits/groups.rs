//! Group sessions that a member can take part in. Of others who do, nothing is shown, not even how many they are.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use crate::booking::group::{join as take_place, may_join};
use crate::domain::booking::{Booking, BookingState};
use crate::domain::day::Days;
use crate::domain::group::{GroupSession, GroupState};
use crate::domain::ids::{BookingId, ClinicId, GroupSessionId, MemberId};
use crate::domain::visit_type::VisitType;
use crate::store::Tx;
use crate::web::State;
use crate::web::portal::error::PortalError;
use crate::web::portal::form::Posted;
use crate::web::portal::frame::{Frame, go_to_saying};

/// The most sessions of one clinic that are listed.
const MOST: i64 = 50;

/// A session in the list.
pub struct GroupLine {
    pub clinic: ClinicId,
    pub id: GroupSessionId,
    pub title: String,
    pub at: String,
    pub when: String,
    pub minutes: u16,
    /// Whether a place is free.
    pub has_room: bool,
    /// Whether the clinic learns who takes part.
    pub is_known: bool,
    /// The member's own place in it.
    pub own: Option<BookingId>,
}

/// The sessions that a member may take part in, by when they are.
pub async fn sessions(
    state: &State,
    frame: &Frame,
    tx: &mut Tx,
    (member, bookings, days): (MemberId, &[Booking], &Days),
) -> Result<Vec<GroupLine>, PortalError> {
    let (house, now) = (&state.bridge.house, state.bridge.clock.now());
    let (grants, links) = (tx.living_grants(&[member]).await?, tx.links(&[member]).await?);
    let mut found: Vec<(GroupSession, VisitType, bool)> = Vec::new();
    for clinic in house.clinics.keys() {
        let admits = |visit: &VisitType| {
            let rules = visit.group.as_ref().filter(|_| visit.is_offered)?;
            may_join((&grants, &links), member, clinic, rules.open, now)
        };
        let visits = state.bridge.visits(tx, clinic).await?;
        let kinds: Vec<(VisitType, bool)> =
            visits.into_iter().filter_map(|visit| admits(&visit).map(|is_known| (visit, is_known))).collect();
        if kinds.is_empty() {
            continue;
        }
        for session in tx.group_sessions_at(clinic, now, MOST).await? {
            let kind = kinds.iter().find(|(visit, _)| visit.id == session.visit);
            if let Some((visit, is_known)) = kind.filter(|_| session.state == GroupState::Planned) {
                found.push((session, visit.clone(), *is_known));
            }
        }
    }
    found.sort_by_key(|(session, ..)| session.time);
    let mut listed = Vec::with_capacity(found.len());
    for (session, visit, is_known) in found {
        let is_own = |booking: &&Booking| {
            booking.seat.is_some_and(|seat| seat.session == session.id) && !booking.state.is_over()
        };
        listed.push(GroupLine {
            title: visit.title.get(frame.language).to_owned(),
            at: house.clinic_name(&session.clinic).to_owned(),
            when: frame.moment(days.moment(session.time.start)),
            minutes: visit.minutes,
            has_room: session.has_room(tx.count_seats(session.id).await?),
            is_known,
            own: bookings.iter().find(is_own).map(|booking| booking.id),
            id: session.id,
            clinic: session.clinic,
        });
    }
    Ok(listed)
}

/// Takes a place for the member, or has them wait for one.
pub async fn join(
    state: Data<State>,
    posted: Posted,
    which: Path<(String, String)>,
) -> Result<HttpResponse, PortalError> {
    let (clinic, id) = which.into_inner();
    let clinic: ClinicId = clinic.parse().map_err(|_| PortalError::NotFound)?;
    let id: GroupSessionId = id.parse().map_err(|_| PortalError::NotFound)?;
    let mut tx = state.bridge.store.begin().await?;
    let now = state.bridge.clock.now();
    let booking = take_place(&state.bridge, &mut tx, posted.session.member, (&clinic, id), now).await?;
    tx.commit().await?;
    state.bridge.wake.notify_waiters();
    let said = if booking.state == BookingState::Booked { "flash-group-joined" } else { "flash-group-waits" };
    Ok(go_to_saying(&format!("/visits/{}", booking.id), said))
}
