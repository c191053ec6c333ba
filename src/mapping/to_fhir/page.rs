//! Page → `DocumentReference`: the text, and the PDF where the clinic takes one. Under LOINC's 51855-5, Patient Note, as
//! every note of the bridge: 34133-9, Summary of episode note, would be read as what a clinician says of a treatment.
//!
//! A corrected page takes the place of the one before under the same identifier (`docStatus` `amended`), as everything that
//! is corrected does; `relatesTo` would leave both for people to find. Where the EHR lets nobody change what it has, both are
//! better than the one that is wrong: then the new one has an identifier of its own, and says which one it replaces.

use fhir_codec::WriteError;
use fhir_codec::resources::Resource;
use serde::Serialize;
use uuid::Uuid;

use super::codes::IDENTIFIER;
use super::document::{CLINICAL_NOTE, PATIENT_NOTE};
use super::envelope::named;
use super::provenance::provenance;
use super::shape::{Attachment, Concept, Identifier, Meta, Period, Reference, instant, patient};
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

/// R4 `DocumentReference` (documentreference.html), as far as the bridge writes it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    resource_type: &'static str,
    meta: Meta<'a>,
    contained: [Resource; 1],
    identifier: [Identifier; 1],
    status: &'static str,
    doc_status: &'static str,
    r#type: Concept<'a>,
    category: [Concept<'a>; 1],
    subject: &'a Reference<'a>,
    date: String,
    author: [&'a Reference<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    relates_to: Option<[Relation<'a>; 1]>,
    description: &'a str,
    content: Vec<Content<'a>>,
    context: Context,
}

#[derive(Serialize)]
struct Relation<'a> {
    code: &'static str,
    target: Reference<'a>,
}

#[derive(Serialize)]
struct Content<'a> {
    attachment: Attachment<'a>,
}

#[derive(Serialize)]
struct Context {
    period: Period,
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
    let replaces = replaces.map(|before| Relation {
        code: "replaces",
        target: Reference {
            r#type: Some("DocumentReference"),
            identifier: Some(Identifier { system: IDENTIFIER, value: before.to_string() }),
            ..Reference::default()
        },
    });
    let document = Document {
        resource_type: "DocumentReference",
        meta: Meta::of_patient(recipient.source, &permit.obliges().labels, []),
        contained: [provenance(recipient, permit)?],
        identifier: [Identifier { system: IDENTIFIER, value: recipient.identifier.to_string() }],
        status: "current",
        doc_status: if replaces.is_some() { "amended" } else { "final" },
        r#type: PATIENT_NOTE.into(),
        category: [CLINICAL_NOTE.into()],
        subject: &patient,
        date: instant(recipient.recorded),
        author: [&patient],
        relates_to: replaces.map(|before| [before]),
        description: sheet.title,
        content: attachments(recipient, sheet).map(|attachment| Content { attachment }).collect(),
        context: Context { period: period(permit.item()) },
    };
    outbound("DocumentReference", &document, recipient, false)
}

/// A resource that holds a page, as it leaves.
pub fn outbound(
    resource_type: &'static str,
    resource: &impl Serialize,
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

/// From when to when a page is about.
pub fn period(page: &Page) -> Period {
    Period { start: page.start.to_rfc3339(), end: Some(page.last.to_rfc3339()) }
}

/// The text, which is complete in itself, and what comes beside it.
pub fn attachments<'a>(recipient: Recipient<'a>, sheet: &Sheet<'a>) -> impl Iterator<Item = Attachment<'a>> {
    let (language, title) = (sheet.language.as_str(), sheet.title);
    let attachment = move |content_type: &'static str, data: &[u8]| {
        Attachment::new(content_type, language, data, title).made_at(recipient.recorded)
    };
    let text = attachment("text/plain; charset=utf-8", sheet.text.as_bytes());
    std::iter::once(text).chain(sheet.pdf.map(|pdf| attachment("application/pdf", pdf)))
}
