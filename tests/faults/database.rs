//! Between the bridge and its database: commits whose answers are lost, a restart in the middle of the work, a lock that
//! somebody else holds.

use std::time::Duration;

use jiff::SignedDuration;
use mostik::domain::delivery::DeliveryState;
use reqwest::{Method, Url};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection, SqliteConnection};

use super::scene::{Scene, assert_all_once, assert_told_to_try_later, queue};
use crate::support::bridge::{TestBridge, mood};
use crate::support::database::Database;
use crate::support::ehr::{Ehr, create_patient, observations};
use crate::support::http;
use crate::support::proxy::Proxy;
use crate::support::server::{Running, Server, moment};
use crate::support::tunnel::{Breaks, Tunnel};

/// Runs a test whose bridge finds PostgreSQL through a tunnel.
async fn through_a_tunnel(test: impl AsyncFnOnce(Scene, Tunnel)) {
    let Some(database) = Database::postgres().await else { return };
    let (tunnel, database) = Tunnel::to(database);
    let scene = Scene::new(database).await;
    Box::pin(test(scene, tunnel)).await;
}

/// Works although the database fails now and then, second by second, until the outbox is empty.
async fn deliver_whatever_happens(bridge: &TestBridge) {
    for _ in 0..3600 {
        let worked = bridge.try_deliver().await;
        if worked.is_ok() && bridge.open_items().await == 0 {
            return;
        }
        bridge.clock.advance(SignedDuration::from_secs(1));
    }
    panic!("the outbox is not empty after an hour: {:?}", bridge.counts().await);
}

/// Moods of one member.
fn moods(handle: &str, count: usize) -> Value {
    (0..count).map(|n| mood(&format!("{handle}-{n}"), handle, 3)).collect()
}

/// Breaks one commit of a worker after the other, each time with another member, until there are no more to break.
async fn at_each_commit_of_a_worker(scene: Scene, tunnel: Tunnel, breaks: Breaks) {
    for nth in 1.. {
        let handle = format!("bird-{nth}");
        let patient = create_patient(&scene.ehr.base).await;
        let member = scene.bridge.person(&handle, &patient).await;
        scene.bridge.grant(&member, &["mood"]).await;
        assert_eq!(scene.bridge.send(&moods(&handle, 3)).await.status, 200);
        let (broke, posts) = (tunnel.broke(), scene.proxy.posts());
        tunnel.break_at(nth, breaks);
        deliver_whatever_happens(&scene.bridge).await;
        let charted = observations(&scene.ehr.base, &patient).await;
        assert_eq!(charted.len(), 3, "commit {nth} of a worker was lost: nothing lost, nothing twice");
        assert!(scene.proxy.posts() - posts <= 3, "nothing was sent a second time");
        assert_eq!(scene.bridge.count(DeliveryState::Confirmed).await, 3 * i64::from(nth));
        if tunnel.broke() == broke {
            assert!(nth > 3, "there is a commit before and one after each request");
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_of_a_worker_that_is_made_and_not_heard_of_doubles_and_loses_nothing() {
    through_a_tunnel(async |scene, tunnel| at_each_commit_of_a_worker(scene, tunnel, Breaks::AfterCommit).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_of_a_worker_that_is_never_made_doubles_and_loses_nothing() {
    through_a_tunnel(async |scene, tunnel| at_each_commit_of_a_worker(scene, tunnel, Breaks::BeforeCommit).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_intake_whose_commit_is_not_heard_of_is_told_to_try_again_and_may() {
    through_a_tunnel(async |scene, tunnel| {
        for (breaks, then) in [(Breaks::BeforeCommit, "accepted"), (Breaks::AfterCommit, "duplicate")] {
            let handle = format!("bird-{then}");
            let patient = create_patient(&scene.ehr.base).await;
            let member = scene.bridge.person(&handle, &patient).await;
            scene.bridge.grant(&member, &["mood"]).await;
            tunnel.break_at(1, breaks);
            assert_told_to_try_later(&scene.bridge.send(&moods(&handle, 3)).await);
            let again = scene.bridge.send(&moods(&handle, 3)).await;
            let expected: Value = (0..3).map(|_| json!({"status": then})).collect();
            assert_eq!(again.json["results"], expected);
            deliver_whatever_happens(&scene.bridge).await;
            assert_eq!(observations(&scene.ehr.base, &patient).await.len(), 3, "{breaks:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revocation_whose_commit_is_not_heard_of_is_told_to_try_again_and_holds_after_it() {
    through_a_tunnel(async |scene, tunnel| {
        for breaks in [Breaks::BeforeCommit, Breaks::AfterCommit] {
            let handle = format!("bird-{breaks:?}").to_lowercase();
            let patient = create_patient(&scene.ehr.base).await;
            let member = scene.bridge.person(&handle, &patient).await;
            let grant = scene.bridge.grant(&member, &["mood"]).await;
            assert_eq!(scene.bridge.send(&moods(&handle, 3)).await.status, 200);
            tunnel.break_at(1, breaks);
            assert_told_to_try_later(&scene.bridge.change_grant(&member, &grant, "revoke").await);
            let again = scene.bridge.change_grant(&member, &grant, "revoke").await;
            // The second time it is done, or was done already.
            assert!([200, 409].contains(&again.status), "{again:?}");
            let list = scene.bridge.as_member(&member, Method::GET, "/v1/grants", None).await;
            assert_eq!(list.json["grants"][0]["state"], "revoked", "{breaks:?}");
            deliver_whatever_happens(&scene.bridge).await;
            assert_eq!(observations(&scene.ehr.base, &patient).await.len(), 0, "nothing after the revocation");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_away_for_a_while_in_the_middle_of_the_work_loses_nothing() {
    through_a_tunnel(async |scene, tunnel| {
        assert_eq!(scene.bridge.send(&moods("sparrow", 40)).await.status, 200);
        let working = scene.bridge.deliver_aside();
        while scene.proxy.posts() < 5 {
            tokio::task::yield_now().await;
        }
        tunnel.door.shut().await;
        assert!(!working.await.unwrap(), "work ends when the database has gone");
        let posts = scene.proxy.posts();
        assert!((5..40).contains(&posts), "in the middle: {posts} of 40 were sent");

        // All at once: each waits for the database as long as it may.
        let bridge = &scene.bridge;
        let (late, health) = (moods("sparrow", 41), format!("{}/readyz", bridge.api));
        let (ready, sent, worked) =
            tokio::join!(http::call(Method::GET, &health, None, None), bridge.send(&late), bridge.try_deliver(),);
        assert_told_to_try_later(&ready);
        assert_told_to_try_later(&sent);
        assert!(worked.is_err());
        assert_eq!(scene.proxy.posts(), posts, "nothing is sent that cannot be written down");

        tunnel.door.open();
        assert_eq!(http::call(Method::GET, &health, None, None).await.status, 200);
        let again = bridge.send(&late).await;
        let results = again.json["results"].as_array().unwrap();
        let accepted = results.iter().filter(|result| result["status"] == "accepted").count();
        assert_eq!((accepted, results.len()), (1, 41));
        deliver_whatever_happens(bridge).await;
        assert_all_once(&scene.ehr, 41).await;
        let lines = queue(bridge).await;
        assert!(lines.len() == 1 && lines[0].state == "confirmed" && lines[0].items == 41, "{lines:?}");
    })
    .await;
}

/// Ends every connection to this database that is in the middle of a transaction, but one's own.
const END_TRANSACTIONS: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                                WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_administrator_who_ends_connections_again_and_again_loses_nothing() {
    let Some(database) = Database::postgres().await else { return };
    let scene = Scene::new(database).await;
    let mut administrator = PgConnection::connect(&scene.bridge.database.url).await.unwrap();
    let (mut sent, mut struck) = (0, 0);
    while struck < 10 {
        assert!(sent < 2000, "only {struck} times was it in the middle of the work");
        let more: Value = (sent..sent + 20).map(|n| mood(&n.to_string(), "sparrow", 3)).collect();
        assert_eq!(scene.bridge.send(&more).await.status, 200);
        sent += 20;
        // Before the first request, after it, and so on.
        let strike_at = scene.proxy.posts() + struck % 5;
        let working = scene.bridge.deliver_aside();
        while scene.proxy.posts() < strike_at && !working.is_finished() {
            tokio::task::yield_now().await;
        }
        let mut ended = 0;
        while ended == 0 && !working.is_finished() {
            ended = sqlx::query(END_TRANSACTIONS).execute(&mut administrator).await.unwrap().rows_affected();
        }
        struck += u32::from(!working.await.unwrap());
        scene.bridge.clock.advance(SignedDuration::from_secs(10));
    }
    deliver_whatever_happens(&scene.bridge).await;
    assert_all_once(&scene.ehr, sent).await;
    assert!(scene.proxy.posts() as usize <= sent, "nothing was sent a second time");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_says_that_it_takes_no_connections_is_waited_for() {
    let Some(database) = Database::postgres().await else { return };
    let mut administrator = Url::parse(&database.url).unwrap();
    let name = administrator.path().trim_start_matches('/').to_owned();
    administrator.set_path("/postgres");
    let administrator = Database::at(administrator.as_str());
    let scene = Scene::new(database).await;
    scene.report().await;
    administrator.run(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false")).await;
    let ended = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
    administrator.run(&ended).await;
    let late = moods("sparrow", 3);
    assert_told_to_try_later(&scene.bridge.send(&late).await);
    assert!(scene.bridge.try_deliver().await.is_err());
    assert_eq!(scene.proxy.requests(), 0);
    administrator.run(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true")).await;
    scene.all_arrive_once().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sqlite_file_that_somebody_else_holds_is_waited_for_and_then_the_caller_told() {
    let scene = Scene::new(Database::sqlite()).await;
    let mut other = SqliteConnection::connect(&scene.bridge.database.url).await.unwrap();
    let held = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let bridge = &scene.bridge;
    let three = moods("sparrow", 3);
    let (sent, worked) = tokio::time::timeout(Duration::from_secs(40), async {
        tokio::join!(bridge.send(&three), bridge.try_deliver())
    })
    .await
    .unwrap();
    assert_told_to_try_later(&sent);
    assert!(worked.is_err());
    held.rollback().await.unwrap();
    scene.report().await;
    scene.all_arrive_once().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_whose_database_is_restarted_waits_in_peace_and_goes_on_by_itself() {
    let Some(database) = Database::postgres().await else { return };
    let (tunnel, database) = Tunnel::to(database);
    let ehr = Ehr::without_conditional_create().await;
    let proxy = Proxy::before(&ehr.base);
    let server = Server::prepare_at(&database, &proxy.base, &ehr.patient).await;
    let mut running = server.start(None).await;
    assert!(running.grant(&server).await);
    running.send(&server, &moods(&server.handle, 200)).await.unwrap();
    while proxy.posts() < 20 {
        moment().await;
    }
    tunnel.door.shut().await;
    let (cpu, posts) = (cpu_time(&running), proxy.posts());
    tokio::time::timeout(Duration::from_secs(4), std::future::pending::<()>()).await.unwrap_err();
    let used = cpu_time(&running).saturating_sub(cpu);
    assert!(used <= Duration::from_secs(1), "{used:?} of work in 4 s without a database are a busy loop");
    assert!(proxy.posts() - posts <= 4, "what was on its way, and no more");
    tunnel.door.open();
    running.wait_until_idle(&server).await;
    assert_all_once(&ehr, 200).await;
    assert!(proxy.posts() <= 200, "nothing was sent a second time");
    assert!(running.stop().await.success());
}

/// How long a process has kept a processor busy (`proc(5)`: fields 14 and 15 of `stat`, in hundredths of a second).
fn cpu_time(running: &Running<'_>) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", running.pid().as_raw_nonzero())).unwrap();
    let after_the_name = stat.rsplit_once(')').unwrap().1;
    let fields: Vec<&str> = after_the_name.split_whitespace().collect();
    let ticks = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(10 * ticks)
}
