//! The archive of everything that the bridge has of a member.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use mostik::export::{self, ExportError};
use serde_json::{Value, json};
use zip::ZipArchive;

use crate::on_both_databases;
use crate::support::bridge::{Person, TestBridge, mood, note};
use crate::support::database::Database;
use crate::support::ehr::{Ehr, create_patient};

/// The pieces of an archive, as they come.
pub async fn pieces(bridge: &TestBridge, person: &Person) -> Vec<Vec<u8>> {
    let mut coming = export::export(&bridge.bridge, person.id).await.unwrap();
    let mut pieces = Vec::new();
    while let Some(piece) = coming.recv().await {
        pieces.push(piece.unwrap());
    }
    pieces
}

/// The files of an archive, by name.
pub fn files(archive: &[u8]) -> BTreeMap<String, String> {
    let mut archive = ZipArchive::new(Cursor::new(archive)).unwrap();
    let mut files = BTreeMap::new();
    for at in 0..archive.len() {
        let mut file = archive.by_index(at).unwrap();
        let name = file.name().unwrap().into_owned();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        files.insert(name, text);
    }
    files
}

fn json_in(files: &BTreeMap<String, String>, name: &str) -> Value {
    serde_json::from_str(&files[name]).unwrap()
}

fn rows(files: &BTreeMap<String, String>, name: &str) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_reader(files[name].as_bytes()).deserialize().map(Result::unwrap).collect()
}

on_both_databases! {
    async fn an_archive_holds_everything_of_one_member_and_nothing_of_another(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let sparrow = bridge.person("sparrow", &ehr.patient).await;
        let wren = bridge.person("wren-the-other", &create_patient(&ehr.base).await).await;
        for person in [&sparrow, &wren] {
            bridge.grant(person, &["mood", "note"]).await;
            bridge.send(&mood(&format!("sent-{}", person.handle), &person.handle, 4)).await;
        }
        bridge.deliver().await;
        let told = "a \"long\" night, — и утро";
        bridge.send(&json!([note("waits", "sparrow", told), note("theirs", "wren-the-other", "the other's note")])).await;
        let files = files(&pieces(&bridge, &sparrow).await.concat());
        let names: Vec<&str> = files.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            ["README.txt", "deliveries.csv", "entries.csv", "fhir-bundle.json", "grants.json", "profile.json"],
        );
        for name in &names[1..] {
            assert!(files["README.txt"].matches(name).count() == 2, "{name} is explained in both languages");
        }
        let profile = json_in(&files, "profile.json");
        assert_eq!(profile["member"], sparrow.id.to_string());
        assert_eq!(profile["communities"], json!([{"community": "forum", "handle": "sparrow"}]));
        assert_eq!((&profile["clinics"][0]["clinic"], &profile["clinics"][0]["patient"]), (&json!("riverside"), &json!(ehr.patient)));
        assert_eq!(profile["sign_ins"].as_array().unwrap().len(), 1);
        let grants = json_in(&files, "grants.json");
        assert_eq!((grants["grants"].as_array().unwrap().len(), &grants["grants"][0]["state"]), (1, &json!("active")));
        assert!(grants["grants"][0]["terms"]["categories"]["note"].is_string());
        let deliveries = rows(&files, "deliveries.csv");
        let states: Vec<(&str, &str)> =
            deliveries.iter().map(|row| (row["category"].as_str(), row["state"].as_str())).collect();
        assert_eq!(states, [("mood", "confirmed"), ("note", "ready")]);
        assert!(!deliveries[0]["ehr_id"].is_empty() && deliveries[1]["ehr_id"].is_empty());
        assert_eq!(deliveries[0]["measured_at"], "2026-11-20T10:00:00Z");
        assert_eq!(rows(&files, "entries.csv").len(), 2);
        let bundle = json_in(&files, "fhir-bundle.json");
        let entries = bundle["entry"].as_array().unwrap();
        assert_eq!((bundle["type"].as_str(), entries.len()), (Some("collection"), 1));
        assert_eq!(entries[0]["resource"]["valueString"], told);
        let everything: String = files.values().map(String::as_str).collect();
        for others in ["wren-the-other", "the other's note", &wren.id.to_string(), &sparrow.token] {
            assert!(!everything.contains(others), "{others}");
        }
    }
}

on_both_databases! {
    async fn what_was_withdrawn_in_one_stroke_is_told_as_withdrawn_and_has_no_content(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let sparrow = bridge.person("sparrow", &ehr.patient).await;
        let grant = bridge.grant(&sparrow, &["note"]).await;
        bridge.send(&note("1", "sparrow", "a secret")).await;
        bridge.change_grant(&sparrow, &grant, "revoke").await;
        let files = files(&pieces(&bridge, &sparrow).await.concat());
        let deliveries = rows(&files, "deliveries.csv");
        assert_eq!((deliveries[0]["state"].as_str(), deliveries[0]["reason"].as_str()), ("withdrawn", "consent-revoked"));
        assert_eq!(json_in(&files, "fhir-bundle.json")["entry"], json!([]));
    }
}

on_both_databases! {
    async fn a_large_archive_comes_in_small_pieces(database) {
        const EVENTS: usize = 20_000;
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let sparrow = bridge.unlinked_person("sparrow").await;
        let (index, member) = if bridge.database.is_sqlite() {
            ("randomblob(32)", format!("x'{}'", sparrow.id.0.simple()))
        } else {
            ("sha256(number::text::bytea)", format!("'{}'", sparrow.id))
        };
        bridge.database.run(&format!(
            "WITH RECURSIVE numbers (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < {EVENTS}) \
             INSERT INTO events (community_id, event_index, member_id, body_index, category, received_at) \
             SELECT 'forum', {index}, {member}, {index}, 'mood', number FROM numbers"
        )).await;
        let pieces = pieces(&bridge, &sparrow).await;
        assert!(pieces.iter().all(|piece| piece.len() < 128 * 1024), "nothing is gathered");
        let files = files(&pieces.concat());
        let mut received: Vec<String> = rows(&files, "entries.csv").into_iter().map(|mut row| row.remove("received_at").unwrap()).collect();
        received.sort();
        received.dedup();
        assert_eq!(received.len(), EVENTS, "each once, over all pages");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_archive_that_cannot_be_made_whole_ends_with_an_error() {
    let bridge = TestBridge::start(Database::sqlite(), "http://127.0.0.1:9").await;
    let sparrow = bridge.unlinked_person("sparrow").await;
    bridge.database.run("ALTER TABLE events RENAME TO gone").await;
    let mut coming = export::export(&bridge.bridge, sparrow.id).await.unwrap();
    let mut last = None;
    while let Some(piece) = coming.recv().await {
        last = Some(piece);
    }
    assert!(matches!(last, Some(Err(ExportError::Store(_)))), "{last:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_writes_an_archive_for_a_member() {
    let bridge = TestBridge::start(Database::sqlite(), "http://127.0.0.1:9").await;
    let sparrow = bridge.unlinked_person("sparrow").await;
    let file = bridge.database.folder.path().join("sparrow.zip");
    let run = |member: String| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mostik"));
        command.arg("--config").arg(bridge.database.folder.path().join("mostik.toml"));
        command.args(["member", "export", "--member", &member]).arg(&file);
        tokio::task::spawn_blocking(move || command.output().unwrap())
    };
    let unknown = run(uuid::Uuid::nil().to_string()).await.unwrap();
    assert!(!unknown.status.success() && !file.exists(), "nothing half is left");
    let written = run(sparrow.id.to_string()).await.unwrap();
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(json_in(&files(&std::fs::read(&file).unwrap()), "profile.json")["communities"][0]["handle"], "sparrow");
    assert!(!run(sparrow.id.to_string()).await.unwrap().status.success(), "and never overwritten");
}
