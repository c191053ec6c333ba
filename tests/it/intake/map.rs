//! `mostik map`: what would be sent for an input, with nothing set up.

use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::intake::questionnaires::phq9;
use crate::support::bridge::{mood, note, retraction};
use crate::support::validate::assert_valid;

fn run(input: &Value, arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("input.json");
    std::fs::write(&file, input.to_string()).unwrap();
    Command::new(env!("CARGO_BIN_EXE_mostik")).arg("map").arg(&file).args(arguments).env_clear().output().unwrap()
}

fn mapped(input: &Value, arguments: &[&str]) -> Vec<Value> {
    let output = run(input, arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What became of each: where it stands, under which consent, how many resources or why none.
pub fn told(parts: &[Value]) -> Vec<String> {
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let fate = |part: &Value| match part["sends"].as_array() {
        Some(sends) => format!("{} {}: {} sent", word(&part["at"]), word(&part["category"]), sends.len()),
        None => format!("{} {}: {}", word(&part["at"]), word(&part["category"]), word(&part["withheld"]["reason"])),
    };
    parts.iter().map(fate).collect()
}

#[tokio::test]
async fn everything_is_shown_as_it_would_be_sent_and_is_valid() {
    let events = json!([mood("1", "sparrow", 4), note("2", "sparrow", "A walk."), phq9("3", &[Some(1); 9])]);
    let parts = mapped(&events, &[]);
    assert_eq!(told(&parts), ["/0 mood: 1 sent", "/1 note: 1 sent", "/2 questionnaires: 12 sent"]);
    for resource in parts.iter().flat_map(|part| part["sends"].as_array().unwrap()) {
        assert_valid(resource).await;
    }
    let total = parts[2]["sends"].as_array().unwrap().last().unwrap();
    assert_eq!(total["code"]["coding"][0]["code"], "44261-6", "where the total has arrived, the rest was dealt with");
}

#[test]
fn what_would_not_be_sent_says_why() {
    let mut private = mood("4", "sparrow", 2);
    private["sensitivity"] = json!("SEX");
    let broken = json!({"specversion": "1.0", "type": "mostik.mood.v1"});
    let events = json!([
        mood("1", "sparrow", 4),
        note("2", "sparrow", "A walk."),
        retraction("3", "sparrow", "1"),
        private,
        broken
    ]);
    let shared = ["--share", "mood", "--withhold", "SEX"];
    assert_eq!(
        told(&mapped(&events, &shared)),
        [
            "/0 mood: 1 sent",
            "/1 note: category-not-shared",
            "/2 -: retracts-an-entry",
            "/3 mood: label-withheld",
            "/4 -: invalid"
        ]
    );
    assert_eq!(told(&mapped(&mood("1", "sparrow", 4), &["--share", "mood=weekly-summary"])), [" mood: summary-only"]);
    assert_eq!(
        told(&mapped(&mood("1", "sparrow", 4), &["--since", "2096-01-01T00:00:00Z"])),
        [" mood: before-data-period"]
    );
}

#[test]
fn data_points_are_mapped_too_by_the_clock_that_is_given() {
    let fitbit: Value =
        serde_json::from_str(include_str!("../../fixtures/data-points/fitbit_sleep_date_v1.json")).unwrap();
    assert_eq!(told(&mapped(&fitbit, &[])), ["/sleep/0 -: invalid", "/sleep/1 -: invalid"]);
    let parts = mapped(&fitbit, &["--zone", "Europe/Berlin"]);
    assert!(parts.len() > 4 && told(&parts).iter().all(|part| part.ends_with("sleep: 1 sent")), "{:?}", told(&parts));
    assert_eq!(parts[0]["sends"][0]["effectivePeriod"]["start"], "2016-12-13T09:59:00+01:00");
}

#[test]
fn in_the_night_of_a_clock_change_the_time_in_bed_says_which_hour_was_meant() {
    // In New York the clock showed the hour from one to two twice.
    let cases = [
        ("2025-11-02T01:30", "2025-11-02T01:10", 40, ["02T01:30:00-04:00", "02T01:10:00-05:00"]),
        ("2025-11-02T01:30", "2025-11-02T07:00", 390, ["02T01:30:00-04:00", "02T07:00:00-05:00"]),
        ("2025-11-02T01:30", "2025-11-02T07:00", 330, ["02T01:30:00-05:00", "02T07:00:00-05:00"]),
        ("2025-11-01T23:00", "2025-11-02T01:30", 150, ["01T23:00:00-04:00", "02T01:30:00-04:00"]),
        ("2025-11-01T23:00", "2025-11-02T01:30", 210, ["01T23:00:00-04:00", "02T01:30:00-05:00"]),
    ];
    for (start, end, in_bed, expected) in cases {
        let log = json!({"logId": 1, "startTime": format!("{start}:00.000"), "endTime": format!("{end}:00.000"),
                         "minutesAsleep": 30, "timeInBed": in_bed});
        let parts = mapped(&json!({"sleep": [log]}), &["--zone", "America/New_York"]);
        assert_eq!(told(&parts), ["/sleep/0 sleep: 1 sent", "/sleep/0 sleep: 1 sent"], "{start} {end}");
        let period = &parts[0]["sends"][0]["effectivePeriod"];
        let shown = ["start", "end"].map(|it| period[it].as_str().unwrap().trim_start_matches("2025-11-"));
        assert_eq!(shown, expected, "{in_bed}");
    }
}

#[test]
fn what_is_no_input_is_refused_by_name() {
    for (input, arguments, expected) in [
        (json!("nothing"), &[] as &[&str], "expected"),
        (mood("1", "sparrow", 4), &["--share", "weather"], "mood"),
        (mood("1", "sparrow", 4), &["--share", "mood=hourly"], "every-entry"),
        (mood("1", "sparrow", 4), &["--withhold", "X"], "PSY"),
        (mood("1", "sparrow", 4), &["--zone", "Mars"], "Europe/Berlin"),
        (mood("1", "sparrow", 4), &["--share", "mood", "--share", "mood"], "twice"),
    ] {
        let output = run(&input, arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(expected), "{arguments:?}: {said}");
    }
}
