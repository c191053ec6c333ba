//! Nights, made of the stretches that devices write: in bed, asleep, in which stage, awake.
//!
//! A night is what lies between two hours or more without any stretch. A phone, a watch and an app may all tell of the same
//! night, and their stretches are never added up: **of each night, the device counts that knows its stages; of several,
//! the one that saw most sleep**. Only how long somebody lay in bed is taken from another one where that one does not know
//! it. What overlaps within one device is counted once.
//!
//! So the numbers of a night are sums, made here, of what the device wrote: minutes asleep, of them deep, light and in
//! dreams, minutes in bed, and how often there was waking between two stretches of sleep. Where somebody typed in any part
//! of what one device or app wrote of a night, no device vouches for its sums: they are their own word.
//!
//! A night is named by the second in which it began. Where that changes, because somebody mends it or a device tells late what it
//! saw, it is another one: both are told entry by entry, and in what a day amounts to it counts once (`insight::nights`). A
//! name that stays would have to be that of a place among the nights of a day, and an export of a part of them would give it
//! to another night.

use jiff::{SignedDuration, Timestamp};

use crate::domain::measurement::{Measured, Measurement, Modality};
use crate::domain::reading::Measure;
use crate::inbound::files::number::minutes;
use crate::inbound::files::{Item, Whose};

/// The most stretches that are kept in memory, 24 bytes each.
pub const MOST_STRETCHES: usize = 500_000;

/// What parts two nights.
const BETWEEN_NIGHTS: i64 = 2 * 3600;

/// A night, or a nap, of more than this is a mistake: of a clock, or of whoever wrote it.
const LONGEST_NIGHT: i64 = 36 * 3600;

/// What somebody did.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Stage {
    /// They lay in bed.
    InBed,
    /// They slept, nobody knows how.
    Asleep,
    /// They slept lightly.
    Light,
    /// They slept deeply.
    Deep,
    /// They dreamt.
    Rem,
    /// They were awake.
    Awake,
}

/// One stretch of it, in seconds of the Unix clock.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Stretch {
    start: i64,
    end: i64,
    device: u16,
    stage: Stage,
    /// Whether somebody typed it in.
    by_hand: bool,
}

/// The stretches that were read so far.
#[derive(Default)]
pub struct Nights {
    stretches: Vec<Stretch>,
}

impl Nights {
    /// Notes a stretch, from a moment to another. False where there is no room for another one.
    #[must_use]
    pub fn add(&mut self, device: u16, stage: Stage, within: (Timestamp, Timestamp), modality: Modality) -> bool {
        let (start, end) = (within.0.as_second(), within.1.as_second());
        let by_hand = modality == Modality::SelfReported;
        if end <= start || end - start > LONGEST_NIGHT {
            return true;
        }
        if self.stretches.len() >= MOST_STRETCHES {
            return false;
        }
        self.stretches.push(Stretch { start, end, device, stage, by_hand });
        true
    }

    /// The readings of all nights. `kind` says what kind of device has a number.
    pub fn items<'a>(
        mut self,
        app: &'a str,
        whose: &'a Whose,
        kind: impl Fn(u16) -> Option<String> + 'a,
    ) -> impl Iterator<Item = Item> + 'a {
        self.stretches.sort_unstable();
        self.stretches.dedup();
        nights(self.stretches).flat_map(move |night| readings(&night, app, whose, &kind))
    }
}

/// Cut where nothing was written for long.
fn nights(stretches: Vec<Stretch>) -> impl Iterator<Item = Vec<Stretch>> {
    let mut rest = stretches.into_iter().peekable();
    std::iter::from_fn(move || {
        let first = rest.next()?;
        let (mut end, mut night) = (first.end, vec![first]);
        while let Some(next) =
            rest.next_if(|next| next.start < end + BETWEEN_NIGHTS && next.end.max(end) - first.start <= LONGEST_NIGHT)
        {
            end = end.max(next.end);
            night.push(next);
        }
        Some(night)
    })
}

/// What one device saw of a night.
struct Seen {
    device: u16,
    asleep: Vec<(i64, i64)>,
    in_bed: Vec<(i64, i64)>,
    deep: i64,
    light: i64,
    rem: i64,
    /// Whether it tells stages apart, and waking.
    stages: bool,
    waking: bool,
    awakenings: u32,
    modality: Modality,
}

impl Seen {
    fn of(device: u16, night: &[Stretch]) -> Self {
        let of = |stages: &[Stage]| {
            let own = night.iter().filter(|stretch| stretch.device == device && stages.contains(&stretch.stage));
            merged(own.map(|stretch| (stretch.start, stretch.end)))
        };
        let by_hand = night.iter().any(|stretch| stretch.device == device && stretch.by_hand);
        let asleep = of(&[Stage::Asleep, Stage::Light, Stage::Deep, Stage::Rem]);
        let (deep, light, rem) = (of(&[Stage::Deep]), of(&[Stage::Light]), of(&[Stage::Rem]));
        let awake = of(&[Stage::Awake]);
        let (fell, woke) = bounds(&asleep).unwrap_or_default();
        let awakenings = awake.iter().filter(|(start, end)| *start > fell && *end < woke).count();
        Self {
            device,
            stages: !(deep.is_empty() && light.is_empty() && rem.is_empty()),
            waking: !awake.is_empty(),
            awakenings: u32::try_from(awakenings).unwrap_or(u32::MAX),
            deep: length(&deep),
            light: length(&light),
            rem: length(&rem),
            in_bed: of(&[Stage::InBed]),
            asleep,
            modality: if by_hand { Modality::SelfReported } else { Modality::Sensed },
        }
    }
}

/// What overlaps or touches is one. The stretches come in the order in which they begin.
fn merged(stretches: impl Iterator<Item = (i64, i64)>) -> Vec<(i64, i64)> {
    let mut merged: Vec<(i64, i64)> = Vec::new();
    for (start, end) in stretches {
        match merged.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => merged.push((start, end)),
        }
    }
    merged
}

fn length(stretches: &[(i64, i64)]) -> i64 {
    stretches.iter().map(|(start, end)| end - start).sum()
}

fn bounds(stretches: &[(i64, i64)]) -> Option<(i64, i64)> {
    Some((stretches.first()?.0, stretches.last()?.1))
}

fn readings(night: &[Stretch], app: &str, whose: &Whose, kind: &impl Fn(u16) -> Option<String>) -> Vec<Item> {
    let mut devices: Vec<u16> = night.iter().map(|stretch| stretch.device).collect();
    devices.sort_unstable();
    devices.dedup();
    let seen: Vec<Seen> = devices.into_iter().map(|device| Seen::of(device, night)).collect();
    // Of equals, the first: it is the first the next time, too.
    let most = |value: fn(&Seen) -> (bool, i64)| seen.iter().rev().max_by_key(|seen| value(seen));
    let sleeper = most(|seen| (seen.stages, length(&seen.asleep))).filter(|seen| !seen.asleep.is_empty());
    let bed = sleeper.filter(|seen| !seen.in_bed.is_empty()).or_else(|| most(|seen| (false, length(&seen.in_bed))));
    let began = night.first().map_or(0, |stretch| stretch.start);
    let mut items = Vec::new();
    let mut tell = |of: Measured, value: Option<_>, seen: &Seen, period: Option<(i64, i64)>| {
        let within = period
            .and_then(|(start, end)| Some((Timestamp::from_second(start).ok()?, Timestamp::from_second(end).ok()?)));
        let (Some(value), Some((start, end))) = (value, within) else { return };
        if whose.is_to_come(end) || end.duration_since(start) > SignedDuration::from_secs(LONGEST_NIGHT) {
            return;
        }
        let start = Some(whose.days.moment(start));
        let measurement = Measurement { of, value, start, modality: seen.modality, device: kind(seen.device) };
        let id = format!("sleep/{began}/{}", of.as_str());
        items.push(whose.reading(app, 0, id, whose.days.moment(end), Measure::Measurement(measurement)));
    };
    if let Some(seen) = sleeper {
        let slept = bounds(&seen.asleep);
        tell(Measured::SleepDuration, minutes(length(&seen.asleep)), seen, slept);
        if seen.stages {
            tell(Measured::DeepSleep, minutes(seen.deep), seen, slept);
            tell(Measured::LightSleep, minutes(seen.light), seen, slept);
            tell(Measured::RemSleep, minutes(seen.rem), seen, slept);
        }
        if seen.waking || seen.stages {
            let count = i32::try_from(seen.awakenings).ok().map(Into::into);
            tell(Measured::Awakenings, count, seen, slept);
        }
    }
    if let Some(seen) = bed {
        tell(Measured::TimeInBed, minutes(length(&seen.in_bed)), seen, bounds(&seen.in_bed));
    }
    items
}

#[cfg(test)]
#[path = "sleep_tests.rs"]
mod tests;
