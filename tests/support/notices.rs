//! Notices of EHRs: what it takes to be notified, and what a test sends in the place of an EHR that never notifies anybody.

use std::time::Duration;

use jiff::SignedDuration;
use mostik::domain::way_back::SubscriptionState;
use reqwest::Method;
use serde_json::{Value, json};

use super::bridge::{Person, TestBridge};
use super::database::Database;
use super::ehr::Ehr;
use super::http;
use super::portal::{PORTAL, Portal, portal_config};
use super::postbox::Postbox;
use super::recommendations::{free_address, look, notified_bridge, open_person, task, told, write};
use super::server::moment;

/// The bridge's Subscriptions for a patient that an EHR has.
pub async fn subscriptions(ehr: &Ehr) -> Vec<Value> {
    let got = http::call(Method::GET, &format!("{}/Subscription?_count=200", ehr.base), None, None).await;
    let found = got.json["entry"].as_array().into_iter().flatten().map(|entry| entry["resource"].clone());
    found.filter(|found| found.to_string().contains(&ehr.patient)).collect()
}

/// How the bridge's Subscriptions stand.
pub async fn states(bridge: &TestBridge) -> Vec<SubscriptionState> {
    let counted = bridge.bridge.store.read().await.unwrap().count_subscriptions().await.unwrap();
    counted.into_iter().map(|(_, state, _, _)| state).collect()
}

/// Does something, and waits until the bridge was notified of it.
pub async fn notified<T>(bridge: &TestBridge, doing: impl Future<Output = T>) -> T {
    let news = bridge.bridge.news.notified();
    let done = doing.await;
    tokio::time::timeout(Duration::from_secs(20), news).await.unwrap();
    done
}

/// A topic about the resources of some types, as sekmet-fhir keeps topics.
pub async fn topic(ehr: &Ehr, types: &[&str]) -> String {
    const TOPIC: &str = "http://hl7.org/fhir/5.0/StructureDefinition/extension-SubscriptionTopic";
    let url = format!("https://topics.example/{}-{}", types.join("-"), ehr.patient);
    let trigger = |of: &&str| {
        let of = format!("http://hl7.org/fhir/StructureDefinition/{of}");
        json!({"url": format!("{TOPIC}.resourceTrigger"), "extension": [{"url": "resource", "valueUri": of},
            {"url": "supportedInteraction", "valueCode": "create"}, {"url": "supportedInteraction", "valueCode": "update"}]})
    };
    let filter = |of: &&str| {
        json!({"url": format!("{TOPIC}.canFilterBy"), "extension": [{"url": "resource", "valueUri": of},
            {"url": "filterParameter", "valueString": "patient"}]})
    };
    let named = json!({"url": format!("{TOPIC}.url"), "valueUri": url});
    let parts: Value =
        std::iter::once(named).chain(types.iter().map(trigger)).chain(types.iter().map(filter)).collect();
    let code = json!({"coding": [{"system": "http://hl7.org/fhir/fhir-types", "code": "SubscriptionTopic"}]});
    write(&ehr.base, json!({"resourceType": "Basic", "code": code, "extension": parts})).await;
    url
}

/// The settings of a way back by which sekmet-fhir says that it has something of these types: by a topic of its own, or by
/// criteria.
pub async fn told_by(ehr: &Ehr, by_topic: bool, types: &[&str]) -> String {
    if by_topic {
        format!("subscribe = \"topics\"\ntopics = [{:?}]\n", topic(ehr, types).await)
    } else {
        "subscribe = \"criteria\"\n".to_owned()
    }
}

/// Waits until the EHR has found out that somebody listens, where it tries that: the handshake comes before anybody looks.
pub async fn until_active(ehr: &Ehr) {
    let is_topic = |made: &Value| !made["_criteria"].is_null();
    for _ in 0..2000 {
        if subscriptions(ehr).await.iter().all(|made| !is_topic(made) || made["status"] == "active") {
            return;
        }
        moment().await;
    }
    panic!("the EHR does not find anybody who listens");
}

/// A portal before an EHR that reaches the bridge and is asked to say when something changed, with these more settings of
/// `[clinics.riverside.way_back]`.
pub async fn notified_portal(database: Database, ehr: &str, settings: &str) -> Portal {
    let listen = free_address();
    let postbox = Postbox::open();
    let text = portal_config(&database, ehr, &postbox);
    let text = text.replace(PORTAL, &format!("http://{listen}")).replace("127.0.0.1:0", &listen);
    let bridge = TestBridge::start_with(database, &format!("{text}[clinics.riverside.way_back]\n{settings}")).await;
    Portal::before(bridge, postbox)
}

/// A bridge with a Subscription at an EHR that never notifies anybody: the test does.
pub struct Scene {
    pub ehr: Ehr,
    pub bridge: TestBridge,
    pub sparrow: Person,
    pub grant: String,
    pub endpoint: String,
    pub secret: String,
    pub subscription: String,
    client: reqwest::Client,
}

impl Scene {
    /// At the sandbox, by criteria.
    pub async fn set(database: Database) -> Self {
        let ehr = Ehr::sandbox().await;
        let base = ehr.base.clone();
        Self::at(database, ehr, &base, "subscribe = \"criteria\"\nkinds = [\"task\"]\n").await
    }

    /// At an EHR that the bridge sees at this address, with these settings of its way back.
    pub async fn at(database: Database, ehr: Ehr, seen_at: &str, settings: &str) -> Self {
        let bridge = notified_bridge(database, seen_at, settings).await;
        let (sparrow, grant) = open_person(&bridge, "sparrow", &ehr.patient).await;
        look(&bridge).await;
        let made = subscriptions(&ehr).await.remove(0);
        let text = |pointer: &str| made.pointer(pointer).unwrap().as_str().unwrap().to_owned();
        let secret = text("/channel/header/0").replace("Authorization: Bearer ", "");
        let (endpoint, subscription) = (text("/channel/endpoint"), text("/id"));
        bridge.clock.advance(SignedDuration::from_secs(10));
        Self { ehr, bridge, sparrow, grant, endpoint, secret, subscription, client: http::client() }
    }

    pub async fn send(&self, secret: &str, body: String) -> u16 {
        let request = self.client.post(&self.endpoint).bearer_auth(secret).body(body);
        request.header("content-type", "application/fhir+json").send().await.unwrap().status().as_u16()
    }

    /// A notice of these events, each about a resource.
    pub fn notice(&self, kind: &str, count: i64, events: &[(i64, &str)]) -> String {
        let event = |(number, focus): &(i64, &str)| {
            json!({"name": "notification-event", "part": [{"name": "event-number", "valueString": number.to_string()},
                {"name": "focus", "valueReference": {"reference": focus}}]})
        };
        let mut parameters = vec![
            json!({"name": "subscription", "valueReference": {"reference": format!("Subscription/{}", self.subscription)}}),
            json!({"name": "type", "valueCode": kind}),
            json!({"name": "status", "valueCode": "active"}),
            json!({"name": "events-since-subscription-start", "valueString": count.to_string()}),
        ];
        parameters.extend(events.iter().map(event));
        json!({"resourceType": "Bundle", "type": "history",
            "entry": [{"resource": {"resourceType": "Parameters", "parameter": parameters}}]})
        .to_string()
    }

    pub async fn event(&self, number: i64, focus: &str) -> u16 {
        self.send(&self.secret, self.notice("event-notification", number, &[(number, focus)])).await
    }

    /// A Task for sparrow, and how it is referred to.
    pub async fn task(&self, text: &str) -> String {
        let task = write(&self.ehr.base, task(&self.ehr.patient, text)).await;
        format!("{}/Task/{}", self.ehr.base, task["id"].as_str().unwrap())
    }

    pub async fn told(&self) -> Vec<String> {
        look(&self.bridge).await;
        let mut told: Vec<String> = told(&self.bridge, &self.sparrow).await.into_iter().map(|(text, _)| text).collect();
        told.sort();
        told
    }

    pub async fn waiting(&self) -> i64 {
        self.bridge.database.count("news").await
    }
}
