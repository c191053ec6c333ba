//! A visit that a member asks for, chooses, books or gives back → FHIR R4 `Appointment` as it should stand.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use url::Url;

use super::codes::{
    ACT_CODE, CANCELLATION_REASON, CONFIDENTIALITY, IDENTIFIER, OBSERVATION_VALUE, SERVICE_CATEGORY, SERVICE_TYPE,
    US_CORE_TAGS,
};
use super::provenance::{as_json, provenance};
use super::shape::instant;
use super::{MappingError, Recipient};
use crate::consent::decide::Permit;
use crate::domain::booking::{Asking, Place, Wish};
use crate::domain::language::Language;
use crate::domain::outbound::Outbound;
use crate::domain::visit_type::VisitType;

/// What an Appointment says beside what is asked.
#[derive(Clone, Copy)]
pub struct Told<'a> {
    /// What kind of visit it is; `None` where the clinic offers it no longer.
    pub visit: Option<&'a VisitType>,
    /// The language of the clinic's people.
    pub language: Language,
    /// Until when a visit is wished for, where the clinic is to propose one.
    pub until: Timestamp,
    /// Where the clinic always holds its remote visits, if its Appointments say so. No way in of one person is ever said.
    pub room: Option<&'a Url>,
}

/// R5's `Appointment.virtualService`, as R4 says it (HL7, cross-version extensions, hl7.fhir.uv.xver-r5.r4 0.1.0).
const VIRTUAL_SERVICE: &str = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Appointment.virtualService";

/// The Appointment as it should stand at the clinic.
///
/// # Errors
/// [`MappingError`]; never for what was asked in the portal.
pub fn appointment(
    permit: &Permit<'_, Asking<'_>>,
    recipient: Recipient<'_>,
    told: Told<'_>,
) -> Result<Outbound, MappingError> {
    let asking = permit.item();
    let (status, answer) = standing(asking.wish);
    let mut members = Map::new();
    let mut set = |name: &str, value: Value| drop(members.insert(name.to_owned(), value));
    set("resourceType", json!("Appointment"));
    set("meta", meta(permit, recipient));
    if asking.wish.asks() {
        set("contained", json!([as_json(&provenance(recipient, permit)?)?]));
    }
    if let Some(room) = told.room.filter(|_| asking.wish.asks()) {
        set("extension", json!([virtual_service(room)]));
    }
    set("identifier", json!([{"system": IDENTIFIER, "value": recipient.identifier.to_string()}]));
    set("status", json!(status));
    if status == "cancelled" {
        let (code, display) = match asking.wish {
            Wish::Decline => ("prov", "Provider"),
            _ => ("pat-cpp", "Patient: Canceled via Patient Portal"),
        };
        set("cancelationReason", concept(CANCELLATION_REASON, code, display));
    }
    for (name, value) in told.visit.into_iter().flat_map(|visit| of_kind(visit, told.language)) {
        set(name, value);
    }
    if let Some(session) = asking.session {
        // The session itself is an Appointment of its own, which names no patient: nobody finds anybody else by it.
        let identifier = json!({"system": IDENTIFIER, "value": session.to_string()});
        set("supportingInformation", json!([{"type": "Appointment", "identifier": identifier}]));
    }
    if let Some(reason) = asking.reason {
        set("reasonCode", json!([{"text": reason}]));
    }
    if let Some(time) = asking.time {
        set("start", json!(instant(time.start)));
        set("end", json!(instant(time.end)));
    } else if asking.wish == Wish::Request {
        let period = json!([{"start": instant(recipient.recorded), "end": instant(told.until)}]);
        set("requestedPeriod", period);
    }
    match asking.place {
        Some(Place::Slot(id)) => set("slot", json!([{"reference": format!("Slot/{id}")}])),
        Some(Place::Proposed(id)) => {
            set("id", json!(id));
            // IHE ITI Scheduling wants it of each Appointment (StructureDefinition ihe-sched-appt).
            if let Some(time) = asking.time {
                set("requestedPeriod", json!([{"start": instant(time.start), "end": instant(time.end)}]));
            }
        }
        None => {}
    }
    set("created", json!(instant(recipient.recorded)));
    set("participant", participants(recipient, answer));
    Ok(Outbound {
        resource_type: "Appointment".into(),
        identifier: recipient.identifier.to_string(),
        is_part: false,
        body: Value::Object(members).to_string().into_bytes(),
    })
}

/// What kind of visit it is, and how long it takes.
pub(super) fn of_kind(visit: &VisitType, language: Language) -> Vec<(&'static str, Value)> {
    let category = visit.service_category.as_ref();
    let category = category.map(|code| json!([{"coding": [{"system": SERVICE_CATEGORY, "code": code}]}]));
    let title = visit.title.get(language);
    let coding = visit.service_type.as_ref().map(|code| json!([{"system": SERVICE_TYPE, "code": code}]));
    let service = coding.map_or_else(|| json!({"text": title}), |coding| json!({"coding": coding, "text": title}));
    let said = [
        category.map(|category| ("serviceCategory", category)),
        Some(("serviceType", json!([service]))),
        Some(("minutesDuration", json!(visit.minutes))),
    ];
    said.into_iter().flatten().collect()
}

/// The status of the Appointment, and the member's own word in it (R4, appointmentstatus and participationstatus; the steps
/// are Argonaut Scheduling's).
const fn standing(wish: Wish) -> (&'static str, &'static str) {
    match wish {
        Wish::Hold => ("pending", "tentative"),
        Wish::Book => ("booked", "accepted"),
        Wish::Arrive => ("arrived", "accepted"),
        Wish::Request => ("proposed", "needs-action"),
        // They asked for it, and have not said that this time suits them.
        Wish::Give => ("booked", "tentative"),
        Wish::Offer => ("pending", "needs-action"),
        Wish::Fulfil => ("fulfilled", "accepted"),
        Wish::Miss => ("noshow", "accepted"),
        // What the clinic does is no word of theirs.
        Wish::Decline => ("cancelled", "tentative"),
        Wish::Release | Wish::Cancel | Wish::Replace => ("cancelled", "declined"),
    }
}

fn meta(permit: &Permit<'_, Asking<'_>>, recipient: Recipient<'_>) -> Value {
    let sensitive = permit.obliges().labels.iter().map(|label| (ACT_CODE, label.as_str()));
    let security = std::iter::once((CONFIDENTIALITY, "R")).chain(sensitive).chain([(OBSERVATION_VALUE, "PATAST")]);
    let security: Vec<Value> = security.map(|(system, code)| json!({"system": system, "code": code})).collect();
    json!({
        "source": recipient.source,
        "security": security,
        "tag": [{"system": US_CORE_TAGS, "code": "patient-supplied"}],
    })
}

/// The patient, and the one practitioner whom it is addressed to, if it is.
fn participants(recipient: Recipient<'_>, answer: &str) -> Value {
    let patient = json!({
        "actor": {"reference": format!("Patient/{}", recipient.patient)},
        "required": "required",
        "status": answer,
    });
    let named = recipient.practitioner.map(|named| {
        json!({
            "actor": {"reference": format!("Practitioner/{}", named.id), "display": named.display},
            "required": "information-only",
            "status": "needs-action",
        })
    });
    Value::from([Some(patient), named].into_iter().flatten().collect::<Vec<_>>())
}

/// A remote visit, held there. The address is said as R5's `additionalInfo`, a plain url in that package; its `address` is one with
/// parts of a contact.
pub(super) fn virtual_service(room: &Url) -> Value {
    json!({
        "url": VIRTUAL_SERVICE,
        "extension": [
            {"url": "_datatype", "valueString": "VirtualServiceDetail"},
            {"url": "additionalInfo", "valueUrl": room.as_str()},
        ],
    })
}

pub(super) fn concept(system: &str, code: &str, display: &str) -> Value {
    json!({"coding": [{"system": system, "code": code, "display": display}]})
}
