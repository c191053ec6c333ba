//! A community's platform, as far as it takes messages for its members.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use actix_web::web::{Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use serde_json::Value;

/// What it signs with.
pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A request that came.
#[derive(Clone, Debug)]
pub struct Letter {
    pub headers: Vec<(String, String)>,
    pub raw: String,
    pub json: Value,
}

impl Letter {
    pub fn header(&self, name: &str) -> &str {
        &self.headers.iter().find(|(found, _)| found == name).unwrap().1
    }

    /// The link in it.
    pub fn link(&self) -> String {
        self.json["data"]["url"].as_str().unwrap().to_owned()
    }
}

#[derive(Default)]
struct Inside {
    letters: Vec<Letter>,
    answers: Vec<u16>,
}

/// Takes whatever comes.
#[derive(Clone)]
pub struct Postbox {
    pub url: String,
    inside: Arc<Mutex<Inside>>,
}

impl Postbox {
    pub fn open() -> Self {
        let inside = Arc::new(Mutex::new(Inside::default()));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let shared = Data::from(Arc::clone(&inside));
        let server = HttpServer::new(move || App::new().app_data(shared.clone()).default_service(web::to(take)));
        tokio::spawn(server.workers(1).disable_signals().listen(listener).unwrap().run());
        Self { url, inside }
    }

    /// How the next requests are answered, the last of these first; 200 otherwise.
    pub fn will_answer(&self, answers: &[u16]) {
        self.inside.lock().unwrap().answers = answers.to_vec();
    }

    pub fn letters(&self) -> Vec<Letter> {
        self.inside.lock().unwrap().letters.clone()
    }
}

async fn take(inside: Data<Mutex<Inside>>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let headers = request.headers().iter();
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    let raw = String::from_utf8(body.to_vec()).unwrap();
    let letter = Letter { headers, json: serde_json::from_str(&raw).unwrap(), raw };
    let mut inside = inside.lock().unwrap();
    let status = inside.answers.pop().unwrap_or(200);
    inside.letters.push(letter);
    HttpResponse::build(status.try_into().unwrap()).finish()
}
