//! Data points from apps and devices: Open mHealth and IEEE 1752.1, and what Health Auto Export, Fitbit and Withings send.
//! Which of them it is, the content says. A record may say several things: a night, how long it was and how deep.

mod fitbit;
mod health_auto_export;
mod minutes;
mod open_mhealth;
mod schema;
mod withings;

pub use schema::{BrokenSchemas, DataPointSchemas};

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::event::{CLOCK_SKEW, Entry, Event, MAX_BATCH, MalformedBody, Refusal, Says, Subject, Version};
use crate::domain::category::Category;
use crate::domain::decimal::Decimal;
use crate::domain::measurement::{Implausible, Measured, Measurement, Modality};
use crate::domain::moment::Moment;
use crate::domain::reading::Measure;
use crate::domain::zone::Zone;

/// What is known beside a body.
pub struct Given<'a> {
    /// Whose records they are, where they do not say it themselves.
    pub subject: Option<&'a Subject>,
    /// Where the clock stood that the records were made by, where they do not say it themselves.
    pub zone: Option<&'a Zone>,
    /// The time.
    pub now: Timestamp,
}

/// One record of a body.
#[derive(Debug)]
pub struct Record {
    /// Where it stands in the body, as a JSON Pointer.
    pub at: String,
    /// What it says, or why that cannot be understood.
    pub says: Result<Vec<Said>, Refusal>,
}

/// One thing that a record says.
#[derive(Debug)]
pub struct Said {
    /// What kind of thing: `mood`, `tags`, or what was measured.
    pub reading: &'static str,
    /// What is said.
    pub event: Event,
}

/// Reads a request's body: one record or an array of them; each stands or falls alone.
///
/// # Errors
/// [`MalformedBody`] when no record can be made out.
pub fn parse_body(schemas: &DataPointSchemas, body: &[u8], given: &Given<'_>) -> Result<Vec<Record>, MalformedBody> {
    let text = str::from_utf8(body).map_err(|_| MalformedBody::NotJson { kind: "not UTF-8", line: 0, column: 0 })?;
    let shapes: Vec<(String, &str)> = match text.trim_ascii_start().as_bytes().first() {
        None => return Err(MalformedBody::Empty),
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| MalformedBody::not_json(&error))?;
            items.into_iter().enumerate().map(|(position, item)| (format!("/{position}"), item.get())).collect()
        }
        Some(b'{') => {
            let whole: &RawValue = serde_json::from_str(text).map_err(|error| MalformedBody::not_json(&error))?;
            vec![(String::new(), whole.get())]
        }
        Some(_) => return Err(MalformedBody::NotEvents),
    };
    if shapes.is_empty() {
        return Err(MalformedBody::Empty);
    }
    if shapes.len() > MAX_BATCH {
        return Err(MalformedBody::TooMany);
    }
    let mut records: Vec<Record> =
        shapes.into_iter().flat_map(|(at, text)| records(schemas, at, text, given)).collect();
    for Record { at, says } in &mut records {
        if let Err(Refusal { field: Some(field), .. }) = says {
            *field = if field == "/" { at.clone() } else { format!("{at}{field}") };
        }
    }
    Ok(records)
}

/// By what the shapes are told apart.
#[derive(Deserialize)]
struct Shape<'a> {
    #[serde(borrow)]
    header: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    sleep: Option<&'a RawValue>,
    #[serde(borrow)]
    body: Option<&'a RawValue>,
}

fn records(schemas: &DataPointSchemas, at: String, text: &str, given: &Given<'_>) -> Vec<Record> {
    let shape: Shape<'_> = match serde_json::from_str(text) {
        Ok(shape) => shape,
        Err(_) => return refused(at, Refusal::invalid("/", "a JSON object with each field once")),
    };
    match shape {
        Shape { header: Some(_), .. } => open_mhealth::records(schemas, &at, text, given),
        Shape { data: Some(data), .. } => health_auto_export::records(&format!("{at}/data"), data.get(), given),
        Shape { sleep: Some(sleep), .. } => fitbit::records(&format!("{at}/sleep"), sleep.get(), given),
        Shape { body: Some(body), .. } => withings::records(&format!("{at}/body"), body.get(), given),
        _ => refused(
            at,
            Refusal::invalid(
                "/",
                "a data point of Open mHealth or IEEE 1752.1 (header and body), or what Health Auto \
                 Export (data), Fitbit (sleep) or Withings (body) sends",
            ),
        ),
    }
}

fn refused(at: String, refusal: Refusal) -> Vec<Record> {
    vec![Record { at, says: Err(refusal) }]
}

/// Reads a part of a record, whose numbers keep their digits.
fn typed<'a, T: Deserialize<'a>>(text: &'a str, expected: &str) -> Result<T, Refusal> {
    serde_json::from_str(text).map_err(|_| Refusal::invalid("/", expected))
}

/// A record that was understood as far as its name.
struct Source<'a> {
    /// Who made it: `open-mhealth`, `fitbit`.
    maker: &'static str,
    /// What it is called there.
    id: String,
    given: &'a Given<'a>,
    /// Whose it is.
    subject: Subject,
}

impl<'a> Source<'a> {
    /// A record of whoever the request names.
    fn of_given(maker: &'static str, id: String, given: &'a Given<'a>) -> Result<Self, Refusal> {
        let subject = given.subject.cloned().ok_or_else(no_subject)?;
        Ok(Self { maker, id, given, subject })
    }

    /// What it says of something. Sent again, it says the same; changed, it says how that reads now.
    fn says(&self, reading: &'static str, moment: Moment, measure: Measure) -> Result<Said, Refusal> {
        if !moment.can_be_said() {
            return Err(Refusal::invalid("/", "a time since 1900 with an offset of at most 14 hours"));
        }
        if moment.at > self.given.now.checked_add(CLOCK_SKEW).unwrap_or(self.given.now) {
            return Err(Refusal::invalid("/", "a time that is not in the future"));
        }
        let whose = match &self.subject {
            Subject::Handle(handle) => handle.clone(),
            Subject::Member(member) => member.to_string(),
        };
        let entry = Entry { moment, measure, labels: BTreeSet::new() };
        let event = Event {
            // Two members may have records of the same name.
            source: format!("{}/{whose}", self.maker),
            id: format!("{}/{reading}", self.id),
            subject: self.subject.clone(),
            says: Says::Reading(entry, Version::Current),
            flaw: None,
        };
        Ok(Said { reading, event })
    }

    /// That something was measured.
    fn measured(&self, number: Number, time: Time, by: &By) -> Result<Said, Refusal> {
        let Number { of, value } = number;
        let By { modality, device } = by.clone();
        let measurement = Measurement { of, value, start: time.start, modality, device };
        let measurement = measurement.plausible(time.end).map_err(|implausible| match implausible {
            Implausible::Start => Refusal::invalid("/", "a period of 31 days at most that begins before it ends"),
            Implausible::Value(_) => Refusal::invalid("/", format!("for {}, {implausible}", of.as_str())),
        })?;
        let is_counted = of.adds_up() && of.category() != Category::Sleep;
        let end = time.start.filter(|_| is_counted).map_or(time.end, |start| within_its_day(start, time.end));
        self.says(of.as_str(), end, Measure::Measurement(measurement))
    }

    /// That several things were, over the same time.
    fn all_measured(
        &self,
        numbers: impl IntoIterator<Item = Number>,
        time: Time,
        by: &By,
    ) -> Result<Vec<Said>, Refusal> {
        numbers.into_iter().map(|number| self.measured(number, time, by)).collect()
    }
}

/// Something that was measured, in the unit of what it is.
struct Number {
    of: Measured,
    value: Decimal,
}

/// What is counted until midnight belongs to the day that ends then, not to the one that begins.
fn within_its_day(start: Moment, end: Moment) -> Moment {
    let is_midnight = end.shown().time() == jiff::civil::Time::midnight();
    let before = end.at.checked_sub(SignedDuration::from_secs(1)).unwrap_or(end.at);
    if is_midnight { Moment { at: before.max(start.at), ..end } } else { end }
}

/// When it was so.
#[derive(Clone, Copy)]
struct Time {
    start: Option<Moment>,
    end: Moment,
}

/// Who says so.
#[derive(Clone)]
struct By {
    modality: Modality,
    device: Option<String>,
}

/// Whose record it is, nobody said.
fn no_subject() -> Refusal {
    Refusal::invalid("/", "the header Mostik-Subject, with the name under which the community knows the member")
}

/// A name that goes to an EHR: as its source wrote it, without what no FHIR string may hold.
fn name(text: &str) -> Option<String> {
    let name: String = text.chars().filter(|c| !c.is_control()).take(100).collect();
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}
