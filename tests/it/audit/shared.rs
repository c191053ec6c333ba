//! What was shared, as the member sees it, and what a clinic may see of the audit log.

use jiff::{SignedDuration, Timestamp};
use mostik::audit::events::Teller;
use mostik::audit::shared::{Shared, SharedPage, shared};
use mostik::domain::audit::{Chain, ClinicAccess, Event};
use mostik::store::AuditCursor;
use serde_json::json;

use crate::on_both_databases;
use crate::support::bridge::{Person, TestBridge, correcting, mood, note, retraction, riverside};
use crate::support::ehr::{Ehr, create_patient};

async fn page(bridge: &TestBridge, person: &Person, before: Option<&AuditCursor>, limit: i64) -> SharedPage {
    let mut tx = bridge.bridge.store.read().await.unwrap();
    let wrapped = tx.member_key(person.id).await.unwrap().unwrap();
    let key = bridge.bridge.keyring.unwrap_member_key(person.id, &wrapped).unwrap();
    shared(&mut tx, &key, before, limit).await.unwrap()
}

/// A minute later somebody says something, and it goes where it may.
async fn told(bridge: &TestBridge, event: serde_json::Value) {
    bridge.clock.advance(SignedDuration::from_mins(1));
    bridge.send(&event).await;
    bridge.deliver().await;
}

fn words(item: &Shared) -> String {
    let category = item.disclosure.about.category.unwrap().as_str();
    let (version, standing) = (item.disclosure.version.unwrap(), item.standing.as_str());
    format!("{category} {} v{version} {standing}", item.disclosure.resource_type)
}

on_both_databases! {
    async fn a_member_sees_what_each_clinic_has_under_which_consent_and_how_it_stands(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        let other = bridge.person("wren", &create_patient(&ehr.base).await).await;
        let grant = bridge.grant(&member, &["mood"]).await;
        bridge.grant(&other, &["mood"]).await;
        told(&bridge, json!([mood("1", "sparrow", 4), mood("w", "wren", 4)])).await;
        told(&bridge, mood("2", "sparrow", 3)).await;
        told(&bridge, mood("3", "sparrow", 2)).await;
        told(&bridge, correcting(mood("4", "sparrow", 5), "1")).await;
        let wider = json!({"categories": {"mood": "every-entry", "note": "every-entry"}});
        bridge.as_member(&member, reqwest::Method::PUT, &format!("/v1/grants/{grant}"), Some(&wider)).await;
        told(&bridge, note("5", "sparrow", "x")).await;
        told(&bridge, retraction("6", "sparrow", "2")).await;
        let all = page(&bridge, &member, None, 100).await;
        let expected = [
            "mood Observation v2 retracted",
            "note Observation v2 recorded",
            "mood Observation v1 recorded",
            "mood Observation v1 recorded",
            "mood Observation v1 retracted",
            "mood Observation v1 corrected",
        ];
        assert_eq!(all.items.iter().map(words).collect::<Vec<_>>(), expected, "the newest first");
        assert!(all.next.is_none() && all.items.iter().all(|item| item.clinic == riverside()));
        let lived: Timestamp = "2026-11-20T11:00:00+01:00".parse().unwrap();
        assert!(all.items.iter().all(|item| item.measured_at == Some(lived) && item.at > lived));
        let (mut paged, mut before) = (Vec::new(), None);
        loop {
            let next = page(&bridge, &member, before.as_ref(), 4).await;
            paged.extend(next.items);
            before = next.next;
            if before.is_none() {
                break;
            }
        }
        assert_eq!(paged, all.items, "page by page the same");
    }
}

on_both_databases! {
    async fn a_clinic_is_told_what_it_got_and_read_and_never_what_was_kept_from_it(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        let grant = bridge.grant(&member, &["mood"]).await;
        bridge.send(&json!([mood("1", "sparrow", 4), note("2", "sparrow", "x")])).await;
        bridge.deliver().await;
        bridge.send(&mood("3", "sparrow", 1)).await;
        bridge.change_grant(&member, &grant, "revoke").await;
        bridge.deliver().await;
        let access = ClinicAccess {
            interaction: "search-type".to_owned(),
            resource_type: "Consent".to_owned(),
            client: "riverside-backend".to_owned(),
            request: None,
        };
        let mut tx = bridge.bridge.store.begin().await.unwrap();
        tx.record(Chain::between(&riverside(), member.id), bridge.now(), Event::ClinicAccess(access));
        tx.commit().await.unwrap();
        let clinics = [(riverside(), "Riverside".to_owned(), ehr.base.clone())];
        let teller = Teller::new(bridge.bridge.keyring.clone(), ("urn:mostik:test", "https://mostik.example/"), clinics);
        let mut tx = bridge.bridge.store.read().await.unwrap();
        let (mut told, mut after) = (Vec::new(), 0);
        loop {
            let page = teller.for_clinic(&mut tx, (&riverside(), member.id), Timestamp::MIN, after, 2).await.unwrap();
            told.extend(page.events);
            let Some(next) = page.next else { break };
            after = next;
        }
        let codes: Vec<&str> = told.iter().map(|event| event["subtype"][0]["code"].as_str().unwrap()).collect();
        assert_eq!(codes, ["AuthZ-Consent", "create", "disclose", "search-type"]);
        let ids: std::collections::BTreeSet<&str> = told.iter().map(|event| event["id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), told.len(), "each has a name of its own");
        let later = bridge.now().checked_add(SignedDuration::from_secs(1)).unwrap();
        let none = teller.for_clinic(&mut tx, (&riverside(), member.id), later, 0, 100).await.unwrap();
        assert!(none.events.is_empty() && none.next.is_none());
    }
}
