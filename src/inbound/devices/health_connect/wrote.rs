//! Who wrote a row: with which device, and whether somebody typed it in. Rows of older versions do not say it.
//!
//! Nothing is joined: the devices are read first, and so is what wrote the series of which samples are parts. Both are
//! bounded, and of both no more is kept than what tells them apart.

use std::collections::HashMap;

use crate::domain::measurement::Modality;
use crate::inbound::files::plain;

/// `RecordingMethod` of AOSP: 0 unknown, 1 actively and 2 automatically recorded, 3 typed in.
const TYPED_IN: i64 = 3;

/// The most devices whose names are kept.
pub const MOST_DEVICES: usize = 256;

/// The most changes of who wrote a series that are kept in memory, 32 bytes each.
const MOST_CHANGES: usize = 200_000;

/// The most devices and apps that may have written something.
const MOST_WRITERS: usize = 256;

/// The longest name of a device, in characters, as of a measurement.
const LONGEST_NAME: usize = 100;

/// Who wrote a row.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Wrote {
    /// With which device, as the row says it.
    pub device: Option<i64>,
    by_hand: bool,
}

impl Wrote {
    /// As the columns say it.
    pub fn new(method: Option<i64>, device: Option<i64>) -> Self {
        Self { device, by_hand: method == Some(TYPED_IN) }
    }

    /// Who says what stands in it: a device, where nobody typed it in.
    pub const fn modality(self) -> Modality {
        if self.by_hand { Modality::SelfReported } else { Modality::Sensed }
    }
}

/// The devices, by the number that rows give them.
#[derive(Default)]
pub struct Devices(HashMap<i64, String>);

impl Devices {
    /// Notes what a device is called: "Google Pixel Watch". One too many, or one without a name, has none.
    pub fn add(&mut self, number: i64, manufacturer: &str, model: &str) {
        let (manufacturer, model) = (plain(manufacturer), plain(model));
        let name = if model.starts_with(&manufacturer) { model } else { format!("{manufacturer} {model}") };
        let name: String = name.trim().chars().take(LONGEST_NAME).collect();
        if !name.is_empty() && self.0.len() < MOST_DEVICES {
            self.0.insert(number, name.trim_end().to_owned());
        }
    }

    /// What the device is called, where it has a name.
    pub fn name(&self, number: Option<i64>) -> Option<String> {
        self.0.get(&number?).cloned()
    }
}

/// Who wrote which series. They come in the order of their numbers, and most were written like the one before: only where
/// that changes is it kept.
#[derive(Default)]
pub struct Series(Vec<(i64, Wrote)>);

impl Series {
    /// Notes who wrote a series. False where there is no room for it, or it is out of order.
    #[must_use]
    pub fn add(&mut self, number: i64, wrote: Wrote) -> bool {
        match self.0.last() {
            Some((last, _)) if *last >= number => false,
            Some((_, before)) if *before == wrote => true,
            _ if self.0.len() >= MOST_CHANGES => false,
            _ => {
                self.0.push((number, wrote));
                true
            }
        }
    }

    /// Who wrote the series with this number.
    pub fn of(&self, number: i64) -> Wrote {
        let after = self.0.partition_point(|(first, _)| *first <= number);
        let before = after.checked_sub(1).and_then(|place| self.0.get(place));
        before.map(|(_, wrote)| *wrote).unwrap_or_default()
    }
}

/// Numbers for the devices and apps that wrote something, in the order in which they come. What one app wrote with two
/// devices is told apart: they may have counted the same.
#[derive(Default)]
pub struct Writers(Vec<(i64, Option<i64>)>);

impl Writers {
    /// The number of whoever wrote a row; `None` where there are too many.
    pub fn number(&mut self, app: i64, wrote: Wrote) -> Option<u16> {
        let writer = (app, wrote.device);
        let place = self.0.iter().position(|known| *known == writer).unwrap_or(self.0.len());
        if place == MOST_WRITERS {
            return None;
        }
        if place == self.0.len() {
            self.0.push(writer);
        }
        u16::try_from(place).ok()
    }

    /// With which device that one wrote.
    pub fn device(&self, number: u16) -> Option<i64> {
        self.0.get(usize::from(number)).and_then(|(_, device)| *device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_was_written_like_the_one_before_until_that_changes() {
        let (watch, hand) = (Wrote::new(Some(2), Some(1)), Wrote::new(Some(3), None));
        let mut series = Series::default();
        for (number, wrote) in [(3, watch), (4, watch), (9, hand), (12, watch)] {
            assert!(series.add(number, wrote));
        }
        assert_eq!(series.0.len(), 3);
        assert!(!series.add(11, hand), "out of order");
        for (number, wrote) in [(2, Wrote::default()), (3, watch), (5, watch), (9, hand), (11, hand), (99, watch)] {
            assert!(series.of(number) == wrote, "{number}");
        }
    }

    #[test]
    fn a_device_is_called_by_its_maker_and_its_model_once() {
        let mut devices = Devices::default();
        for (number, maker, model) in [(1, "Google", "Pixel Watch"), (2, "Fitbit", "Fitbit Sense"), (3, "", " \u{1}")] {
            devices.add(number, maker, model);
        }
        devices.add(4, &"x".repeat(99), "long");
        let name = |number| devices.name(Some(number));
        assert_eq!(name(1).as_deref(), Some("Google Pixel Watch"));
        assert_eq!((name(2).as_deref(), name(3), name(5)), (Some("Fitbit Sense"), None, None));
        assert_eq!(name(4).unwrap().len(), 99, "and a space is no letter");
        (10..400).for_each(|number| devices.add(number, "a", "b"));
        assert_eq!(devices.0.len(), MOST_DEVICES);
    }
}
