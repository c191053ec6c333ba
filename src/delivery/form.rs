//! The form in which an item goes to a clinic: its rung of the write ladder, and what the operator changed for this EHR.

use serde_json::Value;

use super::ehr::exact;
use crate::domain::delivery::Rung;
use crate::domain::form::Rule;

/// How resources are put into the form that one clinic takes.
#[derive(Clone, Debug)]
pub struct Forms {
    /// Turns a resource into a readable note: the document rung of the write ladder.
    pub document: fn(&Value) -> Option<Value>,
    /// Whether each resource carries its Provenance.
    pub provenance: bool,
    /// What is changed in resources of a type, after everything else.
    pub rules: Vec<Rule>,
}

impl Forms {
    /// The FHIR type in which what is mapped to `resource_type` goes at this rung.
    #[must_use]
    pub fn resource_type(rung: Rung, resource_type: &str) -> Option<&str> {
        match rung {
            Rung::None => None,
            Rung::Document => Some("DocumentReference"),
            Rung::Discrete => Some(resource_type),
        }
    }

    /// The bytes to send for a mapped resource.
    ///
    /// # Errors
    /// A code, when the resource cannot be put into this form.
    pub fn body(&self, mapped: Vec<u8>, rung: Rung) -> Result<Vec<u8>, &'static str> {
        if rung == Rung::Discrete && self.provenance && self.rules.is_empty() {
            return Ok(mapped);
        }
        let mut resource = exact::read(&mapped).ok_or("content-unreadable")?;
        // A page is a document already, and so is what is said of a note that is taken back.
        if rung == Rung::Document && type_of(&resource) != "DocumentReference" {
            resource = (self.document)(&resource).ok_or("no-document-form")?;
        }
        if !self.provenance {
            drop_provenance(&mut resource);
        }
        let resource_type = type_of(&resource).to_owned();
        for rule in self.rules.iter().filter(|rule| rule.resource == resource_type) {
            json_patch::patch(&mut resource, &rule.patch).map_err(|_| "rule-does-not-apply")?;
        }
        exact::write(&resource).ok_or("content-unwritable")
    }
}

fn type_of(resource: &Value) -> &str {
    resource.get("resourceType").and_then(Value::as_str).unwrap_or_default()
}

fn drop_provenance(resource: &mut Value) {
    let Some(contained) = resource.get_mut("contained").and_then(Value::as_array_mut) else { return };
    contained.retain(|part| part.get("resourceType").and_then(Value::as_str) != Some("Provenance"));
    if contained.is_empty()
        && let Some(resource) = resource.as_object_mut()
    {
        resource.remove("contained");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(patch: &str) -> Rule {
        Rule::new("Observation".to_owned(), serde_json::from_str(patch).unwrap()).unwrap()
    }

    fn forms(provenance: bool, rules: Vec<Rule>) -> Forms {
        Forms { document: |_| None, provenance, rules }
    }

    const MAPPED: &[u8] =
        br#"{"resourceType":"Observation","contained":[{"resourceType":"Provenance"}],"valueQuantity":{"value":6.50}}"#;

    fn sent(forms: &Forms) -> Result<String, &'static str> {
        forms.body(MAPPED.to_vec(), Rung::Discrete).map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn without_rules_a_resource_goes_as_it_was_mapped() {
        assert_eq!(sent(&forms(true, vec![])).unwrap().as_bytes(), MAPPED);
    }

    #[test]
    fn a_rule_changes_what_it_names_and_no_digit_of_anything_else() {
        let remove = rule(r#"[{"op":"add","path":"/status","value":"final"}]"#);
        let got = sent(&forms(false, vec![remove])).unwrap();
        assert_eq!(got, r#"{"resourceType":"Observation","status":"final","valueQuantity":{"value":6.50}}"#);
    }

    #[test]
    fn a_document_needs_no_document_form() {
        let gone = br#"{"resourceType":"DocumentReference","status":"entered-in-error"}"#;
        assert_eq!(forms(true, vec![]).body(gone.to_vec(), Rung::Document).unwrap(), gone);
        assert_eq!(forms(true, vec![]).body(MAPPED.to_vec(), Rung::Document), Err("no-document-form"));
    }

    #[test]
    fn a_rule_that_does_not_apply_holds_the_item_back() {
        let remove = rule(r#"[{"op":"remove","path":"/note"}]"#);
        assert_eq!(sent(&forms(true, vec![remove])), Err("rule-does-not-apply"));
    }
}
