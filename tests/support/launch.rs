//! Members who launch: the whole code flow at a real authorization server, over plain HTTP, as a browser would do it.

use std::path::Path;
use std::time::Duration;

use jiff::SignedDuration;
use mostik::delivery::egress::{Egress, EgressPolicy};
use mostik::delivery::smart_auth::patient::{PatientAuth, PatientSettings, TokenSet, connect};
use mostik::domain::clock::Clock;
use mostik::domain::entropy::Entropy;
use mostik::domain::ids::MemberId;
use mostik::vault::signing::SigningKeys;
use oauth2::PkceCodeChallenge;
use reqwest::Url;
use serde_json::{Value, json};

use super::bridge::{TestBridge, riverside};
use super::browser::{parameter, walk};
use super::http;
use super::smart::present;

pub const SCOPES: &str = "launch/patient offline_access patient/Observation.cruds patient/Patient.r";

const COMES_BACK: &str = "https://mostik.example/connected";

/// What the server at `server` gives a member who launches with this client; with `keys`, the client signs.
pub async fn launch(server: &str, client_id: &str, keys: Option<&Path>) -> Value {
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let parameters = [
        ("response_type", "code"),
        ("client_id", client_id),
        ("redirect_uri", COMES_BACK),
        ("scope", SCOPES),
        ("state", "a-state"),
        ("aud", "urn:mostik:test:fhir"),
        ("prompt", "consent"),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
    ];
    let start = Url::parse_with_params(&format!("{server}/auth"), parameters).unwrap();
    let back = walk(start, &[], COMES_BACK).await;
    let code = parameter(&back, "code").unwrap_or_else(|| panic!("no code: {back}"));
    let mut form = vec![
        ("grant_type", "authorization_code".to_owned()),
        ("client_id", client_id.to_owned()),
        ("code", code),
        ("redirect_uri", COMES_BACK.to_owned()),
        ("code_verifier", verifier.into_secret()),
    ];
    if let Some(keys) = keys {
        form.push(("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer".to_owned()));
        form.push(("client_assertion", assertion(server, client_id, keys)));
    }
    let answer = http::client().post(format!("{server}/token")).form(&form).send().await.unwrap();
    let got = http::Got::read(answer).await;
    assert_eq!((got.status, &got.json["patient"]), (200, &json!("a-patient")), "{:?}", got.json);
    got.json
}

fn assertion(server: &str, client_id: &str, keys: &Path) -> String {
    let keys = SigningKeys::open(keys, SignedDuration::ZERO, present()).unwrap();
    let claims = json!({
        "iss": client_id, "sub": client_id, "aud": format!("{server}/token"),
        "exp": present().as_second() + 240, "jti": Entropy::System.uuid(present()).unwrap(),
    });
    keys.active(present(), |_| true).unwrap().sign(&claims).unwrap()
}

/// What the portal makes of a launch's answer, given by `issuer` at the time of the bridge.
pub fn token_set(bridge: &TestBridge, issuer: &str, answer: &Value) -> TokenSet {
    let text = |name: &str| answer[name].as_str();
    TokenSet {
        access: text("access_token").unwrap().into(),
        refresh: text("refresh_token").map(Into::into),
        scope: text("scope").unwrap().to_owned(),
        issuer: issuer.to_owned(),
        issued_at: bridge.now(),
        expires_at: TokenSet::end(bridge.now(), answer["expires_in"].as_i64()).unwrap(),
    }
}

/// Stores what a launch gave.
pub async fn store(bridge: &TestBridge, member: MemberId, tokens: &TokenSet) {
    let mut tx = bridge.bridge.store.begin().await.unwrap();
    connect(&mut tx, &bridge.bridge.keyring, &riverside(), member, tokens, bridge.now()).await.unwrap();
    tx.commit().await.unwrap();
}

/// What a process of this bridge knows members' tokens by, for a clinic at the FHIR endpoint `base`.
pub fn process(bridge: &TestBridge, base: &str, client_id: &str, signed: bool) -> PatientAuth {
    let policy = EgressPolicy {
        hosts: ["127.0.0.1".to_owned()].into(),
        private_networks: true,
        timeout: Duration::from_secs(10),
    };
    let settings = PatientSettings {
        clinic: riverside(),
        client_id: client_id.to_owned(),
        scopes: SCOPES.to_owned(),
        token_hosts: Vec::new(),
        signed,
    };
    let folder = bridge.database.folder.path().join("keys");
    let keys = SigningKeys::open(&folder, SignedDuration::ZERO, bridge.now()).unwrap();
    PatientAuth::new(
        Egress::new(policy).unwrap(),
        Url::parse(&format!("{base}/")).unwrap(),
        settings,
        keys,
        bridge.bridge.store.clone(),
        bridge.bridge.keyring.clone(),
        Clock::Manual(bridge.clock.clone()),
        Entropy::System,
    )
}

/// Tokens that no server gave.
pub fn some_tokens(bridge: &TestBridge) -> TokenSet {
    TokenSet {
        access: "an-access-token".into(),
        refresh: Some("a-refresh-token".into()),
        scope: SCOPES.to_owned(),
        issuer: "https://ehr.example".to_owned(),
        issued_at: bridge.now(),
        expires_at: bridge.now() + SignedDuration::from_mins(5),
    }
}
