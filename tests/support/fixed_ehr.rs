//! An EHR that answers every search with the same page, whoever asks for what.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use serde_json::{Value, json};

/// An EHR that knows Tasks and nothing else.
pub struct FixedEhr {
    pub base: String,
    asked: Arc<AtomicUsize>,
    written: Arc<Mutex<Vec<Value>>>,
}

impl FixedEhr {
    /// It answers with this page.
    pub fn start(page: &Value) -> Self {
        Self::that_takes(&[], page)
    }

    /// The same, and it lets these types be created, and none be changed.
    pub fn that_takes(types: &[&str], page: &Value) -> Self {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let base = format!("http://{}/fhir", listener.local_addr().unwrap());
        let asked = Arc::new(AtomicUsize::new(0));
        let written = Arc::<Mutex<Vec<Value>>>::default();
        let (page, counted, kept) = (page.to_string(), Arc::clone(&asked), Arc::clone(&written));
        let statement = statement(types);
        let answer = move |request: HttpRequest, body: String| {
            let is_metadata = request.path().ends_with("/metadata");
            counted.fetch_add(usize::from(!is_metadata), Ordering::Relaxed);
            let location = request.path().to_owned();
            let answer = if let Ok(resource) = serde_json::from_str(&body) {
                kept.lock().unwrap().push(resource);
                HttpResponse::Created().insert_header(("location", format!("{location}/1/_history/1"))).finish()
            } else {
                let body = if is_metadata { statement.clone() } else { page.clone() };
                HttpResponse::Ok().content_type("application/fhir+json").body(body)
            };
            async move { answer }
        };
        let server = HttpServer::new(move || App::new().default_service(web::to(answer.clone())));
        tokio::spawn(server.workers(1).disable_signals().listen(listener).unwrap().run());
        Self { base, asked, written }
    }

    /// How often it was asked for anything but what it can do.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    /// What was created.
    pub fn written(&self) -> Vec<Value> {
        self.written.lock().unwrap().clone()
    }
}

fn statement(types: &[&str]) -> String {
    let codes = |codes: &[&str]| codes.iter().map(|code| json!({"code": code})).collect::<Value>();
    let tasks = json!({"type": "Task", "interaction": codes(&["search-type", "read"])});
    let others = types.iter().map(|name| json!({"type": name, "interaction": codes(&["create", "search-type"])}));
    let resources: Value = std::iter::once(tasks).chain(others).collect();
    let rest = json!([{"mode": "server", "resource": resources}]);
    json!({"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": rest}).to_string()
}
