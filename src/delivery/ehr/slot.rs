//! What is to be done with an Appointment and its Slot, from how they stand to how they should. Pure; raw JSON is the truth of
//! them: what others wrote stays.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::book::{Change, Next, SLOT_GONE, SLOT_TAKEN, VISIT_OVER};
use crate::domain::delivery::Stored;

/// How a visit should stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Its time is kept.
    Held,
    /// It will be.
    Booked,
    /// The patient is there.
    Arrived,
    /// The clinic's people are to propose a time.
    Proposed,
    /// It was.
    Fulfilled,
    /// The patient did not come.
    Missed,
    /// It will not be, and its time is free again.
    Cancelled,
}

/// An Appointment as it should stand.
pub struct Wanted {
    /// The value of the bridge's identifier.
    pub identifier: String,
    /// How it should stand.
    pub standing: Standing,
    /// The id of the Slot that it wants.
    pub slot: Option<String>,
    /// The id of the Appointment as which it was offered, where it is held and booked by operations.
    pub offer: Option<String>,
    /// The whole of it.
    pub resource: Value,
}

/// An Appointment as it stands.
pub struct Appointment {
    /// Where.
    pub at: Stored,
    /// The whole of it.
    pub resource: Value,
}

/// A Slot as it stands.
pub struct Slot {
    /// Where.
    pub at: Stored,
    /// The whole of it.
    pub resource: Value,
}

/// Whose a Slot is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Holder {
    /// Anybody's who takes it.
    Free,
    /// This Appointment's.
    Ours,
    /// Somebody else's.
    Others,
}

impl Wanted {
    /// Reads what was put into the outbox.
    pub fn read(resource: Value) -> Option<Self> {
        let standing = match text(&resource, "/status")? {
            "pending" => Standing::Held,
            "booked" => Standing::Booked,
            "arrived" => Standing::Arrived,
            "proposed" => Standing::Proposed,
            "fulfilled" => Standing::Fulfilled,
            "noshow" => Standing::Missed,
            "cancelled" => Standing::Cancelled,
            _ => return None,
        };
        let identifier = text(&resource, "/identifier/0/value")?.to_owned();
        let slot = slot_of(&resource);
        let offer = text(&resource, "/id").map(str::to_owned);
        // What its people give may have no Slot.
        let is_possible = slot.is_some()
            || offer.is_some()
            || text(&resource, "/start").is_some()
            || !matches!(standing, Standing::Held | Standing::Booked);
        is_possible.then_some(Self { identifier, standing, slot, offer, resource })
    }

    /// What is to be done. `system`: that of the bridge's identifiers.
    pub fn next(&self, appointment: Option<Appointment>, slot: Option<Slot>, system: &str) -> Next {
        let has_visit = appointment.as_ref().is_some_and(Appointment::is_open);
        let holder = slot.as_ref().map(|slot| slot.holder(&self.identifier, system, has_visit));
        match (self.standing, appointment) {
            (Standing::Cancelled, None) => match slot.filter(|_| holder == Some(Holder::Ours)) {
                Some(slot) => change(slot.given_back(&self.identifier), None),
                None => Next::Absent,
            },
            (Standing::Cancelled, Some(visit)) => self.cancel(visit, slot.filter(|_| holder == Some(Holder::Ours))),
            (Standing::Proposed, Some(visit)) => Next::Done(visit.at),
            (Standing::Proposed, None) => change(None, Some((None, self.resource.clone()))),
            (Standing::Arrived, visit) => self.arrive(visit),
            (Standing::Fulfilled | Standing::Missed, visit) => self.note(visit),
            (Standing::Held | Standing::Booked, visit) => self.take(visit, slot, holder, system),
        }
    }

    /// Says of a visit that will be that its patient is there, and of no other.
    fn arrive(&self, visit: Option<Appointment>) -> Next {
        match visit.as_ref().map(Appointment::status) {
            Some("arrived" | "checked-in" | "fulfilled") => Next::done(visit),
            Some("booked") => change(None, visit.map(|visit| visit.brought_to(self))),
            _ => Next::Never(VISIT_OVER),
        }
    }

    /// Says of a visit what became of it.
    fn note(&self, visit: Option<Appointment>) -> Next {
        let wanted = text(&self.resource, "/status").unwrap_or_default();
        match visit.as_ref().map(Appointment::status) {
            Some(status) if status == wanted => Next::done(visit),
            Some("booked" | "arrived" | "checked-in" | "fulfilled" | "noshow") => {
                change(None, visit.map(|visit| visit.brought_to(self)))
            }
            _ => Next::Never(VISIT_OVER),
        }
    }

    /// Whether it is a place in a group session, which says when it is.
    fn is_place(&self) -> bool {
        text(&self.resource, "/supportingInformation/0/identifier/value").is_some()
    }

    /// Whether it is a place in a group session that is at another time than the visit says.
    fn is_moved(&self, visit: &Appointment) -> bool {
        let at = |resource: &Value, name| text(resource, name)?.parse::<Timestamp>().ok();
        let differs = |name| at(&self.resource, name) != at(&visit.resource, name);
        self.is_place() && (differs("/start") || differs("/end"))
    }

    fn cancel(&self, visit: Appointment, slot: Option<Slot>) -> Next {
        let back = slot.and_then(|slot| slot.given_back(&self.identifier));
        match visit.status() {
            // It was called off already, perhaps by a process that died before it gave the time back.
            "cancelled" | "noshow" | "entered-in-error" => match back {
                None => Next::Done(visit.at),
                slot => Next::Change(Box::new(Change { slot, appointment: None, stands: Some(visit.at) })),
            },
            "arrived" | "checked-in" | "fulfilled" => Next::Never(VISIT_OVER),
            _ => change(back, Some(visit.brought_to(self))),
        }
    }

    fn take(&self, visit: Option<Appointment>, slot: Option<Slot>, holder: Option<Holder>, system: &str) -> Next {
        match visit.as_ref().map(Appointment::status) {
            Some("cancelled" | "noshow" | "entered-in-error") => return Next::Never(VISIT_OVER),
            Some("booked") if visit.as_ref().is_some_and(|visit| self.is_moved(visit)) => {
                return change(None, visit.map(|visit| visit.brought_to(self)));
            }
            Some("booked" | "arrived" | "checked-in" | "fulfilled") => return Next::done(visit),
            Some("pending")
                if self.standing == Standing::Held && (holder == Some(Holder::Ours) || self.slot.is_none()) =>
            {
                return Next::done(visit);
            }
            _ => {}
        }
        let status = if self.standing == Standing::Booked { "busy" } else { "busy-tentative" };
        let slot = match (slot, holder) {
            (None, _) if self.slot.is_none() => None,
            (None, _) | (_, None) => return Next::Never(SLOT_GONE),
            (_, Some(Holder::Others)) => return Next::Never(SLOT_TAKEN),
            (Some(slot), Some(Holder::Ours)) if slot.status() == status => None,
            (Some(slot), Some(Holder::Ours | Holder::Free)) => Some(slot.taken(status, &self.identifier, system)),
        };
        let appointment = match visit {
            Some(visit) => visit.brought_to(self),
            None => (None, self.resource.clone()),
        };
        change(slot, Some(appointment))
    }
}

impl Next {
    fn done(visit: Option<Appointment>) -> Self {
        visit.map_or(Self::Absent, |visit| Self::Done(visit.at))
    }
}

fn change(slot: Option<(Stored, Value)>, appointment: Option<(Option<Stored>, Value)>) -> Next {
    Next::Change(Box::new(Change { slot, appointment, stands: None }))
}

impl Appointment {
    /// How it stands.
    pub fn status(&self) -> &str {
        text(&self.resource, "/status").unwrap_or_default()
    }

    fn is_open(&self) -> bool {
        matches!(self.status(), "proposed" | "pending" | "booked" | "waitlist" | "arrived" | "checked-in")
    }

    /// The id of the Slot that it has.
    pub fn slot(&self) -> Option<String> {
        slot_of(&self.resource)
    }

    /// The same with the status that is wanted, why, and what the patient says to it.
    pub fn brought_to(self, wanted: &Wanted) -> (Option<Stored>, Value) {
        let Self { at, mut resource } = self;
        if let Some(members) = resource.as_object_mut() {
            // What was proposed without a time gets one; so does what goes with its session.
            let keeps = members.contains_key("start") && !wanted.is_place();
            let when = if keeps { &[][..] } else { &["start", "end", "slot"][..] };
            for name in ["status", "cancelationReason"].iter().chain(when) {
                if let Some(value) = wanted.resource.get(*name) {
                    members.insert((*name).to_owned(), value.clone());
                }
            }
        }
        let answer = wanted.resource.pointer("/participant/0/status").cloned();
        let participants = resource.get_mut("participant").and_then(Value::as_array_mut);
        let patient = participants
            .into_iter()
            .flatten()
            .find(|participant| text(participant, "/actor/reference").is_some_and(|who| who.contains("Patient/")));
        if let (Some(answer), Some(Value::Object(patient))) = (answer, patient) {
            patient.insert("status".to_owned(), answer);
        }
        (Some(at), resource)
    }
}

impl Slot {
    fn status(&self) -> &str {
        text(&self.resource, "/status").unwrap_or_default()
    }

    /// Whose it is. An EHR may not keep the mark: then it is that Appointment's which has it.
    fn holder(&self, identifier: &str, system: &str, has_visit: bool) -> Holder {
        let mut marks = marks(&self.resource, system).peekable();
        let is_marked = marks.peek().is_some();
        let is_ours = marks.any(|mark| mark == identifier);
        match self.status() {
            "free" => Holder::Free,
            "busy" | "busy-tentative" if is_ours || (has_visit && !is_marked) => Holder::Ours,
            _ => Holder::Others,
        }
    }

    fn taken(self, status: &str, identifier: &str, system: &str) -> (Stored, Value) {
        let Self { at, mut resource } = self;
        if let Some(members) = resource.as_object_mut() {
            members.insert("status".to_owned(), json!(status));
            let marks = members.entry("identifier").or_insert_with(|| json!([]));
            if let Some(marks) = marks.as_array_mut() {
                marks.retain(|mark| text(mark, "/system") != Some(system));
                marks.push(json!({"system": system, "value": identifier}));
            }
        }
        (at, resource)
    }

    /// The same, free and without the mark; nothing where it is free already.
    pub fn given_back(self, identifier: &str) -> Option<(Stored, Value)> {
        if self.status() == "free" {
            return None;
        }
        let Self { at, mut resource } = self;
        if let Some(members) = resource.as_object_mut() {
            members.insert("status".to_owned(), json!("free"));
            let mut is_empty = false;
            if let Some(marks) = members.get_mut("identifier").and_then(Value::as_array_mut) {
                marks.retain(|mark| text(mark, "/value") != Some(identifier));
                is_empty = marks.is_empty();
            }
            if is_empty {
                members.remove("identifier");
            }
        }
        Some((at, resource))
    }
}

/// The values of the bridge's identifiers on a resource.
pub fn marks<'a>(resource: &'a Value, system: &'a str) -> impl Iterator<Item = &'a str> {
    let identifiers = resource.get("identifier").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let ours = identifiers.iter().filter(move |identifier| text(identifier, "/system") == Some(system));
    ours.filter_map(|identifier| text(identifier, "/value"))
}

fn slot_of(appointment: &Value) -> Option<String> {
    let reference = text(appointment, "/slot/0/reference")?.split("/_history/").next()?;
    let mut segments = reference.rsplit('/');
    let (id, kind) = (segments.next()?, segments.next()?);
    (kind == "Slot").then(|| id.to_owned())
}

pub fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str)
}

#[cfg(test)]
#[path = "slot_tests.rs"]
mod tests;
