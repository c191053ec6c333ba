//! Dates and times as Daylio writes them. Each failure says what was expected; the caller knows the line and column.

use jiff::civil::{Date, Time};

use super::months::month;

const ISO_DATE: &str = "a date that exists, such as 2026-11-15";
const YEAR: &str = "a year from 1970 to 2100";
const DAY_AND_MONTH: &str = "a day and the full name of a month in a known language, such as 15 November";
const TIME: &str = "a time such as 20:30 or 8:30 pm";

/// An ISO date, the same in every language.
pub(in crate::inbound) fn full_date(text: &str) -> Result<Date, &'static str> {
    let mut parts = text.split('-');
    let (Some(year_text), Some(month), Some(day), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(ISO_DATE);
    };
    let month = digits(month, 2..=2).ok_or(ISO_DATE)?;
    let day = digits(day, 2..=2).ok_or(ISO_DATE)?;
    Date::new(year(year_text)?, month, day).map_err(|_| ISO_DATE)
}

/// A year in which a diary can have been written.
pub(super) fn year(text: &str) -> Result<i16, &'static str> {
    digits(text, 4..=4).filter(|year| (1970..=2100).contains(year)).ok_or(YEAR)
}

/// A day and a month in the member's language, in either order: `September 28`, `28. September`, `28 de septiembre`.
pub(super) fn date_in_year(year: i16, text: &str) -> Result<Date, &'static str> {
    let is_break = |c: char| c.is_whitespace() || c == '.' || c == ',';
    let mut words = text.split(is_break).filter(|word| !word.is_empty() && *word != "de");
    let (Some(first), Some(second), None) = (words.next(), words.next(), words.next()) else {
        return Err(DAY_AND_MONTH);
    };
    let (day, name) = if first.starts_with(|c: char| c.is_ascii_digit()) { (first, second) } else { (second, first) };
    let day = digits(day, 1..=2).ok_or(DAY_AND_MONTH)?;
    Date::new(year, month(name).ok_or(DAY_AND_MONTH)?, day).map_err(|_| "a day that this month has in this year")
}

/// A wall time: `20:30`, `20.30`, `8:30 pm`, `8:30 PM`, `8:30 p.m.`, whatever kind of space stands before the marker.
pub(in crate::inbound) fn time(text: &str) -> Result<Time, &'static str> {
    let end = text.find(|c: char| c.is_whitespace() || c.is_alphabetic()).unwrap_or(text.len());
    let (clock, marker) = text.split_at(end);
    let (hour, minute) = clock.split_once([':', '.']).ok_or(TIME)?;
    let hour: i8 = digits(hour, 1..=2).ok_or(TIME)?;
    let minute = digits(minute, 2..=2).ok_or(TIME)?;
    let hour = hour_of_day(hour, marker).ok_or(TIME)?;
    Time::new(hour, minute, 0, 0).map_err(|_| TIME)
}

/// The hour from 0 to 23: midnight is 12 am, noon is 12 pm, and a clock with a marker has no hour 0 or 13.
fn hour_of_day(hour: i8, marker: &str) -> Option<i8> {
    if marker.is_empty() {
        return Some(hour);
    }
    let letters = marker.chars().filter(|c| !c.is_whitespace() && *c != '.');
    let half = letters.flat_map(char::to_lowercase).collect::<String>();
    match (half.as_str(), hour) {
        ("am", 12) => Some(0),
        ("am", 1..=11) | ("pm", 12) => Some(hour),
        ("pm", 1..=11) => Some(hour + 12),
        _ => None,
    }
}

/// A number written in that many ASCII digits and nothing else.
fn digits<N: std::str::FromStr>(text: &str, lengths: std::ops::RangeInclusive<usize>) -> Option<N> {
    let plain = lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}
