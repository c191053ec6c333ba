//! Reading, or summary of readings → FHIR R4 Observation. One mapper for each measure, one envelope for all.

mod activity;
mod answer;
mod appointment;
mod audit_event;
mod codes;
mod communication;
mod consent;
mod document;
mod element;
mod envelope;
mod group_session;
mod measurement;
mod mood;
mod note;
mod own;
mod page;
mod provenance;
mod questionnaire;
mod report;
mod shape;
mod subscription;
mod summary;
mod tags;
mod warning;

use fhir_codec::{BuilderError, Decimals, WriteError, resources::Resource};
use jiff::Timestamp;
use uuid::Uuid;

use crate::consent::decide::Permit;
use crate::domain::category::Category;
use crate::domain::consented::Practitioner;
use crate::domain::measurement::Measurement;
use crate::domain::outbound::Outbound;
use crate::domain::reading::{Measure, Reading};
use crate::domain::summary::Summary;

use envelope::{Address, Lived};
use questionnaire::Part;

pub use answer::{message, task_answer};
pub use appointment::{Told, appointment};
pub use audit_event::{Cast, MOSTIK_AUDIT, audit_events};
pub use codes::{IDENTIFIER as IDENTIFIER_SYSTEM, SERVICE_TYPE};
pub use consent::{Paper, consent, consent_resource};
pub use document::document;
pub use group_session::{GroupTold, group_session};
pub use own::{own_copies, own_reference};
pub use page::{Sheet, page_to_fhir, page_version};
pub use report::{report_identifier, report_to_fhir};
pub use subscription::{Watch, beats, is_topic, subscription};
pub use warning::{Operator, warning};

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
    /// A clinic cannot be warned of this. A defect of whoever decided it.
    #[error("there is no warning about this")]
    NoWarning,
    /// The moment cannot be said as a FHIR dateTime.
    #[error("the moment cannot be written as a FHIR dateTime")]
    Moment,
    /// The resource cannot be written as JSON.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Maps the reading of a permit to the resource that its clinic receives: all of it, or what its parts add up to.
///
/// # Errors
/// [`MappingError`]; never for a reading that passed its JSON Schema.
pub fn to_fhir(permit: &Permit<'_, Reading>, recipient: Recipient<'_>) -> Result<Outbound, MappingError> {
    outbound("Observation", &resource(permit, recipient)?, recipient.identifier, false)
}

/// Maps the reading of a permit to the parts that its clinic receives beside the whole, in the order in which they go.
/// Most readings have none.
///
/// # Errors
/// [`MappingError`]; never for a reading that passed its JSON Schema.
pub fn parts_to_fhir(permit: &Permit<'_, Reading>, recipient: Recipient<'_>) -> Result<Vec<Outbound>, MappingError> {
    let parts = part_resources(permit, recipient)?.into_iter();
    parts.map(|(resource_type, identifier, part)| outbound(resource_type, &part, identifier, true)).collect()
}

/// A part of a reading as a resource: its type, its identifier, and it itself with its decimals as they were given.
pub type PartResource = (&'static str, Uuid, (Resource, Decimals));

/// The resources that [`parts_to_fhir`] writes.
///
/// # Errors
/// [`MappingError`]; never for a reading that passed its JSON Schema.
pub fn part_resources(
    permit: &Permit<'_, Reading>,
    recipient: Recipient<'_>,
) -> Result<Vec<PartResource>, MappingError> {
    let (reading, whole) = (permit.item(), recipient.identifier);
    let Measure::Questionnaire(answers) = &reading.measure else { return Ok(Vec::new()) };
    let part = |part: Part| {
        let identifier = part.identifier(whole);
        let address = envelope::address(permit, Recipient { identifier, ..recipient })?;
        let resource = questionnaire::part(part, answers, reading.moment, whole, address)?;
        Ok((part.resource_type(), identifier, resource))
    };
    Part::of(answers).into_iter().map(part).collect()
}

/// The identifiers of all parts that a reading of this category may ever have been told as, beside the whole with this
/// one.
#[must_use]
pub fn part_identifiers(category: Category, whole: Uuid) -> Vec<Uuid> {
    match category {
        Category::Questionnaires => questionnaire::part_identifiers(whole).collect(),
        _ => Vec::new(),
    }
}

/// Maps the summary of a permit to the resource that its clinic receives.
///
/// # Errors
/// [`MappingError`]; never for a summary of readings that passed their JSON Schema.
pub fn summary_to_fhir(permit: &Permit<'_, Summary>, recipient: Recipient<'_>) -> Result<Outbound, MappingError> {
    outbound("Observation", &summary_resource(permit, recipient)?, recipient.identifier, false)
}

/// The resource that [`summary_to_fhir`] writes, with its decimals as they were worked out.
///
/// # Errors
/// [`MappingError`]; never for a summary of readings that passed their JSON Schema.
pub fn summary_resource(
    permit: &Permit<'_, Summary>,
    recipient: Recipient<'_>,
) -> Result<(Resource, Decimals), MappingError> {
    let mut decimals = Decimals::new();
    let summary = permit.item();
    let body = summary::body(summary, &mut decimals)?;
    let lived = Lived::During(summary.start, summary.last);
    let observation = envelope::addressed(envelope::address(permit, recipient)?, &lived, body)?;
    Ok((Resource::Observation(observation), decimals))
}

fn outbound(
    resource_type: &'static str,
    (resource, decimals): &(Resource, Decimals),
    identifier: Uuid,
    is_part: bool,
) -> Result<Outbound, MappingError> {
    Ok(Outbound {
        resource_type: resource_type.into(),
        identifier: identifier.to_string(),
        is_part,
        body: fhir_codec::to_bytes(resource, decimals)?,
    })
}

/// The resource that [`to_fhir`] writes, with its decimals as they were given.
///
/// # Errors
/// [`MappingError`]; never for a reading that passed its JSON Schema.
pub fn resource(permit: &Permit<'_, Reading>, recipient: Recipient<'_>) -> Result<(Resource, Decimals), MappingError> {
    whole(permit.item(), envelope::address(permit, recipient)?)
}

/// The one resource that says all of a reading.
fn whole(reading: &Reading, address: Address<'_>) -> Result<(Resource, Decimals), MappingError> {
    let mut decimals = Decimals::new();
    let body = match &reading.measure {
        Measure::Mood(mood) => mood::body(mood, &mut decimals)?,
        Measure::Note(text) => note::body(text)?,
        Measure::Tags(tags) => tags::body(tags)?,
        Measure::Measurement(measurement) => measurement::body(measurement, &mut decimals)?,
        Measure::Agenda(text) => note::agenda(text)?,
        Measure::Deed(deed) => activity::entry(*deed, &mut decimals)?,
        Measure::Questionnaire(answers) => return questionnaire::whole(answers, reading.moment, address),
    };
    let observation = envelope::addressed(address, &lived(reading), body)?;
    Ok((Resource::Observation(observation), decimals))
}

fn lived(reading: &Reading) -> Lived {
    match &reading.measure {
        Measure::Measurement(Measurement { start: Some(start), .. }) => Lived::Over(*start, reading.moment),
        _ => Lived::At(reading.moment),
    }
}
