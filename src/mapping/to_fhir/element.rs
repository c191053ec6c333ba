//! Small FHIR elements, built the same way everywhere.
//!
//! A builder moves the whole of its element, some hundred bytes, at each call: it gets what is mandatory, and the rest is set on
//! what it built. That takes a quarter off the time of a mapper (`benches/mapping.rs`).

use fhir_codec::BuilderError;
use fhir_codec::resources::{ObservationComponent, ObservationComponentValue};
use fhir_codec::types::{CodeableConcept, Coding, Identifier, Quantity, Reference};

use super::codes::{MOSTIK, UCUM};

/// A code with what it means, for people.
pub fn coding(system: &str, code: &str, display: Option<&str>) -> Result<Coding, BuilderError> {
    let mut coding = Coding::builder().build()?;
    coding.system = Some(system.to_owned());
    coding.code = Some(code.to_owned());
    coding.display = display.map(str::to_owned);
    Ok(coding)
}

/// A concept of one code; `text` says it in words even where the code is unknown.
pub fn concept(codings: Vec<Coding>, text: Option<&str>) -> Result<CodeableConcept, BuilderError> {
    let mut concept = CodeableConcept::builder().build()?;
    concept.coding = codings.into_iter().map(Some).collect();
    concept.text = text.map(str::to_owned);
    Ok(concept)
}

/// A score: a number without a dimension (UCUM annotation `{score}`).
pub fn score(value: f64) -> Result<Quantity, BuilderError> {
    quantity(value, "{score}")
}

/// A quantity whose unit is its UCUM code.
pub fn quantity(value: f64, unit: &str) -> Result<Quantity, BuilderError> {
    let mut quantity = Quantity::builder().build()?;
    quantity.value = Some(value);
    quantity.unit = Some(unit.to_owned());
    quantity.system = Some(UCUM.to_owned());
    quantity.code = Some(unit.to_owned());
    Ok(quantity)
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
    with_value(concept(vec![code], None)?, value)
}

/// A part of an observation, with what it is in words.
pub fn component_as(
    code: Coding,
    words: &str,
    value: ObservationComponentValue,
) -> Result<ObservationComponent, BuilderError> {
    with_value(concept(vec![code], Some(words))?, value)
}

fn with_value(code: CodeableConcept, value: ObservationComponentValue) -> Result<ObservationComponent, BuilderError> {
    let mut component = ObservationComponent::builder().code(code).build()?;
    component.value = Some(value);
    Ok(component)
}

/// A value that is a code.
pub fn coded(system: &str, code: &str) -> Result<ObservationComponentValue, BuilderError> {
    Ok(ObservationComponentValue::CodeableConcept(concept(vec![coding(system, code, None)?], None)?))
}

/// A reference to the member's Patient.
pub fn patient(id: &str) -> Result<Reference, BuilderError> {
    place(format!("Patient/{id}"))
}

/// A reference to where a resource is.
pub fn place(place: String) -> Result<Reference, BuilderError> {
    let mut reference = Reference::builder().build()?;
    reference.reference = Some(place);
    Ok(reference)
}

/// A reference to what is identified so.
pub fn identified(identifier: Identifier) -> Result<Reference, BuilderError> {
    let mut reference = Reference::builder().build()?;
    reference.identifier = Some(identifier);
    Ok(reference)
}

/// What something is called within a system.
pub fn identifier(system: &str, value: String) -> Result<Identifier, BuilderError> {
    let mut identifier = Identifier::builder().build()?;
    identifier.system = Some(system.to_owned());
    identifier.value = Some(value);
    Ok(identifier)
}
