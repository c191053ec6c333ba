//! The consents of a patient towards a clinic, as resources: every version of every grant.

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Outcome;
use super::bundle::{Found, instant};
use super::patient::address;
use crate::domain::grant::{Grant, GrantState};
use crate::domain::ids::{ClinicId, GrantId, MemberId};
use crate::enrolment::join::linked_patient;
use crate::store::Tx;
use crate::web::{Problem, State};

/// The consents of a member towards a clinic, where `patient` is the address of their Patient.
pub async fn consents_for(
    state: &State,
    tx: &mut Tx,
    clinic: &ClinicId,
    member: MemberId,
    patient: &str,
    now: Timestamp,
) -> Result<Vec<Found>, Outcome> {
    let grants = tx.grant_history(member).await?;
    let towards = grants.into_iter().filter(|grant| grant.clinic == *clinic);
    Ok(towards.map(|grant| found(state, &grant, patient, now)).collect())
}

/// The consent with this id, if it is one towards this clinic, of somebody who is still its patient.
pub async fn consent_named(
    state: &State,
    tx: &mut Tx,
    clinic: &ClinicId,
    id: &str,
    now: Timestamp,
) -> Result<Option<Found>, Outcome> {
    let Some((grant, version)) = read_id(id) else { return Ok(None) };
    let Some(grant) = tx.grant_at(clinic, grant, version).await? else { return Ok(None) };
    let patient = linked_patient(tx, &state.bridge.keyring, grant.member, clinic).await;
    let Some(patient) = patient.map_err(|error| Problem::internal(&error))? else { return Ok(None) };
    Ok(Some(found(state, &grant, &address(&patient, state.fhir.ehr_of(clinic)?), now)))
}

fn found(state: &State, grant: &Grant, patient: &str, now: Timestamp) -> Found {
    let id = format!("{}-{}", grant.id.0.simple(), grant.version);
    let resource = consent(state, grant, &id, patient, now);
    Found { at: grant.created_at, id, resource }
}

fn read_id(id: &str) -> Option<(GrantId, i32)> {
    let (grant, version) = id.split_once('-')?;
    let read = (GrantId(Uuid::try_parse(grant).ok()?), version.parse().ok()?);
    // One name for one thing.
    (id == format!("{}-{}", read.0.0.simple(), read.1)).then_some(read)
}

fn consent(state: &State, grant: &Grant, id: &str, patient: &str, now: Timestamp) -> Value {
    let in_force = grant.state == GrantState::Active && now < grant.terms.valid_until;
    let clinic = state.fhir.name_of(&grant.clinic);
    json!({
        "resourceType": "Consent",
        "id": id,
        "status": if in_force { "active" } else { "inactive" },
        "scope": { "coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/consentscope",
            "code": "patient-privacy",
        }] },
        "category": [{ "coding": [{ "system": "http://loinc.org", "code": "59284-0" }] }],
        "patient": { "reference": patient },
        "dateTime": instant(grant.created_at),
        "performer": [{ "reference": patient }],
        "organization": [{ "display": clinic }],
        "policy": [{ "uri": "https://profiles.ihe.net/ITI/PCF/Policy-deny" }],
        "provision": {
            "type": "permit",
            "period": { "start": instant(grant.terms.valid_from), "end": instant(grant.terms.valid_until) },
        },
    })
}
