//! An app of one's own, which signs what it brings and hears what members are told.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::audit;
use crate::support::bridge::{NOON, TestBridge, config_text};
use crate::support::database::Database;
use crate::support::http::{self, Got};
use crate::support::postbox::SECRET;
use crate::support::receiver::{PORTAL, Receiver, Telling, any_time};
use crate::support::recommendations::said;

/// The settings of a forum that is an app, and hears at `hook` what members are told.
fn settings(database: &Database, hook: Option<&str>) -> String {
    let secret = database.secret_file("app.secret", SECRET);
    let url = hook.map_or_else(String::new, |hook| format!("url = {hook:?}\n"));
    format!(
        "[communities.forum.connector]\nplatform = \"webhook\"\nsecret_file = {secret:?}\n{url}\
         [communities.forum.messages]\nmethod = \"connector\"\n"
    )
}

struct App {
    bridge: TestBridge,
    brought: usize,
}

impl App {
    async fn open(database: Database) -> Self {
        let text = config_text(&database, "http://127.0.0.1:9/fhir", "127.0.0.1:0");
        let text = text.replace("[server]\n", &format!("[server]\npublic_url = {PORTAL:?}\n"));
        let text = text + &settings(&database, None);
        Self { bridge: TestBridge::start_with(database, &text).await, brought: 0 }
    }

    /// Brings something under an id, signed with this secret at this time.
    async fn bring(&self, secret: &str, id: &str, at: Timestamp, body: &str) -> Got {
        let seconds = at.as_second();
        let request = http::client().post(format!("{}/connectors/forum/", self.bridge.api));
        let request = request.header("webhook-id", id).header("webhook-timestamp", seconds);
        let request = request.header("webhook-signature", signature(secret, id, seconds, body)).body(body.to_owned());
        Got::read(request.send().await.unwrap()).await
    }

    /// Brings something under an id, as agreed.
    async fn brings(&self, id: &str, kind: &str, data: Value) -> Value {
        let body = json!({"type": kind, "timestamp": self.bridge.now().to_string(), "data": data});
        assert_valid(include_str!("../../../schemas/connector/brought.v1.json"), &body);
        let got = self.bring(SECRET, id, self.bridge.now(), &body.to_string()).await;
        assert_eq!(got.status, 200, "{:?}", got.json);
        assert_valid(include_str!("../../../schemas/connector/answer.v1.json"), &got.json);
        got.json["answer"].clone()
    }

    /// What sparrow is answered.
    async fn says(&mut self, said: &str) -> Value {
        self.brought += 1;
        self.brings(&format!("m{}", self.brought), "mostik.said.v1", json!({"handle": "sparrow", "said": said})).await
    }
}

fn signature(secret: &str, id: &str, seconds: i64, body: &str) -> String {
    let key = BASE64.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), format!("{id}.{seconds}.{body}").as_bytes());
    format!("v1,{}", BASE64.encode(tag))
}

fn assert_valid(schema: &str, shape: &Value) {
    let schema = serde_json::from_str(schema).unwrap();
    let found: Vec<String> =
        jsonschema::validator_for(&schema).unwrap().iter_errors(shape).map(|it| it.to_string()).collect();
    assert_eq!(found, [""; 0], "{shape}");
}

fn text(answer: &Value) -> &str {
    answer["text"].as_str().unwrap()
}

on_both_databases! {
    async fn somebody_joins_and_checks_in_in_an_app_by_words_and_buttons(database) {
        let mut app = App::open(database).await;
        assert!(text(&app.says("hello").await).contains("no therapist"));
        app.says("yes").await;
        let asked = app.says("mood").await;
        let four = asked["buttons"].as_array().unwrap().iter().find(|button| button["words"] == "4").unwrap();
        let pressed = json!({"handle": "sparrow", "pressed": four["value"], "language": "ru"});
        let kept = app.brings("p1", "mostik.said.v1", pressed.clone()).await;
        assert!(text(&kept).contains("Хранить"), "{kept}");
        let again = app.brings("p1", "mostik.said.v1", pressed).await;
        assert_eq!((&again["id"], text(&again)), (&kept["id"], text(&kept)), "brought again");
        app.says("keep it").await;
        assert_eq!(app.bridge.database.count("readings").await, 1);
        assert_eq!(audit::wrong(&app.bridge).await, Vec::<String>::new());
    }
}

on_both_databases! {
    async fn what_happens_in_the_apps_rooms_is_counted_once_and_what_is_taken_back_is_not(database) {
        let app = App::open(database).await;
        let person = app.bridge.person("sparrow", "patient").await;
        app.bridge.grant(&person, &["community"]).await;
        let happened = json!({"handle": "sparrow", "deed": "posted"});
        for (id, rows) in [("e1", 1), ("e1", 1), ("e2", 2)] {
            app.brings(id, "mostik.happened.v1", happened.clone()).await;
            assert_eq!(app.bridge.database.count("readings").await, rows, "{id}");
        }
        app.brings("e3", "mostik.undone.v1", json!({"handle": "sparrow", "id": "e1"})).await;
        assert_eq!(app.bridge.database.count("readings").await, 1);
    }
}

on_both_databases! {
    async fn whoever_does_not_sign_as_agreed_says_nothing(database) {
        let app = App::open(database).await;
        let (now, minutes) = (app.bridge.now(), jiff::SignedDuration::from_mins(6));
        let body = json!({"type": "mostik.said.v1", "timestamp": now.to_string(), "data": {"handle": "sparrow", "said": "yes"}});
        let body = body.to_string();
        let other = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
        for (secret, at) in [(other, now), (SECRET, now - minutes), (SECRET, now + minutes)] {
            assert_eq!(app.bring(secret, "m1", at, &body).await.status, 401);
        }
        let bare = http::client().post(format!("{}/connectors/forum/", app.bridge.api)).body(body.clone());
        assert_eq!(bare.send().await.unwrap().status(), 401);
        assert_eq!(app.bridge.database.count("members").await, 0);
        assert_eq!(app.bring(SECRET, "m1", now, &body).await.status, 200);
        for wrong in ["{}", r#"{"type":"mostik.said.v1","timestamp":"2026-11-20T12:00:00Z","data":{"handle":"a"}}"#] {
            assert_eq!(app.bring(SECRET, "m2", now, wrong).await.status, 400, "{wrong}");
        }
    }
}

on_both_databases! {
    async fn the_app_hears_signed_what_its_members_are_to_be_told(database) {
        let Some(receiver) = Receiver::open().await else { return };
        let ways = settings(&database, Some(&receiver.hook));
        let telling = Telling::open(database, &ways, NOON.parse().unwrap()).await;
        let sparrow = telling.member("sparrow", "notice", any_time()).await;
        telling.comes(&sparrow, &said("Walk half an hour")).await;
        telling.tell().await;
        assert_eq!(receiver.ways().await, [("hook".to_owned(), 200)], "the signature is good");
        let told = receiver.last().await;
        assert!(told.to_string().contains("sparrow") && !told.to_string().contains("Walk"), "{told}");
    }
}
