//! Group sessions: a time at a clinic with several places. One that is open to the whole community is a webinar.
//!
//! A session is of the clinic's and says nothing of anybody. A place in it is a member's own [`super::booking::Booking`] (a
//! [`Seat`]), so that everything which holds for bookings holds for places as well.

use jiff::Timestamp;
use serde::Deserialize;

use super::booking::Time;
use super::ids::{ClinicId, GroupSessionId, VisitTypeId, is_fhir_id};

/// The most places that a session may have.
pub const MOST_SEATS: u16 = 500;

/// What makes a kind of visit one of group sessions.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupRules {
    /// How many places a session has, if its clinic's people do not say otherwise.
    pub capacity: u16,
    /// Who leads it, as references in the EHR: `Practitioner/dr-7`, or a service or room of the clinic's.
    pub with: Vec<String>,
    /// Whether it is for everybody in the communities, known at the clinic or not: a webinar.
    #[serde(default)]
    pub open: bool,
}

/// As whom somebody of the clinic's can lead a session (R4, `Appointment.participant.actor`): nobody who is a patient.
const LEADERS: [&str; 4] = ["Practitioner", "PractitionerRole", "HealthcareService", "Location"];

impl GroupRules {
    /// What is wrong with it: the setting, and what it must be.
    ///
    /// # Errors
    /// These two.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        if !(1..=MOST_SEATS).contains(&self.capacity) {
            return Err(("group.capacity", "a number of places from 1 to 500"));
        }
        let is_leader = |reference: &String| {
            reference.split_once('/').is_some_and(|(kind, id)| LEADERS.contains(&kind) && is_fhir_id(id))
        };
        if self.with.is_empty() || !self.with.iter().all(is_leader) {
            let expected =
                "at least one Practitioner, PractitionerRole, HealthcareService or Location, such as Practitioner/dr-7";
            return Err(("group.with", expected));
        }
        Ok(())
    }
}

/// A group session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupSession {
    /// At which clinic.
    pub clinic: ClinicId,
    /// Which; also the identifier of its Appointment in the clinic's EHR.
    pub id: GroupSessionId,
    /// What kind of visit it is, as the clinic offers it.
    pub visit: VisitTypeId,
    /// Whether it will be.
    pub state: GroupState,
    /// When.
    pub time: Time,
    /// How many places it has.
    pub capacity: u16,
    /// Grows with each change, from 1.
    pub sequence: i64,
    /// As which of these the EHR has it; 0: not yet.
    pub told: i64,
    /// When the EHR is told of it, or looked how it stands there.
    pub look_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When anything about it last changed here.
    pub updated_at: Timestamp,
}

/// Whether a session will be.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum GroupState {
    /// It will be, or was.
    Planned,
    /// It will not be.
    Cancelled,
}

impl GroupState {
    /// The word used in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Cancelled => "cancelled",
        }
    }

    /// The one with this word, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Planned, Self::Cancelled].into_iter().find(|state| state.as_str() == name)
    }
}

/// A place in a group session, which is what a booking may be.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Seat {
    /// In which session.
    pub session: GroupSessionId,
    /// Whether the clinic knows who has it. Of others nothing stands in its EHR.
    pub is_known: bool,
}

/// How many places of a session are taken, and how many wait for one.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Seats {
    /// Taken.
    pub taken: u64,
    /// Waiting.
    pub waiting: u64,
}

impl GroupSession {
    /// Whether somebody may still take a place in it, if there is one.
    #[must_use]
    pub fn is_joinable(&self, now: Timestamp) -> bool {
        self.state == GroupState::Planned && now < self.time.end
    }

    /// Whether it will be, or was.
    #[must_use]
    pub fn will_be(&self) -> bool {
        self.state == GroupState::Planned
    }

    /// Whether somebody who comes now gets a place: nobody goes past those who wait.
    #[must_use]
    pub fn has_room(&self, seats: Seats) -> bool {
        seats.waiting == 0 && self.has_seat(seats)
    }

    /// Whether a place is free for whoever waits the longest.
    #[must_use]
    pub fn has_seat(&self, seats: Seats) -> bool {
        seats.taken < u64::from(self.capacity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_led_by_somebody_of_the_clinics_and_has_places() {
        let rules = |capacity, with: &str| GroupRules { capacity, with: vec![with.to_owned()], open: false };
        assert_eq!(rules(1, "Practitioner/dr-7").check(), Ok(()));
        assert_eq!(rules(500, "HealthcareService/groups").check(), Ok(()));
        for (capacity, with, setting) in [
            (0, "Practitioner/dr-7", "group.capacity"),
            (501, "Practitioner/dr-7", "group.capacity"),
            (8, "Patient/1", "group.with"),
            (8, "dr-7", "group.with"),
            (8, "Practitioner/", "group.with"),
        ] {
            assert_eq!(rules(capacity, with).check().unwrap_err().0, setting, "{capacity} {with}");
        }
        let nobody = GroupRules { with: Vec::new(), ..rules(1, "x") };
        assert_eq!(nobody.check().unwrap_err().0, "group.with");
    }
}
