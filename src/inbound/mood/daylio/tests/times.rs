//! Dates and times in the languages of their writers.

use super::super::months::{MONTHS, month};
use super::*;

fn hour_and_minute(time: &str) -> Option<(i8, i8)> {
    wall_time("2026-11-15", time).ok().map(|at| (at.hour(), at.minute()))
}

#[test]
fn both_clocks_are_read_with_any_space_before_the_marker() {
    let half_past_eight = [
        "20:30",
        "20.30",
        "8:30 pm",
        "8:30 PM",
        "08:30 pm",
        "8:30pm",
        "8:30\u{202f}PM",
        "8:30\u{a0}pm",
        "8:30 p.m.",
        "8:30\u{a0}p.\u{a0}m.",
        " 20:30 ",
    ];
    for time in half_past_eight {
        assert_eq!(hour_and_minute(time), Some((20, 30)), "{time:?}");
    }
    assert_eq!(hour_and_minute("8:05"), Some((8, 5)));
    assert_eq!(hour_and_minute("8:05 am"), Some((8, 5)));
}

#[test]
fn midnight_is_twelve_am_and_noon_is_twelve_pm() {
    assert_eq!(hour_and_minute("12:00 am"), Some((0, 0)));
    assert_eq!(hour_and_minute("12:30 pm"), Some((12, 30)));
    assert_eq!(hour_and_minute("0:00"), Some((0, 0)));
    assert_eq!(hour_and_minute("23:59"), Some((23, 59)));
}

#[test]
fn what_is_no_known_time_is_a_bad_line() {
    let wrong = [
        "",
        "24:00",
        "12:60",
        "8:3",
        "8:030",
        "830",
        "20:30:15",
        "13:05 pm",
        "0:10 am",
        "8:30 xm",
        "오후 8:30",
        "+8:30",
        "８:30",
        "8:30 .",
        "-1:00",
        "8:",
        ":30",
        "pm",
    ];
    for time in wrong {
        let bad = wall_time("2026-11-15", time).expect_err(time);
        assert_eq!(bad.to_string(), "line 2, column time: expected a time such as 20:30 or 8:30 pm");
    }
}

#[test]
fn a_full_date_is_an_iso_date_that_exists() {
    assert_eq!(wall_time("2024-02-29", "20:30").unwrap(), date(2024, 2, 29).at(20, 30, 0, 0));
    let wrong = [
        "2023-02-29",
        "2026-13-01",
        "2026-00-10",
        "2026-11-31",
        "15-11-2026",
        "2026-1-15",
        "2026-01-5",
        "2026-11",
        "2026-11-15-1",
    ];
    for text in wrong {
        let bad = wall_time(text, "20:30").expect_err(text);
        assert_eq!(bad.column, Some(Column::FullDate), "{text}");
    }
}

#[test]
fn a_year_outside_1970_to_2100_is_a_bad_line() {
    assert!(wall_time("1970-01-01", "0:00").is_ok() && wall_time("2100-12-31", "0:00").is_ok());
    for year in ["0000", "1969", "2101", "9999"] {
        let full = wall_time(&format!("{year}-01-01"), "0:00").unwrap_err();
        assert_eq!(full.to_string(), "line 2, column full_date: expected a year from 1970 to 2100");
        assert_eq!(old_wall_time(year, "1 May").unwrap_err().column, Some(Column::Year));
    }
}

#[test]
fn a_day_and_a_month_are_read_in_ten_languages() {
    let written = [
        "September 28",
        "28 September",
        "28. September",
        "28 сентября",
        "28 septembre",
        "28 de septiembre",
        "28 de setembro",
        "28 settembre",
        "28 września",
        "28 september",
        "28 вересня",
        "28 SEPTEMBER",
        "28\u{a0}СЕНТЯБРЯ",
    ];
    for day in written {
        assert_eq!(old_wall_time("2018", day).expect(day), date(2018, 9, 28).at(20, 30, 0, 0));
    }
    assert_eq!(MONTHS.len(), 10);
}

#[test]
fn every_language_has_twelve_months_and_no_name_means_two() {
    for (language, names) in MONTHS {
        let numbers: Vec<_> = names.split(' ').filter_map(month).collect();
        assert_eq!(numbers, (1..=12).collect::<Vec<_>>(), "{language}");
    }
}

#[test]
fn a_day_that_cannot_be_is_a_bad_line() {
    assert!(old_wall_time("2016", "29 February").is_ok());
    for day in ["30 February", "31 April", "0 May", "32 May"] {
        let bad = old_wall_time("2018", day).expect_err(day);
        assert_eq!(bad.to_string(), "line 2, column date: expected a day that this month has in this year");
    }
    for day in ["", "28", "September", "28 Septober", "28 9", "28 September 2018", "100 May", "May x"] {
        let bad = old_wall_time("2018", day).expect_err(day);
        assert!(bad.column == Some(Column::Date) && bad.expected.contains("full name of a month"), "{day}");
    }
}
