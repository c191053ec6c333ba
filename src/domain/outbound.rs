//! A resource on its way to a clinic.

use std::borrow::Cow;
use std::fmt;

/// A FHIR resource, ready to be put into the outbox. A personal value: its `Debug` shows the type only.
#[derive(Clone, PartialEq, Eq)]
pub struct Outbound {
    /// FHIR resource type.
    pub resource_type: Cow<'static, str>,
    /// Value of the resource's first identifier: the same whenever the same reading is mapped for the same clinic.
    pub identifier: String,
    /// Whether it is a part of what another resource says as a whole.
    pub is_part: bool,
    /// FHIR JSON.
    pub body: Vec<u8>,
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Outbound({} {})", self.resource_type, self.identifier)
    }
}
