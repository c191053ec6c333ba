//! A measured or counted number: of sleep, of activity, of the heart.

use std::fmt;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::category::Category;
use super::decimal::Decimal;
use super::moment::Moment;

/// A number with a unit that follows from what was measured. A personal value: its `Debug` shows what was measured only.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// What was measured.
    pub of: Measured,
    /// How much, in [`Measured::unit`].
    pub value: Decimal,
    /// Where it speaks of a period: its beginning. Its end is the moment of the reading, and belongs to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Moment>,
    /// Who says so.
    pub modality: Modality,
    /// What it was measured with, as its source calls it ("Apple Watch").
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

/// The longest time over which one number may have been measured.
const LONGEST_PERIOD: SignedDuration = SignedDuration::from_hours(31 * 24);

/// What about a number makes it a mistake.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Implausible {
    /// Its period does not begin before it ends, or is too long.
    #[error("a time before that of the event, by 31 days at most")]
    Start,
    /// It is more than can be, or less than nothing.
    #[error("a number from 0 to {} {}", .0.most(), .0.unit())]
    Value(Measured),
}

impl Measurement {
    /// The measurement, if it can be one that ended at `end`.
    ///
    /// # Errors
    /// [`Implausible`].
    pub fn plausible(self, end: Moment) -> Result<Self, Implausible> {
        let is_before = |start: Moment| start.at <= end.at && end.at.duration_since(start.at) <= LONGEST_PERIOD;
        if self.start.is_some_and(|start| !is_before(start)) {
            return Err(Implausible::Start);
        }
        if !(0.0..=f64::from(self.of.most())).contains(&self.value.approximate()) {
            return Err(Implausible::Value(self.of));
        }
        Ok(self)
    }
}

/// How a number came about: the two words of Open mHealth's header 1.2 and of IEEE 1752.1.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Modality {
    /// A device measured it.
    Sensed,
    /// The member said it.
    SelfReported,
}

/// What can be measured.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measured {
    /// How long somebody slept.
    SleepDuration,
    /// How long of it deeply.
    DeepSleep,
    /// How long of it lightly.
    LightSleep,
    /// How long of it dreaming.
    RemSleep,
    /// How long they lay in bed.
    TimeInBed,
    /// How often they woke up.
    Awakenings,
    /// How many steps they walked.
    Steps,
    /// How long they exercised.
    ExerciseDuration,
    /// How long they meditated, or were mindful otherwise.
    MindfulSession,
    /// The heart rate.
    HeartRate,
    /// The heart rate at rest.
    RestingHeartRate,
    /// Heart rate variability: the standard deviation of the intervals between beats.
    HrvSdnn,
    /// Heart rate variability: the root mean square of successive differences. Another number than the other one.
    HrvRmssd,
}

impl Measured {
    /// Everything that can be measured.
    pub const ALL: [Self; 13] = [
        Self::SleepDuration,
        Self::DeepSleep,
        Self::LightSleep,
        Self::RemSleep,
        Self::TimeInBed,
        Self::Awakenings,
        Self::Steps,
        Self::ExerciseDuration,
        Self::MindfulSession,
        Self::HeartRate,
        Self::RestingHeartRate,
        Self::HrvSdnn,
        Self::HrvRmssd,
    ];

    /// The word used in events, in the bridge's own codes and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SleepDuration => "sleep-duration",
            Self::DeepSleep => "deep-sleep",
            Self::LightSleep => "light-sleep",
            Self::RemSleep => "rem-sleep",
            Self::TimeInBed => "time-in-bed",
            Self::Awakenings => "awakenings",
            Self::Steps => "steps",
            Self::ExerciseDuration => "exercise-duration",
            Self::MindfulSession => "mindful-session",
            Self::HeartRate => "heart-rate",
            Self::RestingHeartRate => "resting-heart-rate",
            Self::HrvSdnn => "hrv-sdnn",
            Self::HrvRmssd => "hrv-rmssd",
        }
    }

    /// Under which consent it falls.
    #[must_use]
    pub const fn category(self) -> Category {
        match self {
            Self::SleepDuration
            | Self::DeepSleep
            | Self::LightSleep
            | Self::RemSleep
            | Self::TimeInBed
            | Self::Awakenings => Category::Sleep,
            Self::Steps | Self::ExerciseDuration | Self::MindfulSession => Category::Activity,
            Self::HeartRate | Self::RestingHeartRate | Self::HrvSdnn | Self::HrvRmssd => Category::Heart,
        }
    }

    /// Its unit, as a UCUM code.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Self::SleepDuration
            | Self::DeepSleep
            | Self::LightSleep
            | Self::RemSleep
            | Self::TimeInBed
            | Self::ExerciseDuration
            | Self::MindfulSession => "min",
            Self::Awakenings => "{#}",
            Self::Steps => "{steps}",
            Self::HeartRate | Self::RestingHeartRate => "/min",
            Self::HrvSdnn | Self::HrvRmssd => "ms",
        }
    }

    /// Whether the numbers of a day add up to one: a nap and a night do, two heart rates do not.
    #[must_use]
    pub const fn adds_up(self) -> bool {
        !matches!(self.category(), Category::Heart)
    }

    /// More than this is a mistake: of a unit, or of a comma.
    #[must_use]
    pub const fn most(self) -> u32 {
        match self.category() {
            Category::Heart => 2_000,
            _ => match self {
                Self::Steps => 1_000_000,
                Self::Awakenings => 1_000,
                // A month.
                _ => 44_640,
            },
        }
    }

    /// The least and the most that is usual in a day: to draw it, not to judge it.
    #[must_use]
    pub const fn drawn_between(self) -> (f64, f64) {
        match self {
            Self::SleepDuration | Self::TimeInBed => (0.0, 720.0),
            Self::DeepSleep | Self::LightSleep | Self::RemSleep => (0.0, 480.0),
            Self::Awakenings => (0.0, 20.0),
            Self::Steps => (0.0, 20_000.0),
            Self::ExerciseDuration | Self::MindfulSession => (0.0, 120.0),
            Self::HeartRate | Self::RestingHeartRate => (40.0, 180.0),
            Self::HrvSdnn | Self::HrvRmssd => (0.0, 200.0),
        }
    }
}

impl fmt::Debug for Measurement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Measurement({})", self.of.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_called_the_same_everywhere() {
        for of in Measured::ALL {
            assert_eq!(serde_json::to_value(of).unwrap(), of.as_str());
            assert!(matches!(of.category(), Category::Sleep | Category::Activity | Category::Heart));
        }
    }
}
