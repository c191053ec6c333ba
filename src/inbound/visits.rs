//! What an EHR says of a visit that the bridge asked for: `Appointment` with the bridge's own identifier (R4,
//! appointment.html).

use serde_json::Value;

use super::advice::{field, is_marked};
use crate::domain::booking::{Said, Time};

/// A visit as it stands at a clinic. Personal.
#[derive(Clone, PartialEq, Eq)]
pub struct TheirVisit {
    /// What the bridge called it.
    pub identifier: String,
    /// Whose it is, as the EHR calls them.
    pub patient: String,
    /// How it stands.
    pub said: Said,
    /// When it is, if there is a time.
    pub time: Option<Time>,
    /// The Slot that it takes.
    pub slot: Option<String>,
}

/// Reads an Appointment; none where it is nobody's, or marked with something that changes its meaning. `system` is that of the
/// bridge's identifiers, `base` where the EHR stands.
#[must_use]
pub fn read(appointment: &Value, system: &str, base: &str) -> Option<TheirVisit> {
    if field::text_at(appointment, "/resourceType") != Some("Appointment") || is_marked(appointment) {
        return None;
    }
    let own = field::items(appointment, "/identifier");
    let own = own.iter().find(|identifier| field::text_at(identifier, "/system") == Some(system))?;
    let patients = field::items(appointment, "/participant").iter();
    let mut patients = patients
        .filter_map(|participant| field::reference(participant, "/actor/reference", base))
        .filter_map(|(kind, id)| (kind == "Patient").then_some(id));
    let patient = patients.next()?;
    if patients.any(|other| other != patient) {
        return None;
    }
    let said = match field::text_at(appointment, "/status")? {
        "pending" => Said::Kept,
        "booked" | "arrived" | "checked-in" => Said::Booked,
        "fulfilled" => Said::Fulfilled,
        "noshow" => Said::NoShow,
        "cancelled" | "entered-in-error" => Said::Cancelled,
        _ => return None,
    };
    let slot = field::items(appointment, "/slot").first();
    let slot = slot.and_then(|slot| field::reference(slot, "/reference", base)).filter(|(kind, _)| *kind == "Slot");
    Some(TheirVisit {
        identifier: field::text_at(own, "/value")?.to_owned(),
        patient: patient.to_owned(),
        said,
        time: time(appointment),
        slot: slot.map(|(_, id)| id.to_owned()),
    })
}

/// A group session as it stands at a clinic. It is about nobody.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TheirSession {
    /// Whether the clinic's people called it off.
    pub is_off: bool,
    /// When it is, if there is a time.
    pub time: Option<Time>,
}

/// Reads the Appointment of a group session.
#[must_use]
pub fn session(appointment: &Value) -> TheirSession {
    let is_off = matches!(field::text_at(appointment, "/status"), Some("cancelled" | "entered-in-error"));
    TheirSession { is_off, time: time(appointment) }
}

fn time(appointment: &Value) -> Option<Time> {
    let instant = |pointer: &str| field::instant(field::text_at(appointment, pointer)?);
    let time = instant("/start").zip(instant("/end")).filter(|(start, end)| start < end);
    time.map(|(start, end)| Time { start, end })
}

impl std::fmt::Debug for TheirVisit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TheirVisit({:?})", self.said)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SYSTEM: &str = "https://w3id.org/mostik/fhir/sid/reading";

    fn visit() -> Value {
        json!({
            "resourceType": "Appointment", "id": "a-1", "status": "booked",
            "identifier": [{"system": "urn:theirs", "value": "7"}, {"system": SYSTEM, "value": "ours"}],
            "start": "2026-11-23T10:00:00+01:00", "end": "2026-11-23T10:50:00+01:00",
            "slot": [{"reference": "Slot/s-1"}],
            "participant": [
                {"actor": {"reference": "Practitioner/p"}, "status": "accepted"},
                {"actor": {"reference": "https://ehr.example/fhir/Patient/pat-1"}, "status": "accepted"},
            ],
        })
    }

    fn told(visit: &Value) -> Option<TheirVisit> {
        read(visit, SYSTEM, "https://ehr.example/fhir/")
    }

    #[test]
    fn a_visit_of_ours_is_read_at_its_instant() {
        let told = told(&visit()).unwrap();
        assert_eq!((told.identifier.as_str(), told.patient.as_str(), told.said), ("ours", "pat-1", Said::Booked));
        assert_eq!(told.time.unwrap().start.to_string(), "2026-11-23T09:00:00Z");
        assert_eq!(told.slot.as_deref(), Some("s-1"));
        assert_eq!(format!("{told:?}"), "TheirVisit(Booked)");
    }

    #[test]
    fn anything_else_is_none() {
        for (name, value) in [
            ("status", json!("waitlist")),
            ("identifier", json!([{"system": "urn:theirs", "value": "7"}])),
            ("participant", json!([{"actor": {"reference": "Practitioner/p"}}])),
            ("participant", json!([{"actor": {"reference": "Patient/a"}}, {"actor": {"reference": "Patient/b"}}])),
            ("modifierExtension", json!([{"url": "x"}])),
            ("resourceType", json!("Encounter")),
        ] {
            let mut visit = visit();
            visit[name] = value;
            assert_eq!(told(&visit), None, "{name}");
        }
    }
}
