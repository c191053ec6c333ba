//! Tables of nobody's app, and files of columns as they should be and as they should not.

use jiff::tz::TimeZone;

use super::*;
use crate::domain::day::Days;
use crate::domain::ids::MemberId;
use crate::inbound::event::{Entry, Says};

const COLUMNS: &str = r#"
delimiter = ";"
[time]
column = "When"
format = "%d.%m.%Y %H:%M"
[[reading]]
column = "Mood"
as = "mood"
worst = 10
best = 1
[[reading]]
column = "Slept"
as = "sleep-duration"
unit = "h"
[[reading]]
column = "Steps"
as = "steps"
[[reading]]
column = "Words"
as = "tags"
separator = "|"
[[reading]]
column = "Diary"
as = "note"
"#;

const HEADER: &str = "When;Nothing;Mood;Slept;Steps;Words;Diary\n";

fn whose() -> Whose {
    let days = Days::new(std::iter::empty(), TimeZone::get("Europe/Berlin").unwrap());
    Whose { member: MemberId(uuid::Uuid::nil()), days, now: "2026-11-20T12:00:00Z".parse().unwrap() }
}

fn read(columns: &str, table: &str) -> Vec<Line> {
    let (columns, whose) = (Columns::from_toml(columns).unwrap(), whose());
    Table::new(table.as_bytes(), &columns, &whose).unwrap().collect()
}

fn said(line: &Line) -> Vec<String> {
    let Ok(Said::Items(items)) = line else { panic!("{line:?}") };
    let said = |item: &Item| match &item.event.says {
        Says::Reading(Entry { moment, measure, .. }, _) => {
            format!("{} {}", moment.to_rfc3339(), serde_json::to_string(&measure).unwrap())
        }
        Says::Retraction(id) => format!("gone {id}"),
    };
    items.iter().map(said).collect()
}

#[test]
fn each_column_is_what_the_file_says_and_the_others_are_nothing() {
    let lines = read(COLUMNS, &format!("{HEADER}15.11.2026 20:30;x;7;7.5;1000;walk | tea;\"one; two\"\n"));
    assert_eq!(
        said(&lines[0]),
        [
            "2026-11-15T20:30:00+01:00 {\"mood\":{\"rating\":{\"value\":7,\"worst\":10,\"best\":1},\"label\":null,\"state_of_mind\":null}}",
            "2026-11-15T20:30:00+01:00 {\"measurement\":{\"of\":\"sleep-duration\",\"value\":450,\"modality\":\"self-reported\"}}",
            "2026-11-15T20:30:00+01:00 {\"measurement\":{\"of\":\"steps\",\"value\":1000,\"modality\":\"self-reported\"}}",
            "2026-11-15T20:30:00+01:00 {\"tags\":[\"walk\",\"tea\"]}",
            "2026-11-15T20:30:00+01:00 {\"note\":\"one; two\"}",
        ]
    );
    let lines = read(COLUMNS, &format!("{HEADER}15.11.2026 20:30;x;;;;;\n"));
    assert!(said(&lines[0]).iter().all(|said| said.starts_with("gone ")), "an empty field says that there is nothing");
}

#[test]
fn each_fault_is_said_of_its_line_and_column() {
    let rows = "31.11.2026 20:30;x;7;;;;\n15.11.2026;x;7;;;;\n15.11.2026 20:30;x;11;;;;\n15.11.2026 20:30;x;;7,5;;;\n\
                15.11.2026 20:30;x;;;-1;;\n15.11.2036 20:30;x;7;;;;\n15.11.2026 20:30;x;7\n15.11.2026 20:30;x;7;;;;\n";
    let lines = read(COLUMNS, &format!("{HEADER}{rows}"));
    let faults: Vec<String> = lines.iter().filter_map(|line| line.as_ref().err()).map(|bad| bad.said("line")).collect();
    let start: Vec<&str> = faults.iter().map(|fault| fault.split(": ").next().unwrap()).collect();
    assert_eq!(
        start,
        [
            "line 2, column When",
            "line 3, column When",
            "line 4, column Mood",
            "line 5, column Slept",
            "line 6, column Steps",
            "line 7",
            "line 8"
        ]
    );
}

#[test]
fn a_day_and_a_time_of_their_own_and_a_standard_time_are_read() {
    let columns = "[time]\ncolumn = \"at\"\ndate_column = \"on\"\nformat = \"%Y/%m/%d %I:%M %p\"\n[[reading]]\ncolumn = \"m\"\n\
                   as = \"mood\"\nworst = 0\nbest = 10\n";
    assert!(said(&read(columns, "on,at,m\n2026/11/15,8:30 PM,3\n")[0])[0].starts_with("2026-11-15T20:30:00+01:00"));
    let columns = "[time]\ncolumn = \"at\"\n[[reading]]\ncolumn = \"m\"\nas = \"note\"\n";
    for (text, expected) in [
        ("2026-11-15T20:30:00+05:30", "2026-11-15T20:30:00+05:30"),
        ("2026-11-15 20:30", "2026-11-15T20:30:00+01:00"),
        ("2026-11-15", "2026-11-15T00:00:00+01:00"),
    ] {
        assert!(said(&read(columns, &format!("at,m\n{text},x\n"))[0])[0].starts_with(expected), "{text}");
    }
}

#[test]
fn a_table_without_a_column_that_is_named_is_refused() {
    let (columns, whose) = (Columns::from_toml(COLUMNS).unwrap(), whose());
    let refused = Table::new("When;Mood\n".as_bytes(), &columns, &whose).err().unwrap();
    assert!(refused.to_string().contains("\"Slept\""), "{refused}");
    let latin = b"When;Stra\xdfe\n";
    assert!(matches!(Table::new(latin.as_slice(), &columns, &whose), Err(FileError::Encoding)));
}

#[test]
fn a_file_of_columns_that_cannot_be_is_refused_in_words() {
    for (columns, expected) in [
        ("", "time"),
        ("[time]\ncolumn = \"x\"\n", "reading"),
        ("[time]\ncolumn = \"x\"\n[[reading]]\ncolumn = \"m\"\nas = \"mood\"\n", "worst"),
        ("[time]\ncolumn = \"x\"\n[[reading]]\ncolumn = \"m\"\nas = \"mood\"\nworst = 1\nbest = 1\n", "two different"),
        ("[time]\ncolumn = \"x\"\n[[reading]]\ncolumn = \"m\"\nas = \"blood\"\n", "\"m\""),
        ("[time]\ncolumn = \"x\"\n[[reading]]\ncolumn = \"m\"\nas = \"steps\"\nunit = \"km\"\n", "unit"),
        ("[time]\ncolumn = \"x\"\n[[reading]]\ncolumn = \"m\"\nas = \"note\"\nunit = \"h\"\n", "unit"),
        ("[time]\ncolumn = \"x\"\n[[reading]]\ncolumn = \"m\"\nas = \"note\"\nworst = 1\n", "belong"),
        ("[time]\ncolumn = \"x\"\n[[reading]]\ncolumn = \"m\"\nas = \"tags\"\nseparator = \"\"\n", "separator"),
        (
            "[time]\ncolumn = \"x\"\n[[reading]]\ncolumn = \"m\"\nas = \"note\"\n[[reading]]\ncolumn = \"n\"\nas = \"note\"\n",
            "once",
        ),
        ("delimiter = \"ab\"\n[time]\ncolumn = \"x\"\n[[reading]]\ncolumn = \"m\"\nas = \"note\"\n", "delimiter"),
        ("delimiter = '\"'\n[time]\ncolumn = \"x\"\n[[reading]]\ncolumn = \"m\"\nas = \"note\"\n", "delimiter"),
        ("other = 1\n[time]\ncolumn = \"x\"\n[[reading]]\ncolumn = \"m\"\nas = \"note\"\n", "other"),
    ] {
        let refused = Columns::from_toml(columns).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(refused.contains(expected), "{columns:?}: {refused}");
    }
}
