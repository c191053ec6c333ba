//! Whatever members are told by, written by others: `tests/tools/receiver.py`. And a bridge that tells them by it.

use jiff::Timestamp;
use mostik::app;
use mostik::config::Config;
use mostik::domain::ids::RecommendationId;
use mostik::domain::recommendation::Said;
use mostik::domain::settings::Change;
use mostik::domain::telling::Wishes;
use mostik::telling::Teller;
use reqwest::Method;
use serde_json::{Value, json};

use super::bridge::{Person, TestBridge, config_text};
use super::database::Database;
use super::http;
use super::parts::part;
use super::postbox::SECRET;
use super::recommendations::put;

/// A receiver of its own: a webhook, a browser and a mailbox.
#[derive(Clone, Debug)]
pub struct Receiver {
    base: String,
    pub id: String,
    /// Where the webhook is.
    pub hook: String,
    /// What the browser says of itself.
    pub push: Value,
    /// The mail address.
    pub address: String,
    pub mail_port: u64,
}

impl Receiver {
    /// One that knows these secrets.
    pub async fn with_secrets(secrets: &[&str]) -> Option<Self> {
        let base = part("MOSTIK_TEST_RECEIVER", "a receiver of messages")?;
        let asked = json!({"secrets": secrets});
        let got = http::call(Method::POST, &format!("{base}/new"), None, Some(&asked)).await;
        let text = |name: &str| got.json[name].as_str().unwrap().to_owned();
        let mail_port = got.json["mail_port"].as_u64().unwrap();
        Some(Self {
            base,
            id: text("id"),
            hook: text("hook"),
            push: got.json["push"].clone(),
            address: text("address"),
            mail_port,
        })
    }

    pub async fn open() -> Option<Self> {
        Self::with_secrets(&[SECRET]).await
    }

    /// How the next are answered, the last of a list first.
    pub async fn will_answer(&self, answers: Value) {
        http::call(Method::POST, &format!("{}/answers/{}", self.base, self.id), None, Some(&answers)).await;
    }

    /// Everything that came, in order.
    pub async fn seen(&self) -> Vec<Value> {
        let got = http::call(Method::GET, &format!("{}/seen/{}", self.base, self.id), None, None).await;
        got.json.as_array().unwrap().clone()
    }

    /// By what everything came, in order, and what was answered.
    pub async fn ways(&self) -> Vec<(String, u64)> {
        let seen = self.seen().await.into_iter();
        seen.map(|it| (it["by"].as_str().unwrap().to_owned(), it["status"].as_u64().unwrap())).collect()
    }

    /// The last that came.
    pub async fn last(&self) -> Value {
        self.seen().await.pop().unwrap()
    }

    /// The configuration of a way of the forum to its members: the webhook.
    pub fn by_hook(&self, database: &Database, most: &str) -> String {
        use std::os::unix::fs::PermissionsExt;
        let secret = database.folder.path().join("forum.secret");
        std::fs::write(&secret, SECRET).unwrap();
        std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).unwrap();
        format!(
            "[communities.forum.messages]\nmethod = \"webhook\"\nurl = {:?}\nsecret_file = {:?}\nmost = {most:?}\n",
            self.hook,
            secret.display().to_string()
        )
    }

    /// The same: mail.
    pub fn by_mail(&self, most: &str) -> String {
        format!(
            "[communities.forum.messages]\nmethod = \"mail\"\nserver = \"127.0.0.1\"\nport = {}\nsecurity = \"none\"\n\
             from = \"The forum <noreply@forum.example>\"\nmost = {most:?}\n",
            self.mail_port
        )
    }
}

/// Notes in browsers are switched on, and this machine has a push service.
pub const PUSH: &str = "[push]\ncontact = \"mailto:admin@mostik.example\"\nservices = [\"127.0.0.1\"]\n";

/// Where the portal is, as far as messages say.
pub const PORTAL: &str = "https://mostik.example";

/// A bridge that tells its members what there is for them.
pub struct Telling {
    pub bridge: TestBridge,
    pub teller: Teller,
}

impl Telling {
    /// With these ways to members, beginning at `start`.
    pub async fn open(database: Database, ways: &str, start: Timestamp) -> Self {
        let text = config_text(&database, "http://127.0.0.1:9/fhir", "127.0.0.1:0");
        let text = text.replace("[server]\n", &format!("[server]\npublic_url = {PORTAL:?}\n"));
        Self::before(TestBridge::start_at(database, &format!("{text}{ways}"), start).await)
    }

    /// That of this bridge.
    pub fn before(bridge: TestBridge) -> Self {
        let config = Config::from_toml(&bridge.config).unwrap();
        let teller = app::teller(&config, &bridge.bridge).unwrap();
        Self { bridge, teller }
    }

    /// A member who lets this much come back, and wishes to be told so.
    pub async fn member(&self, handle: &str, way_back: &str, wishes: Wishes) -> Person {
        let person = self.bridge.person(handle, &format!("patient-of-{}", handle.replace('@', "-"))).await;
        self.consent(&person, way_back).await;
        self.wish(&person, wishes).await;
        person
    }

    /// A member lets this much come back. Returns the grant.
    pub async fn consent(&self, person: &Person, way_back: &str) -> String {
        let terms = json!({"categories": {"mood": "every-entry"}, "way_back": way_back});
        self.bridge.share_by(person, terms).await
    }

    /// How a member wishes to be told.
    pub async fn wish(&self, person: &Person, wishes: Wishes) {
        self.bridge.set(person, Change { told: Some(wishes), ..Change::default() }).await;
    }

    /// Something comes for a member.
    pub async fn comes(&self, person: &Person, says: &Said) -> RecommendationId {
        let id = put(&self.bridge, person, says).await;
        self.to_tell(person, id).await;
        id
    }

    /// A member is to be told of something.
    pub async fn to_tell(&self, person: &Person, id: RecommendationId) {
        let mut tx = self.bridge.bridge.store.begin().await.unwrap();
        tx.put_telling(person.id, id.0, self.bridge.now()).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Tells whatever it is time to tell.
    pub async fn tell(&self) {
        while self.teller.tell_one().await.unwrap() {}
    }

    /// How many things are still to be told.
    pub async fn open_tellings(&self) -> i64 {
        self.bridge.bridge.store.read().await.unwrap().count_tellings().await.unwrap().0
    }

    /// A member switches notes on in the receiver's browser.
    pub async fn subscribes(&self, person: &Person, receiver: &Receiver) {
        let field = |name: &str| receiver.push[name].as_str().unwrap();
        self.bridge.subscribe(person, field("endpoint"), field("p256dh"), field("auth")).await;
    }
}

/// Wishes of somebody who may be told at any time.
pub fn any_time() -> Wishes {
    Wishes { quiet: None, ..Wishes::default() }
}
