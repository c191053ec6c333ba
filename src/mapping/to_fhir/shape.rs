//! Elements of R4 (datatypes.html) for resources that are written straight away: these types borrow.

use std::borrow::Cow;
use std::collections::BTreeSet;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use serde::Serialize;

use super::Recipient;
use super::codes::{ACT_CODE, CONFIDENTIALITY, OBSERVATION_VALUE, US_CORE_TAGS};
use crate::domain::consented::Practitioner;
use crate::domain::label::Label;

/// Where a resource comes from, and how sensitive it is.
#[derive(Serialize)]
pub struct Meta<'a> {
    source: &'a str,
    security: Vec<Coding<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<[Coding<'a>; 1]>,
}

impl<'a> Meta<'a> {
    /// Restricted, as sensitive as these labels say, and asserted and supplied by the patient (HL7 DS4P; US Core 9); with
    /// further labels, if there are any.
    pub fn of_patient(
        source: &'a str,
        labels: &'a BTreeSet<Label>,
        further: impl IntoIterator<Item = Coding<'a>>,
    ) -> Self {
        let vouches = Coding::new(OBSERVATION_VALUE, "PATAST");
        Self {
            security: restricted(labels).chain(further).chain([vouches]).collect(),
            tag: Some([Coding::new(US_CORE_TAGS, "patient-supplied")]),
            source,
        }
    }

    /// Restricted, and as sensitive as these labels say.
    pub fn restricted(source: &'a str, labels: &'a BTreeSet<Label>) -> Self {
        Self { source, security: restricted(labels).collect(), tag: None }
    }
}

fn restricted(labels: &BTreeSet<Label>) -> impl Iterator<Item = Coding<'_>> {
    let sensitive = labels.iter().map(|label| Coding::new(ACT_CODE, label.as_str()));
    std::iter::once(Coding::new(CONFIDENTIALITY, "R")).chain(sensitive)
}

/// A text or a file that stands within a resource.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Attachment<'a> {
    content_type: &'static str,
    language: &'static str,
    data: String,
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    creation: Option<String>,
}

impl<'a> Attachment<'a> {
    /// These bytes, under this name.
    pub fn new(content_type: &'static str, language: &'static str, data: &[u8], title: &'a str) -> Self {
        Self { content_type, language, data: BASE64_STANDARD.encode(data), title, creation: None }
    }

    /// The same, made at this moment.
    pub fn made_at(self, at: Timestamp) -> Self {
        Self { creation: Some(instant(at)), ..self }
    }
}

/// From when to when.
#[derive(Serialize)]
pub struct Period {
    pub start: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
}

/// An instant, to the second, in UTC (R4, datatypes, instant).
pub fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The member's Patient at the clinic.
pub fn patient(recipient: Recipient<'_>) -> Reference<'static> {
    Reference { reference: Some(format!("Patient/{}", recipient.patient)), ..Reference::default() }
}

/// The one practitioner whom it is for.
pub fn practitioner(named: &Practitioner) -> Reference<'_> {
    let reference = Some(format!("Practitioner/{}", named.id));
    Reference { reference, display: Some(&named.display), ..Reference::default() }
}

/// A resource, by its place or by its identifier.
#[derive(Default, Serialize)]
#[expect(clippy::struct_field_names, reason = "R4 calls it so")]
pub struct Reference<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identifier: Option<Identifier>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display: Option<&'a str>,
}

/// What something is called within a system.
#[derive(Serialize)]
pub struct Identifier {
    pub system: &'static str,
    pub value: String,
}

/// A concept of one code, and what it is called.
#[derive(Serialize)]
pub struct Concept<'a> {
    coding: [Coding<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
}

/// A code, and what it means, for people.
#[derive(Serialize)]
pub struct Coding<'a> {
    system: &'static str,
    code: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    display: Option<Cow<'a, str>>,
}

impl<'a> Coding<'a> {
    /// A code without words.
    pub fn new(system: &'static str, code: impl Into<Cow<'a, str>>) -> Self {
        Self { system, code: code.into(), display: None }
    }

    /// A code in words, too.
    pub fn said(system: &'static str, code: impl Into<Cow<'a, str>>, display: impl Into<Cow<'a, str>>) -> Self {
        Self { system, code: code.into(), display: Some(display.into()) }
    }
}

impl<'a> Concept<'a> {
    /// A concept that is called so.
    pub fn called(coding: Coding<'a>, text: &'a str) -> Self {
        Self { coding: [coding], text: Some(text) }
    }
}

impl<'a> From<Coding<'a>> for Concept<'a> {
    fn from(coding: Coding<'a>) -> Self {
        Self { coding: [coding], text: None }
    }
}

impl From<(&'static str, &'static str, &'static str)> for Concept<'_> {
    /// System, code and display.
    fn from((system, code, display): (&'static str, &'static str, &'static str)) -> Self {
        Coding::said(system, code, display).into()
    }
}
