//! Reading, or summary of readings → FHIR R4 Observation. One mapper for each measure, one envelope for all.

mod audit_event;
mod codes;
mod consent;
mod document;
mod element;
mod envelope;
mod measurement;
mod mood;
mod note;
mod own;
mod page;
mod provenance;
mod summary;
mod tags;

use fhir_codec::{BuilderError, Decimals, WriteError, resources::Resource};
use jiff::Timestamp;
use uuid::Uuid;

use crate::consent::decide::Permit;
use crate::domain::consented::Practitioner;
use crate::domain::measurement::Measurement;
use crate::domain::outbound::Outbound;
use crate::domain::reading::{Measure, Reading};
use crate::domain::summary::Summary;

use envelope::Lived;

pub use audit_event::{Cast, MOSTIK_AUDIT, audit_events};
pub use codes::IDENTIFIER as IDENTIFIER_SYSTEM;
pub use consent::{Paper, consent, consent_resource};
pub use document::document;
pub use own::{own_copy, own_reference};
pub use page::{Sheet, page_to_fhir};

/// What a resource needs to know beside the reading.
#[derive(Clone, Copy)]
pub struct Recipient<'a> {
    /// The member's Patient id at the clinic.
    pub patient: &'a str,
    /// The identifier of this reading at this clinic: another clinic gets another one.
    pub identifier: Uuid,
    /// This installation, as `meta.source`.
    pub source: &'a str,
    /// When the bridge made the resource.
    pub recorded: Timestamp,
    /// The one practitioner whom it is addressed to.
    pub practitioner: Option<&'a Practitioner>,
}

/// A reading that cannot become a resource.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// A mandatory element was not given. A defect of a mapper.
    #[error("a mandatory FHIR element is missing")]
    Incomplete(#[from] BuilderError),
    /// The moment cannot be said as a FHIR dateTime.
    #[error("the moment cannot be written as a FHIR dateTime")]
    Moment,
    /// The resource cannot be written as JSON.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Maps the reading of a permit to the resource that its clinic receives.
///
/// # Errors
/// [`MappingError`]; never for a reading that passed its JSON Schema.
pub fn to_fhir(permit: &Permit<'_, Reading>, recipient: Recipient<'_>) -> Result<Outbound, MappingError> {
    outbound(&resource(permit, recipient)?, recipient)
}

/// Maps the summary of a permit to the resource that its clinic receives.
///
/// # Errors
/// [`MappingError`]; never for a summary of readings that passed their JSON Schema.
pub fn summary_to_fhir(permit: &Permit<'_, Summary>, recipient: Recipient<'_>) -> Result<Outbound, MappingError> {
    let mut decimals = Decimals::new();
    let summary = permit.item();
    let body = summary::body(summary, &mut decimals)?;
    let lived = Lived::During(summary.start, summary.last);
    let observation = envelope::observation(permit, recipient, &lived, body)?;
    outbound(&(Resource::Observation(observation), decimals), recipient)
}

fn outbound((resource, decimals): &(Resource, Decimals), recipient: Recipient<'_>) -> Result<Outbound, MappingError> {
    Ok(Outbound {
        resource_type: "Observation".into(),
        identifier: recipient.identifier.to_string(),
        body: fhir_codec::to_bytes(resource, decimals)?,
    })
}

/// The resource that [`to_fhir`] writes, with its decimals as they were given.
///
/// # Errors
/// [`MappingError`]; never for a reading that passed its JSON Schema.
pub fn resource(permit: &Permit<'_, Reading>, recipient: Recipient<'_>) -> Result<(Resource, Decimals), MappingError> {
    let reading = permit.item();
    let mut decimals = Decimals::new();
    let body = body(reading, &mut decimals)?;
    let lived = lived(reading);
    Ok((Resource::Observation(envelope::observation(permit, recipient, &lived, body)?), decimals))
}

/// What a reading says, without its envelope.
fn body(reading: &Reading, decimals: &mut Decimals) -> Result<envelope::Body, BuilderError> {
    match &reading.measure {
        Measure::Mood(mood) => mood::body(mood, decimals),
        Measure::Note(text) => note::body(text),
        Measure::Tags(tags) => tags::body(tags),
        Measure::Measurement(measurement) => measurement::body(measurement, decimals),
        Measure::Agenda(text) => note::agenda(text),
    }
}

fn lived(reading: &Reading) -> Lived {
    match &reading.measure {
        Measure::Measurement(Measurement { start: Some(start), .. }) => Lived::Over(*start, reading.moment),
        _ => Lived::At(reading.moment),
    }
}
