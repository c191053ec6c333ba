//! A clinic's EHR is told of its sessions, and looked at whether its people moved one there or called it off.
//!
//! A session is about no member: it waits on nobody's lane, and nobody's consent is asked. It is found by its identifier before it is
//! written, by one replica at a time, so that it stands there once; what was not done is tried again.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::plan::changed;
use crate::booking::{BookingError, FindError, Finder};
use crate::delivery::ehr::Sent;
use crate::domain::group::{GroupSession, GroupState};
use crate::domain::ids::{ClinicId, MemberId};
use crate::domain::language::Language;
use crate::inbound::visits::{self, TheirSession};
use crate::mapping::to_fhir::{GroupTold, group_session};

/// How many sessions are looked after in one step.
const PORTION: i64 = 8;

/// For how long whoever took a session in hand has it: longer than what is asked of the EHR may take.
const CLAIM: SignedDuration = SignedDuration::from_mins(2);

/// How often it is looked whether the clinic's people changed a session in their own system.
const LOOK_EVERY: SignedDuration = SignedDuration::from_mins(15);

/// How a session stands at the EHR.
enum Stands {
    /// As it should, as far as anybody need know there.
    AsWanted,
    /// As the clinic's people want it.
    Theirs(TheirSession),
}

impl Finder {
    /// Looks after a portion of a clinic's sessions whose time has come. Returns whether there were any.
    ///
    /// # Errors
    /// [`BookingError`]; what was not looked after is found again.
    pub async fn look_after_sessions(&self, clinic: &ClinicId) -> Result<bool, BookingError> {
        let now = self.bridge.clock.now();
        let mut tx = self.bridge.store.begin().await?;
        let due = tx.claim_group_sessions(clinic, now, after(now, CLAIM), PORTION).await?;
        tx.commit().await?;
        for session in &due {
            let found = self.brought(session).await;
            let mut tx = self.bridge.store.begin().await?;
            let Some(stands) = tx.lock_group_session(clinic, session.id).await? else { continue };
            let now = self.bridge.clock.now();
            let next = match found {
                Ok(found) => settled(stands, session.sequence, &found, now),
                Err(reason) => {
                    tracing::warn!(clinic_id = %clinic, session_id = %session.id, reason, "the EHR was not told of a session");
                    // As long as it is claimed, nobody tries.
                    stands
                }
            };
            tx.put_group_session(&next).await?;
            tx.commit().await?;
        }
        Ok(!due.is_empty())
    }

    /// Brings a session at the EHR to where it stands here, or says how it stands there. Else why not: a code.
    async fn brought(&self, session: &GroupSession) -> Result<Stands, String> {
        let ticket = self.ticket(MemberId(Uuid::nil()), &session.clinic).await;
        let (ehr, ticket) = ticket.map_err(|error| match error {
            FindError::Away(reason) => reason,
            FindError::Booking(error) => error.to_string(),
        })?;
        let identifier = session.id.to_string();
        let before = ehr.own("Appointment", &identifier, &ticket).await.map_err(reason)?;
        let theirs = before.as_ref().map(|(_, resource)| visits::session(resource));
        let is_told = session.told == session.sequence;
        let is_theirs = |theirs: &TheirSession| is_told || (theirs.is_off && session.told > 0);
        if let Some(theirs) = theirs.filter(is_theirs) {
            return Ok(Stands::Theirs(theirs));
        }
        let is_nothing = before.is_none() && session.state == GroupState::Cancelled;
        if is_told || is_nothing {
            return Ok(Stands::AsWanted);
        }
        let house = &self.bridge.house;
        let mut tx = self.bridge.store.read().await.map_err(|error| error.to_string())?;
        let visit = self.bridge.visit(&mut tx, &session.clinic, &session.visit).await;
        drop(tx);
        let visit = visit.map_err(|error| error.to_string())?.filter(|visit| visit.group.is_some());
        if visit.is_none() && before.is_none() {
            return Err("visit-not-offered".to_owned());
        }
        let told = GroupTold {
            visit: visit.as_ref(),
            language: house.pages(&session.clinic).map_or(Language::default(), |rules| rules.language),
            source: &self.bridge.source,
            room: house.room(&session.clinic),
            recorded: self.bridge.clock.now(),
        };
        match ehr.keep_own(&identifier, &group_session(session, told), before, &ticket).await {
            Sent::Confirmed(_) => Ok(Stands::AsWanted),
            sent => Err(reason(sent)),
        }
    }
}

/// A session after the EHR was told of it as `sequence`, or showed how it stands there.
fn settled(stands: GroupSession, sequence: i64, found: &Stands, now: Timestamp) -> GroupSession {
    let is_current = stands.sequence == sequence;
    let is_to_come = stands.state == GroupState::Planned && now < stands.time.start;
    let next = match found {
        Stands::Theirs(theirs) if is_current && is_to_come && theirs.is_off => {
            changed(GroupSession { state: GroupState::Cancelled, ..stands }, now)
        }
        Stands::Theirs(TheirSession { time: Some(time), is_off: false })
            if is_current && is_to_come && *time != stands.time =>
        {
            changed(GroupSession { time: *time, ..stands }, now)
        }
        _ => stands,
    };
    let told = if is_current { next.sequence } else { sequence };
    let is_watched = next.state == GroupState::Planned && now < next.time.start;
    let look_at = if is_current { Some(after(now, LOOK_EVERY)).filter(|_| is_watched) } else { Some(now) };
    GroupSession { told, look_at, ..next }
}

fn after(now: Timestamp, time: SignedDuration) -> Timestamp {
    now.checked_add(time).unwrap_or(Timestamp::MAX)
}

/// Why something was not written: a code.
fn reason(sent: Sent) -> String {
    match sent {
        Sent::NotStored { reason, .. } | Sent::Unknown { reason } | Sent::Rejected { reason, .. } => reason,
        Sent::Declined { reason } => reason.to_owned(),
        Sent::Confirmed(_) | Sent::Absent => "no-answer".to_owned(),
        Sent::NotBegun => "not-begun".to_owned(),
        Sent::TokenSpent => "token-spent".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::domain::booking::Time;
    use crate::domain::ids::GroupSessionId;

    fn session(sequence: i64) -> GroupSession {
        let start = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(48);
        GroupSession {
            clinic: "riverside".parse().unwrap(),
            id: GroupSessionId(Uuid::from_u128(1)),
            visit: "calm-group".parse().unwrap(),
            state: GroupState::Planned,
            time: Time { start, end: start + SignedDuration::from_hours(1) },
            capacity: 8,
            sequence,
            told: 1,
            look_at: None,
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn what_changed_here_while_the_ehr_was_told_is_told_at_once() {
        let now = Timestamp::UNIX_EPOCH;
        let next = settled(session(3), 2, &Stands::AsWanted, now);
        assert_eq!((next.told, next.sequence, next.look_at), (2, 3, Some(now)));
        let off = Stands::Theirs(TheirSession { is_off: true, time: None });
        assert_eq!(settled(session(3), 2, &off, now).state, GroupState::Planned, "decided here in between");
    }

    #[test]
    fn what_the_clinics_people_do_in_their_system_counts_until_it_begins() {
        let now = Timestamp::UNIX_EPOCH;
        let off = Stands::Theirs(TheirSession { is_off: true, time: None });
        let next = settled(session(1), 1, &off, now);
        assert_eq!((next.state, next.sequence, next.told, next.look_at), (GroupState::Cancelled, 2, 2, None));
        let later = session(1).time.start;
        assert_eq!(settled(session(1), 1, &off, later).state, GroupState::Planned, "it took place");
        let moved = Time { start: later, end: later + SignedDuration::from_hours(2) };
        let next = settled(session(1), 1, &Stands::Theirs(TheirSession { is_off: false, time: Some(moved) }), now);
        assert_eq!((next.time, next.sequence, next.told), (moved, 2, 2));
        let same = Stands::Theirs(TheirSession { is_off: false, time: Some(session(1).time) });
        assert_eq!(settled(session(1), 1, &same, now).sequence, 1);
    }
}
