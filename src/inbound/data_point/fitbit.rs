//! What Fitbit's Web API answers about sleep (`/1.2/user/-/sleep/date/….json`, and the older `/1/`): an array of logs, in
//! the member's local time without an offset. Where the clock was set back in a night, and showed an hour twice, the time in
//! bed says which of the two was meant.

use jiff::civil::DateTime;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{By, Given, Number, Record, Said, Source, Time, refused, typed};
use crate::domain::decimal::Decimal;
use crate::domain::measurement::{Measured, Modality};
use crate::domain::moment::Moment;
use crate::inbound::event::Refusal;

const LOG: &str = "a sleep log of Fitbit: logId, startTime, endTime, minutesAsleep, timeInBed, levels.summary";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Log {
    #[serde(rename = "logId")]
    id: u64,
    start_time: DateTime,
    end_time: DateTime,
    minutes_asleep: Decimal,
    time_in_bed: Decimal,
    /// Absent in what the older API answers.
    #[serde(rename = "logType")]
    made: Option<String>,
    levels: Option<Levels>,
}

#[derive(Deserialize)]
struct Levels {
    summary: Summary,
}

/// Logs of the type `classic` have `awake` and `restless`, those of the type `stages` the others.
#[derive(Deserialize)]
struct Summary {
    deep: Option<Level>,
    light: Option<Level>,
    rem: Option<Level>,
    wake: Option<Level>,
    awake: Option<Level>,
}

#[derive(Deserialize)]
struct Level {
    count: Decimal,
    minutes: Decimal,
}

/// The records of an array of logs.
pub fn records(at: &str, text: &str, given: &Given<'_>) -> Vec<Record> {
    let logs: Vec<&RawValue> = match typed(text, "an array of sleep logs") {
        Ok(logs) => logs,
        Err(refusal) => return refused(at.to_owned(), refusal),
    };
    let record =
        |(position, log): (usize, &RawValue)| Record { at: format!("{at}/{position}"), says: said(log.get(), given) };
    logs.into_iter().enumerate().map(record).collect()
}

fn said(text: &str, given: &Given<'_>) -> Result<Vec<Said>, Refusal> {
    let log: Log = typed(text, LOG)?;
    let source = Source::of_given("fitbit", log.id.to_string(), given)?;
    let time = time(&log, given)?;
    let is_said = log.made.as_deref() == Some("manual");
    let by = if is_said {
        By { modality: Modality::SelfReported, device: None }
    } else {
        By { modality: Modality::Sensed, device: Some("Fitbit".to_owned()) }
    };
    let mut numbers = vec![
        Number { of: Measured::SleepDuration, value: log.minutes_asleep },
        Number { of: Measured::TimeInBed, value: log.time_in_bed },
    ];
    if let Some(Levels { summary }) = log.levels {
        let staged = [
            (Measured::DeepSleep, summary.deep),
            (Measured::LightSleep, summary.light),
            (Measured::RemSleep, summary.rem),
        ];
        let lasted = |(of, level): (Measured, Option<Level>)| level.map(|level| Number { of, value: level.minutes });
        numbers.extend(staged.into_iter().filter_map(lasted));
        let woke = summary.wake.or(summary.awake);
        numbers.extend(woke.map(|woke| Number { of: Measured::Awakenings, value: woke.count }));
    }
    source.all_measured(numbers, time, &by)
}

fn time(log: &Log, given: &Given<'_>) -> Result<Time, Refusal> {
    let (starts, ends) = (moments(log.start_time, given)?, moments(log.end_time, given)?);
    let times = starts.iter().flat_map(|start| ends.iter().map(move |end| Time { start: Some(*start), end: *end }));
    let in_bed = log.time_in_bed.approximate();
    let off = |time: &Time| {
        let lasted = time.start.map(|start| time.end.at.duration_since(start.at).as_secs_f64() / 60.0);
        (lasted.unwrap_or_default() - in_bed).abs()
    };
    let time = times.min_by(|one, other| off(one).total_cmp(&off(other)));
    time.ok_or_else(|| Refusal::invalid("/startTime", "a time that there was"))
}

/// When the member's clock may have shown this: one moment, or two where it was set back.
fn moments(shown: DateTime, given: &Given<'_>) -> Result<Vec<Moment>, Refusal> {
    let zone = given.zone.ok_or_else(|| {
        Refusal::invalid(
            "/",
            "the header Mostik-Time-Zone: Fitbit says what the member's clock showed, not where it stood",
        )
    })?;
    let read = zone.rules().to_ambiguous_zoned(shown);
    let read = [read.clone().compatible(), read.later()];
    Ok(read.into_iter().flatten().map(|zoned| Moment::new(zoned.timestamp(), zoned.offset())).collect())
}
