//! *Receipts* in the portal: looked at, taken along, and checked by somebody who trusts nobody's word.

use mostik::consent::receipt::verify;
use mostik::domain::audit::hex;
use serde_json::Value;

use crate::on_both_databases;
use crate::support::ehr::{Ehr, create_patient};
use crate::support::http;
use crate::support::portal::{Browser, Portal};

/// The receipts that a page lists, as their addresses, the newest first.
async fn listed(browser: &mut Browser) -> Vec<String> {
    let page = browser.get("/receipts").await;
    assert_eq!(page.status, 200);
    let links = page.body.split("href=\"/receipts/").skip(1);
    links.map(|rest| format!("/receipts/{}", rest.split('"').next().unwrap())).collect()
}

on_both_databases! {
    async fn each_decision_has_a_receipt_that_says_what_was_decided(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        let mut browser = portal.sign_in(&sparrow).await;
        assert!(browser.get("/receipts").await.body.contains("You have no receipts yet."));
        portal.bridge.grant(&sparrow, &["mood"]).await;
        browser.get("/sharing").await;
        browser.post("/sharing/riverside/pause", &[]).await;
        browser.get("/sharing/riverside/stop").await;
        browser.post("/sharing/riverside/stop", &[]).await;
        let list = browser.get("/receipts").await.body;
        let newest_first = ["You stopped sharing", "You paused sharing", "You began to share"].map(|said| list.find(said).unwrap());
        assert!(newest_first.is_sorted(), "{list}");
        assert!(list.contains("Riverside, 20 November 2026"), "{list}");
        let receipts = listed(&mut browser).await;
        assert_eq!(receipts.len(), 3);
        let first = browser.get(&receipts[2]).await.body;
        for said in ["This receipt is genuine", "Mood: every entry", "treatment", "given in your app (version 1)", "explicit consent"] {
            assert!(first.contains(said), "{said}: {first}");
        }
        let ended = browser.get(&receipts[0]).await.body;
        assert!(ended.contains("paused in the portal") && ended.contains("taken back in the portal"), "{ended}");
        browser.post("/language", &[("language", "ru"), ("back", "/receipts")]).await;
        let russian = browser.get(&receipts[2]).await.body;
        assert!(russian.contains("Квитанция подлинная") && russian.contains("Настроение: каждая запись"), "{russian}");
    }
}

on_both_databases! {
    async fn the_file_is_the_signed_receipt_and_anyone_can_check_it(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        let grant = portal.bridge.grant(&sparrow, &["mood"]).await;
        let mut browser = portal.sign_in(&sparrow).await;
        let receipt = listed(&mut browser).await.remove(0);
        let page = browser.get(&receipt).await.body;
        let file = format!("{receipt}/file");
        assert!(page.contains(&format!("href=\"{file}\"")), "the page leads to it");
        assert!(page.contains("https://mostik.example/.well-known/jwks.json"), "and says with which keys it is checked");
        let saved = browser.get(&file).await;
        assert_eq!((saved.status, saved.header("content-type")), (200, "application/jose"));
        let id = receipt.rsplit('/').next().unwrap();
        assert_eq!(saved.header("content-disposition"), format!("attachment; filename=\"receipt-{id}.jws\""));
        let keys: Value = http::call(reqwest::Method::GET, &format!("{}/.well-known/jwks.json", portal.bridge.api), None, None).await.json;
        let genuine = verify(&saved.body, &serde_json::from_value(keys).unwrap()).unwrap();
        assert_eq!(genuine.record_id.to_string(), grant);
    }
}

on_both_databases! {
    async fn nobody_sees_the_receipts_of_another(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        portal.bridge.grant(&sparrow, &["mood"]).await;
        let mut browser = portal.sign_in(&sparrow).await;
        let receipt = listed(&mut browser).await.remove(0);
        let wren = portal.bridge.person("wren", &create_patient(&ehr.base).await).await;
        let mut other = portal.sign_in(&wren).await;
        assert!(listed(&mut other).await.is_empty());
        for path in [receipt.as_str(), &format!("{receipt}/file"), "/receipts/..%2f", "/receipts/nonsense", "/receipts/nonsense/file"] {
            let page = other.get(path).await;
            assert_eq!(page.status, 404, "{path}");
            assert!(!page.body.contains("Riverside") && !page.body.contains("eyJ"), "{path}");
        }
        let mut nobody = portal.browser();
        for path in [receipt.as_str(), &format!("{receipt}/file")] {
            assert_eq!(nobody.get(path).await.location(), "/sign-in");
        }
    }
}

on_both_databases! {
    async fn a_receipt_that_cannot_be_checked_is_not_shown_as_genuine(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        portal.bridge.grant(&sparrow, &["mood"]).await;
        let mut browser = portal.sign_in(&sparrow).await;
        let receipt = listed(&mut browser).await.remove(0);
        // What another installation signed, sealed for this member: as good as a change in the database could be.
        let key = portal.bridge.key(&sparrow).await;
        let id: uuid::Uuid = receipt.rsplit('/').next().unwrap().parse().unwrap();
        let forged = key.seal("consent_records.sealed_receipt", id.as_bytes(), b"eyJhbGciOiJFUzI1NiIsImtpZCI6IngifQ.e30.AA").unwrap();
        let hex = hex(&forged);
        let value = if portal.bridge.database.is_sqlite() { format!("x'{hex}'") } else { format!("'\\x{hex}'") };
        portal.bridge.database.run(&format!("UPDATE consent_records SET sealed_receipt = {value}")).await;
        let page = browser.get(&receipt).await.body;
        assert!(page.contains("This receipt cannot be checked") && !page.contains("This receipt is genuine"), "{page}");
    }
}
