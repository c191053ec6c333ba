//! Page → `DocumentReference`: the text, and the PDF where the clinic takes one. Under LOINC's 51855-5, Patient Note, as
//! every note of the bridge: 34133-9, Summary of episode note, would be read as what a clinician says of a treatment.
//!
//! A corrected page takes the place of the one before under the same identifier (`docStatus` `amended`), as everything that
//! is corrected does; `relatesTo` would leave both for people to find.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use fhir_codec::WriteError;
use serde_json::{Value, json};

use super::codes::{ACT_CODE, CONFIDENTIALITY, IDENTIFIER, OBSERVATION_VALUE, US_CORE_TAGS};
use super::document::{CLINICAL_NOTE, PATIENT_NOTE, coded};
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

/// Maps the page of a permit to the resource that its clinic receives.
///
/// # Errors
/// [`MappingError`]; never for a page of readings that passed their JSON Schema.
pub fn page_to_fhir(
    permit: &Permit<'_, Page>,
    recipient: Recipient<'_>,
    sheet: &Sheet<'_>,
) -> Result<Outbound, MappingError> {
    let patient = patient(recipient);
    let content: Vec<Value> =
        attachments(recipient, sheet).map(|attachment| json!({"attachment": attachment})).collect();
    let document = json!({
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
