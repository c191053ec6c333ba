//! A member changes or deletes an entry: what is asked of the clinics that have it.

use mostik::domain::delivery::DeliveryState;
use mostik::store::Replay;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::bridge::{Person, TestBridge, correcting, mood, note, retraction, riverside};
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::outbox::{execute, items, summary};

async fn ready(database: Database) -> (TestBridge, Person, Ehr) {
    let ehr = Ehr::sandbox().await;
    let bridge = TestBridge::start(database, &ehr.base).await;
    let member = bridge.person("sparrow", &ehr.patient).await;
    (bridge, member, ehr)
}

/// Sends one event; the status of the answer, and what became of the event.
async fn send(bridge: &TestBridge, event: &Value) -> (u16, String) {
    let got = bridge.send(event).await;
    let status = got.json["results"][0]["status"].as_str();
    let refusal = || got.json["refusal"]["reason"].as_str().unwrap_or("conflict").to_owned();
    (got.status, status.map_or_else(refusal, str::to_owned))
}

fn corrected() -> (u16, String) {
    (202, "corrected".to_owned())
}

fn accepted() -> (u16, String) {
    (202, "accepted".to_owned())
}

fn retracted() -> (u16, String) {
    (202, "retracted".to_owned())
}

fn duplicate() -> (u16, String) {
    (200, "duplicate".to_owned())
}

fn refused(reason: &str) -> (u16, String) {
    (422, reason.to_owned())
}

on_both_databases! {
    async fn a_correction_takes_the_place_of_what_was_not_sent_yet(database) {
        let (bridge, member, _ehr) = ready(database).await;
        bridge.grant(&member, &["mood"]).await;
        assert_eq!(send(&bridge, &mood("1", "sparrow", 4)).await, accepted());
        assert_eq!(send(&bridge, &correcting(mood("2", "sparrow", 2), "1")).await, corrected());
        assert_eq!(summary(&bridge, &member).await, ["create - withdrawn", "correct 2 ready"]);
        let found = items(&bridge, &member).await;
        assert_eq!(found[0].identifier, found[1].identifier, "the resource stays the same");
        assert_eq!(found[0].reason.as_deref(), Some("superseded"));
    }
}

on_both_databases! {
    async fn what_was_delivered_is_corrected_and_at_last_retracted(database) {
        let (bridge, member, ehr) = ready(database).await;
        bridge.grant(&member, &["mood"]).await;
        send(&bridge, &mood("1", "sparrow", 4)).await;
        bridge.deliver_in_time().await;
        assert_eq!(send(&bridge, &correcting(mood("2", "sparrow", 2), "1")).await, corrected());
        assert_eq!(summary(&bridge, &member).await, ["create - confirmed", "correct 2 ready"]);
        assert_eq!(send(&bridge, &retraction("3", "sparrow", "1")).await, retracted());
        let found = items(&bridge, &member).await;
        let states: Vec<&str> = found.iter().map(|item| item.state.as_str()).collect();
        assert_eq!(states, ["confirmed", "withdrawn", "ready"]);
        assert_eq!(found[2].operation, "retract");
        assert_eq!(found[2].identifier, ehr.observations().await[0]["identifier"][0]["value"].as_str().unwrap());
        assert_eq!(found[2].measured_at, found[0].measured_at);
        assert_eq!(found[2].body, Some(json!({"resourceType": "Observation", "status": "entered-in-error"})));
    }
}

on_both_databases! {
    async fn a_correction_of_what_was_never_taken_is_a_first_report(database) {
        let (bridge, member, _ehr) = ready(database).await;
        assert_eq!(send(&bridge, &mood("1", "sparrow", 4)).await, refused("not-permitted"));
        bridge.grant(&member, &["mood"]).await;
        assert_eq!(send(&bridge, &correcting(mood("2", "sparrow", 2), "1")).await, accepted());
        assert_eq!(send(&bridge, &mood("1", "sparrow", 4)).await, duplicate(), "the older version comes too late");
        assert_eq!(summary(&bridge, &member).await, ["create 2 ready"]);
        assert_eq!(send(&bridge, &correcting(mood("3", "sparrow", 1), "1")).await, corrected());
        assert_eq!(summary(&bridge, &member).await, ["create - withdrawn", "correct 1 ready"]);
    }
}

on_both_databases! {
    async fn the_versions_of_one_batch_count_in_their_order_and_the_last_one_goes(database) {
        let (bridge, member, _ehr) = ready(database).await;
        bridge.grant(&member, &["mood"]).await;
        let got = bridge.send(&json!([
            mood("1", "sparrow", 4),
            correcting(mood("2", "sparrow", 2), "1"),
            mood("other", "sparrow", 5),
            correcting(mood("3", "sparrow", 3), "1"),
            correcting(mood("4", "sparrow", 3), "1"),
            retraction("5", "sparrow", "gone"),
            mood("gone", "sparrow", 1),
            retraction("6", "sparrow", "gone"),
            correcting(mood("7", "sparrow", 2), "gone"),
        ])).await;
        let results = got.json["results"].as_array().unwrap();
        let statuses: Vec<&str> = results.iter().map(|result| result["status"].as_str().unwrap()).collect();
        assert_eq!(statuses, [
            "accepted", "corrected", "accepted", "corrected", "duplicate", "duplicate", "accepted", "retracted", "refused",
        ]);
        assert_eq!(summary(&bridge, &member).await, ["create 5 ready", "create 3 ready"]);
        assert_eq!(bridge.traces(&member).await, 7, "1, 2, 3, 4, other, gone, and 6: what was refused left no trace");
    }
}

on_both_databases! {
    async fn a_correction_that_changes_nothing_is_a_duplicate_and_one_back_to_the_first_is_none(database) {
        let (bridge, member, _ehr) = ready(database).await;
        bridge.grant(&member, &["mood"]).await;
        send(&bridge, &mood("1", "sparrow", 4)).await;
        assert_eq!(send(&bridge, &correcting(mood("2", "sparrow", 4), "1")).await, duplicate());
        assert_eq!(send(&bridge, &correcting(mood("3", "sparrow", 2), "1")).await, corrected());
        assert_eq!(send(&bridge, &correcting(mood("3", "sparrow", 2), "1")).await, duplicate());
        assert_eq!(send(&bridge, &mood("1", "sparrow", 4)).await, duplicate(), "no older version comes back by itself");
        assert_eq!(send(&bridge, &correcting(mood("2", "sparrow", 4), "1")).await, duplicate());
        assert_eq!(summary(&bridge, &member).await, ["create - withdrawn", "correct 2 ready"]);
        assert_eq!(send(&bridge, &correcting(mood("4", "sparrow", 4), "1")).await, corrected());
        assert_eq!(summary(&bridge, &member).await.last().unwrap(), "correct 4 ready");
        for other in [mood("1", "sparrow", 5), correcting(mood("3", "sparrow", 5), "1"), mood("3", "sparrow", 2)] {
            assert_eq!(send(&bridge, &other).await, (409, "conflict".to_owned()), "{other}");
        }
        assert_eq!(send(&bridge, &retraction("3", "sparrow", "1")).await, (409, "conflict".to_owned()));
    }
}

on_both_databases! {
    async fn what_cannot_be_a_correction_or_a_retraction_is_refused_by_name(database) {
        let (bridge, member, ehr) = ready(database).await;
        let other = bridge.person("wren", &crate::support::ehr::create_patient(&ehr.base).await).await;
        bridge.grant(&member, &["mood", "note"]).await;
        bridge.grant(&other, &["mood"]).await;
        send(&bridge, &mood("1", "sparrow", 4)).await;
        send(&bridge, &correcting(mood("2", "sparrow", 2), "1")).await;
        let with = |mut event: Value, pointer: &str, value: Value| {
            event.as_object_mut().unwrap().entry("corrects").or_insert(json!("1"));
            *event.pointer_mut(pointer).unwrap() = value;
            event
        };
        let gone = |value: Value| {
            let mut event = retraction("x", "sparrow", "1");
            event["data"] = value;
            event
        };
        for (what, event, field) in [
            ("of another type", correcting(note("x", "sparrow", "dear diary"), "1"), "/type"),
            ("of another member", correcting(mood("x", "wren", 3), "1"), "/subject"),
            ("of a correction", correcting(mood("x", "sparrow", 3), "2"), "/corrects"),
            ("of itself", correcting(mood("x", "sparrow", 3), "x"), "/corrects"),
            ("empty", with(mood("x", "sparrow", 3), "/corrects", json!("")), "/corrects"),
            ("too long", with(mood("x", "sparrow", 3), "/corrects", json!("i".repeat(201))), "/corrects"),
            ("a number", with(mood("x", "sparrow", 3), "/corrects", json!(1)), "/corrects"),
            ("null", with(mood("x", "sparrow", 3), "/corrects", Value::Null), "/corrects"),
            ("a retraction of another member's", retraction("x", "wren", "1"), "/subject"),
            ("a retraction of a correction", retraction("x", "sparrow", "2"), "/data/retracts"),
            ("a retraction of itself", retraction("x", "sparrow", "x"), "/data/retracts"),
            ("a retraction that corrects", correcting(retraction("x", "sparrow", "1"), "1"), "/corrects"),
            ("a retraction of nothing", gone(json!({})), "/data"),
            ("a retraction with more", gone(json!({"retracts": "1", "why": "a secret"})), "/data"),
            ("a retraction of an empty id", gone(json!({"retracts": ""})), "/data/retracts"),
            ("a retraction of a long id", gone(json!({"retracts": "i".repeat(201)})), "/data/retracts"),
            ("a retraction of a number", gone(json!({"retracts": 1})), "/data/retracts"),
            ("a retraction in the future", with(retraction("x", "sparrow", "1"), "/time", json!("2026-11-20T13:00:00Z")), "/"),
        ] {
            let got = bridge.send(&event).await;
            assert_eq!((got.status, got.json["refusal"]["field"].as_str().map(|at| at.starts_with(field))),
                (422, Some(true)), "{what}: {:?}", got.json);
            assert!(!got.json.to_string().contains("a secret"), "{:?}", got.json);
        }
        assert_eq!(bridge.traces(&member).await, 2, "what is refused leaves no trace");
        assert_eq!(bridge.traces(&other).await, 0);
        assert_eq!(summary(&bridge, &member).await, ["create - withdrawn", "correct 2 ready"]);
    }
}

on_both_databases! {
    async fn a_deleted_entry_stays_deleted(database) {
        let (bridge, member, _ehr) = ready(database).await;
        bridge.grant(&member, &["mood"]).await;
        assert_eq!(send(&bridge, &retraction("r", "sparrow", "1")).await, duplicate(), "nobody has it");
        assert_eq!(bridge.traces(&member).await, 0, "and nothing is remembered");
        send(&bridge, &mood("1", "sparrow", 4)).await;
        bridge.deliver_in_time().await;
        assert_eq!(send(&bridge, &retraction("r", "sparrow", "1")).await, retracted());
        assert_eq!(send(&bridge, &retraction("r", "sparrow", "1")).await, duplicate());
        assert_eq!(send(&bridge, &retraction("again", "sparrow", "1")).await, duplicate());
        assert_eq!(send(&bridge, &mood("1", "sparrow", 4)).await, duplicate());
        assert_eq!(send(&bridge, &correcting(mood("2", "sparrow", 3), "1")).await, refused("retracted"));
        assert_eq!(summary(&bridge, &member).await, ["create - confirmed", "retract gone ready"]);
        assert_eq!(send(&bridge, &mood("new", "sparrow", 3)).await, accepted(), "what is written anew is a new entry");
    }
}

on_both_databases! {
    async fn without_consent_a_clinic_is_told_neither(database) {
        let (bridge, member, _ehr) = ready(database).await;
        let grant = bridge.grant(&member, &["mood"]).await;
        send(&bridge, &mood("1", "sparrow", 4)).await;
        bridge.deliver_in_time().await;
        bridge.change_grant(&member, &grant, "revoke").await;
        assert_eq!(send(&bridge, &correcting(mood("2", "sparrow", 2), "1")).await, refused("not-permitted"));
        assert_eq!(send(&bridge, &retraction("3", "sparrow", "1")).await, refused("not-permitted"));
        assert_eq!(bridge.traces(&member).await, 1);
        assert_eq!(summary(&bridge, &member).await, ["create - confirmed"]);
        bridge.grant(&member, &["mood"]).await;
        assert_eq!(send(&bridge, &retraction("3", "sparrow", "1")).await, retracted(), "it can be sent again later");
        assert_eq!(summary(&bridge, &member).await, ["create - confirmed", "retract gone ready"]);
    }
}

on_both_databases! {
    async fn what_waits_through_a_pause_is_dropped_when_it_is_deleted(database) {
        let (bridge, member, ehr) = ready(database).await;
        let grant = bridge.grant(&member, &["mood"]).await;
        send(&bridge, &mood("1", "sparrow", 4)).await;
        bridge.change_grant(&member, &grant, "pause").await;
        assert_eq!(send(&bridge, &retraction("2", "sparrow", "1")).await, retracted());
        assert_eq!(summary(&bridge, &member).await, ["create - withdrawn"]);
        bridge.change_grant(&member, &grant, "resume").await;
        assert_eq!(send(&bridge, &mood("1", "sparrow", 4)).await, duplicate());
        bridge.deliver_in_time().await;
        assert_eq!(ehr.observations().await.len(), 0);
    }
}

on_both_databases! {
    async fn what_was_sent_takes_a_consent_to_be_taken_back_whatever_else_waits(database) {
        let (bridge, member, _ehr) = ready(database).await;
        let grant = bridge.grant(&member, &["mood"]).await;
        send(&bridge, &mood("1", "sparrow", 4)).await;
        bridge.deliver_in_time().await;
        send(&bridge, &correcting(mood("2", "sparrow", 2), "1")).await;
        bridge.change_grant(&member, &grant, "pause").await;
        assert_eq!(send(&bridge, &retraction("3", "sparrow", "1")).await, refused("not-permitted"));
        assert_eq!(summary(&bridge, &member).await, ["create - confirmed", "correct 2 ready"]);
        bridge.change_grant(&member, &grant, "resume").await;
        assert_eq!(send(&bridge, &retraction("3", "sparrow", "1")).await, retracted());
        assert_eq!(summary(&bridge, &member).await.last().unwrap(), "retract gone ready");
    }
}

on_both_databases! {
    async fn an_entry_whose_deliveries_were_all_withdrawn_can_be_changed_and_deleted(database) {
        let (bridge, member, _ehr) = ready(database).await;
        let grant = bridge.grant(&member, &["mood"]).await;
        send(&bridge, &mood("1", "sparrow", 4)).await;
        bridge.change_grant(&member, &grant, "revoke").await;
        let again = bridge.grant(&member, &["mood"]).await;
        assert_eq!(send(&bridge, &correcting(mood("2", "sparrow", 2), "1")).await, corrected());
        assert_eq!(summary(&bridge, &member).await, ["create - withdrawn", "create 2 ready"], "the clinic never had it");
        bridge.change_grant(&member, &again, "revoke").await;
        assert_eq!(send(&bridge, &retraction("3", "sparrow", "1")).await, retracted(), "it is nowhere, and stays so");
        bridge.grant(&member, &["mood"]).await;
        assert_eq!(send(&bridge, &correcting(mood("2", "sparrow", 2), "1")).await, duplicate());
        assert_eq!(send(&bridge, &correcting(mood("4", "sparrow", 2), "1")).await, refused("retracted"));
        assert_eq!(bridge.count(DeliveryState::Withdrawn).await, 2);
        assert_eq!(bridge.open_items().await, 0);
    }
}

on_both_databases! {
    async fn a_change_while_the_first_report_is_being_sent_follows_it(database) {
        let (bridge, member, _ehr) = ready(database).await;
        bridge.grant(&member, &["mood"]).await;
        for state in ["sending", "unknown"] {
            let id = |n: u8| format!("{state}-{n}");
            send(&bridge, &mood(&id(1), "sparrow", 4)).await;
            execute(&bridge, &format!("UPDATE outbox SET state = '{state}' WHERE state = 'ready'")).await;
            assert_eq!(send(&bridge, &correcting(mood(&id(2), "sparrow", 2), &id(1))).await, corrected());
            assert_eq!(send(&bridge, &retraction(&id(3), "sparrow", &id(1))).await, retracted());
            let found = summary(&bridge, &member).await;
            let expected = [format!("create 4 {state}"), "correct - withdrawn".to_owned(), "retract gone ready".to_owned()];
            assert_eq!(found[found.len() - 3..], expected);
            execute(&bridge, "UPDATE outbox SET state = 'confirmed' WHERE state = 'ready'").await;
        }
    }
}

on_both_databases! {
    async fn nobody_sends_an_older_version_by_hand(database) {
        let (bridge, member, _ehr) = ready(database).await;
        bridge.grant(&member, &["mood"]).await;
        for (state, left) in [("rejected", "withdrawn"), ("dead", "dead")] {
            let id = |n: u8| format!("{state}-{n}");
            send(&bridge, &mood(&id(1), "sparrow", 4)).await;
            execute(&bridge, &format!("UPDATE outbox SET state = '{state}' WHERE state = 'ready'")).await;
            assert_eq!(send(&bridge, &correcting(mood(&id(2), "sparrow", 2), &id(1))).await, corrected());
            let found = summary(&bridge, &member).await;
            assert_eq!(found[found.len() - 2..], [format!("create - {left}"), "correct 2 ready".to_owned()]);
            let mut tx = bridge.bridge.store.begin().await.unwrap();
            assert_eq!(tx.replay(&Replay::Clinic(&riverside(), None), bridge.now()).await.unwrap(), 0);
            tx.commit().await.unwrap();
            execute(&bridge, "UPDATE outbox SET state = 'confirmed' WHERE state = 'ready'").await;
        }
    }
}

on_both_databases! {
    async fn changes_that_come_at_once_come_one_after_the_other(database) {
        let (bridge, member, _ehr) = ready(database).await;
        bridge.grant(&member, &["mood"]).await;
        let corrections: Vec<Value> =
            (0..5).map(|n| correcting(mood(&format!("c{n}"), "sparrow", 1 + n), "1")).collect();
        let mut all = vec![mood("1", "sparrow", 4)];
        all.extend(corrections.iter().cloned());
        // Each of them twice, as when answers are lost.
        let sends = all.iter().chain(&all).map(|event| bridge.send(event));
        for got in futures_util::future::join_all(sends).await {
            assert!([200, 202].contains(&got.status), "{:?}", got.json);
        }
        let found = items(&bridge, &member).await;
        let living: Vec<_> = found.iter().filter(|item| item.is_living()).collect();
        assert_eq!(living.len(), 1, "{found:?}");
        assert!(found.iter().all(|item| item.identifier == living[0].identifier));
        // What waits is the newest version, whichever it was: to tell it again changes nothing.
        let value = living[0].value().unwrap();
        assert_eq!(send(&bridge, &correcting(mood("last", "sparrow", value), "1")).await, duplicate());

        let ends = [retraction("r1", "sparrow", "1"), retraction("r2", "sparrow", "1"), correcting(mood("d", "sparrow", 2), "1")];
        let statuses = futures_util::future::join_all(ends.iter().map(|event| send(&bridge, event))).await;
        assert_eq!(statuses.iter().filter(|status| **status == retracted()).count(), 1, "{statuses:?}");
        let living = items(&bridge, &member).await.into_iter().filter(|item| item.is_living() && item.operation != "retract").count();
        assert_eq!(living, 0, "the deleted entry does not come back");
    }
}

on_both_databases! {
    async fn what_was_taken_before_corrections_were_known_can_be_corrected_and_retracted(database) {
        let (bridge, member, _ehr) = ready(database).await;
        bridge.grant(&member, &["mood"]).await;
        send(&bridge, &mood("1", "sparrow", 4)).await;
        execute(&bridge, "UPDATE events SET category = NULL").await;
        execute(&bridge, "UPDATE outbox SET content_index = NULL, state = 'confirmed', sealed_payload = NULL").await;
        assert_eq!(send(&bridge, &mood("1", "sparrow", 4)).await, duplicate());
        assert_eq!(send(&bridge, &correcting(mood("2", "sparrow", 2), "1")).await, corrected());
        assert_eq!(send(&bridge, &retraction("3", "sparrow", "1")).await, retracted());
        assert_eq!(summary(&bridge, &member).await, ["create - confirmed", "correct - withdrawn", "retract gone ready"]);
    }
}
