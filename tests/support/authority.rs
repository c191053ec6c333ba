//! An authorization server, and identity provider, that does as it is told: an honest one, until it is told to lie.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpResponse, HttpServer};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use mostik::vault::signing::{SigningAlgorithm, SigningKey};
use reqwest::Url;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::browser::parameter;
use super::smart::present;

/// Who signs an `id_token`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Signature {
    /// The server.
    Own,
    /// Somebody else, under the server's name for its key.
    Forged,
    /// Nobody: `alg` is `none`.
    None,
    /// Whoever knows this, as a shared secret: `alg` is `HS256`.
    Shared(&'static str),
}

/// What the token endpoint does.
#[derive(Clone)]
pub enum Desk {
    /// Gives tokens, to whoever shows code and verifier.
    Honest,
    /// The same, to whoever shows a code.
    Careless,
    /// Answers this.
    Say(u16, Value),
    /// Sends whoever asks somewhere else.
    Redirect(u16, String),
    /// Answers so many bytes.
    Flood(usize),
}

/// What a code was given for: challenge, nonce and client.
type Given = (Option<String>, Option<String>, Option<String>);

/// A running server, with a FHIR base at which there is nothing but a SMART configuration.
pub struct Authority {
    pub base: String,
    pub home: String,
    state: Arc<State>,
}

struct State {
    home: String,
    own: SigningKey,
    other: SigningKey,
    patient: Mutex<String>,
    /// What is said otherwise; null is left out.
    document: Mutex<Value>,
    answer: Mutex<Value>,
    claims: Mutex<Value>,
    signature: Mutex<Signature>,
    desk: Mutex<Desk>,
    /// Codes that were given: challenge, nonce and client.
    codes: Mutex<Vec<Given>>,
    asked: Mutex<Vec<String>>,
    taken_back: Mutex<Vec<String>>,
    takes_back: Notify,
    flooded_keys: Mutex<bool>,
}

impl Authority {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let home = format!("http://{}", listener.local_addr().unwrap());
        let folder = tempfile::tempdir().unwrap();
        let key = |name| {
            let folder = folder.path().join(name);
            SigningKey::create(&folder, SigningAlgorithm::Es384, present()).unwrap().0
        };
        let state = Arc::new(State {
            home: home.clone(),
            own: key("own"),
            other: key("other"),
            patient: Mutex::new("a-patient".to_owned()),
            document: Mutex::new(json!({})),
            answer: Mutex::new(json!({})),
            claims: Mutex::new(json!({})),
            signature: Mutex::new(Signature::Own),
            desk: Mutex::new(Desk::Honest),
            codes: Mutex::default(),
            asked: Mutex::default(),
            taken_back: Mutex::default(),
            takes_back: Notify::new(),
            flooded_keys: Mutex::default(),
        });
        let data = Data::from(Arc::clone(&state));
        let server = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .route("/fhir/.well-known/smart-configuration", web::get().to(configuration))
                .route("/.well-known/openid-configuration", web::get().to(configuration))
                .route("/jwks", web::get().to(jwks))
                .route("/token", web::post().to(token))
                .route("/revoke", web::post().to(revoke))
        });
        tokio::spawn(server.workers(1).disable_signals().listen(listener).unwrap().run());
        Self { base: format!("{home}/fhir"), home, state }
    }

    /// Whoever signs in from now on is this Patient.
    pub fn signs_in(&self, patient: &str) {
        patient.clone_into(&mut self.state.patient.lock().unwrap());
    }

    /// Its configuration, SMART's and OpenID Connect's, says this otherwise; null leaves it out.
    pub fn configuration_says(&self, otherwise: Value) {
        *self.state.document.lock().unwrap() = otherwise;
    }

    /// Its token response says this otherwise.
    pub fn answer_says(&self, otherwise: Value) {
        *self.state.answer.lock().unwrap() = otherwise;
    }

    /// Its `id_token` says this otherwise.
    pub fn id_token_says(&self, otherwise: Value) {
        *self.state.claims.lock().unwrap() = otherwise;
    }

    pub fn signed_by(&self, signature: Signature) {
        *self.state.signature.lock().unwrap() = signature;
    }

    pub fn desk_is(&self, desk: Desk) {
        *self.state.desk.lock().unwrap() = desk;
    }

    /// Its keys come with megabytes of nothing.
    pub fn flood_keys(&self) {
        *self.state.flooded_keys.lock().unwrap() = true;
    }

    /// How often a token was asked for.
    pub fn asked(&self) -> usize {
        self.state.asked.lock().unwrap().len()
    }

    /// A field of the last form that asked for a token.
    pub fn last(&self, field: &str) -> Option<String> {
        self.state.asked.lock().unwrap().last().and_then(|form| in_form(form, field))
    }

    /// The tokens that were given back, each with what kind it is said to be.
    pub fn taken_back(&self) -> Vec<(String, String)> {
        let forms = self.state.taken_back.lock().unwrap();
        let read = |form: &String| (in_form(form, "token").unwrap(), in_form(form, "token_type_hint").unwrap());
        forms.iter().map(read).collect()
    }

    /// Waits until a token is given back, if none was.
    pub async fn until_taken_back(&self) {
        while self.taken_back().is_empty() {
            self.state.takes_back.notified().await;
        }
    }

    /// What a browser that was sent to `url` brings back when its person signs in.
    pub fn sign_in(&self, url: &Url) -> String {
        assert!(url.as_str().starts_with(&format!("{}/authorize?", self.home)), "{url}");
        let mut codes = self.state.codes.lock().unwrap();
        codes.push((parameter(url, "code_challenge"), parameter(url, "nonce"), parameter(url, "client_id")));
        let (code, state) = (format!("code-{}", codes.len() - 1), parameter(url, "state").unwrap());
        format!("code={code}&state={state}&iss={}", self.home)
    }
}

fn in_form(form: &str, field: &str) -> Option<String> {
    parameter(&Url::parse(&format!("http://form/?{form}")).unwrap(), field)
}

/// `usual`, but for what is to be said otherwise.
fn with(mut usual: Value, otherwise: &Mutex<Value>) -> Value {
    for (name, value) in otherwise.lock().unwrap().as_object().unwrap() {
        match value {
            Value::Null => drop(usual.as_object_mut().unwrap().remove(name)),
            value => usual[name] = value.clone(),
        }
    }
    usual
}

async fn configuration(state: Data<State>) -> HttpResponse {
    let home = &state.home;
    let usual = json!({
        "issuer": home, "jwks_uri": format!("{home}/jwks"), "authorization_endpoint": format!("{home}/authorize"),
        "token_endpoint": format!("{home}/token"), "revocation_endpoint": format!("{home}/revoke"),
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "capabilities": ["launch-standalone", "client-public", "sso-openid-connect", "context-standalone-patient"],
        "code_challenge_methods_supported": ["S256"], "authorization_response_iss_parameter_supported": true,
        "response_types_supported": ["code"], "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES384", "HS256", "none"],
    });
    HttpResponse::Ok().json(with(usual, &state.document))
}

async fn jwks(state: Data<State>) -> HttpResponse {
    let padding = if *state.flooded_keys.lock().unwrap() { 5 * 1024 * 1024 } else { 0 };
    HttpResponse::Ok().json(json!({"keys": [state.own.public()], "padding": "x".repeat(padding)}))
}

async fn revoke(state: Data<State>, body: String) -> HttpResponse {
    state.taken_back.lock().unwrap().push(body);
    state.takes_back.notify_one();
    HttpResponse::Ok().finish()
}

async fn token(state: Data<State>, body: Bytes) -> HttpResponse {
    let form = String::from_utf8(body.to_vec()).unwrap();
    state.asked.lock().unwrap().push(form.clone());
    let desk = state.desk.lock().unwrap().clone();
    match desk {
        Desk::Say(status, body) => HttpResponse::build(StatusCode::from_u16(status).unwrap()).json(body),
        Desk::Redirect(status, to) => {
            HttpResponse::build(StatusCode::from_u16(status).unwrap()).insert_header(("location", to)).finish()
        }
        Desk::Flood(bytes) => HttpResponse::Ok().content_type("application/json").body("x".repeat(bytes)),
        Desk::Honest | Desk::Careless => state.give(&form, matches!(desk, Desk::Honest)),
    }
}

impl State {
    fn give(&self, form: &str, honest: bool) -> HttpResponse {
        let number = in_form(form, "code").and_then(|code| code.strip_prefix("code-")?.parse::<usize>().ok());
        let codes = self.codes.lock().unwrap();
        let found = number.and_then(|number| codes.get(number));
        let Some((challenge, nonce, client)) = found else { return refused() };
        let proved = in_form(form, "code_verifier").map(|verifier| challenge_of(&verifier));
        if honest && (proved.is_none() || proved != *challenge) {
            return refused();
        }
        let patient = self.patient.lock().unwrap().clone();
        let now = present().as_second();
        let claims = json!({
            "iss": self.home, "sub": format!("user-of-{patient}"), "aud": client, "exp": now + 300, "iat": now,
            "nonce": nonce, "fhirUser": format!("{}/fhir/Patient/{patient}", self.home),
        });
        let id_token = self.signed(&with(claims, &self.claims));
        let usual = json!({
            "access_token": format!("access-{}", number.unwrap()), "token_type": "Bearer", "expires_in": 300,
            "scope": "launch/patient openid fhirUser", "patient": patient, "id_token": id_token,
        });
        HttpResponse::Ok().json(with(usual, &self.answer))
    }

    fn signed(&self, claims: &Value) -> String {
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        match *self.signature.lock().unwrap() {
            Signature::Own => self.own.sign(claims).unwrap(),
            Signature::None => format!("{}.{}.", part(json!({"alg": "none"})), part(claims.clone())),
            Signature::Shared(secret) => {
                let key = EncodingKey::from_secret(secret.as_bytes());
                encode(&Header::new(Algorithm::HS256), claims, &key).unwrap()
            }
            Signature::Forged => {
                let signed = self.other.sign(claims).unwrap();
                let rest = signed.split_once('.').unwrap().1;
                format!("{}.{rest}", part(json!({"alg": "ES384", "kid": self.own.kid()})))
            }
        }
    }
}

fn refused() -> HttpResponse {
    HttpResponse::BadRequest().json(json!({"error": "invalid_grant"}))
}

fn challenge_of(verifier: &str) -> String {
    let verifier = oauth2::PkceCodeVerifier::new(verifier.to_owned());
    oauth2::PkceCodeChallenge::from_code_verifier_sha256(&verifier).as_str().to_owned()
}
