//! Quiet hours and the word of the day, by the member's own clock.

use jiff::SignedDuration;
use jiff::civil::time;
use mostik::domain::telling::{Quiet, Wishes};

use crate::on_both_databases;
use crate::support::database::Database;
use crate::support::receiver::{Receiver, Telling, any_time};
use crate::support::recommendations::said;

async fn at(database: Database, receiver: &Receiver, start: &str) -> Telling {
    let ways = receiver.by_hook(&database, "notice");
    Telling::open(database, &ways, start.parse().unwrap()).await
}

/// Moves the clock minute by minute and tells what is due, until an instant; returns when something was told.
async fn told_until(telling: &Telling, receiver: &Receiver, until: &str) -> Vec<String> {
    let (until, mut told) = (until.parse().unwrap(), Vec::new());
    while telling.bridge.now() < until {
        telling.bridge.clock.advance(SignedDuration::from_mins(15));
        let before = receiver.seen().await.len();
        telling.tell().await;
        if receiver.seen().await.len() > before {
            told.push(telling.bridge.now().to_string());
        }
    }
    told
}

on_both_databases! {
    async fn nobody_is_told_at_night_and_a_night_ends_by_the_clock_on_the_wall(database) {
        let Some(receiver) = Receiver::open().await else { return };
        // The night in which clocks in Berlin are put back: eight in the morning is seven by universal time.
        let telling = at(database, &receiver, "2026-10-24T21:00:00Z").await;
        let sparrow = telling.member("sparrow", "notice", Wishes::default()).await;
        telling.bridge.move_to(&sparrow, "Europe/Berlin").await;
        telling.comes(&sparrow, &said("Walk half an hour")).await;
        telling.tell().await;
        telling.comes(&sparrow, &said("And rest")).await;
        assert_eq!(told_until(&telling, &receiver, "2026-10-25T12:00:00Z").await, ["2026-10-25T07:00:00Z"]);
        assert_eq!(receiver.seen().await.len(), 1, "both in one");
    }
}

on_both_databases! {
    async fn a_night_that_is_an_hour_shorter_ends_an_hour_sooner(database) {
        let Some(receiver) = Receiver::open().await else { return };
        let telling = at(database, &receiver, "2026-03-28T22:00:00Z").await;
        let sparrow = telling.member("sparrow", "notice", Wishes::default()).await;
        telling.bridge.move_to(&sparrow, "Europe/Berlin").await;
        telling.comes(&sparrow, &said("Walk half an hour")).await;
        assert_eq!(told_until(&telling, &receiver, "2026-03-29T12:00:00Z").await, ["2026-03-29T06:00:00Z"]);
    }
}

on_both_databases! {
    async fn once_a_day_everything_is_told_together(database) {
        let Some(receiver) = Receiver::open().await else { return };
        let telling = at(database, &receiver, "2026-11-20T10:00:00Z").await;
        let daily = Wishes { daily: Some(time(18, 0, 0, 0)), ..any_time() };
        let sparrow = telling.member("sparrow", "notice", daily).await;
        telling.bridge.move_to(&sparrow, "Asia/Tokyo").await;
        telling.comes(&sparrow, &said("a")).await;
        telling.tell().await;
        telling.bridge.clock.advance(SignedDuration::from_hours(5));
        telling.comes(&sparrow, &said("bb")).await;
        assert_eq!(told_until(&telling, &receiver, "2026-11-21T20:00:00Z").await, ["2026-11-21T09:00:00Z"]);
        let body: serde_json::Value = serde_json::from_str(receiver.last().await["raw"].as_str().unwrap()).unwrap();
        assert_eq!(body["data"]["subject"], "You have 2 messages");
    }
}

on_both_databases! {
    async fn a_try_that_failed_waits_for_the_end_of_the_night_too(database) {
        let Some(receiver) = Receiver::open().await else { return };
        let telling = at(database, &receiver, "2026-11-20T21:58:00Z").await;
        let quiet = Quiet { from: time(22, 0, 0, 0), until: time(7, 30, 0, 0) };
        let sparrow = telling.member("sparrow", "notice", Wishes { quiet: Some(quiet), ..any_time() }).await;
        receiver.will_answer(serde_json::json!({"hook": [503]})).await;
        telling.comes(&sparrow, &said("Walk half an hour")).await;
        telling.tell().await;
        assert_eq!(receiver.seen().await.len(), 1);
        telling.bridge.clock.advance(SignedDuration::from_mins(2));
        assert_eq!(told_until(&telling, &receiver, "2026-11-21T12:00:00Z").await, ["2026-11-21T07:30:00Z"]);
    }
}
