//! Two workers on one database, one of them killed again and again: at any moment, or at any crash point. Judged by the
//! EHR's own store.
//!
//! `MOSTIK_TEST_KILLS` says how often for each database; 60 if it is not set. For many more,
//! `cargo nextest run --profile long`. `MOSTIK_TEST_SEED` repeats what is said and where is killed, not what the
//! machine makes of it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use mostik::telemetry::CRASH_POINTS;

use super::judge::judge;
use super::traffic::{Dice, Traffic};
use crate::on_both_databases;
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::server::{Running, Server};

/// Many members, so that the lanes of the dead do not hold up everyone.
const SHARING: usize = 250;

/// Members without consent, mixed among the others.
const SILENT: usize = 25;

/// Every test has its part of a database's kills.
const PARTS: u64 = 2;

/// How often a process is given something to do before it is believed never to pass its crash point.
const PROVOCATIONS: usize = 12;

on_both_databases! {
    async fn killed_again_and_again_before_an_ehr_that_takes_one_by_one_nothing_is_lost_or_doubled(database) {
        kill_again_and_again(&database, &Ehr::without_conditional_create().await).await;
    }
}

on_both_databases! {
    async fn killed_again_and_again_before_an_ehr_that_takes_batches_nothing_is_lost_or_doubled(database) {
        kill_again_and_again(&database, &Ehr::sandbox().await).await;
    }
}

/// How processes died.
#[derive(Debug, Default)]
struct Deaths {
    /// Where they were told to.
    at_points: BTreeMap<&'static str, u64>,
    /// Before they had answered.
    unanswered: u64,
    /// With something to deliver that they had just taken.
    delivering: u64,
    /// With nothing to do: these do not count.
    idle: u64,
}

impl Deaths {
    fn count(&self) -> u64 {
        self.at_points.values().sum::<u64>() + self.unanswered + self.delivering
    }
}

/// A place where a process is to die, and how often it passes there before.
struct Fate {
    point: &'static str,
    turn: usize,
}

async fn kill_again_and_again(database: &Database, ehr: &Ehr) {
    let kills = number("MOSTIK_TEST_KILLS").unwrap_or(60).div_ceil(PARTS);
    let seed = number("MOSTIK_TEST_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    println!("MOSTIK_TEST_SEED={seed} MOSTIK_TEST_KILLS={}", kills * PARTS);
    let began = Instant::now();
    let server = Server::prepare(database, ehr).await;
    let mut traffic = Traffic::new(&server, &ehr.base, "bird", Dice::new(seed), SHARING, SILENT).await;
    let mut deaths = Deaths::default();
    let mut slots = [server.start(None).await, server.start(None).await];
    let (mut victim, mut fate) = (0, None);
    while deaths.count() < kills {
        let [first, second] = &mut slots;
        let (doomed, survivor) = if victim == 0 { (first, second) } else { (second, first) };
        traffic.think(0..4);
        traffic.insist(survivor.front()).await;
        kill_once(&mut traffic, doomed, survivor, fate.take(), &mut deaths).await;
        // Who is next is known now, because a crash point is known from birth.
        let (reborn, next) = (victim, traffic.dice.below(2));
        if next == reborn && !traffic.dice.one_in(5) {
            fate = Some(Fate { point: traffic.dice.pick(&CRASH_POINTS), turn: 1 + traffic.dice.below(4) });
        }
        let crash_at = fate.as_ref().map(|fate| format!("{}#{}", fate.point, fate.turn));
        slots[reborn] = server.start(crash_at.as_deref()).await;
        victim = next;
    }
    // The last one may still have its crash point before it.
    drop(slots);
    let last = server.start(None).await;
    traffic.insist(last.front()).await;
    // What was not said before the last revocation.
    traffic.insist(last.front()).await;
    last.wait_until_idle(&server).await;
    let found = judge(&server, ehr.sandbox.as_ref().unwrap(), &[&traffic]).await;
    println!("{} kills in {:?}: {deaths:?}", deaths.count(), began.elapsed());
    println!("{} events answered: {found:?}", traffic.answered);
}

/// Kills the doomed one while it has something to do: where it is its fate to die, or at any moment.
async fn kill_once(
    traffic: &mut Traffic,
    doomed: &mut Running<'_>,
    survivor: &Running<'_>,
    fate: Option<Fate>,
    deaths: &mut Deaths,
) {
    // Where it did not come to its fate, that may still befall it.
    let is_fated = fate.is_some();
    if let Some(fate) = fate
        && meets_its_fate(traffic, doomed, survivor, &fate).await
    {
        *deaths.at_points.entry(fate.point).or_default() += 1;
        return;
    }
    let (revokes, life) = (traffic.dice.one_in(5), Duration::from_micros(traffic.dice.below(40_000) as u64));
    let leaving = if revokes { Some(newcomer(traffic, survivor).await) } else { None };
    let who = if let Some(leaving) = leaving { vec![traffic.members[leaving].id] } else { traffic.think(2..9) };
    let front = doomed.front().clone();
    let end = tokio::time::Instant::now() + life;
    let talk = async {
        match leaving {
            Some(leaving) => traffic.revoke(&front, leaving).await,
            None => traffic.say(&front).await,
        }
    };
    let answered = tokio::time::timeout_at(end, talk).await.is_ok();
    tokio::time::sleep_until(end).await;
    assert!(doomed.kill() || is_fated, "it died by itself");
    match answered {
        false => deaths.unanswered += 1,
        true if traffic.is_on_its_way(doomed.server, &who).await => deaths.delivering += 1,
        true => deaths.idle += 1,
    }
}

/// Gives the process something to do until it dies at its crash point; `false` if it does not pass there.
async fn meets_its_fate(traffic: &mut Traffic, doomed: &mut Running<'_>, survivor: &Running<'_>, fate: &Fate) -> bool {
    for _ in 0..PROVOCATIONS {
        let front = doomed.front().clone();
        let answered = if fate.point.starts_with("revoke:") {
            let leaving = newcomer(traffic, survivor).await;
            traffic.revoke(&front, leaving).await
        } else {
            traffic.think(2..9);
            traffic.say(&front).await
        };
        let time = Duration::from_millis(if answered { 40 } else { 500 });
        if doomed.dies_within(time).await {
            return true;
        }
    }
    false
}

/// Somebody who is about to take their consent back, with entries on their way.
async fn newcomer(traffic: &mut Traffic, survivor: &Running<'_>) -> usize {
    // What was left unanswered by the dying is not to be mixed with it.
    traffic.insist(survivor.front()).await;
    let newcomer = traffic.newcomer(survivor.server).await;
    traffic.insist(survivor.front()).await;
    newcomer
}

pub fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}
