//! Days and weeks as a member lives them: from midnight to midnight by their own clock, 23 or 25 hours long when it
//! changes, and longer or shorter when they move.

use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};
use jiff::{Span, Timestamp};

use super::category::Detail;
use super::moment::Moment;

/// How a member's time falls into days.
///
/// Every instant lies in exactly one day, and a later instant never in an earlier one. A member who moves ends the day
/// that they are in when it ends by the clock of the new place; where that clock shows the next day already, it ends with
/// the move.
#[derive(Clone)]
pub struct Days {
    earlier: Vec<(TimeZone, Timestamp)>,
    now: TimeZone,
    /// Whether the first of the earlier zones is none where the member stood.
    is_assumed: bool,
}

/// A day, or a week from Monday on, as a member lived it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period {
    /// Its first day.
    pub first_day: Date,
    /// The day after its last one.
    pub next_day: Date,
    /// Its first instant.
    pub start: Timestamp,
    /// The first instant after it.
    pub end: Timestamp,
}

impl Days {
    /// Days in the zones where a member stood before, oldest first, each until they moved, and in the one where they are
    /// now.
    #[must_use]
    pub fn new(earlier: impl Iterator<Item = (TimeZone, Timestamp)>, now: TimeZone) -> Self {
        Self { earlier: earlier.collect(), now, is_assumed: false }
    }

    /// The same, where by the first zone days were only counted until the member named one: no clock of theirs showed it.
    #[must_use]
    pub fn of_an_assumed_clock(self) -> Self {
        Self { is_assumed: true, ..self }
    }

    /// The zones with the instants from which on they counted, oldest first.
    fn stays(&self) -> impl Iterator<Item = (Timestamp, &TimeZone, Timestamp)> {
        let starts = std::iter::once(Timestamp::MIN).chain(self.earlier.iter().map(|(_, until)| *until));
        let ends = self.earlier.iter().map(|(_, until)| *until).chain([Timestamp::MAX]);
        let zones = self.earlier.iter().map(|(zone, _)| zone).chain([&self.now]);
        starts.zip(zones).zip(ends).map(|((from, zone), until)| (from, zone, until))
    }

    /// The day in which an instant lies.
    #[must_use]
    pub fn day_of(&self, at: Timestamp) -> Date {
        let lived = self.stays().take_while(|(from, ..)| *from <= at);
        let shown = lived.map(|(_, zone, until)| zone.to_datetime(at.min(until)).date()).max().unwrap_or(Date::MIN);
        // A clock that is set back just after midnight (St. John's did so until 2011) shows the day before once more.
        let next = shown.tomorrow().unwrap_or(Date::MAX);
        if self.start_of(next) <= at { next } else { shown }
    }

    /// The first instant of a day. One that the member jumped over, moving, has none of its own: that of the next.
    #[must_use]
    pub fn start_of(&self, day: Date) -> Timestamp {
        let mut reached = Date::MIN;
        for (from, zone, until) in self.stays() {
            if reached.max(zone.to_datetime(from).date()) >= day {
                return from;
            }
            let midnight = zone.to_ambiguous_zoned(day.at(0, 0, 0, 0)).compatible().map(|zoned| zoned.timestamp());
            if let Ok(midnight) = midnight
                && midnight < until
            {
                return midnight;
            }
            reached = reached.max(zone.to_datetime(until).date());
        }
        Timestamp::MAX
    }

    /// The instant at which the member's clock showed this. Of what it showed twice, the first; what it never showed is
    /// read as if they had not moved, or the clock had not been set (RFC 5545, section 3.3.5). Before they named a zone, their
    /// clock stood in the first that they named, whatever their days were counted by.
    #[must_use]
    pub fn instant_of(&self, shown: DateTime) -> Option<Timestamp> {
        let on = |zone: &TimeZone| zone.to_ambiguous_zoned(shown).compatible().ok().map(|zoned| zoned.timestamp());
        let mut from = Timestamp::MIN;
        let lived = self.stays().skip(usize::from(self.is_assumed)).find_map(|(_, zone, until)| {
            let stay = std::mem::replace(&mut from, until)..until;
            on(zone).filter(|at| stay.contains(at))
        });
        lived.or_else(|| on(&self.now))
    }

    /// The period of a detail in which an instant lies: its day, or its week.
    #[must_use]
    pub fn period_of(&self, detail: Detail, at: Timestamp) -> Period {
        let day = self.day_of(at);
        let (back, length) = match detail {
            Detail::WeeklySummary => (i64::from(day.weekday().to_monday_zero_offset()), 7),
            Detail::DailySummary | Detail::EveryEntry => (0, 1),
        };
        let first_day = day.checked_sub(Span::new().days(back)).unwrap_or(day);
        let next_day = first_day.checked_add(Span::new().days(length)).unwrap_or(Date::MAX);
        Period { first_day, next_day, start: self.start_of(first_day), end: self.start_of(next_day) }
    }

    /// An instant with the offset that the member's clock showed.
    #[must_use]
    pub fn moment(&self, at: Timestamp) -> Moment {
        Moment::new(at, self.offset(at))
    }

    fn offset(&self, at: Timestamp) -> Offset {
        self.stays().find(|(.., until)| at < *until).map_or(Offset::UTC, |(_, zone, _)| zone.to_offset(at))
    }
}

impl std::fmt::Debug for Days {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Days(..)")
    }
}

impl std::fmt::Debug for Period {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Period(..)")
    }
}

#[cfg(test)]
#[path = "day_tests.rs"]
mod tests;
