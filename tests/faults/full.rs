//! A database that takes nothing more: the caller is told, nothing is half stored, and the work goes on afterwards.

use jiff::SignedDuration;
use mostik::domain::delivery::DeliveryState;

use super::scene::{MOODS, Scene, assert_told_to_try_later, queue};
use crate::on_both_databases;
use crate::support::database::Database;

/// From now on the database refuses this, as it does when its disk is full (SQLSTATE 53100). SQLite's triggers cannot
/// say that it is for want of space; the full disk itself follows below.
async fn fill_up(database: &Database, what: &str, table: &str) {
    let statements = if database.is_sqlite() {
        format!("CREATE TRIGGER full BEFORE {what} ON {table} BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    } else {
        format!(
            "CREATE FUNCTION no_space() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'no space left on device' USING ERRCODE = '53100'; END $$; \
             CREATE TRIGGER full BEFORE {what} ON {table} FOR EACH ROW EXECUTE FUNCTION no_space()"
        )
    };
    database.run(&statements.replace(" full ", " no_room ")).await;
}

/// There is room again.
async fn make_room(database: &Database, table: &str) {
    let of_table = if database.is_sqlite() { String::new() } else { format!(" ON {table}") };
    database.run(&format!("DROP TRIGGER no_room{of_table}")).await;
}

/// The work stops at `what`, and goes on once there is room.
async fn work_stops_and_goes_on(database: Database, what: &str, table: &str, most: u32) {
    let scene = Scene::new(database).await;
    scene.report().await;
    fill_up(&scene.bridge.database, what, table).await;
    // Two leases and more, and the clock stands still at first.
    for second in 0..20 {
        assert!(scene.bridge.try_deliver().await.is_err() || second > 0, "the failure is not hidden");
        if second > 2 {
            scene.bridge.clock.advance(SignedDuration::from_secs(1));
        }
    }
    let made = scene.proxy.requests();
    assert!(made <= most, "{made} requests are a busy loop");
    assert_eq!(scene.bridge.count(DeliveryState::Confirmed).await, 0);
    let lines = queue(&scene.bridge).await;
    assert_eq!(lines.iter().map(|line| line.items).sum::<usize>(), MOODS, "{lines:?}");
    make_room(&scene.bridge.database, table).await;
    scene.all_arrive_once().await;
    assert!(scene.proxy.posts() as usize <= MOODS, "nothing was sent a second time");
}

on_both_databases! {
    async fn when_it_cannot_be_noted_that_a_request_goes_out_none_does(database) {
        // Only the question what the EHR can do.
        work_stops_and_goes_on(database, "UPDATE", "outbox", 3).await;
    }
}

on_both_databases! {
    async fn when_it_cannot_be_noted_what_an_ehr_confirmed_it_is_searched_for(database) {
        work_stops_and_goes_on(database, "INSERT", "ledger", 25).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_intake_without_room_for_all_of_it_stores_none_of_it_and_says_when_to_come_back() {
    for table in ["events", "lanes", "outbox"] {
        let Some(database) = Database::postgres().await else { return };
        let scene = Scene::new(database).await;
        fill_up(&scene.bridge.database, "INSERT", table).await;
        let moods: serde_json::Value =
            (0..MOODS).map(|n| crate::support::bridge::mood(&n.to_string(), "sparrow", 3)).collect();
        assert_told_to_try_later(&scene.bridge.send(&moods).await);
        assert_eq!(scene.bridge.traces(&scene.member).await, 0, "{table}: nothing is half stored");
        assert!(queue(&scene.bridge).await.is_empty());
        make_room(&scene.bridge.database, table).await;
        scene.report().await;
        scene.all_arrive_once().await;
    }
}
