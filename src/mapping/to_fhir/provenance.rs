//! Where a resource comes from, said within it: a Provenance that is contained and speaks of its container, as US Core 9
//! writes it. So it arrives exactly when the resource does, and exactly as often.

use fhir_codec::codes::ProvenanceEntityRole;
use fhir_codec::resources::{Provenance, ProvenanceAgent, ProvenanceEntity, Resource};
use fhir_codec::types::{Identifier, Reference};
use fhir_codec::{BuilderError, Instant};
use jiff::Timestamp;

use super::codes::{ACT_REASON, DATA_OPERATION, PROVENANCE_PARTICIPANT};
use super::element::{coding, concept, patient};
use super::envelope::identifier;
use super::{MappingError, Recipient};
use crate::domain::ids::GrantId;

/// The patient said it, the bridge put it together, and the consent with this id permits it for treatment.
pub fn provenance(recipient: Recipient<'_>, grant: GrantId) -> Result<Resource, MappingError> {
    let provenance = Provenance::builder()
        .id("provenance".to_owned())
        .target(vec![Some(Reference::builder().reference("#".to_owned()).build()?)])
        .recorded(instant(recipient.recorded)?)
        .policy(vec![Some(format!("urn:uuid:{grant}"))])
        .reason(vec![Some(concept(vec![coding(ACT_REASON, "TREAT", Some("treatment"))?], None)?)])
        .activity(concept(vec![coding(DATA_OPERATION, "CREATE", Some("create"))?], None)?)
        .agent(vec![
            Some(agent("author", "Author", patient(recipient.patient)?)?),
            Some(agent("assembler", "Assembler", bridge(recipient.source)?)?),
        ])
        .entity(vec![Some(
            ProvenanceEntity::builder()
                .role(ProvenanceEntityRole::Source)
                .what(Reference::builder().identifier(identifier(recipient)?).build()?)
                .build()?,
        )])
        .build()?;
    Ok(Resource::Provenance(provenance))
}

fn agent(code: &str, display: &str, who: Reference) -> Result<ProvenanceAgent, BuilderError> {
    let kind = concept(vec![coding(PROVENANCE_PARTICIPANT, code, Some(display))?], None)?;
    ProvenanceAgent::builder().r#type(kind).who(who).build()
}

/// This installation, by its own URI.
fn bridge(source: &str) -> Result<Reference, BuilderError> {
    let identifier = Identifier::builder().system("urn:ietf:rfc:3986".to_owned()).value(source.to_owned()).build()?;
    Reference::builder().identifier(identifier).display("mostik".to_owned()).build()
}

fn instant(at: Timestamp) -> Result<Instant, MappingError> {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string().parse().map_err(|_| MappingError::Moment)
}
