//! R4 Consent (consent.html), as far as the bridge writes it. These types borrow and are written straight away: a consent
//! permits up to ten kinds of data, each in eight codes and references.

use fhir_codec::resources::Resource;
use serde::Serialize;

use crate::mapping::to_fhir::shape::{Attachment, Coding, Concept, Identifier, Meta, Period, Reference};

/// The resource.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Consent<'a> {
    pub resource_type: &'static str,
    pub meta: Meta<'a>,
    pub language: &'static str,
    pub text: Narrative,
    pub contained: [Resource; 1],
    pub identifier: [Identifier; 1],
    pub status: &'static str,
    pub scope: Concept<'a>,
    pub category: [Concept<'a>; 2],
    pub patient: &'a Reference<'a>,
    pub date_time: String,
    pub performer: [&'a Reference<'a>; 1],
    pub organization: [&'a Reference<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_attachment: Option<Attachment<'a>>,
    pub policy: [Policy; 1],
    pub provision: Rule<'a>,
}

/// It in words, as XHTML.
#[derive(Serialize)]
pub struct Narrative {
    pub status: &'static str,
    pub div: String,
}

/// By which rules it is read.
#[derive(Serialize)]
pub struct Policy {
    pub uri: &'static str,
}

/// What holds where no exception does.
#[derive(Serialize)]
pub struct Rule<'a> {
    pub r#type: &'static str,
    pub provision: Vec<Exception<'a>>,
}

/// One kind of data that may go to somebody.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Exception<'a> {
    pub r#type: &'static str,
    pub period: &'a Period,
    pub actor: [Actor<'a>; 1],
    pub purpose: &'a [Coding<'a>],
    pub code: [Concept<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_period: Option<&'a Period>,
}

/// Who it may go to.
#[derive(Serialize)]
pub struct Actor<'a> {
    pub role: Concept<'a>,
    pub reference: &'a Reference<'a>,
}
