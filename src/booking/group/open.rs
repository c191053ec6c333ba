//! Sessions that are open to everybody, as they are announced: what they are and when, and nothing of who takes part.

use jiff::Timestamp;

use crate::booking::BookingError;
use crate::domain::group::{GroupSession, GroupState};
use crate::domain::visit_type::VisitType;
use crate::pipeline::Bridge;
use crate::store::Tx;

/// The most sessions of one clinic that are announced.
const MOST: i64 = 50;

/// A session that everybody may know of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Announced {
    /// Which.
    pub session: GroupSession,
    /// Of what kind it is.
    pub visit: VisitType,
    /// Whether whoever comes now gets a place.
    pub has_room: bool,
}

/// The sessions that are open to everybody and are to come, by when they are.
///
/// # Errors
/// [`BookingError`].
pub async fn announced(bridge: &Bridge, tx: &mut Tx, now: Timestamp) -> Result<Vec<Announced>, BookingError> {
    let mut all = Vec::new();
    for clinic in bridge.house.clinics.keys() {
        let mut open = bridge.visits(tx, clinic).await?;
        open.retain(|visit| visit.is_offered && visit.group.as_ref().is_some_and(|rules| rules.open));
        if open.is_empty() {
            continue;
        }
        for session in tx.group_sessions_at(clinic, now, MOST).await? {
            let visit = open.iter().find(|visit| visit.id == session.visit && session.state == GroupState::Planned);
            if let Some(visit) = visit.cloned() {
                let has_room = session.has_room(tx.count_seats(session.id).await?);
                all.push(Announced { session, visit, has_room });
            }
        }
    }
    all.sort_by_key(|announced| announced.session.time);
    Ok(all)
}
