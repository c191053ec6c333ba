//! What stands among the messages about visits: that one is near, or that a clinic did something with it. That is what members
//! are told of who are told outside of the portal that there is a message.

use jiff::SignedDuration;

use super::title;
use crate::booking;
use crate::domain::booking::{Booking, BookingState, Note};
use crate::domain::ids::BookingId;
use crate::store::Tx;
use crate::web::State;
use crate::web::portal::error::PortalError;
use crate::web::portal::frame::Frame;
use crate::web::portal::own::Own;

/// How long before it a visit is near.
const NEAR: SignedDuration = SignedDuration::from_hours(72);

/// How long news of a visit is news.
const NEWS_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A visit that stands among the messages.
pub struct NearVisit {
    /// Which.
    pub id: BookingId,
    /// What is said of it.
    pub text: String,
    /// What it is called.
    pub title: String,
}

/// The visits that stand among a member's messages, the next one first.
pub async fn near(state: &State, frame: &Frame, tx: &mut Tx, own: &Own) -> Result<Vec<NearVisit>, PortalError> {
    let (now, days) = (state.bridge.clock.now(), own.days());
    let mut all = booking::all(tx, &own.key).await?;
    all.sort_by_key(|booking| booking.time);
    let said = |booking: Booking| {
        let title = title(state, frame, &booking);
        let is_fresh = now.duration_since(booking.updated_at) < NEWS_FOR;
        let near = booking.time.filter(|time| {
            let is_near = now < time.end && time.start.duration_since(now) <= NEAR;
            is_near && booking.state == BookingState::Booked
        });
        let text = match (near, booking.note) {
            (
                _,
                Some(Note::ClinicCancelled | Note::ClinicMoved | Note::MovedUp | Note::NowFree | Note::NotCancelled),
            ) if is_fresh => frame.t1("messages-visit-news", "title", title.as_str()),
            (Some(time), _) => {
                let when = frame.moment(days.moment(time.start));
                frame.tn("messages-visit-near", &[("title", title.as_str().into()), ("when", when.into())])
            }
            _ => return None,
        };
        Some(NearVisit { id: booking.id, text, title })
    };
    Ok(all.into_iter().filter_map(said).collect())
}
