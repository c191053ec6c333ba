//! The master key: where it comes from, and how it is replaced while everything runs.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Arc;

use futures_util::future::join;
use mostik::config::Config;
use mostik::domain::audit::{Chain, Event};
use mostik::domain::clock::Clock;
use mostik::domain::entropy::Entropy;
use mostik::domain::ids::MemberId;
use mostik::vault::{Key, KeyId};
use mostik::{app, enrolment, rotation};
use tokio::sync::Notify;

use crate::support::audit::{chain, wrong};
use crate::support::bridge::{TestBridge, forum, mood};
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::{on_both_databases, on_every_database};

/// More than one portion.
const MEMBERS: usize = 250;
/// The same, as the database counts.
const ALL: i64 = 250;

fn key_file(bridge: &TestBridge, name: &str) -> PathBuf {
    let file = bridge.database.folder.path().join(name);
    if !file.exists() {
        Key::generate(&Entropy::System).unwrap().create_file(&file).unwrap();
    }
    file
}

fn key_id(bridge: &TestBridge, name: &str) -> KeyId {
    Key::read_file(&key_file(bridge, name)).unwrap().id()
}

/// The settings of `bridge` with these key files, the newest first.
fn with_keys(bridge: &TestBridge, names: &[&str]) -> String {
    let mut sources = names.iter().map(|name| format!("\"file:{}\"", key_file(bridge, name).display()));
    let newest = sources.next().unwrap();
    let older: Vec<String> = sources.collect();
    let vault = format!("[vault]\nolder_master_keys = [{}]\nmaster_key = {newest}\n", older.join(", "));
    let (before, rest) = bridge.config.split_once("[vault]\n").unwrap();
    let rest: Vec<&str> = rest.lines().filter(|line| !line.starts_with("master_key")).collect();
    format!("{before}{vault}{}\n", rest.join("\n"))
}

/// Another replica, with these key files.
async fn replica(bridge: &TestBridge, names: &[&str]) -> TestBridge {
    TestBridge::start_with(Database::at(&bridge.database.url), &with_keys(bridge, names)).await
}

async fn crowd(bridge: &TestBridge, name: &str, size: usize) -> Vec<MemberId> {
    let (keyring, now) = (&bridge.bridge.keyring, bridge.now());
    let mut members = Vec::new();
    let mut tx = bridge.bridge.store.begin().await.unwrap();
    for number in 0..size {
        let handle = format!("{name}-{number}");
        members.push(enrolment::join::join(&mut tx, keyring, &forum(), &handle, now).await.unwrap());
    }
    tx.commit().await.unwrap();
    members
}

async fn all_open(bridge: &TestBridge, members: &[MemberId]) -> bool {
    let wrapped = bridge.bridge.store.read().await.unwrap().hold_members(members).await.unwrap();
    let opens = |(member, key): (&MemberId, &Vec<u8>)| bridge.bridge.keyring.unwrap_member_key(*member, key).is_ok();
    wrapped.len() == members.len() && wrapped.iter().all(opens)
}

async fn rotate(bridge: &TestBridge) -> rotation::Status {
    let Parts { store, keyring, clock } = parts(bridge);
    rotation::rotate(&store, &keyring, &clock, |_| ()).await.unwrap()
}

struct Parts {
    store: mostik::store::Store,
    keyring: mostik::vault::Keyring,
    clock: Clock,
}

fn parts(bridge: &TestBridge) -> Parts {
    let bridge = bridge.bridge.clone();
    Parts { store: bridge.store, keyring: bridge.keyring, clock: bridge.clock }
}

on_every_database! {
    async fn the_master_key_is_replaced_while_replicas_run(database) {
        let ehr = Ehr::sandbox().await;
        let first = TestBridge::start(database, &ehr.base).await;
        let sparrow = first.person("sparrow", &ehr.patient).await;
        first.grant(&sparrow, &["mood"]).await;
        let mut members = crowd(&first, "early", MEMBERS).await;
        let here = replica(&first, &["new.key", "master.key"]).await;
        let there = replica(&first, &["master.key", "new.key"]).await;
        members.extend(crowd(&here, "before", 1).await);
        let (old, new) = (key_id(&first, "master.key"), key_id(&first, "new.key"));
        let before = rotation::status(&here.bridge.store).await.unwrap();
        assert_eq!(before.by_key[&old].members, 2 + ALL, "who knows both wraps as everybody else does");
        assert_eq!(before.since, None);

        let late = async {
            let mut late = Vec::new();
            for number in 0..10 {
                late.extend(crowd(&there, &format!("late-{number}"), 1).await);
                assert_eq!(there.send(&mood(&format!("m{number}"), "sparrow", 4)).await.status, 202);
            }
            late
        };
        let (after, late) = join(rotate(&here), late).await;
        members.extend(late);
        let last = rotation::status(&here.bridge.store).await.unwrap();
        assert_eq!((after.not_by(new), last.not_by(new)), (0, 0), "nobody was forgotten who joined meanwhile: {last:?}");
        assert_eq!(last.since, Some(here.now()));
        for (number, replica) in [here, there].iter().enumerate() {
            assert!(all_open(replica, &members).await);
            assert_eq!(replica.send(&mood(&format!("after-{number}"), "sparrow", 4)).await.status, 202);
        }

        let only_old = Config::from_toml(&with_keys(&first, &["master.key"])).unwrap();
        let refused = app::open(&only_old, Clock::System, Entropy::System).await.unwrap_err().to_string();
        assert!(refused.contains("master key"), "{refused}");
        let only_new = replica(&first, &["new.key"]).await;
        assert!(all_open(&only_new, &members).await);
        only_new.deliver().await;
        assert_eq!(ehr.observations().await.len(), 12);
    }
}

on_both_databases! {
    async fn a_rotation_that_was_cut_off_goes_on_where_it_was(database) {
        let bridge = TestBridge::start(database, "http://127.0.0.1:9").await;
        let members = crowd(&bridge, "bird", MEMBERS).await;
        let both = replica(&bridge, &["new.key", "master.key"]).await;
        let portion_done = Arc::new(Notify::new());
        let Parts { store, keyring, clock } = parts(&both);
        tokio::select! {
            biased;
            () = portion_done.notified() => {}
            _ = rotation::rotate(&store, &keyring, &clock, |_| portion_done.notify_one()) => panic!("not cut off"),
        }
        let new = key_id(&bridge, "new.key");
        let left = rotation::status(&store).await.unwrap().not_by(new);
        assert!((1..ALL).contains(&left), "{left}");
        assert!(all_open(&both, &members).await, "half done is good as well");
        assert_eq!(rotate(&both).await.not_by(new), 0);
        let again = rotate(&both).await;
        assert_eq!(again.by_key[&new].members, ALL);
        assert!(all_open(&replica(&bridge, &["new.key"]).await, &members).await);
    }
}

/// How many keys the audit log says were wrapped anew, from one master key to the other.
async fn noted(bridge: &TestBridge, from: KeyId, to: KeyId) -> u64 {
    let entries = chain(bridge, &Chain::HOUSE).await;
    let rotations = entries.iter().filter_map(|entry| match Event::from_json(&entry.body) {
        Some(Event::MasterKeyRotated(rotated)) => Some(rotated),
        _ => None,
    });
    let (from, to) = (from.to_string(), to.to_string());
    rotations.filter(|rotated| (&rotated.from, &rotated.to) == (&from, &to)).map(|rotated| rotated.keys).sum()
}

on_both_databases! {
    async fn each_key_that_is_wrapped_anew_is_in_the_audit_log_once(database) {
        let bridge = TestBridge::start(database, "http://127.0.0.1:9").await;
        crowd(&bridge, "bird", MEMBERS).await;
        let (here, there) = (
            replica(&bridge, &["new.key", "master.key"]).await,
            replica(&bridge, &["new.key", "master.key"]).await,
        );
        let (old, new) = (key_id(&bridge, "master.key"), key_id(&bridge, "new.key"));
        assert_eq!(noted(&here, old, new).await, 0);
        join(rotate(&here), rotate(&there)).await;
        let all = rotation::status(&here.bridge.store).await.unwrap().by_key[&new];
        let wrapped = u64::try_from(all.members + all.data_keys).unwrap();
        assert!(wrapped > u64::try_from(ALL).unwrap(), "the keys of the database itself, too: {wrapped}");
        assert_eq!(noted(&here, old, new).await, wrapped, "whoever did it");
        rotate(&here).await;
        assert_eq!(noted(&here, old, new).await, wrapped, "what was done is not done again");
        assert_eq!(wrong(&here).await, [""; 0]);
    }
}

on_both_databases! {
    async fn two_rotations_at_once_do_it_once(database) {
        let bridge = TestBridge::start(database, "http://127.0.0.1:9").await;
        let members = crowd(&bridge, "bird", MEMBERS).await;
        let (here, there) = (
            replica(&bridge, &["new.key", "master.key"]).await,
            replica(&bridge, &["new.key", "master.key"]).await,
        );
        let (one, other) = join(rotate(&here), rotate(&there)).await;
        let new = key_id(&bridge, "new.key");
        assert_eq!((one.not_by(new), other.not_by(new)), (0, 0));
        assert!(all_open(&replica(&bridge, &["new.key"]).await, &members).await);
    }
}

on_both_databases! {
    async fn what_no_known_master_key_opens_stays_as_it_is_and_is_told(database) {
        let bridge = TestBridge::start(database, "http://127.0.0.1:9").await;
        let members = crowd(&bridge, "bird", 3).await;
        let both = replica(&bridge, &["new.key", "master.key"]).await;
        // The second byte of a wrapped key is the first of its master key's id.
        let change = if both.database.is_sqlite() { "x'01aabbccdd'" } else { "'\\x01aabbccdd'::bytea" };
        let one = "(SELECT member_id FROM members ORDER BY member_id LIMIT 1)";
        bridge.database.run(&format!("UPDATE members SET sealed_key = {change} WHERE member_id = {one}")).await;
        let status = rotate(&both).await;
        assert_eq!(status.by_key[&KeyId([0xaa, 0xbb, 0xcc, 0xdd])].members, 1);
        assert_eq!(status.by_key[&key_id(&bridge, "new.key")].members, i64::try_from(members.len()).unwrap() - 1);
    }
}

/// Runs the program with these settings and this environment variable.
async fn mostik(bridge: &TestBridge, text: &str, variable: (&str, &str), arguments: &[&str]) -> Output {
    let config = bridge.database.folder.path().join("other.toml");
    std::fs::write(&config, text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_mostik"));
    command.arg("--config").arg(config).args(arguments).env(variable.0, variable.1);
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_rotates_with_keys_from_the_environment_and_from_a_command() {
    let bridge = TestBridge::start(Database::sqlite(), "http://127.0.0.1:9").await;
    crowd(&bridge, "bird", 5).await;
    let old = key_file(&bridge, "master.key");
    let new = std::fs::read_to_string(key_file(&bridge, "new.key")).unwrap();
    let both = with_keys(&bridge, &["new.key", "master.key"])
        .replace(&format!("file:{}", key_file(&bridge, "new.key").display()), "env:THE_NEW_KEY")
        .replace(&format!("file:{}", old.display()), &format!("command:cat {}", old.display()));
    let variable = ("THE_NEW_KEY", new.as_str());
    let (new_id, old_id) = (key_id(&bridge, "new.key").to_string(), key_id(&bridge, "master.key").to_string());

    let before = said(&mostik(&bridge, &both, variable, &["keys", "status"]).await);
    assert!(before.contains(&format!("{old_id}  5 member(s) and 3 key(s)")), "{before}");
    assert!(before.contains(&format!("{new_id}  nothing yet  (vault.master_key)")), "{before}");
    let rotated = mostik(&bridge, &both, variable, &["keys", "rotate"]).await;
    let told = said(&rotated);
    assert!(rotated.status.success() && told.contains("No older master key is needed any more"), "{told}");
    assert!(told.contains(&format!("{new_id}  5 member(s) and 3 key(s)")), "{told}");
    let unset = mostik(&bridge, &both, ("THE_NEW_KEY", "nonsense"), &["keys", "status"]).await;
    assert!(!unset.status.success() && said(&unset).contains("THE_NEW_KEY does not hold a master key"));
    for secret in [new.trim(), std::fs::read_to_string(&old).unwrap().trim()] {
        assert!(!before.contains(secret) && !told.contains(secret));
    }
    let shown = said(&mostik(&bridge, &both, variable, &["config", "check"]).await);
    assert!(shown.contains("env:THE_NEW_KEY") && shown.contains("command:cat .."), "{shown}");
}
