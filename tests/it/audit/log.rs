//! The audit log: what is written in it, and that it stands or falls with what it tells of.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use mostik::domain::audit::{Chain, Event, SEALED_COLUMN, SignIn, Whereabouts};
use mostik::domain::ids::{ClinicId, MemberId};
use mostik::enrolment::join::link;
use mostik::store::AuditRow;
use mostik::vault::MemberKey;
use mostik::vault::signing::{SigningAlgorithm, SigningKey};
use serde_json::json;
use uuid::Uuid;

use crate::support::audit::{between, chain, kinds, wrong};
use crate::support::bridge::{TestBridge, correcting, mood, note, retraction};
use crate::support::clinic::two_clinics;
use crate::support::ehr::Ehr;
use crate::support::linking::{link_to, unlink_from};
use crate::{on_both_databases, on_every_database};

fn signed_in() -> Event {
    Event::SignedIn(SignIn { method: "test".to_owned() })
}

on_every_database! {
    async fn it_tells_what_happened_between_a_member_and_a_clinic(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        let grant = bridge.grant(&member, &["mood"]).await;
        bridge.send(&json!([mood("1", "sparrow", 4), note("2", "sparrow", "not for the clinic")])).await;
        bridge.deliver().await;
        bridge.send(&correcting(mood("3", "sparrow", 2), "1")).await;
        bridge.deliver().await;
        bridge.send(&retraction("4", "sparrow", "1")).await;
        bridge.deliver().await;
        bridge.send(&mood("5", "sparrow", 1)).await;
        bridge.change_grant(&member, &grant, "pause").await;
        bridge.deliver().await;
        bridge.change_grant(&member, &grant, "revoke").await;
        bridge.deliver().await;
        let told = kinds(&bridge, &between(&member)).await.join(" ");
        assert_eq!(
            told,
            "linked consent-granted decision decision decision disclosure decision decision disclosure decision \
             decision disclosure decision consent-paused decision consent-revoked"
        );
        let disclosed = &chain(&bridge, &between(&member)).await[8];
        let body: serde_json::Value = serde_json::from_str(&disclosed.body).unwrap();
        assert_eq!((&body["operation"], &body["version"], &body["grant"]), (&json!("correct"), &json!(1), &json!(grant)));
        assert_eq!(kinds(&bridge, &Chain::of_member(member.id)).await, ["member-joined", "signed-in"]);
        assert_eq!(wrong(&bridge).await, [""; 0]);
    }
}

on_both_databases! {
    async fn of_what_nobody_may_see_it_knows_no_more_than_that_there_was_something(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        bridge.grant(&member, &["mood"]).await;
        bridge.send(&json!([note("1", "sparrow", "a"), note("2", "sparrow", "b")])).await;
        let entries = chain(&bridge, &between(&member)).await;
        let body: serde_json::Value = serde_json::from_str(&entries[2].body).unwrap();
        let expected = json!({"kind": "decision", "stage": "intake", "purpose": "TREAT",
                              "denied": {"category-not-shared": 2}});
        assert_eq!(body, expected);
    }
}

on_both_databases! {
    async fn what_is_rolled_back_leaves_no_entry_and_no_gap(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let of_member = Chain::of_member(MemberId(Uuid::from_u128(1)));
        for commits in [true, false, true] {
            let mut tx = bridge.bridge.store.begin().await.unwrap();
            tx.record(of_member.clone(), bridge.now(), signed_in());
            if commits {
                tx.commit().await.unwrap();
            }
        }
        let places: Vec<i64> = chain(&bridge, &of_member).await.iter().map(|entry| entry.seq).collect();
        assert_eq!(places, [1, 2]);
        assert_eq!(wrong(&bridge).await, [""; 0]);
    }
}

on_every_database! {
    async fn many_writers_on_the_same_chains_wait_for_each_other(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let chains: Vec<Chain> = (1..6).map(|id| Chain::of_member(MemberId(Uuid::from_u128(id)))).collect();
        let writers = (0..8usize).map(|writer| {
            let (store, chains, now) = (bridge.bridge.store.clone(), chains.clone(), bridge.now());
            tokio::spawn(async move {
                for round in 0..10 {
                    let mut tx = store.begin().await.unwrap();
                    // Each in an order of its own.
                    for place in 0..chains.len() {
                        tx.record(chains[(writer * 3 + round + place * 2) % chains.len()].clone(), now, signed_in());
                    }
                    tx.commit().await.unwrap();
                }
            })
        });
        join_all(writers).await.into_iter().for_each(|done| done.unwrap());
        for of_member in &chains {
            assert_eq!(kinds(&bridge, of_member).await.len(), 80);
        }
        assert_eq!(kinds(&bridge, &Chain::HOUSE).await.iter().filter(|kind| *kind == "chain-begun").count(), 5);
        assert_eq!(wrong(&bridge).await, [""; 0]);
    }
}

on_both_databases! {
    async fn where_the_clinic_keeps_it_opens_with_the_members_key_only(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        bridge.grant(&member, &["mood"]).await;
        bridge.send(&mood("1", "sparrow", 4)).await;
        bridge.deliver().await;
        let key = bridge.key(&member).await;
        let entries = chain(&bridge, &between(&member)).await;
        let opened = |place: usize| opened(&key, &entries[place], &entries[place]).unwrap();
        assert_eq!(opened(0), ehr.patient.as_bytes(), "the Patient of the link");
        let there: Whereabouts = serde_json::from_slice(&opened(4)).unwrap();
        assert_eq!(there.id.as_deref(), ehr.observations().await[0]["id"].as_str());
        for entry in &entries {
            assert!(!entry.body.contains(there.id.as_deref().unwrap()) && !entry.body.contains("sparrow"));
        }
    }
}

/// What opens of an entry's sealed part where another one stands.
fn opened(key: &MemberKey, entry: &AuditRow, place: &AuditRow) -> Option<Vec<u8>> {
    let event = Event::from_json(&place.body).unwrap();
    let row = event.sealed_row(&place.written_on().unwrap(), Timestamp::from_microsecond(place.at).unwrap());
    key.open(SEALED_COLUMN, &row, entry.sealed_body.as_ref()?).ok()
}

on_both_databases! {
    async fn what_is_sealed_in_an_entry_opens_in_no_other_entry(database) {
        let text = two_clinics(&database, "");
        let bridge = TestBridge::start_with(database, &text).await;
        let member = bridge.person("sparrow", "17").await;
        let lakeside: ClinicId = "lakeside".parse().unwrap();
        let mut tx = bridge.bridge.store.begin().await.unwrap();
        link(&mut tx, &bridge.bridge.keyring, member.id, &lakeside, "18", "test", bridge.now()).await.unwrap();
        tx.commit().await.unwrap();
        unlink_from(&bridge, &member).await.unwrap();
        bridge.clock.advance(SignedDuration::from_micros(1));
        link_to(&bridge, &member, "19").await.unwrap();
        let mut linked = chain(&bridge, &between(&member)).await;
        linked.extend(chain(&bridge, &Chain::between(&lakeside, member.id)).await);
        linked.retain(|entry| entry.kind == "linked");
        assert_eq!(linked.len(), 3, "twice at one clinic, once at another");
        let key = bridge.key(&member).await;
        for (at, place) in linked.iter().enumerate() {
            for (of, entry) in linked.iter().enumerate() {
                assert_eq!(opened(&key, entry, place).is_some(), of == at, "the Patient of {of} in the place of {at}");
            }
        }
    }
}

on_both_databases! {
    async fn an_end_that_somebody_changed_stays_known_although_the_chain_goes_on(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let of_member = Chain::of_member(MemberId(Uuid::from_u128(1)));
        for _ in 0..3 {
            let mut tx = bridge.bridge.store.begin().await.unwrap();
            tx.record(of_member.clone(), bridge.now(), signed_in());
            tx.commit().await.unwrap();
        }
        let ours = "kind = 'signed-in'";
        bridge.database.run(&format!("DELETE FROM audit_entries WHERE {ours} AND seq = 3; \
             UPDATE audit_heads SET seq = 2, last_mac = (SELECT mac FROM audit_entries WHERE {ours} AND seq = 2) \
             WHERE seq = 3 AND clinic_id = '' AND member_id = (SELECT member_id FROM audit_entries WHERE {ours} AND seq = 2)")).await;
        assert!(wrong(&bridge).await[0].contains("its head was changed"));
        let mut tx = bridge.bridge.store.begin().await.unwrap();
        tx.record(of_member.clone(), bridge.now(), signed_in());
        tx.commit().await.unwrap();
        let found = wrong(&bridge).await;
        assert!(found[0].contains("member 00000000-0000-0000-0000-000000000001, entry 2"), "{found:?}");
        assert!(found[0].contains("had been changed"), "{found:?}");
    }
}

on_both_databases! {
    async fn a_database_that_was_put_back_is_found_out_by_the_checkpoint_file(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        bridge.database.run("CREATE TABLE kept_entries AS SELECT * FROM audit_entries; \
                             CREATE TABLE kept_heads AS SELECT * FROM audit_heads").await;
        bridge.grant(&member, &["mood"]).await;
        bridge.chores().await;
        assert_eq!(wrong(&bridge).await, [""; 0]);
        bridge.database.run("DELETE FROM audit_entries; DELETE FROM audit_heads; \
                             INSERT INTO audit_entries SELECT * FROM kept_entries; \
                             INSERT INTO audit_heads SELECT * FROM kept_heads").await;
        let found = wrong(&bridge).await;
        let by_file = "checkpoint file, line 1: the database no longer has entry 2 of chain riverside/";
        assert!(found.iter().any(|said| said.starts_with(by_file)), "{found:?}");
        assert!(found[0].ends_with("or a program older than the log"), "the consent itself was not put back: {found:?}");
    }
}

on_both_databases! {
    async fn a_chain_that_was_deleted_as_a_whole_is_missed_even_without_a_checkpoint_file(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        let whole = "clinic_id = 'riverside'";
        bridge
            .database
            .run(&format!("DELETE FROM audit_entries WHERE {whole}; DELETE FROM audit_heads WHERE {whole}"))
            .await;
        let gone = format!("chain riverside/{}: it was deleted as a whole, or deleted and begun anew", member.id);
        assert_eq!(wrong(&bridge).await, std::slice::from_ref(&gone));
        bridge.grant(&member, &["mood"]).await;
        assert_eq!(wrong(&bridge).await, [gone], "although it has begun anew since");
    }
}

on_both_databases! {
    async fn a_checkpoint_is_written_when_it_is_time_and_signed_when_there_is_a_key(database) {
        let ehr = Ehr::sandbox().await;
        let keys = database.folder.path().join("keys");
        let text = crate::support::bridge::config_text(&database, &ehr.base, "127.0.0.1:0");
        let bridge = TestBridge::start_with(database, &format!("{text}[keys]\nfolder = \"{}\"\n", keys.display())).await;
        let path = bridge.bridge.checkpoints.path().unwrap().clone();
        let lines = || std::fs::read_to_string(&path).unwrap().lines().count();
        bridge.chores().await;
        bridge.chores().await;
        assert_eq!(lines(), 1, "once is enough");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        SigningKey::create(&keys, SigningAlgorithm::Es384, bridge.now()).unwrap();
        for minutes in [9, 1, 10] {
            bridge.clock.advance(SignedDuration::from_mins(minutes));
            bridge.chores().await;
        }
        assert_eq!(lines(), 3);
        let found = kinds(&bridge, &Chain::HOUSE).await.iter().filter(|kind| *kind == "signing-key-found").count();
        assert_eq!(found, 1, "the new key is written down, once");
        assert_eq!(wrong(&bridge).await, [""; 0]);
        let signed = std::fs::read_to_string(&path).unwrap();
        assert!(!signed.lines().next().unwrap().contains("jws") && signed.lines().last().unwrap().contains("jws"));
        bridge.clock.advance(SignedDuration::from_hours(-3));
        bridge.chores().await;
        assert_eq!(lines(), 4, "a clock that was set back makes it time, too");
    }
}

on_both_databases! {
    async fn the_command_says_in_words_and_by_its_exit_code_what_it_found(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        bridge.person("sparrow", &ehr.patient).await;
        bridge.bridge.checkpoint().await.unwrap();
        let verify = || {
            let config = bridge.database.folder.path().join("mostik.toml");
            let output = Command::new(env!("CARGO_BIN_EXE_mostik")).args(["audit", "verify", "--config"]).arg(config).output();
            let output = output.unwrap();
            (output.status.success(), String::from_utf8(output.stdout).unwrap())
        };
        let (good, said) = verify();
        assert!(good && said.contains("Everything is as it was written."), "{said}");
        bridge.database.run("UPDATE audit_entries SET body = '{}' WHERE kind = 'linked'").await;
        let (good, said) = verify();
        assert!(!good && said.contains("entry 1: it was changed, or moved here from elsewhere"), "{said}");
    }
}
