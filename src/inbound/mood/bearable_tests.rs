use jiff::civil::date;
use jiff::tz::TimeZone;

use super::*;
use crate::domain::day::Days;
use crate::domain::ids::MemberId;
use crate::inbound::event::{Entry, Says};

const NEWER: &str = "date,date formatted,weekday,time of day,category,rating/amount,detail,notes\n";
const OLDER: &str = "date,weekday,time of day,category,rating/amount,detail,notes\n";

fn whose() -> Whose {
    let berlin = TimeZone::get("Europe/Berlin").unwrap();
    let now = "2026-11-20T12:00:00Z".parse().unwrap();
    Whose { member: MemberId(uuid::Uuid::nil()), days: Days::new(std::iter::empty(), berlin), now }
}

fn read(header: &str, rows: &str) -> Vec<Line> {
    let whose = whose();
    Bearable::new(format!("{header}{rows}").as_bytes(), &whose).unwrap().collect()
}

/// When it was and what it was, of each reading; "gone" of each that is none.
fn said(lines: Vec<Line>) -> Vec<String> {
    let items = lines.into_iter().flat_map(|line| match line {
        Ok(Said::Items(items)) => items,
        Ok(_) => Vec::new(),
        Err(bad) => panic!("{}", bad.said("line")),
    });
    let said = |item: crate::inbound::files::Item| match item.event.says {
        Says::Reading(Entry { moment, measure, .. }, _) => {
            format!("{} {}", moment.to_rfc3339(), serde_json::to_string(&measure).unwrap())
        }
        Says::Retraction(_) => "gone".to_owned(),
    };
    items.map(said).collect()
}

#[test]
fn a_mood_has_its_own_scale_and_the_feelings_beside_it_are_tags() {
    let row = "\"22nd Sep 2020\",\"Tuesday\",\"03:00\",\"Mood\",\"6\",\"Meh | Anxious\",\"before the exam\"\n";
    let expected = [
        "2020-09-22T03:00:00+02:00 {\"mood\":{\"rating\":{\"value\":6,\"worst\":1,\"best\":10},\"label\":null,\"state_of_mind\":null}}",
        "2020-09-22T03:00:00+02:00 {\"note\":\"before the exam\"}",
        "2020-09-22T03:00:00+02:00 {\"tags\":[\"Meh\",\"Anxious\"]}",
    ];
    assert_eq!(said(read(OLDER, row)), expected);
    let row = "\"22nd Sep 2020\",\"2020-09-22\",\"Tuesday\",\"3:00 am\",\"Mood\",\"6\",\"Meh | Anxious\",\"before the exam\"\n";
    assert_eq!(said(read(NEWER, row)), expected, "both headers say the same");
}

#[test]
fn of_a_part_of_the_day_its_beginning_counts() {
    let times: Vec<String> = ["pre", "am", "mid", "pm", "all day", ""]
        .map(|part| said(read(OLDER, &format!("1st Jan 2026,Thursday,{part},Factors,,Walk,\n")))[0][11..16].to_owned())
        .to_vec();
    assert_eq!(times, ["00:00", "06:00", "12:00", "18:00", "00:00", "00:00"]);
}

#[test]
fn a_part_of_today_that_begins_later_was_said_now_and_is_the_same_entry_when_it_has_begun() {
    let read_at = |now: &str, row: &str| -> Vec<(String, String)> {
        let whose = Whose { now: now.parse().unwrap(), ..whose() };
        let lines: Vec<Line> = Bearable::new(format!("{OLDER}{row}").as_bytes(), &whose).unwrap().collect();
        let items = lines.into_iter().flat_map(|line| match line {
            Ok(Said::Items(items)) => items,
            _ => Vec::new(),
        });
        let said = |item: crate::inbound::files::Item| match item.event.says {
            Says::Reading(Entry { moment, .. }, _) => Some((item.event.id, moment.to_rfc3339())),
            Says::Retraction(_) => None,
        };
        items.filter_map(said).collect()
    };
    let row = "20th Nov 2026,Friday,pm,Factors,,Walk,\n";
    let (early, late) = (read_at("2026-11-20T15:00:00Z", row), read_at("2026-11-20T19:00:00Z", row));
    assert_eq!((early[0].1.as_str(), late[0].1.as_str()), ("2026-11-20T16:00:00+01:00", "2026-11-20T18:00:00+01:00"));
    assert_eq!(early[0].0, late[0].0);
    for to_come in ["21st Nov 2026,x,pm,Factors,,Walk,\n", "20th Nov 2026,x,18:00,Factors,,Walk,\n"] {
        assert!(read_at("2026-11-20T15:00:00Z", to_come).is_empty(), "{to_come}");
    }
}

#[test]
fn sleep_is_minutes_and_what_is_not_known_is_passed_over() {
    let rows = "2nd Jan 2026,Friday,,Sleep,7:30,Asleep 23:00 - 6:30,\n2nd Jan 2026,Friday,am,Symptom,2,Headache (Moderate),\n\
                2nd Jan 2026,Friday,8:00,Meds/Supplements,50,Something (mg),\n3rd Jan 2026,Saturday,am,Energy,3,,\n";
    let lines = read(OLDER, rows);
    assert!(lines[1..].iter().all(|line| matches!(line, Ok(Said::Nothing))), "{lines:?}");
    let slept = said(lines);
    assert!(slept[0].contains("\"of\":\"sleep-duration\",\"value\":450"), "{slept:?}");
    assert!(slept[0].contains("self-reported"), "{slept:?}");
}

#[test]
fn each_fault_is_said_of_its_line_alone() {
    let rows = "31st Sep 2020,x,03:00,Mood,6,,\n22nd Sep 2020,x,25:00,Mood,6,,\n22nd Sep 2020,x,03:00,Mood,11,,\n\
                22nd Sep 2020,x,03:00,Mood,,,\n22nd Sep 2020,x,,Sleep,722222222:30,,\n22nd Sep 2030,x,03:00,Mood,6,,\n\
                22nd Sep 2020,x,03:00\n22nd Sep 2020,x,03:00,Mood,6,,\n";
    let lines = read(OLDER, rows);
    let faults: Vec<(u64, About)> =
        lines.iter().filter_map(|line| line.as_ref().err()).map(|bad| (bad.place, bad.about)).collect();
    assert_eq!(
        faults,
        [
            (2, About::Date),
            (3, About::Time),
            (4, About::Mood),
            (5, About::Mood),
            (6, About::Value),
            (7, About::Time),
            (8, About::Record)
        ]
    );
    assert!(lines[7].is_ok());
}

#[test]
fn entries_of_the_same_time_are_told_apart_and_found_again() {
    let row = "22nd Sep 2020,x,03:00,Mood,6,,\n";
    let ids = |rows: &str| -> Vec<String> {
        let items = read(OLDER, rows).into_iter().flat_map(|line| match line {
            Ok(Said::Items(items)) => items,
            _ => Vec::new(),
        });
        items.map(|item| item.event.id).collect()
    };
    let (once, twice) = (ids(row), ids(&row.repeat(2)));
    assert_eq!(once, twice[..3]);
    assert_ne!(once, twice[3..]);
}

#[test]
fn dates_are_read_with_their_endings() {
    for (text, expected) in [
        ("1st Jan 2026", date(2026, 1, 1)),
        ("2nd Feb 2026", date(2026, 2, 2)),
        ("3rd March 2026", date(2026, 3, 3)),
        ("24 sept 2026", date(2026, 9, 24)),
    ] {
        assert_eq!(super::date(text), Some(expected), "{text}");
    }
    for bad in ["", "1st", "1st Jan", "0th Jan 2026", "30th Feb 2026", "1st Xyz 2026", "1st Jan 2026 x", "1st Jan 1869"]
    {
        assert_eq!(super::date(bad), None, "{bad}");
    }
}
