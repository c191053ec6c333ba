//! An entry of the audit log → `AuditEvent`, in the patterns of IHE BALP 1.1.5 where there is one for it.
//!
//! What goes to a clinic is told twice, as BALP wants it: once as the act of REST that it was, once as the disclosure
//! that it means. Where BALP asks for what nobody knows (the network address of a member's phone), no pattern is claimed.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::codes::{ACT_REASON, IDENTIFIER};
use crate::domain::audit::{
    ClinicAccess, ClinicRefusal, ConsentState, Decision, Disclosure, Event, ModeratorAt, ModeratorDone, Permitted,
    StaffAt, StaffDone, StaffOffered, StaffPublished, StaffRetracted, WarningCleared, WarningDecided, Whereabouts,
};
use crate::domain::delivery::Operation;
use crate::domain::ids::{ClinicId, GrantId};
use crate::domain::warning::{Decided, WarningPurpose};

const BALP: &str = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.";
const AUTHZ_SUBTYPE: &str = "https://profiles.ihe.net/ITI/BALP/CodeSystem/AuthZsubType";
const BALP_ENTITY: &str = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType";
const DCM: &str = "http://dicom.nema.org/resources/ontology/DCM";
const SCT: &str = "http://snomed.info/sct";
const EVENT_TYPE: &str = "http://terminology.hl7.org/CodeSystem/audit-event-type";
const LIFECYCLE: &str = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle";
const ENTITY_TYPE: &str = "http://terminology.hl7.org/CodeSystem/audit-entity-type";
const OBJECT_ROLE: &str = "http://terminology.hl7.org/CodeSystem/object-role";
const SOURCE_TYPE: &str = "http://terminology.hl7.org/CodeSystem/security-source-type";
const INTERACTION: &str = "http://hl7.org/fhir/restful-interaction";
const RESOURCE_TYPES: &str = "http://hl7.org/fhir/resource-types";

/// The words of the log that BALP has no pattern for (`schemas/fhir/CodeSystem-mostik-audit.json`).
pub const MOSTIK_AUDIT: &str = "https://w3id.org/mostik/fhir/CodeSystem/mostik-audit";

/// The network access point is a URI (R4, network-type).
const URI: &str = "5";

/// Who took part, as far as it is known.
#[derive(Clone, Copy)]
pub struct Cast<'a> {
    /// This installation: a URI.
    pub source: &'a str,
    /// Where it is reached.
    pub url: &'a str,
    /// The clinic.
    pub clinic: Option<&'a ClinicId>,
    /// The clinic's name, for people.
    pub clinic_name: Option<&'a str>,
    /// The clinic's FHIR endpoint, with a slash at its end.
    pub ehr: Option<&'a str>,
    /// The member's Patient there. Personal.
    pub patient: Option<&'a str>,
}

/// The `AuditEvent`s that tell of something that happened at `at`: without ids, which are the caller's.
#[must_use]
pub fn audit_events(event: &Event, at: Timestamp, whereabouts: Option<&Whereabouts>, cast: Cast<'_>) -> Vec<Value> {
    match event {
        Event::Disclosed(disclosure) => {
            vec![act(disclosure, at, whereabouts, cast), disclosed(disclosure, at, whereabouts, cast)]
        }
        Event::Decision(decision) => decided(decision, at, cast),
        Event::ConsentGranted(consent) => vec![consented("create", "C", event, consent, at, cast)],
        Event::ConsentChanged(consent)
        | Event::ConsentPaused(consent)
        | Event::ConsentResumed(consent)
        | Event::ConsentRevoked(consent)
        | Event::ConsentExpired(consent) => vec![consented("update", "U", event, consent, at, cast)],
        Event::ClinicAccess(access) => vec![accessed(access, at, cast)],
        Event::ClinicRefused(refusal) => vec![refused(event, refusal, at, cast)],
        _ => vec![other(event, at, cast)],
    }
}

/// A create or an update at the clinic's EHR (BALP, `PatientCreate` and `PatientUpdate`).
fn act(disclosure: &Disclosure, at: Timestamp, whereabouts: Option<&Whereabouts>, cast: Cast<'_>) -> Value {
    let (profile, interaction, action) = match disclosure.operation {
        Operation::Create => ("PatientCreate", "create", "C"),
        Operation::Correct | Operation::Retract => ("PatientUpdate", "update", "U"),
    };
    let mut event = frame(at, action, cast);
    profiled_at_ehr(&mut event, profile, cast);
    set(&mut event, "type", coding(EVENT_TYPE, "rest", "RESTful Operation"));
    set(&mut event, "subtype", json!([coding(INTERACTION, interaction, interaction)]));
    let of_whom = match disclosure.purpose {
        None => patient(cast),
        // Not at the patient's word: somebody here decided so.
        Some(purpose) => {
            set(&mut event, "purposeOfEvent", json!([warned_for(purpose)]));
            bridge(cast)
        }
    };
    set(
        &mut event,
        "agent",
        json!([
            agent("110153", "Source Role ID", &bridge(cast), Some(cast.url), false),
            agent("110152", "Destination Role ID", &clinic(cast), cast.ehr, false),
            {"type": concept("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "AUT", "author (originator)"),
             "who": of_whom, "requestor": true},
        ]),
    );
    set(&mut event, "entity", json!([patient_entity(cast), data_entity(disclosure, whereabouts, cast)]));
    event
}

/// The disclosure that it means (BALP, `PrivacyDisclosure.Source`), under the consent that allows it, or for a purpose
/// that needs none.
fn disclosed(disclosure: &Disclosure, at: Timestamp, whereabouts: Option<&Whereabouts>, cast: Cast<'_>) -> Value {
    let mut event = frame(at, "R", cast);
    profiled_at_ehr(&mut event, "PrivacyDisclosure.Source", cast);
    set(&mut event, "type", coding(DCM, "110106", "Export"));
    set(&mut event, "subtype", json!([coding(LIFECYCLE, "disclose", "Disclose Record Lifecycle Event")]));
    let purpose = disclosure.purpose.map_or_else(|| concept(ACT_REASON, "TREAT", "treatment"), warned_for);
    set(&mut event, "purposeOfEvent", json!([purpose]));
    let mut source = agent("110153", "Source Role ID", &bridge(cast), Some(cast.url), disclosure.purpose.is_some());
    let mut destination = agent("110152", "Destination Role ID", &clinic(cast), cast.ehr, false);
    for agent in [&mut source, &mut destination].into_iter().filter(|_| disclosure.purpose.is_some()) {
        set(agent, "purposeOfUse", json!([purpose]));
    }
    let mut agents = vec![source, destination];
    // Who wanted it: nobody but the patient consents; where nobody did, the bridge speaks for whoever decided so.
    if disclosure.purpose.is_none() {
        agents.push(
            json!({"type": concept(SCT, "429577009", "Patient Advocate"), "who": patient(cast), "requestor": true}),
        );
    }
    set(&mut event, "agent", json!(agents));
    let mut entities = vec![patient_entity(cast), data_entity(disclosure, whereabouts, cast)];
    entities.extend(disclosure.grant.map(|grant| consent_entity(grant, disclosure.version)));
    set(&mut event, "entity", json!(entities));
    event
}

/// What a clinic is warned for.
fn warned_for(purpose: WarningPurpose) -> Value {
    concept(ACT_REASON, purpose.as_str(), purpose.display())
}

/// What was decided (BALP, `AuthZconsent`): one for what may go under each version of a consent, one for what may not.
fn decided(decision: &Decision, at: Timestamp, cast: Cast<'_>) -> Vec<Value> {
    let permitted = decision.permitted.iter().map(|permitted| {
        let Permitted { grant, version, .. } = permitted;
        authorized(at, &consent_entity(*grant, Some(*version)), cast)
    });
    let mut events: Vec<Value> = permitted.collect();
    if !decision.denied.is_empty() {
        let reasons: Vec<String> = decision.denied.iter().map(|(reason, count)| format!("{reason}: {count}")).collect();
        let none = json!({"type": coding(RESOURCE_TYPES, "Consent", "Consent"),
                          "what": {"type": "Consent", "display": "No consent covers it."}});
        let mut event = authorized(at, &none, cast);
        set(&mut event, "outcome", json!("8"));
        set(&mut event, "outcomeDesc", json!(reasons.join(", ")));
        events.push(event);
    }
    events
}

fn authorized(at: Timestamp, consent: &Value, cast: Cast<'_>) -> Value {
    let mut event = frame(at, "E", cast);
    profiled(&mut event, "AuthZconsent");
    set(&mut event, "type", coding(DCM, "110113", "Security Alert"));
    set(
        &mut event,
        "subtype",
        json!([coding(AUTHZ_SUBTYPE, "AuthZ-Consent", "Authorization Decision using Roles and Consent")]),
    );
    set(&mut event, "purposeOfEvent", json!([concept(ACT_REASON, "TREAT", "treatment")]));
    set(
        &mut event,
        "agent",
        json!([
            {"type": concept(DCM, "110150", "Application"), "who": bridge(cast), "requestor": false,
             "network": {"address": cast.url, "type": URI}},
            {"type": concept("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP", "information recipient"),
             "who": clinic(cast), "requestor": true},
            {"type": concept("http://terminology.hl7.org/CodeSystem/v3-RoleClass", "PROV", "healthcare provider"),
             "who": clinic(cast), "requestor": false},
            {"type": concept("http://terminology.hl7.org/CodeSystem/extra-security-role-type", "authserver", "authorization server"),
             "who": bridge(cast), "requestor": false},
        ]),
    );
    set(&mut event, "entity", json!([patient_entity(cast), consent]));
    event
}

/// A change of consent, by the member.
fn consented(
    interaction: &str,
    action: &str,
    event: &Event,
    consent: &ConsentState,
    at: Timestamp,
    cast: Cast<'_>,
) -> Value {
    let mut told = frame(at, action, cast);
    set(&mut told, "type", coding(EVENT_TYPE, "rest", "RESTful Operation"));
    set(&mut told, "subtype", json!([coding(INTERACTION, interaction, interaction), own(event)]));
    set(&mut told, "agent", json!([{"who": patient(cast), "requestor": true}]));
    set(&mut told, "entity", json!([patient_entity(cast), consent_entity(consent.grant, Some(consent.version))]));
    told
}

/// What somebody at the clinic read here, or had done.
fn accessed(access: &ClinicAccess, at: Timestamp, cast: Cast<'_>) -> Value {
    let is_read = access.interaction == "read";
    let mut event = frame(at, if is_read { "R" } else { "E" }, cast);
    set(&mut event, "type", coding(EVENT_TYPE, "rest", "RESTful Operation"));
    set(&mut event, "subtype", json!([coding(INTERACTION, &access.interaction, &access.interaction)]));
    let who = json!({"identifier": {"value": access.client}, "display": cast.clinic_name.unwrap_or_default()});
    set(&mut event, "agent", json!([{"who": who, "requestor": true}, {"who": bridge(cast), "requestor": false}]));
    let mut entities = vec![
        patient_entity(cast),
        json!({"type": coding(RESOURCE_TYPES, &access.resource_type, &access.resource_type), "what": patient(cast)}),
    ];
    if let Some(request) = &access.request {
        entities.push(request_entity(request));
    }
    set(&mut event, "entity", json!(entities));
    event
}

/// Whom it sent away here.
fn refused(event: &Event, refusal: &ClinicRefusal, at: Timestamp, cast: Cast<'_>) -> Value {
    let mut told = frame(at, "E", cast);
    set(&mut told, "type", coding(EVENT_TYPE, "rest", "RESTful Operation"));
    set(&mut told, "subtype", json!([own(event)]));
    set(&mut told, "outcome", json!("4"));
    let others =
        if refusal.unwritten > 0 { format!(", and {} more before it", refusal.unwritten) } else { String::new() };
    set(&mut told, "outcomeDesc", json!(format!("{} at {}{others}", refusal.why, refusal.route)));
    let who = match (&refusal.client, cast.clinic_name) {
        (Some(client), name) => json!({"identifier": {"value": client}, "display": name.unwrap_or_default()}),
        (None, Some(name)) => json!({"display": format!("Somebody who says that they are {name}")}),
        (None, None) => json!({"display": "Somebody who did not say who they are"}),
    };
    set(&mut told, "agent", json!([{"who": who, "requestor": true}, {"who": bridge(cast), "requestor": false}]));
    if let Some(request) = &refusal.request {
        set(&mut told, "entity", json!([request_entity(request)]));
    }
    told
}

/// The request's own id (BALP, `BasicAuditEntityType`).
fn request_entity(id: &str) -> Value {
    json!({"type": {"system": BALP_ENTITY, "code": "XrequestId"}, "what": {"identifier": {"value": id}}})
}

/// Whatever else happened in the house.
fn other(event: &Event, at: Timestamp, cast: Cast<'_>) -> Value {
    let mut told = frame(at, "E", cast);
    set(&mut told, "type", coding(DCM, "110100", "Application Activity"));
    set(&mut told, "subtype", json!([own(event)]));
    if let Event::WarningDecided(WarningDecided { purpose, .. })
    | Event::WarningCleared(WarningCleared { decided: Decided { purpose, .. }, .. }) = event
    {
        set(&mut told, "purposeOfEvent", json!([warned_for(*purpose)]));
    }
    let who = match event {
        Event::OperatorAccess(access) => {
            Some(json!({"identifier": {"value": format!("uid {}", access.uid)}, "display": access.command}))
        }
        Event::StaffSignedIn(StaffAt { staff })
        | Event::StaffSignedOut(StaffAt { staff })
        | Event::StaffSaw(StaffDone { staff, .. })
        | Event::StaffDecided(StaffDone { staff, .. })
        | Event::StaffOffered(StaffOffered { staff, .. })
        | Event::MaterialPublished(StaffPublished { staff, .. })
        | Event::MaterialRetracted(StaffRetracted { staff, .. }) => {
            Some(json!({"identifier": {"value": staff}, "display": cast.clinic_name.unwrap_or_default()}))
        }
        Event::ModeratorSignedIn(ModeratorAt { staff, community, .. })
        | Event::ModeratorSignedOut(ModeratorAt { staff, community, .. })
        | Event::ModeratorDid(ModeratorDone { staff, community, .. }) => {
            Some(json!({"identifier": {"value": staff}, "display": community}))
        }
        _ => None,
    };
    set(
        &mut told,
        "agent",
        match who {
            Some(who) => json!([{"who": who, "requestor": true}]),
            None => json!([{"who": bridge(cast), "requestor": true}]),
        },
    );
    if cast.patient.is_some() {
        set(&mut told, "entity", json!([patient_entity(cast)]));
    }
    told
}

fn frame(at: Timestamp, action: &str, cast: Cast<'_>) -> Value {
    json!({
        "resourceType": "AuditEvent",
        "type": null,
        "action": action,
        "recorded": at.to_string(),
        "outcome": "0",
        "source": {"observer": bridge(cast), "type": [coding(SOURCE_TYPE, "4", "Application Server")]},
    })
}

/// Claims a pattern that wants to know where the clinic's EHR is. Of a clinic that is not in the settings any more, nobody
/// knows.
fn profiled_at_ehr(event: &mut Value, profile: &str, cast: Cast<'_>) {
    if cast.ehr.is_some() {
        profiled(event, profile);
    }
}

fn profiled(event: &mut Value, profile: &str) {
    set(event, "meta", json!({"profile": [format!("{BALP}{profile}")]}));
}

/// Nothing happens to what is no object.
fn set(object: &mut Value, name: &str, value: Value) {
    if let Value::Object(members) = object {
        members.insert(name.to_owned(), value);
    }
}

fn own(event: &Event) -> Value {
    json!({"system": MOSTIK_AUDIT, "code": event.kind()})
}

fn coding(system: &str, code: &str, display: &str) -> Value {
    json!({"system": system, "code": code, "display": display})
}

fn concept(system: &str, code: &str, display: &str) -> Value {
    json!({"coding": [coding(system, code, display)]})
}

fn agent(code: &str, display: &str, who: &Value, address: Option<&str>, requestor: bool) -> Value {
    let mut agent = Map::new();
    agent.insert("type".to_owned(), concept(DCM, code, display));
    agent.insert("who".to_owned(), who.clone());
    agent.insert("requestor".to_owned(), json!(requestor));
    if let Some(address) = address {
        agent.insert("network".to_owned(), json!({"address": address, "type": URI}));
    }
    Value::Object(agent)
}

/// This installation, by its own URI.
fn bridge(cast: Cast<'_>) -> Value {
    json!({"identifier": {"system": "urn:ietf:rfc:3986", "value": cast.source}, "display": "mostik"})
}

fn clinic(cast: Cast<'_>) -> Value {
    let id = cast.clinic.map_or("unknown", ClinicId::as_str);
    json!({"type": "Organization", "identifier": {"value": id}, "display": cast.clinic_name.unwrap_or(id)})
}

/// The member as the clinic knows them; without a name where that was erased.
fn patient(cast: Cast<'_>) -> Value {
    match cast.patient {
        Some(id) => json!({"reference": format!("{}Patient/{id}", cast.ehr.unwrap_or_default())}),
        None => json!({"type": "Patient", "display": "Not known here any more"}),
    }
}

fn patient_entity(cast: Cast<'_>) -> Value {
    json!({"what": patient(cast), "type": coding(ENTITY_TYPE, "1", "Person"), "role": coding(OBJECT_ROLE, "1", "Patient")})
}

fn data_entity(disclosure: &Disclosure, whereabouts: Option<&Whereabouts>, cast: Cast<'_>) -> Value {
    let kind = &disclosure.resource_type;
    let mut what = json!({"type": kind, "identifier": {"system": IDENTIFIER, "value": disclosure.identifier}});
    if let Some(id) = whereabouts.and_then(|there| there.id.as_deref()) {
        set(&mut what, "reference", json!(format!("{}{kind}/{id}", cast.ehr.unwrap_or_default())));
    }
    json!({"what": what, "type": coding(ENTITY_TYPE, "2", "System Object"),
           "role": coding(OBJECT_ROLE, "4", "Domain Resource")})
}

fn consent_entity(grant: GrantId, version: Option<i32>) -> Value {
    let identifier = json!({"system": "urn:ietf:rfc:3986", "value": format!("urn:uuid:{grant}")});
    let mut entity = json!({"what": {"type": "Consent", "identifier": identifier},
                            "type": coding(RESOURCE_TYPES, "Consent", "Consent")});
    if let Some(version) = version {
        set(&mut entity, "detail", json!([{"type": "version", "valueString": version.to_string()}]));
    }
    entity
}
