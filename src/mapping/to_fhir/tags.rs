//! Diary tags → Observation with one component for each tag.

use fhir_codec::BuilderError;
use fhir_codec::resources::ObservationComponentValue;

use super::codes::MOSTIK;
use super::element::{coding, concept, own_component};
use super::envelope::Body;

/// The part of the Observation that is about the tags.
pub fn body(tags: &[String]) -> Result<Body, BuilderError> {
    let components = tags
        .iter()
        .map(|tag| own_component("diary-tag", "Diary tag", ObservationComponentValue::String(tag.clone())))
        .collect::<Result<_, _>>()?;
    let code = coding(MOSTIK, "diary-tags", Some("Diary tags"))?;
    Ok(Body::survey(concept(vec![code], Some("Diary tags, chosen by the patient"))?, None, components))
}
