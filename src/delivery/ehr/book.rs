//! A visit at an EHR with Slots, brought to where the bridge wants it: held, booked, asked for, or given back.
//!
//! It is read before anything is changed, and only what is missing is done. So whoever comes after a lost answer, or after a
//! process that died halfway, simply does it again: the Appointment is found by the bridge's own identifier, and the Slot
//! carries the same one as long as it is kept for this Appointment. A Slot is only changed as it was read (`If-Match`): of
//! any number that want it, one gets it. Both go in one transaction where the EHR takes those; else one after the other, in
//! the order in which a visit is never without its time.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::client::{EhrClient, Ticket};
use super::slot::{Appointment, Slot, Standing, Wanted, marks};
use super::update::ROUNDS;
use super::write::Resource;
use super::{Found, Sent, exact};
use crate::consent::decide::Cleared;
use crate::domain::delivery::{Delivery, Stored};

/// Why a time cannot be had: somebody else has it.
pub const SLOT_TAKEN: &str = "slot-taken";

/// Why a time cannot be had: the clinic offers it no longer.
pub const SLOT_GONE: &str = "slot-gone";

/// Why nothing can be done with a visit any more: it was, or was called off.
pub const VISIT_OVER: &str = "visit-over";

/// Why it was not noted that a patient is there: the clinic's system takes no such word.
const ARRIVAL_NOT_TAKEN: &str = "arrival-not-taken";

/// What is to be done with a visit.
pub(super) enum Next {
    /// It stands as it should.
    Done(Stored),
    /// It cannot be: a code.
    Never(&'static str),
    /// There is nothing to give back.
    Absent,
    /// This is to be changed.
    Change(Box<Change>),
}

/// What is to be written, each only if it is still as it was read.
pub(super) struct Change {
    /// The Slot.
    pub slot: Option<(Stored, Value)>,
    /// The Appointment: a new one where it stands nowhere.
    pub appointment: Option<(Option<Stored>, Value)>,
    /// Where the Appointment stands that is as it should be.
    pub stands: Option<Stored>,
}

impl EhrClient {
    /// Brings a visit to where `wanted` says, an Appointment as it should stand.
    pub async fn book(
        &self,
        cleared: &Cleared<Delivery>,
        wanted: &[u8],
        ticket: &Ticket,
        not_after: Timestamp,
    ) -> Sent {
        let Some(wanted) = exact::read(wanted).and_then(Wanted::read) else {
            return Sent::Rejected { reason: "content-unreadable".to_owned(), outcome: None };
        };
        let known = cleared.item().stored.as_ref();
        // What became of a visit is written by no operation.
        let is_noted = matches!(wanted.standing, Standing::Fulfilled | Standing::Missed);
        if let Some(offer) = wanted.offer.clone().filter(|_| !is_noted) {
            return self.operate(&wanted, &offer, known, ticket, not_after).await;
        }
        for _ in 0..ROUNDS {
            let (appointment, slot) = match self.stands(&wanted, known, ticket, not_after).await {
                Ok(stands) => stands,
                Err(sent) => return sent,
            };
            let change = match wanted.next(appointment, slot, self.identifier_system()) {
                Next::Done(stored) => return Sent::Confirmed(stored),
                Next::Never(reason) => return Sent::Declined { reason },
                Next::Absent => return Sent::Absent,
                Next::Change(change) => *change,
            };
            match self.carry_out(change, &wanted, ticket, not_after).await {
                // Somebody was faster: read again, and see who.
                Sent::Unknown { reason } if is_conflict(&reason) => {}
                // Nobody need see to that: the visit will be all the same.
                Sent::Rejected { .. } if wanted.standing == Standing::Arrived => {
                    return Sent::Declined { reason: ARRIVAL_NOT_TAKEN };
                }
                sent => return sent,
            }
        }
        Sent::NotStored { reason: "changed-by-others".to_owned(), retry_after: None }
    }

    /// The Appointment and its Slot as they stand.
    async fn stands(
        &self,
        wanted: &Wanted,
        known: Option<&Stored>,
        ticket: &Ticket,
        not_after: Timestamp,
    ) -> Result<(Option<Appointment>, Option<Slot>), Sent> {
        let appointment = self.visit(wanted, known, ticket, not_after).await?;
        let slot = appointment.as_ref().and_then(Appointment::slot).or_else(|| wanted.slot.clone());
        let slot = match slot {
            Some(id) => self.slot(&id, ticket, not_after).await?,
            None => None,
        };
        Ok((appointment, slot))
    }

    /// The Appointment as it stands, wherever it is known to stand; else it is searched for.
    pub(super) async fn visit(
        &self,
        wanted: &Wanted,
        known: Option<&Stored>,
        ticket: &Ticket,
        not_after: Timestamp,
    ) -> Result<Option<Appointment>, Sent> {
        let found = match known {
            Some(stored) => Some(stored.clone()),
            None => match self.find("Appointment", &wanted.identifier, ticket, not_after).await {
                Found::Stored(stored) => Some(stored),
                Found::Absent => None,
                Found::NotBegun => return Err(Sent::NotBegun),
                Found::Undecided { reason, retry_after } => return Err(Sent::NotStored { reason, retry_after }),
                Found::NoSearch { reason } => return Err(Sent::Rejected { reason, outcome: None }),
            },
        };
        let Some(stored) = found else { return Ok(None) };
        let (resource, version) = self.current(&stored, ticket, not_after).await?;
        Ok(Some(Appointment { at: Stored { version, ..stored }, resource }))
    }

    /// A Slot as it stands; none where the clinic has it no longer.
    async fn slot(&self, id: &str, ticket: &Ticket, not_after: Timestamp) -> Result<Option<Slot>, Sent> {
        let at = Stored { resource_type: "Slot".to_owned(), id: id.to_owned(), version: None };
        match self.current(&at, ticket, not_after).await {
            // Without versions nobody can tell who was faster, and two would come at the same time.
            Ok((_, None)) => Err(Sent::Rejected { reason: "slot-without-version".to_owned(), outcome: None }),
            Ok((resource, version)) => Ok(Some(Slot { at: Stored { version, ..at }, resource })),
            Err(Sent::Rejected { reason, .. }) if reason.starts_with("read-http-4") => Ok(None),
            Err(sent) => Err(sent),
        }
    }

    /// Writes what is to be changed.
    async fn carry_out(&self, change: Change, wanted: &Wanted, ticket: &Ticket, not_after: Timestamp) -> Sent {
        match (change.slot, change.appointment) {
            (Some(slot), Some(appointment)) if ticket.capabilities().has_transaction() => {
                self.at_once(slot, appointment, wanted, ticket, not_after).await
            }
            (Some(slot), Some(appointment)) => self.by_turns(slot, appointment, wanted, ticket, not_after).await,
            (None, Some(appointment)) => self.write(appointment, wanted, ticket, not_after).await,
            (Some((at, slot)), None) => match self.put(&at, &slot, ticket, not_after).await {
                // A visit that nobody found may still come: it is looked for once more.
                Sent::Confirmed(_) => change.stands.map_or(Sent::Absent, Sent::Confirmed),
                sent => sent,
            },
            (None, None) => Sent::Rejected { reason: "nothing-to-change".to_owned(), outcome: None },
        }
    }

    /// Both in one transaction: both are written, or neither is.
    async fn at_once(
        &self,
        slot: (Stored, Value),
        appointment: (Option<Stored>, Value),
        wanted: &Wanted,
        ticket: &Ticket,
        not_after: Timestamp,
    ) -> Sent {
        let put = |at: &Stored, resource: &Value| {
            let mut request = json!({"method": "PUT", "url": format!("{}/{}", at.resource_type, at.id)});
            if let (Some(version), Some(members)) = (&at.version, request.as_object_mut()) {
                members.insert("ifMatch".to_owned(), json!(format!("W/\"{version}\"")));
            }
            json!({"resource": resource, "request": request})
        };
        let create = |resource: &Value| {
            let mut request = json!({"method": "POST", "url": "Appointment"});
            if ticket.capabilities().has_conditional_create("Appointment")
                && let Some(members) = request.as_object_mut()
            {
                members.insert("ifNoneExist".to_owned(), json!(self.if_none_exist(&wanted.identifier)));
            }
            json!({"resource": resource, "request": request})
        };
        let second = match &appointment {
            (Some(at), resource) => put(at, resource),
            (None, resource) => create(resource),
        };
        let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [put(&slot.0, &slot.1), second]});
        match self.transact(&bundle, &["Slot", "Appointment"], ticket, not_after).await {
            Ok(answers) => answers.into_iter().nth(1).unwrap_or(Sent::Unknown { reason: "no-answer".to_owned() }),
            // Refused as a whole, and nothing of it was done: one after the other it may be taken, or it is said why not.
            Err(None) => self.by_turns(slot, appointment, wanted, ticket, not_after).await,
            Err(Some(sent)) => sent,
        }
    }

    /// One after the other: a time is taken before the visit that needs it, and given back after it.
    async fn by_turns(
        &self,
        (at, slot): (Stored, Value),
        appointment: (Option<Stored>, Value),
        wanted: &Wanted,
        ticket: &Ticket,
        not_after: Timestamp,
    ) -> Sent {
        if wanted.standing == Standing::Cancelled {
            let cancelled = self.write(appointment, wanted, ticket, not_after).await;
            let Sent::Confirmed(stored) = cancelled else { return cancelled };
            return match self.put(&at, &slot, ticket, not_after).await {
                Sent::Confirmed(_) => Sent::Confirmed(stored),
                sent => half_done(sent),
            };
        }
        let is_new = appointment.0.is_none();
        let taken = self.put(&at, &slot, ticket, not_after).await;
        let Sent::Confirmed(taken) = taken else { return taken };
        if is_new && let Some(refused) = self.keeps_no_mark(&taken, wanted, ticket, not_after).await {
            return refused;
        }
        match self.write(appointment, wanted, ticket, not_after).await {
            Sent::Rejected { reason, outcome } => {
                // The visit will never be: its time is given back at once, and what follows gives it back if this fails.
                let free = self.slot(&taken.id, ticket, not_after).await.ok().flatten();
                if let Some((at, slot)) = free.and_then(|slot| slot.given_back(&wanted.identifier)) {
                    let _ = self.put(&at, &slot, ticket, not_after).await;
                }
                Sent::Rejected { reason, outcome }
            }
            sent @ Sent::Confirmed(_) => sent,
            sent => half_done(sent),
        }
    }

    /// Gives a Slot back that does not carry the identifier with which it was taken. Until its Appointment stands, nobody could
    /// tell whose it is: whoever died here would leave it taken for nobody. An EHR that keeps no identifiers of Slots must take
    /// both in one transaction: then the Appointment says whose the Slot is.
    async fn keeps_no_mark(
        &self,
        taken: &Stored,
        wanted: &Wanted,
        ticket: &Ticket,
        not_after: Timestamp,
    ) -> Option<Sent> {
        let Ok(Some(slot)) = self.slot(&taken.id, ticket, not_after).await else {
            // Nobody knows: whoever comes next looks again.
            return Some(half_done(Sent::Unknown { reason: "slot-unread".to_owned() }));
        };
        if marks(&slot.resource, self.identifier_system()).any(|mark| mark == wanted.identifier) {
            return None;
        }
        let is_as_left = taken.version.is_none() || taken.version == slot.at.version;
        if let Some((at, slot)) = slot.given_back(&wanted.identifier).filter(|_| is_as_left) {
            let _ = self.put(&at, &slot, ticket, not_after).await;
        }
        Some(Sent::Rejected { reason: "slot-keeps-no-identifier".to_owned(), outcome: None })
    }

    /// Writes the Appointment alone.
    async fn write(
        &self,
        (at, resource): (Option<Stored>, Value),
        wanted: &Wanted,
        ticket: &Ticket,
        not_after: Timestamp,
    ) -> Sent {
        if let Some(at) = at {
            return self.put(&at, &resource, ticket, not_after).await;
        }
        let Some(body) = exact::write(&resource) else {
            return Sent::Rejected { reason: "content-unwritable".to_owned(), outcome: None };
        };
        let resource = Resource { resource_type: "Appointment".to_owned(), body };
        self.create_as(&wanted.identifier, resource, ticket, not_after).await
    }
}

/// Something was written, and the rest was not, or nobody knows: it is found out by whoever comes next, and not withdrawn.
fn half_done(sent: Sent) -> Sent {
    let reason = match sent {
        Sent::NotStored { reason, .. } | Sent::Unknown { reason } | Sent::Rejected { reason, .. }
            if !is_conflict(&reason) =>
        {
            format!("half-done {reason}")
        }
        _ => "half-done".to_owned(),
    };
    Sent::Unknown { reason }
}

/// Somebody else changed it in between (R4, http.html, 3.1.0.4.1; Oracle Health says 409).
pub(super) fn is_conflict(reason: &str) -> bool {
    ["http-412", "http-409"].contains(&reason)
}
