//! Whoever was erased stays erased, whatever comes back from a backup.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

use jiff::SignedDuration;
use mostik::config::Config;
use mostik::domain::clock::Clock;
use mostik::domain::entropy::Entropy;
use mostik::vault::{Erased, Key, Keyring, MasterKeys};
use mostik::{app, rotation};
use reqwest::Method;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::bridge::{TestBridge, mood};
use crate::support::database::Database;
use crate::support::ehr::{Ehr, create_patient};
use crate::vault::erasing::{AT_ONCE, certificate, known_in_every_room, named_in, request, signing_bridge};

/// The settings of a bridge, on another database.
fn on(database: &Database, bridge: &TestBridge) -> String {
    bridge.config.replace(&format!("{:?}", bridge.database.url), &format!("{:?}", database.url))
}

async fn start_on(database: Database, bridge: &TestBridge) -> TestBridge {
    let text = on(&database, bridge);
    TestBridge::start_at(database, &text, bridge.now()).await
}

on_both_databases! {
    async fn whoever_was_erased_does_not_come_back_with_a_backup(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = signing_bridge(database, &ehr.base).await;
        let sparrow = known_in_every_room(&bridge, &ehr).await;
        let wren = bridge.person("wren", &create_patient(&ehr.base).await).await;
        bridge.grant(&wren, &["mood"]).await;
        let backup = bridge.database.back_up("before").await;
        let requested = request(&bridge, &sparrow, AT_ONCE).await;
        bridge.chores().await;
        let says = certificate(&bridge, &requested).await;

        let restored = bridge.database.restored(&backup).await;
        assert!(named_in(&restored, &sparrow).await.len() >= 10, "everything is in the backup");
        let again = start_on(restored, &bridge).await;
        assert_eq!(named_in(&again.database, &sparrow).await, BTreeSet::new());
        assert_eq!(again.as_member(&sparrow, Method::GET, "/v1/grants", None).await.status, 401);
        let got = again.send(&json!([mood("1", "sparrow", 4), mood("2", "wren", 4)])).await;
        assert_eq!(got.json["results"][0]["refusal"]["reason"], "unknown-member");
        assert_eq!(got.json["results"][1]["status"], "accepted", "nobody else is concerned");
        assert_eq!(certificate(&again, &requested).await, says, "which the backup did not have");
        again.deliver_in_time().await;
        assert_eq!(ehr.observations().await.len(), 1, "sparrow's first, from before");
    }
}

on_both_databases! {
    async fn it_is_the_list_outside_the_database_that_knows(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = signing_bridge(database, &ehr.base).await;
        let sparrow = known_in_every_room(&bridge, &ehr).await;
        let backup = bridge.database.back_up("before").await;
        request(&bridge, &sparrow, AT_ONCE).await;
        bridge.chores().await;
        let list = bridge.database.folder.path().join("erased.list");
        std::fs::rename(&list, list.with_extension("away")).unwrap();
        let without = start_on(bridge.database.restored(&backup).await, &bridge).await;
        assert!(named_in(&without.database, &sparrow).await.len() >= 10, "so the runbook says to keep it");

        std::fs::rename(list.with_extension("away"), list).unwrap();
        let with = start_on(without.database, &bridge).await;
        assert_eq!(named_in(&with.database, &sparrow).await, BTreeSet::new());
    }
}

on_both_databases! {
    async fn once_the_master_key_was_replaced_a_backup_opens_for_nobody_who_has_only_the_new_one(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = signing_bridge(database, &ehr.base).await;
        let sparrow = known_in_every_room(&bridge, &ehr).await;
        let backup = bridge.database.back_up("before").await;
        request(&bridge, &sparrow, AT_ONCE).await;
        bridge.chores().await;
        let folder = bridge.database.folder.path();
        let old = Key::read_file(&folder.join("master.key")).unwrap();
        let new = Key::generate(&Entropy::System).unwrap();
        new.create_file(&folder.join("new.key")).unwrap();
        let wrapped_index = bridge.bridge.store.read().await.unwrap().index_key().await.unwrap().unwrap();
        let both = Keyring::open(MasterKeys::new(new.clone(), vec![old]), &wrapped_index, Entropy::System).unwrap();
        rotation::rotate(&bridge.bridge.store, &both, &bridge.bridge.clock, |_| ()).await.unwrap();

        let restored = bridge.database.restored(&backup).await;
        let config = Config::from_toml(&on(&restored, &bridge).replace("master.key", "new.key")).unwrap();
        let opened = app::open(&config, Clock::System, Entropy::System).await;
        assert!(opened.unwrap_err().to_string().contains("master key"));
        // And nobody gets at a single key in it.
        let wrapped_index = bridge.bridge.store.read().await.unwrap().index_key().await.unwrap().unwrap();
        let only_new = Keyring::open(new, &wrapped_index, Entropy::System).unwrap();
        let store = mostik::store::Store::open(&restored.url).await.unwrap();
        let wrapped = store.read().await.unwrap().member_key(sparrow.id).await.unwrap().unwrap();
        assert!(only_new.unwrap_member_key(sparrow.id, &wrapped).is_err());
        assert!(bridge.bridge.keyring.unwrap_member_key(sparrow.id, &wrapped).is_ok(), "with the old one it would");
    }
}

on_both_databases! {
    async fn an_erasure_that_was_cut_off_before_its_commit_is_done_at_the_next_start(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = signing_bridge(database, &ehr.base).await;
        let sparrow = known_in_every_room(&bridge, &ehr).await;
        let requested = request(&bridge, &sparrow, AT_ONCE).await;
        // The line is written first; then the process dies.
        let erased = Erased {
            erasure: requested.erasure.id,
            member: sparrow.id,
            requested_at: bridge.now(),
            erased_at: bridge.now(),
            certificate_index: requested.erasure.certificate_index,
            certificate: "{}".to_owned(),
        };
        bridge.bridge.erased.add(bridge.bridge.keyring.index(), &erased).unwrap();
        let again = bridge.beside(SignedDuration::ZERO).await;
        assert_eq!(named_in(&bridge.database, &sparrow).await, BTreeSet::new());
        assert_eq!(again.bridge.store.read().await.unwrap().living_erasure(sparrow.id).await.unwrap(), None);
    }
}

on_both_databases! {
    async fn every_replica_keeps_a_list_of_its_own(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = signing_bridge(database, &ehr.base).await;
        let elsewhere = Database::at(&bridge.database.url);
        let list = elsewhere.folder.path().join("erased.list").display().to_string();
        let text = bridge.config.replace(&bridge.database.folder.path().join("erased.list").display().to_string(), &list);
        assert_ne!(text, bridge.config);
        let other = TestBridge::start_with(elsewhere, &text).await;
        for (number, eraser) in [&bridge, &other, &bridge].into_iter().enumerate() {
            let member = bridge.unlinked_person(&format!("bird-{number}")).await;
            request(&bridge, &member, AT_ONCE).await;
            eraser.chores().await;
            bridge.clock.advance(SignedDuration::from_secs(5));
        }
        bridge.chores().await;
        other.chores().await;
        let listed = |bridge: &TestBridge| {
            let listed = bridge.bridge.erased.read(bridge.bridge.keyring.index()).unwrap();
            listed.into_iter().map(|erased| erased.member).collect::<BTreeSet<_>>()
        };
        assert_eq!(listed(&bridge).len(), 3);
        assert_eq!(listed(&bridge), listed(&other));
    }
}

/// Runs the program with the settings of a bridge.
async fn mostik(bridge: &TestBridge, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mostik"));
    command.arg("--config").arg(bridge.database.folder.path().join("mostik.toml")).args(arguments);
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

async fn told(bridge: &TestBridge, arguments: &[&str]) -> String {
    let output = mostik(bridge, arguments).await;
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{arguments:?}: {said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_erases_and_anybody_checks_the_certificate() {
    let ehr = Ehr::sandbox().await;
    let bridge = signing_bridge(Database::sqlite(), &ehr.base).await;
    let (sparrow, wren) = (bridge.person("sparrow", &ehr.patient).await, bridge.unlinked_person("wren").await);
    let (id, other) = (sparrow.id.to_string(), wren.id.to_string());
    let asked = told(&bridge, &["member", "erase", "--member", &other]).await;
    assert!(asked.contains("ec_") && asked.contains("will be erased at"), "{asked}");
    assert!(told(&bridge, &["member", "erase", "--member", &other, "--cancel"]).await.contains("called off"));
    let done = told(&bridge, &["member", "erase", "--member", &id, "--now"]).await;
    assert!(done.contains("The member is erased"), "{done}");
    let list = told(&bridge, &["member", "erasures"]).await;
    assert!(
        list.contains(&format!("member {id}  erased")) && list.contains(&format!("member {other}  called off")),
        "{list}"
    );

    let erasure = done.rsplit(' ').next().unwrap().trim();
    let certificate = told(&bridge, &["erasure", "certificate", erasure]).await;
    let write = |name: &str, text: &str| {
        let path = bridge.database.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let good = write("certificate.jws", &certificate);
    let says: Value = serde_json::from_str(&told(&bridge, &["erasure", "verify", &good]).await).unwrap();
    assert_eq!(says["member"], id);
    let keys =
        crate::support::http::client().get(format!("{}/.well-known/jwks.json", bridge.api)).send().await.unwrap();
    let jwks = write("jwks.json", &keys.text().await.unwrap());
    told(&bridge, &["erasure", "verify", &good, "--jwks", &jwks]).await;

    let (head, rest) = certificate.split_once('.').unwrap();
    let forged = write("forged.jws", &format!("{head}.{}", rest.replacen(&rest[10..12], "AA", 1)));
    let nobody = write("empty.json", "{\"keys\": []}");
    for arguments in [vec![forged.as_str()], vec![&good, "--jwks", &nobody]] {
        let output = mostik(&bridge, &[&["erasure", "verify"][..], &arguments].concat()).await;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains("proves nothing"), "{said}");
    }
    assert!(!Path::new("data/erased.list").exists(), "nothing was written where nobody asked for it");
}
