//! `mostik import daylio`, as an operator runs it.

use std::path::PathBuf;
use std::process::{Command, Output};

use crate::support::bridge::{Person, TestBridge, config_text};
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::outbox::{Item, execute, items};

struct Case {
    bridge: TestBridge,
    member: Person,
    config: PathBuf,
}

async fn ready(categories: &[&str]) -> Case {
    let ehr = Ehr::sandbox().await;
    let bridge = TestBridge::start(Database::sqlite(), &ehr.base).await;
    let member = bridge.person("sparrow", &ehr.patient).await;
    bridge.grant(&member, categories).await;
    let config = bridge.database.folder.path().join("mostik.toml");
    // A consent given by the test's clock must be in force by the real one too.
    std::fs::write(&config, config_text(&bridge.database, &ehr.base, "127.0.0.1:0")).unwrap();
    Case { bridge, member, config }
}

impl Case {
    fn run(&self, file: &str, more: &[&str]) -> (Output, String) {
        let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/daylio/");
        let file = if file.starts_with('/') { file.to_owned() } else { format!("{fixtures}{file}") };
        let output = Command::new(env!("CARGO_BIN_EXE_mostik"))
            .args(["--config", self.config.to_str().unwrap(), "import", "daylio", &file])
            .args(["--member", &self.member.id.to_string(), "--zone", "Europe/Berlin"])
            .args(["--moods", &format!("{fixtures}demo_moods.toml")])
            .args(more)
            .output()
            .unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        (output, said)
    }

    /// Imports an export with these lines.
    fn import(&self, lines: &[&str], more: &[&str]) -> String {
        let file = self.bridge.database.folder.path().join("export.csv");
        let header = "full_date,date,weekday,time,mood,activities,note_title,note";
        std::fs::write(&file, format!("{header}\n{}\n", lines.join("\n"))).unwrap();
        let (output, said) = self.run(file.to_str().unwrap(), more);
        assert!(output.status.success(), "{said}");
        said
    }

    /// What waits for the clinic, in words.
    async fn waiting(&self) -> Vec<String> {
        let found = items(&self.bridge, &self.member).await;
        found.iter().filter(|item| item.state == "ready").map(said_by).collect()
    }
}

/// The operation, and what the resource says: a rating, a text, or nothing.
fn said_by(item: &Item) -> String {
    let body = item.body.as_ref().unwrap();
    let text = body["valueString"].as_str().map(str::to_owned);
    let value = item.value().map(|value| value.to_string()).or(text);
    format!("{} {}", item.operation, value.unwrap_or_else(|| body["status"].as_str().unwrap().to_owned()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rehearsal_stores_nothing_and_a_second_import_adds_nothing() {
    let case = ready(&["mood"]).await;
    let (output, said) = case.run("demo_8col.csv", &["--dry-run"]);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("would be taken"), "{said}");
    assert_eq!(case.bridge.traces(&case.member).await, 0);
    let (output, said) = case.run("demo_8col.csv", &[]);
    assert!(output.status.success(), "{said}");
    let taken = case.bridge.traces(&case.member).await;
    assert_eq!(taken, 34);
    let (_, said) = case.run("demo_8col.csv", &[]);
    assert!(said.contains("34 were imported before"), "{said}");
    assert_eq!(case.bridge.traces(&case.member).await, taken);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_line_is_named_and_the_rest_goes_on() {
    let case = ready(&["mood"]).await;
    let (output, said) = case.run("bad_lines_8col.csv", &[]);
    assert!(!output.status.success(), "{said}");
    assert!(said.contains("line ") && said.contains("expected"), "{said}");
    assert!(case.bridge.traces(&case.member).await > 0, "the good lines are in: {said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_no_export_is_refused_with_the_headers_that_are_known() {
    let case = ready(&["mood"]).await;
    let (output, said) = case.run("demo_moods.toml", &[]);
    assert!(!output.status.success());
    assert!(said.contains("full_date,date,weekday,time,mood"), "{said}");
    let (output, said) = case.run("no_such_file.csv", &[]);
    assert!(!output.status.success() && said.contains("no_such_file.csv"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scales_that_are_not_taken_are_said_to_be_passed_over() {
    let case = ready(&["mood"]).await;
    let (output, said) = case.run("english_scales_9col.csv", &[]);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("  2 of them say something more, such as scales, that is not taken."), "{said}");
    let (_, said) = case.run("demo_8col.csv", &[]);
    assert!(!said.contains("scales"), "{said}");
}

const MORNING: &str = r#"2026-11-14,14 November,Saturday,10:30 am,steady,"","","slept well""#;
const MORNING_LATER: &str = r#"2026-11-14,14 November,Saturday,10:30 am,bright,"","","slept well""#;
const MORNING_BARE: &str = r#"2026-11-14,14 November,Saturday,10:30 am,bright,"","","""#;
const NIGHT: &str = r#"2026-11-14,14 November,Saturday,9:10 pm,good,"","","a long day""#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_export_corrects_what_changed_and_says_so() {
    let case = ready(&["mood", "note"]).await;
    case.import(&[MORNING, NIGHT], &[]);
    execute(&case.bridge, "UPDATE outbox SET state = 'confirmed'").await;
    let said = case.import(&[MORNING_LATER, NIGHT], &["--dry-run"]);
    assert!(said.contains("1 were imported before, read differently now, and would be brought up to date"), "{said}");
    assert!(case.waiting().await.is_empty(), "a rehearsal changes nothing");
    let said = case.import(&[MORNING_LATER, NIGHT], &[]);
    assert!(said.contains("1 were imported before, read differently now, and brought up to date"), "{said}");
    assert!(said.contains("  3 were imported before."), "{said}");
    assert_eq!(case.waiting().await, ["correct 4"]);
    let said = case.import(&[MORNING_LATER, NIGHT], &[]);
    assert!(said.contains("  4 were imported before.") && !said.contains("differently"), "{said}");
    let said = case.import(&[MORNING, NIGHT], &[]);
    assert!(said.contains("brought up to date"), "the newest import counts, also when it goes back: {said}");
    assert_eq!(case.waiting().await, ["correct 3"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_note_that_is_gone_from_its_line_is_retracted_and_a_line_that_is_missing_says_nothing() {
    let case = ready(&["mood", "note"]).await;
    case.import(&[MORNING_LATER, NIGHT], &[]);
    execute(&case.bridge, "UPDATE outbox SET state = 'confirmed'").await;
    let said = case.import(&[MORNING_BARE], &[]);
    assert!(said.contains("1 are gone from entries that were imported before, and retracted"), "{said}");
    assert_eq!(case.waiting().await, ["retract entered-in-error"], "and nothing about the night");
    let said = case.import(&[MORNING_BARE], &[]);
    assert!(!said.contains("retracted"), "{said}");
    let said = case.import(&[MORNING_LATER], &[]);
    assert!(said.contains("line 2: a part of it was retracted before"), "{said}");
    assert_eq!(case.waiting().await, ["retract entered-in-error"]);
}
