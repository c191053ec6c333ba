//! Numbers that stay as they were written.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// A decimal number in the very characters in which its source gave it: `6.50` stays `6.50`.
///
/// FHIR asks that the precision of a decimal survives (R4, datatypes, decimal). A JSON number grammar, at most
/// 18 significant digits and no exponent, which is the range every FHIR server is asked to support.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Decimal(String);

/// A text was not a plain decimal number.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a decimal number of at most 18 digits, without an exponent")]
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
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = match unsigned.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (unsigned, None),
        };
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let grammatical = digits(whole) && fraction.is_none_or(digits) && (whole == "0" || !whole.starts_with('0'));
        let length = whole.len() + fraction.map_or(0, str::len);
        if grammatical && length <= 18 { Ok(Self(text.to_owned())) } else { Err(InvalidDecimal) }
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
    use super::*;

    #[test]
    fn a_decimal_keeps_the_zeros_it_came_with() {
        let read: Decimal = serde_json::from_str("6.50").unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), "6.50");
    }

    #[test]
    fn what_is_no_plain_decimal_is_refused() {
        for bad in ["", "-", ".5", "5.", "1e3", "01", "+1", "NaN", "1234567890.123456789", "\"5\""] {
            assert!(bad.parse::<Decimal>().is_err(), "{bad:?}");
        }
    }
}
