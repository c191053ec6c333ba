//! An EHR with a topic, and with `$status` and `$events` as the Subscriptions R5 Backport has them (1.1, on R4): the sandbox, with
//! these put before it. It never notifies anybody: the test does.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use serde_json::{Value, json};

use super::ehr::Ehr;
use super::http;

/// The topic that it offers.
pub const TOPIC: &str = "https://topics.example/tasks";

/// The running EHR.
pub struct TopicEhr {
    /// Where the bridge sees it.
    pub base: String,
    state: Arc<State>,
}

struct State {
    /// Where the sandbox is.
    sandbox: String,
    client: reqwest::Client,
    tells_events: bool,
    /// The events that it still knows.
    events: Mutex<Vec<(i64, String)>>,
    /// The query of each request for events.
    asked: Mutex<Vec<String>>,
}

impl TopicEhr {
    /// Before this sandbox; it may tell what events were about.
    pub fn before(ehr: &Ehr, tells_events: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}/fhir", listener.local_addr().unwrap());
        let (sandbox, client) = (ehr.base.clone(), http::client());
        let (events, asked) = (Mutex::default(), Mutex::default());
        let state = Arc::new(State { sandbox, client, tells_events, events, asked });
        let data = Data::from(Arc::clone(&state));
        let app = move || {
            App::new()
                .app_data(data.clone())
                .route("/fhir/metadata", web::get().to(metadata))
                .route("/fhir/Subscription/{id}/$status", web::get().to(status))
                .route("/fhir/Subscription/{id}/$events", web::get().to(events_of))
                .default_service(web::to(pass_on))
        };
        tokio::spawn(HttpServer::new(app).workers(1).disable_signals().listen(listener).unwrap().run());
        Self { base, state }
    }

    /// It knows of these events, each about a resource.
    pub fn knows(&self, events: &[(i64, &str)]) {
        let known = events.iter().map(|(number, focus)| (*number, (*focus).to_owned()));
        self.state.events.lock().unwrap().extend(known);
    }

    /// What it was asked about events: the queries.
    pub fn asked(&self) -> Vec<String> {
        self.state.asked.lock().unwrap().clone()
    }
}

async fn ask(state: &State, path: &str) -> Value {
    http::call(reqwest::Method::GET, &format!("{}{path}", state.sandbox), None, None).await.json
}

async fn metadata(state: Data<State>) -> HttpResponse {
    const NAMES_TOPIC: &str = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/\
                               capabilitystatement-subscriptiontopic-canonical";
    let mut statement = ask(&state, "/metadata").await;
    let resources = statement["rest"][0]["resource"].as_array_mut().unwrap();
    let of_subscriptions = resources.iter_mut().find(|resource| resource["type"] == "Subscription").unwrap();
    of_subscriptions["extension"] = json!([{"url": NAMES_TOPIC, "valueCanonical": TOPIC}]);
    let operation = |name: &str| {
        let definition =
            format!("http://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition/backport-subscription-{name}");
        json!({"name": name, "definition": definition})
    };
    let more = state.tells_events.then(|| operation("events"));
    of_subscriptions["operation"] = [operation("status")].into_iter().chain(more).collect();
    answer(&statement)
}

async fn status(state: Data<State>, id: web::Path<String>) -> HttpResponse {
    let subscription = ask(&state, &format!("/Subscription/{id}")).await;
    let entry =
        json!({"resource": parameters(&id, "query-status", subscription["status"].as_str().unwrap_or("error"), &[])});
    answer(&json!({"resourceType": "Bundle", "type": "searchset", "entry": [entry]}))
}

async fn events_of(state: Data<State>, id: web::Path<String>, request: HttpRequest) -> HttpResponse {
    state.asked.lock().unwrap().push(request.query_string().to_owned());
    if !state.tells_events {
        return HttpResponse::NotFound().finish();
    }
    let query = reqwest::Url::parse(&format!("http://query/?{}", request.query_string())).unwrap();
    let bound =
        |name: &str| -> i64 { query.query_pairs().find(|(found, _)| found == name).unwrap().1.parse().unwrap() };
    let within = bound("eventsSinceNumber")..=bound("eventsUntilNumber");
    let known = state.events.lock().unwrap().clone();
    let told: Vec<(i64, String)> = known.into_iter().filter(|(number, _)| within.contains(number)).collect();
    let entry = json!({"resource": parameters(&id, "query-event", "active", &told)});
    answer(&json!({"resourceType": "Bundle", "type": "history", "entry": [entry]}))
}

fn parameters(id: &str, kind: &str, status: &str, events: &[(i64, String)]) -> Value {
    let event = |(number, focus): &(i64, String)| {
        json!({"name": "notification-event", "part": [{"name": "event-number", "valueString": number.to_string()},
            {"name": "focus", "valueReference": {"reference": focus}}]})
    };
    let plain = [
        json!({"name": "subscription", "valueReference": {"reference": format!("Subscription/{id}")}}),
        json!({"name": "type", "valueCode": kind}),
        json!({"name": "status", "valueCode": status}),
    ];
    json!({"resourceType": "Parameters", "parameter": plain.into_iter().chain(events.iter().map(event)).collect::<Value>()})
}

fn answer(resource: &Value) -> HttpResponse {
    HttpResponse::Ok().content_type("application/fhir+json").body(resource.to_string())
}

async fn pass_on(state: Data<State>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let path = request.uri().path_and_query().unwrap().as_str().strip_prefix("/fhir").unwrap().to_owned();
    let method = reqwest::Method::from_bytes(request.method().as_str().as_bytes()).unwrap();
    let mut asked = state.client.request(method, format!("{}{path}", state.sandbox)).body(body);
    for name in ["content-type", "accept", "prefer", "if-match", "if-none-exist"] {
        if let Some(value) = request.headers().get(name) {
            asked = asked.header(name, value.to_str().unwrap());
        }
    }
    let got = asked.send().await.unwrap();
    let mut answer = HttpResponse::build(StatusCode::from_u16(got.status().as_u16()).unwrap());
    for name in ["content-type", "location", "etag", "last-modified", "date"] {
        if let Some(value) = got.headers().get(name) {
            answer.insert_header((name, value.to_str().unwrap()));
        }
    }
    answer.body(got.bytes().await.unwrap())
}
