//! How often a clinic asks for a questionnaire.

use jiff::Span;
use jiff::civil::Date;
use serde::{Deserialize, Deserializer};

/// A number of days, weeks, months or years, as ISO 8601 writes it (`P2W`): whole days, because a member is asked on a day
/// of their own.
#[derive(Clone, Copy, Debug)]
pub struct Rhythm(Span);

/// A text did not say how often.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("expected a period of ISO 8601 from one day to two years, such as P2W or P1M")]
pub struct InvalidRhythm;

impl Rhythm {
    /// The most days that pass until it is asked for again, whatever the lengths of the months.
    #[must_use]
    pub fn most_days(self) -> i64 {
        let first = jiff::civil::date(2023, 1, 1);
        let begins = first.series(Span::new().months(1)).take(24);
        let days = |from: Date| from.until(self.after(from)).map_or(i64::MAX, |span| i64::from(span.get_days()));
        begins.map(days).max().unwrap_or(i64::MAX)
    }

    /// The day on which it is asked for again.
    #[must_use]
    pub fn after(self, day: Date) -> Date {
        day.checked_add(self.0).unwrap_or(Date::MAX)
    }
}

/// As ISO 8601 writes it.
impl std::fmt::Display for Rhythm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(&self.0, f)
    }
}

impl std::str::FromStr for Rhythm {
    type Err = InvalidRhythm;

    fn from_str(text: &str) -> Result<Self, InvalidRhythm> {
        let span: Span = text.parse().map_err(|_| InvalidRhythm)?;
        // From a day with the longest months behind it: more than two years by any calendar are too many.
        let from = jiff::civil::date(2024, 1, 1);
        let whole = span.get_hours() == 0 && span.get_minutes() == 0 && span.get_seconds() == 0;
        let whole =
            whole && span.get_milliseconds() == 0 && span.get_microseconds() == 0 && span.get_nanoseconds() == 0;
        let next = from.checked_add(span).map_err(|_| InvalidRhythm)?;
        let fits = (jiff::civil::date(2024, 1, 2)..=jiff::civil::date(2026, 1, 1)).contains(&next);
        if whole && fits { Ok(Self(span)) } else { Err(InvalidRhythm) }
    }
}

impl<'de> Deserialize<'de> for Rhythm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Two rhythms are the same where they lead to the same day, from wherever.
impl PartialEq for Rhythm {
    fn eq(&self, other: &Self) -> bool {
        self.0.fieldwise() == other.0.fieldwise()
    }
}

impl Eq for Rhythm {}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn whole_days_are_a_rhythm_and_nothing_else_is() {
        for text in ["P1D", "P2W", "P1M", "P2Y", "P1M15D"] {
            assert!(text.parse::<Rhythm>().is_ok(), "{text}");
        }
        for text in ["", "2 weeks ago", "P0D", "-P1D", "PT24H", "P1DT1H", "P2Y1D", "P99999Y", "every day"] {
            assert!(text.parse::<Rhythm>().is_err(), "{text}");
        }
        let two_weeks: Rhythm = "P2W".parse().unwrap();
        assert_eq!(two_weeks.after(date(2026, 11, 20)), date(2026, 12, 4));
        assert_eq!("P1M".parse::<Rhythm>().unwrap().after(date(2026, 1, 31)), date(2026, 2, 28));
        assert_eq!(two_weeks.after(Date::MAX), Date::MAX);
    }

    #[test]
    fn months_are_as_long_as_the_longest_ones() {
        for (text, days) in
            [("P1D", 1), ("P2W", 14), ("P1M", 31), ("P2M", 62), ("P1Y", 366), ("P2Y", 731), ("P1M15D", 46)]
        {
            let every: Rhythm = text.parse().unwrap();
            assert_eq!((every.most_days(), every.to_string().as_str()), (days, text));
        }
    }
}
