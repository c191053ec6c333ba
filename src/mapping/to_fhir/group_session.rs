//! A group session → FHIR R4 `Appointment`: who leads it, when, and how many places it has. It is about no patient, so nobody is
//! asked for a permit; whoever takes part has an Appointment of their own that refers to it.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use url::Url;

use super::appointment::{concept, of_kind, virtual_service};
use super::codes::{CANCELLATION_REASON, CAPACITY, IDENTIFIER};
use super::shape::instant;
use crate::domain::group::{GroupSession, GroupState};
use crate::domain::language::Language;
use crate::domain::visit_type::VisitType;

/// What a session says beside what it is.
#[derive(Clone, Copy)]
pub struct GroupTold<'a> {
    /// What kind of visit it is; `None` where the clinic offers it no longer.
    pub visit: Option<&'a VisitType>,
    /// The language of the clinic's people.
    pub language: Language,
    /// This installation, as `meta.source`.
    pub source: &'a str,
    /// Where the clinic always holds its remote visits, if its Appointments say so.
    pub room: Option<&'a Url>,
    /// When the bridge made the resource.
    pub recorded: Timestamp,
}

/// The Appointment of a session as it should stand. R4 has no word for how many places there are (R5's
/// `virtualService.maxParticipants` says how many a call holds, with whoever leads it): an extension of ours says it.
#[must_use]
pub fn group_session(session: &GroupSession, told: GroupTold<'_>) -> Value {
    let is_off = session.state == GroupState::Cancelled;
    let mut members = Map::new();
    let mut set = |name: &str, value: Value| drop(members.insert(name.to_owned(), value));
    set("resourceType", json!("Appointment"));
    set("meta", json!({"source": told.source}));
    let capacity = json!({"url": CAPACITY, "valuePositiveInt": session.capacity});
    set("extension", std::iter::once(capacity).chain(told.room.map(virtual_service)).collect());
    set("identifier", json!([{"system": IDENTIFIER, "value": session.id.to_string()}]));
    set("status", json!(if is_off { "cancelled" } else { "booked" }));
    if is_off {
        set("cancelationReason", concept(CANCELLATION_REASON, "prov", "Provider"));
    }
    for (name, value) in told.visit.into_iter().flat_map(|visit| of_kind(visit, told.language)) {
        set(name, value);
    }
    set("start", json!(instant(session.time.start)));
    set("end", json!(instant(session.time.end)));
    set("created", json!(instant(told.recorded)));
    let status = if is_off { "declined" } else { "accepted" };
    let leads = |who: &String| json!({"actor": {"reference": who}, "required": "required", "status": status});
    let with = told.visit.and_then(|visit| visit.group.as_ref()).map_or(&[][..], |rules| rules.with.as_slice());
    set("participant", with.iter().map(leads).collect());
    Value::Object(members)
}
