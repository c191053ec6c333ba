//! Numbers that stay as they were written.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// A decimal number in the very characters in which its source gave it: `6.50` stays `6.50`. One with an exponent is
/// written out, digit by digit: `5.20e-2` becomes `0.0520`, which is as precise.
///
/// FHIR asks that the precision of a decimal survives (R4, datatypes, decimal). A JSON number grammar and at most
/// 18 significant digits, which is the range every FHIR server is asked to support. Zeros at its beginning only say how
/// small it is: a phone that computes writes 0.016666666666666666, and 5e-17 where it means nothing at all.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Decimal(String);

/// The most significant digits.
const MOST_DIGITS: usize = 18;

/// The most places after the point: as many as the smallest number has that a computer reckons with, and a few more.
const MOST_PLACES: usize = 340;

/// A text was not a decimal number, or too long a one.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a decimal number of at most 18 digits that count")]
pub struct InvalidDecimal;

impl Decimal {
    /// The number as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The nearest binary number, for comparisons only: never for writing.
    #[must_use]
    pub fn approximate(&self) -> f64 {
        self.0.parse().unwrap_or(f64::NAN)
    }
}

impl From<i32> for Decimal {
    fn from(whole: i32) -> Self {
        Self(whole.to_string())
    }
}

impl FromStr for Decimal {
    type Err = InvalidDecimal;

    fn from_str(text: &str) -> Result<Self, InvalidDecimal> {
        let (number, power) = match text.split_once(['e', 'E']) {
            Some((number, power)) => (number, Some(power)),
            None => (text, None),
        };
        let unsigned = number.strip_prefix('-').unwrap_or(number);
        let (whole, fraction) = match unsigned.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (unsigned, None),
        };
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let grammatical = digits(whole) && fraction.is_none_or(digits) && (whole == "0" || !whole.starts_with('0'));
        if !grammatical || !is_short(unsigned) {
            return Err(InvalidDecimal);
        }
        let Some(power) = power else { return Ok(Self(text.to_owned())) };
        let out = written_out(whole, fraction.unwrap_or_default(), power).ok_or(InvalidDecimal)?;
        let sign = if number.len() > unsigned.len() { "-" } else { "" };
        if is_short(&out) { Ok(Self(format!("{sign}{out}"))) } else { Err(InvalidDecimal) }
    }
}

/// Whether a number without a sign is within the limits.
fn is_short(number: &str) -> bool {
    let significant = number.bytes().filter(u8::is_ascii_digit).skip_while(|digit| *digit == b'0').count();
    let places = number.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    significant <= MOST_DIGITS && places <= MOST_PLACES
}

/// The same number without its exponent, and with the same digits; `None` where that is far longer than can be taken.
fn written_out(whole: &str, fraction: &str, power: &str) -> Option<String> {
    let power = isize::from(power.parse::<i16>().ok()?);
    let zeros = "0".repeat(MOST_PLACES);
    let digits = format!("{zeros}{whole}{fraction}{zeros}");
    let point = zeros.len().checked_add(whole.len())?.checked_add_signed(power)?;
    let (whole, after) = digits.split_at_checked(point)?;
    let whole = Some(whole.trim_start_matches('0')).filter(|whole| !whole.is_empty()).unwrap_or("0");
    match after.get(..fraction.len().saturating_add_signed(-power))? {
        "" => Some(whole.to_owned()),
        fraction => Some(format!("{whole}.{fraction}")),
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Decimal(..)")
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw = RawValue::from_string(self.0.clone()).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        raw.get().parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_decimal_keeps_the_zeros_it_came_with() {
        let read: Decimal = serde_json::from_str("6.50").unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), "6.50");
    }

    #[test]
    fn what_is_no_decimal_or_too_long_a_one_is_refused() {
        for bad in ["", "-", ".5", "5.", "01", "+1", "NaN", "1234567890.123456789", "\"5\"", "0.1234567890123456789"] {
            assert!(bad.parse::<Decimal>().is_err(), "{bad:?}");
        }
        for bad in
            ["1e", "e3", "1e+", "1.e3", "1e5.0", "1e3e3", "01e3", "1e18", "1e341", "1e-341", "0e-341", "1e99999999999"]
        {
            assert!(bad.parse::<Decimal>().is_err(), "{bad:?}");
        }
        assert!(format!("0.{}1", "0".repeat(MOST_PLACES)).parse::<Decimal>().is_err());
    }

    #[test]
    fn zeros_at_the_beginning_do_not_count() {
        for kept in ["-0.017391304347826087", "0.016666666666666666", "0.000000000000000000123456789012345678", "0"] {
            assert_eq!(kept.parse::<Decimal>().unwrap().as_str(), kept);
        }
    }

    #[test]
    fn an_exponent_is_written_out_as_precisely() {
        for (text, out) in [
            ("5.2e-05", "0.000052"),
            ("5.20e-2", "0.0520"),
            ("-1.5E+1", "-15"),
            ("1.50e1", "15.0"),
            ("0.52e1", "5.2"),
            ("0.5e3", "500"),
            ("12.5e-1", "1.25"),
            ("1e3", "1000"),
            ("1e17", "100000000000000000"),
            ("-0e0", "-0"),
            ("0.0e-1", "0.00"),
        ] {
            assert_eq!(text.parse::<Decimal>().unwrap().as_str(), out, "{text}");
        }
    }

    /// As JavaScript writes it: without an exponent down to a millionth.
    fn in_javascript(number: f64) -> String {
        if number == 0.0 || number.abs() >= 1e-6 { format!("{number}") } else { format!("{number:e}") }
    }

    fn significant(text: &str) -> String {
        let digits = text.split(['e', 'E']).next().unwrap().replace(['-', '.'], "");
        digits.trim_matches('0').to_owned()
    }

    proptest! {
        /// Each power of two is as likely as any other.
        #[test]
        fn any_double_between_minus_one_and_one_is_taken_and_keeps_its_digits(
            power in 0u64..1023, digits in 0u64..1 << 52, is_negative: bool, is_one in 0..100,
        ) {
            let number = if is_one == 0 { 1.0 } else { f64::from_bits((power << 52) | digits) };
            let number = if is_negative { -number } else { number };
            for text in [serde_json::to_string(&number).unwrap(), in_javascript(number), format!("{number:e}"), format!("{number:?}")] {
                let read: Decimal = serde_json::from_str(&text).unwrap();
                prop_assert_eq!(read.approximate().to_bits(), number.to_bits(), "{}", text);
                prop_assert_eq!(significant(read.as_str()), significant(&text));
                prop_assert!(!read.as_str().contains(['e', 'E']));
            }
        }

        /// What was taken before there were exponents stays what it was: it was indexed so.
        #[test]
        fn a_number_without_an_exponent_stays_as_it_was_written(text in "-?(0|[1-9][0-9]{0,8})(\\.[0-9]{1,9})?") {
            prop_assert_eq!(text.parse::<Decimal>().unwrap().to_string(), text);
        }
    }
}
