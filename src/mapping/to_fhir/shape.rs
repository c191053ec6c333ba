//! Elements of R4 (datatypes.html) for resources that are written straight away: these types borrow.

use std::borrow::Cow;

use serde::Serialize;

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
