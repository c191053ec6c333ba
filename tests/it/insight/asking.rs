//! Clinics ask for questionnaires: those who consented before they did are told, too, and what was forgotten is asked for anew.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::on_both_databases;
use crate::support::bridge::{Person, TestBridge};
use crate::support::concerns::phq9;
use crate::support::database::Database;
use crate::support::receiver::{Receiver, Telling, any_time};

const START: &str = "2026-11-20T12:00:00Z";

fn every(rhythm: &str) -> String {
    format!("[clinics.riverside.questionnaires]\nphq-9 = {rhythm:?}\n")
}

/// A bridge whose clinic asks for this much.
async fn open(database: Database, receiver: &Receiver, asks: &str) -> Telling {
    let ways = receiver.by_hook(&database, "full") + asks;
    Telling::open(database, &ways, START.parse().unwrap()).await
}

/// A member who lets the clinic see their questionnaires, and wants to hear from it at any time.
async fn consenting(telling: &Telling) -> (Person, String) {
    let sparrow = telling.bridge.person("sparrow", "patient-of-sparrow").await;
    telling.wish(&sparrow, any_time()).await;
    (sparrow.clone(), consent(telling, &sparrow).await)
}

async fn consent(telling: &Telling, person: &Person) -> String {
    let terms = json!({"categories": {"questionnaires": "every-entry"}, "way_back": "full"});
    telling.bridge.share_by(person, terms).await
}

/// Another replica that starts now, with other words in its configuration.
async fn started(first: &Telling, after: SignedDuration, asks: (&str, &str)) -> Telling {
    let text = if asks.0.is_empty() {
        format!("{}{}", first.bridge.config, asks.1)
    } else {
        assert!(first.bridge.config.contains(asks.0));
        first.bridge.config.replace(asks.0, asks.1)
    };
    let now: Timestamp = first.bridge.now().checked_add(after).unwrap();
    Telling::before(TestBridge::start_at(Database::at(&first.bridge.database.url), &text, now).await)
}

/// What the time brings about.
async fn tend(telling: &Telling) {
    telling.bridge.chores().await;
    telling.tell().await;
}

async fn later(telling: &Telling, days: i64) {
    telling.bridge.clock.advance(SignedDuration::from_hours(24 * days));
    tend(telling).await;
}

/// The member fills it in now.
async fn fill_in(telling: &Telling, id: &str) {
    let mut filled_in = phq9(id, "sparrow", 0);
    filled_in["time"] = json!(telling.bridge.now().to_string());
    assert_eq!(telling.bridge.send(&filled_in).await.status, 202);
    tend(telling).await;
}

/// How many members are to be looked at now.
async fn waiting(telling: &Telling) -> usize {
    let mut tx = telling.bridge.bridge.store.read().await.unwrap();
    tx.members_to_look_after(telling.bridge.now(), 100).await.unwrap().len()
}

on_both_databases! {
    async fn whoever_consented_before_their_clinic_asked_is_told_once(database) {
        let Some(receiver) = Receiver::open().await else { return };
        let old = open(database, &receiver, "").await;
        let (sparrow, _) = consenting(&old).await;
        tend(&old).await;
        assert_eq!(receiver.seen().await.len(), 0, "nobody asks");
        // Replicas are replaced one by one: the last of the old ones still looks at the member, and finds nothing.
        let asks = every("P2W");
        started(&old, SignedDuration::ZERO, ("", &asks)).await;
        tend(&old).await;
        let next = || Box::pin(started(&old, SignedDuration::from_hours(1), ("", &asks)));
        let (one, other) = futures_util::future::join(next(), next()).await;
        tend(&one).await;
        tend(&other).await;
        assert_eq!(receiver.seen().await.len(), 1);
        old.wish(&sparrow, any_time()).await;
        tend(&old).await;
        tend(&next().await).await;
        assert_eq!(receiver.seen().await.len(), 1, "also when one looks at them meanwhile that asks nobody");
        for day in 1..=3 {
            tend(&started(&old, SignedDuration::from_hours(24 * day), ("", &asks)).await).await;
        }
        assert_eq!(receiver.seen().await.len(), 1, "however often it starts");
    }
}

on_both_databases! {
    async fn a_start_has_members_looked_at_only_if_their_clinic_asks_for_something_else_and_they_are_told_when_that_is_due(database) {
        let Some(receiver) = Receiver::open().await else { return };
        let two_weeks = every("P2W");
        let old = open(database, &receiver, &two_weeks).await;
        consenting(&old).await;
        tend(&old).await;
        fill_in(&old, "1").await;
        later(&old, 2).await;
        assert_eq!((receiver.seen().await.len(), waiting(&old).await), (1, 0));
        let same = started(&old, SignedDuration::ZERO, (&two_weeks, &two_weeks)).await;
        assert_eq!(waiting(&same).await, 0);
        let new = started(&old, SignedDuration::ZERO, (&two_weeks, &every("P1W"))).await;
        assert_eq!(waiting(&new).await, 1);
        tend(&new).await;
        later(&new, 4).await;
        assert_eq!(receiver.seen().await.len(), 1);
        later(&new, 1).await;
        assert_eq!(receiver.seen().await.len(), 2, "a week after it was filled in");
        let none = started(&new, SignedDuration::from_hours(48), (&every("P1W"), "")).await;
        assert_eq!(waiting(&none).await, 0, "nobody is told that nobody asks");
        let again = started(&new, SignedDuration::from_hours(48), (&every("P1W"), &every("P1W"))).await;
        assert_eq!(waiting(&again).await, 1, "that it asks again is news");
    }
}

on_both_databases! {
    async fn whoever_consents_anew_is_told_also_when_what_they_filled_in_is_forgotten(database) {
        let Some(receiver) = Receiver::open().await else { return };
        let telling = open(database, &receiver, &every("P2W")).await;
        let (sparrow, grant) = consenting(&telling).await;
        tend(&telling).await;
        fill_in(&telling, "1").await;
        later(&telling, 6).await;
        assert_eq!(receiver.seen().await.len(), 1);
        telling.bridge.change_grant(&sparrow, &grant, "revoke").await;
        tend(&telling).await;
        assert!(telling.bridge.readings(&sparrow).await.is_empty(), "it is forgotten");
        later(&telling, 30).await;
        assert_eq!(receiver.seen().await.len(), 1, "nobody may ask");
        let grant = consent(&telling, &sparrow).await;
        tend(&telling).await;
        assert_eq!(receiver.seen().await.len(), 2);
        for how in ["pause", "resume"] {
            telling.bridge.change_grant(&sparrow, &grant, how).await;
            later(&telling, 20).await;
        }
        assert_eq!(receiver.seen().await.len(), 2, "whoever does not answer is left in peace, also after a pause");
        let terms = json!({"categories": {"questionnaires": "every-entry", "mood": "every-entry"}, "way_back": "full"});
        telling.bridge.change_terms(&sparrow, &grant, terms).await;
        later(&telling, 1).await;
        assert_eq!(receiver.seen().await.len(), 2, "and when they share something more");
        telling.bridge.change_grant(&sparrow, &grant, "revoke").await;
        tend(&telling).await;
        consent(&telling, &sparrow).await;
        tend(&telling).await;
        assert_eq!(receiver.seen().await.len(), 3, "a consent given anew is another time");
    }
}
