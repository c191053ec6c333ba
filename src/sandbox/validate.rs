//! What every resource has to fulfil before it is stored: the base rules of R4 and the few of a clinic.

use serde_json::Value;

use super::json::{relative, text};
use super::outcome::Refusal;
use super::store::Store;
use super::types::ResourceType;

/// Checks a resource that is about to be stored as `kind`.
///
/// # Errors
/// The first rule it breaks.
pub fn resource(store: &Store, base: &str, kind: &ResourceType, resource: &Value) -> Result<(), Refusal> {
    if !resource.is_object() {
        return Err(Refusal::bad_request("structure", "the body is not a JSON object"));
    }
    let stated = text(resource, "resourceType");
    if stated != Some(kind.name) {
        let diagnostics = format!("resourceType is {}, the address says {}", stated.unwrap_or("missing"), kind.name);
        return Err(Refusal::unprocessable("invalid", diagnostics).at("resourceType"));
    }
    if resource.get("meta").is_some_and(|meta| !meta.is_object()) {
        return Err(Refusal::unprocessable("structure", "meta is not an object").at(format!("{}.meta", kind.name)));
    }
    nothing_is_empty(resource, kind.name)?;
    if let Some(missing) = kind.required.iter().find(|&&name| !has(resource, name)) {
        let at = format!("{}.{missing}", kind.name);
        return Err(Refusal::unprocessable("required", format!("{at} is missing")).at(at));
    }
    match kind.patient.and_then(|name| Some((name, resource.get(name)?))) {
        Some((name, reference)) => patient_exists(store, base, reference, &format!("{}.{name}", kind.name)),
        None => Ok(()),
    }
}

/// The type and id that a literal reference to a resource of this server names.
fn local_reference<'a>(base: &str, reference: &'a str) -> Option<(&'a str, &'a str)> {
    let (kind, rest) = relative(base, reference).split_once('/')?;
    let id = rest.split_once("/_history/").map_or(rest, |(id, _)| id);
    (!kind.contains(':') && !id.is_empty() && !id.contains('/')).then_some((kind, id))
}

/// Whether an element, or the extension that stands in for a primitive one, is there.
fn has(resource: &Value, name: &str) -> bool {
    resource.get(name).is_some() || resource.get(format!("_{name}")).is_some()
}

fn patient_exists(store: &Store, base: &str, reference: &Value, at: &str) -> Result<(), Refusal> {
    let Some(reference) = text(reference, "reference") else {
        return Err(Refusal::unprocessable("required", format!("{at}.reference is missing")).at(at));
    };
    match local_reference(base, reference) {
        Some(("Patient", id)) if store.holds("Patient", id) => Ok(()),
        _ => Err(Refusal::unprocessable("not-found", format!("{at} is no patient of this server")).at(at)),
    }
}

/// FHIR's JSON has no empty strings, objects or arrays, and null only as a gap in an array.
fn nothing_is_empty(value: &Value, at: &str) -> Result<(), Refusal> {
    let empty = match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    };
    if empty {
        return Err(Refusal::unprocessable("structure", format!("{at} is empty")).at(at));
    }
    let items = value.as_array().into_iter().flatten().enumerate().filter(|(_, item)| !item.is_null());
    for (index, item) in items {
        nothing_is_empty(item, &format!("{at}[{index}]"))?;
    }
    for (name, member) in value.as_object().into_iter().flatten() {
        nothing_is_empty(member, &format!("{at}.{name}"))?;
    }
    Ok(())
}
