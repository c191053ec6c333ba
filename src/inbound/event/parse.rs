//! From bytes to events: nothing is guessed, and each event of a batch stands or falls alone.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::harm;
use super::questionnaire::QuestionnaireData;
use super::schema::EventType;
use super::{CLOCK_SKEW, Entry, Event, EventSchemas, MAX_BATCH, Refusal, Says, Subject, Version};
use crate::domain::activity::Deed;
use crate::domain::decimal::Decimal;
use crate::domain::label::Label;
use crate::domain::measurement::{Implausible, Measured, Measurement, Modality};
use crate::domain::moment::Moment;
use crate::domain::reading::{Measure, Mood, Rating};

/// A body in which no single event can be made out.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedBody {
    /// Not JSON, or cut off.
    #[error("expected JSON in UTF-8: {kind} at line {line}, column {column}")]
    NotJson {
        /// What kind of defect.
        kind: &'static str,
        /// Where: line.
        line: usize,
        /// Where: column.
        column: usize,
    },
    /// JSON, but neither an event nor a list of events.
    #[error("expected an event (an object) or a batch of events (an array of objects)")]
    NotEvents,
    /// Nothing in it.
    #[error("expected at least one event")]
    Empty,
    /// More than one request may carry.
    #[error("expected at most {MAX_BATCH} events in one request")]
    TooMany,
}

impl MalformedBody {
    /// What is said of a text that is no JSON: nothing of its content.
    pub(in crate::inbound) fn not_json(error: &serde_json::Error) -> Self {
        use serde_json::error::Category;
        let kind = match error.classify() {
            Category::Eof => "it ends too early",
            Category::Syntax | Category::Data | Category::Io => "it is no JSON",
        };
        Self::NotJson { kind, line: error.line(), column: error.column() }
    }
}

/// Reads a request's body: one event or a batch. Returns each event, or why it cannot be taken, in order; and whether
/// it was a batch.
///
/// # Errors
/// [`MalformedBody`] when the body as a whole cannot be read.
pub fn parse_body(
    schemas: &EventSchemas,
    body: &[u8],
    now: Timestamp,
) -> Result<(Vec<Result<Event, Refusal>>, bool), MalformedBody> {
    let text = str::from_utf8(body).map_err(|_| MalformedBody::NotJson { kind: "not UTF-8", line: 0, column: 0 })?;
    let (items, is_batch): (Vec<&RawValue>, bool) = match text.trim_ascii_start().as_bytes().first() {
        None => return Err(MalformedBody::Empty),
        Some(b'{') => (vec![serde_json::from_str(text).map_err(|e| MalformedBody::not_json(&e))?], false),
        Some(b'[') => (serde_json::from_str(text).map_err(|e| MalformedBody::not_json(&e))?, true),
        Some(_) => return Err(MalformedBody::NotEvents),
    };
    if items.is_empty() {
        return Err(MalformedBody::Empty);
    }
    if items.len() > MAX_BATCH {
        return Err(MalformedBody::TooMany);
    }
    Ok((items.into_iter().map(|item| parse_event(schemas, item.get(), now)).collect(), is_batch))
}

/// What is read of the envelope; everything else about it was checked by its schema.
#[derive(Deserialize)]
struct Envelope<'a> {
    id: String,
    source: String,
    subject: String,
    time: String,
    corrects: Option<String>,
    #[serde(default)]
    sensitivity: String,
    #[serde(borrow)]
    data: &'a RawValue,
}

#[derive(Deserialize)]
struct Note {
    text: String,
}

#[derive(Deserialize)]
struct Tags {
    tags: Vec<String>,
}

#[derive(Deserialize)]
struct MeasurementData {
    of: Measured,
    value: Decimal,
    start: Option<String>,
    modality: Modality,
    device: Option<String>,
}

#[derive(Deserialize)]
struct ActivityData {
    what: Deed,
}

#[derive(Deserialize)]
struct Retraction {
    retracts: String,
}

/// What an event says; what cannot be taken may be there to be heard.
fn parse_event(schemas: &EventSchemas, text: &str, now: Timestamp) -> Result<Event, Refusal> {
    taken(schemas, text, now).or_else(|why| harm::heard(text, &why, now).ok_or(why))
}

fn taken(schemas: &EventSchemas, text: &str, now: Timestamp) -> Result<Event, Refusal> {
    let value: Value = serde_json::from_str(text).map_err(|_| Refusal::invalid("/", "a JSON object"))?;
    let kind = schemas.check(&value)?;
    let envelope: Envelope = serde_json::from_str(text).map_err(|_| Refusal::invalid("/", "each attribute once"))?;
    let moment = Moment::parse_rfc3339(&envelope.time).map_err(|error| Refusal::invalid("/time", error.to_string()))?;
    if moment.at > now.checked_add(CLOCK_SKEW).unwrap_or(now) {
        return Err(Refusal::invalid("/time", "a time that is not in the future"));
    }
    let data = envelope.data.get();
    let measure = match kind {
        EventType::Mood => Measure::Mood(mood(data)?),
        EventType::Note => Measure::Note(typed::<Note>(data)?.text),
        EventType::Tags => Measure::Tags(typed::<Tags>(data)?.tags),
        EventType::Measurement => Measure::Measurement(measurement(typed(data)?, moment)?),
        EventType::Questionnaire => Measure::Questionnaire(typed::<QuestionnaireData>(data)?.answers()?),
        EventType::Activity => Measure::Deed(typed::<ActivityData>(data)?.what),
        EventType::Retraction => {
            let entry = another(typed::<Retraction>(data)?.retracts, &envelope.id, "/data/retracts")?;
            return Ok(event(envelope, Says::Retraction(entry)));
        }
    };
    let version = match envelope.corrects.clone() {
        None => Version::First,
        Some(entry) => Version::Corrects(another(entry, &envelope.id, "/corrects")?),
    };
    let labels = envelope.sensitivity.split(' ').filter_map(Label::from_name).collect();
    Ok(event(envelope, Says::Reading(Entry { moment, measure, labels }, version)))
}

fn event(envelope: Envelope<'_>, says: Says) -> Event {
    let Envelope { source, id, subject, .. } = envelope;
    Event { source, id, subject: Subject::Handle(subject), says, flaw: None }
}

/// The id of the event that is meant, which is not the event itself.
fn another(meant: String, own: &str, field: &str) -> Result<String, Refusal> {
    if meant == own { Err(Refusal::invalid(field, "the id of an earlier event, not its own")) } else { Ok(meant) }
}

fn mood(data: &str) -> Result<Mood, Refusal> {
    let mood: Mood = typed(data)?;
    if let Some(rating) = &mood.rating {
        check_rating(rating)?;
    }
    Ok(mood)
}

fn check_rating(rating: &Rating) -> Result<(), Refusal> {
    let (value, worst, best) = (rating.value.approximate(), rating.worst.approximate(), rating.best.approximate());
    if worst.min(best) >= worst.max(best) {
        return Err(Refusal::invalid("/data/rating/best", "another number than worst"));
    }
    if value < worst.min(best) || value > worst.max(best) {
        return Err(Refusal::invalid("/data/rating/value", "a number between worst and best"));
    }
    Ok(())
}

fn measurement(said: MeasurementData, end: Moment) -> Result<Measurement, Refusal> {
    let MeasurementData { of, value, start, modality, device } = said;
    let start = start.map(|start| Moment::parse_rfc3339(&start)).transpose();
    let start = start.map_err(|error| Refusal::invalid("/data/start", error.to_string()))?;
    Measurement { of, value, start, modality, device }.plausible(end).map_err(|implausible| {
        let field = match implausible {
            Implausible::Start => "/data/start",
            Implausible::Value(_) => "/data/value",
        };
        Refusal::invalid(field, implausible.to_string())
    })
}

fn typed<'a, T: Deserialize<'a>>(data: &'a str) -> Result<T, Refusal> {
    serde_json::from_str(data)
        .map_err(|_| Refusal::invalid("/data", "each field once, and numbers of at most 18 digits that count"))
}
