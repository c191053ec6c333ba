//! An instant together with the local time in which a person lived it.

use jiff::Timestamp;
use jiff::tz::Offset;
use serde::{Deserialize, Serialize};

/// When something happened: the instant, and the offset from UTC that the member's clock showed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Moment {
    /// The instant, to the microsecond.
    pub at: Timestamp,
    /// The member's offset from UTC, in seconds east of Greenwich.
    pub offset_seconds: i32,
}

/// A text was not a date and time with a zone.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected an RFC 3339 date and time with an offset, such as 2026-11-02T21:30:00+01:00")]
pub struct InvalidMoment;

impl Moment {
    /// Reads RFC 3339 (section 5.6). A time without an offset is refused: nobody but the member knows its zone.
    ///
    /// # Errors
    /// [`InvalidMoment`] when the text is anything else, or the year is before 1900.
    pub fn parse_rfc3339(text: &str) -> Result<Self, InvalidMoment> {
        let pieces = jiff::fmt::temporal::Pieces::parse(text).map_err(|_| InvalidMoment)?;
        let time = pieces.time().ok_or(InvalidMoment)?;
        let offset = pieces.to_numeric_offset().ok_or(InvalidMoment)?;
        if pieces.time_zone_annotation().is_some() || pieces.date().year() < 1900 || !text.is_ascii() {
            return Err(InvalidMoment);
        }
        let at = offset.to_timestamp(pieces.date().to_datetime(time)).map_err(|_| InvalidMoment)?;
        Ok(Self::new(at, offset))
    }

    /// The moment `at` as seen at `offset`, cut to the microsecond.
    #[must_use]
    pub fn new(at: Timestamp, offset: Offset) -> Self {
        let at = Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at);
        Self { at, offset_seconds: offset.seconds() }
    }

    /// RFC 3339 in the member's local time, always with seconds and a numeric offset.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        let offset = Offset::from_seconds(self.offset_seconds).unwrap_or(Offset::UTC);
        self.at.display_with_offset(offset).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_local_offset_survives() {
        for text in ["2026-11-02T21:30:00+01:00", "2026-11-02T21:30:00.25-03:30", "2026-11-02T21:30:00+00:00"] {
            assert_eq!(Moment::parse_rfc3339(text).unwrap().to_rfc3339(), text);
        }
        assert_eq!(Moment::parse_rfc3339("2026-11-02T21:30:00Z").unwrap().to_rfc3339(), "2026-11-02T21:30:00+00:00");
    }

    #[test]
    fn a_time_without_a_zone_or_with_a_strange_year_is_refused() {
        for bad in
            ["", "2026-11-02", "2026-11-02T21:30:00", "0000-01-01T00:00:00Z", "2026-02-30T00:00:00Z", "yesterday"]
        {
            assert_eq!(Moment::parse_rfc3339(bad), Err(InvalidMoment), "{bad:?}");
        }
    }
}
