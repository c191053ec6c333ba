//! `CommunicationRequest` and `Communication`: what is to be said, or was said, to a patient (R4).

use serde_json::Value;

use super::field::{is_not_to_be_done, name, period, text_at, when};
use super::{Common, NoAdvice, text};
use crate::domain::advice::{Advice, Standing};
use crate::domain::recommendation::RecommendationKind;

/// Reads what is to be said to a patient.
pub fn request(common: &Common<'_>) -> Result<Advice, NoAdvice> {
    let request = common.resource;
    let patient = for_patient(common)?;
    let mut says = common.says();
    says.text = text::of_payloads(request);
    says.by = name(request, "/requester").or_else(|| name(request, "/sender"));
    says.authored = when(request, "/authoredOn");
    (says.from, says.until) = period(request, "occurrence");
    // That something is not to be said is nothing to say.
    let is_meant = is_not_to_be_done(request, "/doNotPerform").map(|is_not| !is_not);
    let standing = match (text_at(request, "/status"), is_meant) {
        (Some("active" | "completed"), Some(true)) => Some(Standing::Open),
        (Some("draft" | "on-hold" | "revoked" | "entered-in-error"), _) | (_, Some(false)) => Some(Standing::Withdrawn),
        _ => None,
    };
    Ok(common.advice(RecommendationKind::CommunicationRequest, standing, patient, says))
}

/// Reads what was said to a patient.
pub fn said(common: &Common<'_>) -> Result<Advice, NoAdvice> {
    let message = common.resource;
    let patient = for_patient(common)?;
    let mut says = common.says();
    says.text = text::of_payloads(message);
    says.by = name(message, "/sender");
    says.authored = when(message, "/sent");
    let standing = match text_at(message, "/status") {
        Some("completed" | "in-progress") => Some(Standing::Open),
        Some("preparation" | "not-done" | "on-hold" | "stopped" | "entered-in-error") => Some(Standing::Withdrawn),
        _ => None,
    };
    Ok(common.advice(RecommendationKind::Communication, standing, patient, says))
}

/// The Patient whom it is about, where they are among its recipients and do not say it themselves.
fn for_patient<'a>(common: &Common<'a>) -> Result<&'a str, NoAdvice> {
    let patient = common.patient("/subject/reference")?;
    let nobody = Value::Null;
    let of = |element: &str| common.resource.get(element).unwrap_or(&nobody);
    if common.names(of("recipient"), patient) && !common.names(of("sender"), patient) {
        Ok(patient)
    } else {
        Err(NoAdvice::NotForThem)
    }
}
