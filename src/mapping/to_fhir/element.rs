//! Small FHIR elements, built the same way everywhere.

use fhir_codec::BuilderError;
use fhir_codec::resources::{ObservationComponent, ObservationComponentValue};
use fhir_codec::types::{CodeableConcept, Coding, Quantity, Reference};

use super::codes::{MOSTIK, UCUM};

/// A code with what it means, for people.
pub fn coding(system: &str, code: &str, display: Option<&str>) -> Result<Coding, BuilderError> {
    let builder = Coding::builder().system(system.to_owned()).code(code.to_owned());
    match display {
        Some(display) => builder.display(display.to_owned()).build(),
        None => builder.build(),
    }
}

/// A concept of one code; `text` says it in words even where the code is unknown.
pub fn concept(codings: Vec<Coding>, text: Option<&str>) -> Result<CodeableConcept, BuilderError> {
    let builder = CodeableConcept::builder().coding(codings.into_iter().map(Some).collect());
    match text {
        Some(text) => builder.text(text.to_owned()).build(),
        None => builder.build(),
    }
}

/// A score: a number without a dimension (UCUM annotation `{score}`).
pub fn score(value: f64) -> Result<Quantity, BuilderError> {
    quantity(value, "{score}")
}

/// A quantity whose unit is its UCUM code.
pub fn quantity(value: f64, unit: &str) -> Result<Quantity, BuilderError> {
    Quantity::builder().value(value).unit(unit.to_owned()).system(UCUM.to_owned()).code(unit.to_owned()).build()
}

/// A part of an observation under one of the bridge's own codes.
pub fn own_component(
    code: &str,
    display: &str,
    value: ObservationComponentValue,
) -> Result<ObservationComponent, BuilderError> {
    component(coding(MOSTIK, code, Some(display))?, value)
}

/// A part of an observation.
pub fn component(code: Coding, value: ObservationComponentValue) -> Result<ObservationComponent, BuilderError> {
    ObservationComponent::builder().code(concept(vec![code], None)?).value(value).build()
}

/// A part of an observation, with what it is in words.
pub fn component_as(
    code: Coding,
    words: &str,
    value: ObservationComponentValue,
) -> Result<ObservationComponent, BuilderError> {
    ObservationComponent::builder().code(concept(vec![code], Some(words))?).value(value).build()
}

/// A value that is a code.
pub fn coded(system: &str, code: &str) -> Result<ObservationComponentValue, BuilderError> {
    Ok(ObservationComponentValue::CodeableConcept(concept(vec![coding(system, code, None)?], None)?))
}

/// A reference to the member's Patient.
pub fn patient(id: &str) -> Result<Reference, BuilderError> {
    Reference::builder().reference(format!("Patient/{id}")).build()
}
