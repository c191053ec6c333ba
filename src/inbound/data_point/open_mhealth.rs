//! Data points and series of Open mHealth (header 1.2) and IEEE 1752.1 (header 1.0).

use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::minutes::{minutes, seconds};
use super::schema::SchemaId;
use super::{By, DataPointSchemas, Given, Number, Record, Said, Source, Time, name, no_subject, refused, typed};
use crate::domain::decimal::Decimal;
use crate::domain::measurement::{Measured, Modality};
use crate::domain::moment::Moment;
use crate::inbound::event::{Refusal, Subject};

const ONCE: &str = "each field once, and numbers of at most 18 digits that count";

/// The longest id, and the longest name of a member, in bytes: each element of a series bears both.
const LONGEST_NAME: usize = 1024;

#[derive(Deserialize)]
struct DataPoint<'a> {
    header: Header,
    #[serde(borrow)]
    body: &'a RawValue,
}

/// What is read of either header; everything else about it was checked by its schema.
#[derive(Deserialize)]
struct Header {
    #[serde(alias = "uuid")]
    id: String,
    schema_id: SchemaId,
    modality: Option<Modality>,
    acquisition_provenance: Option<Provenance>,
    user_id: Option<String>,
}

#[derive(Deserialize)]
struct Provenance {
    source_name: String,
    modality: Option<Modality>,
}

/// What is read of bodies, whichever schema they follow: the same things are called the same in all of them.
#[derive(Deserialize)]
struct Body<'a> {
    effective_time_frame: TimeFrame,
    descriptive_statistic: Option<Value>,
    heart_rate: Option<UnitValue>,
    #[serde(borrow)]
    step_count: Option<&'a RawValue>,
    sleep_duration: Option<UnitValue>,
    time_in_bed: Option<UnitValue>,
    duration: Option<UnitValue>,
    base_movement_quantity: Option<UnitValue>,
    #[serde(borrow)]
    sleep_stage_summary: Option<&'a RawValue>,
}

/// What is said of a night, in a body of its own or in a summary of stages.
#[derive(Deserialize)]
struct Night {
    total_sleep_time: Option<UnitValue>,
    deep_sleep_duration: Option<UnitValue>,
    light_sleep_duration: Option<UnitValue>,
    rem_sleep_duration: Option<UnitValue>,
    number_of_awakenings: Option<Decimal>,
}

#[derive(Deserialize)]
struct UnitValue {
    value: Decimal,
    unit: String,
}

#[derive(Deserialize)]
struct TimeFrame {
    date_time: Option<String>,
    time_interval: Option<TimeInterval>,
}

#[derive(Deserialize)]
struct TimeInterval {
    start_date_time: Option<String>,
    end_date_time: Option<String>,
    duration: Option<UnitValue>,
}

/// The records of a data point, or of a series.
pub fn records(schemas: &DataPointSchemas, at: &str, text: &str, given: &Given<'_>) -> Vec<Record> {
    match point(schemas, text, given) {
        Err(refusal) => refused(at.to_owned(), refusal),
        Ok((header, Bodies::One(body))) => {
            let says = source(&header, header.id.clone(), given)
                .and_then(|source| said(schemas, &header, &source, body.get(), "/body"));
            vec![Record { at: at.to_owned(), says }]
        }
        Ok((header, Bodies::Series(bodies))) => bodies
            .into_iter()
            .enumerate()
            .map(|(position, body)| {
                let says = source(&header, format!("{}/{position}", header.id), given)
                    .and_then(|source| said(schemas, &header, &source, body.get(), ""));
                Record { at: format!("{at}/body/{position}"), says }
            })
            .collect(),
    }
}

enum Bodies<'a> {
    One(&'a RawValue),
    Series(Vec<&'a RawValue>),
}

fn point<'a>(schemas: &DataPointSchemas, text: &'a str, given: &Given<'_>) -> Result<(Header, Bodies<'a>), Refusal> {
    schemas.check_envelope(&typed::<Value>(text, ONCE)?)?;
    let DataPoint { header, body } = typed(text, ONCE)?;
    for (field, name) in [("/header/id", Some(&header.id)), ("/header/user_id", header.user_id.as_ref())] {
        if name.is_some_and(|name| name.len() > LONGEST_NAME) {
            return Err(Refusal::invalid(field, "a text of at most 1 KiB"));
        }
    }
    if let (Some(Subject::Handle(named)), Some(own)) = (given.subject, &header.user_id)
        && named != own
    {
        return Err(Refusal::invalid("/header/user_id", "the member whom the header Mostik-Subject names"));
    }
    let is_series = body.get().starts_with('[');
    Ok((header, if is_series { Bodies::Series(typed(body.get(), ONCE)?) } else { Bodies::One(body) }))
}

fn source<'a>(header: &Header, id: String, given: &'a Given<'_>) -> Result<Source<'a>, Refusal> {
    let own = || header.user_id.clone().filter(|own| !own.is_empty()).map(Subject::Handle);
    let subject = given.subject.cloned().or_else(own).ok_or_else(no_subject)?;
    Ok(Source { maker: "open-mhealth", id, given, subject })
}

fn said(
    schemas: &DataPointSchemas,
    header: &Header,
    source: &Source<'_>,
    text: &str,
    at: &str,
) -> Result<Vec<Said>, Refusal> {
    let field = |field: &str| format!("{at}/{field}");
    schemas.check_body(&header.schema_id, &typed(text, ONCE)?, at)?;
    let body: Body<'_> = typed(text, ONCE)?;
    if body.descriptive_statistic.is_some() {
        return Err(Refusal::invalid(
            field("descriptive_statistic"),
            "a single measurement, not a figure of several: summaries are made here",
        ));
    }
    let numbers = numbers(&body, text).map_err(|(name, expected)| Refusal::invalid(field(name), expected))?;
    if numbers.is_empty() {
        return Err(Refusal::invalid(at, "a duration, a number of steps, or something else that this bridge knows"));
    }
    let time = time(&body.effective_time_frame, source.given)
        .ok_or_else(|| Refusal::invalid(field("effective_time_frame"), "a time, or a period, with an offset"))?;
    source.all_measured(numbers, time, &by(header)?)
}

/// Who says so: nothing is guessed, because a clinic is told whether a device or the member did.
fn by(header: &Header) -> Result<By, Refusal> {
    let provenance = header.acquisition_provenance.as_ref();
    let modality = header.modality.or_else(|| provenance?.modality).ok_or_else(|| {
        let field = if provenance.is_some() { "/header/acquisition_provenance/modality" } else { "/header/modality" };
        Refusal::invalid(field, "sensed or self-reported")
    })?;
    Ok(By { modality, device: provenance.and_then(|provenance| name(&provenance.source_name)) })
}

/// A field that is not understood, and what was expected there.
type Wrong = (&'static str, &'static str);

const DURATION: &str = "a duration in sec, min, h, d or wk";

fn numbers(body: &Body<'_>, text: &str) -> Result<Vec<Number>, Wrong> {
    let night: Night = serde_json::from_str(text).map_err(|_| ("", ONCE))?;
    let stages = body.sleep_stage_summary.map(|summary| serde_json::from_str::<Night>(summary.get()));
    let stages = stages.transpose().map_err(|_| ("sleep_stage_summary", ONCE))?;
    let mut numbers = Vec::new();
    for (of, field, duration) in [
        (Measured::SleepDuration, "sleep_duration", &body.sleep_duration),
        (Measured::TimeInBed, "time_in_bed", &body.time_in_bed),
        (Measured::ExerciseDuration, "duration", &body.duration),
    ] {
        numbers.extend(lasted(of, field, duration.as_ref())?);
    }
    for night in [Some(night), stages].into_iter().flatten() {
        numbers.extend(of_night(&night)?);
    }
    numbers.extend(body.heart_rate.as_ref().map(|rate| Number { of: Measured::HeartRate, value: rate.value.clone() }));
    let moved = body.base_movement_quantity.as_ref().filter(|moved| moved.unit == "steps");
    let steps =
        body.step_count.map(|count| steps(count.get()).ok_or(("step_count", "a number of steps"))).transpose()?;
    let steps = steps.or_else(|| moved.map(|moved| moved.value.clone()));
    numbers.extend(steps.map(|value| Number { of: Measured::Steps, value }));
    Ok(numbers)
}

fn of_night(night: &Night) -> Result<Vec<Number>, Wrong> {
    let mut numbers = Vec::new();
    for (of, field, duration) in [
        (Measured::SleepDuration, "total_sleep_time", &night.total_sleep_time),
        (Measured::DeepSleep, "deep_sleep_duration", &night.deep_sleep_duration),
        (Measured::LightSleep, "light_sleep_duration", &night.light_sleep_duration),
        (Measured::RemSleep, "rem_sleep_duration", &night.rem_sleep_duration),
    ] {
        numbers.extend(lasted(of, field, duration.as_ref())?);
    }
    let awakenings = night.number_of_awakenings.clone();
    numbers.extend(awakenings.map(|value| Number { of: Measured::Awakenings, value }));
    Ok(numbers)
}

fn lasted(of: Measured, field: &'static str, duration: Option<&UnitValue>) -> Result<Option<Number>, Wrong> {
    let Some(UnitValue { value, unit }) = duration else { return Ok(None) };
    let value = minutes(value, unit).ok_or((field, DURATION))?;
    Ok(Some(Number { of, value }))
}

/// A bare number in step-count 1.0, a number with its unit since.
fn steps(text: &str) -> Option<Decimal> {
    let counted = || serde_json::from_str::<UnitValue>(text).ok().map(|counted| counted.value);
    serde_json::from_str(text).ok().or_else(counted)
}

/// One instant, or a period of which two of beginning, end and length are given. Only a date and a part of the day say
/// too little.
fn time(frame: &TimeFrame, given: &Given<'_>) -> Option<Time> {
    let moment = |text: &String| Moment::parse_rfc3339(text).ok().map(|moment| local(moment, given));
    if let Some(at) = &frame.date_time {
        return Some(Time { start: None, end: moment(at)? });
    }
    let interval = frame.time_interval.as_ref()?;
    let lasts = interval.duration.as_ref().and_then(|lasts| seconds(&lasts.value, &lasts.unit));
    let by = |from: Moment, duration: SignedDuration| {
        let at = from.at.checked_add(duration).ok()?;
        Some(local(Moment { at, ..from }, given))
    };
    let (start, end) = match (&interval.start_date_time, &interval.end_date_time) {
        (Some(start), Some(end)) => (moment(start)?, moment(end)?),
        (Some(start), None) => (moment(start)?, by(moment(start)?, lasts?)?),
        (None, Some(end)) => (by(moment(end)?, -lasts?)?, moment(end)?),
        (None, None) => return None,
    };
    Some(Time { start: Some(start), end })
}

/// A time that was sent as UTC shows what the member's clock showed, if that is known.
fn local(moment: Moment, given: &Given<'_>) -> Moment {
    match given.zone {
        Some(zone) if moment.offset_seconds == 0 => Moment::new(moment.at, zone.rules().to_offset(moment.at)),
        _ => moment,
    }
}
