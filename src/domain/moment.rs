//! An instant together with the local time in which a person lived it.

use jiff::Timestamp;
use jiff::civil::DateTime;
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
    /// [`InvalidMoment`] when the text is anything else, or cannot be told to others ([`Self::can_be_said`]).
    pub fn parse_rfc3339(text: &str) -> Result<Self, InvalidMoment> {
        if !has_rfc3339_shape(text) {
            return Err(InvalidMoment);
        }
        let pieces = jiff::fmt::temporal::Pieces::parse(text).map_err(|_| InvalidMoment)?;
        let time = pieces.time().ok_or(InvalidMoment)?;
        let offset = pieces.to_numeric_offset().ok_or(InvalidMoment)?;
        let at = offset.to_timestamp(pieces.date().to_datetime(time)).map_err(|_| InvalidMoment)?;
        Some(Self::new(at, offset)).filter(|moment| moment.can_be_said()).ok_or(InvalidMoment)
    }

    /// Whether it can be told to others: since 1900, and with an offset of at most ±14:00, which is all that FHIR can say (R4,
    /// datatypes, dateTime).
    #[must_use]
    pub fn can_be_said(self) -> bool {
        self.shown().year() >= 1900 && self.offset_seconds.abs() <= LARGEST_OFFSET
    }

    /// The moment `at` as seen at `offset`, cut to the microsecond.
    #[must_use]
    pub fn new(at: Timestamp, offset: Offset) -> Self {
        let at = Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at);
        Self { at, offset_seconds: offset.seconds() }
    }

    /// What the member's clock showed.
    #[must_use]
    pub fn shown(self) -> DateTime {
        Offset::from_seconds(self.offset_seconds).unwrap_or(Offset::UTC).to_datetime(self.at)
    }

    /// RFC 3339 in the member's local time, always with seconds and a numeric offset.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        let offset = Offset::from_seconds(self.offset_seconds).unwrap_or(Offset::UTC);
        self.at.display_with_offset(offset).to_string()
    }
}

/// In seconds.
const LARGEST_OFFSET: i32 = 14 * 3600;

/// `2026-11-02T21:30:00`, a fraction if one likes, and `Z` or `+01:00`. jiff reads more forms than RFC 3339 allows.
fn has_rfc3339_shape(text: &str) -> bool {
    let fits = |text: &[u8], shape: &[u8]| {
        text.len() == shape.len()
            && text
                .iter()
                .zip(shape)
                .all(|(byte, form)| if *form == b'0' { byte.is_ascii_digit() } else { byte == form })
    };
    let Some((whole, rest)) = text.as_bytes().split_at_checked(19) else { return false };
    let rest = match rest.strip_prefix(b".") {
        Some(fraction) => {
            let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if digits == 0 || digits > 9 {
                return false;
            }
            fraction.get(digits..).unwrap_or_default()
        }
        None => rest,
    };
    fits(whole, b"0000-00-00T00:00:00") && (rest == b"Z" || fits(rest, b"+00:00") || fits(rest, b"-00:00"))
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
