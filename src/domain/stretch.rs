//! FHIR dates as spans of time: `2026-03` is the whole of March, and that is how a search compares it.

use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde_json::Value;

/// A half-open stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    start: Timestamp,
    end: Timestamp,
}

/// One comparison of a date parameter, for example `ge2026-01-01`.
#[derive(Clone, Copy, Debug)]
pub struct DateTest {
    prefix: Prefix,
    wanted: Stretch,
}

#[derive(Clone, Copy, Debug)]
enum Prefix {
    Equal,
    GreaterOrEqual,
    Greater,
    LessOrEqual,
    Less,
}

impl DateTest {
    /// Reads a parameter value. `None` for what is no date, and for the prefixes that are not supported.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (prefix, date) = match text.split_at_checked(2) {
            Some(("eq", date)) => (Prefix::Equal, date),
            Some(("ge", date)) => (Prefix::GreaterOrEqual, date),
            Some(("gt", date)) => (Prefix::Greater, date),
            Some(("le", date)) => (Prefix::LessOrEqual, date),
            Some(("lt", date)) => (Prefix::Less, date),
            _ => (Prefix::Equal, text),
        };
        Some(Self { prefix, wanted: Stretch::parse(date)? })
    }

    /// Before this, nothing passes.
    #[must_use]
    pub const fn earliest(&self) -> Timestamp {
        match self.prefix {
            Prefix::Equal | Prefix::GreaterOrEqual | Prefix::Greater => self.wanted.start,
            Prefix::LessOrEqual | Prefix::Less => Timestamp::MIN,
        }
    }

    /// Whether `found` passes, by the range rules of R4's search page.
    #[must_use]
    pub fn passes(&self, found: Stretch) -> bool {
        let within = self.wanted.start <= found.start && found.end <= self.wanted.end;
        match self.prefix {
            Prefix::Equal => within,
            Prefix::Greater => found.end > self.wanted.end,
            Prefix::GreaterOrEqual => within || found.end > self.wanted.end,
            Prefix::Less => found.start < self.wanted.start,
            Prefix::LessOrEqual => within || found.start < self.wanted.start,
        }
    }
}

impl Stretch {
    /// The microsecond that starts at `at`, the precision of what the bridge keeps.
    #[must_use]
    pub fn microsecond(at: Timestamp) -> Self {
        Self { start: at, end: after(at, SignedDuration::from_micros(1)) }
    }

    /// The millisecond that starts at `at`, the precision of `meta.lastUpdated`.
    #[must_use]
    pub fn millisecond(at: Timestamp) -> Self {
        Self { start: at, end: after(at, SignedDuration::from_millis(1)) }
    }

    /// The stretch that a `date`, `dateTime` or `instant` covers. A time without a zone is taken as UTC.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let Some((_, time)) = text.split_once('T') else { return whole_days(text) };
        let clock = time.split(['Z', '+', '-']).next()?;
        let start = if clock.len() == time.len() {
            Offset::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok()?
        } else {
            text.parse().ok()?
        };
        let length = match clock.len() {
            0..=5 => SignedDuration::from_mins(1),
            6..=8 => SignedDuration::from_secs(1),
            _ => SignedDuration::from_millis(1),
        };
        Some(Self { start, end: after(start, length) })
    }

    /// The stretch that an element covers: a date, or a Period whose open ends reach for ever.
    #[must_use]
    pub fn of(element: &Value) -> Option<Self> {
        if let Some(text) = element.as_str() {
            return Self::parse(text);
        }
        let end_of = |name| element.get(name).and_then(Value::as_str).and_then(Self::parse);
        let (start, end) = (end_of("start"), end_of("end"));
        if start.is_none() && end.is_none() {
            return None;
        }
        Some(Self { start: start.map_or(Timestamp::MIN, |it| it.start), end: end.map_or(Timestamp::MAX, |it| it.end) })
    }
}

/// A year, a month or a day.
fn whole_days(text: &str) -> Option<Stretch> {
    let parts = text.split('-').map(str::parse).collect::<Result<Vec<i16>, _>>().ok()?;
    let (first, length) = match (text.len(), parts.as_slice()) {
        (4, &[year]) => (Date::new(year, 1, 1).ok()?, 1.year()),
        (7, &[year, month]) => (Date::new(year, month.try_into().ok()?, 1).ok()?, 1.month()),
        (10, &[year, month, day]) => (Date::new(year, month.try_into().ok()?, day.try_into().ok()?).ok()?, 1.day()),
        _ => return None,
    };
    let midnight = |day: Date| Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp());
    Some(Stretch { start: midnight(first)?, end: midnight(first.checked_add(length).ok()?)? })
}

fn after(at: Timestamp, length: SignedDuration) -> Timestamp {
    at.checked_add(length).unwrap_or(Timestamp::MAX)
}
