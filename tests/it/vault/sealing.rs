//! What the database holds: nothing that a person wrote, and nothing that says who they are.

use crate::support::bridge::{TestBridge, mood, note};
use crate::support::database::Database;
use crate::support::ehr::Ehr;

/// Words that no byte of the database may contain.
const CANARIES: [&str; 4] = ["canary-handle", "canary-label", "canary-note", "canary-4711"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_personal_value_is_readable_in_the_database_files() {
    let ehr = Ehr::sandbox().await;
    let bridge = TestBridge::start(Database::sqlite(), &ehr.base).await;
    let member = bridge.unlinked_person("canary-handle").await;
    let mut tx = bridge.bridge.store.begin().await.unwrap();
    let clinic = crate::support::bridge::riverside();
    mostik::enrolment::join::link(
        &mut tx,
        &bridge.bridge.keyring,
        member.id,
        &clinic,
        "canary-4711",
        "test",
        bridge.now(),
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
    bridge.grant(&member, &["mood", "note"]).await;
    let mut labelled = mood("1", "canary-handle", 4);
    labelled["data"]["label"] = serde_json::json!("canary-label");
    assert_eq!(bridge.send(&labelled).await.status, 202);
    assert_eq!(bridge.send(&note("2", "canary-handle", "canary-note")).await.status, 202);
    bridge.deliver().await;
    let mut searched = 0;
    for file in std::fs::read_dir(bridge.database.folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        searched += bytes.len();
        for canary in CANARIES.map(str::as_bytes) {
            assert!(!bytes.windows(canary.len()).any(|window| window == canary), "{canary:?}");
        }
        for secret in [&bridge.api_key, &member.token] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
        }
    }
    assert!(searched > 50_000, "the database was looked at");
}

#[tokio::test]
async fn a_database_does_not_open_with_another_master_key() {
    let ehr = Ehr::sandbox().await;
    let bridge = TestBridge::start(Database::sqlite(), &ehr.base).await;
    let text = crate::support::bridge::config_text(&bridge.database, &ehr.base, "127.0.0.1:0");
    let config = mostik::config::Config::from_toml(&text).unwrap();
    std::fs::remove_file(config.vault.master_key.file().unwrap()).unwrap();
    let entropy = mostik::domain::entropy::Entropy::System;
    mostik::vault::Key::generate(&entropy).unwrap().create_file(config.vault.master_key.file().unwrap()).unwrap();
    let opened = mostik::app::open(&config, mostik::domain::clock::Clock::System, entropy).await;
    assert!(opened.unwrap_err().to_string().contains("master key"));
}
