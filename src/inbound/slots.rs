//! Free times in a clinic's schedule: `Slot` → offers (R4, slot.html), and what `$find` proposes (IHE ITI Scheduling 1.0,
//! 2:3.115.4.2).

use serde_json::Value;

use crate::domain::booking::{Offer, Place, Time};
use crate::domain::ids::is_fhir_id;
use crate::domain::moment::Moment;

/// The time that a Slot offers, if it is free, and of one of these Schedules. A Slot that is marked with something that
/// changes its meaning offers none.
#[must_use]
pub fn offer(slot: &Value, schedules: &[String]) -> Option<Offer> {
    let text = |pointer: &str| slot.pointer(pointer).and_then(Value::as_str);
    let schedule = text("/schedule/reference")?.split("/_history/").next()?.rsplit('/').next()?;
    if !schedules.iter().any(|known| known == schedule) {
        return None;
    }
    at(slot, ("Slot", "free"), Place::Slot)
}

/// The time that an Appointment proposes, if it is proposed.
#[must_use]
pub fn proposal(appointment: &Value) -> Option<Offer> {
    at(appointment, ("Appointment", "proposed"), Place::Proposed)
}

/// The time of a resource of this type that has this status.
fn at(resource: &Value, (kind, status): (&str, &str), place: impl FnOnce(String) -> Place) -> Option<Offer> {
    let text = |pointer: &str| resource.pointer(pointer).and_then(Value::as_str);
    let is_marked = resource.get("modifierExtension").is_some() || resource.get("implicitRules").is_some();
    if text("/resourceType") != Some(kind) || text("/status") != Some(status) || is_marked {
        return None;
    }
    let id = text("/id").filter(|id| is_fhir_id(id))?;
    let instant = |pointer: &str| Some(Moment::parse_rfc3339(text(pointer)?).ok()?.at);
    let time = Time { start: instant("/start")?, end: instant("/end")? };
    (time.start < time.end).then(|| Offer { place: place(id.to_owned()), time })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn slot() -> Value {
        json!({
            "resourceType": "Slot", "id": "s-1", "status": "free", "schedule": {"reference": "Schedule/a"},
            "start": "2026-11-23T10:00:00+01:00", "end": "2026-11-23T10:50:00+01:00",
        })
    }

    #[test]
    fn a_free_slot_of_the_schedule_is_an_offer_at_its_instant() {
        let offer = offer(&slot(), &["a".to_owned()]).unwrap();
        assert_eq!(offer.place, Place::Slot("s-1".to_owned()));
        assert_eq!(offer.time.start.to_string(), "2026-11-23T09:00:00Z");
        assert_eq!(format!("{offer:?}"), "Offer(..)");
    }

    #[test]
    fn what_is_proposed_is_an_offer_as_well() {
        let mut proposed = slot();
        (proposed["resourceType"], proposed["status"]) = (json!("Appointment"), json!("proposed"));
        let found = proposal(&proposed).unwrap();
        assert_eq!(
            (found.place, found.time),
            (Place::Proposed("s-1".to_owned()), offer(&slot(), &["a".to_owned()]).unwrap().time)
        );
        proposed["status"] = json!("pending");
        assert_eq!(proposal(&proposed), None, "somebody has it");
        assert_eq!(proposal(&slot()), None);
    }

    #[test]
    fn anything_else_is_none() {
        for (name, value) in [
            ("status", json!("busy")),
            ("schedule", json!({"reference": "Schedule/b"})),
            ("start", json!("2026-11-23T10:00:00")),
            ("end", json!("2026-11-23T09:00:00+01:00")),
            ("id", json!("not an id")),
            ("modifierExtension", json!([{"url": "x"}])),
        ] {
            let mut slot = slot();
            slot[name] = value;
            assert_eq!(offer(&slot, &["a".to_owned()]), None, "{name}");
        }
        let mut full = slot();
        full["schedule"]["reference"] = json!("https://ehr.example/fhir/Schedule/a/_history/3");
        assert!(offer(&full, &["a".to_owned()]).is_some(), "wherever it is said to stand");
    }
}
