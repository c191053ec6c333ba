//! The JSON Schemas of events, compiled once. They are the contract with senders (`schemas/events/`).

use jsonschema::{ValidationError, Validator};
use serde_json::Value;

use super::Refusal;

const ENVELOPE: &str = include_str!("../../../schemas/events/cloudevent.v1.json");
const MOOD: &str = include_str!("../../../schemas/events/mood.v1.json");
const NOTE: &str = include_str!("../../../schemas/events/note.v1.json");
const TAGS: &str = include_str!("../../../schemas/events/tags.v1.json");
const MEASUREMENT: &str = include_str!("../../../schemas/events/measurement.v1.json");
const QUESTIONNAIRE: &str = include_str!("../../../schemas/events/questionnaire.v1.json");
const ACTIVITY: &str = include_str!("../../../schemas/events/activity.v1.json");
const RETRACTION: &str = include_str!("../../../schemas/events/retraction.v1.json");

/// Compiled schemas of everything an event can be.
#[derive(Debug)]
pub struct EventSchemas {
    envelope: Validator,
    mood: Validator,
    note: Validator,
    tags: Validator,
    measurement: Validator,
    questionnaire: Validator,
    activity: Validator,
    retraction: Validator,
}

/// A schema of the repository cannot be compiled. A defect of the build.
#[derive(Debug, thiserror::Error)]
#[error("the JSON Schema {name} cannot be compiled: {cause}")]
pub struct BrokenSchema {
    name: &'static str,
    cause: String,
}

/// The type of an event, once its envelope is valid.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum EventType {
    Mood,
    Note,
    Tags,
    Measurement,
    Questionnaire,
    Activity,
    Retraction,
}

impl EventSchemas {
    /// Compiles the schemas.
    ///
    /// # Errors
    /// [`BrokenSchema`] when the repository's own schemas are broken.
    pub fn compile() -> Result<Self, BrokenSchema> {
        Ok(Self {
            envelope: compile("cloudevent.v1", ENVELOPE)?,
            mood: compile("mood.v1", MOOD)?,
            note: compile("note.v1", NOTE)?,
            tags: compile("tags.v1", TAGS)?,
            measurement: compile("measurement.v1", MEASUREMENT)?,
            questionnaire: compile("questionnaire.v1", QUESTIONNAIRE)?,
            activity: compile("activity.v1", ACTIVITY)?,
            retraction: compile("retraction.v1", RETRACTION)?,
        })
    }

    /// Checks an event against the schema of its envelope and of its type.
    pub(super) fn check(&self, event: &Value) -> Result<EventType, Refusal> {
        self.envelope.validate(event).map_err(|error| refusal("", &error))?;
        let (kind, schema) = match event.get("type").and_then(Value::as_str) {
            Some("mostik.mood.v1") => (EventType::Mood, &self.mood),
            Some("mostik.note.v1") => (EventType::Note, &self.note),
            Some("mostik.tags.v1") => (EventType::Tags, &self.tags),
            Some("mostik.measurement.v1") => (EventType::Measurement, &self.measurement),
            Some("mostik.questionnaire.v1") => (EventType::Questionnaire, &self.questionnaire),
            Some("mostik.activity.v1") => (EventType::Activity, &self.activity),
            Some("mostik.retraction.v1") => (EventType::Retraction, &self.retraction),
            _ => return Err(Refusal::invalid("/type", "a type that this bridge knows")),
        };
        let data = event.get("data").unwrap_or(&Value::Null);
        schema.validate(data).map_err(|error| refusal("/data", &error))?;
        Ok(kind)
    }
}

fn compile(name: &'static str, text: &str) -> Result<Validator, BrokenSchema> {
    let broken = |cause: String| BrokenSchema { name, cause };
    let schema = serde_json::from_str(text).map_err(|error| broken(error.to_string()))?;
    jsonschema::validator_for(&schema).map_err(|error| broken(error.to_string()))
}

/// Says what was expected, with the value masked: it may be personal.
fn refusal(prefix: &str, error: &ValidationError<'_>) -> Refusal {
    let path = format!("{prefix}{}", error.instance_path());
    Refusal::invalid(if path.is_empty() { "/".to_owned() } else { path }, error.masked().to_string())
}
