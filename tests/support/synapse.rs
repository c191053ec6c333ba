//! A Matrix homeserver that nobody here wrote: Synapse, one for each test, which knows one application service.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use mostik::connectors::matrix::Registration;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpSocket;

use super::bridge::config_text;
use super::database::Database;
use super::http::{Got, client};
use super::parts::part;
use super::portal::PORTAL;
use super::server::moment;

/// Its name.
pub const NAME: &str = "matrix.test";

/// The user of the bridge.
pub const BOT: &str = "@mostik:matrix.test";

/// What the bridge shows, and what the homeserver shows.
const TOKENS: [&str; 2] = ["as-token-of-the-tests", "hs-token-of-the-tests"];

/// How often something is looked for before it is believed never to come.
const PATIENCE: usize = 9000;

/// The configuration of a bridge whose forum is on this homeserver, with these more settings of the connector.
pub fn on_matrix(database: &Database, ehr: &str, synapse: &Synapse, more: &str) -> String {
    let text = config_text(database, ehr, &synapse.bridge) + &synapse.connector(database, more);
    // The homeserver may be slower than the EHRs of the tests.
    let text = text.replace("timeout_seconds = 1\nlease_seconds = 3", "timeout_seconds = 5\nlease_seconds = 15");
    text.replace("[server]\n", &format!("[server]\npublic_url = {PORTAL:?}\n"))
}

/// A running homeserver.
pub struct Synapse {
    pub base: String,
    /// Where it calls its application service, for good: it reads that when it starts.
    pub bridge: String,
    folder: TempDir,
    client: Client,
    child: Option<Child>,
    said: std::sync::atomic::AtomicUsize,
}

/// Somebody with an account there.
#[derive(Clone)]
pub struct User<'a> {
    synapse: &'a Synapse,
    pub id: String,
    token: String,
}

/// A port for whoever is to listen on it later: held until the process of the test ends, so that nobody else is given it
/// before; who listens may take it beside that, as long as they reuse addresses, which servers do.
pub fn free_port() -> u16 {
    let held = TcpSocket::new_v4().unwrap();
    held.set_reuseaddr(true).unwrap();
    held.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let port = held.local_addr().unwrap().port();
    std::mem::forget(held);
    port
}

impl Synapse {
    /// One whose application service answers at this port.
    pub async fn start(bridge: u16) -> Option<Self> {
        let python = part("MOSTIK_TEST_SYNAPSE", "Synapse, a Matrix homeserver")?;
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let bridge = format!("127.0.0.1:{bridge}");
        configure(folder.path(), port, &bridge);
        let log = fs::File::create(folder.path().join("synapse.out")).unwrap();
        // It dies with the test.
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", &python, "-m", "synapse.app.homeserver", "-c", "homeserver.yaml"])
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let (base, said) = (format!("http://127.0.0.1:{port}"), 0.into());
        let mut synapse = Self { base, bridge, folder, client: client(), child: Some(child), said };
        for _ in 0..PATIENCE {
            if synapse.client.get(format!("{}/health", synapse.base)).send().await.is_ok() {
                return Some(synapse);
            }
            let ended = synapse.child.as_mut().and_then(|child| child.try_wait().unwrap());
            assert!(ended.is_none(), "it ended: {}", synapse.last_words());
            moment().await;
        }
        panic!("it does not start: {}", synapse.last_words());
    }

    /// One that does not run.
    pub fn nowhere() -> Self {
        let (base, bridge) = ("http://127.0.0.1:9".to_owned(), "127.0.0.1:0".to_owned());
        Self { base, bridge, folder: tempfile::tempdir().unwrap(), client: client(), child: None, said: 0.into() }
    }

    /// What it said last.
    fn last_words(&self) -> String {
        let said = |name: &str| fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
        format!("{}{}", said("synapse.out"), said("synapse.log"))
    }

    /// The configuration of the forum as a community on this homeserver.
    pub fn connector(&self, database: &Database, more: &str) -> String {
        let folder = database.folder.path();
        let [as_token, hs_token] = ["matrix-as.token", "matrix-hs.token"].map(|name| folder.join(name));
        for (file, token) in [(&as_token, TOKENS[0]), (&hs_token, TOKENS[1])] {
            fs::write(file, token).unwrap();
            fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
        }
        format!(
            "[communities.forum.messages]\nmethod = \"connector\"\n[communities.forum.connector]\nplatform = \"matrix\"\n\
             homeserver = {:?}\nuser = {BOT:?}\nas_token_file = \"{}\"\nhs_token_file = \"{}\"\n{more}\n",
            self.base,
            as_token.display(),
            hs_token.display(),
        )
    }

    /// Somebody opens an account.
    pub async fn user(&self, name: &str) -> User<'_> {
        let body = json!({"username": name, "password": "a long password", "auth": {"type": "m.login.dummy"}});
        let answer = self.call("", Method::POST, "register", Some(&body)).await;
        let text = |name: &str| answer[name].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        User { synapse: self, id: text("user_id"), token: text("access_token") }
    }

    async fn ask(&self, token: &str, method: Method, path: &str, body: Option<&Value>) -> Got {
        let request = self.client.request(method, format!("{}/_matrix/client/v3/{path}", self.base));
        let request = if token.is_empty() { request } else { request.bearer_auth(token) };
        let request = if let Some(body) = body { request.body(body.to_string()) } else { request };
        Got::read(request.send().await.unwrap()).await
    }

    async fn call(&self, token: &str, method: Method, path: &str, body: Option<&Value>) -> Value {
        let got = self.ask(token, method, path, body).await;
        assert_eq!(got.status, 200, "{path}: {}\n{}", got.json, self.last_words());
        got.json
    }
}

impl Drop for Synapse {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl User<'_> {
    /// Calls the homeserver as they do.
    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Value {
        self.synapse.call(&self.token, method, path, body).await
    }

    /// Makes a room; returns its id.
    pub async fn make(&self, room: Value) -> String {
        self.call(Method::POST, "createRoom", Some(&room)).await["room_id"].as_str().unwrap().to_owned()
    }

    /// Begins to talk with the bridge in private, as a client does it.
    pub async fn open(&self) -> String {
        self.make(json!({"preset": "trusted_private_chat", "is_direct": true, "invite": [BOT]})).await
    }

    /// Invites somebody into a room.
    pub async fn invite(&self, room: &str, whom: &str) {
        self.call(Method::POST, &format!("rooms/{room}/invite"), Some(&json!({"user_id": whom}))).await;
    }

    /// Comes into a room.
    pub async fn join(&self, room: &str) {
        self.call(Method::POST, &format!("join/{room}"), Some(&json!({}))).await;
    }

    /// Sends an event; returns its id.
    pub async fn send(&self, room: &str, kind: &str, content: &Value) -> String {
        let number = self.synapse.said.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = format!("rooms/{room}/send/{kind}/{number}");
        self.call(Method::PUT, &path, Some(content)).await["event_id"].as_str().unwrap().to_owned()
    }

    /// Writes something.
    pub async fn say(&self, room: &str, text: &str) -> String {
        self.send(room, "m.room.message", &json!({"msgtype": "m.text", "body": text})).await
    }

    /// Answers an event.
    pub async fn reply(&self, room: &str, to: &str, text: &str) -> String {
        let relation = json!({"m.in_reply_to": {"event_id": to}});
        self.send(room, "m.room.message", &json!({"msgtype": "m.text", "body": text, "m.relates_to": relation})).await
    }

    /// Reacts to an event with a heart.
    pub async fn react(&self, room: &str, to: &str) -> String {
        let relation = json!({"rel_type": "m.annotation", "event_id": to, "key": "\u{2764}"});
        self.send(room, "m.reaction", &json!({"m.relates_to": relation})).await
    }

    /// Takes an event back.
    pub async fn redact(&self, room: &str, event: &str) {
        self.call(Method::PUT, &format!("rooms/{room}/redact/{event}/r{}", &event[1..]), Some(&json!({}))).await;
    }

    /// Everything that stands in a room, in order.
    pub async fn events(&self, room: &str) -> Vec<Value> {
        let page = self.call(Method::GET, &format!("rooms/{room}/messages?dir=b&limit=1000"), None).await;
        page["chunk"].as_array().unwrap().iter().rev().cloned().collect()
    }

    /// What the bridge said in a room, in order.
    pub async fn heard(&self, room: &str) -> Vec<String> {
        let is_said = |event: &&Value| event["type"] == "m.room.message" && event["sender"] == BOT;
        let text = |event: &Value| event["content"]["body"].as_str().unwrap().to_owned();
        self.events(room).await.iter().filter(is_said).map(text).collect()
    }

    /// What the bridge has said in a room as soon as it has said so much.
    pub async fn hears(&self, room: &str, so_much: usize) -> Vec<String> {
        for _ in 0..PATIENCE {
            let heard = self.heard(room).await;
            if heard.len() >= so_much {
                return heard;
            }
            moment().await;
        }
        panic!("it says no more than {:?}\n{}", self.heard(room).await, self.synapse.last_words());
    }

    /// Writes something, and reads what the bridge says to it.
    pub async fn talk(&self, room: &str, text: &str) -> String {
        let before = self.heard(room).await.len();
        self.say(room, text).await;
        self.hears(room, before + 1).await.pop().unwrap()
    }

    /// How somebody stands towards a room: `join`, `invite`, `leave`, or nothing.
    pub async fn membership(&self, room: &str, of: &str) -> String {
        let state = self.call(Method::GET, &format!("rooms/{room}/state"), None).await;
        let state = state.as_array().unwrap().iter().find(|it| it["type"] == "m.room.member" && it["state_key"] == of);
        state.map_or("", |it| it["content"]["membership"].as_str().unwrap()).to_owned()
    }

    /// Waits until somebody stands so towards a room.
    pub async fn sees(&self, room: &str, of: &str, membership: &str) {
        for _ in 0..PATIENCE {
            if self.membership(room, of).await == membership {
                return;
            }
            moment().await;
        }
        panic!("{of} is never {membership}\n{}", self.synapse.last_words());
    }

    /// The rooms that they are invited to, as soon as there is one; the newest last.
    pub async fn invited(&self) -> Vec<String> {
        for _ in 0..PATIENCE {
            let sync = self.call(Method::GET, "sync", None).await;
            if let Some(invited) = sync["rooms"]["invite"].as_object().filter(|it| !it.is_empty()) {
                return invited.keys().cloned().collect();
            }
            moment().await;
        }
        panic!("nobody invites {}\n{}", self.id, self.synapse.last_words());
    }
}

fn configure(folder: &Path, port: u16, bridge: &str) {
    let much = json!({"per_second": 10_000, "burst_count": 10_000});
    let config = json!({
        "server_name": NAME,
        "pid_file": "synapse.pid",
        "report_stats": false,
        "listeners": [{
            "port": port, "bind_addresses": ["127.0.0.1"], "type": "http", "resources": [{"names": ["client"]}],
        }],
        "database": {"name": "sqlite3", "args": {"database": "homeserver.db"}},
        "log_config": "log.yaml",
        "media_store_path": "media",
        "signing_key_path": "signing.key",
        "trusted_key_servers": [],
        "macaroon_secret_key": "of the tests",
        "form_secret": "of the tests",
        "bcrypt_rounds": 4,
        "enable_registration": true,
        "enable_registration_without_verification": true,
        "presence": {"enabled": false},
        "caches": {"sync_response_cache_duration": "0s"},
        "app_service_config_files": ["registration.yaml"],
        "rc_message": much, "rc_registration": much,
        "rc_login": {"address": much, "account": much, "failed_attempts": much},
        "rc_joins": {"local": much, "remote": much}, "rc_joins_per_room": much,
        "rc_invites": {"per_room": much, "per_user": much, "per_issuer": much},
        "rc_room_creation": much,
    });
    let url = format!("http://{bridge}/connectors/forum");
    let [as_token, hs_token] = TOKENS.map(Into::into);
    let registration = Registration { id: "mostik", url: &url, user: BOT, as_token: &as_token, hs_token: &hs_token };
    fs::write(folder.join("registration.yaml"), registration.in_yaml()).unwrap();
    let log = json!({
        "version": 1,
        "formatters": {"plain": {"format": "%(levelname)s %(name)s %(message)s"}},
        "handlers": {"file": {"class": "logging.FileHandler", "filename": "synapse.log", "formatter": "plain"}},
        "root": {"level": "WARNING", "handlers": ["file"]},
    });
    // Every JSON document is a YAML document.
    for (name, content) in [("homeserver.yaml", config), ("log.yaml", log)] {
        fs::write(folder.join(name), content.to_string()).unwrap();
    }
    let key = "ed25519 a_test AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n";
    fs::write(folder.join("signing.key"), key).unwrap();
}
