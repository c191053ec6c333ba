//! Three replicas on one `PostgreSQL`, one of them killed every few seconds under load.
//!
//! `MOSTIK_TEST_REPLICA_SECONDS` says for how long (20 if unset).

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{MissedTickBehavior, interval};

use super::judge::judge;
use super::random::number;
use super::traffic::{Dice, Traffic};
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::server::{Front, Running, Server};

const REPLICAS: usize = 3;
const KILL_EVERY: Duration = Duration::from_secs(5);
const SENDERS: usize = 4;
const SEND_EVERY: Duration = Duration::from_millis(400);

/// Somebody takes their consent back after so many batches of a sender.
const REVOCATION_EVERY: usize = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_replicas_of_which_one_is_killed_every_five_seconds_lose_nothing_and_double_nothing() {
    let Some(database) = Database::postgres().await else { return };
    Box::pin(killed_under_load(&database, &Ehr::sandbox().await)).await;
}

async fn killed_under_load(database: &Database, ehr: &Ehr) {
    let seconds = number("MOSTIK_TEST_REPLICA_SECONDS").unwrap_or(20);
    let seed = number("MOSTIK_TEST_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    println!("MOSTIK_TEST_SEED={seed} MOSTIK_TEST_REPLICA_SECONDS={seconds}");
    let server = Server::prepare(database, ehr).await;
    let mut senders = Vec::new();
    for n in 0..SENDERS {
        let dice = Dice::new(seed + n as u64);
        senders.push(Traffic::new(&server, &ehr.base, &format!("sender-{n}"), dice, 60, 6).await);
    }
    let replicas: Vec<Running<'_>> = join_all((0..REPLICAS).map(|_| server.start(None))).await;
    let fronts = Mutex::new(replicas.iter().map(|replica| replica.front().clone()).collect());
    let is_over = AtomicBool::new(false);
    let killing = kill(&server, replicas, &fronts, Dice::new(seed), seconds / KILL_EVERY.as_secs());
    let sending = join_all(senders.iter_mut().map(|sender| send(&server, sender, &fronts, &is_over)));
    let killing = async {
        let replicas = killing.await;
        is_over.store(true, Ordering::SeqCst);
        replicas
    };
    let ((replicas, kills), _) = tokio::join!(killing, sending);
    replicas[0].wait_until_idle(&server).await;
    let sandbox = ehr.sandbox.as_ref().unwrap();
    let found = judge(&server, sandbox, &senders.iter().collect::<Vec<_>>()).await;
    let events: usize = senders.iter().map(|sender| sender.answered).sum();
    println!("{kills} kills in {seconds} s, {events} events, {} requests to the EHR: {found:?}", sandbox.requests());
}

/// One replica, whichever, every few seconds; another one takes its place at once.
async fn kill<'a>(
    server: &'a Server,
    mut replicas: Vec<Running<'a>>,
    fronts: &Mutex<Vec<Front<'a>>>,
    dice: Dice,
    times: u64,
) -> (Vec<Running<'a>>, u64) {
    let mut ticks = interval(KILL_EVERY);
    ticks.tick().await;
    for _ in 0..times {
        ticks.tick().await;
        let victim = dice.below(REPLICAS);
        assert!(replicas[victim].kill(), "it died by itself");
        replicas[victim] = server.start(None).await;
        fronts.lock().unwrap()[victim] = replicas[victim].front().clone();
    }
    ticks.tick().await;
    (replicas, times)
}

/// A sender at its own pace: whatever replica does not answer, another one is told the same.
async fn send<'a>(server: &Server, traffic: &mut Traffic, fronts: &Mutex<Vec<Front<'a>>>, is_over: &AtomicBool) {
    let any = |dice: &Dice| -> Front<'a> { fronts.lock().unwrap()[dice.below(REPLICAS)].clone() };
    let mut ticks = interval(SEND_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut batches = 0;
    while !is_over.load(Ordering::SeqCst) {
        ticks.tick().await;
        traffic.think(8..13);
        while !traffic.say(&any(&traffic.dice)).await {
            ticks.tick().await;
        }
        batches += 1;
        if batches % REVOCATION_EVERY == 0 {
            let leaving = traffic.newcomer(server).await;
            while !traffic.say(&any(&traffic.dice)).await {
                ticks.tick().await;
            }
            while !traffic.revoke(&any(&traffic.dice), leaving).await {
                ticks.tick().await;
            }
        }
    }
    // The last revocation has left something to be refused.
    while !traffic.say(&any(&traffic.dice)).await {
        ticks.tick().await;
    }
}
