//! Whom a clinic's system asks about, and the entry in the audit log that it did: in the same transaction, so that nothing
//! is given that is not written down.

use jiff::Timestamp;

use super::Outcome;
use super::caller::ClinicCaller;
use crate::domain::audit::{Chain, ClinicAccess, Event};
use crate::domain::ids::MemberId;
use crate::enrolment::join::patient_index;
use crate::store::Tx;
use crate::web::{RequestId, State};

/// An interaction with a type of resource, as FHIR names both.
#[derive(Clone, Copy, Debug)]
pub struct Interaction {
    /// `read`, `search-type`
    pub name: &'static str,
    /// Such as `Consent`.
    pub resource_type: &'static str,
}

/// The member who is this Patient of the calling clinic, if there is one.
pub async fn whose(
    state: &State,
    tx: &mut Tx,
    caller: &ClinicCaller,
    patient: Option<&str>,
) -> Result<Option<MemberId>, Outcome> {
    let Some(patient) = patient else { return Ok(None) };
    let index = patient_index(&state.bridge.keyring, &caller.clinic, patient);
    Ok(tx.member_by_patient(&caller.clinic, index).await?)
}

/// Notes that the caller read, about this member or about nobody who is known; written when the transaction commits.
pub fn note(
    tx: &mut Tx,
    caller: &ClinicCaller,
    member: Option<MemberId>,
    interaction: Interaction,
    request: RequestId,
    now: Timestamp,
) {
    let clinic = &caller.clinic;
    let chain = member.map_or_else(|| Chain::of_clinic(clinic), |member| Chain::between(clinic, member));
    let access = ClinicAccess {
        interaction: interaction.name.to_owned(),
        resource_type: interaction.resource_type.to_owned(),
        client: caller.client_id.clone(),
        request: Some(request.0),
    };
    tx.record(chain, now, Event::ClinicAccess(access));
}
