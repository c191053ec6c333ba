//! `waiting.json`: what is stored here to be sent, in the form in which clinics read it (HL7 FHIR R4, Bundle of type collection).

use serde_json::value::RawValue;

use super::{Archive, Exported, PAGE, Writing};
use crate::domain::ids::ClinicId;
use crate::outbox::enqueue::PAYLOAD_COLUMN;
use crate::store::{PayloadRow, PlaceOnLane};

pub(super) fn write<'a>(of: &'a Exported, archive: &'a mut Archive) -> Writing<'a> {
    Box::pin(async move {
        archive.file("deliveries/waiting.json").await?;
        archive.write(br#"{"resourceType":"Bundle","type":"collection","entry":["#).await?;
        let (mut after, mut between) = (PlaceOnLane::default(), "\n");
        loop {
            let page = of.bridge.store.read().await?.payloads_of(of.member, &after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.place.clone();
            for row in &page {
                let Some(resource) = resource(of, row) else { continue };
                archive.write(format!("{between}{{\"resource\":{}}}", resource.get()).as_bytes()).await?;
                between = ",\n";
            }
        }
        archive.write(b"\n]}\n").await
    })
}

/// As it is, byte for byte: numbers and dates stay as they were given.
fn resource(of: &Exported, row: &PayloadRow) -> Option<Box<RawValue>> {
    let clinic = ClinicId::try_from(row.place.clinic.clone()).ok()?;
    let key = of.key.content_key(&clinic, row.sealed_key.as_deref());
    let opened = key.and_then(|key| key.open(PAYLOAD_COLUMN, row.id.0.as_bytes(), &row.sealed_payload));
    let opened =
        opened.inspect_err(|_| tracing::error!(delivery_id = %row.id, "an item's content does not open")).ok()?;
    serde_json::from_slice(&opened).ok()
}
