//! The rooms of visits, clinic by clinic.

use std::collections::BTreeMap;

use jiff::Timestamp;
use reqwest::Method;
use url::Url;
use uuid::Uuid;

use super::{Answer, Guest, Room, Video, VideoError};
use crate::delivery::egress::{Egress, EgressError};
use crate::domain::booking::{Time, Visit};
use crate::domain::group::GroupSession;
use crate::domain::ids::ClinicId;
use crate::vault::IndexKey;

/// The rooms of visits at the clinics that hold them by video here.
#[derive(Clone, Debug)]
pub struct Rooms {
    services: BTreeMap<ClinicId, Video>,
    egress: Egress,
    index: IndexKey,
}

/// Somebody cannot come in.
#[derive(Debug, thiserror::Error)]
pub enum RoomError {
    /// A way in cannot be made.
    #[error(transparent)]
    Video(#[from] VideoError),
    /// The video service does not answer.
    #[error("the video service cannot be reached")]
    Away(#[from] EgressError),
    /// The video service does not open the room, and answered with this status. What else it said may name the room.
    #[error("the video service does not open a room (HTTP {0})")]
    Refused(u16),
}

/// Who comes to a visit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// The member.
    Member,
    /// The clinic's people: they lead it.
    Clinic,
}

/// What somebody comes to. What it is made of is a secret of this bridge: others meet in the room, and nobody's way in says
/// anything of anybody else.
#[derive(Clone, Copy, Debug)]
pub struct Meeting<'a> {
    /// At which clinic.
    pub clinic: &'a ClinicId,
    /// When.
    time: Time,
    /// Who meets in one room has the same.
    room: Uuid,
    /// Everybody's own: their booking; for whoever leads a group session, the session.
    own: Uuid,
}

impl<'a> From<&'a Visit> for Meeting<'a> {
    fn from(visit: &'a Visit) -> Self {
        let room = visit.seat.map_or(visit.booking.0, |seat| seat.session.0);
        Self { clinic: &visit.clinic, time: visit.time, room, own: visit.booking.0 }
    }
}

impl<'a> From<&'a GroupSession> for Meeting<'a> {
    fn from(session: &'a GroupSession) -> Self {
        Self { clinic: &session.clinic, time: session.time, room: session.id.0, own: session.id.0 }
    }
}

impl Rooms {
    /// The rooms of these services. `egress` must name the hosts of those whose rooms have to be opened.
    #[must_use]
    pub const fn new(services: BTreeMap<ClinicId, Video>, egress: Egress, index: IndexKey) -> Self {
        Self { services, egress, index }
    }

    /// Whether a clinic holds its visits by video here.
    #[must_use]
    pub fn is_there(&self, clinic: &ClinicId) -> bool {
        self.services.contains_key(clinic)
    }

    /// The address that leads one side into the room of a visit or group session; `name` is what they are called there, `title` what the room
    /// is. The room is opened first, where it does not open itself. `None`: the clinic has no rooms here.
    ///
    /// # Errors
    /// [`RoomError`].
    pub async fn enter(
        &self,
        meeting: impl Into<Meeting<'_>>,
        (side, name): (Side, &str),
        title: &str,
        now: Timestamp,
    ) -> Result<Option<Url>, RoomError> {
        let meeting = meeting.into();
        let Some(service) = self.services.get(meeting.clinic) else { return Ok(None) };
        let room = Room::new(self.secret("room", meeting.room));
        let minutes = meeting.time.end.duration_since(meeting.time.start).as_mins() + super::LATE.as_mins();
        if let Some(opening) = service.opening(room, title, u16::try_from(minutes).unwrap_or(u16::MAX))? {
            self.open(opening).await?;
        }
        let (who, is_moderator) = match side {
            Side::Member => ("member", false),
            Side::Clinic => ("clinic", true),
        };
        Ok(Some(service.way_in(room, Guest { id: self.secret(who, meeting.own), name, is_moderator }, now)?))
    }

    async fn open(&self, opening: Url) -> Result<(), RoomError> {
        let answer = self.egress.send(self.egress.request(Method::GET, opening)).await?;
        let said = Answer::read(&String::from_utf8_lossy(&answer.body));
        let is_open = said.is_some_and(|said| said.is_success());
        if is_open { Ok(()) } else { Err(RoomError::Refused(answer.status.as_u16())) }
    }

    /// What only this bridge can work out of a visit: nothing of it is stored, and every replica comes to the same.
    fn secret(&self, of: &str, id: Uuid) -> Uuid {
        self.index.uuid("visit-video", &[of.as_bytes(), id.as_bytes()])
    }
}
