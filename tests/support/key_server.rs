//! Where a clinic publishes the public keys of its system.

use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use actix_web::web::{self, Data};
use actix_web::{App, HttpResponse, HttpServer};
use serde_json::{Value, json};

/// A running server.
pub struct KeyServer {
    pub url: String,
    state: Arc<State>,
}

struct State {
    answer: Mutex<Answer>,
    asked: AtomicUsize,
}

/// What it answers.
#[derive(Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl KeyServer {
    /// Publishes these keys.
    pub fn with(keys: &[Value], cache_control: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/jwks", listener.local_addr().unwrap());
        let state = Arc::new(State { answer: Mutex::new(keys_as(keys, cache_control)), asked: AtomicUsize::new(0) });
        let data = Data::from(Arc::clone(&state));
        let app = move || App::new().app_data(data.clone()).default_service(web::to(answer));
        tokio::spawn(HttpServer::new(app).workers(1).disable_signals().listen(listener).unwrap().run());
        Self { url, state }
    }

    /// Publishes these keys from now on.
    pub fn publish(&self, keys: &[Value], cache_control: &str) {
        self.say(keys_as(keys, cache_control));
    }

    /// Answers this from now on.
    pub fn say(&self, answer: Answer) {
        *self.state.answer.lock().unwrap() = answer;
    }

    /// How often it was asked.
    pub fn asked(&self) -> usize {
        self.state.asked.load(Ordering::SeqCst)
    }
}

fn keys_as(keys: &[Value], cache_control: &str) -> Answer {
    let headers = vec![("cache-control", cache_control.to_owned())];
    Answer { status: 200, headers, body: json!({ "keys": keys }).to_string() }
}

async fn answer(state: Data<State>) -> HttpResponse {
    state.asked.fetch_add(1, Ordering::SeqCst);
    let answer = state.answer.lock().unwrap().clone();
    let mut response = HttpResponse::build(actix_web::http::StatusCode::from_u16(answer.status).unwrap());
    for (name, value) in answer.headers {
        response.insert_header((name, value));
    }
    response.body(answer.body)
}
