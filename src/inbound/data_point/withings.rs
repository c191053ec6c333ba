//! What Withings' API answers about sleep (`/v2/sleep`, action `getsummary`): a series of nights, in seconds.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::minutes::minutes;
use super::{By, Given, Number, Record, Said, Source, Time, refused, typed};
use crate::domain::decimal::Decimal;
use crate::domain::measurement::{Measured, Modality};
use crate::domain::moment::Moment;
use crate::domain::statistics::sum;
use crate::domain::zone::Zone;
use crate::inbound::event::Refusal;

const NIGHT: &str = "a night of Withings: startdate, enddate, timezone, and data with durations in seconds";

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    series: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Night {
    timezone: String,
    startdate: i64,
    enddate: i64,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    /// Since the second version of the API.
    total_sleep_time: Option<Decimal>,
    lightsleepduration: Option<Decimal>,
    deepsleepduration: Option<Decimal>,
    remsleepduration: Option<Decimal>,
    wakeupcount: Option<Decimal>,
}

/// The records of an answer's body.
pub fn records(at: &str, text: &str, given: &Given<'_>) -> Vec<Record> {
    let answer: Answer<'_> = match typed(text, "a series of nights, as Withings' Sleep v2 getsummary answers") {
        Ok(answer) => answer,
        Err(refusal) => return refused(at.to_owned(), refusal),
    };
    let record = |(position, night): (usize, &RawValue)| Record {
        at: format!("{at}/series/{position}"),
        says: said(night.get(), given),
    };
    answer.series.into_iter().enumerate().map(record).collect()
}

fn said(text: &str, given: &Given<'_>) -> Result<Vec<Said>, Refusal> {
    let Night { timezone, startdate, enddate, data } = typed(text, NIGHT)?;
    let zone = Zone::named(&timezone).map_err(|error| Refusal::invalid("/timezone", error.to_string()))?;
    let moment = |field: &str, seconds: i64| {
        let at = Timestamp::from_second(seconds);
        let at = at.map_err(|_| Refusal::invalid(field, "seconds since 1970"))?;
        Ok::<_, Refusal>(Moment::new(at, zone.rules().to_offset(at)))
    };
    let time = Time { start: Some(moment("/startdate", startdate)?), end: moment("/enddate", enddate)? };
    // A night that is measured on gets a later end; it begins once.
    let source = Source::of_given("withings", startdate.to_string(), given)?;
    let by_stage = [
        (Measured::LightSleep, data.lightsleepduration),
        (Measured::DeepSleep, data.deepsleepduration),
        (Measured::RemSleep, data.remsleepduration),
    ];
    // The first version of the API does not say how long the night was: as long as its stages.
    let stages: Vec<&Decimal> = by_stage.iter().filter_map(|(_, lasted)| lasted.as_ref()).collect();
    let slept = data.total_sleep_time.or_else(|| sum(&stages).filter(|_| !stages.is_empty()));
    let lasted = [(Measured::SleepDuration, slept)].into_iter().chain(by_stage);
    let in_minutes = lasted.filter_map(|(of, lasted)| Some((of, lasted?))).map(|(of, lasted)| {
        let value = minutes(&lasted, "sec").ok_or_else(|| Refusal::invalid("/data", "durations in seconds"))?;
        Ok(Number { of, value })
    });
    let mut numbers = in_minutes.collect::<Result<Vec<_>, Refusal>>()?;
    numbers.extend(data.wakeupcount.map(|value| Number { of: Measured::Awakenings, value }));
    let by = By { modality: Modality::Sensed, device: Some("Withings".to_owned()) };
    source.all_measured(numbers, time, &by)
}
