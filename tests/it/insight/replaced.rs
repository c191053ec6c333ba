//! Pages that are put right in an EHR that lets nobody change what it has: another one goes, and says whose place it takes.

use mostik::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::insight::pages::{documents, paged, rated, send, words};
use crate::on_both_databases;
use crate::support::bridge::{Person, TestBridge, retraction};
use crate::support::database::Database;
use crate::support::ehr::{Ehr, identifier};
use crate::support::front::{Does, Front};
use crate::support::outbox::items;
use crate::support::validate::assert_valid;

/// An EHR behind a front that lets nobody change documents, and a member whose first page stands there.
async fn open(database: Database) -> (TestBridge, Person, Ehr) {
    let sandbox = Ehr::sandbox().await;
    let front = Front::before(&sandbox, Does::KeepsDocuments);
    let ehr = Ehr { base: front.base.clone(), ..sandbox };
    let bridge = paged(database, &ehr, "page = \"weekly\"\ncorrections = \"replace\"").await;
    let member = bridge.person("sparrow", &ehr.patient).await;
    bridge.share(&member, json!({"mood": "daily-summary"})).await;
    note(&bridge, "1", 18, 4).await;
    bridge.until("2026-11-23T00:00:00Z").await;
    bridge.deliver_in_time().await;
    (bridge, member, ehr)
}

async fn note(bridge: &TestBridge, id: &str, day: u8, rating: i64) {
    send(bridge, &[rated(id, &format!("2026-11-{day}T08:00:00Z"), rating)]).await;
    bridge.chores().await;
}

/// The identifier of the document whose place another one takes.
fn replaced(document: &Value) -> Option<String> {
    let relation = document["relatesTo"].get(0)?;
    assert_eq!((&relation["code"], &relation["target"]["type"]), (&json!("replaces"), &json!("DocumentReference")));
    Some(relation["target"]["identifier"]["value"].as_str().unwrap().to_owned())
}

/// The documents, each after the one whose place it takes.
async fn in_order(ehr: &Ehr) -> Vec<Value> {
    let (mut found, mut ordered) = (documents(ehr).await, Vec::<Value>::new());
    while !found.is_empty() {
        let before = ordered.last().map(identifier);
        let next = found.iter().position(|it| replaced(it) == before).unwrap();
        ordered.push(found.remove(next));
    }
    ordered
}

on_both_databases! {
    async fn a_page_that_is_put_right_is_another_one_that_says_whose_place_it_takes(database) {
        let (bridge, member, ehr) = open(database).await;
        let first = in_order(&ehr).await;
        assert_eq!((first.len(), &first[0]["docStatus"]), (1, &json!("final")));
        note(&bridge, "2", 19, 1).await;
        bridge.deliver_in_time().await;
        let found = in_order(&ehr).await;
        assert_eq!((found.len(), &found[0]), (2, &first[0]), "what was there is as it was");
        assert_eq!(found[1]["docStatus"], "amended");
        assert!(words(&found[1]).contains("Mood: 2.50"), "{}", words(&found[1]));
        assert_valid(&found[1]).await;
        bridge.chores().await;
        assert_eq!(bridge.open_items().await, 0, "what says nothing new is told once");
        // Put right twice before it goes: one more.
        note(&bridge, "3", 20, 1).await;
        note(&bridge, "4", 21, 4).await;
        bridge.deliver_in_time().await;
        let found = in_order(&ehr).await;
        assert_eq!(found.len(), 3);
        assert!(words(&found[2]).contains("4 of 7 days."), "{}", words(&found[2]));
        // Nothing is left of it: each is taken back that was sent.
        for entry in ["1", "2", "3", "4"] {
            send(&bridge, &[retraction(&format!("r{entry}"), "sparrow", entry)]).await;
        }
        bridge.chores().await;
        bridge.deliver_in_time().await;
        let held = items(&bridge, &member).await.into_iter().filter(|it| it.reason.as_deref() == Some("update-not-taken"));
        let mut held: Vec<String> = held.map(|it| it.identifier).collect();
        let mut sent: Vec<String> = found.iter().map(identifier).collect();
        held.sort_unstable();
        sent.sort_unstable();
        assert_eq!(held, sent, "until the EHR lets that be done");
    }
}

on_both_databases! {
    async fn whether_the_one_that_replaces_arrived_is_found_out_and_it_stands_there_once(database) {
        let (bridge, _, ehr) = open(database).await;
        let faults = ehr.sandbox.as_ref().unwrap().faults();
        faults.switch_on(Fault::once(FaultKind::LostReply).on("POST", "DocumentReference"));
        note(&bridge, "2", 19, 1).await;
        bridge.deliver_in_time().await;
        assert!(faults.list().is_empty(), "the answer was lost");
        let found = in_order(&ehr).await;
        assert_eq!(found.len(), 2);
        note(&bridge, "3", 20, 1).await;
        bridge.deliver_in_time().await;
        assert_eq!(in_order(&ehr).await.len(), 3, "and the next one takes its place");
    }
}
