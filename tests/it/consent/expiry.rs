//! The time of a consent is over: that is written down when it comes, once, and its clinic is told.

use serde_json::{Value, json};

use crate::support::audit::{between, chain, kinds, wrong};
use crate::support::bridge::{Person, TestBridge, mood};
use crate::support::consents::{hears, is, standing};
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::{on_both_databases, on_every_database};

const END: &str = "2026-11-27T12:00:00Z";

/// A bridge whose clinic hears how consents stand, and a member who shares their mood for a week.
async fn for_a_week(database: Database) -> (TestBridge, Person, String, Ehr) {
    let ehr = Ehr::sandbox().await;
    let bridge = hears(database, &ehr).await;
    let member = bridge.person("sparrow", &ehr.patient).await;
    let terms = json!({"categories": {"mood": "every-entry"}, "valid_until": END});
    let grant = bridge.share_by(&member, terms).await;
    bridge.chores().await;
    bridge.deliver().await;
    (bridge, member, grant, ehr)
}

async fn ends(bridge: &TestBridge, member: &Person) -> usize {
    kinds(bridge, &between(member)).await.iter().filter(|kind| *kind == "consent-expired").count()
}

on_every_database! {
    async fn its_end_is_written_down_when_it_comes_and_told_once(database) {
        let (bridge, member, grant, ehr) = for_a_week(database).await;
        bridge.until("2026-11-27T11:59:59Z").await;
        bridge.deliver().await;
        assert_eq!((ends(&bridge, &member).await, standing(&ehr).await), (0, is("active", "active", "1")));
        bridge.until(END).await;
        bridge.deliver().await;
        assert_eq!((ends(&bridge, &member).await, standing(&ehr).await), (1, is("inactive", "expired", "2")));
        let entries = chain(&bridge, &between(&member)).await;
        let entry = entries.iter().find(|entry| entry.kind == "consent-expired").unwrap();
        let body: Value = serde_json::from_str(&entry.body).unwrap();
        assert_eq!((body["valid_until"].as_str(), entry.at), (Some(END), bridge.now().as_microsecond()));
        bridge.beside(jiff::SignedDuration::ZERO).await.chores().await;
        bridge.until("2026-12-04T12:00:00Z").await;
        bridge.deliver().await;
        assert_eq!((ends(&bridge, &member).await, standing(&ehr).await), (1, is("inactive", "expired", "2")), "no second time");
        bridge.change_grant(&member, &grant, "revoke").await;
        bridge.deliver().await;
        assert_eq!((ends(&bridge, &member).await, standing(&ehr).await), (1, is("inactive", "revoked", "3")), "nor later");
        assert_eq!(wrong(&bridge).await, [""; 0]);
    }
}

on_both_databases! {
    async fn whoever_decides_before_the_chore_does_writes_it_down_too(database) {
        let (bridge, member, grant, _ehr) = for_a_week(database).await;
        bridge.clock.advance(END.parse::<jiff::Timestamp>().unwrap().duration_since(bridge.now()));
        let longer = json!({"categories": {"mood": "every-entry"}});
        bridge.change_terms(&member, &grant, longer).await;
        let told = kinds(&bridge, &between(&member)).await;
        let at = told.iter().position(|kind| kind == "consent-expired").unwrap();
        assert_eq!(told[at + 1], "consent-changed", "{told:?}");
        bridge.chores().await;
        assert_eq!(ends(&bridge, &member).await, 1);
        assert_eq!(bridge.send(&json!([mood("1", "sparrow", 4)])).await.json["results"][0]["status"], "accepted");
        assert_eq!(wrong(&bridge).await, [""; 0]);
    }
}
