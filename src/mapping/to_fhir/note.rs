//! Diary note → Observation with the text as its value.

use fhir_codec::BuilderError;
use fhir_codec::resources::ObservationValue;

use super::codes::MOSTIK;
use super::element::{coding, concept};
use super::envelope::Body;

/// The part of the Observation that is about the note.
pub fn body(text: &str) -> Result<Body, BuilderError> {
    let code = coding(MOSTIK, "diary-note", Some("Diary note"))?;
    let code = concept(vec![code], Some("Diary note, written by the patient"))?;
    Ok(Body::survey(code, Some(ObservationValue::String(text.to_owned())), Vec::new()))
}
