//! `ServiceRequest`: something that was ordered for a patient (R4, servicerequest.html).

use serde_json::Value;

use super::field::{concept, is_not_to_be_done, name, period, text_at, when};
use super::{Common, NoAdvice, text};
use crate::domain::advice::{Advice, Standing};
use crate::domain::recommendation::RecommendationKind;

/// Reads an order that speaks to its patient, or that they are to carry out themselves. Any other is for the clinic.
pub fn read(common: &Common<'_>) -> Result<Advice, NoAdvice> {
    let order = common.resource;
    let patient = common.patient("/subject/reference")?;
    let is_theirs = order.get("performer").is_some_and(|performer| common.names(performer, patient));
    let instruction = text_at(order, "/patientInstruction").map(text::tidy);
    if !is_theirs && instruction.is_none() {
        return Err(NoAdvice::NotForThem);
    }
    let mut says = common.says();
    says.text = text::paragraphs([concept(order, "/code"), instruction]);
    says.by = name(order, "/requester");
    says.authored = when(order, "/authoredOn");
    (says.from, says.until) = period(order, "occurrence");
    match is_not_to_be_done(order, "/doNotPerform") {
        Some(is_not) => says.is_not_to_be_done = is_not,
        None => says.is_unclear = true,
    }
    says.is_actionable = is_theirs && !says.is_not_to_be_done;
    Ok(common.advice(RecommendationKind::ServiceRequest, standing(order), patient, says))
}

/// How it stands (R4, request-status). What is only thought of is none for the patient yet.
fn standing(order: &Value) -> Option<Standing> {
    Some(match text_at(order, "/status")? {
        "active" if text_at(order, "/intent") == Some("option") => Standing::Withdrawn,
        "active" => Standing::Open,
        "completed" => Standing::Done,
        "draft" | "on-hold" | "revoked" | "entered-in-error" => Standing::Withdrawn,
        _ => return None,
    })
}
