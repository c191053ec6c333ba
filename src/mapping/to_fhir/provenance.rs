//! Where a resource comes from, said within it: a Provenance that is contained and speaks of its container, as US Core 9
//! writes it. So it arrives exactly when the resource does, and exactly as often.

use fhir_codec::codes::ProvenanceEntityRole;
use fhir_codec::resources::{Provenance, ProvenanceAgent, ProvenanceEntity, Resource};
use fhir_codec::types::{Identifier, Reference};
use fhir_codec::{BuilderError, Decimals, Instant, WriteError};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::codes::{ACT_REASON, DATA_OPERATION, PARTICIPATION_TYPE, PROVENANCE_PARTICIPANT};
use super::element::{coding, concept, patient};
use super::envelope::identifier;
use super::{MappingError, Recipient};
use crate::consent::decide::Permit;
use crate::domain::ids::GrantId;
use crate::domain::warning::WarningPurpose;

/// The patient said it, the bridge put it together, perhaps for one practitioner, and the consent of the permit permits
/// it for treatment.
pub fn provenance<T>(recipient: Recipient<'_>, permit: &Permit<'_, T>) -> Result<Resource, MappingError> {
    let grant = permit.grant().map(|(grant, _)| grant);
    made(recipient, (grant, ("TREAT", "treatment")), ("CREATE", "create"))
}

/// The patient said it, the bridge put it together, and no consent but a policy permits it, for this purpose.
pub fn of_warning(recipient: Recipient<'_>, purpose: WarningPurpose) -> Result<Resource, MappingError> {
    made(recipient, (None, (purpose.as_str(), purpose.display())), ("CREATE", "create"))
}

/// `why`: the consent, if one permits it, and what for.
fn made(
    recipient: Recipient<'_>,
    why: (Option<GrantId>, (&str, &str)),
    (code, display): (&str, &str),
) -> Result<Resource, MappingError> {
    let (grant, (purpose, of_purpose)) = why;
    let mut agents = vec![
        Some(agent((PROVENANCE_PARTICIPANT, "author", "Author"), patient(recipient.patient)?)?),
        Some(agent((PROVENANCE_PARTICIPANT, "assembler", "Assembler"), bridge(recipient.source)?)?),
    ];
    if let Some(named) = recipient.practitioner {
        let who = Reference::builder().reference(format!("Practitioner/{}", named.id)).display(named.display.clone());
        agents.push(Some(agent((PARTICIPATION_TYPE, "IRCP", "information recipient"), who.build()?)?));
    }
    let provenance = Provenance::builder()
        .id("provenance".to_owned())
        .target(vec![Some(Reference::builder().reference("#".to_owned()).build()?)])
        .recorded(instant(recipient.recorded)?)
        .policy(grant.into_iter().map(|grant| Some(format!("urn:uuid:{grant}"))).collect())
        .reason(vec![Some(concept(vec![coding(ACT_REASON, purpose, Some(of_purpose))?], None)?)])
        .activity(concept(vec![coding(DATA_OPERATION, code, Some(display))?], None)?)
        .agent(agents)
        .entity(vec![Some(
            ProvenanceEntity::builder()
                .role(ProvenanceEntityRole::Source)
                .what(Reference::builder().identifier(identifier(recipient)?).build()?)
                .build()?,
        )])
        .build()?;
    Ok(Resource::Provenance(provenance))
}

/// The patient decided it, and the bridge wrote it down: how a consent came to stand as it stands.
pub fn of_consent(recipient: Recipient<'_>, grant: GrantId, is_first: bool) -> Result<Box<RawValue>, MappingError> {
    let did = if is_first { ("CREATE", "create") } else { ("UPDATE", "revise") };
    // Decided for a practitioner, perhaps, but not by them nor sent to them.
    let recipient = Recipient { practitioner: None, ..recipient };
    as_json(&made(recipient, (Some(grant), ("TREAT", "treatment")), did)?)
}

/// As it is contained in what is written by hand: as a tree, or as it is.
pub fn as_json<T: DeserializeOwned>(provenance: &Resource) -> Result<T, MappingError> {
    Ok(serde_json::from_slice(&fhir_codec::to_bytes(provenance, &Decimals::new())?).map_err(WriteError::from)?)
}

fn agent((system, code, display): (&str, &str, &str), who: Reference) -> Result<ProvenanceAgent, BuilderError> {
    let kind = concept(vec![coding(system, code, Some(display))?], None)?;
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
