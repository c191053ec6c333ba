//! A forum of Discourse, as far as the bridge's account and its webhooks see it: after Discourse's own source (`posts_controller.rb`,
//! `web_hook_post_serializer.rb`, `topics_controller.rb`). There are more fields than the bridge looks at.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use actix_web::web::{Data, Json, Path};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use aws_lc_rs::hmac;
use serde_json::{Value, json};

use super::bridge::TestBridge;
use super::database::Database;
use super::http::{self, Got};

/// The secret of Discourse's own test vector.
pub const SECRET: &str = "my_lovely_secret_for_web_hook";
const KEY: &str = "0f5a2b";
const ACCOUNT: &str = "bridge";

/// The category that is counted, and in which posts stand.
pub const CATEGORY: i64 = 5;

#[derive(Default)]
struct Inside {
    /// Topics with who takes part.
    topics: BTreeMap<i64, Vec<String>>,
    /// What the account wrote, in order.
    written: Vec<Value>,
    /// Whether the next answers are lost on the way.
    loses: usize,
}

/// A forum.
#[derive(Clone)]
pub struct Discourse {
    url: String,
    inside: Arc<Mutex<Inside>>,
}

/// A private message in a topic.
#[derive(Clone, Copy)]
pub struct Place {
    pub topic: i64,
    pub post: i64,
    pub number: i64,
}

impl Discourse {
    pub fn open() -> Self {
        let inside: Arc<Mutex<Inside>> = Arc::default();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Data::from(Arc::clone(&inside));
        let server = move || {
            App::new()
                .app_data(shared.clone())
                .route("/posts.json", web::post().to(write))
                .route("/posts/{id}/replies.json", web::get().to(replies))
                .route("/t/external_id/{id}.json", web::get().to(by_external_id))
                .route("/t/{id}.json", web::get().to(topic))
        };
        tokio::spawn(HttpServer::new(server).workers(1).disable_signals().listen(listener).unwrap().run());
        Self { url, inside }
    }

    /// The settings of a community whose forum it is.
    pub fn settings(&self, database: &Database, community: &str) -> String {
        let (key, secret) = (database.secret_file("api-key", KEY), database.secret_file("hook-secret", SECRET));
        format!(
            "[communities.{community}.connector]\nplatform = \"discourse\"\nurl = {:?}\naccount = {ACCOUNT:?}\napi_key_file = {key:?}\n\
             secret_file = {secret:?}\ncounted = [{CATEGORY}]\n[communities.{community}.messages]\nmethod = \"connector\"\n",
            self.url
        )
    }

    /// The answers to the next things that the account writes are lost.
    pub fn loses(&self, answers: usize) {
        self.inside.lock().unwrap().loses = answers;
    }

    /// What the account wrote.
    pub fn written(&self) -> Vec<Value> {
        self.inside.lock().unwrap().written.clone()
    }

    /// Brings a webhook, signed.
    pub async fn bring(&self, bridge: &TestBridge, community: &str, event: &str, body: &Value) -> Got {
        let body = body.to_string();
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), body.as_bytes());
        let signature = format!("sha256={}", hex::encode(signature));
        hook(&format!("{}/connectors/{community}/", bridge.api), event, &signature, body).await
    }

    /// Somebody writes in a private topic in which these take part; nobody, where it was made public since.
    pub fn private(&self, author: &str, text: &str, place: Place, who: &[&str]) -> Value {
        let who = who.iter().map(|name| (*name).to_owned()).collect();
        self.inside.lock().unwrap().topics.insert(place.topic, who);
        post(author, text, place, "private_message", None)
    }
}

/// Brings a webhook with this signature.
pub async fn hook(url: &str, event: &str, signature: &str, body: String) -> Got {
    let request = http::client().post(url).header("content-type", "application/json");
    let request = request.header("X-Discourse-Event", event).header("X-Discourse-Event-Type", "post");
    Got::read(request.header("X-Discourse-Event-Signature", signature).body(body).send().await.unwrap()).await
}

/// A webhook of a post.
pub fn post(author: &str, text: &str, place: Place, archetype: &str, answers: Option<&str>) -> Value {
    let Place { topic, post, number } = place;
    let mut post = json!({
        "id": post, "name": "S.", "username": author, "avatar_template": "/letter/s.png", "created_at": "2026-11-02T11:00:00.000Z",
        "cooked": format!("<p>{text}</p>"), "post_number": number, "post_type": 1, "updated_at": "2026-11-02T11:00:00.000Z",
        "reply_count": 0, "reply_to_post_number": null, "topic_id": topic, "topic_slug": "hi", "version": 1, "raw": text,
        "user_id": 17, "hidden": false, "deleted_at": null, "topic_posts_count": 2, "topic_archetype": archetype,
        "category_id": if archetype == "private_message" { Value::Null } else { json!(CATEGORY) },
    });
    if let Some(whom) = answers {
        post["reply_to_post_number"] = json!(number - 1);
        post["reply_to_user"] = json!({"id": 3, "username": whom, "name": "W.", "avatar_template": "/letter/w.png"});
    }
    json!({"post": post})
}

fn admits(request: &HttpRequest) {
    let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    assert_eq!((header("api-key").as_deref(), header("api-username").as_deref()), (Some(KEY), Some(ACCOUNT)));
}

async fn write(inside: Data<Mutex<Inside>>, request: HttpRequest, body: Json<Value>) -> HttpResponse {
    admits(&request);
    let mut inside = inside.lock().unwrap();
    let body = body.into_inner();
    if body["target_recipients"] == "nobody" {
        let wrong = "You must select a valid recipient for your message.";
        return HttpResponse::UnprocessableEntity().json(json!({"action": "create_post", "errors": [wrong]}));
    }
    let is_there = |it: &Value| it["external_id"].is_string() && it["external_id"] == body["external_id"];
    if inside.written.iter().any(is_there) {
        let wrong = "External has already been taken";
        return HttpResponse::UnprocessableEntity().json(json!({"action": "create_post", "errors": [wrong]}));
    }
    inside.written.push(body);
    if inside.loses > 0 {
        inside.loses -= 1;
        return HttpResponse::BadGateway().finish();
    }
    HttpResponse::Ok().json(json!({"id": 900 + inside.written.len(), "topic_id": 1, "username": ACCOUNT}))
}

async fn replies(inside: Data<Mutex<Inside>>, request: HttpRequest, post: Path<i64>) -> HttpResponse {
    admits(&request);
    // The number of a post is its id here, so that what answers it is found.
    let answers = |it: &&Value| it["reply_to_post_number"] == json!(post.to_string());
    let inside = inside.lock().unwrap();
    let found: Vec<Value> =
        inside.written.iter().filter(answers).map(|_| json!({"id": 1, "username": ACCOUNT})).collect();
    HttpResponse::Ok().json(found)
}

async fn topic(inside: Data<Mutex<Inside>>, request: HttpRequest, topic: Path<i64>) -> HttpResponse {
    admits(&request);
    let inside = inside.lock().unwrap();
    let Some(who) = inside.topics.get(&topic) else { return HttpResponse::NotFound().finish() };
    if who.is_empty() {
        return HttpResponse::Ok().json(json!({"id": *topic, "archetype": "regular", "details": {}}));
    }
    let who: Vec<Value> = who.iter().map(|name| json!({"id": 1, "username": name, "name": ""})).collect();
    HttpResponse::Ok().json(
        json!({"id": *topic, "archetype": "private_message", "details": {"allowed_users": who, "allowed_groups": []}}),
    )
}

async fn by_external_id(inside: Data<Mutex<Inside>>, request: HttpRequest, id: Path<String>) -> HttpResponse {
    admits(&request);
    let found = inside.lock().unwrap().written.iter().any(|it| it["external_id"] == json!(*id));
    if found {
        HttpResponse::Found().insert_header(("location", "/t/hi/1.json")).finish()
    } else {
        HttpResponse::NotFound().finish()
    }
}
