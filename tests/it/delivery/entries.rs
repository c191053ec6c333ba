//! Whatever is reported, corrected, deleted and said again, in whatever order: each clinic's lane ends with the newest
//! state of each entry, and never goes back to an older one.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use reqwest::Method;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::bridge::{Person, TestBridge, config_text, correcting, mood, retraction};
use crate::support::database::Database;
use crate::support::outbox::{Item, execute, items};

/// How many entries a history is about.
const ENTRIES: usize = 2;

/// What happens next. Ratings are 1 to 3, so that versions come back.
#[derive(Clone, Debug)]
enum Step {
    Report(usize, i64),
    Correct(usize, i64),
    Retract(usize),
    /// An event that was sent earlier, as it was.
    Again(prop::sample::Index),
    /// Clinics receive everything that waits.
    Deliver,
    /// The member pauses or resumes the consent towards the hospital; the one towards Riverside stays.
    Pause,
}

fn any_step() -> impl Strategy<Value = Step> {
    let entry = || 0..ENTRIES;
    prop_oneof![
        3 => (entry(), 1i64..4).prop_map(|(entry, rating)| Step::Report(entry, rating)),
        5 => (entry(), 1i64..4).prop_map(|(entry, rating)| Step::Correct(entry, rating)),
        1 => entry().prop_map(Step::Retract),
        3 => any::<prop::sample::Index>().prop_map(Step::Again),
        3 => Just(Step::Deliver),
        1 => Just(Step::Pause),
    ]
}

/// Everything that an entry has been, oldest first; `None` is deleted.
type Past = Vec<Option<i64>>;

/// What a sender may expect, said again in other words: the judge of the property.
#[derive(Default)]
struct Expected {
    pasts: BTreeMap<usize, Past>,
    taken: BTreeMap<String, (Value, usize, Option<i64>)>,
    newest: BTreeMap<usize, Value>,
}

impl Expected {
    /// What becomes of an event about an entry, where Riverside may see everything.
    fn status(&mut self, event: &Value, entry: usize, says: Option<i64>) -> &'static str {
        let id = event["id"].as_str().unwrap().to_owned();
        if let Some((before, ..)) = self.taken.get(&id) {
            return if before == event { "duplicate" } else { "conflict" };
        }
        let is_first_report = says.is_some() && event.get("corrects").is_none();
        let past = self.pasts.entry(entry).or_default();
        let status = match (past.last().copied(), says) {
            (None, None) => return "duplicate",
            (None, Some(_)) => "accepted",
            (Some(_), Some(_)) if is_first_report => return "duplicate",
            (Some(None), Some(_)) => return "refused",
            (Some(now), says) if now == says => "duplicate",
            (Some(_), Some(_)) => "corrected",
            (Some(_), None) => "retracted",
        };
        self.taken.insert(id, (event.clone(), entry, says));
        if status != "duplicate" {
            past.push(says);
            self.newest.insert(entry, event.clone());
        }
        status
    }
}

struct House {
    bridge: TestBridge,
}

impl House {
    async fn open(database: Database) -> Self {
        let text = config_text(&database, "http://127.0.0.1:9/fhir", "127.0.0.1:0");
        let more = "[clinics.hospital]\nname = \"The hospital\"\nfhir_base = \"http://127.0.0.1:9/fhir\"\n";
        Self { bridge: TestBridge::start_with(database, &format!("{text}{more}")).await }
    }

    /// A member whom both clinics know and who shares their mood with both; and the hospital's grant.
    async fn person(&self, handle: &str) -> (Person, String) {
        let person = self.bridge.person(handle, handle).await;
        let hospital = "hospital".parse().unwrap();
        let mut tx = self.bridge.bridge.store.begin().await.unwrap();
        let (keyring, now) = (&self.bridge.bridge.keyring, self.bridge.now());
        mostik::enrolment::join::link(&mut tx, keyring, person.id, &hospital, handle, "test", now).await.unwrap();
        tx.commit().await.unwrap();
        self.bridge.grant(&person, &["mood"]).await;
        let asked = json!({"clinic": "hospital", "terms": {"categories": {"mood": "every-entry"}}});
        let got = self.bridge.as_member(&person, Method::POST, "/v1/grants", Some(&asked)).await;
        (person, got.json["id"].as_str().unwrap().to_owned())
    }

    async fn tell(&self, handle: &str, steps: &[Step]) {
        let (person, grant) = self.person(handle).await;
        let mut expected = Expected::default();
        let mut sent: Vec<(Value, usize, Option<i64>)> = Vec::new();
        let mut is_paused = false;
        for (turn, step) in steps.iter().enumerate() {
            let first = |entry: usize| format!("{handle}-{entry}");
            let new = format!("{handle}-turn-{turn}");
            let event = match step {
                Step::Report(entry, rating) => {
                    Some((at(mood(&first(*entry), handle, *rating), *entry), *entry, Some(*rating)))
                }
                Step::Correct(entry, rating) => {
                    let event = correcting(at(mood(&new, handle, *rating), *entry), &first(*entry));
                    Some((event, *entry, Some(*rating)))
                }
                Step::Retract(entry) => Some((retraction(&new, handle, &first(*entry)), *entry, None)),
                Step::Again(which) if !sent.is_empty() => Some(which.get(&sent).clone()),
                Step::Again(_) => None,
                Step::Deliver => {
                    execute(&self.bridge, "UPDATE outbox SET state = 'confirmed' WHERE state = 'ready'").await;
                    None
                }
                Step::Pause => {
                    is_paused = !is_paused;
                    let how = if is_paused { "pause" } else { "resume" };
                    assert_eq!(self.bridge.change_grant(&person, &grant, how).await.status, 200);
                    None
                }
            };
            if let Some((event, entry, says)) = event {
                self.send(&mut expected, &event, entry, says).await;
                sent.push((event, entry, says));
            }
            self.check(&person, &expected, &["riverside"]).await;
        }
        if is_paused {
            self.bridge.change_grant(&person, &grant, "resume").await;
        }
        for event in expected.newest.values() {
            self.bridge.send(event).await;
        }
        self.check(&person, &expected, &["riverside", "hospital"]).await;
    }

    async fn send(&self, expected: &mut Expected, event: &Value, entry: usize, says: Option<i64>) {
        let status = expected.status(event, entry, says);
        // In a batch of its own: then the answer says what became of it in one form.
        let got = self.bridge.send(&json!([event])).await;
        let found = got.json["results"][0]["status"].as_str().unwrap();
        // What was taken before may still have news for the hospital.
        let is_news = status == "duplicate" && ["accepted", "corrected", "retracted"].contains(&found);
        assert!(found == status || is_news, "{found}, expected {status}: {event}");
    }

    /// Whether `current` clinics have, or get at last, the newest state, and no clinic ever goes back to an older one.
    async fn check(&self, person: &Person, expected: &Expected, current: &[&str]) {
        let mut lanes: BTreeMap<(String, i64), Vec<Item>> = BTreeMap::new();
        let mut identifiers: BTreeMap<(String, i64), BTreeSet<String>> = BTreeMap::new();
        for item in items(&self.bridge, person).await {
            let lane = (item.clinic.clone(), item.measured_at);
            identifiers.entry(lane.clone()).or_default().insert(item.identifier.clone());
            if item.is_living() {
                lanes.entry(lane).or_default().push(item);
            }
        }
        assert!(identifiers.values().all(|found| found.len() == 1), "an entry is one resource: {identifiers:?}");
        for (entry, past) in &expected.pasts {
            for clinic in ["riverside", "hospital"] {
                let lane = lanes.remove(&(clinic.to_owned(), micros(*entry))).unwrap_or_default();
                let told: Past = lane.iter().map(Item::value).collect();
                assert!(is_in_order(&told, past), "{clinic} is told {told:?} of {past:?}");
                for (place, item) in lane.iter().enumerate() {
                    assert!(place == 0 || item.operation != "create", "a create only comes first: {lane:?}");
                    assert_eq!(item.operation == "retract", item.value().is_none(), "{lane:?}");
                }
                let newest = past.last().copied().flatten();
                if current.contains(&clinic) {
                    // Nothing at all is as good as deleted.
                    assert_eq!(told.last().copied().flatten(), newest, "{clinic} is told {told:?} of {past:?}");
                }
            }
        }
        assert!(lanes.is_empty(), "nothing else is there: {lanes:?}");
    }
}

/// Whether `told` is `past` with some states left out.
fn is_in_order(told: &Past, past: &Past) -> bool {
    let mut rest = past.iter();
    told.iter().all(|state| rest.any(|other| other == state))
}

/// Entries are told apart by their time: it stands in the outbox whatever becomes of the content.
fn at(mut event: Value, entry: usize) -> Value {
    event["time"] = json!(format!("2026-11-20T0{entry}:00:00Z"));
    event
}

fn micros(entry: usize) -> i64 {
    format!("2026-11-20T0{entry}:00:00Z").parse::<jiff::Timestamp>().unwrap().as_microsecond()
}

on_both_databases! {
    async fn clinics_are_told_the_newest_state_and_never_an_older_one_after_it(database) {
        let house = House::open(database).await;
        // A case takes a few hundred requests: a tenth of what PROPTEST_CASES asks for, which is 256 unless it is set.
        let cases = Config::default().cases / 10;
        let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
        let case = std::cell::Cell::new(0);
        let steps = prop::collection::vec(any_step(), 1..16);
        let result = tokio::task::block_in_place(|| runner.run(&steps, |steps| {
            case.set(case.get() + 1);
            tokio::runtime::Handle::current().block_on(house.tell(&format!("bird-{}", case.get()), &steps));
            Ok(())
        }));
        if let Err(error) = result {
            panic!("{error}");
        }
    }
}
