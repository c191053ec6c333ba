//! Page → `DocumentReference`: the text, and the PDF where the clinic takes one. Under LOINC's 51855-5, Patient Note, as
//! every note of the bridge: 34133-9, Summary of episode note, would be read as what a clinician says of a treatment.
//!
//! A corrected page takes the place of the one before under the same identifier (`docStatus` `amended`), as everything that
//! is corrected does; `relatesTo` would leave both for people to find. Where the EHR lets nobody change what it has, both are
//! better than the one that is wrong: then the new one has an identifier of its own, and says which one it replaces.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use fhir_codec::WriteError;
use serde_json::{Value, json};
use uuid::Uuid;

use super::codes::{ACT_CODE, CONFIDENTIALITY, IDENTIFIER, OBSERVATION_VALUE, US_CORE_TAGS};
use super::document::{CLINICAL_NOTE, PATIENT_NOTE, coded};
use super::envelope::named;
use super::provenance::{as_json, provenance};
use super::{MappingError, Recipient};
use crate::consent::decide::Permit;
use crate::domain::language::Language;
use crate::domain::outbound::Outbound;
use crate::domain::page::Page;

/// A page as it is read.
#[derive(Clone, Copy)]
pub struct Sheet<'a> {
    /// What it is called.
    pub title: &'a str,
    /// In which language it is.
    pub language: Language,
    /// The text, complete in itself.
    pub text: &'a str,
    /// The same as PDF, with charts.
    pub pdf: Option<&'a [u8]>,
}

/// The identifier of the document at a place among those that follow one another as the same page: the first has the page's.
#[must_use]
pub fn page_version(page: Uuid, place: usize) -> Uuid {
    if place == 0 { page } else { named(page, &format!("version-{place}")) }
}

/// Maps the page of a permit to the resource that its clinic receives, in the place of another one if there is one to replace.
///
/// # Errors
/// [`MappingError`]; never for a page of readings that passed their JSON Schema.
pub fn page_to_fhir(
    permit: &Permit<'_, Page>,
    recipient: Recipient<'_>,
    sheet: &Sheet<'_>,
    replaces: Option<Uuid>,
) -> Result<Outbound, MappingError> {
    let patient = patient(recipient);
    let content: Vec<Value> =
        attachments(recipient, sheet).map(|attachment| json!({"attachment": attachment})).collect();
    let mut document = json!({
        "resourceType": "DocumentReference",
        "meta": meta(permit, recipient.source),
        "contained": [contained(permit, recipient)?],
        "identifier": [{"system": IDENTIFIER, "value": recipient.identifier.to_string()}],
        "status": "current",
        "docStatus": "final",
        "type": coded(PATIENT_NOTE),
        "category": [coded(CLINICAL_NOTE)],
        "subject": patient,
        "date": recorded(recipient),
        "author": [patient],
        "description": sheet.title,
        "content": content,
        "context": {"period": period(permit.item())},
    });
    if let (Some(before), Some(document)) = (replaces, document.as_object_mut()) {
        let identifier = json!({"system": IDENTIFIER, "value": before.to_string()});
        let target = json!({"type": "DocumentReference", "identifier": identifier});
        document.insert("relatesTo".to_owned(), json!([{"code": "replaces", "target": target}]));
        document.insert("docStatus".to_owned(), "amended".into());
    }
    outbound("DocumentReference", &document, recipient, false)
}

pub fn outbound(
    resource_type: &'static str,
    resource: &Value,
    recipient: Recipient<'_>,
    is_part: bool,
) -> Result<Outbound, MappingError> {
    Ok(Outbound {
        resource_type: resource_type.into(),
        identifier: recipient.identifier.to_string(),
        is_part,
        body: serde_json::to_vec(resource).map_err(WriteError::from)?,
    })
}

pub fn patient(recipient: Recipient<'_>) -> Value {
    json!({"reference": format!("Patient/{}", recipient.patient)})
}

pub fn recorded(recipient: Recipient<'_>) -> String {
    recipient.recorded.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// From when to when a page is about.
pub fn period(page: &Page) -> Value {
    json!({"start": page.start.to_rfc3339(), "end": page.last.to_rfc3339()})
}

/// The text, which is complete in itself, and what comes beside it.
pub fn attachments(recipient: Recipient<'_>, sheet: &Sheet<'_>) -> impl Iterator<Item = Value> {
    let attachment = move |content_type: &str, data: &[u8]| {
        json!({
            "contentType": content_type,
            "language": sheet.language.as_str(),
            "data": BASE64_STANDARD.encode(data),
            "title": sheet.title,
            "creation": recorded(recipient),
        })
    };
    let text = attachment("text/plain; charset=utf-8", sheet.text.as_bytes());
    std::iter::once(text).chain(sheet.pdf.map(|pdf| attachment("application/pdf", pdf)))
}

/// Where it comes from.
pub fn contained(permit: &Permit<'_, Page>, recipient: Recipient<'_>) -> Result<Value, MappingError> {
    as_json(&provenance(recipient, permit)?)
}

/// Restricted, as sensitive as all of its parts together, asserted by the patient (US Core 9, writing clinical notes).
pub fn meta(permit: &Permit<'_, Page>, source: &str) -> Value {
    let sensitive = permit.obliges().labels.iter().map(|label| (ACT_CODE, label.as_str()));
    let security = std::iter::once((CONFIDENTIALITY, "R")).chain(sensitive).chain([(OBSERVATION_VALUE, "PATAST")]);
    let security: Vec<Value> = security.map(|(system, code)| json!({"system": system, "code": code})).collect();
    json!({
        "source": source,
        "security": security,
        "tag": [{"system": US_CORE_TAGS, "code": "patient-supplied"}],
    })
}
