//! A member says where they are when clinics were told of their days already, which were counted by the usual clock: each entry
//! stands in one summary, once.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::summaries::told;
use crate::on_both_databases;
use crate::support::bridge::{Person, TestBridge, mood};
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::own::at;

/// A member who never said where they are, and shares how they are by days. The usual clock is UTC.
async fn ready(database: Database) -> (TestBridge, Person, Ehr) {
    let ehr = Ehr::sandbox().await;
    let bridge = TestBridge::start(database, &ehr.base).await;
    let member = bridge.person("sparrow", &ehr.patient).await;
    bridge.share(&member, json!({"mood": "daily-summary"})).await;
    (bridge, member, ehr)
}

async fn send(bridge: &TestBridge, id: &str, time: &str, rating: i64) {
    bridge.until(&bridge.now().max(time.parse().unwrap()).to_string()).await;
    assert_eq!(bridge.send(&at(mood(id, "sparrow", rating), time)).await.status, 202);
}

/// What stands in the EHR: of when each summary is, and of how many entries; the earliest first.
async fn stands(ehr: &Ehr) -> Vec<(Timestamp, Timestamp, i64)> {
    let found = ehr.observations().await;
    let standing = found.iter().filter(|found| found["status"] != "entered-in-error");
    let read = |found: &Value| {
        let when = |end: &str| found["effectivePeriod"][end].as_str().unwrap().parse().unwrap();
        let mut components = found["component"].as_array().unwrap().iter();
        let count = components.find(|it| it["code"]["coding"][0]["code"] == "count").unwrap();
        (when("start"), when("end"), count["valueQuantity"]["value"].as_i64().unwrap())
    };
    let mut standing: Vec<_> = standing.map(read).collect();
    standing.sort_unstable();
    standing
}

fn instants(from: &str, until: &str) -> (Timestamp, Timestamp) {
    (from.parse().unwrap(), until.parse().unwrap())
}

on_both_databases! {
    async fn what_stands_in_a_summary_is_not_counted_again_by_the_clock_that_is_named_later(database) {
        let (bridge, member, ehr) = ready(database).await;
        send(&bridge, "1", "2026-11-20T20:00:00Z", 4).await;
        bridge.until("2026-11-21T00:00:00Z").await;
        bridge.deliver_in_time().await;
        assert_eq!(stands(&ehr).await.len(), 1, "the usual day is over");
        bridge.until("2026-11-21T08:00:00Z").await;
        bridge.move_to(&member, "Pacific/Auckland").await;
        send(&bridge, "2", "2026-11-21T10:00:00Z", 2).await;
        bridge.until("2026-11-21T11:00:00Z").await;
        bridge.deliver_in_time().await;
        let (day, rest) = (instants("2026-11-20T00:00:00Z", "2026-11-20T23:59:59Z"), instants("2026-11-21T00:00:00Z", "2026-11-21T10:59:59Z"));
        assert_eq!(stands(&ehr).await, [(day.0, day.1, 1), (rest.0, rest.1, 1)], "it is midnight in Auckland");
        // And what comes late belongs where it would have stood.
        send(&bridge, "3", "2026-11-20T23:00:00Z", 2).await;
        bridge.chores().await;
        bridge.deliver_in_time().await;
        assert_eq!(stands(&ehr).await, [(day.0, day.1, 2), (rest.0, rest.1, 1)]);
    }
}

on_both_databases! {
    async fn what_stands_in_a_summary_stays_there_when_something_comes_late_after_a_clock_was_named(database) {
        let (bridge, member, ehr) = ready(database).await;
        send(&bridge, "early", "2026-11-20T02:00:00Z", 4).await;
        send(&bridge, "1", "2026-11-20T20:00:00Z", 4).await;
        bridge.until("2026-11-21T00:00:00Z").await;
        bridge.deliver_in_time().await;
        bridge.until("2026-11-21T08:00:00Z").await;
        // The early one was made on the evening before, by the clock in New York.
        bridge.move_to(&member, "America/New_York").await;
        send(&bridge, "late", "2026-11-20T15:00:00Z", 1).await;
        bridge.chores().await;
        bridge.deliver_in_time().await;
        let (from, until) = instants("2026-11-20T00:00:00Z", "2026-11-20T23:59:59Z");
        assert_eq!(stands(&ehr).await, [(from, until, 3)]);
    }
}

on_both_databases! {
    async fn as_long_as_nobody_was_told_of_a_day_the_first_clock_counts_for_all_of_them(database) {
        let (bridge, member, _ehr) = ready(database).await;
        assert_eq!(bridge.send(&at(mood("1", "sparrow", 4), "2026-11-19T23:30:00Z")).await.status, 202);
        bridge.move_to(&member, "Europe/Berlin").await;
        bridge.until("2026-11-20T22:59:59Z").await;
        assert!(told(&bridge, &member).await.is_empty(), "it was after midnight in Berlin");
        bridge.until("2026-11-20T23:00:00Z").await;
        assert_eq!(told(&bridge, &member).await,
            ["create 2026-11-20..2026-11-20: 1 entries, mean 4.0, 4 to 4, 0 missing (ready)"]);
    }
}
