//! A summary that waits for its EHR while its member withholds something of it: it goes without that, and is not lost.

use mostik::domain::settings::Change;
use mostik::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use super::summaries::told;
use crate::on_both_databases;
use crate::support::bridge::{TestBridge, mood};
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::own::at;

/// A label is withheld while the summary of a week waits, one of whose three entries carries it.
async fn withheld_while_it_waits(database: Database, keep: bool) {
    let ehr = Ehr::sandbox().await;
    let bridge = TestBridge::start(database, &ehr.base).await;
    let member = bridge.person("sparrow", &ehr.patient).await;
    bridge.set(&member, Change { keep: Some(keep), ..Change::default() }).await;
    let grant = bridge.share(&member, json!({"mood": "weekly-summary"})).await;
    let mut sensitive = at(mood("2", "sparrow", 1), "2026-11-17T08:00:00Z");
    sensitive["sensitivity"] = json!("SUD");
    let others = [("1", "2026-11-16T08:00:00Z", 5), ("3", "2026-11-18T08:00:00Z", 3)];
    let [first, last] = others.map(|(id, time, rating)| at(mood(id, "sparrow", rating), time));
    bridge.send(&json!([first, sensitive, last])).await;
    let faults = ehr.sandbox.as_ref().unwrap().faults();
    faults.switch_on(Fault::always(FaultKind::Status { code: 503, retry_after: None }).on("POST", "Observation"));
    bridge.until("2026-11-23T12:00:00Z").await;
    bridge.deliver().await;
    let waiting = told(&bridge, &member).await;
    assert!(matches!(waiting.as_slice(), [only] if only.contains(": 3 entries, mean 3.0,")), "{waiting:?}");
    let narrower = json!({"categories": {"mood": "weekly-summary"}, "withheld": ["SUD"]});
    bridge.change_terms(&member, &grant, narrower).await;
    faults.clear();
    for _ in 0..2 {
        bridge.chores().await;
        bridge.deliver_in_time().await;
    }
    let charted = ehr.observations().await;
    assert_eq!(charted.len(), 1, "{:?}", told(&bridge, &member).await);
    let number = |code: &str| {
        let mut components = charted[0]["component"].as_array().unwrap().iter();
        let is_it = |it: &&Value| it["code"]["coding"][0]["code"] == code;
        components.find(is_it).unwrap()["valueQuantity"]["value"].to_string()
    };
    assert_eq!([number("count"), number("average"), number("minimum")], ["2", "4.0", "3"]);
    assert!(!charted[0].to_string().contains("SUD"), "{}", charted[0]);
}

on_both_databases! {
    async fn a_summary_that_waits_goes_without_what_is_withheld_now(database) {
        withheld_while_it_waits(database, true).await;
    }
}

on_both_databases! {
    async fn a_summary_that_waits_goes_without_what_is_withheld_and_forgotten_now(database) {
        withheld_while_it_waits(database, false).await;
    }
}
