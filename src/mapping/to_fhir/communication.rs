//! R4 Communication (communication.html), as far as the bridge writes it: what a member says to a clinic, and that a patient may be
//! in danger. These types borrow and are written straight away.

use fhir_codec::WriteError;
use fhir_codec::resources::Resource;
use serde::Serialize;

use super::codes::IDENTIFIER;
use super::shape::{Coding, Concept, Identifier, Meta, Reference, instant, patient};
use super::{MappingError, Recipient};
use crate::consent::decide::Permit;
use crate::domain::outbound::Outbound;

/// The resource.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Communication<'a> {
    resource_type: &'static str,
    meta: Meta<'a>,
    contained: [Resource; 1],
    identifier: [Identifier; 1],
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub based_on: Option<[Reference<'a>; 1]>,
    /// What it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_response_to: Option<[Reference<'a>; 1]>,
    status: &'static str,
    /// What kind it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<[Concept<'a>; 1]>,
    /// How urgent it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<&'static str>,
    subject: Reference<'a>,
    sent: String,
    /// To whom, where it is one practitioner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient: Option<[Reference<'a>; 1]>,
    /// From whom.
    pub sender: Reference<'a>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason_code: Option<[Concept<'a>; 1]>,
    payload: [Payload; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    content_string: String,
}

impl<'a> Communication<'a> {
    /// What the patient says, in these words; with further labels, if there are any.
    pub fn new<T>(
        permit: &'a Permit<'_, T>,
        recipient: Recipient<'a>,
        provenance: Resource,
        further: impl IntoIterator<Item = Coding<'a>>,
        text: String,
    ) -> Self {
        Self {
            resource_type: "Communication",
            meta: Meta::of_patient(recipient.source, &permit.obliges().labels, further),
            contained: [provenance],
            identifier: [Identifier { system: IDENTIFIER, value: recipient.identifier.to_string() }],
            based_on: None,
            in_response_to: None,
            status: "completed",
            category: None,
            priority: None,
            subject: patient(recipient),
            sent: instant(recipient.recorded),
            recipient: None,
            sender: patient(recipient),
            reason_code: None,
            payload: [Payload { content_string: text }],
        }
    }

    /// As it leaves; `is_part`: something else says the same, where that can be.
    ///
    /// # Errors
    /// [`MappingError`]; never for what was made here.
    pub fn outbound(&self, is_part: bool) -> Result<Outbound, MappingError> {
        let [Identifier { value, .. }] = &self.identifier;
        Ok(Outbound {
            resource_type: "Communication".into(),
            identifier: value.clone(),
            is_part,
            body: serde_json::to_vec(self).map_err(WriteError::from)?,
        })
    }
}
