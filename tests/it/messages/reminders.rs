//! A questionnaire that a clinic asks for from time to time: the member is told when it is due, by the ways they chose.

use jiff::SignedDuration;
use mostik::domain::questionnaire::Instrument;
use mostik::domain::telling::{Subject, Wishes};
use mostik::insight::due::leave_out;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::bridge::Person;
use crate::support::concerns::phq9;
use crate::support::database::Database;
use crate::support::receiver::{Receiver, Telling, any_time};

const ASKS: &str = "[clinics.riverside.questionnaires]\nphq-9 = \"P2W\"\n";

/// A member in Tokyo, who is asked for PHQ-9.
async fn asked(database: Database, receiver: &Receiver, way_back: &str, wishes: Wishes) -> (Telling, Person) {
    let ways = receiver.by_hook(&database, "full") + ASKS;
    // Half past six in the morning in Tokyo.
    let telling = Telling::open(database, &ways, "2026-11-20T21:30:00Z".parse().unwrap()).await;
    let sparrow = telling.bridge.person("sparrow", "patient-of-sparrow").await;
    telling.bridge.move_to(&sparrow, "Asia/Tokyo").await;
    telling.wish(&sparrow, wishes).await;
    let terms = json!({"categories": {"questionnaires": "every-entry"}, "way_back": way_back});
    telling.bridge.share_by(&sparrow, terms).await;
    (telling, sparrow)
}

impl Telling {
    /// Time goes by, and with it whatever it brings about.
    async fn later(&self, hours: i64) {
        self.bridge.clock.advance(SignedDuration::from_hours(hours));
        self.bridge.chores().await;
        self.tell().await;
    }
}

async fn left_out(telling: &Telling, person: &Person) {
    let mut tx = telling.bridge.bridge.store.begin().await.unwrap();
    assert!(leave_out(&telling.bridge.bridge, &mut tx, person.id, Instrument::Phq9).await.unwrap());
    tx.commit().await.unwrap();
}

on_both_databases! {
    async fn whoever_is_asked_is_told_once_each_time_in_their_hours_and_nothing_about_it(database) {
        let Some(receiver) = Receiver::open().await else { return };
        let (telling, sparrow) = asked(database, &receiver, "full", Wishes::default()).await;
        telling.later(0).await;
        assert_eq!(receiver.seen().await.len(), 0, "it is early in the morning");
        telling.later(2).await;
        assert_eq!(receiver.seen().await.len(), 1);
        let letter = receiver.last().await;
        let body: Value = serde_json::from_str(letter["raw"].as_str().unwrap()).unwrap();
        assert_eq!((&body["data"]["subject"], &body["data"]["url"]), (&json!("You have a message"), &json!("https://mostik.example/messages")));
        for canary in ["PHQ", "phq", "uestionnaire", "Riverside"] {
            assert!(!letter.to_string().contains(canary), "{canary}: {letter}");
        }
        for _ in 0..20 {
            // However often they are looked after.
            telling.wish(&sparrow, Wishes::default()).await;
            telling.later(24).await;
        }
        assert_eq!(receiver.seen().await.len(), 1, "whoever does not answer is left in peace");
        left_out(&telling, &sparrow).await;
        telling.later(24 * 13).await;
        assert_eq!(receiver.seen().await.len(), 1);
        telling.later(24).await;
        assert_eq!(receiver.seen().await.len(), 2, "two weeks after it was left out");
        let mut filled_in = phq9("1", "sparrow", 0);
        filled_in["time"] = json!(telling.bridge.now().to_string());
        assert_eq!(telling.bridge.send(&filled_in).await.status, 202);
        telling.later(24 * 13).await;
        assert_eq!(receiver.seen().await.len(), 2);
        telling.later(24).await;
        assert_eq!(receiver.seen().await.len(), 3, "two weeks after it was filled in");
    }
}

on_both_databases! {
    async fn nobody_is_reminded_who_does_not_want_to_be_or_who_lets_nothing_come_back(database) {
        let Some(receiver) = Receiver::open().await else { return };
        let silent = Wishes { silent: [Subject::Questionnaire].into(), ..any_time() };
        let other = if database.is_sqlite() { Database::sqlite() } else { Database::postgres().await.unwrap() };
        for (database, way_back, wishes) in [(database, "none", any_time()), (other, "full", silent)] {
            let (telling, _) = asked(database, &receiver, way_back, wishes).await;
            telling.later(2).await;
            assert_eq!((receiver.seen().await.len(), telling.open_tellings().await), (0, 0), "{way_back}");
        }
    }
}

on_both_databases! {
    async fn what_was_filled_in_before_anybody_could_say_so_is_not_asked_for_any_more(database) {
        let Some(receiver) = Receiver::open().await else { return };
        let (telling, _) = asked(database, &receiver, "full", Wishes::default()).await;
        telling.later(0).await;
        assert_eq!(telling.open_tellings().await, 1, "it waits for the morning");
        let mut filled_in = phq9("1", "sparrow", 0);
        filled_in["time"] = json!(telling.bridge.now().to_string());
        assert_eq!(telling.bridge.send(&filled_in).await.status, 202);
        telling.later(2).await;
        assert_eq!((receiver.seen().await.len(), telling.open_tellings().await), (0, 0));
    }
}
