//! Whatever is reported, changed and deleted, while the detail goes to and fro, consent is paused and resumed, and days go
//! by: nothing arrives twice, nothing that may be told is lost, and what a summary says is what a count by hand says.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::bridge::{Person, TestBridge, correcting, mood, retraction};
use crate::support::database::Database;
use crate::support::ehr::{Ehr, create_patient, identifier, observations};

const DETAILS: [&str; 3] = ["every-entry", "daily-summary", "weekly-summary"];

/// How many entries a history is about.
const ENTRIES: usize = 4;

/// What happens next. Hours are how long ago an entry was made.
#[derive(Clone, Debug)]
enum Step {
    Report(usize, i64, i64),
    Correct(usize, i64, i64),
    Retract(usize),
    Share(usize),
    Pause,
    Wait(i64),
    Deliver,
}

fn any_step() -> impl Strategy<Value = Step> {
    let (entry, rating, hours) = (|| 0..ENTRIES, || 1i64..=5, || 0i64..80);
    prop_oneof![
        6 => (entry(), rating(), hours()).prop_map(|(entry, rating, hours)| Step::Report(entry, rating, hours)),
        4 => (entry(), rating(), hours()).prop_map(|(entry, rating, hours)| Step::Correct(entry, rating, hours)),
        2 => entry().prop_map(Step::Retract),
        3 => (0..DETAILS.len()).prop_map(Step::Share),
        2 => Just(Step::Pause),
        4 => (1i64..60).prop_map(Step::Wait),
        4 => Just(Step::Deliver),
    ]
}

struct House {
    bridge: TestBridge,
    ehr: Ehr,
}

/// A member's story so far, as they know it themselves.
struct Story<'a> {
    house: &'a House,
    person: Person,
    patient: String,
    grant: String,
    /// What they would say they noted down: when, and how they rated it.
    view: BTreeMap<usize, (Timestamp, i64)>,
    /// Deleted while the clinic could not be told.
    unsaid: BTreeSet<usize>,
    detail: usize,
    is_paused: bool,
    turn: usize,
}

impl House {
    async fn open(database: Database) -> Self {
        let ehr = Ehr::sandbox().await;
        Self { bridge: TestBridge::start(database, &ehr.base).await, ehr }
    }

    async fn tell(&self, handle: &str, steps: &[Step]) {
        let patient = create_patient(&self.ehr.base).await;
        let person = self.bridge.person(handle, &patient).await;
        self.bridge.move_to(&person, "Europe/Berlin").await;
        let grant = self.bridge.share(&person, json!({"mood": DETAILS[0]})).await;
        let (view, unsaid) = (BTreeMap::new(), BTreeSet::new());
        let mut story =
            Story { house: self, person, patient, grant, view, unsaid, detail: 0, is_paused: false, turn: 0 };
        for step in steps {
            let singles = story.singles().await;
            story.step(step).await;
            self.bridge.chores().await;
            if story.detail != 0 {
                let now = story.singles().await;
                assert!(now.is_subset(&singles), "an entry went by itself although only summaries may");
            }
        }
        story.end().await;
    }
}

impl Story<'_> {
    async fn step(&mut self, step: &Step) {
        self.turn += 1;
        let bridge = &self.house.bridge;
        let handle = self.person.handle.clone();
        let first = |entry: usize| format!("{handle}-{entry}");
        let new = format!("{handle}-turn-{}", self.turn);
        match step {
            Step::Report(entry, rating, hours) => {
                let (event, at) = self.event(&first(*entry), *rating, *hours);
                if self.send(&event).await == "accepted" {
                    self.view.insert(*entry, (at, *rating));
                }
            }
            Step::Correct(entry, rating, hours) => {
                let (event, at) = self.event(&new, *rating, *hours);
                if ["accepted", "corrected"].contains(&self.send(&correcting(event, &first(*entry))).await.as_str()) {
                    self.view.insert(*entry, (at, *rating));
                }
            }
            Step::Retract(entry) => {
                let event = retraction(&new, &self.person.handle, &first(*entry));
                let became = self.send(&event).await;
                if self.view.remove(entry).is_some() && became == "refused" {
                    self.unsaid.insert(*entry);
                }
            }
            Step::Share(detail) => {
                self.detail = *detail;
                bridge.change_terms(&self.person, &self.grant, json!({"categories": {"mood": DETAILS[*detail]}})).await;
            }
            Step::Pause => {
                self.is_paused = !self.is_paused;
                let how = if self.is_paused { "pause" } else { "resume" };
                assert_eq!(bridge.change_grant(&self.person, &self.grant, how).await.status, 200);
            }
            Step::Wait(hours) => bridge.clock.advance(SignedDuration::from_hours(*hours)),
            Step::Deliver => bridge.deliver().await,
        }
    }

    fn event(&self, id: &str, rating: i64, hours: i64) -> (Value, Timestamp) {
        let at = self.house.bridge.now().checked_sub(SignedDuration::from_hours(hours)).unwrap();
        let mut event = mood(id, &self.person.handle, rating);
        event["time"] = json!(at.to_string());
        (event, at)
    }

    async fn send(&self, event: &Value) -> String {
        let got = self.house.bridge.send(&json!([event])).await;
        got.json["results"][0]["status"].as_str().unwrap().to_owned()
    }

    async fn charted(&self) -> Vec<Value> {
        observations(&self.house.ehr.base, &self.patient).await
    }

    /// The single entries that the clinic has.
    async fn singles(&self) -> BTreeSet<String> {
        let charted = self.charted().await;
        charted.iter().filter(|it| it.get("effectiveDateTime").is_some()).map(identifier).collect()
    }

    async fn end(mut self) {
        if self.is_paused {
            self.step(&Step::Pause).await;
        }
        let bridge = &self.house.bridge;
        bridge.chores().await;
        bridge.deliver().await;
        bridge.clock.advance(SignedDuration::from_hours(8 * 24));
        // What a desk withdraws because it is too fine is summarised afterwards.
        for _ in 0..2 {
            bridge.chores().await;
            bridge.deliver().await;
        }
        assert_eq!(bridge.open_items().await, 0);
        let charted = self.charted().await;
        let identifiers: BTreeSet<String> = charted.iter().map(identifier).collect();
        assert_eq!(identifiers.len(), charted.len(), "nothing arrives twice");
        let valid: Vec<&Value> = charted.iter().filter(|it| it["status"] != "entered-in-error").collect();
        let mut told: BTreeSet<usize> = BTreeSet::new();
        for resource in &valid {
            match resource["effectiveDateTime"].as_str() {
                Some(at) => told.extend(self.entry_of(at.parse().unwrap(), &resource["valueQuantity"]["value"])),
                None => told.extend(self.counted(resource)),
            }
        }
        let lost: Vec<&usize> = self.view.keys().filter(|entry| !told.contains(entry)).collect();
        assert!(lost.is_empty(), "{lost:?} of {:?} lost: {charted:#?}", self.view);
    }

    /// The entry that a resource tells of by itself: it must read as it reads now.
    fn entry_of(&self, at: Timestamp, value: &Value) -> Option<usize> {
        let found = self.view.iter().find(|(_, known)| (known.0, json!(known.1)) == (at, value.clone()));
        // Whoever deletes an entry while nobody may be told has to do so again.
        assert!(found.is_some() || !self.unsaid.is_empty(), "{at} {value} is not in {:?}", self.view);
        found.map(|(entry, _)| *entry)
    }

    /// The entries that a summary is made of, after it was compared with a count by hand.
    fn counted(&self, summary: &Value) -> Vec<usize> {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let date = |at: Timestamp| zone.to_datetime(at).date();
        let day = |name: &str| date(summary["effectivePeriod"][name].as_str().unwrap().parse().unwrap());
        let (first, last) = (day("start"), day("end"));
        let within: Vec<(usize, i64)> = self
            .view
            .iter()
            .filter(|(_, (at, _))| first <= date(*at) && date(*at) <= last)
            .map(|(entry, (_, rating))| (*entry, *rating))
            .collect();
        let number = |code: &str| {
            let found =
                summary["component"].as_array().unwrap().iter().find(|it| it["code"]["coding"][0]["code"] == code);
            found.unwrap()["valueQuantity"]["value"].clone()
        };
        assert_eq!(number("count"), json!(within.len()), "{first} to {last} of {:?}: {summary:#}", self.view);
        let (sum, count) =
            (within.iter().map(|(_, rating)| *rating).sum::<i64>(), i64::try_from(within.len()).unwrap());
        let hundredths = number("average").to_string().parse::<f64>().unwrap() * 100.0;
        let off = (hundredths * f64::from(i32::try_from(count).unwrap())
            - f64::from(i32::try_from(sum * 100).unwrap()))
        .abs();
        assert!(off <= f64::from(i32::try_from(count).unwrap()) * 0.5 + 1e-6, "{hundredths} for {sum} of {count}");
        let lowest = within.iter().map(|(_, rating)| *rating).min().unwrap();
        assert_eq!(number("minimum"), json!(lowest));
        within.into_iter().map(|(entry, _)| entry).collect()
    }
}

on_both_databases! {
    async fn nothing_is_told_twice_and_nothing_is_lost_whatever_the_detail_was(database) {
        let house = House::open(database).await;
        // A case takes about a hundred requests: a tenth of what PROPTEST_CASES asks for, which is 256 unless it is set.
        let cases = Config::default().cases / 10;
        let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
        let case = std::cell::Cell::new(0);
        let steps = prop::collection::vec(any_step(), 1..24);
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
