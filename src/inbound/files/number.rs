//! Numbers as files write them, for [`Decimal`].

use crate::domain::decimal::Decimal;

/// Digits after the point that are kept of a number that has too many for a [`Decimal`], or was computed by its source.
const KEPT: usize = 6;

/// The most digits of a number that stays as it is written, those zeros counted with which it begins.
const LONGEST: usize = 18;

/// A number as it is written. One with an exponent, or with more digits than can be kept, is rounded to six places; and so is
/// what a [`Decimal`] would keep and this did not: a file that is imported once more says what it said before.
#[must_use]
pub fn decimal(text: &str) -> Option<Decimal> {
    let text = text.trim();
    let is_plain = !text.contains(['e', 'E']) && text.bytes().filter(u8::is_ascii_digit).count() <= LONGEST;
    text.parse().ok().filter(|_| is_plain).or_else(|| {
        let shape = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
        let number = text.parse::<f64>().ok().filter(|number| shape && number.is_finite())?;
        rounded(number)
    })
}

/// A number to six places, without zeros that say nothing.
#[must_use]
pub fn rounded(number: f64) -> Option<Decimal> {
    if number.abs() >= 1e12 {
        return None;
    }
    let text = format!("{number:.KEPT$}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".parse().ok() } else { text.parse().ok() }
}

/// So many seconds in minutes, to a hundredth.
#[must_use]
pub fn minutes(seconds: i64) -> Option<Decimal> {
    let hundredths = seconds.checked_mul(100)?.checked_add(30)? / 60;
    let text = format!("{}.{:02}", hundredths / 100, (hundredths % 100).abs());
    text.trim_end_matches('0').trim_end_matches('.').parse().ok()
}

/// So many of a unit in minutes: `9.5` hours are 570 minutes. `None` when that is no number, or below nothing.
#[must_use]
pub fn in_minutes(text: &str, unit_in_minutes: f64) -> Option<Decimal> {
    let number: f64 = decimal(text)?.approximate();
    if number < 0.0 {
        return None;
    }
    rounded(((number * unit_in_minutes) * 100.0).round() / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(number: Option<Decimal>) -> String {
        number.map_or("nothing".into(), |number| number.as_str().to_owned())
    }

    #[test]
    fn a_number_stays_as_it_was_written_where_that_can_be() {
        for (text, expected) in [
            ("72", "72"),
            (" 6.50 ", "6.50"),
            ("47.123456789012345678", "47.123457"),
            ("0.017391304347826087", "0.017391"),
            ("5.2173913043478262e-05", "0.000052"),
            ("1e-05", "0.00001"),
            ("7.2E1", "72"),
            ("-0.0000000000000000001", "0"),
            ("", "nothing"),
            ("NaN", "nothing"),
            ("inf", "nothing"),
            ("1e300", "nothing"),
            ("5,5", "nothing"),
            ("twelve", "nothing"),
        ] {
            assert_eq!(said(decimal(text)), expected, "{text:?}");
        }
    }

    #[test]
    fn minutes_are_exact_where_they_can_be() {
        assert_eq!(said(minutes(27_000)), "450");
        assert_eq!(said(minutes(90)), "1.5");
        assert_eq!(said(minutes(61)), "1.02");
        assert_eq!(said(minutes(i64::MAX)), "nothing");
        assert_eq!(said(in_minutes("9.5", 60.0)), "570");
        assert_eq!(said(in_minutes("0.1", 60.0)), "6");
        assert_eq!(said(in_minutes("-1", 60.0)), "nothing");
        assert_eq!(said(in_minutes("x", 60.0)), "nothing");
    }
}
