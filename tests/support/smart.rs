//! Bridges that must prove to a clinic who they are, with the keys that the real servers of `tests/run` know.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use mostik::app::{self, Outward};
use mostik::config::Config;
use mostik::delivery::ehr::{Access, EhrClient};
use mostik::delivery::smart_auth::{AuthState, TokenError};
use mostik::domain::clock::{Clock, ManualClock};
use mostik::domain::entropy::Entropy;
use mostik::vault::signing::{SigningAlgorithm, SigningKey};

use super::bridge::{TestBridge, config_text, riverside};
use super::database::Database;
use super::parts::part;

/// sekmet-fhir, wanting tokens.
pub struct SmartFhir {
    pub base: String,
    pub admin: String,
    pub keys: PathBuf,
}

impl SmartFhir {
    /// The one that `tests/run` started.
    pub fn find() -> Option<Self> {
        let what = "the FHIR server sekmet-fhir with SMART";
        Some(Self {
            base: part("MOSTIK_TEST_SMART_FHIR", what)?,
            admin: part("MOSTIK_TEST_SMART_ADMIN", what)?,
            keys: part("MOSTIK_TEST_SMART_KEYS", what)?.into(),
        })
    }
}

/// The present: a server that nobody here wrote has a clock of its own, which no test can move.
pub fn present() -> Timestamp {
    Clock::System.now()
}

/// Puts the key that the real servers know into the folder of a bridge.
pub fn use_known_key(database: &Database, keys: &Path, algorithm: &str) {
    let folder = database.folder.path().join("keys");
    fs::create_dir_all(&folder).unwrap();
    for file in fs::read_dir(keys.join(algorithm)).unwrap() {
        let path = file.unwrap().path();
        fs::copy(&path, folder.join(path.file_name().unwrap())).unwrap();
    }
}

/// Puts a key that nobody knows into the folder of a bridge; returns its `kid`.
pub fn use_unknown_key(database: &Database) -> String {
    let folder = database.folder.path().join("keys");
    SigningKey::create(&folder, SigningAlgorithm::Es384, "2026-01-01T00:00:00Z".parse().unwrap())
        .unwrap()
        .0
        .kid()
        .into()
}

/// A configuration for a bridge that proves to the FHIR endpoint `base` that it is `client_id`.
pub fn smart_config(database: &Database, base: &str, client_id: &str) -> String {
    let keys = database.folder.path().join("keys").display().to_string();
    let text = config_text(database, base, "127.0.0.1:0").replace("lease_seconds = 3", "lease_seconds = 16");
    // Whoever answers there is a program of Python, and others ask it, too.
    let text = text.replace("timeout_seconds = 1\n", "timeout_seconds = 5\n");
    format!(
        "{text}[clinics.riverside.auth]\nmethod = \"backend-services\"\nclient_id = {client_id:?}\n\
         [keys]\nfolder = {keys:?}\n"
    )
}

/// A configuration for a bridge to which members lend their access to the FHIR endpoint `base`.
pub fn lent_config(database: &Database, base: &str, client_authentication: &str) -> String {
    smart_config(database, base, "mostik")
        .replace("\"backend-services\"", &format!("\"patient\"\nclient_authentication = {client_authentication:?}"))
}

/// A bridge that proves to the FHIR endpoint `base` that it is `client_id`. Its clock begins at the present.
pub async fn smart_bridge(database: Database, base: &str, client_id: &str) -> TestBridge {
    let text = smart_config(&database, base, client_id);
    TestBridge::start_at(database, &text, present()).await
}

/// The client of a bridge with this configuration, whose clock is off by so much.
pub fn client(text: &str, entropy: Entropy, off_by: SignedDuration) -> EhrClient {
    let config = Config::from_toml(text).unwrap();
    let clock = Clock::Manual(ManualClock::new(present().checked_add(off_by).unwrap()));
    let signing = app::signing_keys(&config, &clock).unwrap();
    Outward { signing, clock, entropy, lenders: None }
        .ehr(&config, &riverside(), &config.clinics[&riverside()])
        .unwrap()
}

/// Asks for a token once, with a clock that is off by so much, and returns what came of it.
pub async fn ask(text: &str, entropy: Entropy, off_by: SignedDuration) -> Result<AuthState, TokenError> {
    let ehr = client(text, entropy, off_by);
    let Access::Own(auth) = ehr.access() else { panic!("backend services") };
    auth.token().await.map(|_| auth.state())
}
