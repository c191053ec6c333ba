//! Durations of several units → minutes, without a binary number in between.

use jiff::SignedDuration;

use crate::domain::decimal::Decimal;
use crate::domain::statistics::{divided, times};

/// How many places minutes have that seconds do not divide into: less than a third of a second is rounded away.
const PLACES: u32 = 2;

/// The units of Open mHealth and IEEE 1752.1 (`duration-unit-value`) that are of use here, in seconds.
const UNITS: [(&str, u32); 5] = [("sec", 1), ("min", 60), ("h", 3600), ("d", 86_400), ("wk", 604_800)];

/// Minutes from a duration in one of these units, exactly or to 18 digits. `None` for another unit, and for a number that is
/// longer than that before its point.
pub fn minutes(value: &Decimal, unit: &str) -> Option<Decimal> {
    match UNITS.iter().find(|(name, _)| *name == unit)?.1 {
        1 => divided(value, 60, PLACES),
        // As it was written.
        60 => Some(value.clone()),
        seconds => times(value, seconds / 60),
    }
}

/// The same as a span of time, to the nanosecond.
pub fn seconds(value: &Decimal, unit: &str) -> Option<SignedDuration> {
    let seconds = f64::from(UNITS.iter().find(|(name, _)| *name == unit)?.1);
    SignedDuration::try_from_secs_f64(value.approximate() * seconds).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_duration_in_hours_becomes_minutes(hours in prop_oneof![0.0..744.0_f64, 0.0..0.1, 0.0..1e-9]) {
            for text in [serde_json::to_string(&hours).unwrap(), format!("{hours}"), format!("{hours:e}")] {
                let found = minutes(&text.parse().unwrap(), "h").unwrap().approximate();
                prop_assert!((found - hours * 60.0).abs() <= hours * 1e-13, "{} {}", text, found);
            }
        }
    }

    #[test]
    fn a_duration_becomes_minutes_and_is_rounded_only_where_seconds_do_not_divide() {
        for (value, unit, expected) in [
            ("8.5", "h", Some("510")),
            ("7.25", "h", Some("435")),
            ("7.50", "min", Some("7.50")),
            ("3360", "sec", Some("56")),
            ("90", "sec", Some("1.5")),
            ("100", "sec", Some("1.67")),
            ("1", "d", Some("1440")),
            ("1", "wk", Some("10080")),
            ("0.016666666666666666", "h", Some("0.99999999999999996")),
            ("1.7333333333333334", "h", Some("104.000000000000004")),
            ("5e-324", "sec", Some("0")),
            ("1", "Mo", None),
            ("1", "ms", None),
            ("999999999999999999", "h", None),
        ] {
            let got = minutes(&value.parse().unwrap(), unit).map(|minutes| minutes.to_string());
            assert_eq!(got.as_deref(), expected, "{value} {unit}");
        }
        assert_eq!(seconds(&"1.5".parse().unwrap(), "h"), Some(SignedDuration::from_mins(90)));
    }
}
