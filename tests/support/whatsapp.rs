//! WhatsApp, as far as a business number knows it: the Graph API that the bridge calls, and the webhooks that Meta sends. Each of
//! its shapes is judged by pywa (`tests/tools/whatsapp.py`), which nobody here wrote.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use actix_web::web::{Data, Json, Path};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use aws_lc_rs::hmac;
use reqwest::Method;
use serde_json::{Value, json};

use super::bridge::TestBridge;
use super::database::Database;
use super::http::{self, Got};
use super::parts::part;

/// The id of the business number.
pub const NUMBER: &str = "106540352242922";

/// What webhooks are signed with.
pub const APP_SECRET: &str = "d41d8cd98f00b204e9800998ecf8427e";

/// What Meta shows when a webhook is set up.
pub const VERIFY_TOKEN: &str = "a_token_of_ours";

const TOKEN: &str = "EAAGm0PX4ZCpsBA";

#[derive(Default)]
struct Inside {
    /// What was sent, in order.
    sent: Vec<Value>,
    /// How the next messages are answered, the last one first; else they are taken.
    answers: Vec<(u16, Value)>,
    messages: u64,
}

/// WhatsApp.
#[derive(Clone)]
pub struct WhatsApp {
    api: String,
    inside: Arc<Mutex<Inside>>,
}

impl WhatsApp {
    pub fn open() -> Self {
        let inside: Arc<Mutex<Inside>> = Arc::default();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let api = format!("http://{}", listener.local_addr().unwrap());
        let shared = Data::from(Arc::clone(&inside));
        let server =
            move || App::new().app_data(shared.clone()).route("/v26.0/{number}/messages", web::post().to(take));
        tokio::spawn(HttpServer::new(server).workers(1).disable_signals().listen(listener).unwrap().run());
        Self { api, inside }
    }

    /// The settings of a community whose members are here.
    pub fn settings(&self, database: &Database, community: &str) -> String {
        let file = |name: &str, secret: &str| database.secret_file(name, secret);
        let (token, secret) = (file("token", TOKEN), file("app-secret", APP_SECRET));
        let verify = file("verify-token", VERIFY_TOKEN);
        format!(
            "[communities.{community}.connector]\nplatform = \"whatsapp\"\nphone_number_id = {NUMBER:?}\ntoken_file = {token:?}\n\
             app_secret_file = {secret:?}\nverify_token_file = {verify:?}\napi = {:?}\n\
             [communities.{community}.connector.templates]\nen = {{ name = \"something_new\", language = \"en_US\" }}\n\
             ru = {{ name = \"something_new\", language = \"ru\" }}\n[communities.{community}.messages]\nmethod = \"connector\"\n",
            self.api
        )
    }

    /// How the next message is answered that the bridge sends: with an error of this code.
    pub fn will_refuse(&self, status: u16, code: i64) {
        let error = json!({
            "message": format!("(#{code}) Something"), "type": "OAuthException", "code": code,
            "error_data": {"messaging_product": "whatsapp", "details": "Something."}, "fbtrace_id": "Az8or2yhqkZfEZ-_4Qn_Bam",
        });
        self.inside.lock().unwrap().answers.push((status, json!({"error": error})));
    }

    /// What was taken, in order.
    pub fn sent(&self) -> Vec<Value> {
        self.inside.lock().unwrap().sent.clone()
    }

    /// A webhook with something that somebody sent: what is in it depends on its kind.
    pub fn sends(&self, user: &str, kind: &str, what: &Value) -> Value {
        let mut inside = self.inside.lock().unwrap();
        inside.messages += 1;
        let number = user.rsplit('.').next().unwrap();
        let id = format!("wamid.HBgLNDkxNTEyMzQ1Njc4FQIAEhgg{}", inside.messages);
        let message = json!({
            "from": number, "from_user_id": user, "id": id, "timestamp": "1790000000", "type": kind, kind: what,
            "context": {"from": "15550783881", "id": "wamid.HBgLNDkxNTEyMzQ1Njc4FQIAERgS"},
        });
        let contact = json!({"profile": {"name": "Sparrow", "username": "sparrow"}, "wa_id": number, "user_id": user});
        webhook(&json!({"contacts": [contact], "messages": [message]}))
    }

    /// Somebody writes.
    pub fn writes(&self, user: &str, text: &str) -> Value {
        self.sends(user, "text", &json!({"body": text}))
    }

    /// Somebody presses a button, or a row of a list.
    pub fn presses(&self, user: &str, value: &str, how: &str) -> Value {
        self.sends(user, "interactive", &json!({"type": how, how: {"id": value, "title": "A title"}}))
    }
}

/// A webhook of this number.
pub fn webhook(what: &Value) -> Value {
    let mut value = json!({
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550783881", "phone_number_id": NUMBER},
    });
    value.as_object_mut().unwrap().extend(what.as_object().unwrap().clone());
    let change = json!({"field": "messages", "value": value});
    json!({"object": "whatsapp_business_account", "entry": [{"id": "102290129340398", "changes": [change]}]})
}

/// What became of something of the bridge's.
pub fn status(user: &str, status: &str, code: Option<i64>) -> Value {
    let errors = code.map(|code| {
        json!([{"code": code, "title": "Message undeliverable", "message": "Message undeliverable",
        "error_data": {"details": "Message Undeliverable."}}])
    });
    let mut status = json!({
        "id": "wamid.HBgLNDkxNTEyMzQ1Njc4FQIAERgS", "status": status, "timestamp": "1790000000",
        "recipient_id": user.rsplit('.').next().unwrap(), "recipient_user_id": user,
    });
    if let Some(errors) = errors {
        status["errors"] = errors;
    }
    let contact = json!({"profile": {"name": "Sparrow"}, "wa_id": user.rsplit('.').next().unwrap(), "user_id": user});
    webhook(&json!({"contacts": [contact], "statuses": [status]}))
}

/// Brings a webhook to a community, signed.
pub async fn bring(bridge: &TestBridge, community: &str, body: &Value) -> Got {
    let body = body.to_string();
    let signature = sign(&body);
    post(&format!("{}/connectors/{community}/", bridge.api), Some(&signature), body).await
}

/// How Meta signs a body.
pub fn sign(body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, APP_SECRET.as_bytes());
    format!("sha256={}", hex::encode(hmac::sign(&key, body.as_bytes())))
}

/// Posts to a connector, with the signature if there is one.
pub async fn post(url: &str, signature: Option<&str>, body: String) -> Got {
    let mut request = http::client().post(url).header("content-type", "application/json").body(body);
    if let Some(signature) = signature {
        request = request.header("X-Hub-Signature-256", signature);
    }
    Got::read(request.send().await.unwrap()).await
}

/// What of this pywa does not know, or misses. Nothing: it is as WhatsApp sends or takes it.
pub async fn judged(what: &str, shape: &Value) -> Option<Value> {
    let base = part("MOSTIK_TEST_RECEIVER", "a judge of WhatsApp's shapes")?;
    let got = http::call(Method::POST, &format!("{base}/judge/{what}"), None, Some(shape)).await;
    Some(if got.status == 200 { got.json } else { json!({"wrong": got.json}) })
}

async fn take(
    inside: Data<Mutex<Inside>>,
    request: HttpRequest,
    path: Path<String>,
    body: Json<Value>,
) -> HttpResponse {
    let credential = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    assert_eq!((path.as_str(), credential), (NUMBER, Some(format!("Bearer {TOKEN}").as_str())));
    let mut inside = inside.lock().unwrap();
    if let Some((status, answer)) = inside.answers.pop() {
        return HttpResponse::build(status.try_into().unwrap()).json(answer);
    }
    let whom = body["recipient"].clone();
    inside.sent.push(body.into_inner());
    let messages = json!([{"id": format!("wamid.{}", inside.sent.len()), "message_status": "accepted"}]);
    HttpResponse::Ok().json(
        json!({"messaging_product": "whatsapp", "contacts": [{"input": whom, "user_id": whom}], "messages": messages}),
    )
}
