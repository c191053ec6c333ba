//! What members have for themselves: their key, their settings, their readings.

use jiff::Timestamp;
use mostik::delivery::member::Subscription;
use mostik::domain::ids::CommunityId;
use mostik::domain::questionnaire::{Answer, Draft, Instrument};
use mostik::domain::reading::Reading;
use mostik::domain::settings::{Change, Settings};
use mostik::domain::zone::Zone;
use mostik::readings::settings::{change_settings, settings};
use mostik::readings::{drafts, kept};
use mostik::store::BrowserRow;
use mostik::telling::SUBSCRIPTION_COLUMN;
use mostik::vault::MemberKey;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::bridge::{Person, TestBridge};

impl TestBridge {
    /// A person's own key.
    pub async fn key(&self, person: &Person) -> MemberKey {
        let wrapped = self.bridge.store.read().await.unwrap().member_key(person.id).await.unwrap().unwrap();
        self.bridge.keyring.unwrap_member_key(person.id, &wrapped).unwrap()
    }

    /// What a person has set.
    pub async fn settings(&self, person: &Person) -> Settings {
        settings(&mut self.bridge.store.read().await.unwrap(), &self.key(person).await).await.unwrap()
    }

    /// Sets something for a person.
    pub async fn set(&self, person: &Person, change: Change) {
        let key = self.key(person).await;
        let mut tx = self.bridge.store.begin().await.unwrap();
        change_settings(&mut tx, &key, change, self.now()).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Moves a person's clock to another zone.
    pub async fn move_to(&self, person: &Person, zone: &str) {
        self.set(person, Change { zone: Some(Zone::named(zone).unwrap()), ..Change::default() }).await;
    }

    /// What is kept of a person's readings, the oldest first.
    pub async fn readings(&self, person: &Person) -> Vec<Reading> {
        let key = self.key(person).await;
        let mut tx = self.bridge.store.read().await.unwrap();
        kept::all(&mut tx, &key, None, Timestamp::MIN, Timestamp::MAX).await.unwrap()
    }

    /// Begins PHQ-9 for a person with these answers, in the portal, and leaves it there.
    pub async fn begin(&self, person: &Person, said: &[u8]) {
        self.begin_in(None, person, said).await;
    }

    /// The same, in the chat of a community.
    pub async fn begin_in(&self, chat: Option<&CommunityId>, person: &Person, said: &[u8]) {
        let draft = Draft::new(Instrument::Phq9, Uuid::from_u128(9));
        let draft = (0..).zip(said).fold(draft, |draft, (place, choice)| draft.with(place, Answer::Given(*choice)));
        let key = self.key(person).await;
        let mut tx = self.bridge.store.begin().await.unwrap();
        drafts::keep(&mut tx, &key, chat, &draft, self.now()).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// A person switches notes on in a browser.
    pub async fn subscribe(&self, person: &Person, endpoint: &str, p256dh: &str, auth: &str) {
        let subscription = Subscription::new(endpoint, p256dh, auth).unwrap();
        let id = self.bridge.keyring.entropy().uuid(self.now()).unwrap();
        let plain = serde_json::to_vec(&subscription).unwrap();
        let sealed = self.key(person).await.seal(SUBSCRIPTION_COLUMN, id.as_bytes(), &plain).unwrap();
        let row = BrowserRow { id, sealed, created_at: self.now() };
        let address = self.bridge.keyring.index().index("push-address", &[endpoint.as_bytes()]);
        let mut tx = self.bridge.store.begin().await.unwrap();
        tx.put_subscription(person.id, &row, address).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// What a person has begun and not finished in the portal.
    pub async fn drafts(&self, person: &Person) -> Vec<Draft> {
        let key = self.key(person).await;
        drafts::drafts(&mut self.bridge.store.read().await.unwrap(), &key, None).await.unwrap()
    }

    /// Grants categories at details to Riverside; returns the grant's id.
    pub async fn share(&self, person: &Person, categories: Value) -> String {
        self.share_by(person, json!({"categories": categories})).await
    }

    /// Gives Riverside a consent with these terms; returns the grant's id.
    pub async fn share_by(&self, person: &Person, terms: Value) -> String {
        let asked = json!({"clinic": "riverside", "terms": terms});
        let got = self.as_member(person, Method::POST, "/v1/grants", Some(&asked)).await;
        assert_eq!(got.status, 201, "{:?}", got.json);
        got.json["id"].as_str().unwrap().to_owned()
    }

    /// Changes the terms of a consent.
    pub async fn change_terms(&self, person: &Person, grant: &str, terms: Value) {
        let got = self.as_member(person, Method::PUT, &format!("/v1/grants/{grant}"), Some(&terms)).await;
        assert_eq!(got.status, 200, "{:?}", got.json);
    }

    /// Moves the clock to an instant and does what the time brings about.
    pub async fn until(&self, instant: &str) {
        let instant: Timestamp = instant.parse().unwrap();
        self.clock.advance(instant.duration_since(self.now()));
        self.chores().await;
    }
}

/// An event at another time.
pub fn at(mut event: Value, time: &str) -> Value {
    event["time"] = json!(time);
    event
}

/// The keys of a browser, in its own words (RFC 8291, appendix A).
pub const BROWSER_KEYS: [&str; 2] = [
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    "BTBZMqHH6r4Tts7J_aSIgg",
];
