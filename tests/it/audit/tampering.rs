//! Ten thousand ways to tamper with the audit log, as far as a database and a file let one: each is found.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use mostik::store::{AuditHead, AuditRow, ChainKey};
use mostik::vault::signing::{SigningAlgorithm, SigningKey};
use serde_json::json;
use sqlx::{Connection as _, PgConnection, QueryBuilder, SqliteConnection};
use uuid::Uuid;

use crate::dice::Dice;
use crate::support::audit::wrong;
use crate::support::bridge::{TestBridge, config_text, mood, note};
use crate::support::database::Database;
use crate::support::ehr::{Ehr, create_patient};

/// How many tamperings each of five tests tries on SQLite.
const EACH: usize = 2000;

/// The log as it stands: what an intruder can lay hands on.
#[derive(Clone, PartialEq, Eq)]
struct Log {
    entries: Vec<AuditRow>,
    heads: Vec<AuditHead>,
    file: Option<Vec<u8>>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn found_1() {
    all_are_found(Database::sqlite(), 1, EACH).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn found_2() {
    all_are_found(Database::sqlite(), 2, EACH).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn found_3() {
    all_are_found(Database::sqlite(), 3, EACH).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn found_4() {
    all_are_found(Database::sqlite(), 4, EACH).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn found_5() {
    all_are_found(Database::sqlite(), 5, EACH).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn found_on_postgres() {
    if let Some(database) = Database::postgres().await {
        all_are_found(database, 6, 300).await;
    }
}

async fn all_are_found(database: Database, seed: u64, count: usize) {
    let (bridge, before) = lived(database).await;
    let genuine = read(&bridge).await;
    assert_eq!(wrong(&bridge).await, [""; 0], "nobody has touched it yet");
    let mut dice = Dice::new(seed);
    let (mut tried, mut is_touched) = (0, false);
    while tried < count {
        let kind = dice.below(KINDS);
        let mut log = genuine.clone();
        tamper(kind, &mut log, &before, &mut dice);
        if is_the_same(&log, &genuine) || !is_possible(&log) {
            continue;
        }
        let touches = (&log.entries, &log.heads) != (&genuine.entries, &genuine.heads);
        if touches || is_touched {
            write(&bridge, &log).await;
        }
        is_touched = touches;
        write_file(&bridge, log.file.as_deref());
        let found = wrong(&bridge).await;
        assert!(!found.is_empty(), "seed {seed}, tampering {tried} of kind {kind} is not found");
        tried += 1;
    }
    write(&bridge, &genuine).await;
    write_file(&bridge, genuine.file.as_deref());
    assert_eq!(wrong(&bridge).await, [""; 0], "and what is put right is right");
}

/// A bridge with a past, and how the log stood some time ago.
async fn lived(database: Database) -> (TestBridge, Log) {
    let ehr = Ehr::sandbox().await;
    let keys = database.folder.path().join("keys");
    let text = config_text(&database, &ehr.base, "127.0.0.1:0");
    let bridge = TestBridge::start_with(database, &format!("{text}[keys]\nfolder = \"{}\"\n", keys.display())).await;
    bridge.bridge.checkpoint().await.unwrap();
    SigningKey::create(&keys, SigningAlgorithm::Es384, bridge.now()).unwrap();
    bridge.clock.advance(SignedDuration::from_mins(10));
    let sparrow = bridge.person("sparrow", &ehr.patient).await;
    let wren = bridge.person("wren", &create_patient(&ehr.base).await).await;
    let grant = bridge.grant(&sparrow, &["mood"]).await;
    bridge.grant(&wren, &["mood", "note"]).await;
    bridge.send(&json!([mood("1", "sparrow", 4), note("2", "wren", "x"), mood("3", "wren", 2)])).await;
    bridge.deliver().await;
    bridge.chores().await;
    let before = read(&bridge).await;
    bridge.clock.advance(SignedDuration::from_mins(10));
    bridge.send(&json!([mood("4", "sparrow", 1), note("5", "sparrow", "y"), mood("6", "wren", 3)])).await;
    bridge.deliver().await;
    bridge.change_grant(&sparrow, &grant, "revoke").await;
    bridge.unlinked_person("robin").await;
    bridge.chores().await;
    (bridge, before)
}

const KINDS: usize = 21;

fn tamper(kind: usize, log: &mut Log, before: &Log, dice: &mut Dice) {
    let entries = log.entries.len();
    let (one, other) = (dice.below(entries), dice.below(entries));
    let (chain, last) = (log.entries[one].chain(), last_of(log, &log.entries[one].chain()));
    match kind {
        0..=2 => edit_entry(log, one, dice),
        3 => edit_head(log, dice),
        4 => {
            let (here, there) = (log.entries[one].clone(), log.entries[other].clone());
            (log.entries[one], log.entries[other]) = (at_place_of(&there, &here), at_place_of(&here, &there));
        }
        5 => {
            let theirs = log.entries[other].body.clone();
            log.entries[other].body = std::mem::replace(&mut log.entries[one].body, theirs);
        }
        6 => drop(log.entries.remove(one)),
        7 => log.entries.retain(|_| dice.below(8) > 0),
        8 => delete_chain(log, &chain),
        9 => log.heads.retain(|head| head.chain() != chain),
        10 => cut(log, &chain, last - i64::try_from(dice.below(3)).unwrap()),
        11 => {
            let end = last - 1 - i64::try_from(dice.below(2)).unwrap();
            cut(log, &chain, end);
            adjust_head(log, &chain);
        }
        12 => put_back(log, before, Some(&chain)),
        13 => put_back(log, before, None),
        14 => {
            let copy = AuditRow { seq: last + 1, ..at_place_of(&log.entries[other], &log.entries[one]) };
            log.entries.push(copy);
            if dice.percent(50) {
                adjust_head(log, &chain);
            }
        }
        15 => {
            let gone = log.entries.remove(one);
            for entry in &mut log.entries {
                if entry.chain() == chain && entry.seq > gone.seq {
                    entry.seq -= 1;
                }
            }
            adjust_head(log, &chain);
        }
        16 => copy_chain(log, &chain, dice),
        17 => {
            log.entries.clear();
            log.heads.clear();
        }
        _ => tamper_with_file(kind, log, before, dice),
    }
}

fn edit_entry(log: &mut Log, one: usize, dice: &mut Dice) {
    let other = log.entries[dice.below(log.entries.len())].clone();
    let entry = &mut log.entries[one];
    match dice.below(9) {
        0 => entry.member_id = if dice.percent(50) { Uuid::from_u128(7) } else { other.member_id },
        1 => entry.clinic_id = if dice.percent(50) { "hillside".to_owned() } else { other.clinic_id },
        2 => entry.seq += i64::try_from(dice.below(9)).unwrap() - 4,
        3 => entry.at += i64::try_from(dice.below(9)).unwrap() - 4,
        4 => entry.kind = other.kind,
        5 => entry.body = other.body,
        6 => entry.body = flipped(entry.body.clone().into_bytes(), dice),
        7 => entry.sealed_body = if dice.percent(50) { other.sealed_body } else { Some(Vec::new()) },
        _ => entry.mac = other.mac,
    }
}

/// A text with one letter changed.
fn flipped(mut text: Vec<u8>, dice: &mut Dice) -> String {
    let at = dice.below(text.len());
    text[at] = b'a' + u8::try_from(dice.below(26)).unwrap();
    String::from_utf8(text).unwrap()
}

fn edit_head(log: &mut Log, dice: &mut Dice) {
    let other = log.heads[dice.below(log.heads.len())].clone();
    let one = dice.below(log.heads.len());
    let head = &mut log.heads[one];
    match dice.below(6) {
        0 => head.member_id = Uuid::from_u128(7),
        1 => "hillside".clone_into(&mut head.clinic_id),
        2 => head.seq += i64::try_from(dice.below(9)).unwrap() - 4,
        3 => head.last_mac = other.last_mac,
        4 => head.changed_at += 1,
        _ => head.mac = other.mac,
    }
}

/// Everything about an entry but its place.
fn at_place_of(entry: &AuditRow, place: &AuditRow) -> AuditRow {
    AuditRow { member_id: place.member_id, clinic_id: place.clinic_id.clone(), seq: place.seq, ..entry.clone() }
}

fn last_of(log: &Log, chain: &ChainKey) -> i64 {
    log.entries.iter().filter(|entry| entry.chain() == *chain).map(|entry| entry.seq).max().unwrap()
}

fn delete_chain(log: &mut Log, chain: &ChainKey) {
    log.entries.retain(|entry| entry.chain() != *chain);
    log.heads.retain(|head| head.chain() != *chain);
}

fn cut(log: &mut Log, chain: &ChainKey, end: i64) {
    log.entries.retain(|entry| entry.chain() != *chain || entry.seq <= end);
}

/// What somebody without the key can do about a head.
fn adjust_head(log: &mut Log, chain: &ChainKey) {
    let last = log.entries.iter().filter(|entry| entry.chain() == *chain).max_by_key(|entry| entry.seq).cloned();
    match (last, log.heads.iter_mut().find(|head| head.chain() == *chain)) {
        (Some(last), Some(head)) => (head.seq, head.last_mac) = (last.seq, last.mac),
        _ => delete_chain(log, chain),
    }
}

/// One chain, or all, as they stood some time ago, heads and all.
fn put_back(log: &mut Log, before: &Log, chain: Option<&ChainKey>) {
    let is_put_back = |of: &ChainKey| chain.is_none_or(|chain| chain == of);
    log.entries.retain(|entry| !is_put_back(&entry.chain()));
    log.entries.extend(before.entries.iter().filter(|entry| is_put_back(&entry.chain())).cloned());
    log.heads.retain(|head| !is_put_back(&head.chain()));
    log.heads.extend(before.heads.iter().filter(|head| is_put_back(&head.chain())).cloned());
}

/// The same chain once more, as if it were somebody else's.
fn copy_chain(log: &mut Log, chain: &ChainKey, dice: &mut Dice) {
    let stranger = Uuid::from_u128(8);
    let entries: Vec<AuditRow> = log.entries.iter().filter(|entry| entry.chain() == *chain).cloned().collect();
    log.entries.extend(entries.into_iter().map(|entry| AuditRow { member_id: stranger, ..entry }));
    if dice.percent(50) {
        let heads: Vec<AuditHead> = log.heads.iter().filter(|head| head.chain() == *chain).cloned().collect();
        log.heads.extend(heads.into_iter().map(|head| AuditHead { member_id: stranger, ..head }));
    }
}

fn tamper_with_file(kind: usize, log: &mut Log, before: &Log, dice: &mut Dice) {
    let mut bytes = log.file.take().unwrap();
    let mut lines: Vec<Vec<u8>> = bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let (one, other) = (dice.below(lines.len()), dice.below(lines.len()));
    log.file = match (kind, dice.below(6)) {
        (18, _) => {
            let at = dice.below(bytes.len());
            bytes[at] ^= u8::try_from(1 + dice.below(127)).unwrap();
            Some(bytes)
        }
        (19, _) => Some(bytes[..dice.below(bytes.len())].to_vec()),
        (_, 0) => None,
        (_, 1) => before.file.clone(),
        (_, choice) => {
            match choice {
                2 => drop(lines.remove(one)),
                3 => lines.swap(one, other),
                4 => lines.insert(other, lines[one].clone()),
                _ => lines[one] = strip_signature(&lines[one]),
            }
            Some(lines.concat())
        }
    };
}

/// The line as if there had been no key to sign with.
fn strip_signature(line: &[u8]) -> Vec<u8> {
    let mut line: serde_json::Value = serde_json::from_slice(line).unwrap();
    line.as_object_mut().unwrap().remove("jws");
    format!("{line}\n").into_bytes()
}

fn is_the_same(log: &Log, genuine: &Log) -> bool {
    let sorted = |log: &Log| {
        let mut log = log.clone();
        log.entries.sort_by_key(AuditRow::place);
        log.heads.sort_by_key(AuditHead::chain);
        log
    };
    sorted(log) == sorted(genuine)
}

/// Whether a database takes it at all.
fn is_possible(log: &Log) -> bool {
    let places: BTreeSet<_> = log.entries.iter().map(AuditRow::place).collect();
    let heads: BTreeSet<_> = log.heads.iter().map(AuditHead::chain).collect();
    places.len() == log.entries.len() && heads.len() == log.heads.len()
}

async fn read(bridge: &TestBridge) -> Log {
    let mut tx = bridge.bridge.store.read().await.unwrap();
    Log {
        entries: tx.audit_entries(&mostik::store::AuditScope::default(), None, 10_000).await.unwrap(),
        heads: tx.audit_heads(None, Timestamp::MIN, 10_000).await.unwrap(),
        file: Some(std::fs::read(bridge.bridge.checkpoints.path().unwrap()).unwrap()),
    }
}

fn write_file(bridge: &TestBridge, bytes: Option<&[u8]>) {
    let path = bridge.bridge.checkpoints.path().unwrap();
    match bytes {
        Some(bytes) => std::fs::write(path, bytes).unwrap(),
        None => std::fs::remove_file(path).unwrap(),
    }
}

async fn write(bridge: &TestBridge, log: &Log) {
    macro_rules! write_as {
        ($db:ty, $connection:expr) => {{
            let mut connection = $connection;
            let mut tx = connection.begin().await.unwrap();
            sqlx::query("DELETE FROM audit_entries").execute(&mut *tx).await.unwrap();
            sqlx::query("DELETE FROM audit_heads").execute(&mut *tx).await.unwrap();
            if !log.entries.is_empty() {
                let mut sql = QueryBuilder::<$db>::new(
                    "INSERT INTO audit_entries (member_id, clinic_id, seq, at, kind, body, sealed_body, mac) ",
                );
                sql.push_values(&log.entries, |mut row, entry| {
                    row.push_bind(entry.member_id).push_bind(&entry.clinic_id).push_bind(entry.seq);
                    row.push_bind(entry.at).push_bind(&entry.kind).push_bind(&entry.body);
                    row.push_bind(&entry.sealed_body).push_bind(&entry.mac);
                });
                sql.build().execute(&mut *tx).await.unwrap();
            }
            if !log.heads.is_empty() {
                let mut sql = QueryBuilder::<$db>::new(
                    "INSERT INTO audit_heads (member_id, clinic_id, seq, last_mac, changed_at, mac) ",
                );
                sql.push_values(&log.heads, |mut row, head| {
                    row.push_bind(head.member_id).push_bind(&head.clinic_id).push_bind(head.seq);
                    row.push_bind(&head.last_mac).push_bind(head.changed_at).push_bind(&head.mac);
                });
                sql.build().execute(&mut *tx).await.unwrap();
            }
            tx.commit().await.unwrap();
            connection.close().await.unwrap();
        }};
    }
    let url = &bridge.database.direct;
    if bridge.database.is_sqlite() {
        let mut connection = SqliteConnection::connect(url).await.unwrap();
        sqlx::query("PRAGMA synchronous = OFF").execute(&mut connection).await.unwrap();
        write_as!(sqlx::Sqlite, connection);
    } else {
        write_as!(sqlx::Postgres, PgConnection::connect(url).await.unwrap());
    }
}
