//! What can be done with resources: from a call to its answer, in one step that nothing can interleave.

use actix_web::http::StatusCode;
use serde_json::Value;

use super::exchange::{Answer, Call, Wanted, etag};
use super::json::text;
use super::outcome::Refusal;
use super::store::{Record, Store};
use super::types::{self, ResourceType};
use super::{House, capability, outcome, schedule, search, validate};

/// Answers one call that is not a bundle of calls.
///
/// # Errors
/// The refusal.
pub fn answer(house: &House, store: &mut Store, call: &Call) -> Result<Answer, Refusal> {
    let path: Vec<&str> = call.path.split('/').filter(|part| !part.is_empty()).collect();
    match (call.method.as_str(), path.as_slice()) {
        ("GET", ["metadata"]) => Ok(Answer::document(capability::statement(house))),
        (_, ["metadata"]) => Err(Refusal::not_allowed("GET", "metadata can only be read")),
        (method, [name, rest @ ..]) => {
            let unknown = || Refusal::new(StatusCode::NOT_FOUND, "not-supported", format!("there is no type {name}"));
            on_type(house, store, call, types::find(name).ok_or_else(unknown)?, method, rest)
        }
        (_, []) => Err(Refusal::not_allowed("POST", "only a Bundle can be posted here")),
    }
}

fn on_type(
    house: &House,
    store: &mut Store,
    call: &Call,
    kind: &'static ResourceType,
    method: &str,
    rest: &[&str],
) -> Result<Answer, Refusal> {
    match (method, rest) {
        ("POST", []) => create(house, store, kind, call),
        ("GET", []) | ("POST", ["_search"]) => search::answer(house, store, kind, call),
        (_, [operation] | [_, operation]) if operation.starts_with('$') => match kind.name {
            "Appointment" => schedule::answer(house, store, call, rest),
            _ => Err(schedule::no_operation(operation)),
        },
        ("GET", [id]) => read(store, kind, id),
        ("GET", [id, "_history", number]) => read_version(store, kind, id, number),
        ("PUT", [id]) => update(house, store, kind, id, call),
        ("PATCH", [id]) => patch(house, store, kind, id, call),
        ("DELETE", [id]) => delete(house, store, kind, id, call),
        (_, []) => Err(Refusal::not_allowed("GET, POST", format!("{method} does not work on a type"))),
        (_, ["_search"]) => Err(Refusal::not_allowed("POST", "_search can only be posted to")),
        (_, [_]) => {
            Err(Refusal::not_allowed("GET, PUT, PATCH, DELETE", format!("{method} does not work on a resource")))
        }
        (_, [_, "_history", _]) => Err(Refusal::not_allowed("GET", "a version can only be read")),
        _ => Err(Refusal::not_found("there is nothing at this address")),
    }
}

fn create(house: &House, store: &mut Store, kind: &'static ResourceType, call: &Call) -> Result<Answer, Refusal> {
    if let Some(criteria) = &call.if_none_exist
        && let Some(existing) = search::only_match(house, store, kind, criteria)?
    {
        return written(house, kind, existing, StatusCode::OK, call.prefer.wanted);
    }
    let resource = body(call)?;
    validate::resource(store, &house.base, kind, resource)?;
    let id = match &call.promised_id {
        Some(id) => id.clone(),
        None => house.fresh_id()?,
    };
    let position = store.create(kind.name, id, house.now(), resource.clone());
    let record = store.at(kind.name, position).ok_or_else(lost)?;
    written(house, kind, record, StatusCode::CREATED, call.prefer.wanted)
}

fn read(store: &Store, kind: &ResourceType, id: &str) -> Result<Answer, Refusal> {
    let (_, record) = existing(store, kind, id)?;
    let version = record.latest().ok_or_else(lost)?;
    Ok(Answer::about(StatusCode::OK, version))
}

fn read_version(store: &Store, kind: &ResourceType, id: &str, number: &str) -> Result<Answer, Refusal> {
    let record = store.position(kind.name, id).and_then(|position| store.at(kind.name, position));
    let version = record.and_then(|record| record.version(number));
    let version =
        version.ok_or_else(|| Refusal::not_found(format!("there is no version {number} of {}/{id}", kind.name)))?;
    if version.resource.is_none() { Err(gone(kind, id)) } else { Ok(Answer::about(StatusCode::OK, version)) }
}

fn update(
    house: &House,
    store: &mut Store,
    kind: &'static ResourceType,
    id: &str,
    call: &Call,
) -> Result<Answer, Refusal> {
    let Some(position) = store.position(kind.name, id) else {
        let diagnostics = format!("there is no {}/{id}, and an update does not create it", kind.name);
        return Err(Refusal::not_allowed("", diagnostics));
    };
    let (_, record) = existing(store, kind, id)?;
    if call.if_match.is_none() {
        return Err(Refusal::bad_request("required", "an update needs If-Match, see versioning in metadata"));
    }
    version_matches(record, call)?;
    let resource = body(call)?;
    if text(resource, "id") != Some(id) {
        return Err(Refusal::bad_request("invalid", "the id differs from the address").at(format!("{}.id", kind.name)));
    }
    validate::resource(store, &house.base, kind, resource)?;
    store.append(kind.name, position, house.now(), Some(resource.clone()));
    let record = store.at(kind.name, position).ok_or_else(lost)?;
    written(house, kind, record, StatusCode::OK, call.prefer.wanted)
}

/// A JSON Patch (R4, http.html, 3.1.0.8; RFC 6902). Whoever cancels an Appointment with it frees its Slots: so Argonaut
/// Scheduling gives back what was held or booked by its operations.
fn patch(
    house: &House,
    store: &mut Store,
    kind: &'static ResourceType,
    id: &str,
    call: &Call,
) -> Result<Answer, Refusal> {
    let (position, record) = existing(store, kind, id)?;
    version_matches(record, call)?;
    let before = record.current().map(|(_, resource)| resource.clone()).ok_or_else(lost)?;
    let unreadable = |error: serde_json::Error| Refusal::bad_request("structure", format!("no JSON Patch: {error}"));
    let patch: json_patch::Patch = serde_json::from_value(body(call)?.clone()).map_err(unreadable)?;
    let mut after = before.clone();
    json_patch::patch(&mut after, &patch).map_err(|error| Refusal::unprocessable("invalid", error.to_string()))?;
    if text(&after, "id") != Some(id) {
        return Err(Refusal::unprocessable("invalid", "the id stays").at(format!("{}.id", kind.name)));
    }
    validate::resource(store, &house.base, kind, &after)?;
    store.append(kind.name, position, house.now(), Some(after.clone()));
    if kind.name == "Appointment" {
        schedule::free_slots(house, store, &before, &after);
    }
    let record = store.at(kind.name, position).ok_or_else(lost)?;
    written(house, kind, record, StatusCode::OK, call.prefer.wanted)
}

fn delete(
    house: &House,
    store: &mut Store,
    kind: &'static ResourceType,
    id: &str,
    call: &Call,
) -> Result<Answer, Refusal> {
    let deleted = || Answer { status: StatusCode::NO_CONTENT, location: None, version: None, body: None };
    match existing(store, kind, id) {
        // To delete what is deleted is no error in R4.
        Err(refusal) if refusal.status == StatusCode::GONE => return Ok(deleted()),
        Err(refusal) => return Err(refusal),
        Ok((position, record)) => {
            version_matches(record, call)?;
            store.append(kind.name, position, house.now(), None);
        }
    }
    Ok(deleted())
}

/// A resource that is there: 404 if it never was, 410 if it was deleted.
fn existing<'a>(store: &'a Store, kind: &ResourceType, id: &str) -> Result<(usize, &'a Record), Refusal> {
    let found = store.position(kind.name, id).and_then(|at| Some((at, store.at(kind.name, at)?)));
    let (position, record) = found.ok_or_else(|| Refusal::not_found(format!("there is no {}/{id}", kind.name)))?;
    if record.current().is_none() { Err(gone(kind, id)) } else { Ok((position, record)) }
}

fn gone(kind: &ResourceType, id: &str) -> Refusal {
    Refusal::new(StatusCode::GONE, "deleted", format!("{}/{id} was deleted", kind.name))
}

fn version_matches(record: &Record, call: &Call) -> Result<(), Refusal> {
    let current = record.latest().map(|version| etag(version.number));
    match &call.if_match {
        Some(wanted) if current.as_ref() != Some(wanted) => {
            let diagnostics = format!("the current version is {}", current.unwrap_or_default());
            Err(Refusal::new(StatusCode::PRECONDITION_FAILED, "conflict", diagnostics))
        }
        _ => Ok(()),
    }
}

fn body(call: &Call) -> Result<&Value, Refusal> {
    call.resource.as_ref().ok_or_else(|| Refusal::bad_request("required", "there is no resource in the body"))
}

fn written(
    house: &House,
    kind: &ResourceType,
    record: &Record,
    status: StatusCode,
    wanted: Wanted,
) -> Result<Answer, Refusal> {
    let version = record.latest().ok_or_else(lost)?;
    let location = format!("{}/{}/{}/_history/{}", house.base, kind.name, record.id, version.number);
    let answer = Answer { location: Some(location), ..Answer::about(status, version) };
    Ok(match wanted {
        Wanted::Representation => answer,
        Wanted::Minimal => Answer { body: None, ..answer },
        Wanted::Outcome => Answer { body: Some(outcome::all_is_well()), ..answer },
    })
}

/// What was found a moment ago, under the same lock, is not there: a defect of the sandbox.
fn lost() -> Refusal {
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "exception", "the sandbox lost a resource")
}
