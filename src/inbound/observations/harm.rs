//! Item 9 of PHQ-9 in what is not taken: in a form that is wrong or not finished, or as one answer without its form.
//!
//! Whoever gave an answer above zero is told where help is, and the people who look after them that somebody should look:
//! as with an event that is refused ([`Event::flaw`](crate::inbound::event::Event)). Of all the answers, no other one is
//! read, and none is taken.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::LONGEST_RESOURCE;
use super::observation::{APP, Identifier, moment, name};
use crate::domain::questionnaire::SELF_HARM;
use crate::inbound::files::{Item, Whose};
use crate::inbound::item_nine;

/// Where it is said when it was: in a form, in an Observation.
const WHEN: [&str; 3] = ["/authored", "/effectiveDateTime", "/effectivePeriod/end"];

/// An answer above zero.
pub struct Heard {
    /// Whether it stands by itself, without its form.
    pub is_alone: bool,
    /// When it was given; now, where nobody says it.
    pub at: Timestamp,
    /// The answer, and no other one.
    pub item: Item,
}

/// What is heard in a resource; `None` where there is no such answer, or it was a mistake.
pub fn heard(text: &str, place: u64, full_url: Option<&str>, whose: &Whose) -> Option<Heard> {
    if text.len() > LONGEST_RESOURCE || !text.contains(SELF_HARM) {
        return None;
    }
    let resource: Value = serde_json::from_str(text).ok()?;
    let kind = said(&resource, "/resourceType")?;
    let (is_alone, choice) = match kind {
        "QuestionnaireResponse" => (false, within(&resource)),
        "Observation" => (true, alone(&resource)),
        _ => return None,
    };
    let choice = choice.filter(|choice| *choice > 0)?;
    if matches!(said(&resource, "/status"), Some("entered-in-error" | "cancelled")) {
        return None;
    }
    let when = WHEN.iter().find_map(|path| said(&resource, path));
    let moment = when.and_then(|text| moment(text, whose)).unwrap_or_else(|| whose.days.moment(whose.now));
    let id = named(kind, &resource, full_url).unwrap_or_else(|| format!("item-9/{}/{place}", moment.to_rfc3339()));
    let item = whose.reading(APP, place, id, moment, item_nine::alone(choice)?);
    Some(Heard { is_alone, at: moment.at, item })
}

/// The highest answer in a form, wherever in it the question stands, and however often.
fn within(form: &Value) -> Option<u8> {
    let of = |item: &Value| {
        let is_it = said(item, "/linkId").is_some_and(|id| id.rsplit('/').next() == Some(SELF_HARM));
        let own = item.get("answer").filter(|_| is_it).and_then(item_nine::choice);
        own.into_iter().chain(each(item, "/answer").filter_map(within)).chain(within(item)).max()
    };
    each(form, "/item").filter_map(of).max()
}

/// The answer that an Observation is, or one of its parts. LOINC's code is nobody else's, whoever says so.
fn alone(observation: &Value) -> Option<u8> {
    let is_it = |of: &&Value| each(of, "/code/coding").any(|code| said(code, "/code") == Some(SELF_HARM));
    let parts = std::iter::once(observation).chain(each(observation, "/component"));
    parts.filter(is_it).filter_map(item_nine::choice).max()
}

fn named(kind: &str, resource: &Value, full_url: Option<&str>) -> Option<String> {
    // A form has one, an Observation a list of them.
    let all = match resource.get("identifier") {
        Some(Value::Array(all)) => all.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    let all: Vec<Identifier> = all.iter().filter_map(|one| Identifier::deserialize(one).ok()).collect();
    name(kind, &all, said(resource, "/id"), full_url)
}

fn each<'a>(of: &'a Value, path: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    of.pointer(path).and_then(Value::as_array).into_iter().flatten()
}

fn said<'a>(of: &'a Value, path: &str) -> Option<&'a str> {
    of.pointer(path).and_then(Value::as_str)
}
