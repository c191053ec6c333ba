//! Signing in to the portal by a link that the community brings.

use jiff::SignedDuration;
use reqwest::Method;

use crate::on_both_databases;
use crate::support::bridge::NOON;
use crate::support::ehr::Ehr;
use crate::support::portal::{PORTAL, Portal};

on_both_databases! {
    async fn a_member_signs_in_by_a_link_and_out_again(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        let mut browser = portal.sign_in(&sparrow).await;
        assert!(browser.get("/sharing").await.body.contains("My sharing"));
        assert_eq!(browser.get("/").await.location(), "/sharing");
        assert_eq!(browser.get("/sign-in").await.location(), "/sharing");
        let out = browser.post_and_follow("/sign-out", &[]).await;
        assert!(out.body.contains("You are signed out."), "{}", out.body);
        assert!(!browser.get("/sign-in").await.body.contains("You are signed out."), "it is said once");
        assert_eq!(browser.get("/sharing").await.location(), "/sign-in");
    }
}

on_both_databases! {
    async fn whoever_asked_for_a_page_is_led_there_once_and_nowhere_else(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        portal.bridge.person("sparrow", &ehr.patient).await;
        let mut browser = portal.browser();
        assert_eq!(browser.get("/messages").await.location(), "/sign-in");
        let link = portal.link(&mut browser, "sparrow").await;
        browser.get(&link).await;
        assert_eq!(browser.post(&link, &[]).await.location(), "/messages");
        browser.post("/sign-out", &[]).await;
        for odd in ["//evil.example", "https://evil.example/", "/\\evil.example", "/a/../b", "/messages?x=//evil", ""] {
            let link = portal.link(&mut browser, "sparrow").await;
            browser.get(&link).await;
            browser.cookies.insert("__Host-asked-for".to_owned(), odd.to_owned());
            assert_eq!(browser.post(&link, &[]).await.location(), "/sharing", "{odd}");
            browser.get("/sharing").await;
            browser.post("/sign-out", &[]).await;
            portal.bridge.clock.advance(SignedDuration::from_mins(6));
        }
        browser.get("//evil.example/messages").await;
        browser.post("/messages/01a20677-edf1-7058-8494-38af47edf4fc", &[("answer", "done")]).await;
        assert!(!browser.cookies.contains_key("__Host-asked-for"), "only a page that was looked at is led to");
    }
}

on_both_databases! {
    async fn the_message_says_what_it_is_and_in_the_language_of_the_page(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        portal.bridge.person("sparrow", &ehr.patient).await;
        let mut browser = portal.browser();
        browser.get("/sign-in").await;
        let spoken = browser.post("/language", &[("language", "ru"), ("back", "/sign-in")]).await;
        assert_eq!((spoken.status, spoken.location()), (303, "/sign-in"));
        assert!(browser.get("/sign-in").await.body.contains("<html lang=\"ru\">"));
        let link = portal.link(&mut browser, "sparrow").await;
        let letter = portal.postbox.letters().pop().unwrap();
        let data = &letter.json["data"];
        assert_eq!(letter.json["type"], "mostik.sign-in-link.v1");
        assert_eq!(letter.json["timestamp"], NOON);
        assert_eq!((data["handle"].as_str(), data["language"].as_str()), (Some("sparrow"), Some("ru")));
        assert_eq!(data["subject"], "Ваша ссылка для входа");
        assert_eq!(data["expires_at"], "2026-11-20T12:10:00Z");
        let text = data["text"].as_str().unwrap();
        assert!(text.contains(&format!("{PORTAL}{link}")) && text.contains("The forum"), "{text}");
    }
}

on_both_databases! {
    async fn looking_at_a_link_does_not_use_it_up(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        portal.bridge.person("sparrow", &ehr.patient).await;
        let mut browser = portal.browser();
        let link = portal.link(&mut browser, "sparrow").await;
        // A scanner of the mail server, which keeps no cookies, and the browser itself.
        for _ in 0..3 {
            let seen = portal.browser().get(&link).await;
            assert_eq!((seen.status, seen.set_cookie("__Host-session")), (403, None));
            portal.browser().request(Method::HEAD, &link, &[], None).await;
            assert_eq!(browser.get(&link).await.status, 200);
        }
        assert_eq!(browser.post(&link, &[]).await.location(), "/sharing");
    }
}

on_both_databases! {
    async fn a_link_is_good_for_ten_minutes_to_the_instant(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        portal.bridge.person("sparrow", &ehr.patient).await;
        let mut browser = portal.browser();
        let link = portal.link(&mut browser, "sparrow").await;
        let instant = SignedDuration::from_micros(1);
        portal.bridge.clock.advance(SignedDuration::from_mins(10) - instant);
        assert_eq!(browser.get(&link).await.status, 200);
        portal.bridge.clock.advance(instant);
        assert_eq!(browser.post(&link, &[]).await.status, 410);
        assert_eq!(browser.get(&link).await.status, 410);
        assert_eq!(browser.get("/sharing").await.location(), "/sign-in");
    }
}

on_both_databases! {
    async fn a_platform_that_is_away_gets_the_same_message_later(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        portal.bridge.person("sparrow", &ehr.patient).await;
        portal.postbox.will_answer(&[503, 500]);
        let mut browser = portal.browser();
        browser.get("/sign-in").await;
        browser.post("/sign-in", &[("community", "forum"), ("handle", "sparrow")]).await;
        for _ in 0..4 {
            portal.send_links().await;
            portal.bridge.clock.advance(SignedDuration::from_secs(30));
        }
        let letters = portal.postbox.letters();
        assert_eq!(letters.len(), 3, "twice refused, once taken, and then no more");
        assert_eq!(letters[0].link(), letters[2].link());
        assert_eq!(letters[0].header("webhook-id"), letters[2].header("webhook-id"));
        assert_ne!(letters[0].header("webhook-signature"), letters[2].header("webhook-signature"));
        let link = letters[2].link().strip_prefix(PORTAL).unwrap().to_owned();
        browser.get(&link).await;
        assert_eq!(browser.post(&link, &[]).await.location(), "/sharing");
    }
}

on_both_databases! {
    async fn what_nobody_used_is_forgotten(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        portal.sign_in(&sparrow).await;
        portal.link(&mut portal.browser(), "sparrow").await;
        let count = |table: &'static str| portal.bridge.database.count(table);
        assert_eq!((count("sign_in_links").await, count("sessions").await), (1, 1));
        portal.bridge.clock.advance(SignedDuration::from_mins(10));
        portal.bridge.chores().await;
        assert_eq!((count("sign_in_links").await, count("sessions").await), (0, 1));
        portal.bridge.clock.advance(SignedDuration::from_mins(20));
        portal.bridge.chores().await;
        assert_eq!(count("sessions").await, 0);
    }
}
