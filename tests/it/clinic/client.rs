//! A client that nobody here wrote: `PyJWT` signs, httpx asks.

use std::path::Path;
use std::process::Command;

use mostik::vault::signing::SigningAlgorithm;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::bridge::{TestBridge, config_text};
use crate::support::clinic::{System, entries};
use crate::support::database::Database;
use crate::support::key_server::KeyServer;
use crate::support::parts::part;

/// Runs `tests/tools/clinic.py`.
async fn clinic(bridge: &TestBridge, system: &System, patient: &str) -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(root.join(".tools/venv/bin/python"));
    command.arg(root.join("tests/tools/clinic.py")).arg(format!("{}/fhir", bridge.api)).arg(&system.client_id);
    command.arg(system.key.kid()).arg(system.key.algorithm().as_str()).arg(&system.key_file).arg(patient);
    command.arg(bridge.now().as_second().to_string());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

async fn gets_in_and_reads(database: Database, algorithm: SigningAlgorithm) {
    // Where the validators are, what they are made of is there too.
    let Some(_) = part("MOSTIK_TEST_VALIDATORS", "the tools of tests/run") else { return };
    let system = System::new("riverside-ehr", algorithm);
    let keys = KeyServer::with(&[system.public()], "max-age=300");
    let text = config_text(&database, "http://127.0.0.1:9/fhir", "127.0.0.1:0");
    let bridge = TestBridge::start_with(database, &(text + &system.published("riverside", &keys.url))).await;
    let member = bridge.person("sparrow", "17").await;
    bridge.grant(&member, &["mood"]).await;
    let said = clinic(&bridge, &system, "17").await;
    assert_eq!((&said["token"]["expires_in"], &said["again"]), (&json!(300), &json!(400)));
    let consents = entries(&said["bundle"]);
    assert_eq!((consents.len(), &consents[0]["status"]), (1, &json!("active")));
}

on_both_databases! {
    async fn a_client_of_others_gets_in_and_reads(database) {
        gets_in_and_reads(database, SigningAlgorithm::Es384).await;
    }
}

on_both_databases! {
    async fn it_does_so_with_an_rsa_key_too(database) {
        gets_in_and_reads(database, SigningAlgorithm::Rs384).await;
    }
}
