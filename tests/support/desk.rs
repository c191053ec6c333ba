//! A desk in front of an authorization server: names itself in a SMART configuration, counts who asks for tokens, and
//! loses, holds back or replaces answers as it is told.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpResponse, HttpServer};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::http;

/// What the desk does with an answer.
#[derive(Clone)]
pub enum Fault {
    /// Passes it on.
    None,
    /// Loses it after it was given.
    Lose,
    /// Does not even ask, and answers this.
    Say(u16, Value),
    /// Passes it on as content of this type.
    As(&'static str),
}

/// A running desk.
pub struct Desk {
    /// The FHIR base, at which there is nothing but a SMART configuration.
    pub base: String,
    state: Arc<State>,
}

struct State {
    client: reqwest::Client,
    server: String,
    /// What `token_endpoint` says.
    endpoint: Mutex<String>,
    fault: Mutex<Fault>,
    /// One permit lets one answer pass.
    gate: Mutex<Option<Arc<Semaphore>>>,
    /// The form of each request for a token.
    asked: Mutex<Vec<String>>,
}

impl Desk {
    /// A desk in front of the authorization server at this URL.
    pub fn before(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let home = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(State {
            client: http::client(),
            server: server.to_owned(),
            endpoint: Mutex::new(format!("{home}/token")),
            fault: Mutex::new(Fault::None),
            gate: Mutex::default(),
            asked: Mutex::default(),
        });
        let data = Data::from(Arc::clone(&state));
        let server = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .route("/fhir/.well-known/smart-configuration", web::get().to(configuration))
                .route("/token", web::post().to(token))
        });
        tokio::spawn(server.workers(1).disable_signals().listen(listener).unwrap().run());
        Self { base: format!("{home}/fhir"), state }
    }

    /// Who gives tokens here.
    pub fn issuer(&self) -> String {
        self.base.trim_end_matches("/fhir").to_owned()
    }

    /// Sends whoever looks for a token somewhere else.
    pub fn send_to(&self, endpoint: &str) {
        endpoint.clone_into(&mut self.state.endpoint.lock().unwrap());
    }

    /// From now on.
    pub fn do_this(&self, fault: Fault) {
        *self.state.fault.lock().unwrap() = fault;
    }

    /// Holds answers back after they were given, until the gate that it returns lets them pass.
    pub fn hold(&self) -> Arc<Semaphore> {
        let gate = Arc::new(Semaphore::new(0));
        *self.state.gate.lock().unwrap() = Some(Arc::clone(&gate));
        gate
    }

    /// How often a token was asked for.
    pub fn asked(&self) -> usize {
        self.state.asked.lock().unwrap().len()
    }

    /// A field of the last form that asked for a token.
    pub fn last(&self, field: &str) -> Option<String> {
        let asked = self.state.asked.lock().unwrap();
        let url = reqwest::Url::parse(&format!("http://form/?{}", asked.last().unwrap())).unwrap();
        url.query_pairs().find(|(name, _)| name == field).map(|(_, value)| value.into_owned())
    }
}

async fn configuration(state: Data<State>) -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "token_endpoint": *state.endpoint.lock().unwrap(),
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "scopes_supported": ["launch/patient", "offline_access", "patient/*.rs"],
        "capabilities": ["launch-standalone", "context-standalone-patient", "permission-patient",
                         "permission-offline", "client-public"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
    }))
}

async fn token(state: Data<State>, body: Bytes) -> HttpResponse {
    let (fault, gate) = (state.fault.lock().unwrap().clone(), state.gate.lock().unwrap().clone());
    let asked = String::from_utf8(body.to_vec()).unwrap();
    if let Fault::Say(status, body) = fault {
        state.asked.lock().unwrap().push(asked);
        return HttpResponse::build(StatusCode::from_u16(status).unwrap()).json(body);
    }
    let form = "application/x-www-form-urlencoded";
    let server = format!("{}/token", state.server);
    let answer = state.client.post(server).header("content-type", form).body(body).send().await.unwrap();
    let status = StatusCode::from_u16(answer.status().as_u16()).unwrap();
    let answer: Value = answer.json().await.unwrap();
    // Counted when the server has answered: who waits for the count knows that the server has acted.
    state.asked.lock().unwrap().push(asked);
    if let Some(gate) = gate {
        gate.acquire().await.unwrap().forget();
    }
    match fault {
        Fault::Lose => {
            let broken = futures_util::stream::iter([Err::<Bytes, _>(std::io::Error::other("lost"))]);
            HttpResponse::build(status).content_type("application/json").streaming(broken)
        }
        Fault::As(content_type) => HttpResponse::build(status).content_type(content_type).body(answer.to_string()),
        _ => HttpResponse::build(status).json(answer),
    }
}
