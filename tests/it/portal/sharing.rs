//! *My sharing* in the portal: deciding, changing one's mind, and ending it in two presses.

use mostik::domain::delivery::DeliveryState;
use reqwest::Method;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::bridge::{Person, correcting, mood, note};
use crate::support::ehr::{Ehr, create_patient};
use crate::support::portal::{Browser, Page, Portal};

/// The form as a member fills it in who shares their mood and nothing else.
const MOOD_ONLY: [(&str, &str); 10] = [
    ("notice-version", "1"),
    ("notice-language", "en"),
    ("mood", "every-entry"),
    ("note", "off"),
    ("tags", "off"),
    ("for-treatment", "yes"),
    ("from", "everything"),
    ("since", ""),
    ("until", "2027-05-20"),
    ("way-back", "notice"),
];

fn with<'a>(name: &'a str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    MOOD_ONLY.into_iter().filter(|(found, _)| *found != name).chain([(name, value)]).collect()
}

async fn grants(portal: &Portal, person: &Person) -> Vec<Value> {
    let got = portal.bridge.as_member(person, Method::GET, "/v1/grants", None).await;
    got.json["grants"].as_array().unwrap().clone()
}

async fn share(browser: &mut Browser, fields: &[(&str, &str)]) -> Page {
    assert_eq!(browser.get("/sharing/riverside").await.status, 200);
    browser.post_and_follow("/sharing/riverside", fields).await
}

on_both_databases! {
    async fn what_a_member_chooses_is_what_goes(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        let mut browser = portal.sign_in(&sparrow).await;
        let before = browser.get("/sharing").await.body;
        assert!(before.contains("Riverside") && before.contains("You share nothing with this clinic."), "{before}");
        let after = share(&mut browser, &MOOD_ONLY).await.body;
        assert!(after.contains("Saved.") && after.contains("You are sharing.") && after.contains("20 May 2027"), "{after}");
        portal.bridge.send(&json!([mood("1", "sparrow", 4), note("2", "sparrow", "a secret")])).await;
        portal.bridge.deliver().await;
        let arrived = ehr.observations().await;
        assert_eq!(arrived.len(), 1);
        assert!(!json!(arrived).to_string().contains("a secret"));
        let grants = grants(&portal, &sparrow).await;
        assert_eq!(grants[0]["categories"], json!({"mood": "every-entry"}));
        assert_eq!(grants[0]["valid_until"], "2027-05-21T00:00:00Z", "to the end of that day");
    }
}

on_both_databases! {
    async fn the_form_shows_what_was_decided_and_saving_makes_a_new_version(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        let mut browser = portal.sign_in(&sparrow).await;
        let fresh = browser.get("/sharing/riverside").await.body;
        for (name, value) in [("mood", "off"), ("note", "off"), ("tags", "off"), ("from", "day")] {
            assert!(fresh.contains(&format!("name=\"{name}\" value=\"{value}\" checked")), "{name}: off until said so");
        }
        assert!(fresh.contains("value=\"2027-05-20\""), "six months from the day of the test");
        share(&mut browser, &MOOD_ONLY).await;
        let form = browser.get("/sharing/riverside").await.body;
        for checked in ["name=\"mood\" value=\"every-entry\" checked", "name=\"note\" value=\"off\" checked",
            "name=\"from\" value=\"everything\" checked", "name=\"way-back\" value=\"notice\" checked"] {
            assert!(form.contains(checked), "{checked}");
        }
        share(&mut browser, &with("mood", "weekly-summary")).await;
        let grants = grants(&portal, &sparrow).await;
        assert_eq!(grants.len(), 2);
        assert_eq!((&grants[0]["state"], &grants[1]["version"]), (&json!("superseded"), &json!(2)));
        assert_eq!(grants[1]["categories"], json!({"mood": "weekly-summary"}));
    }
}

on_both_databases! {
    async fn what_contradicts_itself_is_said_on_the_page_and_changes_nothing(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        let mut browser = portal.sign_in(&sparrow).await;
        browser.get("/sharing/riverside").await;
        for (name, value, said) in [
            ("mood", "off", "Everything is switched off."),
            ("mood", "everything-and-more", "Everything is switched off."),
            ("for-treatment", "", "what the clinic may use it for"),
            ("until", "2026-11-20", "a last day between tomorrow"),
            ("until", "2036-01-01", "a last day between tomorrow"),
            ("until", "soon", "a last day between tomorrow"),
            ("from", "day", "the day from which on it counts"),
        ] {
            let page = browser.post("/sharing/riverside", &with(name, value)).await;
            assert!(page.status == 422 && page.body.contains(said), "{name}={value}: {} {}", page.status, page.body);
        }
        assert_eq!(grants(&portal, &sparrow).await.len(), 0);
    }
}

on_both_databases! {
    async fn what_was_before_the_member_is_recorded_and_whoever_read_nothing_is_asked(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        portal.bridge.grant(&sparrow, &["mood"]).await;
        let mut browser = portal.sign_in(&sparrow).await;
        let asked = browser.get("/sharing").await.body;
        assert!(asked.contains("There is something new to read"), "given by a program, nobody knows after reading what");
        let form = browser.get("/sharing/riverside").await.body;
        assert!(form.contains("<details class=\"sheet notice\" open>") && form.contains("Nobody reads it at once"));
        let saved = browser.post_and_follow("/sharing/riverside", &MOOD_ONLY).await.body;
        assert!(!saved.contains("There is something new to read"), "{saved}");
        assert!(!browser.get("/sharing/riverside").await.body.contains("notice\" open"));
        let old = browser.post("/sharing/riverside", &with("notice-version", "0")).await;
        assert_eq!(old.status, 409, "another text was before them");
        assert_eq!(browser.post("/sharing/riverside", &with("notice-version", "")).await.status, 400);
        let grants = grants(&portal, &sparrow).await;
        assert_eq!(grants.len(), 2);
    }
}

on_both_databases! {
    async fn what_arrived_is_shown_with_how_it_stands(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        let mut browser = portal.sign_in(&sparrow).await;
        assert!(browser.get("/shared").await.body.contains("Nothing has gone anywhere yet."));
        share(&mut browser, &MOOD_ONLY).await;
        portal.bridge.send(&mood("1", "sparrow", 4)).await;
        portal.bridge.deliver().await;
        let page = browser.get("/shared").await.body;
        for words in ["Mood, 20 November 2026", "Riverside", "as it was sent", "version 1"] {
            assert!(page.contains(words), "{words}: {page}");
        }
        portal.bridge.send(&correcting(mood("2", "sparrow", 2), "1")).await;
        portal.bridge.deliver_in_time().await;
        let page = browser.get("/shared").await.body;
        assert!(page.contains("replaced by a later version") && page.contains("Your correction arrived"), "{page}");
        assert_eq!(browser.get("/shared?before=nonsense").await.status, 404);
        let wren = portal.bridge.person("wren", &create_patient(&ehr.base).await).await;
        let mut other = portal.sign_in(&wren).await;
        assert!(other.get("/shared").await.body.contains("Nothing has gone anywhere yet."));
    }
}

on_both_databases! {
    async fn sharing_is_paused_and_goes_on(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        let mut browser = portal.sign_in(&sparrow).await;
        share(&mut browser, &MOOD_ONLY).await;
        portal.bridge.send(&mood("1", "sparrow", 4)).await;
        let paused = browser.post_and_follow("/sharing/riverside/pause", &[]).await;
        assert!(paused.body.contains("Paused: nothing is sent at present."), "{}", paused.body);
        portal.bridge.deliver().await;
        assert_eq!(ehr.observations().await.len(), 0);
        let going = browser.post_and_follow("/sharing/riverside/resume", &[]).await;
        assert!(going.body.contains("You are sharing again."));
        portal.bridge.deliver_in_time().await;
        assert_eq!(ehr.observations().await.len(), 1);
        assert_eq!(browser.post("/sharing/riverside/resume", &[]).await.status, 409, "it goes on already");
    }
}

on_both_databases! {
    async fn two_presses_end_it(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        let mut browser = portal.sign_in(&sparrow).await;
        share(&mut browser, &MOOD_ONLY).await;
        portal.bridge.send(&mood("1", "sparrow", 4)).await;
        assert!(browser.get("/sharing").await.body.contains("href=\"/sharing/riverside/stop\""));
        let asked = browser.get("/sharing/riverside/stop").await;
        assert!(asked.body.contains("What is still waiting to be sent is deleted."));
        let stopped = browser.post_and_follow("/sharing/riverside/stop", &[]).await;
        assert!(stopped.body.contains("You share nothing with this clinic."), "{}", stopped.body);
        portal.bridge.deliver_in_time().await;
        assert_eq!((ehr.observations().await.len(), portal.bridge.count(DeliveryState::Withdrawn).await), (0, 1));
        assert_eq!(grants(&portal, &sparrow).await[0]["state"], "revoked");
        assert_eq!(browser.get("/sharing/riverside/stop").await.location(), "/sharing", "there is nothing to stop");
        assert_eq!(browser.post("/sharing/riverside/stop", &[]).await.location(), "/sharing");
    }
}

on_both_databases! {
    async fn whoever_ends_it_may_ask_the_clinic_to_mark_what_it_has(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        let mut browser = portal.sign_in(&sparrow).await;
        for (mark, status) in [("", "final"), ("yes", "entered-in-error")] {
            share(&mut browser, &MOOD_ONLY).await;
            portal.bridge.send(&mood("1", "sparrow", 4)).await;
            portal.bridge.deliver().await;
            browser.get("/sharing/riverside/stop").await;
            browser.post_and_follow("/sharing/riverside/stop", &[("mark", mark)]).await;
            portal.bridge.deliver_in_time().await;
            let there = ehr.observations().await;
            assert_eq!((there.len(), &there[0]["status"]), (1, &json!(status)), "{mark:?}");
        }
    }
}

on_both_databases! {
    async fn a_clinic_that_does_not_know_the_member_is_none(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let wren = portal.bridge.person("wren", &create_patient(&ehr.base).await).await;
        let sparrow = portal.bridge.unlinked_person("sparrow").await;
        let mut theirs = portal.sign_in(&wren).await;
        share(&mut theirs, &MOOD_ONLY).await;
        let mut browser = portal.sign_in(&sparrow).await;
        assert!(browser.get("/sharing").await.body.contains("No clinic knows you here yet."));
        for clinic in ["riverside", "nowhere", "River%20side"] {
            let path = format!("/sharing/{clinic}");
            assert_eq!(browser.get(&path).await.status, 404, "{clinic}");
            assert_eq!(browser.get(&format!("{path}/stop")).await.status, 404, "{clinic}");
            for form in ["", "/pause", "/resume", "/stop"] {
                assert_eq!(browser.post(&format!("{path}{form}"), &MOOD_ONLY).await.status, 404, "{clinic}{form}");
            }
        }
        assert_eq!(grants(&portal, &wren).await[0]["state"], "active");
    }
}

on_both_databases! {
    async fn days_are_the_members_own(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        let mut browser = portal.sign_in(&sparrow).await;
        browser.get("/settings").await;
        let wrong = browser.post("/settings", &[("language", "en"), ("zone", "Europe/Nowhere")]).await;
        assert!(wrong.status == 422 && wrong.body.contains("This time zone is not known."));
        let saved = browser.post_and_follow("/settings", &[("language", "ru"), ("zone", "Asia/Tokyo")]).await;
        assert!(saved.body.contains("Сохранено.") && saved.body.contains("value=\"Asia/Tokyo\""), "{}", saved.body);
        share(&mut browser, &MOOD_ONLY).await;
        assert_eq!(grants(&portal, &sparrow).await[0]["valid_until"], "2027-05-20T15:00:00Z");
        assert!(browser.get("/sharing").await.body.contains("20 мая 2027"));
        // Another browser is spoken to in the member's own language as soon as they are in.
        let mut other = portal.sign_in(&sparrow).await;
        assert!(other.get("/sharing").await.body.contains("<html lang=\"ru\">"));
    }
}
