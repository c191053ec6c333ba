//! What the member allowed each clinic to see: in words, for programs, as FHIR, and with the texts they had before them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Archive, ExportError, Exported, Writing};
use crate::consent::words;
use crate::domain::consented::Shown;
use crate::domain::language::Language;
use crate::enrolment::join::linked_patient;
use crate::pipeline::consent::{ConsentError, Version, as_resource, versions};
use crate::store::ConsentRecord;

async fn all(of: &Exported) -> Result<Vec<Version>, ExportError> {
    let mut tx = of.bridge.store.read().await?;
    Ok(versions(&of.bridge, &mut tx, of.member).await?)
}

pub(super) fn write_words<'a>(of: &'a Exported, archive: &'a mut Archive) -> Writing<'a> {
    Box::pin(async move {
        archive.file("consents/consents.txt").await?;
        for version in all(of).await? {
            archive.write(in_words(of, &version).as_bytes()).await?;
        }
        Ok(())
    })
}

fn in_words(of: &Exported, version: &Version) -> String {
    let grant = &version.grant;
    let practitioner = version.practitioner.as_ref().map(|named| named.display.as_str());
    let number = match of.language {
        Language::En => "version",
        Language::Ru => "версия",
    };
    let clinic = of.bridge.house.clinic_name(&grant.clinic);
    let state = words::stands(grant, of.now, of.language);
    let mut text = format!("{clinic}, {number} {}: {state}\r\n", grant.version);
    for row in words::terms(&grant.terms, practitioner, of.language) {
        // Nothing can go wrong with a text in memory.
        let _ = write!(text, "  {}: {}\r\n", row.name, row.value);
    }
    text + "\r\n"
}

pub(super) fn write_json<'a>(of: &'a Exported, archive: &'a mut Archive) -> Writing<'a> {
    Box::pin(async move {
        let versions: Vec<Value> = all(of).await?.iter().map(version).collect();
        let records = of.bridge.store.read().await?.consent_records(of.member).await?;
        let changes: Vec<Value> = records.iter().map(change).collect();
        archive.file("consents/consents.json").await?;
        archive.write(format!("{:#}\n", json!({"versions": versions, "changes": changes})).as_bytes()).await
    })
}

fn version(version: &Version) -> Value {
    let grant = &version.grant;
    json!({
        "grant": grant.id,
        "version": grant.version,
        "clinic": grant.clinic,
        "state": grant.state.as_str(),
        "terms": grant.terms,
        "practitioner": version.practitioner,
        "created_at": grant.created_at,
        "ended_at": grant.ended_at,
    })
}

fn change(record: &ConsentRecord) -> Value {
    json!({
        "grant": record.grant,
        "version": record.version,
        "change": record.change.as_str(),
        "through": record.method.as_str(),
        "at": record.at,
        "receipt": record.receipt,
        "text": record.shown.as_ref().map(text_file),
    })
}

pub(super) fn write_fhir<'a>(of: &'a Exported, archive: &'a mut Archive) -> Writing<'a> {
    Box::pin(async move {
        archive.file("consents/fhir-consents.json").await?;
        archive.write(br#"{"resourceType":"Bundle","type":"collection","entry":["#).await?;
        let mut between = "\n";
        for version in all(of).await? {
            let mut tx = of.bridge.store.read().await?;
            let clinic = &version.grant.clinic;
            let patient = linked_patient(&mut tx, &of.bridge.keyring, of.member, clinic).await;
            drop(tx);
            let patient = patient.map_err(ConsentError::from)?.unwrap_or_else(|| of.member.to_string());
            let Some(resource) = as_resource(&of.bridge, &version, &patient, of.now)? else { continue };
            archive.write(format!("{between}{{\"resource\":{resource}}}").as_bytes()).await?;
            between = ",\n";
        }
        archive.write(b"\n]}\n").await
    })
}

pub(super) fn write_texts<'a>(of: &'a Exported, archive: &'a mut Archive) -> Writing<'a> {
    Box::pin(async move {
        let mut tx = of.bridge.store.read().await?;
        let records = tx.consent_records(of.member).await?;
        let shown = records.into_iter().filter_map(|record| record.shown);
        let shown: BTreeMap<String, Shown> = shown.map(|shown| (text_file(&shown), shown)).collect();
        let mut texts = Vec::new();
        for (name, shown) in shown {
            texts.push((name, tx.notice(&shown.hash).await?.unwrap_or_default()));
        }
        drop(tx);
        for (name, text) in texts {
            archive.file(&format!("consents/{name}")).await?;
            archive.write(text.as_bytes()).await?;
        }
        Ok(())
    })
}

/// The file with a text that was shown. The digest tells apart what should never differ.
fn text_file(shown: &Shown) -> String {
    let digest: String = shown.hash.chars().take(8).collect();
    format!("text-{}-{}-{digest}.txt", shown.version, shown.language.as_str())
}
