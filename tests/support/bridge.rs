//! A bridge under test: real HTTP, a real database, a clock that is moved by hand, and workers that run when told.

use std::net::TcpListener;

use jiff::{SignedDuration, Timestamp};
use mostik::config::Config;
use mostik::delivery::desks::Desks;
use mostik::domain::clock::{Clock, ManualClock};
use mostik::domain::delivery::DeliveryState;
use mostik::domain::entropy::Entropy;
use mostik::domain::ids::{ClinicId, CommunityId, MemberId};
use mostik::enrolment::credentials::{EVENTS_WRITE, create_api_key, create_member_token};
use mostik::enrolment::join::{join, link};
use mostik::pipeline::Bridge;
use mostik::store::LaneKey;
use mostik::vault::Key;
use mostik::web::Ears;
use mostik::{app, chores};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::database::Database;
use super::http::{self, Got};

/// When every test begins.
pub const NOON: &str = "2026-11-20T12:00:00Z";

/// A member with their credentials.
#[derive(Clone, Debug)]
pub struct Person {
    pub id: MemberId,
    pub handle: String,
    pub token: String,
}

/// A running bridge with one community, `forum`, and one clinic, `riverside`.
pub struct TestBridge {
    pub api: String,
    pub bridge: Bridge,
    pub clock: ManualClock,
    pub desks: Desks,
    pub ears: Ears,
    pub api_key: String,
    pub database: Database,
    /// The text of the configuration file, which also lies in the database's folder as `mostik.toml`.
    pub config: String,
}

impl TestBridge {
    /// Starts a bridge that delivers to the FHIR endpoint `ehr`.
    pub async fn start(database: Database, ehr: &str) -> Self {
        let text = config_text(&database, ehr, "127.0.0.1:0");
        Self::start_with(database, &text).await
    }

    /// Starts a bridge with this configuration file.
    pub async fn start_with(database: Database, text: &str) -> Self {
        Self::start_at(database, text, NOON.parse().unwrap()).await
    }

    /// Starts a bridge with this configuration file, whose clock begins at `start`.
    pub async fn start_at(database: Database, text: &str, start: Timestamp) -> Self {
        let mut config = Config::from_toml(text).unwrap();
        std::fs::write(database.folder.path().join("mostik.toml"), text).unwrap();
        if !config.vault.master_key.file().unwrap().exists() {
            Key::generate(&Entropy::System).unwrap().create_file(config.vault.master_key.file().unwrap()).unwrap();
        }
        let clock = ManualClock::new(start);
        let bridge = Box::pin(app::open(&config, Clock::Manual(clock.clone()), Entropy::System)).await.unwrap();
        let listener = TcpListener::bind(config.server.listen).unwrap();
        let api = format!("http://{}", listener.local_addr().unwrap());
        if !text.contains("public_url") {
            config.server.public_url = api.parse().unwrap();
        }
        let desks = app::desks(&config, &bridge).unwrap();
        let (server, ears) = app::http_server(&config, bridge.clone(), &desks, listener).unwrap();
        tokio::spawn(server);
        let mut tx = bridge.store.begin().await.unwrap();
        let key = create_api_key(&mut tx, &bridge.keyring, &forum(), EVENTS_WRITE, clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        Self { api, bridge, clock, desks, ears, api_key: key.secret, database, config: text.to_owned() }
    }

    /// Listens once to the forum's platform, which does not call. Returns whether that was this bridge's to do.
    pub async fn listen(&self) -> bool {
        self.ears.turn(&forum()).await.unwrap()
    }

    /// Another bridge on the same database, with the same master key, whose clock is off by so much.
    pub async fn beside(&self, off_by: SignedDuration) -> Self {
        let database = Database::at(&self.database.url);
        Self::start_at(database, &self.config, self.now().checked_add(off_by).unwrap()).await
    }

    /// A member of the forum who is linked to `patient`.
    pub async fn person(&self, handle: &str, patient: &str) -> Person {
        let person = self.unlinked_person(handle).await;
        let mut tx = self.bridge.store.begin().await.unwrap();
        let now = self.clock.now();
        link(&mut tx, &self.bridge.keyring, person.id, &riverside(), patient, "test", now).await.unwrap();
        tx.commit().await.unwrap();
        person
    }

    /// A member of the forum whom no clinic knows.
    pub async fn unlinked_person(&self, handle: &str) -> Person {
        let (keyring, now) = (&self.bridge.keyring, self.clock.now());
        let mut tx = self.bridge.store.begin().await.unwrap();
        let id = join(&mut tx, keyring, &forum(), handle, now).await.unwrap();
        let validity = SignedDuration::from_hours(24 * 365 * 10);
        let token = create_member_token(&mut tx, keyring, id, validity, now).await.unwrap();
        tx.commit().await.unwrap();
        Person { id, handle: handle.to_owned(), token }
    }

    /// Calls the API as a member.
    pub async fn as_member(&self, person: &Person, method: Method, path: &str, body: Option<&Value>) -> Got {
        http::call(method, &format!("{}{path}", self.api), Some(&person.token), body).await
    }

    /// Grants `categories` to the clinic; returns the grant's id.
    pub async fn grant(&self, person: &Person, categories: &[&str]) -> String {
        let categories: Value =
            categories.iter().map(|category| ((*category).to_owned(), json!("every-entry"))).collect();
        let asked = json!({"clinic": "riverside", "terms": {"categories": categories}});
        let got = self.as_member(person, Method::POST, "/v1/grants", Some(&asked)).await;
        assert_eq!(got.status, 201, "{:?}", got.json);
        got.json["id"].as_str().unwrap().to_owned()
    }

    /// Pauses, resumes or revokes a grant.
    pub async fn change_grant(&self, person: &Person, grant: &str, how: &str) -> Got {
        self.as_member(person, Method::POST, &format!("/v1/grants/{grant}/{how}"), None).await
    }

    /// Sends one event or a batch as the forum.
    pub async fn send(&self, body: &Value) -> Got {
        http::call(Method::POST, &format!("{}/v1/events", self.api), Some(&self.api_key), Some(body)).await
    }

    /// Works until nothing is due at the present time.
    pub async fn deliver(&self) {
        self.desks.drain().await.unwrap();
    }

    /// Does what the time has brought about.
    pub async fn chores(&self) {
        while Box::pin(chores::run_due(&self.bridge)).await.unwrap() {}
    }

    /// The same, where the database may fail: why work ended early, if it did.
    pub async fn try_deliver(&self) -> Result<(), String> {
        self.desks.drain().await.map_err(|error| error.to_string())
    }

    /// The same aside, while the test goes on; true when nothing failed.
    pub fn deliver_aside(&self) -> JoinHandle<bool> {
        let desks = self.desks.clone();
        tokio::spawn(async move { desks.drain().await.is_ok() })
    }

    /// Moves the clock on, minute by minute, and works on whatever becomes due.
    pub async fn deliver_in_time_of(&self, time: SignedDuration) {
        for _ in 0..time.as_mins() {
            self.clock.advance(SignedDuration::from_mins(1));
            self.deliver().await;
        }
    }

    /// Moves the clock and works on whatever became due, until the outbox is empty or a day has passed.
    pub async fn deliver_in_time(&self) {
        for _ in 0..24 * 60 {
            self.deliver().await;
            if self.open_items().await == 0 {
                return;
            }
            self.clock.advance(SignedDuration::from_mins(1));
        }
        panic!("the outbox is not empty after a day: {:?}", self.counts().await);
    }

    pub async fn counts(&self) -> Vec<(DeliveryState, i64)> {
        self.bridge.store.read().await.unwrap().count_deliveries(None).await.unwrap()
    }

    pub async fn count(&self, state: DeliveryState) -> i64 {
        self.counts().await.into_iter().find(|(found, _)| *found == state).map_or(0, |(_, count)| count)
    }

    pub async fn open_items(&self) -> i64 {
        self.counts().await.into_iter().filter(|(state, _)| state.is_open()).map(|(_, count)| count).sum()
    }

    /// How many events of a person left a trace in the database.
    pub async fn traces(&self, person: &Person) -> i64 {
        self.bridge.store.read().await.unwrap().count_events(person.id).await.unwrap()
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// A person's lane to the clinic.
pub fn lane(person: &Person) -> LaneKey {
    LaneKey { clinic: riverside(), member: person.id }
}

/// A configuration file for a bridge with one community and one clinic.
pub fn config_text(database: &Database, ehr: &str, listen: &str) -> String {
    let folder = database.folder.path().display();
    format!(
        "[server]\nlisten = {listen:?}\nshutdown_seconds = 2\n[database]\nurl = {:?}\n[vault]\nmaster_key = \"file:{folder}/master.key\"\nerased_list = \"{folder}/erased.list\"\n\
         [audit]\ncheckpoint_file = \"{folder}/audit-checkpoints.jsonl\"\n[imports]\nfolder = \"{folder}/imports\"\n[delivery]\nprivate_networks = true\nconsent = false\ntimeout_seconds = 1\nlease_seconds = 3\ndoubt_seconds = 1\n\
         [communities.forum]\nname = \"The forum\"\n[clinics.riverside]\nname = \"Riverside\"\nfhir_base = {ehr:?}\n",
        database.url,
    )
}

pub fn forum() -> CommunityId {
    "forum".parse().unwrap()
}

pub fn riverside() -> ClinicId {
    "riverside".parse().unwrap()
}

/// A mood event, two hours before the test begins.
pub fn mood(id: &str, handle: &str, rating: i64) -> Value {
    json!({
        "specversion": "1.0", "id": id, "source": "/test", "type": "mostik.mood.v1",
        "time": "2026-11-20T11:00:00+01:00", "subject": handle,
        "data": {"rating": {"value": rating, "worst": 1, "best": 5}},
    })
}

/// A note event.
pub fn note(id: &str, handle: &str, text: &str) -> Value {
    json!({
        "specversion": "1.0", "id": id, "source": "/test", "type": "mostik.note.v1",
        "time": "2026-11-20T11:00:00+01:00", "subject": handle, "data": {"text": text},
    })
}

/// The same event as a new version of the entry that `original` first reported.
pub fn correcting(mut event: Value, original: &str) -> Value {
    event["corrects"] = json!(original);
    event
}

/// The word that the entry which `original` first reported was deleted.
pub fn retraction(id: &str, handle: &str, original: &str) -> Value {
    json!({
        "specversion": "1.0", "id": id, "source": "/test", "type": "mostik.retraction.v1",
        "time": "2026-11-20T12:00:00+01:00", "subject": handle, "data": {"retracts": original},
    })
}
