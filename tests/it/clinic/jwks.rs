//! The published keys: what clinics fetch, and nothing that they must not have.

use mostik::vault::signing::{SigningAlgorithm, SigningKey};
use serde_json::Value;

use crate::support::bridge::{NOON, TestBridge};
use crate::support::database::Database;
use crate::support::http;
use crate::support::smart::smart_config;

async fn published(bridge: &TestBridge) -> Vec<Value> {
    let url = format!("{}/.well-known/jwks.json", bridge.api);
    let response = http::client().get(url).send().await.unwrap();
    assert_eq!(response.headers()["cache-control"], "public, max-age=300");
    let got = http::Got::read(response).await;
    assert_eq!((got.status, got.content_type.as_str()), (200, "application/jwk-set+json"));
    got.json["keys"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn public_halves_are_published_and_nothing_else() {
    let database = Database::sqlite();
    let folder = database.folder.path().join("keys");
    for algorithm in [SigningAlgorithm::Es384, SigningAlgorithm::Rs384] {
        SigningKey::create(&folder, algorithm, NOON.parse().unwrap()).unwrap();
    }
    let text = smart_config(&database, "http://127.0.0.1:9/fhir", "mostik");
    let bridge = TestBridge::start_with(database, &text).await;
    let keys = published(&bridge).await;
    assert_eq!(keys.len(), 3, "and the one for receipts");
    for key in keys {
        let members: Vec<&String> = key.as_object().unwrap().keys().collect();
        let expected: &[&str] = match key["kty"].as_str().unwrap() {
            "EC" => &["alg", "crv", "kid", "kty", "use", "x", "y"],
            _ => &["alg", "e", "kid", "kty", "n", "use"],
        };
        assert_eq!(members, expected, "public members only");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_made_while_the_bridge_runs_is_published_without_a_restart() {
    let database = Database::sqlite();
    let folder = database.folder.path().join("keys");
    let text = smart_config(&database, "http://127.0.0.1:9/fhir", "mostik");
    let now = NOON.parse().unwrap();
    SigningKey::create(&folder, SigningAlgorithm::Es384, now).unwrap();
    let bridge = TestBridge::start_with(database, &text).await;
    let later = now.checked_add(jiff::SignedDuration::from_secs(61)).unwrap();
    let (next, _) = SigningKey::create(&folder, SigningAlgorithm::Es384, later).unwrap();
    bridge.clock.advance(jiff::SignedDuration::from_secs(61));
    let kids: Vec<Value> = published(&bridge).await.iter().map(|key| key["kid"].clone()).collect();
    assert_eq!(kids.len(), 3, "and the one for receipts, at the end");
    assert_eq!(kids[0], next.kid());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bridge_whose_key_is_exposed_or_missing_does_not_start() {
    use std::os::unix::fs::PermissionsExt;
    let database = Database::sqlite();
    let config =
        mostik::config::Config::from_toml(&smart_config(&database, "http://127.0.0.1:9/fhir", "mostik")).unwrap();
    let (clock, entropy) = (mostik::domain::clock::Clock::System, mostik::domain::entropy::Entropy::System);
    mostik::vault::Key::generate(&entropy).unwrap().create_file(config.vault.master_key.file().unwrap()).unwrap();
    let bridge = mostik::app::open(&config, clock.clone(), entropy.clone()).await.unwrap();
    let missing = mostik::app::desks(&config, &bridge).unwrap_err().to_string();
    assert!(missing.contains("mostik keys sign-create"), "{missing}");
    let (_, path) = SigningKey::create(&config.keys.folder, SigningAlgorithm::Es384, clock.now()).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let exposed = mostik::app::open(&config, clock, entropy).await.unwrap_err().to_string();
    assert!(exposed.contains("chmod 600"), "{exposed}");
}
