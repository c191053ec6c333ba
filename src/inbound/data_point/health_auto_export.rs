//! What the app Health Auto Export pushes from an iPhone (its help pages, "JSON Export Format"): states of mind, and metrics
//! by name. What else it sends is not read.

use jiff::fmt::strtime;
use jiff::tz::Offset;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::minutes::minutes;
use super::{By, Given, Number, Record, Said, Source, Time, name, refused, typed};
use crate::domain::decimal::Decimal;
use crate::domain::measurement::{Measured, Modality};
use crate::domain::moment::Moment;
use crate::domain::reading::{Measure, Mood, StateOfMind, StateOfMindKind};
use crate::inbound::event::Refusal;
use crate::inbound::files::MOST_TAGS;

const MAKER: &str = "health-auto-export";
/// What devices are called that measure for it, unless their owner calls them otherwise.
const KINDS: [&str; 3] = ["Apple Watch", "iPhone", "iPad"];
/// As the app writes times: `2024-02-06 14:30:00 -0800`.
const TIME: &str = "%Y-%m-%d %H:%M:%S %z";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    #[serde(borrow, default)]
    metrics: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    state_of_mind: Vec<&'a RawValue>,
}

/// HealthKit's own words for how pleasant it was are left out: the documentation's example contradicts its own valence.
#[derive(Deserialize)]
struct Feeling {
    id: String,
    end: String,
    kind: String,
    valence: Decimal,
    #[serde(default)]
    labels: Vec<String>,
    #[serde(default)]
    associations: Vec<String>,
}

#[derive(Deserialize)]
struct Metric<'a> {
    name: String,
    #[serde(default)]
    units: String,
    #[serde(borrow)]
    data: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Quantity {
    date: String,
    qty: Decimal,
    source: Option<String>,
}

/// Beats per minute over a while.
#[derive(Deserialize)]
struct HeartRate {
    date: String,
    #[serde(rename = "Min")]
    min: Decimal,
    #[serde(rename = "Avg")]
    avg: Decimal,
    #[serde(rename = "Max")]
    max: Decimal,
    source: Option<String>,
}

/// A night, put together by the app.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Night {
    sleep_start: String,
    sleep_end: String,
    total_sleep: Option<Decimal>,
    asleep: Option<Decimal>,
    core: Option<Decimal>,
    deep: Option<Decimal>,
    rem: Option<Decimal>,
    in_bed: Option<Decimal>,
    source: Option<String>,
}

/// The records of what the app sends in one go.
pub fn records(at: &str, text: &str, given: &Given<'_>) -> Vec<Record> {
    let data: Data<'_> = match typed(text, "metrics and stateOfMind, as arrays") {
        Ok(data) => data,
        Err(refusal) => return refused(at.to_owned(), refusal),
    };
    let feelings = data.state_of_mind.into_iter().enumerate().map(|(position, feeling)| Record {
        at: format!("{at}/stateOfMind/{position}"),
        says: felt(feeling.get(), given),
    });
    let metrics = data.metrics.into_iter().enumerate();
    let metrics =
        metrics.flat_map(|(position, metric)| of_metric(&format!("{at}/metrics/{position}"), metric.get(), given));
    feelings.chain(metrics).collect()
}

fn felt(text: &str, given: &Given<'_>) -> Result<Vec<Said>, Refusal> {
    let feeling: Feeling = typed(text, "a state of mind: id, start, end, kind, valence, labels, associations")?;
    let source = Source::of_given(MAKER, feeling.id, given)?;
    let moment = moment("/end", &feeling.end)?;
    let kind = match feeling.kind.to_lowercase().replace(['_', ' '], "").as_str() {
        "dailymood" | "mood" => StateOfMindKind::DailyMood,
        "momentaryemotion" | "emotion" => StateOfMindKind::MomentaryEmotion,
        _ => return Err(Refusal::invalid("/kind", "daily_mood or momentary_emotion")),
    };
    if !(-1.0..=1.0).contains(&feeling.valence.approximate()) {
        return Err(Refusal::invalid("/valence", "a number from -1 to 1"));
    }
    let state = StateOfMind { kind, valence: feeling.valence, classification: None };
    let mood = Mood { rating: None, label: None, state_of_mind: Some(state) };
    let words = feeling.labels.iter().chain(&feeling.associations).filter_map(|word| name(word));
    let words: Vec<String> = words.take(MOST_TAGS + 1).collect();
    if words.len() > MOST_TAGS {
        return Err(Refusal::invalid("/labels", "at most 500 labels and associations"));
    }
    let tags = Some(words).filter(|words| !words.is_empty()).map(Measure::Tags);
    let tags = tags.map(|tags| source.says("tags", moment, tags)).transpose()?;
    Ok([Some(source.says("mood", moment, Measure::Mood(mood))?), tags].into_iter().flatten().collect())
}

fn of_metric(at: &str, text: &str, given: &Given<'_>) -> Vec<Record> {
    let metric: Metric<'_> = match typed(text, "a metric: name, units and data") {
        Ok(metric) => metric,
        Err(refusal) => return refused(at.to_owned(), refusal),
    };
    let Some(read) = reader(&metric.name) else {
        let known = "step_count, apple_exercise_time, mindful_minutes, heart_rate, resting_heart_rate, \
                     heart_rate_variability or sleep_analysis";
        return refused(at.to_owned(), Refusal::invalid("/name", known));
    };
    let record = |(position, text): (usize, &RawValue)| Record {
        at: format!("{at}/data/{position}"),
        says: read(text.get(), &metric.units, given),
    };
    metric.data.iter().copied().enumerate().map(record).collect()
}

type Read = fn(&str, &str, &Given<'_>) -> Result<Vec<Said>, Refusal>;

fn reader(name: &str) -> Option<Read> {
    Some(match name {
        "step_count" => |text, _, given| counted(text, Measured::Steps, None, given),
        "apple_exercise_time" => |text, units, given| counted(text, Measured::ExerciseDuration, Some(units), given),
        "mindful_minutes" => |text, units, given| counted(text, Measured::MindfulSession, Some(units), given),
        "resting_heart_rate" => |text, _, given| counted(text, Measured::RestingHeartRate, None, given),
        // HealthKit knows SDNN only (HKQuantityTypeIdentifierHeartRateVariabilitySDNN).
        "heart_rate_variability" => |text, _, given| counted(text, Measured::HrvSdnn, None, given),
        "heart_rate" => |text, _, given| beat(text, given),
        "sleep_analysis" => |text, units, given| slept(text, units, given),
        _ => return None,
    })
}

/// A quantity; `units`, where it lasted.
fn counted(text: &str, of: Measured, units: Option<&str>, given: &Given<'_>) -> Result<Vec<Said>, Refusal> {
    let Quantity { date, qty, source: device } = typed(text, "a quantity: date and qty")?;
    let value = match units {
        Some(units) => in_minutes(&qty, units, "/qty")?,
        None => qty,
    };
    let time = Time { start: None, end: moment("/date", &date)? };
    let source = Source::of_given(MAKER, id(time.end), given)?;
    source.all_measured([Number { of, value }], time, &by(device.as_deref()))
}

/// A mean over a while is no measurement of its end: only one that was alone is taken.
fn beat(text: &str, given: &Given<'_>) -> Result<Vec<Said>, Refusal> {
    let HeartRate { date, min, avg, max, source: device } = typed(text, "a heart rate: date, Min, Avg and Max")?;
    if min != max || avg != max {
        return Err(Refusal::invalid(
            "/Avg",
            "a single measurement, not a figure of several: switch off \"Aggregate Data\" in the app",
        ));
    }
    let time = Time { start: None, end: moment("/date", &date)? };
    let source = Source::of_given(MAKER, id(time.end), given)?;
    source.all_measured([Number { of: Measured::HeartRate, value: avg }], time, &by(device.as_deref()))
}

fn slept(text: &str, units: &str, given: &Given<'_>) -> Result<Vec<Said>, Refusal> {
    let night: Night = typed(
        text,
        "a night: sleepStart, sleepEnd and totalSleep (in the app, leave \"Aggregate Sleep Data\" switched on)",
    )?;
    let (start, end) = (moment("/sleepStart", &night.sleep_start)?, moment("/sleepEnd", &night.sleep_end)?);
    let time = Time { start: Some(start), end };
    let source = Source::of_given(MAKER, id(start), given)?;
    // Before watches knew stages, the app said `asleep` for the whole; since, for what has no stage.
    let whole = night.total_sleep.or(night.asleep);
    let lasted = [
        (Measured::SleepDuration, "/totalSleep", whole),
        (Measured::LightSleep, "/core", night.core),
        (Measured::DeepSleep, "/deep", night.deep),
        (Measured::RemSleep, "/rem", night.rem),
        (Measured::TimeInBed, "/inBed", night.in_bed),
    ];
    // A stage of no length was not measured: the app writes 0 for what a device does not know.
    let known = lasted.into_iter().filter_map(|(of, field, value)| Some((of, field, value?)));
    let known = known.filter(|(.., value)| value.approximate() > 0.0);
    let numbers = known.map(|(of, field, value)| Ok(Number { of, value: in_minutes(&value, units, field)? }));
    source.all_measured(numbers.collect::<Result<Vec<_>, Refusal>>()?, time, &by(night.source.as_deref()))
}

fn in_minutes(value: &Decimal, units: &str, field: &str) -> Result<Decimal, Refusal> {
    let unit = match units {
        "hr" | "h" => "h",
        // What the app leaves out is hours for a night.
        "" if field != "/qty" => "h",
        "min" => "min",
        "s" | "sec" => "sec",
        _ => return Err(Refusal::invalid(field, "a metric whose units are hr, min or s")),
    };
    minutes(value, unit).ok_or_else(|| Refusal::invalid(field, "a number of at most 18 digits that count"))
}

fn moment(field: &str, text: &str) -> Result<Moment, Refusal> {
    let wrong = || Refusal::invalid(field, "a time as the app writes it, such as 2024-02-06 14:30:00 -0800");
    let parsed = strtime::parse(TIME, text).map_err(|_| wrong())?;
    let at = parsed.to_timestamp().map_err(|_| wrong())?;
    Ok(Moment::new(at, parsed.offset().unwrap_or(Offset::UTC)))
}

/// What has no id of its own is called by its instant: sent again from another time zone, it is the same.
fn id(moment: Moment) -> String {
    moment.at.to_string()
}

/// The name that somebody gave to their phone ("Anna's iPhone") goes no further; what kind of device it is does.
fn by(device: Option<&str>) -> By {
    let kind = device.and_then(|name| KINDS.iter().find(|kind| name.contains(**kind)));
    By { modality: Modality::Sensed, device: kind.map(|kind| (*kind).to_owned()) }
}
