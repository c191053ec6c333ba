//! Figures over decimals, without a binary number in between.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::decimal::Decimal;

/// How many places a mean has, always: `3.50`.
const MEAN_PLACES: u32 = 2;

/// The most digits of a decimal that count, and the most places that are reckoned with: what is smaller changes no figure.
const MOST: u32 = 18;

/// What a few numbers amount to.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spread {
    /// The mean, to two places, a half rounded to the even neighbour (3.125 → 3.12, 3.135 → 3.14), so that many means do
    /// not lean to one side. `None` where it would take more digits than a decimal may have.
    pub mean: Option<Decimal>,
    /// The least of them, as it was first written.
    pub least: Decimal,
    /// The most of them, as it was first written.
    pub most: Decimal,
}

impl Spread {
    /// Of these numbers; `None` if there are none.
    #[must_use]
    pub fn of(numbers: &[&Decimal]) -> Option<Self> {
        let least = numbers.iter().copied().min_by(|one, other| compare(one, other))?.clone();
        // Of equal ones, the last is the maximum; reversed, it is the first.
        let most = numbers.iter().copied().rev().max_by(|one, other| compare(one, other))?.clone();
        Some(Self { mean: mean(numbers), least, most })
    }
}

/// The order of the numbers, however they are written.
#[must_use]
pub fn compare(one: &Decimal, other: &Decimal) -> Ordering {
    let (one, other) = (Fixed::from(one), Fixed::from(other));
    let places = one.places.max(other.places);
    // Both are at most 36 digits long then.
    one.units_at(places).cmp(&other.units_at(places))
}

/// The number in the one way in which equal numbers are written: without zeros at its end.
#[must_use]
pub fn plain(number: &Decimal) -> String {
    let Fixed { units, places } = Fixed::exact(number);
    written(units, places)
}

/// What numbers add up to, exactly where that takes no more digits than a decimal may have, or else to as many places as
/// there is room for. `None` where there is room for none.
#[must_use]
pub fn sum(numbers: &[&Decimal]) -> Option<Decimal> {
    let numbers: Vec<Fixed> = numbers.iter().copied().map(Fixed::from).collect();
    let places = numbers.iter().map(|number| number.places).max().unwrap_or(0);
    let sum = numbers.iter().try_fold(0i128, |sum, number| sum.checked_add(number.units_at(places)?))?;
    written(sum, places).parse().ok().or_else(|| fitted(sum, places))
}

/// So many times a number, without zeros at its end: exactly, or to as many places as a decimal has room for. `None` where
/// there is room for none.
#[must_use]
pub fn times(number: &Decimal, factor: u32) -> Option<Decimal> {
    let Fixed { units, places } = Fixed::exact(number);
    fitted(units.checked_mul(i128::from(factor))?, places)
}

/// A number divided, to so many places at most, half to even.
#[must_use]
pub fn divided(number: &Decimal, by: u32, places: u32) -> Option<Decimal> {
    let fixed = Fixed::from(number);
    let up = 10i128.checked_pow(places.saturating_sub(fixed.places))?;
    let down = 10i128.checked_pow(fixed.places.saturating_sub(places))?;
    let units = divided_half_even(fixed.units.checked_mul(up)?, i128::from(by).checked_mul(down)?)?;
    let quotient = written(units, places).parse().ok()?;
    plain(&quotient).parse().ok()
}

/// The number with at most so many places, a half rounded to the even neighbour; as it was written where it has no more.
#[must_use]
pub fn rounded(number: &Decimal, places: u32) -> Decimal {
    let fixed = Fixed::from(number);
    let round = || {
        let down = 10i128.checked_pow(fixed.places.checked_sub(places)?)?;
        written(divided_half_even(fixed.units, down)?, places).parse().ok()
    };
    if fixed.places <= places { number.clone() } else { round().unwrap_or_else(|| number.clone()) }
}

/// By how much the second is more than the first; `None` where that takes more digits than a decimal may have.
#[must_use]
pub fn difference(one: &Decimal, other: &Decimal) -> Option<Decimal> {
    let (one, other) = (Fixed::from(one), Fixed::from(other));
    let places = one.places.max(other.places);
    written(other.units_at(places)?.checked_sub(one.units_at(places)?)?, places).parse().ok()
}

fn mean(numbers: &[&Decimal]) -> Option<Decimal> {
    let numbers: Vec<Fixed> = numbers.iter().copied().map(Fixed::from).collect();
    let places = numbers.iter().map(|number| number.places).max()?;
    let sum = numbers.iter().try_fold(0i128, |sum, number| sum.checked_add(number.units_at(places)?))?;
    let count = i128::try_from(numbers.len()).ok()?;
    let up = 10i128.checked_pow(MEAN_PLACES.saturating_sub(places))?;
    let down = 10i128.checked_pow(places.saturating_sub(MEAN_PLACES))?;
    let units = divided_half_even(sum.checked_mul(up)?, count.checked_mul(down)?)?;
    written(units, MEAN_PLACES).parse().ok()
}

/// The number in as many digits as a decimal may have, without zeros at its end.
fn fitted(units: i128, places: u32) -> Option<Decimal> {
    let digits = units.unsigned_abs().checked_ilog10().map_or(1, |power| power + 1);
    let fewer = places.checked_sub(digits.saturating_sub(MOST))?;
    let Fixed { units, places } = Fixed { units, places }.within(fewer).trimmed();
    written(units, places).parse().ok()
}

fn divided_half_even(number: i128, by: i128) -> Option<i128> {
    let (below, rest) = (number.checked_div_euclid(by)?, number.checked_rem_euclid(by)?);
    let up = match rest.checked_mul(2)?.cmp(&by) {
        Ordering::Less => 0,
        Ordering::Equal => below.rem_euclid(2),
        Ordering::Greater => 1,
    };
    below.checked_add(up)
}

/// A decimal as a whole number of its smallest unit.
#[derive(Clone, Copy)]
struct Fixed {
    units: i128,
    places: u32,
}

impl Fixed {
    /// The units, if the smallest one had so many places.
    fn units_at(self, places: u32) -> Option<i128> {
        self.units.checked_mul(10i128.checked_pow(places.checked_sub(self.places)?)?)
    }

    /// All of a decimal, whose places may be hundreds.
    fn exact(number: &Decimal) -> Self {
        let (whole, fraction) = number.as_str().split_once('.').unwrap_or((number.as_str(), ""));
        let fraction = fraction.trim_end_matches('0');
        // A decimal has at most 18 digits that count.
        let units = format!("{whole}{fraction}").parse().unwrap_or_default();
        Self { units, places: u32::try_from(fraction.len()).unwrap_or_default() }
    }

    /// With so many places at most, a half rounded to the even neighbour.
    fn within(self, places: u32) -> Self {
        let Some(too_many) = self.places.checked_sub(places) else { return self };
        // Where even ten to that power is too much, nothing is left.
        let units = 10i128.checked_pow(too_many).and_then(|down| divided_half_even(self.units, down)).unwrap_or(0);
        Self { units, places }
    }

    /// Without zeros at the end of its places.
    fn trimmed(mut self) -> Self {
        while self.places > 0 && self.units % 10 == 0 {
            self.units /= 10;
            self.places -= 1;
        }
        self
    }
}

impl From<&Decimal> for Fixed {
    fn from(number: &Decimal) -> Self {
        Self::exact(number).within(MOST)
    }
}

fn written(units: i128, places: u32) -> String {
    let sign = if units < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", units.unsigned_abs(), width = places as usize + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places as usize);
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decimals(texts: &[&str]) -> Vec<Decimal> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn spread(texts: &[&str]) -> Option<[String; 3]> {
        let numbers = decimals(texts);
        let spread = Spread::of(&numbers.iter().collect::<Vec<_>>())?;
        Some([
            spread.mean.map_or_else(|| "none".to_owned(), |mean| mean.to_string()),
            spread.least.to_string(),
            spread.most.to_string(),
        ])
    }

    #[test]
    fn a_mean_has_two_places_and_a_half_goes_to_the_even_neighbour() {
        for (numbers, mean) in [
            (&["3"] as &[_], "3.00"),
            (&["1", "2"], "1.50"),
            (&["1", "1", "2"], "1.33"),
            (&["3.125"], "3.12"),
            (&["3.135"], "3.14"),
            (&["-3.125"], "-3.12"),
            (&["-3.135"], "-3.14"),
            (&["0.1", "0.2"], "0.15"),
            (&["-0.004"], "0.00"),
            (&["-0", "0.0"], "0.00"),
            (&["0.005", "0.005"], "0.00"),
            (&["99999999999999999.9", "99999999999999999.9"], "none"),
        ] {
            assert_eq!(spread(numbers).unwrap()[0], mean, "{numbers:?}");
        }
    }

    #[test]
    fn least_and_most_stay_as_they_were_written() {
        assert_eq!(spread(&["4.50", "4.5", "1.0", "1", "2"]).unwrap()[1..], ["1.0", "4.50"]);
        assert_eq!(spread(&["-10", "-9.99"]).unwrap()[1..], ["-10", "-9.99"]);
        assert!(spread(&[]).is_none());
    }

    #[test]
    fn a_sum_is_exact() {
        let total = |texts: &[&str]| sum(&decimals(texts).iter().collect::<Vec<_>>()).map(|sum| sum.to_string());
        assert_eq!(total(&["0.1", "0.2", "400"]).unwrap(), "400.3");
        assert_eq!(total(&[]).unwrap(), "0");
        assert_eq!(total(&["999999999999999999", "1"]), None);
    }

    #[test]
    fn what_is_too_long_to_be_exact_is_rounded_and_not_lost() {
        let number = |text: &str| text.parse::<Decimal>().unwrap();
        let total = |texts: &[&str]| sum(&decimals(texts).iter().collect::<Vec<_>>()).map(|sum| sum.to_string());
        assert_eq!(total(&["5.016666666666667", "0.016666666666666666"]).unwrap(), "5.03333333333333367");
        assert_eq!(total(&["8000", "5e-324", "0.000052173913043478262"]).unwrap(), "8000.00005217391304");
        assert_eq!(times(&number("1.7333333333333334"), 60).unwrap(), number("104.000000000000004"));
        assert_eq!(times(&number("5.2173913043478262e-05"), 60).unwrap(), number("0.00313043478260869572"));
        assert_eq!(times(&number("123456789.012345678"), 10_080).unwrap(), number("1244444433244.44443"));
        assert_eq!(divided(&number("5e-324"), 60, 2).unwrap(), number("0"));
        assert_eq!(rounded(&number("5.551115123125783e-17"), 2), number("0.00"));
        assert_eq!(spread(&["5e-324", "1"]).unwrap()[0], "0.50");
        assert_eq!(compare(&number("999999999999999999"), &number("5e-324")), Ordering::Greater);
        assert_eq!(plain(&number("5.50e-20")), "0.000000000000000000055");
    }

    #[test]
    fn numbers_are_rounded_and_compared_exactly() {
        let number = |text: &str| text.parse::<Decimal>().unwrap();
        for (text, places, round) in
            [("3.14159", 2, "3.14"), ("0.125", 2, "0.12"), ("4.5", 0, "4"), ("5.50", 2, "5.50"), ("-0.005", 2, "0.00")]
        {
            assert_eq!(rounded(&number(text), places), number(round), "{text}");
        }
        for (one, other, more) in [("3.62", "2.80", "-0.82"), ("1", "1.0", "0"), ("0.1", "0.35", "0.25")] {
            assert_eq!(difference(&number(one), &number(other)).unwrap(), number(more));
        }
    }

    #[test]
    fn equal_numbers_are_written_in_one_way() {
        for (number, plainly) in [("5", "5"), ("5.00", "5"), ("-0.50", "-0.5"), ("-0.0", "0"), ("100", "100")] {
            assert_eq!(plain(&number.parse().unwrap()), plainly);
        }
    }

    proptest! {
        /// Against whole numbers of thousandths: the nearest hundredth, and of two the even one.
        #[test]
        fn a_mean_is_never_more_than_half_a_hundredth_off(thousandths in prop::collection::vec(-9_999i64..=9_999, 1..50)) {
            let numbers: Vec<Decimal> = thousandths.iter().map(|n| {
                format!("{}{}.{:03}", if *n < 0 { "-" } else { "" }, n.abs() / 1000, n.abs() % 1000).parse().unwrap()
            }).collect();
            let found = Spread::of(&numbers.iter().collect::<Vec<_>>()).unwrap();
            let mean: String = found.mean.unwrap().to_string();
            let hundredths: i64 = mean.replace('.', "").parse().unwrap();
            let (sum, count) = (thousandths.iter().sum::<i64>(), i64::try_from(thousandths.len()).unwrap());
            let off = (hundredths * 10 * count - sum).abs();
            prop_assert!(2 * off < 10 * count || 2 * off == 10 * count && hundredths % 2 == 0, "{mean}");
            prop_assert!(numbers.iter().all(|number| compare(&found.least, number) != Ordering::Greater));
            prop_assert!(numbers.iter().all(|number| compare(&found.most, number) != Ordering::Less));
        }

        #[test]
        fn any_decimals_are_ordered_as_numbers(one in "-?(0|[1-9][0-9]{0,8})(\\.[0-9]{1,9})?", other in "-?(0|[1-9][0-9]{0,8})(\\.[0-9]{1,9})?") {
            let (one, other): (Decimal, Decimal) = (one.parse().unwrap(), other.parse().unwrap());
            prop_assert_eq!(compare(&one, &other) == Ordering::Equal, plain(&one) == plain(&other));
            if (one.approximate() - other.approximate()).abs() > 1e-3 {
                prop_assert_eq!(compare(&one, &other), one.approximate().total_cmp(&other.approximate()));
            }
        }
    }
}
