//! A sandbox behind a front: what it says that it can do is changed on the way out, what it is told on the way in, and what it
//! was told by operations is kept for the test to see.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use reqwest::Method;
use serde_json::{Value, json};

use super::ehr::Ehr;
use super::http;

/// What a front does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Does {
    /// It passes everything on.
    Nothing,
    /// It has the operations of Argonaut Scheduling, says so as their guide does, and has no writes of Appointments.
    Argonaut,
    /// It keeps no identifiers that others give to what it holds by operations, or to its Slots.
    KeepsNoMark,
    /// The same, and it takes no transactions.
    KeepsNoMarkByTurns,
    /// It lets nobody change a `DocumentReference`, and says so.
    KeepsDocuments,
}

/// The front, running.
pub struct Front {
    /// Where the bridge sees it.
    pub base: String,
    state: Arc<State>,
}

struct State {
    does: Does,
    sandbox: String,
    client: reqwest::Client,
    told: Mutex<Vec<(String, Value)>>,
}

impl Front {
    /// Before this sandbox.
    pub fn before(ehr: &Ehr, does: Does) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}/fhir", listener.local_addr().unwrap());
        let (sandbox, client, told) = (ehr.base.clone(), http::client(), Mutex::default());
        let state = Arc::new(State { does, sandbox, client, told });
        let data = Data::from(Arc::clone(&state));
        let app = move || {
            App::new()
                .app_data(data.clone())
                .route("/fhir/metadata", web::get().to(metadata))
                .default_service(web::to(pass_on))
        };
        tokio::spawn(HttpServer::new(app).workers(1).disable_signals().listen(listener).unwrap().run());
        Self { base, state }
    }

    /// What was asked by operations and patches: the method and the path, and the body.
    pub fn told(&self) -> Vec<(String, Value)> {
        self.state.told.lock().unwrap().clone()
    }
}

async fn metadata(state: Data<State>) -> HttpResponse {
    let mut statement = http::call(Method::GET, &format!("{}/metadata", state.sandbox), None, None).await.json;
    if state.does == Does::Argonaut {
        let rest = &mut statement["rest"][0];
        let operation = |name: &str| {
            let guide = "http://fhir.org/guides/argonaut-scheduling/OperationDefinition";
            json!({"name": name, "definition": format!("{guide}/appointment-{name}")})
        };
        rest["operation"] = ["find", "hold", "book"].map(operation).into();
        let resources = rest["resource"].as_array_mut().unwrap();
        let appointments = resources.iter_mut().find(|resource| resource["type"] == "Appointment").unwrap();
        appointments["operation"] = json!([]);
        appointments["interaction"] = json!([{"code": "read"}, {"code": "search-type"}, {"code": "patch"}]);
    }
    if state.does == Does::KeepsDocuments {
        let resources = statement["rest"][0]["resource"].as_array_mut().unwrap();
        let documents = resources.iter_mut().find(|resource| resource["type"] == "DocumentReference").unwrap();
        documents["interaction"] = json!([{"code": "read"}, {"code": "search-type"}, {"code": "create"}]);
    }
    if state.does == Does::KeepsNoMarkByTurns {
        statement["rest"][0]["interaction"] = json!([]);
    }
    HttpResponse::Ok().content_type("application/fhir+json").body(statement.to_string())
}

async fn pass_on(state: Data<State>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let path = request.uri().path_and_query().unwrap().as_str().strip_prefix("/fhir").unwrap().to_owned();
    let method = Method::from_bytes(request.method().as_str().as_bytes()).unwrap();
    if state.does == Does::KeepsDocuments && method == Method::PUT && path.starts_with("/DocumentReference") {
        return HttpResponse::MethodNotAllowed().finish();
    }
    let mut said: Option<Value> = serde_json::from_slice(&body).ok();
    if let Some(said) = &said
        && (path.contains('$') || method == Method::PATCH)
    {
        state.told.lock().unwrap().push((format!("{method} {path}"), said.clone()));
    }
    if let Some(said) = said.as_mut().filter(|_| matches!(state.does, Does::KeepsNoMark | Does::KeepsNoMarkByTurns)) {
        let is_slot = said["resourceType"] == "Slot";
        let whole = if is_slot { "" } else { "/entry/0/resource" };
        for place in ["/parameter/0/valueReference", "/parameter/0/resource", whole] {
            if let Some(marked) = said.pointer_mut(place).and_then(Value::as_object_mut) {
                marked.remove("identifier");
            }
        }
    }
    let body = said.map_or_else(|| body.to_vec(), |said| said.to_string().into_bytes());
    let mut asked = state.client.request(method, format!("{}{path}", state.sandbox)).body(body);
    for name in ["content-type", "accept", "prefer", "if-match", "if-none-exist"] {
        if let Some(value) = request.headers().get(name) {
            asked = asked.header(name, value.to_str().unwrap());
        }
    }
    // An answer that the sandbox loses is lost by the front.
    let Ok(got) = asked.send().await else {
        let broken = futures_util::stream::once(async { Err::<Bytes, _>(std::io::Error::other("lost")) });
        return HttpResponse::Ok().streaming(broken);
    };
    let mut answer = HttpResponse::build(StatusCode::from_u16(got.status().as_u16()).unwrap());
    for name in ["content-type", "location", "etag", "last-modified", "date"] {
        if let Some(value) = got.headers().get(name) {
            answer.insert_header((name, value.to_str().unwrap()));
        }
    }
    answer.body(got.bytes().await.unwrap())
}
