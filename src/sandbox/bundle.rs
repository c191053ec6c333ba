//! Several calls in one: `batch`, where each entry stands for itself, and `transaction`, where all stand or fall.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::exchange::{Answer, Call, pairs};
use super::json::{instant, text, with};
use super::outcome::Refusal;
use super::store::Store;
use super::{House, interactions, search, types};

/// Answers a posted Bundle.
///
/// # Errors
/// A refusal for what is no batch or transaction, and for a transaction one entry of which is refused.
pub fn answer(house: &House, store: &mut Store, call: &Call) -> Result<Answer, Refusal> {
    let Some(bundle) = call.resource.as_ref().filter(|bundle| text(bundle, "resourceType") == Some("Bundle")) else {
        return Err(Refusal::unprocessable("invalid", "only a Bundle can be posted here").at("resourceType"));
    };
    let entries = bundle.get("entry").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let calls = entries.iter().map(|entry| entry_call(house, entry, call));
    let (answer_type, answers) = match text(bundle, "type") {
        Some("batch") => ("batch-response", calls.map(|call| in_batch(house, store, call)).collect()),
        Some("transaction") => {
            let calls = calls
                .enumerate()
                .map(|(index, call)| call.map_err(|refusal| refusal.at(format!("Bundle.entry[{index}]"))));
            ("transaction-response", transaction(house, store, entries, calls.collect::<Result<_, _>>()?)?)
        }
        _ => return Err(Refusal::unprocessable("value", "neither a batch nor a transaction").at("Bundle.type")),
    };
    let bundle = json!({ "resourceType": "Bundle", "type": answer_type });
    Ok(Answer::document(with(bundle, "entry", (!answers.is_empty()).then(|| answers.into()))))
}

fn in_batch(house: &House, store: &mut Store, call: Result<Call, Refusal>) -> Value {
    match call.and_then(|call| interactions::answer(house, store, &call)) {
        Ok(answer) => entry_answer(answer),
        Err(refusal) => {
            json!({ "response": { "status": refusal.status.to_string(), "outcome": refusal.to_json() } })
        }
    }
}

fn transaction(
    house: &House,
    store: &mut Store,
    entries: &[Value],
    mut calls: Vec<Call>,
) -> Result<Vec<Value>, Refusal> {
    let promised = promise_ids(house, store, entries, &mut calls)?;
    for resource in calls.iter_mut().filter_map(|call| call.resource.as_mut()) {
        resolve(resource, &promised);
    }
    let mut order: Vec<(usize, &Call)> = calls.iter().enumerate().collect();
    order.sort_by_key(|(_, call)| turn(call));
    store.begin();
    let mut answers = Vec::new();
    for (index, call) in order {
        match interactions::answer(house, store, call).and_then(|answer| keeps_promise(call, answer)) {
            Ok(answer) => answers.push((index, entry_answer(answer))),
            Err(refusal) => {
                store.rollback();
                return Err(refusal.at(format!("Bundle.entry[{index}]")));
            }
        }
    }
    store.commit();
    answers.sort_by_key(|(index, _)| *index);
    Ok(answers.into_iter().map(|(_, answer)| answer).collect())
}

/// Two entries with the same condition become one resource, and references to the second would hang in the air.
fn keeps_promise(call: &Call, answer: Answer) -> Result<Answer, Refusal> {
    let location = answer.location.as_deref().unwrap_or_default();
    match &call.promised_id {
        Some(id) if !location.contains(id) => {
            Err(Refusal::bad_request("duplicate", "two entries create the same resource"))
        }
        _ => Ok(answer),
    }
}

/// R4's order; patients come before the resources that can only be filed under them.
fn turn(call: &Call) -> u8 {
    match call.method.as_str() {
        "DELETE" => 0,
        "POST" if call.path == "Patient" => 1,
        "POST" => 2,
        "PUT" => 3,
        _ => 4,
    }
}

/// Settles the ids of the resources to be created before any is created, so that the entries can refer to each other.
fn promise_ids(
    house: &House,
    store: &Store,
    entries: &[Value],
    calls: &mut [Call],
) -> Result<HashMap<String, String>, Refusal> {
    let mut promised = HashMap::new();
    for (entry, call) in entries.iter().zip(calls).filter(|(_, call)| call.method == "POST") {
        let (Some(name), Some(kind)) = (text(entry, "fullUrl"), types::find(&call.path)) else {
            continue;
        };
        let existing = match &call.if_none_exist {
            Some(criteria) => search::only_match(house, store, kind, criteria)?.map(|record| record.id.clone()),
            None => None,
        };
        let id = match existing {
            Some(id) => id,
            None => house.fresh_id()?,
        };
        promised.insert(name.to_owned(), format!("{}/{id}", kind.name));
        call.promised_id = Some(id);
    }
    Ok(promised)
}

/// Replaces the references to other entries by references to the resources they become.
fn resolve(value: &mut Value, promised: &HashMap<String, String>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| resolve(item, promised)),
        Value::Object(members) => {
            for (name, member) in members {
                match (name.as_str(), member.as_str().and_then(|text| promised.get(text))) {
                    ("reference", Some(reference)) => *member = json!(reference),
                    _ => resolve(member, promised),
                }
            }
        }
        _ => {}
    }
}

fn entry_call(house: &House, entry: &Value, bundle: &Call) -> Result<Call, Refusal> {
    let demanded = |name| entry.get("request").and_then(|request| text(request, name)).map(str::to_owned);
    let (Some(method), Some(url)) = (demanded("method"), demanded("url")) else {
        return Err(Refusal::bad_request("required", "an entry needs request.method and request.url"));
    };
    let relative = url.strip_prefix(&house.base).unwrap_or(&url);
    let (path, query) = relative.split_once('?').unwrap_or((relative, ""));
    Ok(Call {
        method,
        path: path.trim_matches('/').to_owned(),
        params: pairs(query)?,
        prefer: bundle.prefer,
        if_match: demanded("ifMatch"),
        if_none_exist: demanded("ifNoneExist"),
        resource: entry.get("resource").cloned(),
        promised_id: None,
    })
}

fn entry_answer(answer: Answer) -> Value {
    let response = json!({ "status": answer.status.to_string() });
    let response = with(response, "etag", answer.etag().map(Value::from));
    let response = with(response, "lastModified", answer.version.map(|(_, at)| instant(at).into()));
    let response = with(response, "location", answer.location.map(Value::from));
    with(json!({ "response": response }), "resource", answer.body)
}
