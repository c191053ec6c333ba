//! `mostik map` of files as apps write them: whatever `mostik import` takes, shown as it would be sent.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::intake::files::{BEARABLE, EMOODS, apple_export, health_connect_at, zipped};
use crate::intake::map::told;
use crate::support::validate::assert_valid;

struct Room(TempDir);

impl Room {
    fn open() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, content: &[u8]) -> PathBuf {
        let file = self.0.path().join(name);
        std::fs::write(&file, content).unwrap();
        file
    }

    /// Whether it went well, what would be sent, and what is said beside it.
    fn run(&self, content: &[u8], arguments: &[&str]) -> (bool, Vec<Value>, String) {
        let file = self.write("a-file", content);
        let mut command = Command::new(env!("CARGO_BIN_EXE_mostik"));
        let output = command.arg("map").arg(&file).args(arguments).env_clear().output().unwrap();
        let parts = serde_json::from_slice(&output.stdout).unwrap_or_default();
        (output.status.success(), parts, String::from_utf8(output.stderr).unwrap())
    }

    fn maps(&self, content: &[u8], arguments: &[&str]) -> (Vec<Value>, String) {
        let (went_well, parts, said) = self.run(content, arguments);
        assert!(went_well, "{said}");
        (parts, said)
    }
}

fn fixture(name: &str) -> String {
    format!("{}/tests/fixtures/daylio/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_phone_recorded_is_shown_as_it_would_be_sent_and_is_valid() {
    let room = Room::open();
    let (parts, said) = room.maps(&apple_export(), &[]);
    assert_eq!(told(&parts)[..2], ["record 1 heart: 1 sent", "record 2 heart: 1 sent"]);
    let sums = told(&parts)[2..].join("\n");
    assert!(sums.contains("sum activity: 1 sent") && sums.contains("sum sleep: 1 sent"), "{sums}");
    assert!(!sums.contains("record"), "what is not taken and what is a part of a sum is not told: {sums}");
    assert!(said.contains("1 places in the file say nothing that is taken"), "{said}");
    for resource in parts.iter().flat_map(|part| part["sends"].as_array().unwrap()) {
        assert_valid(resource).await;
    }
    let (packed, _) = room.maps(&zipped(&[("export/Exportieren.xml", &apple_export())]), &["--share", "heart"]);
    assert_eq!(told(&packed)[..2], ["record 1 heart: 1 sent", "record 2 heart: 1 sent"]);
    assert!(told(&packed)[2..].iter().all(|part| part.ends_with(": category-not-shared")), "{:?}", told(&packed));
    let (android, _) = room.maps(&health_connect_at(&room.0.path().join("health.db"), "").await, &[]);
    let android = told(&android).join("\n");
    assert!(android.contains("record 1 heart: 1 sent") && android.contains("sum sleep: 1 sent"), "{android}");
}

#[test]
fn what_would_not_be_sent_of_a_diary_says_why() {
    let room = Room::open();
    let moods = fixture("demo_moods.toml");
    let beside = ["--moods", moods.as_str(), "--zone", "Europe/Berlin"];
    let daylio = std::fs::read(fixture("demo_8col.csv")).unwrap();
    let fates = |more: &[&str]| told(&room.maps(&daylio, &[beside.as_slice(), more].concat()).0);
    let shared = fates(&["--share", "mood"]);
    assert_eq!(shared.iter().filter(|part| part.ends_with(" mood: 1 sent")).count(), 34, "{shared:?}");
    assert!(shared.iter().any(|part| part.ends_with(" note: category-not-shared")), "{shared:?}");
    assert!(shared.iter().all(|part| part.starts_with("line ") && !part.contains("retracts")), "{shared:?}");
    let summary = fates(&["--share", "mood=weekly-summary"]);
    assert!(summary.iter().any(|part| part.ends_with(" mood: summary-only")), "{summary:?}");
    let since = fates(&["--share", "mood", "--since", "2096-01-01T00:00:00Z"]);
    assert!(since.iter().any(|part| part.ends_with(" mood: before-data-period")), "{since:?}");
    let withheld = fates(&["--withhold", "PSY"]);
    assert!(withheld.iter().all(|part| part.ends_with(": label-withheld")), "{withheld:?}");
}

#[test]
fn every_other_kind_is_known_by_what_is_in_it() {
    let room = Room::open();
    let zone = ["--zone", "Europe/Berlin"];
    let (bearable, _) = room.maps(BEARABLE.as_bytes(), &zone);
    assert!(told(&bearable).contains(&"line 2 mood: 1 sent".to_owned()), "{:?}", told(&bearable));
    assert_eq!(bearable[0]["sends"][0]["effectiveDateTime"], "2026-11-15T08:30:00+01:00", "by the clock that is given");
    let (bearable, _) = room.maps(BEARABLE.as_bytes(), &[]);
    assert_eq!(bearable[0]["sends"][0]["effectiveDateTime"], "2026-11-15T08:30:00Z", "or by that of UTC");
    let (emoods, _) = room.maps(&zipped(&[("entry.csv", EMOODS.as_bytes())]), &zone);
    assert!(told(&emoods).contains(&"line 2 note: 1 sent".to_owned()), "{:?}", told(&emoods));
    let form = include_bytes!("../../../schemas/fhir/us-core/QuestionnaireResponse-phq-9-example.json");
    assert_eq!(told(&room.maps(form, &[]).0), ["entry 1 questionnaires: 13 sent"]);
    let gone = r#"{"resourceType": "Observation", "id": "1", "status": "entered-in-error",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]}, "effectiveDateTime": "2026-11-15T08:00:00+01:00",
        "valueQuantity": {"value": 61, "system": "http://unitsofmeasure.org", "code": "/min"}}"#;
    assert_eq!(told(&room.maps(gone.as_bytes(), &[]).0), ["entry 1 -: retracts-an-entry"]);
    let columns = "[time]\ncolumn = \"at\"\n[[reading]]\ncolumn = \"m\"\nas = \"steps\"\n";
    let columns = room.write("columns.toml", columns.as_bytes());
    let table = b"at,m\n2026-11-15,700\n2026-11-16,kanarienvogel\n";
    let (parts, said) = room.maps(table, &["--columns", columns.to_str().unwrap()]);
    assert_eq!(told(&parts), ["line 2 activity: 1 sent", "line 3 -: invalid"]);
    assert_eq!(parts[1]["withheld"]["field"], "m");
    assert!(!said.contains("kanarienvogel") && !parts[1].to_string().contains("kanarienvogel"));
}

#[test]
fn of_a_large_file_as_much_is_shown_as_is_asked_for_and_how_much_more_there_is() {
    let room = Room::open();
    let line = |n: usize| format!("2026-11-01,x,x,{:02}:{:02},good,,,\n", n / 60, n % 60);
    let lines: String = (0..250).map(line).collect();
    let file = format!("full_date,date,weekday,time,mood,activities,note_title,note\n{lines}");
    let (parts, said) = room.maps(file.as_bytes(), &[]);
    assert_eq!(parts.len(), 100);
    assert!(said.contains("and 150 more parts"), "{said}");
    let (parts, said) = room.maps(file.as_bytes(), &["--limit", "2"]);
    assert_eq!(told(&parts), ["line 2 mood: 1 sent", "line 3 mood: 1 sent"]);
    assert!(said.contains("and 248 more parts"), "{said}");
    let (parts, said) = room.maps(file.as_bytes(), &["--limit", "250"]);
    assert_eq!((parts.len(), said.as_str()), (250, ""));
}

#[test]
fn what_is_of_no_kind_is_refused_by_name() {
    let room = Room::open();
    for (content, expected) in [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(), "neither text nor a ZIP archive"),
        (b"a,b\n1,2\n", "full_date,date,weekday,time,mood"),
        (b"PK\x03\x04", "a-file"),
        (b"{\"resourceType\": \"Patient\"}", "an Observation or a QuestionnaireResponse"),
        (b"{\"resourceType\": ", "expected JSON in UTF-8"),
    ] {
        let (went_well, _, said) = room.run(content, &[]);
        assert!(!went_well && said.contains(expected), "{expected}: {said}");
    }
}
