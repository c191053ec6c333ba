//! Concerns about members, and the people who are told of them.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use jiff::SignedDuration;
use mostik::app;
use mostik::config::Config;
use mostik::enrolment::credentials::{CONCERNS_DISCLOSE, CONCERNS_MANAGE, create_api_key};
use mostik::safety::AlarmSender;
use reqwest::Method;
use serde_json::{Value, json};

use super::bridge::{TestBridge, forum};
use super::database::Database;
use super::http::{self, Got};
use super::postbox::{Letter, Postbox, SECRET};

/// An event about PHQ-9 whose item 9 is above zero.
pub fn worrying(id: &str, handle: &str) -> Value {
    phq9(id, handle, 1)
}

/// An event about PHQ-9 with this answer to item 9, and zero to everything else.
pub fn phq9(id: &str, handle: &str, item_9: u8) -> Value {
    let codes = ["44250-9", "44255-8", "44259-0", "44254-1", "44251-7", "44258-2", "44252-5", "44253-3"];
    let mut answers: Value = codes.iter().map(|code| ((*code).to_owned(), json!(0))).collect();
    answers["44260-8"] = json!(item_9);
    json!({
        "specversion": "1.0", "id": id, "source": "/test", "type": "mostik.questionnaire.v1",
        "time": "2026-11-20T11:00:00+01:00", "subject": handle,
        "data": {"instrument": "phq-9", "answers": answers},
    })
}

/// A file with a secret.
pub fn secret_file(database: &Database) -> String {
    let secret = database.folder.path().join("concerns.secret");
    fs::write(&secret, SECRET).unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    secret.display().to_string()
}

/// The settings with which the forum has people who are told at this postbox, and after so long the same again.
pub fn watched(database: &Database, first: &Postbox, escalate_after: &str) -> String {
    watched_at(database, &first.url, escalate_after)
}

/// The same, at any address.
pub fn watched_at(database: &Database, url: &str, escalate_after: &str) -> String {
    format!(
        "[communities.forum.safety]\nescalate_after = {escalate_after:?}\n[communities.forum.safety.first]\n\
         method = \"webhook\"\nurl = {url:?}\nsecret_file = {:?}\nnames_member = true\n",
        secret_file(database)
    )
}

/// A second level, at another postbox, which is not the community's own.
pub fn on_duty(database: &Database, second: &Postbox) -> String {
    let secret = secret_file(database);
    let url = &second.url;
    format!("[communities.forum.safety.second]\nmethod = \"webhook\"\nurl = {url:?}\nsecret_file = {secret:?}\n")
}

/// Two levels, with two of the second who may decide that a clinic is told without consent: ada and bo.
pub fn with_ada(database: &Database, first: &Postbox, second: &Postbox) -> String {
    let first =
        watched(database, first, "PT15M").replace("escalate_after", "deciders = [\"ada\", \"bo\"]\nescalate_after");
    first + &on_duty(database, second)
}

/// A policy under which riverside may be told without consent.
pub const POLICY: &str = "[clinics.riverside.warnings]\npurpose = \"ETREAT\"\n[clinics.riverside.warnings.legal_basis]\n\
                          en = \"A law that allows it in an emergency\"\nru = \"Закон об экстренных случаях\"\n";

/// Why ada decides so.
pub const REASON: &str = "canary-reason: says goodbye and does not answer";

/// What a postbox was told of concerns.
pub fn alarms(postbox: &Postbox) -> Vec<Letter> {
    postbox.letters().into_iter().filter(|letter| letter.json["type"] == "mostik.concern.v1").collect()
}

/// The people of the forum who look after others.
pub struct Keepers<'a> {
    pub bridge: &'a TestBridge,
    pub key: String,
    /// The key of those of them who may decide that a clinic is told without consent.
    pub decider: String,
    pub sender: AlarmSender,
}

impl<'a> Keepers<'a> {
    pub async fn of(bridge: &'a TestBridge) -> Self {
        let mut tx = bridge.bridge.store.begin().await.unwrap();
        let keyring = &bridge.bridge.keyring;
        let key = create_api_key(&mut tx, keyring, &forum(), CONCERNS_MANAGE, bridge.now()).await.unwrap();
        let decider = create_api_key(&mut tx, keyring, &forum(), CONCERNS_DISCLOSE, bridge.now()).await.unwrap();
        tx.commit().await.unwrap();
        let sender = app::alarm_sender(&Config::from_toml(&bridge.config).unwrap(), &bridge.bridge).unwrap();
        Self { bridge, key: key.secret, decider: decider.secret, sender }
    }

    /// Tells everybody who is due at the present time.
    pub async fn told(&self) {
        while self.sender.tell_one().await.unwrap() {}
    }

    /// The same, once so much time has passed.
    pub async fn told_after(&self, time: SignedDuration) {
        self.bridge.clock.advance(time);
        self.told().await;
    }

    /// The concerns that are not closed.
    pub async fn open(&self) -> Vec<Value> {
        self.listed("/v1/concerns").await
    }

    pub async fn listed(&self, path: &str) -> Vec<Value> {
        let got = http::call(Method::GET, &format!("{}{path}", self.bridge.api), Some(&self.key), None).await;
        assert_eq!(got.status, 200, "{:?}", got.json);
        got.json["concerns"].as_array().unwrap().clone()
    }

    /// Somebody acknowledges or closes a concern.
    pub async fn settle(&self, concern: &Value, how: &str, by: &str) -> Got {
        let url = format!("{}/v1/concerns/{}/{how}", self.bridge.api, concern["id"].as_str().unwrap());
        http::call(Method::POST, &url, Some(&self.key), Some(&json!({"by": by}))).await
    }

    /// Somebody decides that the member's clinics are told without consent.
    pub async fn disclose(&self, concern: &Value, by: &str, reason: &str) -> Got {
        let url = format!("{}/v1/concerns/{}/disclose", self.bridge.api, concern["id"].as_str().unwrap());
        http::call(Method::POST, &url, Some(&self.decider), Some(&json!({"by": by, "reason": reason}))).await
    }
}
