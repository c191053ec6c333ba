use jiff::tz::TimeZone;

use super::*;
use crate::domain::day::Days;
use crate::domain::ids::MemberId;
use crate::inbound::event::{Entry, Says};

const HEADER: &str = "ID,DATE (YYYY-MM-DD),IRRITABILITY,ANXIETY,DEPRESSED,ELEVATED,SLEEP,PSYCHOTIC SYMPTOMS,NOTE,THERAPY,\
                      MENSTRUAL CYCLE,WEIGHT\n";

fn read(rows: &str) -> Vec<Line> {
    let days = Days::new(std::iter::empty(), TimeZone::get("Europe/Berlin").unwrap());
    let whose = Whose { member: MemberId(uuid::Uuid::nil()), days, now: "2026-11-20T12:00:00Z".parse().unwrap() };
    Emoods::new(format!("{HEADER}{rows}").as_bytes(), &whose).unwrap().collect()
}

fn said(line: &Line) -> Vec<String> {
    let Ok(Said::Items(items)) = line else { panic!("{line:?}") };
    let said = |item: &crate::inbound::files::Item| match &item.event.says {
        Says::Reading(Entry { moment, measure, .. }, _) => {
            format!("{} {}", moment.to_rfc3339(), serde_json::to_string(&measure).unwrap())
        }
        Says::Retraction(id) => format!("gone {id}"),
    };
    items.iter().map(said).collect()
}

#[test]
fn a_day_has_one_rating_and_the_other_severities_are_words() {
    let lines = read("3,2026-02-28,1,2,3,4,9.5,1,\"a, b\",1,1,148.0\n");
    assert_eq!(
        said(&lines[0]),
        [
            "2026-02-28T00:00:00+01:00 {\"mood\":{\"rating\":{\"value\":3,\"worst\":4,\"best\":1},\"label\":\"depressed: moderate\",\
         \"state_of_mind\":null}}",
            "2026-02-28T00:00:00+01:00 {\"measurement\":{\"of\":\"sleep-duration\",\"value\":570,\"modality\":\"self-reported\"}}",
            "2026-02-28T00:00:00+01:00 {\"tags\":[\"elevated: severe\",\"anxiety: mild\"]}",
            "2026-02-28T00:00:00+01:00 {\"note\":\"a, b\"}",
        ]
    );
}

#[test]
fn nothing_recorded_is_no_number() {
    let lines = read("21,2026-03-28,0,0,0,0,0.0,0,,0,0,0.0\n");
    assert_eq!(
        said(&lines[0]),
        ["gone 2026-03-28/0/mood", "gone 2026-03-28/0/sleep", "gone 2026-03-28/0/tags", "gone 2026-03-28/0/note"]
    );
}

#[test]
fn each_fault_is_said_of_its_line_alone() {
    let lines = read(
        "1,2026-02-30,1,1,1,1,8,0,,0,0,0\n2,2026-02-27,1,1,5,1,8,0,,0,0,0\n3,2026-02-26,1,1,1,x,8,0,,0,0,0\n\
                      4,2026-02-25,1,1,1,1,25,0,,0,0,0\n5,2027-02-25,1,1,1,1,8,0,,0,0,0\n6,2026-02-24,1,1,1,1,8,0,,0,0,0\n",
    );
    let faults: Vec<(u64, About)> =
        lines.iter().filter_map(|line| line.as_ref().err()).map(|bad| (bad.place, bad.about)).collect();
    assert_eq!(faults, [(2, About::Date), (3, About::Mood), (4, About::Mood), (5, About::Value), (6, About::Time)]);
    assert!(lines[5].is_ok());
}

#[test]
fn another_table_is_none() {
    let whose = Whose {
        member: MemberId(uuid::Uuid::nil()),
        days: Days::new(std::iter::empty(), TimeZone::UTC),
        now: "2026-11-20T12:00:00Z".parse().unwrap(),
    };
    assert!(matches!(Emoods::new("DATE,A,B\n".as_bytes(), &whose), Err(FileError::Unknown(_))));
}
