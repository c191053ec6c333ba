//! What stands in an EHR, with what the member changed put in its place.
//!
//! What stands there may have been added to by others: everything the bridge did not write stays as it is.

use serde_json::{Map, Value};

use super::capability::RESPONSE_TYPE;
use crate::domain::delivery::Operation;
use crate::domain::label::Label;

/// Elements that come and go with what the member said: absent in the new version means gone.
const OWNED: [&str; 11] = [
    "component",
    "contained",
    "content",
    "dataAbsentReason",
    "derivedFrom",
    "device",
    "hasMember",
    "interpretation",
    "note",
    "presentedForm",
    "result",
];

/// The same, in all their types.
const OWNED_STEMS: [&str; 3] = ["value", "effective", "source"];

/// Elements of which the bridge writes parts, to which others add theirs.
const SHARED: [&str; 2] = ["context", "identifier"];

/// Elements of the EHR's own. What the bridge says in `meta` is told apart there.
const FOREIGN: [&str; 3] = ["id", "meta", "text"];

/// The same, in a Consent: what it says in words is said by the bridge.
const FOREIGN_IN_CONSENT: [&str; 2] = ["id", "meta"];

/// The systems of the labels that the bridge sets (HL7 v3).
const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
const OBSERVATION_VALUE: &str = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue";

/// Where the profiles are that the bridge claims.
const PROFILES: &str = "http://hl7.org/fhir/";

/// `current`, brought up to `wanted`. For a retraction only its status changes.
pub(super) fn merged(current: &Value, wanted: &Value, operation: Operation) -> Value {
    let (Some(mut next), Some(wanted)) = (current.as_object().cloned(), wanted.as_object()) else {
        return current.clone();
    };
    if operation != Operation::Retract {
        let foreign = if type_of(&next) == Some("Consent") { &FOREIGN_IN_CONSENT[..] } else { &FOREIGN[..] };
        next.retain(|name, _| !is_owned(name) || wanted.contains_key(name));
        for (name, value) in wanted.iter().filter(|(name, _)| !foreign.contains(&name.as_str())) {
            put(&mut next, name, value);
        }
        relabel(&mut next, wanted);
    }
    mark(&mut next, operation);
    Value::Object(next)
}

fn put(next: &mut Map<String, Value>, name: &str, value: &Value) {
    match next.get_mut(name) {
        // It is said already; perhaps others said more.
        Some(there) if !is_owned(name) && covers(there, value) => {}
        Some(Value::Array(there)) if SHARED.contains(&name) => {
            there.extend(value.as_array().into_iter().flatten().cloned());
        }
        Some(Value::Object(there)) if SHARED.contains(&name) => {
            there.extend(value.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())));
        }
        _ => _ = next.insert(name.to_owned(), value.clone()),
    }
}

/// Whether all of `wanted` is said there.
fn covers(there: &Value, wanted: &Value) -> bool {
    match (there, wanted) {
        (Value::Object(there), Value::Object(wanted)) => {
            wanted.iter().all(|(name, wanted)| there.get(name).is_some_and(|there| covers(there, wanted)))
        }
        (Value::Array(there), Value::Array(wanted)) => {
            wanted.iter().all(|wanted| there.iter().any(|there| covers(there, wanted)))
        }
        _ => there == wanted,
    }
}

/// Of the labels and profiles, those of the bridge are the ones of `wanted`; what others added stays.
fn relabel(next: &mut Map<String, Value>, wanted: &Map<String, Value>) {
    let Some(wanted) = wanted.get("meta").and_then(Value::as_object) else { return };
    let meta = next.entry("meta").or_insert_with(|| Value::Object(Map::new()));
    let Some(meta) = meta.as_object_mut() else { return };
    let of = |meta: &Map<String, Value>, name| meta.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    for (name, is_ours) in [("security", is_label as fn(&Value) -> bool), ("profile", is_profile)] {
        let (mut there, wanted) = (of(meta, name), of(wanted, name));
        there.retain(|it| !is_ours(it) || wanted.iter().any(|wanted| covers(it, wanted)));
        let new: Vec<Value> =
            wanted.into_iter().filter(|wanted| !there.iter().any(|there| covers(there, wanted))).collect();
        there.extend(new);
        if there.is_empty() {
            meta.remove(name);
        } else {
            meta.insert(name.to_owned(), Value::Array(there));
        }
    }
}

/// Whether it is a label that the bridge sets when a fact carries it, and takes away when it does no more.
fn is_label(coding: &Value) -> bool {
    let text = |name| coding.get(name).and_then(Value::as_str).unwrap_or_default();
    match text("system") {
        ACT_CODE => Label::from_name(text("code")).is_some(),
        OBSERVATION_VALUE => matches!(text("code"), "PATAST" | "DEVAST"),
        _ => false,
    }
}

fn is_profile(profile: &Value) -> bool {
    profile.as_str().is_some_and(|profile| profile.starts_with(PROFILES))
}

fn is_owned(name: &str) -> bool {
    OWNED.contains(&name) || OWNED_STEMS.iter().any(|stem| name.starts_with(stem))
}

fn type_of(resource: &Map<String, Value>) -> Option<&str> {
    resource.get("resourceType").and_then(Value::as_str)
}

/// Says in the resource what was done with it: `corrected` (Observation.status, DiagnosticReport.status), `amended` (DocumentReference.docStatus,
/// and QuestionnaireResponse.status, which have no other word for it), `entered-in-error`; and in the Provenance that came along,
/// that it was revised. A Consent says itself how it stands.
fn mark(resource: &mut Map<String, Value>, operation: Operation) {
    let is_document = type_of(resource) == Some("DocumentReference");
    let is_consent = type_of(resource) == Some("Consent");
    let is_response = type_of(resource) == Some(RESPONSE_TYPE);
    let (element, code) = match operation {
        Operation::Retract => ("status", "entered-in-error"),
        Operation::Create | Operation::Correct if is_consent => return,
        Operation::Create | Operation::Correct if is_document => ("docStatus", "amended"),
        Operation::Create | Operation::Correct if is_response => ("status", "amended"),
        Operation::Create | Operation::Correct => ("status", "corrected"),
    };
    resource.insert(element.to_owned(), Value::from(code));
    if operation == Operation::Retract {
        return;
    }
    let contained = resource.get_mut("contained").and_then(Value::as_array_mut).into_iter().flatten();
    for did in contained.filter_map(|part| part.pointer_mut("/activity/coding/0")?.as_object_mut()) {
        did.insert("code".to_owned(), Value::from("UPDATE"));
        did.insert("display".to_owned(), Value::from("revise"));
    }
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;
