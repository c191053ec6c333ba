//! What an EHR says it can do (`GET /metadata`, FHIR R4 capabilitystatement.html). Absence means unsupported.

use serde_json::Value;

/// The parts of a `CapabilityStatement` that the bridge acts on.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Capabilities {
    conditional_create: Vec<String>,
}

impl Capabilities {
    /// Reads a `CapabilityStatement`; `None` if it is not one of FHIR R4 or R4B.
    #[must_use]
    pub fn read(body: &[u8]) -> Option<Self> {
        let statement: Value = serde_json::from_slice(body).ok()?;
        let version = statement.get("fhirVersion").and_then(Value::as_str)?;
        if !(version.starts_with("4.0") || version.starts_with("4.3")) {
            return None;
        }
        let resources = statement.pointer("/rest/0/resource").and_then(Value::as_array)?;
        let conditional_create = resources
            .iter()
            .filter(|resource| resource.get("conditionalCreate").and_then(Value::as_bool) == Some(true))
            .filter_map(|resource| resource.get("type").and_then(Value::as_str).map(str::to_owned))
            .collect();
        Some(Self { conditional_create })
    }

    /// Whether a create of this type may carry `If-None-Exist`.
    #[must_use]
    pub fn has_conditional_create(&self, resource_type: &str) -> bool {
        self.conditional_create.iter().any(|name| name == resource_type)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absence_means_unsupported() {
        let statement = br#"{"fhirVersion":"4.0.1","rest":[{"resource":[
            {"type":"Observation","conditionalCreate":true},{"type":"Task"}]}]}"#;
        let capabilities = Capabilities::read(statement).unwrap();
        assert!(capabilities.has_conditional_create("Observation"));
        assert!(!capabilities.has_conditional_create("Task"));
        assert!(!capabilities.has_conditional_create("Patient"));
    }

    #[test]
    fn another_fhir_version_is_not_spoken() {
        assert_eq!(Capabilities::read(br#"{"fhirVersion":"5.0.0","rest":[{"resource":[]}]}"#), None);
        assert_eq!(Capabilities::read(b"<html>"), None);
    }
}
