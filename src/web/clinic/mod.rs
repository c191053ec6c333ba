//! The staff view: where a clinic's people see who asks for a visit, decide about it, and enter today's visits.
//!
//! It has its pages, its texts and its sessions; frame, forms, guard and the table of pages are the portal's. Whoever is here sees
//! their own clinic and no other, and of its patients those whose consent lets anybody there know of a visit; each look at one is
//! written into the audit log between clinic and member.

mod act;
mod caller;
pub mod door;
mod free;
pub mod groups;
pub mod materials;
mod offered;
mod request;
mod sign_in;
mod today;

pub use act::{cancel, decide, decline, mark};
pub use caller::{Here, StaffPosted, StaffSession, signed_in};
pub use free::free;
pub use offered::{as_usual, change, offered, terms};
pub use request::{request, requests};
pub use sign_in::{begin, come_back, sign_in, sign_out};
pub use today::{join, today, visit};

use jiff::Timestamp;

use super::State;
use super::portal::error::PortalError;
use super::portal::frame::Frame;
use crate::booking::{self, Seen};
use crate::domain::audit::{Chain, Event, StaffDone};
use crate::domain::booking::Booking;
use crate::domain::day::Days;
use crate::domain::ids::{BookingId, MemberId};
use crate::domain::staff::Whose;
use crate::enrolment::staff::Colleague;
use crate::store::{BookingKey, Tx};

/// Where staff sign in.
pub const SIGN_IN: &str = "/clinic/sign-in";

/// Where they begin.
const FIRST_PAGE: &str = "/clinic";

/// The most bookings on a page.
const MOST: i64 = 100;

/// Whether a path leads to a page of the staff view.
#[must_use]
pub fn is_here(path: &str) -> bool {
    path.strip_prefix("/clinic").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Where a clinic's clock stands.
fn zone(state: &State, who: &Colleague) -> crate::domain::zone::Zone {
    state.staff.zone(&Whose::Clinic(who.clinic.clone()))
}

/// How a clinic's time falls into days.
fn days(state: &State, who: &Colleague) -> Days {
    Days::new(std::iter::empty(), zone(state, who).rules().clone())
}

/// What a visit is called; one that the clinic offers no longer has a plain name.
fn title(state: &State, frame: &Frame, booking: &Booking) -> String {
    let title = state.bridge.house.visit_title(&booking.clinic, &booking.visit);
    title.map_or_else(|| frame.t("visit-plain"), |title| title.get(frame.language).to_owned())
}

/// The booking that an address names, if it is one of the clinic.
async fn key(tx: &mut Tx, who: &Colleague, id: &str) -> Result<BookingKey, PortalError> {
    let id: BookingId = id.parse().map_err(|_| PortalError::NotFound)?;
    tx.booking_at(&who.clinic, id).await?.ok_or(PortalError::NotFound)
}

/// The booking that an address names, if the clinic's staff may see it; the look is noted.
async fn look(state: &State, tx: &mut Tx, who: &Colleague, id: &str) -> Result<Seen, PortalError> {
    let (key, now) = (key(tx, who, id).await?, state.bridge.clock.now());
    let seen = booking::see(&state.bridge, tx, &who.clinic, key, now).await?.ok_or(PortalError::NotFound)?;
    tx.record(between(who, key.0), now, Event::StaffSaw(done(who, key.1, "look")));
    Ok(seen)
}

/// The bookings of a list, as far as the clinic's staff may see them, and how many they may not; each look is noted.
async fn look_at_all(
    state: &State,
    tx: &mut Tx,
    who: &Colleague,
    keys: &[BookingKey],
    now: Timestamp,
) -> Result<(Vec<Seen>, usize), PortalError> {
    let (seen, hidden) = booking::seen(&state.bridge, tx, &who.clinic, keys, now).await?;
    for one in &seen {
        let event = Event::StaffSaw(done(who, one.booking.id, "look"));
        tx.record(between(who, one.booking.member), now, event);
    }
    Ok((seen, hidden))
}

fn between(who: &Colleague, member: MemberId) -> Chain {
    Chain::between(&who.clinic, member)
}

fn done(who: &Colleague, booking: BookingId, what: &str) -> StaffDone {
    StaffDone { staff: who.id, booking, what: what.to_owned() }
}

/// What a clinic's clock shows.
fn clock(days: &Days, at: Timestamp) -> String {
    let shown = days.moment(at).shown();
    format!("{:02}:{:02}", shown.hour(), shown.minute())
}

#[cfg(test)]
mod tests {
    use super::is_here;

    #[test]
    fn the_staff_view_is_nowhere_but_below_its_own_name() {
        assert!(["/clinic", "/clinic/", "/clinic/today"].iter().all(|path| is_here(path)));
        assert!(["/clinics", "/clinics/riverside/connect", "/", "/sharing/clinic"].iter().all(|path| !is_here(path)));
    }
}
