//! Diary note → Observation with the text as its value.

use fhir_codec::BuilderError;
use fhir_codec::resources::ObservationValue;

use super::codes::MOSTIK;
use super::element::{coding, concept};
use super::envelope::Body;

/// The part of the Observation that is about the note.
pub fn body(text: &str) -> Result<Body, BuilderError> {
    words("diary-note", "Diary note", "Diary note, written by the patient", text)
}

/// The same of what the patient wants to talk about: for their own archive, as clinics get it on pages only.
pub fn agenda(text: &str) -> Result<Body, BuilderError> {
    words("agenda", "What to talk about", "What the patient wants to talk about", text)
}

fn words(code: &str, display: &str, meaning: &str, text: &str) -> Result<Body, BuilderError> {
    let code = concept(vec![coding(MOSTIK, code, Some(display))?], Some(meaning))?;
    // A string is not empty (R4, datatypes).
    let value = Some(text).filter(|text| !text.is_empty()).unwrap_or("–");
    Ok(Body::survey(code, Some(ObservationValue::String(value.to_owned())), Vec::new()))
}
