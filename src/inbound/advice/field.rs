//! Single elements of resources. What is not as it should be is as good as absent.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::Value;

use super::text;
use crate::domain::ids::is_fhir_id;
use crate::domain::moment::Moment;
use crate::domain::recommendation::When;

/// The longest name of somebody, in characters.
const LONGEST_NAME: usize = 200;

pub fn text_at<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty())
}

pub fn items<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[][..], Vec::as_slice)
}

/// To what a literal reference leads, as type and id (R4, references.html, 2.3.0.1): relative, or below the EHR's base.
pub fn reference<'a>(value: &'a Value, pointer: &str, base: &str) -> Option<(&'a str, &'a str)> {
    let text = text_at(value, pointer)?;
    let relative = text.strip_prefix(base).unwrap_or(text);
    let mut segments = relative.split('/');
    let (kind, id) = (segments.next()?, segments.next()?);
    let version = (segments.next(), segments.next(), segments.next());
    let is_plain = matches!(version, (None, ..) | (Some("_history"), Some(_), None));
    let is_type = !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_alphabetic());
    (is_plain && is_type && is_fhir_id(id)).then_some((kind, id))
}

/// What a `CodeableConcept` says, in words.
pub fn concept(value: &Value, pointer: &str) -> Option<String> {
    let concept = value.pointer(pointer)?;
    let display = || items(concept, "/coding").iter().find_map(|coding| text_at(coding, "/display"));
    text_at(concept, "/text").or_else(display).map(text::tidy)
}

/// The name of whoever a reference leads to, as the resource itself says it.
pub fn name(value: &Value, pointer: &str) -> Option<String> {
    let name = text::tidy(text_at(value.pointer(pointer)?, "/display")?);
    let name: String = name.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
    (!name.is_empty()).then_some(name)
}

/// A FHIR `dateTime` of a day or finer (R4, datatypes.html). A mere month or year says too little.
pub fn when(value: &Value, pointer: &str) -> Option<When> {
    let text = text_at(value, pointer)?;
    match text.len() {
        10 => text.parse::<Date>().ok().map(When::Day),
        _ => instant(text).map(When::At),
    }
}

/// A FHIR `instant`.
pub fn instant(text: &str) -> Option<Timestamp> {
    Moment::parse_rfc3339(text).ok().map(|moment| moment.at)
}

/// A `Period`, or the `dateTime` of the same stem: `occurrencePeriod` or `occurrenceDateTime`.
pub fn period(value: &Value, stem: &str) -> (Option<When>, Option<When>) {
    let moment = when(value, &format!("/{stem}DateTime"));
    let start = when(value, &format!("/{stem}Period/start"));
    (moment.or(start), when(value, &format!("/{stem}Period/end")))
}

/// A modifier that says that something is *not* to be done. `None` where it says neither yes nor no.
pub fn is_not_to_be_done(value: &Value, pointer: &str) -> Option<bool> {
    match value.pointer(pointer) {
        None => Some(false),
        Some(Value::Bool(is_not)) => Some(*is_not),
        Some(_) => None,
    }
}
