//! A database that takes nothing more: the caller is told, nothing is half stored, and the work goes on afterwards.

use std::time::Duration;

use jiff::SignedDuration;
use mostik::domain::delivery::DeliveryState;
use reqwest::Method;
use rustix::process::{Resource, Rlimit, prlimit};
use serde_json::Value;

use super::scene::{MOODS, Scene, assert_all_once, assert_told_to_try_later, queue, queue_of};
use crate::on_both_databases;
use crate::support::bridge::mood;
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::proxy::Proxy;
use crate::support::server::{Running, Server, moment};

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
        let moods: Value = (0..MOODS).map(|n| mood(&n.to_string(), "sparrow", 3)).collect();
        assert_told_to_try_later(&scene.bridge.send(&moods).await);
        assert_eq!(scene.bridge.traces(&scene.member).await, 0, "{table}: nothing is half stored");
        assert!(queue(&scene.bridge).await.is_empty());
        make_room(&scene.bridge.database, table).await;
        scene.report().await;
        scene.all_arrive_once().await;
    }
}

/// How many bytes of a file a process may write.
fn limit(running: &Running<'_>, bytes: Option<u64>) {
    prlimit(Some(running.pid()), Resource::Fsize, Rlimit { current: bytes, maximum: None }).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_without_room_for_a_sqlite_file_is_a_time_to_wait() {
    let (database, ehr) = (Database::sqlite(), Ehr::without_conditional_create().await);
    let proxy = Proxy::before(&ehr.base);
    let mut server = Server::prepare_at(&database, &proxy.base, &ehr.patient).await;
    // The signal that a full disk does not send.
    server.before = "trap '' XFSZ;";
    let running = server.start(None).await;
    assert!(running.grant(&server).await);
    let moods: Value = (0..200).map(|n| mood(&n.to_string(), &server.handle, 3)).collect();
    limit(&running, Some(1));
    let sent = running.call(Method::POST, "/v1/events", &server.api_key, Some(&moods)).await.unwrap();
    assert_told_to_try_later(&sent);
    assert!(queue_of(&server.config).await.is_empty(), "nothing is half stored");
    limit(&running, None);
    let sent = running.send(&server, &moods).await.unwrap();
    assert!(sent.json["results"].as_array().unwrap().iter().all(|result| result["status"] == "accepted"));

    // And in the middle of the work.
    while proxy.posts() < 20 {
        moment().await;
    }
    limit(&running, Some(1));
    let before = proxy.requests();
    // A lease and more, and as many looks for work as there are seconds.
    tokio::time::timeout(Duration::from_secs(5), std::future::pending::<()>()).await.unwrap_err();
    let made = proxy.requests() - before;
    assert!(made <= 20, "{made} requests are a busy loop");
    limit(&running, None);
    running.wait_until_idle(&server).await;
    assert_all_once(&ehr, 200).await;
    assert!(proxy.posts() <= 200, "nothing was sent a second time");
}
