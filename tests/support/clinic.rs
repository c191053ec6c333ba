//! Clinics' own systems: clients that sign who they are, ask for tokens, and read.

use mostik::vault::signing::{SigningAlgorithm, SigningKey};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::bridge::{NOON, TestBridge, config_text};
use super::database::Database;
use super::http::{self, Got};

/// How people and clinics reach the bridge of these tests, wherever it listens.
pub const PUBLIC_URL: &str = super::portal::PORTAL;

/// Where assertions must be made for.
pub const TOKEN_URL: &str = "https://mostik.example/fhir/token";

pub const ALL_SCOPES: &str = "system/Consent.rs system/AuditEvent.rs";

/// A clinic's own system.
pub struct System {
    pub client_id: String,
    pub key: SigningKey,
    /// Where its private key lies.
    pub key_file: std::path::PathBuf,
    _folder: TempDir,
}

impl System {
    pub fn new(client_id: &str, algorithm: SigningAlgorithm) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (key, key_file) = SigningKey::create(folder.path(), algorithm, NOON.parse().unwrap()).unwrap();
        Self { client_id: client_id.to_owned(), key, key_file, _folder: folder }
    }

    /// Its public key.
    pub fn public(&self) -> Value {
        serde_json::to_value(self.key.public()).unwrap()
    }

    /// The section that registers it for a clinic, with its key written down.
    pub fn registered(&self, clinic: &str) -> String {
        let key = self.public();
        let members: Vec<String> =
            key.as_object().unwrap().iter().map(|(name, value)| format!("{name} = {value}")).collect();
        format!(
            "[clinics.{clinic}.access]\nclient_id = {:?}\njwks = {{ keys = [{{ {} }}] }}\n",
            self.client_id,
            members.join(", "),
        )
    }

    /// The section that registers it for a clinic, with the address of its keys.
    pub fn published(&self, clinic: &str, jwks_uri: &str) -> String {
        format!("[clinics.{clinic}.access]\nclient_id = {:?}\njwks_uri = {jwks_uri:?}\n", self.client_id)
    }

    /// What a good assertion says, with a `jti` of its own.
    pub fn claims(&self, bridge: &TestBridge) -> Value {
        let jti = bridge.bridge.keyring.entropy().uuid(bridge.now()).unwrap();
        let end = bridge.now().as_second() + 240;
        json!({"iss": self.client_id, "sub": self.client_id, "aud": TOKEN_URL, "exp": end, "jti": jti})
    }

    /// Asks for a token with a good assertion.
    pub async fn ask(&self, bridge: &TestBridge, scope: &str) -> Got {
        show(bridge, &self.key.sign(&self.claims(bridge)).unwrap(), scope).await
    }

    /// A token for these scopes.
    pub async fn token(&self, bridge: &TestBridge, scope: &str) -> String {
        let got = self.ask(bridge, scope).await;
        assert_eq!(got.status, 200, "{:?}", got.json);
        got.json["access_token"].as_str().unwrap().to_owned()
    }
}

/// Shows an assertion to the token endpoint.
pub async fn show(bridge: &TestBridge, assertion: &str, scope: &str) -> Got {
    post_form(bridge, "/fhir/token", None, &token_form(assertion, scope)).await
}

/// What a client sends who asks for a token.
pub fn token_form<'a>(assertion: &'a str, scope: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("grant_type", "client_credentials"),
        ("scope", scope),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", assertion),
    ]
}

pub async fn post_form(bridge: &TestBridge, path: &str, token: Option<&str>, form: &[(&str, &str)]) -> Got {
    let mut request = http::client().post(format!("{}{path}", bridge.api)).form(form);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    Got::read(request.send().await.unwrap()).await
}

/// Reads something with a token.
pub async fn read(bridge: &TestBridge, token: &str, path: &str) -> Got {
    http::call(Method::GET, &format!("{}{path}", bridge.api), Some(token), None).await
}

/// The resources in a Bundle.
pub fn entries(bundle: &Value) -> Vec<Value> {
    assert_eq!((&bundle["resourceType"], &bundle["type"]), (&json!("Bundle"), &json!("searchset")), "{bundle:#}");
    let entries = bundle["entry"].as_array().map(Vec::as_slice).unwrap_or_default();
    entries.iter().map(|entry| entry["resource"].clone()).collect()
}

/// A configuration with the clinics `riverside` and `lakeside`, whose EHRs are nobody's.
pub fn two_clinics(database: &Database, access: &str) -> String {
    let text = config_text(database, "http://127.0.0.1:9/fhir", "127.0.0.1:0");
    let text = text.replace("[server]\n", &format!("[server]\npublic_url = {PUBLIC_URL:?}\n"));
    format!("{text}[clinics.lakeside]\nname = \"Lakeside\"\nfhir_base = \"http://127.0.0.1:9/lake\"\n{access}")
}

/// A bridge with both clinics and a system for each.
pub async fn with_systems(database: Database) -> (TestBridge, System, System) {
    let river = System::new("riverside-ehr", SigningAlgorithm::Es384);
    let lake = System::new("lakeside-ehr", SigningAlgorithm::Rs384);
    let access = river.registered("riverside") + &lake.registered("lakeside");
    let text = two_clinics(&database, &access);
    (TestBridge::start_with(database, &text).await, river, lake)
}
