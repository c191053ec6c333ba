//! The audit log as it stands in the database.

use jiff::Timestamp;
use mostik::audit::checkpoint::verify_file;
use mostik::audit::verify::verify;
use mostik::domain::audit::Chain;
use mostik::store::AuditRow;

use super::bridge::{Person, TestBridge, riverside};

/// What verifying the log, and the checkpoint file if there is one, finds wrong: in words.
pub async fn wrong(bridge: &TestBridge) -> Vec<String> {
    let store = &bridge.bridge.store;
    let log = verify(store, |_| {}).await.unwrap();
    let mut findings = log.findings.clone();
    if let Some(path) = bridge.bridge.checkpoints.path() {
        let keys = bridge.bridge.signing.published(bridge.now());
        findings.extend(verify_file(store, path, &keys, &log).await.unwrap().unwrap().findings);
    }
    findings.iter().map(ToString::to_string).collect()
}

/// The entries of a chain.
pub async fn chain(bridge: &TestBridge, chain: &Chain) -> Vec<AuditRow> {
    let mut tx = bridge.bridge.store.read().await.unwrap();
    tx.audit_chain(chain, 0, Timestamp::MIN, 10_000).await.unwrap()
}

/// The words of the entries of a chain.
pub async fn kinds(bridge: &TestBridge, of: &Chain) -> Vec<String> {
    chain(bridge, of).await.into_iter().map(|row| row.kind).collect()
}

/// What happened between the clinic and a person.
pub fn between(person: &Person) -> Chain {
    Chain::between(&riverside(), person.id)
}
