//! Observation, or warning → `DocumentReference`: for an EHR that takes none from outside. What the Observation says in
//! codes, the note says in words; who, when, how sensitive and under which identifier stays the same.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};

use super::codes::{LOINC, OBSERVATION_VALUE};
use super::envelope::{DEVICE_ASSERTED, Filed};

/// The widest line of a note: EHRs show notes in a narrow, fixed-width window.
const COLUMNS: usize = 80;

/// What every note of the bridge is: system, code and display.
pub const PATIENT_NOTE: (&str, &str, &str) = (LOINC, "51855-5", "Patient Note");

/// As what it is filed.
pub const CLINICAL_NOTE: (&str, &str, &str) =
    ("http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category", "clinical-note", "Clinical Note");

/// A concept of one code.
pub fn coded((system, code, display): (&str, &str, &str)) -> Value {
    json!({"coding": [{"system": system, "code": code, "display": display}]})
}

/// The note that says what an Observation of the bridge says, or a warning. `None` if it is neither. Numbers may be
/// strings that begin with a control character: it is left out.
#[must_use]
pub fn document(of: &Value) -> Option<Value> {
    match text(of, "/resourceType")? {
        "Observation" => of_observation(of),
        "Communication" => of_warning(of),
        _ => None,
    }
}

fn of_observation(observation: &Value) -> Option<Value> {
    let (start, end) = effective(observation)?;
    let mut document = made(observation, &title(observation), &note(observation, start, end), (start, end))?;
    // Who said it; of what is worked out from that at once, as a total is, nobody is named: it is the patient's word.
    let said_by_the_patient = start == end && observation.get("performer").is_none();
    if let Some(subject) = observation.get("subject").filter(|_| said_by_the_patient) {
        document.insert("author".to_owned(), json!([subject]));
    }
    if let Some(performer) = observation.get("performer") {
        document.insert("author".to_owned(), performer.clone());
    }
    Some(Value::Object(document))
}

/// The patient did not write it, and so they are not its author.
fn of_warning(communication: &Value) -> Option<Value> {
    let (title, sent) = (text(communication, "/reasonCode/0/text")?, text(communication, "/sent")?);
    let said = text(communication, "/payload/0/contentString")?;
    let lines = said.lines().flat_map(|line| if line.is_empty() { vec![String::new()] } else { wrapped(line) });
    let said = lines.collect::<Vec<_>>().join("\n") + "\n";
    Some(Value::Object(made(communication, title, &said, (sent, sent))?))
}

/// What every note has in common.
fn made(of: &Value, title: &str, said: &str, (start, end): (&str, &str)) -> Option<Map<String, Value>> {
    let status = text(of, "/status")?;
    let mut meta = of.get("meta")?.clone();
    // The profile is one of what it is made from.
    meta.as_object_mut()?.remove("profile");
    let mut document = Map::new();
    for (name, value) in [
        ("resourceType", json!("DocumentReference")),
        ("meta", meta),
        ("status", json!(if status == "entered-in-error" { status } else { "current" })),
        ("docStatus", json!("final")),
        ("type", coded(PATIENT_NOTE)),
        ("category", json!([coded(CLINICAL_NOTE)])),
        ("date", json!(end)),
        ("description", json!(title)),
        (
            "content",
            json!([{"attachment": {
                "contentType": "text/plain; charset=utf-8",
                "data": BASE64_STANDARD.encode(said),
                "title": title,
                "creation": end,
            }}]),
        ),
        ("context", json!({"period": {"start": start, "end": end}})),
    ] {
        document.insert(name.to_owned(), value);
    }
    for name in ["contained", "identifier", "subject"] {
        if let Some(value) = of.get(name) {
            document.insert(name.to_owned(), value.clone());
        }
    }
    Some(document)
}

/// From when to when it is about: the same for a moment.
fn effective(observation: &Value) -> Option<(&str, &str)> {
    let moment = text(observation, "/effectiveDateTime").map(|moment| (moment, moment));
    moment.or_else(|| Some((text(observation, "/effectivePeriod/start")?, text(observation, "/effectivePeriod/end")?)))
}

fn title(observation: &Value) -> String {
    text(observation, "/code/text").map_or_else(|| name(observation.get("code")), str::to_owned)
}

/// The whole note, complete in itself.
fn note(observation: &Value, start: &str, end: &str) -> String {
    let when = if start == end { start.to_owned() } else { format!("{start} to {end}") };
    let mut lines = vec![title(observation), format!("When: {when}")];
    lines.extend(addressee(observation).map(|name| format!("For: {name}")));
    // Whoever named it has one line for that.
    let device = text(observation, "/device/display").map(|name| name.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.extend(device.map(|name| format!("Device: {name}")));
    if let Some(value) = value(observation) {
        lines.push(format!("Value: {value}"));
    } else if observation.get("dataAbsentReason").is_some() {
        lines.push("Value: none, because an answer is missing".to_owned());
    }
    if let Some(meaning) = text(observation, "/interpretation/0/text") {
        lines.push(format!("That is: {meaning}"));
    }
    for component in observation.get("component").and_then(Value::as_array).into_iter().flatten() {
        if let Some(value) = value(component) {
            lines.push(format!("{}: {value}", name(component.get("code"))));
        }
    }
    let notes = observation.get("note").and_then(Value::as_array).into_iter().flatten();
    lines.extend(notes.filter_map(|note| text(note, "/text")).flat_map(str::lines).map(str::to_owned));
    let source = source(observation);
    lines.push(format!("{source}; not checked by anyone."));
    lines.iter().flat_map(|line| wrapped(line)).collect::<Vec<_>>().join("\n") + "\n"
}

/// Where it comes from: who vouches for it is in its labels, and of what is worked out, nobody is named who said it.
fn source(observation: &Value) -> &'static str {
    let category = text(observation, "/category/0/coding/0/code").unwrap_or_default();
    let is_summary = observation.get("effectivePeriod").is_some() && observation.get("performer").is_none();
    match () {
        () if category == Filed::COUNTED.category.0 => "Counted by the program of the patient's community",
        () if is_summary && is_by_device(observation) => {
            "Worked out from what a device of the patient measured, passed on through their community"
        }
        // Which of its numbers somebody said and which a device measured, a summary does not say.
        () if is_summary && category != Filed::SURVEY.category.0 => {
            "Worked out from what the patient or their devices recorded, passed on through their community"
        }
        () if is_summary => "Worked out from what the patient reported through their community",
        () if is_by_device(observation) => "Measured by a device of the patient, passed on through their community",
        () => "Reported by the patient through their community",
    }
}

fn is_by_device(observation: &Value) -> bool {
    let labels = observation.pointer("/meta/security").and_then(Value::as_array).into_iter().flatten();
    labels
        .filter(|label| text(label, "/system") == Some(OBSERVATION_VALUE))
        .any(|label| text(label, "/code") == Some(DEVICE_ASSERTED))
}

/// The one practitioner whom it is addressed to.
fn addressee(observation: &Value) -> Option<&str> {
    let agents = observation.pointer("/contained/0/agent")?.as_array()?;
    let named = agents.iter().find(|agent| text(agent, "/type/coding/0/code") == Some("IRCP"))?;
    text(named, "/who/display")
}

/// A value in words, whatever its type.
fn value(of: &Value) -> Option<String> {
    let (kind, value) = of.as_object()?.iter().find(|(name, _)| name.starts_with("value"))?;
    match kind.as_str() {
        "valueQuantity" => {
            let unit = value.get("code").and_then(Value::as_str).filter(|unit| !unit.starts_with('{') && *unit != "1");
            let number = plain(value.get("value")?)?;
            Some(unit.map_or_else(|| number.clone(), |unit| format!("{number} {unit}")))
        }
        "valueCodeableConcept" => Some(name(Some(value))),
        _ => plain(value),
    }
}

/// What a concept is called: in words, or else by its code.
fn name(concept: Option<&Value>) -> String {
    let Some(concept) = concept else { return String::new() };
    let said = ["/text", "/coding/0/display", "/coding/0/code"].iter().find_map(|path| text(concept, path));
    said.unwrap_or_default().to_owned()
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim_start_matches('\u{1}').to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(is) => Some(is.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn text<'a>(value: &'a Value, path: &str) -> Option<&'a str> {
    value.pointer(path).and_then(Value::as_str)
}

/// Lines of at most [`COLUMNS`] characters, broken between words where there are any.
fn wrapped(text: &str) -> Vec<String> {
    textwrap::wrap(text, COLUMNS).into_iter().map(std::borrow::Cow::into_owned).collect()
}
