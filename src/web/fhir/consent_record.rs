//! The consents of a patient towards a clinic, as resources: every version of every grant.

use jiff::Timestamp;
use serde_json::Value;
use url::Url;
use uuid::Uuid;

use super::Outcome;
use super::bundle::Found;
use crate::delivery::ehr::with_slash;
use crate::domain::ids::{ClinicId, GrantId, MemberId};
use crate::enrolment::join::linked_patient;
use crate::pipeline::consent::{ConsentError, Version, as_resource, version, versions};
use crate::store::Tx;
use crate::web::{Problem, State};

/// The consents of a member towards a clinic, where they are the Patient with this id.
pub async fn consents_for(
    state: &State,
    tx: &mut Tx,
    (clinic, member): (&ClinicId, MemberId),
    patient: &str,
    now: Timestamp,
) -> Result<Vec<Found>, Outcome> {
    let versions = versions(&state.bridge, tx, member).await?;
    let towards = versions.iter().filter(|version| version.grant.clinic == *clinic);
    let mut consents = Vec::new();
    for version in towards {
        consents.extend(found(state, version, patient, now)?);
    }
    Ok(consents)
}

/// The consent with this id, if it is one towards this clinic, of somebody who is still its patient; and who that is.
pub async fn consent_named(
    state: &State,
    tx: &mut Tx,
    clinic: &ClinicId,
    id: &str,
    now: Timestamp,
) -> Result<Option<(MemberId, Found)>, Outcome> {
    let Some((grant, number)) = read_id(id) else { return Ok(None) };
    let Some(grant) = tx.grant_at(clinic, grant, number).await? else { return Ok(None) };
    let member = grant.member;
    let patient = linked_patient(tx, &state.bridge.keyring, member, clinic).await;
    let Some(patient) = patient.map_err(|error| Problem::internal(&error))? else { return Ok(None) };
    let version = version(&state.bridge, tx, grant).await?;
    Ok(found(state, &version, &patient, now)?.map(|found| (member, found)))
}

fn found(state: &State, version: &Version, patient: &str, now: Timestamp) -> Result<Option<Found>, Outcome> {
    let grant = &version.grant;
    let Some(mut resource) = as_resource(&state.bridge, version, patient, now)? else { return Ok(None) };
    let id = format!("{}-{}", grant.id.0.simple(), grant.version);
    if let Some(resource) = resource.as_object_mut() {
        resource.insert("id".to_owned(), id.as_str().into());
    }
    made_absolute(&mut resource, state.fhir.ehr_of(&grant.clinic)?);
    Ok(Some(Found { at: grant.created_at, id, resource }))
}

/// The names of versions: the grant's id and the number of the version.
fn read_id(id: &str) -> Option<(GrantId, i32)> {
    let (grant, version) = id.split_once('-')?;
    let read = (GrantId(Uuid::try_parse(grant).ok()?), version.parse().ok()?);
    // One name for one thing.
    (id == format!("{}-{}", read.0.0.simple(), read.1)).then_some(read)
}

/// What stands in the clinic's own EHR is not here: references to it say where it is.
fn made_absolute(value: &mut Value, ehr: &Url) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get_mut("reference")
                && ["Patient/", "Practitioner/"].iter().any(|kind| reference.starts_with(kind))
            {
                *reference = format!("{}{reference}", with_slash(ehr));
            }
            members.values_mut().for_each(|value| made_absolute(value, ehr));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| made_absolute(value, ehr)),
        _ => {}
    }
}

impl From<ConsentError> for Outcome {
    fn from(error: ConsentError) -> Self {
        Problem::internal(&error).into()
    }
}
