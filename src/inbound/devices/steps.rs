//! Steps, which a phone and a watch count both. Nobody can tell afterwards which of them were the same, so their counts are
//! never added: **of each day, the device counts that counted most**. It is told as one number a day, from the first to
//! the last of what that device counted, and no later than the day's last second. Where somebody typed in any part of it, no
//! device vouches for the sum: it is their own word.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::domain::measurement::{Measured, Measurement, Modality};
use crate::domain::reading::Measure;
use crate::inbound::files::number::rounded;
use crate::inbound::files::{Item, Whose};

/// The most days, each counted for each device, that are kept in memory: twenty devices for twenty-seven years.
pub const MOST_DAYS: usize = 200_000;

/// What was counted so far.
#[derive(Default)]
pub struct Steps {
    days: BTreeMap<(Date, u16), Count>,
}

/// What one device counted on one day.
struct Count {
    steps: f64,
    first: Timestamp,
    last: Timestamp,
    modality: Modality,
    device: Option<String>,
}

/// So many steps, counted by one device.
pub struct Walked {
    /// Which device: a number of the file's own.
    pub device: u16,
    /// From when on.
    pub start: Timestamp,
    /// Until when.
    pub end: Timestamp,
    /// How many.
    pub steps: f64,
    /// Who says so.
    pub modality: Modality,
    /// What kind of device it is.
    pub kind: Option<String>,
}

impl Steps {
    /// Counts these. They belong to the day on which they began. False where there is no room for another day.
    #[must_use]
    pub fn add(&mut self, walked: Walked, whose: &Whose) -> bool {
        let Walked { device, start, end, steps, modality, kind } = walked;
        let key = (whose.days.day_of(start), device);
        if self.days.len() >= MOST_DAYS && !self.days.contains_key(&key) {
            return false;
        }
        let fresh = || Count { steps: 0.0, first: start, last: end, modality, device: kind };
        let count = self.days.entry(key).or_insert_with(fresh);
        count.steps += steps;
        if modality == Modality::SelfReported {
            count.modality = modality;
        }
        count.first = count.first.min(start);
        count.last = count.last.max(end);
        true
    }

    /// One reading for each day.
    pub fn items(self, app: &str, whose: &Whose) -> impl Iterator<Item = Item> {
        let mut best: BTreeMap<Date, Count> = BTreeMap::new();
        for ((day, _), count) in self.days {
            match best.get(&day) {
                // Of equals, the one that stands first in the file: it does so the next time, too.
                Some(other) if other.steps >= count.steps => {}
                _ => drop(best.insert(day, count)),
            }
        }
        best.into_iter().filter_map(move |(day, count)| {
            let measurement = Measurement {
                of: Measured::Steps,
                value: rounded(count.steps.round())?,
                start: Some(whose.days.moment(count.first)),
                modality: count.modality,
                device: count.device,
            };
            let is_likely = measurement.value.approximate() <= f64::from(Measured::Steps.most());
            let moment = whose.days.moment(count.last.min(last_second(day, whose)).max(count.first));
            let reading = || whose.reading(app, 0, format!("steps/{day}"), moment, Measure::Measurement(measurement));
            (is_likely && !whose.is_to_come(count.last)).then(reading)
        })
    }
}

/// The last second of a day: what goes on after it would be of the next one.
fn last_second(day: Date, whose: &Whose) -> Timestamp {
    let next = day.tomorrow().map_or(Timestamp::MAX, |next| whose.days.start_of(next));
    next.checked_sub(SignedDuration::from_secs(1)).unwrap_or(next)
}

#[cfg(test)]
#[path = "steps_tests.rs"]
mod tests;
