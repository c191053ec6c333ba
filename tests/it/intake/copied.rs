//! Files in which something stands once and is said of many entries: nothing is copied without a bound.

use std::fmt::Write;
use std::process::{Command, Output};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::files::{Case, ready, zipped};

/// Far more than an import takes, and far less than these files would: 3 GiB, in KiB, not all of which is ever touched.
const MOST_MEMORY: u64 = 3 << 20;

/// A backup of Daylio: packed, it is small.
fn backup(mood: &str, tag: &str, entries: &[Value]) -> Vec<u8> {
    let content = json!({
        "dayEntries": entries, "tags": [{"id": 1, "name": tag}, {"id": 2, "name": "walk"}],
        "customMoods": [
            {"id": 1, "custom_name": mood, "mood_group_id": 1, "predefined_name_id": -1},
            {"id": 2, "custom_name": "", "mood_group_id": 2, "predefined_name_id": 2},
        ],
    });
    let packed = zipped(&[("backup.daylio", STANDARD.encode(content.to_string()).as_bytes())]);
    assert!(packed.len() < 200_000, "{}", packed.len());
    packed
}

fn entry(day: usize, mood: u8, tags: &[u8]) -> Value {
    json!({"year": 2026, "month": 9, "day": day, "hour": 20, "minute": 30, "mood": mood, "tags": tags})
}

/// Imports it in so much memory.
fn import(case: &Case, content: &[u8], more: &[&str]) -> (Output, String) {
    let file = case.bridge.database.folder.path().join("a-file");
    std::fs::write(&file, content).unwrap();
    let output = Command::new("sh")
        .args(["-c", &format!("ulimit -v {MOST_MEMORY} && exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_mostik")])
        .args(["--config", case.config.to_str().unwrap(), "import", file.to_str().unwrap()])
        .args(["--member", &case.member.id.to_string(), "--zone", "Europe/Berlin"])
        .args(more)
        .output()
        .unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output, said)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_that_points_a_hundred_thousand_times_to_a_long_activity_is_refused_in_bounded_memory() {
    let case = ready(&["mood", "tags"]).await;
    let long = "x".repeat(1 << 20);
    let entries = [entry(1, 2, &vec![1; 100_000]), entry(2, 2, &[2; 501]), entry(3, 2, &[1]), entry(4, 2, &[2; 500])];
    let file = backup("fine", &long, &entries);
    for more in [&["--dry-run"] as &[_], &[]] {
        let (_, said) = import(&case, &file, more);
        assert!(said.contains("entry 1, column activities: expected at most 500 activities"), "{said}");
        assert!(said.contains("entry 2, column activities: expected at most 500 activities"), "{said}");
        assert!(said.contains("entry 3, column activities: expected names of at most 1 KiB"), "{said}");
        assert!(!said.contains("entry 4"), "{said}");
    }
    assert_eq!(case.bridge.traces(&case.member).await, 2, "the mood and the activities of the one that is in order");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_name_of_a_mood_is_not_said_of_each_entry() {
    let case = ready(&["mood"]).await;
    let entries: Vec<Value> =
        (0..400).map(|number| entry(number % 28 + 1, 1, &[])).chain([entry(29, 2, &[])]).collect();
    let file = backup(&"x".repeat(10 << 20), "walk", &entries);
    let (_, said) = import(&case, &file, &[]);
    assert!(said.contains("entry 1, column mood: expected a name of at most 1 KiB"), "{said}");
    assert_eq!(case.bridge.traces(&case.member).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn activities_that_are_short_each_are_too_much_together() {
    let case = ready(&["tags"]).await;
    let file = backup("fine", &"x".repeat(1024), &[entry(1, 2, &[1; 65]), entry(2, 2, &[1; 64])]);
    let (_, said) = import(&case, &file, &[]);
    assert!(said.contains("entry 1, column activities: expected at most 64 KiB of text"), "{said}");
    assert_eq!(case.bridge.traces(&case.member).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_of_nothing_but_separators_and_letters_becomes_no_thirty_thousand_tags() {
    let case = ready(&["mood", "tags"]).await;
    let tags = |count: usize| vec!["a"; count].join("|");
    let mut daylio = "full_date,date,weekday,time,mood,activities,note_title,note\n".to_owned();
    for (day, count) in [(10, 30_000), (11, 501), (12, 500)] {
        writeln!(daylio, "2026-11-{day},x,x,20:30,good,{},,", tags(count)).unwrap();
    }
    let (_, said) = import(&case, daylio.as_bytes(), &[]);
    assert!(
        said.contains("line 2, column activities: expected at most 500 activities") && said.contains("line 3"),
        "{said}"
    );
    assert!(!said.contains("line 4"), "{said}");
    let mut bearable = "date,weekday,time of day,category,rating/amount,detail,notes\n".to_owned();
    for (day, count) in [(10, 30_000), (11, 501), (12, 500)] {
        writeln!(bearable, "{day}th Nov 2026,x,20:30,Factors,,{},", tags(count)).unwrap();
    }
    let (_, said) = import(&case, bearable.as_bytes(), &[]);
    assert!(said.contains("line 2, column detail: expected at most 500 words") && said.contains("line 3"), "{said}");
    assert!(!said.contains("line 4"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_name_of_a_column_is_not_said_of_each_fault() {
    let case = ready(&["activity"]).await;
    let columns = case.bridge.database.folder.path().join("columns.toml");
    let text = |name: &str| format!("[time]\ncolumn = \"at\"\n[[reading]]\ncolumn = \"{name}\"\nas = \"steps\"\n");
    let table = |name: &str| format!("at,{name}\n{}", "2026-11-15,many\n".repeat(3000));
    let (long, fits) = ("x".repeat(1025), "x".repeat(1024));
    for (name, expected) in [(&long, "names, formats and separators of at most 1 KiB"), (&fits, "line 2, column x")] {
        std::fs::write(&columns, text(name)).unwrap();
        let (output, said) = import(&case, table(name).as_bytes(), &["--columns", columns.to_str().unwrap()]);
        assert!(!output.status.success() && said.contains(expected), "{said}");
    }
}
