//! How long a member stays signed in, and where.

use jiff::SignedDuration;

use crate::on_both_databases;
use crate::support::ehr::{Ehr, create_patient};
use crate::support::portal::Portal;

const INSTANT: SignedDuration = SignedDuration::from_micros(1);

on_both_databases! {
    async fn a_session_ends_after_half_an_hour_without_a_sign(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        let mut browser = portal.sign_in(&sparrow).await;
        portal.bridge.clock.advance(SignedDuration::from_mins(30) - INSTANT);
        assert_eq!(browser.get("/sharing").await.status, 200);
        portal.bridge.clock.advance(SignedDuration::from_mins(30) - INSTANT);
        assert_eq!(browser.get("/sharing").await.status, 200, "each page is a sign");
        portal.bridge.clock.advance(SignedDuration::from_mins(30));
        assert_eq!(browser.get("/sharing").await.location(), "/sign-in");
    }
}

on_both_databases! {
    async fn a_session_ends_after_twelve_hours_in_any_case(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        let mut browser = portal.sign_in(&sparrow).await;
        for _ in 0..12 * 3 - 1 {
            portal.bridge.clock.advance(SignedDuration::from_mins(20));
            assert_eq!(browser.get("/sharing").await.status, 200);
        }
        portal.bridge.clock.advance(SignedDuration::from_mins(20) - INSTANT);
        assert_eq!(browser.get("/sharing").await.status, 200);
        portal.bridge.clock.advance(INSTANT);
        assert_eq!(browser.get("/sharing").await.location(), "/sign-in");
    }
}

on_both_databases! {
    async fn a_form_that_was_open_too_long_changes_nothing_and_leads_to_the_door(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        let mut browser = portal.sign_in(&sparrow).await;
        browser.get("/settings").await;
        portal.bridge.clock.advance(SignedDuration::from_mins(30));
        let answer = browser.post("/settings", &[("language", "ru")]).await;
        assert_eq!((answer.status, answer.location()), (303, "/sign-in"));
        assert_eq!(answer.set_cookie("__Host-language"), None);
    }
}

on_both_databases! {
    async fn signing_out_everywhere_ends_every_browser_and_token_but_nobody_elses(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        let wren = portal.bridge.person("wren", &create_patient(&ehr.base).await).await;
        let (mut phone, mut desktop) = (portal.sign_in(&sparrow).await, portal.sign_in(&sparrow).await);
        let mut other = portal.sign_in(&wren).await;
        phone.get("/settings").await;
        let out = phone.post_and_follow("/sign-out/everywhere", &[]).await;
        assert!(out.body.contains("You are signed out."));
        for browser in [&mut phone, &mut desktop] {
            assert_eq!(browser.get("/sharing").await.location(), "/sign-in");
        }
        let token = portal.bridge.as_member(&sparrow, reqwest::Method::GET, "/v1/grants", None).await;
        assert_eq!(token.status, 401);
        assert_eq!(other.get("/sharing").await.status, 200);
        assert_eq!(portal.bridge.as_member(&wren, reqwest::Method::GET, "/v1/grants", None).await.status, 200);
    }
}

on_both_databases! {
    async fn signing_out_here_leaves_the_other_browser_in(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        let (mut phone, mut desktop) = (portal.sign_in(&sparrow).await, portal.sign_in(&sparrow).await);
        let kept = phone.clone();
        phone.get("/sharing").await;
        phone.post("/sign-out", &[]).await;
        let mut stolen = kept;
        assert_eq!(stolen.get("/sharing").await.location(), "/sign-in", "the cookie itself is good for nothing");
        assert_eq!(desktop.get("/sharing").await.status, 200);
    }
}
