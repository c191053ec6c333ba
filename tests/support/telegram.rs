//! Telegram, as far as a bot knows it: the Bot API that the bridge calls, and the Updates that Telegram sends. Each of its shapes is
//! judged by python-telegram-bot (`tests/tools/receiver.py`), which knows no field that the Bot API does not have.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use actix_web::web::{Data, Json, Path};
use actix_web::{App, HttpResponse, HttpServer, web};
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

use super::bridge::TestBridge;
use super::database::Database;
use super::http::{self, Got};
use super::parts::part;

/// The bot's token.
const TOKEN: &str = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";

/// What Telegram shows with each Update.
pub const SECRET: &str = "agreed_on_with-setWebhook";

/// The group that is counted.
pub const GROUP: i64 = -1_001_234_567_890;

#[derive(Default)]
struct Inside {
    /// What the bot said in each chat: methods and what came with them, in order.
    said: Vec<(String, Value)>,
    /// How the next calls are answered, the last one first; else they are done.
    answers: Vec<(u16, Value)>,
    updates: i64,
    /// Updates for a bot that asks for them, until it asks for later ones.
    kept: Vec<Value>,
}

/// Telegram.
#[derive(Clone)]
pub struct Telegram {
    api: String,
    inside: Arc<Mutex<Inside>>,
}

impl Telegram {
    pub fn open() -> Self {
        let inside = Arc::new(Mutex::new(Inside { updates: 10_000, ..Inside::default() }));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let api = format!("http://{}", listener.local_addr().unwrap());
        let shared = Data::from(Arc::clone(&inside));
        let server = move || App::new().app_data(shared.clone()).route("/bot{token}/{method}", web::post().to(call));
        tokio::spawn(HttpServer::new(server).workers(1).disable_signals().listen(listener).unwrap().run());
        Self { api, inside }
    }

    /// The settings of a community whose members are here.
    pub fn settings(&self, database: &Database, community: &str) -> String {
        let (token, secret) = (database.secret_file("token", TOKEN), database.secret_file("secret", SECRET));
        format!(
            "[communities.{community}.connector]\nplatform = \"telegram\"\ntoken_file = {token:?}\nsecret_file = {secret:?}\n\
             counted = [{GROUP}]\napi = {:?}\n[communities.{community}.messages]\nmethod = \"connector\"\n",
            self.api
        )
    }

    /// The same, for a bot that asks for Updates.
    pub fn quiet_settings(&self, database: &Database, community: &str) -> String {
        let told = self.settings(database, community);
        told.lines().filter(|line| !line.starts_with("secret_file")).collect::<Vec<_>>().join("\n") + "\n"
    }

    /// Keeps an Update until it is asked for.
    pub fn keep(&self, update: Value) {
        self.inside.lock().unwrap().kept.push(update);
    }

    /// How the next call is answered.
    pub fn will_answer(&self, status: u16, with: Value) {
        self.inside.lock().unwrap().answers.push((status, with));
    }

    /// What the bot did, in order.
    pub fn calls(&self) -> Vec<(String, Value)> {
        self.inside.lock().unwrap().said.clone()
    }

    /// What the bot said in a chat, in order.
    pub fn said_to(&self, chat: i64) -> Vec<String> {
        let calls = self.calls().into_iter().filter(|(method, _)| method == "sendMessage");
        let here = calls.filter(|(_, with)| with["chat_id"] == json!(chat.to_string()));
        here.map(|(_, with)| with["text"].as_str().unwrap().to_owned()).collect()
    }

    /// Brings an Update to the bot of a community, and does what the answer wants done.
    pub async fn bring(&self, bridge: &TestBridge, community: &str, update: &Value) -> Got {
        let got = post(&format!("{}/connectors/{community}/", bridge.api), Some(SECRET), update).await;
        if let Some(method) = got.json["method"].as_str() {
            let mut with = got.json.clone();
            with.as_object_mut().unwrap().remove("method");
            self.inside.lock().unwrap().said.push((method.to_owned(), with));
        }
        got
    }

    /// An Update with its own id.
    fn update(&self, name: &str) -> Value {
        let mut inside = self.inside.lock().unwrap();
        inside.updates += 1;
        json!({"update_id": inside.updates, name: null})
    }

    /// Somebody writes to the bot in private.
    pub fn writes(&self, user: i64, text: &str) -> Value {
        let update = self.update("message");
        let id = update["update_id"].clone();
        let message = json!({
            "message_id": id, "date": 1_790_000_000, "text": text, "from": person(user),
            "chat": {"id": user, "type": "private", "first_name": "S"},
        });
        json!({"update_id": update["update_id"], "message": message})
    }

    /// Somebody presses a button of what the bot said last.
    pub fn presses(&self, user: i64, value: &str) -> Value {
        let chat = json!({"id": user, "type": "private", "first_name": "S"});
        let bot = json!({"id": 110_201_543, "is_bot": true, "first_name": "Bridge"});
        let message =
            json!({"message_id": 7, "date": 1_790_000_000, "chat": chat, "from": bot, "text": "How are you?"});
        let mut update = self.update("callback_query");
        let id = format!("4382bfdwdsb323b2d9-{}", update["update_id"]);
        update["callback_query"] =
            json!({"id": id, "from": person(user), "message": message, "chat_instance": "-3", "data": value});
        update
    }

    /// Somebody writes in the group, perhaps to somebody.
    pub fn writes_in_group(&self, user: i64, at: Timestamp, answers: Option<i64>) -> Value {
        let mut update = self.update("message");
        let mut message = json!({
            "message_id": update["update_id"], "date": at.as_second(), "text": "Nobody else's business", "from": person(user),
            "chat": group(),
        });
        if let Some(whom) = answers {
            message["reply_to_message"] = json!({
                "message_id": 5, "date": at.as_second() - 60, "text": "Nor this", "from": person(whom), "chat": group(),
            });
        }
        update["message"] = message;
        update
    }

    /// Somebody reacts in the group, or takes it back.
    pub fn reacts(&self, user: i64, at: Timestamp, takes_back: bool) -> Value {
        let heart = json!([{"type": "emoji", "emoji": "❤"}]);
        let (before, after) = if takes_back { (heart, json!([])) } else { (json!([]), heart) };
        let mut update = self.update("message_reaction");
        update["message_reaction"] = json!({
            "chat": group(), "message_id": 5, "user": person(user), "date": at.as_second(), "old_reaction": before,
            "new_reaction": after,
        });
        update
    }
}

/// What of this python-telegram-bot does not know, or misses. Nothing: it is as Telegram sends or takes it.
pub async fn judged(what: &str, shape: &Value) -> Option<Value> {
    let base = part("MOSTIK_TEST_RECEIVER", "a judge of Telegram's shapes")?;
    let got = http::call(Method::POST, &format!("{base}/judge/{what}"), None, Some(shape)).await;
    Some(if got.status == 200 { Value::Null } else { got.json })
}

/// Posts to a connector, with the secret if there is one.
pub async fn post(url: &str, secret: Option<&str>, body: &Value) -> Got {
    let mut request = http::client().post(url).json(body);
    if let Some(secret) = secret {
        request = request.header("X-Telegram-Bot-Api-Secret-Token", secret);
    }
    Got::read(request.send().await.unwrap()).await
}

fn person(id: i64) -> Value {
    json!({"id": id, "is_bot": false, "first_name": "Sparrow", "username": "sparrow", "language_code": "en"})
}

fn group() -> Value {
    json!({"id": GROUP, "type": "supergroup", "title": "Evening circle"})
}

async fn call(inside: Data<Mutex<Inside>>, path: Path<(String, String)>, with: Json<Value>) -> HttpResponse {
    let (token, method) = path.into_inner();
    assert_eq!(token, TOKEN);
    let mut inside = inside.lock().unwrap();
    if let Some((status, answer)) = inside.answers.pop() {
        return HttpResponse::build(status.try_into().unwrap()).json(answer);
    }
    if method == "getUpdates" {
        // "All previous updates will be forgotten."
        if let Some(offset) = with["offset"].as_i64() {
            inside.kept.retain(|update| update["update_id"].as_i64().unwrap() >= offset);
        }
        return HttpResponse::Ok().json(json!({"ok": true, "result": inside.kept}));
    }
    inside.said.push((method, with.into_inner()));
    HttpResponse::Ok().json(json!({"ok": true, "result": true}))
}
