//! Two workers on one database, one of them killed at random again and again, judged by the EHR's own store.
//!
//! `MOSTIK_TEST_KILLS` says how often (60 if unset); `MOSTIK_TEST_SEED` repeats a run.

use std::collections::BTreeMap;
use std::time::Duration;

use mostik::consent::change;
use mostik::domain::category::{Category, Detail};
use mostik::domain::entropy::{Entropy, SeededEntropy};
use mostik::domain::grant::{Purpose, Terms};
use mostik::domain::ids::GrantId;
use mostik::enrolment::join::{join, link};
use serde_json::Value;

use crate::on_both_databases;
use crate::support::bridge::{forum, mood, riverside};
use crate::support::database::Database;
use crate::support::ehr::{Ehr, create_patient, observations};
use crate::support::server::{Running, Server};

/// Many members, so that the lanes of the dead do not hold up everyone.
const MEMBERS: usize = 120;

/// Members without consent, mixed among the others.
const SILENT: usize = 20;

const EVENTS_PER_ROUND: usize = 6;

on_both_databases! {
    async fn two_workers_killed_at_random_lose_nothing_and_double_nothing(database) {
        let ehr = Ehr::without_conditional_create().await;
        let kills = number("MOSTIK_TEST_KILLS").unwrap_or(60);
        let seed = number("MOSTIK_TEST_SEED").unwrap_or_else(|| u64::from(std::process::id()));
        println!("MOSTIK_TEST_SEED={seed} MOSTIK_TEST_KILLS={kills}");
        Box::pin(killed_at_random(&database, &ehr, kills, Dice(Entropy::Seeded(SeededEntropy::new(seed))))).await;
    }
}

/// Numbers that a seed repeats.
struct Dice(Entropy);

impl Dice {
    fn below(&self, limit: usize) -> usize {
        usize::from_be_bytes(self.0.bytes().unwrap()) % limit
    }
}

struct Member {
    handle: String,
    patient: String,
    consents: bool,
    /// What the bridge said that it took.
    accepted: Vec<i64>,
}

async fn killed_at_random(database: &Database, ehr: &Ehr, kills: u64, dice: Dice) {
    let server = Server::prepare(database, ehr).await;
    let mut members = enrol(&server, ehr).await;
    let mut slots = [server.start(None), server.start(None)];
    let mut unanswered: Vec<(usize, i64, Value)> = Vec::new();
    for round in 0..kills {
        for n in 0..EVENTS_PER_ROUND {
            let (who, rating) = (dice.below(members.len()), 1 + i64::try_from(dice.below(5)).unwrap());
            unanswered.push((who, rating, mood(&format!("{round}-{n}"), &members[who].handle, rating)));
        }
        let victim = dice.below(2);
        say(&slots[1 - victim], &mut unanswered, &mut members).await;
        // Some requests are under way in the victim while it dies.
        let dying = say(&slots[victim], &mut unanswered, &mut members);
        let life = Duration::from_millis(dice.below(60) as u64);
        let _ = tokio::time::timeout(life, dying).await;
        slots[victim] = server.start(None);
    }
    while !unanswered.is_empty() {
        say(&slots[0], &mut unanswered, &mut members).await;
    }
    slots[0].wait_until_idle(&server).await;
    judge(ehr, &members).await;
}

async fn enrol(server: &Server, ehr: &Ehr) -> Vec<Member> {
    let (bridge, now) = (&server.bridge, server.bridge.clock.now());
    let mut members = Vec::new();
    for n in 0..MEMBERS {
        let (handle, patient) = (format!("bird-{n}"), create_patient(&ehr.base).await);
        let consents = n >= SILENT;
        let mut tx = bridge.store.begin().await.unwrap();
        let id = join(&mut tx, &bridge.keyring, &forum(), &handle, now).await.unwrap();
        link(&mut tx, &bridge.keyring, id, &riverside(), &patient, "test", now).await.unwrap();
        if consents {
            let terms = Terms {
                categories: BTreeMap::from([(Category::Mood, Detail::EveryEntry)]),
                purposes: [Purpose::Treatment].into(),
                valid_from: now,
                valid_until: jiff::Timestamp::MAX,
                data_from: None,
            };
            let grant = GrantId(bridge.keyring.entropy().uuid(now).unwrap());
            change::grant(&mut tx, grant, id, riverside(), terms, now).await.unwrap();
        }
        tx.commit().await.unwrap();
        members.push(Member { handle, patient, consents, accepted: Vec::new() });
    }
    members
}

/// Sends what was not answered yet, and notes what the answers say.
async fn say(running: &Running<'_>, unanswered: &mut Vec<(usize, i64, Value)>, members: &mut [Member]) {
    if unanswered.is_empty() {
        return;
    }
    let batch: Value = unanswered.iter().map(|(_, _, event)| event.clone()).collect();
    let Some(got) = running.send(running.server, &batch).await else { return };
    let results = got.json["results"].as_array().unwrap();
    for ((who, rating, _), result) in unanswered.drain(..).zip(results) {
        let member = &mut members[who];
        match result["status"].as_str().unwrap() {
            // A duplicate was taken by a process that died before it could say so.
            "accepted" | "duplicate" if member.consents => member.accepted.push(rating),
            "refused" if !member.consents => {}
            other => panic!("{}: {other}", member.handle),
        }
    }
}

/// The EHR has what was accepted, each exactly once, and nothing else.
async fn judge(ehr: &Ehr, members: &[Member]) {
    let mut total = 0;
    for member in members {
        let charted = observations(&ehr.base, &member.patient).await;
        let mut ratings: Vec<i64> =
            charted.iter().map(|found| found["valueQuantity"]["value"].as_i64().unwrap()).collect();
        let mut expected = member.accepted.clone();
        ratings.sort_unstable();
        expected.sort_unstable();
        assert_eq!(ratings, expected, "{}", member.handle);
        total += ratings.len();
    }
    println!("{total} moods, each exactly once");
    assert!(total > 0);
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}
