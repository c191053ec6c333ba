//! What a clinic can know of the audit log: what it was sent and what it read; and that each of its reads is in there.

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::audit::{kinds, wrong};
use crate::support::bridge::{TestBridge, mood, riverside};
use crate::support::clinic::{ALL_SCOPES, PUBLIC_URL, entries, post_form, read, with_systems};
use crate::support::http::{Got, client};
use crate::support::validate::assert_valid;
use mostik::domain::audit::Chain;

fn next(bundle: &Value) -> Option<String> {
    let link = bundle["link"].as_array().unwrap().iter().find(|link| link["relation"] == "next")?;
    Some(link["url"].as_str().unwrap().strip_prefix(PUBLIC_URL).unwrap().to_owned())
}

fn reads(events: &[Value]) -> usize {
    let read = |event: &&Value| ["read", "search-type"].iter().any(|code| event["subtype"][0]["code"] == *code);
    events.iter().filter(read).count()
}

async fn search(bridge: &TestBridge, token: &str, query: &str) -> Vec<Value> {
    let got = read(bridge, token, &format!("/fhir/AuditEvent?{query}")).await;
    assert_eq!(got.status, 200, "{:?}", got.json);
    entries(&got.json)
}

on_both_databases! {
    async fn each_read_is_in_the_log_and_the_clinic_sees_its_own(database) {
        let (bridge, river, lake) = with_systems(database).await;
        let sparrow = bridge.person("sparrow", "17").await;
        bridge.grant(&sparrow, &["mood"]).await;
        let token = river.token(&bridge, ALL_SCOPES).await;
        let consents = entries(&read(&bridge, &token, "/fhir/Consent?patient=17").await.json);
        let path = format!("/fhir/Consent/{}", consents[0]["id"].as_str().unwrap());
        let request = client().get(format!("{}{path}", bridge.api)).bearer_auth(&token);
        assert_eq!(request.header("x-request-id", "call-7").send().await.unwrap().status().as_u16(), 200);
        let got = read(&bridge, &token, "/fhir/AuditEvent?patient=17").await;
        assert_valid(&got.json).await;
        assert!(got.json.get("total").is_none(), "how many there are would have to be counted what is not told");
        let events = entries(&got.json);
        assert_eq!((events.len(), reads(&events)), (2, 2), "{events:#?}");
        for event in &events {
            assert_valid(event).await;
        }
        assert!(events[1].to_string().contains("call-7") && events[1].to_string().contains("riverside-ehr"));
        assert_eq!(search(&bridge, &token, "patient=17").await.len(), 3, "and that it looked");
        let lake_token = lake.token(&bridge, ALL_SCOPES).await;
        assert_eq!(search(&bridge, &lake_token, "patient=17").await.len(), 0);
        let chain = Chain::of_clinic(&"lakeside".parse().unwrap());
        assert_eq!(kinds(&bridge, &chain).await, ["clinic-access"], "a search that finds nobody is one too");
        assert_eq!(wrong(&bridge).await, [""; 0]);
    }
}

on_both_databases! {
    async fn what_was_denied_or_withdrawn_is_not_told(database) {
        let (bridge, river, _) = with_systems(database).await;
        let sparrow = bridge.person("sparrow", "17").await;
        let grant = bridge.grant(&sparrow, &["mood"]).await;
        let token = river.token(&bridge, ALL_SCOPES).await;
        for number in 0..5 {
            bridge.send(&mood(&format!("{number}"), "sparrow", 4)).await;
        }
        bridge.change_grant(&sparrow, &grant, "revoke").await;
        bridge.deliver().await;
        let chain = Chain::between(&riverside(), sparrow.id);
        assert!(kinds(&bridge, &chain).await.len() > 5, "there is much to be silent about");
        let got = read(&bridge, &token, "/fhir/AuditEvent?patient=17&_count=1").await;
        assert_eq!((entries(&got.json).len(), next(&got.json)), (0, None));
        read(&bridge, &token, "/fhir/Consent?patient=17").await;
        let page = read(&bridge, &token, "/fhir/AuditEvent?patient=17&_count=1").await.json;
        let link = next(&page).unwrap();
        let at = bridge.now().as_microsecond();
        let id = entries(&page)[0]["id"].as_str().unwrap().to_owned();
        assert!(link.contains(&format!("{at}.{at}.{id}")), "a link says no more than the page did: {link}");
    }
}

on_both_databases! {
    async fn pages_come_to_an_end_although_reading_them_is_told_too(database) {
        let (bridge, river, _) = with_systems(database).await;
        let sparrow = bridge.person("sparrow", "17").await;
        bridge.grant(&sparrow, &["mood"]).await;
        let token = river.token(&bridge, ALL_SCOPES).await;
        for _ in 0..5 {
            bridge.clock.advance(SignedDuration::from_secs(1));
            read(&bridge, &token, "/fhir/Consent?patient=17").await;
        }
        let (mut path, mut seen, mut pages) = (Some("/fhir/AuditEvent?patient=17&_count=2".to_owned()), Vec::new(), 0);
        while let Some(asked) = path {
            bridge.clock.advance(SignedDuration::from_secs(1));
            let page = read(&bridge, &token, &asked).await.json;
            seen.extend(entries(&page).iter().map(|event| event["id"].as_str().unwrap().to_owned()));
            path = next(&page);
            pages += 1;
        }
        let once: std::collections::BTreeSet<_> = seen.iter().collect();
        // And the first look itself, which was at the very time until which is told.
        assert_eq!((pages, seen.len(), once.len()), (3, 6, 6));
        for (date, found) in [
            ("date=2026-11-20", 8),
            ("date=ge2026-11-20T12:00:03Z", 7),
            ("date=ge2026-11-20T12:00:02Z&date=lt2026-11-20T12:00:04Z", 2),
            ("date=gt2026-11-20", 0),
            ("date=2026-11", 12),
        ] {
            let events = search(&bridge, &token, &format!("patient=17&{date}")).await;
            assert_eq!(events.len(), found, "{date}");
        }
        for query in ["date=yesterday", "date=ap2026", "_cursor=7", "_cursor=a.b.c"] {
            let got = read(&bridge, &token, &format!("/fhir/AuditEvent?patient=17&{query}")).await;
            assert_eq!((got.status, &got.json["issue"][0]["code"]), (400, &json!("value")), "{query}");
        }
        let got = post_form(&bridge, "/fhir/AuditEvent/_search", Some(&token), &[("date", "2026")]).await;
        assert_eq!((got.status, &got.json["issue"][0]["code"]), (400, &json!("required")));
    }
}

on_both_databases! {
    async fn what_cannot_be_written_down_is_not_given(database) {
        let (bridge, river, _) = with_systems(database).await;
        let sparrow = bridge.person("sparrow", "17").await;
        bridge.grant(&sparrow, &["mood"]).await;
        let token = river.token(&bridge, ALL_SCOPES).await;
        bridge.database.run("ALTER TABLE audit_entries RENAME TO audit_entries_away").await;
        let request = client().request(Method::GET, format!("{}/fhir/Consent?patient=17", bridge.api)).bearer_auth(&token);
        let got = Got::read(request.send().await.unwrap()).await;
        assert_eq!((got.status, &got.json["resourceType"]), (500, &json!("OperationOutcome")));
        assert!(!got.json.to_string().contains("17"));
    }
}
