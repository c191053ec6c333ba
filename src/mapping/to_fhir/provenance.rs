//! Where a resource comes from, said within it: a Provenance that is contained and speaks of its container, as US Core 9
//! writes it. So it arrives exactly when the resource does, and exactly as often.

use fhir_codec::codes::ProvenanceEntityRole;
use fhir_codec::resources::{Provenance, ProvenanceAgent, ProvenanceEntity, Resource};
use fhir_codec::types::Reference;
use fhir_codec::{BuilderError, Decimals, Instant, WriteError};
use jiff::Timestamp;
use serde_json::Value;

use super::codes::{ACT_REASON, DATA_OPERATION, PARTICIPATION_TYPE, PROVENANCE_PARTICIPANT};
use super::element::{coding, concept, identified, identifier, patient, place};
use super::envelope::identifier_of;
use super::{MappingError, Recipient, shape};
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
        let mut who = place(format!("Practitioner/{}", named.id))?;
        who.display = Some(named.display.clone());
        agents.push(Some(agent((PARTICIPATION_TYPE, "IRCP", "information recipient"), who)?));
    }
    let entity = ProvenanceEntity::builder()
        .role(ProvenanceEntityRole::Source)
        .what(identified(identifier_of(recipient.identifier)?)?)
        .build()?;
    let mut provenance = Provenance::builder()
        .target(vec![Some(place("#".to_owned())?)])
        .recorded(instant(recipient.recorded)?)
        .agent(agents)
        .build()?;
    provenance.id = Some("provenance".to_owned());
    provenance.policy = grant.into_iter().map(|grant| Some(format!("urn:uuid:{grant}"))).collect();
    provenance.reason = vec![Some(concept(vec![coding(ACT_REASON, purpose, Some(of_purpose))?], None)?)];
    provenance.activity = Some(concept(vec![coding(DATA_OPERATION, code, Some(display))?], None)?);
    provenance.entity = vec![Some(entity)];
    Ok(Resource::Provenance(provenance))
}

/// The patient decided it, and the bridge wrote it down: how a consent came to stand as it stands.
pub fn of_consent(recipient: Recipient<'_>, grant: GrantId, is_first: bool) -> Result<Resource, MappingError> {
    let did = if is_first { ("CREATE", "create") } else { ("UPDATE", "revise") };
    // Decided for a practitioner, perhaps, but not by them nor sent to them.
    let recipient = Recipient { practitioner: None, ..recipient };
    made(recipient, (Some(grant), ("TREAT", "treatment")), did)
}

/// As it is contained in what is made as a tree.
pub fn as_json(provenance: &Resource) -> Result<Value, MappingError> {
    Ok(serde_json::from_slice(&fhir_codec::to_bytes(provenance, &Decimals::new())?).map_err(WriteError::from)?)
}

fn agent((system, code, display): (&str, &str, &str), who: Reference) -> Result<ProvenanceAgent, BuilderError> {
    let kind = concept(vec![coding(system, code, Some(display))?], None)?;
    let mut agent = ProvenanceAgent::builder().who(who).build()?;
    agent.r#type = Some(kind);
    Ok(agent)
}

/// This installation, by its own URI.
fn bridge(source: &str) -> Result<Reference, BuilderError> {
    let mut bridge = identified(identifier("urn:ietf:rfc:3986", source.to_owned())?)?;
    bridge.display = Some("mostik".to_owned());
    Ok(bridge)
}

fn instant(at: Timestamp) -> Result<Instant, MappingError> {
    shape::instant(at).parse().map_err(|_| MappingError::Moment)
}
