//! A gate in front of an EHR: it asks for bearer tokens, which it gives itself, or which an authorization server gives.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};

use super::http;

/// Who gives the tokens.
pub enum Tokens {
    /// The gate itself, to everyone, for 300 s.
    Own,
    /// The same, and it says that nobody but services gets any.
    OwnForServices,
    /// The server at this token endpoint, asked through the gate.
    Through(String),
    /// The server at this URL, asked directly; its tokens are JWTs.
    Of(String),
}

/// A running gate.
pub struct Gate {
    /// The FHIR base.
    pub base: String,
    state: Arc<State>,
}

struct State {
    home: String,
    upstream: String,
    /// One for all: a new one would load its root certificates anew.
    client: reqwest::Client,
    tokens: Tokens,
    good: Mutex<BTreeSet<String>>,
    asked: AtomicU32,
    discovered: AtomicU32,
    passed: AtomicU32,
    refused: AtomicU32,
}

impl Gate {
    /// A gate in front of the FHIR endpoint `upstream`.
    pub fn before(upstream: &str, tokens: Tokens) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let home = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(State {
            home: home.clone(),
            upstream: upstream.to_owned(),
            client: http::client(),
            tokens,
            good: Mutex::default(),
            asked: AtomicU32::new(0),
            discovered: AtomicU32::new(0),
            passed: AtomicU32::new(0),
            refused: AtomicU32::new(0),
        });
        let data = Data::from(Arc::clone(&state));
        let server = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .route("/fhir/.well-known/smart-configuration", web::get().to(configuration))
                .route("/token", web::post().to(token))
                .route("/fhir/{below:.*}", web::to(fhir))
        });
        tokio::spawn(server.workers(1).disable_signals().listen(listener).unwrap().run());
        Self { base: format!("{home}/fhir"), state }
    }

    /// How often a token was asked for.
    pub fn asked(&self) -> u32 {
        self.state.asked.load(Ordering::SeqCst)
    }

    /// How often it was asked where tokens are to be had.
    pub fn discovered(&self) -> u32 {
        self.state.discovered.load(Ordering::SeqCst)
    }

    /// How many requests went through, without and with success.
    pub fn refused_and_passed(&self) -> (u32, u32) {
        (self.state.refused.load(Ordering::SeqCst), self.state.passed.load(Ordering::SeqCst))
    }

    /// No token that was given so far is good any more.
    pub fn revoke_all(&self) {
        self.state.good.lock().unwrap().clear();
    }
}

async fn configuration(state: Data<State>) -> HttpResponse {
    state.discovered.fetch_add(1, Ordering::SeqCst);
    let endpoint = match &state.tokens {
        Tokens::Own | Tokens::OwnForServices | Tokens::Through(_) => format!("{}/token", state.home),
        Tokens::Of(server) => format!("{server}/token"),
    };
    let grant_types = match state.tokens {
        Tokens::OwnForServices => vec!["client_credentials"],
        _ => vec!["client_credentials", "authorization_code", "refresh_token"],
    };
    HttpResponse::Ok().json(json!({
        "token_endpoint": endpoint,
        "grant_types_supported": grant_types,
        "capabilities": ["client-confidential-asymmetric", "client-public", "launch-standalone", "permission-v2"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["ES384", "RS384"],
    }))
}

async fn token(state: Data<State>, body: Bytes) -> HttpResponse {
    let number = state.asked.fetch_add(1, Ordering::SeqCst);
    if let Tokens::Through(server) = &state.tokens {
        let form = "application/x-www-form-urlencoded";
        let answer = state.client.post(server).header("content-type", form).body(body).send().await.unwrap();
        let status = actix_web::http::StatusCode::from_u16(answer.status().as_u16()).unwrap();
        let answer: Value = answer.json().await.unwrap();
        state.good.lock().unwrap().extend(answer["access_token"].as_str().map(str::to_owned));
        return HttpResponse::build(status).json(answer);
    }
    let token = format!("token-{number}");
    state.good.lock().unwrap().insert(token.clone());
    let scope = "system/*.cruds";
    HttpResponse::Ok().json(json!({"access_token": token, "token_type": "bearer", "expires_in": 300, "scope": scope}))
}

/// Passes a request on when its token is good.
async fn fhir(state: Data<State>, request: HttpRequest, body: Bytes) -> HttpResponse {
    if request.match_info().query("below") != "metadata" && !state.lets_in(&request).await {
        state.refused.fetch_add(1, Ordering::SeqCst);
        return HttpResponse::Unauthorized().finish();
    }
    state.passed.fetch_add(1, Ordering::SeqCst);
    let path = request.uri().path_and_query().unwrap().as_str().trim_start_matches("/fhir");
    let method = reqwest::Method::from_bytes(request.method().as_str().as_bytes()).unwrap();
    let mut onward = state.client.request(method, format!("{}{path}", state.upstream)).body(body);
    for name in ["content-type", "accept", "prefer", "if-none-exist", "if-match"] {
        if let Some(value) = request.headers().get(name) {
            onward = onward.header(name, value.to_str().unwrap());
        }
    }
    let answer = onward.send().await.unwrap();
    let mut response = HttpResponse::build(actix_web::http::StatusCode::from_u16(answer.status().as_u16()).unwrap());
    for name in ["content-type", "location", "etag"] {
        if let Some(value) = answer.headers().get(name) {
            response.insert_header((name, value.to_str().unwrap()));
        }
    }
    response.body(answer.bytes().await.unwrap())
}

impl State {
    async fn lets_in(&self, request: &HttpRequest) -> bool {
        let header = request.headers().get("authorization").and_then(|value| value.to_str().ok());
        let Some(token) = header.and_then(|header| header.strip_prefix("Bearer ")) else { return false };
        let Tokens::Of(server) = &self.tokens else { return self.good.lock().unwrap().contains(token) };
        let published = http::call(reqwest::Method::GET, &format!("{server}/jwks"), None, None).await.json;
        let keys: JwkSet = serde_json::from_value(published).unwrap();
        let header = decode_header(token).unwrap();
        let key = DecodingKey::from_jwk(keys.find(&header.kid.unwrap()).unwrap()).unwrap();
        let mut expected = Validation::new(header.alg);
        expected.set_audience(&["urn:mostik:test:fhir"]);
        expected.set_issuer(&[server]);
        let Ok(read) = decode::<Value>(token, &key, &expected) else { return false };
        read.claims["scope"].as_str().is_some_and(|scopes| scopes.contains("system/Observation.cruds"))
    }
}
