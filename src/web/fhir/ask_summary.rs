//! `POST /fhir/Patient/{id}/$ask-summary`: a clinic asks for the one-page summary of a patient, as before a visit.
//!
//! Whoever is asked about, the answer is the same: whether somebody is known here, and whether they share anything, is not
//! told in this way. What they share goes where it always goes, into the clinic's record.

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, post};
use serde_json::json;

use super::access::{Interaction, note, whose};
use super::caller::ClinicCaller;
use super::{FHIR_JSON, Outcome};
use crate::insight::page::ask;
use crate::web::{Problem, RequestId, State};

const ASK: Interaction = Interaction { name: "operation", resource_type: "Patient" };

/// Asks for the summary of a patient. If they share something, it is in the clinic's record soon after, as a
/// `DocumentReference`; the same page is not sent twice.
#[utoipa::path(
    tag = "clinics",
    security(("clinic_token" = ["system/DocumentReference.c"])),
    params(("id" = String, Path, description = "The Patient's id in the clinic's own record")),
    responses((
        status = 202,
        description = "Asked, whoever it is about",
        body = Value,
        content_type = "application/fhir+json",
    )),
)]
#[post("/fhir/Patient/{id}/$ask-summary")]
pub async fn ask_summary(
    state: Data<State>,
    caller: ClinicCaller,
    patient: Path<String>,
    id: RequestId,
) -> Result<HttpResponse, Outcome> {
    caller.check("DocumentReference", 'c')?;
    let mut tx = state.bridge.store.begin().await?;
    let member = whose(&state, &mut tx, &caller, Some(patient.as_str())).await?;
    note(&mut tx, &caller, member, ASK, id, state.bridge.clock.now());
    tx.commit().await?;
    if let Some(member) = member {
        ask(&state.bridge, member, &caller.clinic).await.map_err(Problem::from)?;
    }
    let words = "Asked. Whatever this patient shares with you now is in your record soon, as a DocumentReference.";
    let outcome = json!({
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "information", "code": "informational", "diagnostics": words}],
    });
    Ok(HttpResponse::Accepted().content_type(FHIR_JSON).body(outcome.to_string()))
}
