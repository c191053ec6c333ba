//! *Export* in the portal: a copy of everything, for the one whose it is.

use jiff::SignedDuration;
use reqwest::Method;

use crate::on_both_databases;
use crate::support::bridge::{mood, note};
use crate::support::ehr::{Ehr, create_patient};
use crate::support::http::client;
use crate::support::portal::Portal;
use crate::support::zip::Files;

on_both_databases! {
    async fn a_member_takes_a_copy_of_everything_along(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        portal.bridge.grant(&sparrow, &["mood", "note"]).await;
        portal.bridge.send(&mood("1", "sparrow", 4)).await;
        portal.bridge.send(&note("2", "sparrow", "a long night")).await;
        portal.bridge.deliver().await;
        let mut browser = portal.sign_in(&sparrow).await;
        let page = browser.get("/export").await.body;
        assert!(page.contains("What is in it") && page.contains("Save my copy"), "{page}");
        let saved = browser.post("/export", &[]).await;
        assert_eq!((saved.status, saved.header("content-type")), (200, "application/zip"));
        assert_eq!(saved.header("content-disposition"), "attachment; filename=\"mostik-2026-11-20.zip\"");
        assert_eq!(saved.header("cache-control"), "no-store");
        let files = Files::of(&saved.bytes);
        let readings = files.rows("readings/readings.csv");
        assert!(readings.iter().any(|row| row["value"] == "4") && readings.iter().any(|row| row["text"] == "a long night"));
        assert_eq!(files.json("profile/sign-ins.json")["browsers"][0]["community"], "forum");
        assert!(files.text("README.txt").starts_with("This archive"));
        browser.get("/export").await;
        browser.post("/language", &[("language", "ru"), ("back", "/export")]).await;
        browser.get("/export").await;
        let russian = Files::of(&browser.post("/export", &[]).await.bytes);
        assert!(russian.text("README.txt").starts_with("В этом архиве"), "in the language of the page");
    }
}

on_both_databases! {
    async fn looking_at_the_page_exports_nothing_and_another_site_cannot_ask_for_it(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        let mut browser = portal.sign_in(&sparrow).await;
        let page = browser.get("/export").await;
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8", "what is fetched beforehand is only a page");
        let own = browser.csrf.clone();
        for (headers, token) in [
            (vec![("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")], own.as_str()),
            (vec![], ""),
        ] {
            let answer = browser.request(Method::POST, "/export", &headers, Some(&[("csrf", token)])).await;
            assert_eq!((answer.status, answer.header("content-disposition")), (403, ""));
        }
    }
}

on_both_databases! {
    async fn whoever_signed_in_a_while_ago_signs_in_once_more_first(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        let mut browser = portal.sign_in(&sparrow).await;
        portal.bridge.clock.advance(SignedDuration::from_mins(15) - SignedDuration::from_micros(1));
        browser.get("/export").await;
        assert_eq!(browser.post("/export", &[]).await.status, 200);
        portal.bridge.clock.advance(SignedDuration::from_micros(1));
        let page = browser.get("/export").await.body;
        assert!(page.contains("Please sign in once more first") && !page.contains("Save my copy"), "{page}");
        let refused = browser.post("/export", &[]).await;
        assert_eq!((refused.status, refused.location()), (303, "/export"), "the form alone does not do it either");
        browser.get("/sharing").await;
        assert_eq!(browser.post("/sign-out", &[]).await.location(), "/sign-in");
        let mut browser = portal.sign_in(&sparrow).await;
        browser.get("/export").await;
        assert_eq!(browser.post("/export", &[]).await.status, 200);
    }
}

on_both_databases! {
    async fn copies_cannot_be_made_without_end(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        let wren = portal.bridge.person("wren", &create_patient(&ehr.base).await).await;
        let mut browser = portal.sign_in(&sparrow).await;
        browser.get("/export").await;
        let mut statuses = Vec::new();
        for _ in 0..6 {
            statuses.push(browser.post("/export", &[]).await.status);
        }
        assert_eq!(statuses, [200, 200, 200, 200, 200, 429]);
        let by_api = portal.bridge.as_member(&sparrow, Method::GET, "/v1/export", None).await;
        assert!(by_api.status == 429 && by_api.retry_after.is_some(), "counted together");
        assert_eq!(portal.bridge.as_member(&wren, Method::GET, "/v1/export", None).await.status, 200, "nobody else waits");
        portal.bridge.clock.advance(SignedDuration::from_mins(10));
        assert_eq!(browser.post("/export", &[]).await.status, 200);
    }
}

on_both_databases! {
    async fn a_program_of_the_member_gets_the_same_archive_and_nobody_elses(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        let request = client().get(format!("{}/v1/export", portal.bridge.api)).bearer_auth(&sparrow.token);
        let answer = request.header("accept-language", "ru-RU,en;q=0.5").send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "application/zip");
        let files = Files::of(&answer.bytes().await.unwrap());
        assert_eq!(files.json("profile/profile.json")["member"], sparrow.id.to_string());
        assert!(files.text("README.txt").starts_with("В этом архиве"));
        let nobody = client().get(format!("{}/v1/export", portal.bridge.api)).send().await.unwrap();
        assert_eq!(nobody.status(), 401);
    }
}
