//! `mostik import daylio`, as an operator runs it.

use std::path::PathBuf;
use std::process::{Command, Output};

use crate::support::bridge::{Person, TestBridge, config_text};
use crate::support::database::Database;
use crate::support::ehr::Ehr;

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
        let output = Command::new(env!("CARGO_BIN_EXE_mostik"))
            .args(["--config", self.config.to_str().unwrap(), "import", "daylio", &format!("{fixtures}{file}")])
            .args(["--member", &self.member.id.to_string(), "--zone", "Europe/Berlin"])
            .args(["--moods", &format!("{fixtures}demo_moods.toml")])
            .args(more)
            .output()
            .unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        (output, said)
    }
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
