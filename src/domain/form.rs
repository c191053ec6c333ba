//! The form in which a clinic's EHR wants what is sent, where an operator says so.

use json_patch::{Patch, PatchOperation};
use serde::Deserialize;

use super::delivery::Rung;

/// Elements that say what the resource is, and whose: no rule may touch them.
const UNTOUCHABLE: [&str; 5] = ["/resourceType", "/id", "/identifier", "/subject", "/patient"];

/// What an EHR takes, whatever it says itself. `None` leaves it to the EHR.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Takes {
    /// The rung of the write ladder.
    pub form: Option<Rung>,
    /// Whether several items may go in one request, as a `batch`.
    pub batch: Option<bool>,
    /// Whether a create may carry `If-None-Exist`.
    pub conditional_create: Option<bool>,
    /// Whether it may be told how consents stand.
    pub consent: Option<bool>,
}

/// Changes to resources of a type, for an EHR that wants them otherwise.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(try_from = "Written")]
pub struct Rule {
    /// FHIR resource type.
    pub resource: String,
    /// JSON Patch (RFC 6902).
    pub patch: Patch,
}

impl Rule {
    /// A rule that leaves alone what says which resource it is, and whose.
    ///
    /// # Errors
    /// What was expected.
    pub fn new(resource: String, patch: Patch) -> Result<Self, &'static str> {
        let touches = |operation: &PatchOperation| {
            let from = match operation {
                PatchOperation::Move(operation) => Some(operation.from.as_str()),
                PatchOperation::Add(_)
                | PatchOperation::Copy(_)
                | PatchOperation::Remove(_)
                | PatchOperation::Replace(_)
                | PatchOperation::Test(_) => None,
            };
            is_untouchable(operation.path().as_str()) || from.is_some_and(is_untouchable)
        };
        if patch.0.iter().any(touches) {
            return Err(
                "expected paths below the resource other than /resourceType, /id, /identifier, /subject and /patient",
            );
        }
        Ok(Self { resource, patch })
    }
}

fn is_untouchable(path: &str) -> bool {
    let below = |name: &&str| path == *name || path.strip_prefix(*name).is_some_and(|rest| rest.starts_with('/'));
    path.is_empty() || UNTOUCHABLE.iter().any(below)
}

/// A rule as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    resource: String,
    patch: Patch,
}

impl TryFrom<Written> for Rule {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        Self::new(written.resource, written.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(patch: &str) -> Result<Rule, &'static str> {
        Rule::new("Observation".to_owned(), serde_json::from_str(patch).unwrap())
    }

    #[test]
    fn no_rule_touches_what_says_whose_the_resource_is() {
        for path in ["", "/subject", "/subject/reference", "/identifier/0/value", "/id", "/resourceType"] {
            assert!(rule(&format!(r#"[{{"op":"remove","path":"{path}"}}]"#)).is_err(), "{path}");
            assert!(rule(&format!(r#"[{{"op":"move","from":"{path}","path":"/x"}}]"#)).is_err(), "from {path}");
        }
        assert!(rule(r#"[{"op":"remove","path":"/identifiers"}]"#).is_ok());
    }
}
