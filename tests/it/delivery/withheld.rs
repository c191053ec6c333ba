//! Entries that are changed so that a clinic may see them no more: it is told that what it had is no longer so, and not how it
//! reads now.

use jiff::SignedDuration;
use mostik::domain::settings::Change;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::bridge::{Person, TestBridge, correcting, mood};
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::own::at;

/// A member in Berlin who shares their moods in this detail, but nothing about substances and nothing of before November.
async fn ready(database: Database, detail: &str) -> (TestBridge, Person, Ehr, String) {
    let ehr = Ehr::sandbox().await;
    let bridge = TestBridge::start(database, &ehr.base).await;
    let member = bridge.person("sparrow", &ehr.patient).await;
    bridge.move_to(&member, "Europe/Berlin").await;
    let terms = json!({"categories": {"mood": detail}, "withheld": ["SUD"], "data_from": "2026-11-01T00:00:00Z"});
    let grant = bridge.share_by(&member, terms).await;
    (bridge, member, ehr, grant)
}

fn sensitive(mut event: Value) -> Value {
    event["sensitivity"] = json!("SUD");
    event
}

/// What becomes of an event.
async fn send(bridge: &TestBridge, event: &Value) -> String {
    let got = bridge.send(&json!([event])).await;
    got.json["results"][0]["status"].as_str().unwrap().to_owned()
}

/// What stands in the EHR, in words.
async fn charted(ehr: &Ehr) -> Vec<String> {
    let found = ehr.observations().await;
    let said = |it: &Value| format!("{} {}", it["status"].as_str().unwrap(), it["valueQuantity"]["value"]);
    found.iter().map(said).collect()
}

on_both_databases! {
    async fn an_entry_that_is_called_sensitive_before_it_has_arrived_never_arrives(database) {
        let (bridge, _, ehr, _) = ready(database, "every-entry").await;
        assert_eq!(send(&bridge, &mood("1", "sparrow", 4)).await, "accepted");
        let changed = correcting(sensitive(mood("2", "sparrow", 1)), "1");
        assert_eq!(send(&bridge, &changed).await, "corrected");
        assert_eq!(send(&bridge, &changed).await, "duplicate");
        bridge.deliver_in_time().await;
        assert_eq!(charted(&ehr).await, [""; 0]);
        assert_eq!(bridge.database.count("readings").await, 0, "and is not kept");
        assert_eq!(send(&bridge, &sensitive(mood("3", "sparrow", 1))).await, "refused", "nobody may see it, nobody had it");
    }
}

/// What the member's own view keeps is one thing, and what the clinic has another.
async fn is_taken_back_and_comes_again(database: Database, keeps: bool) {
    let (bridge, member, ehr, grant) = ready(database, "every-entry").await;
    bridge.set(&member, Change { keep: Some(keeps), ..Change::default() }).await;
    send(&bridge, &mood("1", "sparrow", 4)).await;
    bridge.deliver_in_time().await;
    assert_eq!(charted(&ehr).await, ["final 4"]);
    let changed = correcting(sensitive(mood("2", "sparrow", 1)), "1");
    assert_eq!(send(&bridge, &changed).await, "corrected");
    bridge.deliver_in_time().await;
    assert_eq!(charted(&ehr).await, ["entered-in-error 4"], "and not what it is now");
    assert_eq!(bridge.readings(&member).await.len(), usize::from(keeps));
    bridge.change_terms(&member, &grant, json!({"categories": {"mood": "every-entry"}})).await;
    assert_eq!(send(&bridge, &changed).await, "corrected");
    bridge.deliver_in_time().await;
    assert_eq!(charted(&ehr).await, ["corrected 1"]);
    let found = ehr.observations().await.remove(0);
    let labels = found["meta"]["security"].as_array().unwrap();
    assert!(labels.iter().any(|label| label["code"] == "SUD"), "{found:#}");
}

on_both_databases! {
    async fn an_entry_that_is_called_sensitive_is_taken_back_and_comes_again_when_it_may(database) {
        is_taken_back_and_comes_again(database, false).await;
    }
}

on_both_databases! {
    async fn so_it_is_where_the_member_keeps_everything_for_themselves(database) {
        is_taken_back_and_comes_again(database, true).await;
    }
}

on_both_databases! {
    async fn an_entry_that_was_earlier_than_what_is_shared_is_taken_back(database) {
        let (bridge, _, ehr, _) = ready(database, "every-entry").await;
        send(&bridge, &mood("1", "sparrow", 4)).await;
        bridge.deliver_in_time().await;
        let changed = correcting(at(mood("2", "sparrow", 4), "2026-10-31T10:00:00+01:00"), "1");
        assert_eq!(send(&bridge, &changed).await, "corrected");
        bridge.deliver_in_time().await;
        assert_eq!(charted(&ehr).await, ["entered-in-error 4"]);
    }
}

on_both_databases! {
    async fn an_entry_that_is_called_sensitive_counts_in_no_summary_any_more(database) {
        let (bridge, _, ehr, _) = ready(database, "daily-summary").await;
        send(&bridge, &mood("1", "sparrow", 4)).await;
        send(&bridge, &mood("2", "sparrow", 2)).await;
        bridge.until("2026-11-21T12:00:00Z").await;
        bridge.deliver_in_time().await;
        assert_eq!(ehr.observations().await.len(), 1, "{:?}", charted(&ehr).await);
        assert_eq!(send(&bridge, &correcting(sensitive(mood("3", "sparrow", 2)), "2")).await, "corrected");
        bridge.clock.advance(SignedDuration::from_mins(1));
        bridge.chores().await;
        bridge.deliver_in_time().await;
        assert_eq!(ehr.observations().await.len(), 1);
        let summary = ehr.observations().await.remove(0);
        let components = summary["component"].as_array().unwrap();
        let count = components.iter().find(|it| it["code"]["coding"][0]["code"] == "count").unwrap();
        assert_eq!((&summary["status"], &count["valueQuantity"]["value"]), (&json!("corrected"), &json!(1)));
    }
}
