//! A reading for the member whose it is. Nothing is disclosed by that, and so no permit is asked for: what comes out is
//! text for their own archive, and no [`Outbound`](crate::domain::outbound::Outbound), of which alone a delivery is made.

use fhir_codec::resources::Resource;
use fhir_codec::types::Reference;
use fhir_codec::{BuilderError, Decimals};

use super::envelope::{Address, addressed};
use super::{MappingError, body, lived};
use crate::domain::ids::MemberId;
use crate::domain::reading::Reading;

/// How resources in a member's own archive refer to them: no clinic's Patient, but the one that stands in it.
#[must_use]
pub fn own_reference(member: MemberId) -> String {
    format!("urn:uuid:{member}")
}

/// The resource that a clinic would receive, as its member has it: about them by the number they have here, with no
/// Provenance, because nobody passed it on. Its identifier is the reading's own.
///
/// # Errors
/// [`MappingError`]; never for a reading that passed its JSON Schema.
pub fn own_copy(reading: &Reading, source: &str) -> Result<Vec<u8>, MappingError> {
    let mut decimals = Decimals::new();
    let body = body(reading, &mut decimals)?;
    let mut labels = reading.labels.clone();
    labels.extend(reading.measure.category().labels());
    let address = Address {
        subject: subject(reading.member)?,
        identifier: reading.id.0,
        source,
        labels: &labels,
        provenance: Vec::new(),
    };
    let observation = addressed(address, &lived(reading), body)?;
    Ok(fhir_codec::to_bytes(&Resource::Observation(observation), &decimals)?)
}

fn subject(member: MemberId) -> Result<Reference, BuilderError> {
    Reference::builder().reference(own_reference(member)).build()
}
