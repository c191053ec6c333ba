//! Clocks that are moved by a day, on the only bridge or on one of two that share a database.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::SignedDuration;
use mostik::domain::delivery::DeliveryState::{Retry, Unknown};
use serde_json::Value;

use super::scene::{Scene, queue};
use crate::on_both_databases;
use crate::support::bridge::{TestBridge, mood};
use crate::support::database::Database;
use crate::support::ehr::{create_patient, identifier};
use crate::support::proxy::{Fault, On};

const A_DAY: SignedDuration = SignedDuration::from_hours(24);
const A_DAY_BACK: SignedDuration = SignedDuration::from_hours(-24);

on_both_databases! {
    async fn a_clock_that_is_set_a_day_ahead_makes_nothing_twice(database) {
        let scene = Scene::new(database).await;
        scene.proxy.strike(On::Every, Fault::LostAnswer);
        scene.is_seen_as(Unknown, "no-answer").await;
        scene.bridge.clock.advance(A_DAY);
        scene.an_hour_later(Unknown, "no-answer").await;
        scene.proxy.heal();
        scene.all_arrive_once().await;
    }
}

on_both_databases! {
    async fn a_clock_that_is_set_a_day_back_makes_nothing_twice_and_loses_nothing(database) {
        let scene = Scene::new(database).await;
        scene.proxy.strike(On::Every, Fault::LostAnswer);
        scene.is_seen_as(Unknown, "no-answer").await;
        scene.bridge.clock.advance(A_DAY_BACK);
        scene.an_hour_later(Unknown, "no-answer").await;
        scene.proxy.heal();
        scene.an_hour_later(Unknown, "no-answer").await;
        // What is due tomorrow is done tomorrow.
        scene.bridge.clock.advance(A_DAY);
        scene.all_arrive_once().await;
    }
}

on_both_databases! {
    async fn a_clock_that_is_set_back_and_right_again_does_not_stop_what_is_new(database) {
        let scene = Scene::new(database).await;
        scene.bridge.clock.advance(A_DAY_BACK);
        scene.come_to_rest().await;
        scene.bridge.clock.advance(A_DAY);
        scene.report().await;
        scene.come_to_rest().await;
        scene.all_arrive_once().await;
    }
}

/// Two bridges share a database, and the clock of one is off. Both take moods in and both deliver, while the EHR loses
/// every third answer.
async fn two_bridges(database: Database, off_by: SignedDuration) {
    const BIRDS: usize = 4;
    const EACH: usize = 15;
    let scene = Scene::new(database).await;
    let right = &scene.bridge;
    let wrong = right.beside(off_by).await;
    // Whoever is behind takes the consent, so that it is in force by both clocks.
    let behind = if off_by.is_negative() { &wrong } else { right };
    for bird in 0..BIRDS {
        let handle = format!("bird-{bird}");
        let patient = create_patient(&scene.ehr.base).await;
        let member = behind.person(&handle, &patient).await;
        behind.grant(&member, &["mood"]).await;
    }
    for (half, bridge) in [right, &wrong].into_iter().enumerate() {
        let moods = (0..BIRDS * EACH).filter(|n| n % 2 == half).map(lived_earlier);
        assert_eq!(bridge.send(&moods.collect()).await.status, 200);
    }
    scene.proxy.strike_times(20, On::Posts, Fault::LostAnswer);
    let mut minutes = 0;
    while right.open_items().await > 0 {
        // Work may end early, when the other one believes that a lease has run out.
        let _ended = tokio::join!(right.try_deliver(), wrong.try_deliver());
        for bridge in [right, &wrong] {
            bridge.clock.advance(SignedDuration::from_mins(1));
        }
        minutes += 1;
        assert!(minutes <= 26 * 60, "not done after a day: {:?}", queue(right).await);
    }
    let charted = scene.ehr.sandbox.as_ref().unwrap().resources("Observation");
    let identifiers: BTreeSet<String> = charted.iter().map(identifier).collect();
    assert_eq!(identifiers.len(), charted.len(), "nothing twice");
    assert_eq!(charted.len(), BIRDS * EACH, "nothing lost");
    assert_eq!(scene.proxy.struck(), 20);
    let lines = queue(right).await;
    assert!(lines.len() == 1 && lines[0].state == "confirmed" && lines[0].items == BIRDS * EACH, "{lines:?}");
    // Two requests for each, two more for each whose fate was unknown, and what an EHR is asked once a minute.
    let most = BIRDS * EACH * 4 + minutes;
    assert!(scene.proxy.requests() as usize <= most, "{} requests in {minutes} minutes", scene.proxy.requests());
}

/// A mood, lived two days before the test begins.
fn lived_earlier(n: usize) -> Value {
    let mut mood = mood(&n.to_string(), &format!("bird-{}", n % 4), 3);
    mood["time"] = "2026-11-18T10:00:00Z".into();
    mood
}

on_both_databases! {
    async fn one_of_two_bridges_is_a_day_ahead_and_nothing_is_lost_or_sent_twice(database) {
        Box::pin(two_bridges(database, A_DAY)).await;
    }
}

on_both_databases! {
    async fn one_of_two_bridges_is_a_day_behind_and_nothing_is_lost_or_sent_twice(database) {
        Box::pin(two_bridges(database, A_DAY_BACK)).await;
    }
}

/// A request is under way, and a bridge whose clock is ahead believes that its lease has run out.
async fn overtaken(database: Database) {
    let scene = Scene::new(database).await;
    scene.report().await;
    let ahead = scene.bridge.beside(A_DAY).await;
    scene.proxy.strike_times(1, On::Posts, Fault::Late(Duration::from_millis(500)));
    let working = scene.bridge.deliver_aside();
    while scene.proxy.posts() == 0 {
        tokio::task::yield_now().await;
    }
    let _ended = ahead.try_deliver().await;
    let _lost_its_lease = working.await.unwrap();
    for bridge in [&scene.bridge, &ahead] {
        bridge.clock.advance(SignedDuration::from_mins(1));
    }
    ahead.deliver_in_time().await;
    scene.all_arrive_once().await;
}

on_both_databases! {
    async fn a_bridge_that_is_a_day_ahead_takes_over_what_is_under_way_and_does_not_send_it_again(database) {
        Box::pin(overtaken(database)).await;
    }
}

/// What waits when consent is taken back is not sent by a bridge whose clock is off either.
async fn revoked(database: Database, off_by: SignedDuration) {
    let scene = Scene::new(database).await;
    scene.proxy.strike(On::Every, Fault::Instead("503 Service Unavailable", "retry-after: 60\r\n", ""));
    scene.is_seen_as(Retry, "http-503").await;
    assert_eq!(scene.bridge.change_grant(&scene.member, &scene.grant, "revoke").await.status, 200);
    scene.proxy.heal();
    let wrong: TestBridge = scene.bridge.beside(off_by).await;
    for _ in 0..10 {
        wrong.deliver().await;
        scene.bridge.deliver().await;
        for bridge in [&scene.bridge, &wrong] {
            bridge.clock.advance(SignedDuration::from_hours(6));
        }
    }
    assert_eq!(scene.ehr.observations().await.len(), 0);
    let lines = queue(&scene.bridge).await;
    assert!(lines.iter().all(|line| line.items == 0 || line.state == "withdrawn"), "{lines:?}");
}

on_both_databases! {
    async fn a_revocation_holds_on_a_bridge_that_is_a_day_ahead(database) {
        Box::pin(revoked(database, A_DAY)).await;
    }
}

on_both_databases! {
    async fn a_revocation_holds_on_a_bridge_that_is_a_day_behind(database) {
        Box::pin(revoked(database, A_DAY_BACK)).await;
    }
}
