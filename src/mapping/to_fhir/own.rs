//! A reading for the member whose it is. Nothing is disclosed by that, and so no permit is asked for: what comes out is
//! text for their own archive, and no [`Outbound`](crate::domain::outbound::Outbound), of which alone a delivery is made.

use fhir_codec::resources::Resource;
use fhir_codec::types::Reference;
use fhir_codec::{BuilderError, Decimals};
use uuid::Uuid;

use super::element::place;
use super::envelope::Address;
use super::questionnaire::Part;
use super::{MappingError, questionnaire, whole};
use crate::domain::ids::MemberId;
use crate::domain::reading::{Measure, Reading};

/// How resources in a member's own archive refer to them: no clinic's Patient, but the one that stands in it.
#[must_use]
pub fn own_reference(member: MemberId) -> String {
    format!("urn:uuid:{member}")
}

/// The resources that a clinic would receive, as their member has them: about them by the number they have here, with no
/// Provenance, because nobody passed it on. The identifier of the first, the whole, is the reading's own.
///
/// # Errors
/// [`MappingError`]; never for a reading that passed its JSON Schema.
pub fn own_copies(reading: &Reading, source: &str) -> Result<Vec<(Uuid, Vec<u8>)>, MappingError> {
    let mut labels = reading.labels.clone();
    labels.extend(reading.measure.category().labels());
    let subject = subject(reading.member)?;
    let address =
        |identifier| Address { subject: subject.clone(), identifier, source, labels: &labels, provenance: Vec::new() };
    let id = reading.id.0;
    let mut resources = vec![(id, whole(reading, address(id))?)];
    if let Measure::Questionnaire(answers) = &reading.measure {
        for part in Part::of(answers) {
            let own = part.identifier(id);
            resources.push((own, questionnaire::part(part, answers, reading.moment, id, address(own))?));
        }
    }
    let write = |(id, (resource, decimals)): (Uuid, (Resource, Decimals))| {
        Ok((id, fhir_codec::to_bytes(&resource, &decimals)?))
    };
    resources.into_iter().map(write).collect()
}

fn subject(member: MemberId) -> Result<Reference, BuilderError> {
    place(own_reference(member))
}
