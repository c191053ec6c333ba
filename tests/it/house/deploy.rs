//! The files in `deploy/` and the program: what they ask of it, it can do. What they say about each other is checked by
//! `tests/tools/check-deploy.py`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::on_every_database;
use crate::support::bridge::{TestBridge, mood};
use crate::support::ehr::Ehr;

fn deploy(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(file)
}

/// Runs the program in an environment that sets nothing.
fn mostik<'a>(args: impl IntoIterator<Item = &'a str>) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mostik")).args(args).env_clear().output().unwrap()
}

/// The arguments of every call of the program in a file: lines that are commands, and lists of words.
fn calls(file: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(deploy(file)).unwrap();
    let words =
        |call: &str| call.split_whitespace().take_while(|word| !"#|&;>2>".contains(word)).map(str::to_owned).collect();
    let mut found = Vec::new();
    for line in text.lines().map(str::trim) {
        let line = line.strip_prefix("ExecStart=/usr/local/bin/").unwrap_or(line);
        for call in line.split("mostik ").skip(1).filter(|_| line.starts_with("mostik ") || line.contains("$(mostik "))
        {
            found.push(words(call));
        }
        // What runs inside a container stands in brackets: `["CMD", "/usr/local/bin/mostik", "health"]`, `["serve"]`
        let listed = line.split_once('[').and_then(|(_, list)| list.rsplit_once(']')).map(|(list, _)| list);
        let is_call = line.contains("bin/mostik\", ") || line.starts_with("CMD [") || line.starts_with("command: [");
        if let Some(list) = listed.filter(|_| is_call) {
            let list = list.rsplit("bin/mostik\", ").next().unwrap();
            found.push(list.split(", ").map(|word| word.trim_matches('"').to_owned()).collect());
        }
    }
    found
}

#[test]
fn every_command_that_they_name_exists() {
    for (file, at_least) in [("runbook.md", 15), ("compose.yaml", 2), ("Containerfile", 2), ("mostik.service", 1)] {
        let calls = calls(file);
        assert!(calls.len() >= at_least, "{file}: {calls:?}");
        for call in calls {
            // With --help at its end, a call is read up to there and not carried out.
            let output = mostik(call.iter().map(String::as_str).chain(["--help"]));
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{file}: mostik {}: {said}", call.join(" "));
        }
    }
}

#[test]
fn the_configuration_of_the_container_is_good() {
    let file = deploy("container.toml");
    let output = mostik(["config", "check", "--config", file.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Puts the outbox back to where it stood, as restoring a backup does.
const BACK_UP: &str =
    "CREATE TABLE kept_outbox AS SELECT * FROM outbox; CREATE TABLE kept_lanes AS SELECT * FROM lanes;";
const RESTORE: &str = "DELETE FROM ledger; DELETE FROM outbox; DELETE FROM lanes; \
                       INSERT INTO lanes SELECT * FROM kept_lanes; INSERT INTO outbox SELECT * FROM kept_outbox;";

fn after_restore(file: &str) -> String {
    fs::read_to_string(deploy(file)).unwrap()
}

on_every_database! {
    async fn what_was_sent_after_the_backup_is_found_after_the_restore(database) {
        let ehr = Ehr::without_conditional_create().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        bridge.grant(&member, &["mood"]).await;
        bridge.send(&serde_json::json!([mood("1", "sparrow", 4), mood("2", "sparrow", 2)])).await;
        bridge.database.run(BACK_UP).await;
        bridge.deliver().await;
        assert_eq!(ehr.observations().await.len(), 2);

        bridge.database.run(RESTORE).await;
        bridge.database.run(&after_restore("after-restore.sql")).await;
        bridge.deliver_in_time().await;
        assert_eq!(bridge.open_items().await, 0);
        assert_eq!(ehr.observations().await.len(), 2, "found, and not sent again");
    }
}

on_every_database! {
    async fn after_a_restore_nothing_goes_until_the_member_says_so(database) {
        let ehr = Ehr::without_conditional_create().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        let grant = bridge.grant(&member, &["mood"]).await;
        bridge.send(&mood("1", "sparrow", 4)).await;
        bridge.database.run(&after_restore("after-restore.sql")).await;
        bridge.database.run(&after_restore("after-restore-pause.sql")).await;
        bridge.deliver_in_time_of(jiff::SignedDuration::from_hours(1)).await;
        assert_eq!(ehr.observations().await.len(), 0);

        assert_eq!(bridge.change_grant(&member, &grant, "resume").await.status, 200);
        bridge.deliver_in_time().await;
        assert_eq!(ehr.observations().await.len(), 1);
    }
}
