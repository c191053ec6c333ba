//! What every Observation of the bridge has in common: who, when, from whom, and how sensitive.

use std::collections::BTreeSet;

use aws_lc_rs::digest::{SHA256, digest};
use fhir_codec::codes::ObservationStatus;
use fhir_codec::resources::{Observation, ObservationComponent, ObservationEffective, ObservationValue, Resource};
use fhir_codec::types::{CodeableConcept, Identifier, Meta, Period, Reference};
use fhir_codec::{BuilderError, DateTime};
use uuid::Uuid;

use super::codes::{
    ACT_CODE, CONFIDENTIALITY, IDENTIFIER, OBSERVATION_CATEGORY, OBSERVATION_VALUE, SCREENING_ASSESSMENT, US_CORE_TAGS,
};
use super::element::{coding, concept, identifier, patient};
use super::provenance::provenance;
use super::{MappingError, Recipient};
use crate::consent::decide::Permit;
use crate::domain::label::Label;
use crate::domain::moment::Moment;

/// The label of what a device vouches for (HL7 v3, `ObservationValue`).
pub const DEVICE_ASSERTED: &str = "DEVAST";

/// What differs from measure to measure.
pub struct Body {
    /// What was observed.
    pub code: CodeableConcept,
    /// The value, unless the components say it all.
    pub value: Option<ObservationValue>,
    /// The parts.
    pub components: Vec<ObservationComponent>,
    /// As what kind of observation.
    pub filed: Filed,
    /// What it was measured with, by name.
    pub device: Option<String>,
}

/// As what kind of observation something is filed, and who vouches for it.
#[derive(Clone, Copy)]
pub struct Filed {
    /// The code and the words of its category.
    pub category: (&'static str, &'static str),
    /// The profile that it claims.
    pub profile: Option<&'static str>,
    /// Whether a device vouches for it, and not the patient.
    pub by_device: bool,
}

impl Filed {
    /// What a patient says when asked.
    pub const SURVEY: Self =
        Self { category: ("survey", "Survey"), profile: Some(SCREENING_ASSESSMENT), by_device: false };
    /// What somebody does, sleep included.
    pub const ACTIVITY: Self = Self { category: ("activity", "Activity"), profile: None, by_device: false };
    /// What a program of the patient's community counted.
    pub const COUNTED: Self = Self { category: ("social-history", "Social History"), profile: None, by_device: true };
    /// What a body does.
    pub const VITAL_SIGN: Self = Self { category: ("vital-signs", "Vital Signs"), profile: None, by_device: false };
}

impl Body {
    /// What a patient says when asked.
    pub const fn survey(
        code: CodeableConcept,
        value: Option<ObservationValue>,
        components: Vec<ObservationComponent>,
    ) -> Self {
        Self { code, value, components, filed: Filed::SURVEY, device: None }
    }
}

/// When it was lived.
pub enum Lived {
    /// At a moment, of which the patient tells.
    At(Moment),
    /// From a moment to another, both included, of which the patient tells.
    Over(Moment, Moment),
    /// From a moment to another, both included. The bridge worked out what is said of it.
    During(Moment, Moment),
}

/// What is written on an envelope.
pub struct Address<'a> {
    /// Whom it is about.
    pub subject: Reference,
    /// The value of the resource's identifier.
    pub identifier: Uuid,
    /// This installation, as `meta.source`.
    pub source: &'a str,
    /// How sensitive it is.
    pub labels: &'a BTreeSet<Label>,
    /// Where it comes from, and by whose leave it goes.
    pub provenance: Vec<Resource>,
}

/// What is written on the envelope to a clinic.
pub fn address<'a, T>(permit: &'a Permit<'_, T>, recipient: Recipient<'a>) -> Result<Address<'a>, MappingError> {
    Ok(Address {
        subject: patient(recipient.patient)?,
        identifier: recipient.identifier,
        source: recipient.source,
        labels: &permit.obliges().labels,
        provenance: vec![provenance(recipient, permit)?],
    })
}

/// Profile, source and labels of what is no Observation.
pub fn meta_of(address: &Address<'_>) -> Result<Meta, BuilderError> {
    meta(address.source, Filed { profile: None, ..Filed::SURVEY }, address.labels)
}

/// Puts a body into an envelope with this address.
pub fn addressed(address: Address<'_>, lived: &Lived, body: Body) -> Result<Observation, MappingError> {
    let Address { subject, identifier, source, labels, provenance } = address;
    let (category, display) = body.filed.category;
    let mut observation = Observation::builder().status(ObservationStatus::Final).code(body.code).build()?;
    observation.meta = Some(meta(source, body.filed, labels)?);
    observation.contained = provenance;
    observation.identifier = vec![Some(identifier_of(identifier)?)];
    observation.category = vec![Some(concept(vec![coding(OBSERVATION_CATEGORY, category, Some(display))?], None)?)];
    observation.effective = Some(match lived {
        Lived::At(moment) => ObservationEffective::DateTime(date_time(*moment)?),
        Lived::Over(start, last) | Lived::During(start, last) => period(*start, *last)?,
    });
    observation.performer = match lived {
        // Self-reported: the patient is the one who made the observation (US Core screening assessment).
        Lived::At(_) | Lived::Over(..) => vec![Some(subject.clone())],
        // Worked out from others: there, that profile wants no performer.
        Lived::During(..) => Vec::new(),
    };
    observation.subject = Some(subject);
    observation.device = body.device.map(named_only).transpose()?;
    observation.value = body.value;
    observation.component = body.components.into_iter().map(Some).collect();
    Ok(observation)
}

/// A reference to what is known by its name only.
fn named_only(name: String) -> Result<Reference, BuilderError> {
    let mut reference = Reference::builder().build()?;
    reference.display = Some(name);
    Ok(reference)
}

fn period(start: Moment, last: Moment) -> Result<ObservationEffective, MappingError> {
    let mut period = Period::builder().build()?;
    period.start = Some(date_time(start)?);
    period.end = Some(date_time(last)?);
    Ok(ObservationEffective::Period(period))
}

/// Profile, source and labels: restricted, how sensitive, asserted by the patient or a device, supplied by the patient
/// (HL7 DS4P; US Core 9).
fn meta(source: &str, filed: Filed, labels: &BTreeSet<Label>) -> Result<Meta, BuilderError> {
    let sensitive = labels.iter().map(|label| (ACT_CODE, label.as_str()));
    let vouches = if filed.by_device { DEVICE_ASSERTED } else { "PATAST" };
    let security = std::iter::once((CONFIDENTIALITY, "R")).chain(sensitive).chain([(OBSERVATION_VALUE, vouches)]);
    let mut meta = Meta::builder().build()?;
    meta.source = Some(source.to_owned());
    meta.profile = filed.profile.into_iter().map(|profile| Some(profile.to_owned())).collect();
    meta.security = security.map(|(system, code)| coding(system, code, None).map(Some)).collect::<Result<_, _>>()?;
    meta.tag = vec![Some(coding(US_CORE_TAGS, "patient-supplied", None)?)];
    Ok(meta)
}

/// An identifier of the bridge's own.
pub fn identifier_of(value: Uuid) -> Result<Identifier, BuilderError> {
    identifier(IDENTIFIER, value.to_string())
}

/// The identifier of what is told beside the whole with this one: whoever knows the whole may know it, and no key is
/// needed for that.
pub fn named(whole: Uuid, name: &str) -> Uuid {
    let hash = digest(&SHA256, &[whole.as_bytes(), name.as_bytes()].concat());
    uuid::Builder::from_custom_bytes(hash.as_ref().first_chunk().copied().unwrap_or_default()).into_uuid()
}

/// A moment with the offset that the member had.
pub fn date_time(moment: Moment) -> Result<DateTime, MappingError> {
    moment.to_rfc3339().parse().map_err(|_| MappingError::Moment)
}
