//! What a member sees of it that their clinic may be told, or was told, without their consent.

use mostik::app;
use mostik::config::Config;
use mostik::domain::settings::Change;
use mostik::domain::telling::Wishes;
use serde_json::json;

use crate::on_both_databases;
use crate::support::bridge::Person;
use crate::support::concerns::{Keepers, POLICY, REASON, watched, with_ada, worrying};
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::portal::{Browser, Page, Portal, portal_config};
use crate::support::postbox::Postbox;
use crate::support::recommendations::{put, said};

/// The portal, and a member who is a patient of riverside and has consented to nothing.
async fn open(database: Database, policy: &str) -> (Portal, Person, Browser, Ehr) {
    let (ehr, postbox) = (Ehr::sandbox().await, Postbox::open());
    let text = portal_config(&database, &ehr.base, &postbox);
    let text = text + &with_ada(&database, &postbox, &postbox) + policy;
    let portal = Portal::open_with(database, &text, postbox).await;
    let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
    let browser = portal.sign_in(&sparrow).await;
    (portal, sparrow, browser, ehr)
}

fn main_text(page: &Page) -> String {
    page.html().named("main")[0].text()
}

/// Ada decides about the member, and it is sent.
async fn disclosed(portal: &Portal) {
    portal.bridge.send(&worrying("worry", "sparrow")).await;
    let keepers = Keepers::of(&portal.bridge).await;
    let concern = keepers.open().await.remove(0);
    assert_eq!(keepers.disclose(&concern, "ada", REASON).await.status, 200);
    portal.bridge.deliver().await;
}

/// Tells members what it is time to tell them; returns what the postbox got for members since.
async fn told(portal: &Portal) -> Vec<serde_json::Value> {
    let config = Config::from_toml(&portal.bridge.config).unwrap();
    let teller = app::teller(&config, &portal.bridge.bridge).unwrap();
    while teller.tell_one().await.unwrap() {}
    let letters = portal.postbox.letters().into_iter().map(|letter| letter.json);
    letters.filter(|letter| letter["type"] == "mostik.message.v1").collect()
}

const MAY_BE_TOLD: &str = "a person on duty may tell Riverside even where you have not agreed to it";

on_both_databases! {
    async fn a_member_reads_before_they_answer_that_their_clinic_may_be_told_and_by_which_law(database) {
        let (_portal, _, mut browser, _ehr) = open(database, POLICY).await;
        for path in ["/questionnaires", "/questionnaires/phq-9/1", "/data/import"] {
            let said = main_text(&browser.get(path).await);
            assert!(said.contains(MAY_BE_TOLD) && said.contains("A law that allows it in an emergency"), "{path}: {said}");
        }
        browser.post("/language", &[("language", "ru"), ("back", "/questionnaires")]).await;
        let said = main_text(&browser.get("/questionnaires").await);
        assert!(said.contains("Закон, который это разрешает: Закон об экстренных случаях"), "{said}");
    }
}

on_both_databases! {
    async fn where_it_may_not_be_told_nothing_is_said_of_it(database) {
        let (portal, _, mut browser, _ehr) = open(database, POLICY).await;
        let wren = portal.bridge.unlinked_person("wren").await;
        assert!(main_text(&browser.get("/questionnaires").await).contains("on duty"));
        let mut of_wren = portal.sign_in(&wren).await;
        assert!(!main_text(&of_wren.get("/questionnaires").await).contains("on duty"), "a patient of no clinic");
    }
}

on_both_databases! {
    async fn where_nobody_may_decide_or_no_law_is_named_nothing_is_said_of_it(database) {
        let (_portal, _, mut browser, _ehr) = open(database, "").await;
        assert!(!main_text(&browser.get("/questionnaires").await).contains("on duty"), "no law");
        let (ehr, postbox, database) = (Ehr::sandbox().await, Postbox::open(), Database::sqlite());
        let text = portal_config(&database, &ehr.base, &postbox);
        let text = text + &watched(&database, &postbox, "PT15M") + POLICY;
        let portal = Portal::open_with(database, &text, postbox).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        let mut browser = portal.sign_in(&sparrow).await;
        assert!(!main_text(&browser.get("/questionnaires").await).contains("on duty"), "nobody");
    }
}

on_both_databases! {
    async fn what_was_told_stands_under_what_was_shared_with_its_law_in_plain_words(database) {
        let (portal, _, mut browser, _ehr) = open(database, POLICY).await;
        assert!(main_text(&browser.get("/shared").await).contains("Nothing has gone anywhere yet."));
        disclosed(&portal).await;
        let said = main_text(&browser.get("/shared").await);
        for part in [
            "That you may be in danger",
            "Riverside",
            "To help you in an emergency",
            "A law that allows it in an emergency",
            "decided to tell your clinic so, without your consent",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        for kept in ["ada", "canary-reason", "Under your consent"] {
            assert!(!said.contains(kept), "{kept}: {said}");
        }
        browser.post("/language", &[("language", "ru"), ("back", "/shared")]).await;
        let said = main_text(&browser.get("/shared").await);
        assert!(said.contains("без вашего согласия") && said.contains("Закон об экстренных случаях"), "{said}");
    }
}

on_both_databases! {
    async fn the_member_is_told_by_the_ways_that_they_chose_and_nothing_is_said_there(database) {
        let (portal, sparrow, _, _ehr) = open(database, POLICY).await;
        let told_at_any_time = Some(Wishes { quiet: None, ..Wishes::default() });
        portal.bridge.set(&sparrow, Change { told: told_at_any_time, ..Change::default() }).await;
        assert_eq!(told(&portal).await.len(), 0);
        disclosed(&portal).await;
        let letters = told(&portal).await;
        assert_eq!(letters.len(), 1, "whatever they consent to");
        assert_eq!((&letters[0]["data"]["handle"], &letters[0]["data"]["subject"]), (&json!("sparrow"), &json!("You have a message")));
        assert!(letters[0]["data"]["url"].as_str().unwrap().ends_with("/shared"), "{}", letters[0]);
        for kept in ["danger", "Riverside", "clinic", "canary"] {
            assert!(!letters[0].to_string().contains(kept), "{kept}: {}", letters[0]);
        }
        assert_eq!(told(&portal).await.len(), 1, "once");
    }
}

on_both_databases! {
    async fn what_clinics_have_for_them_is_told_in_a_message_of_its_own(database) {
        let (portal, sparrow, _, _ehr) = open(database, POLICY).await;
        let (bridge, told_at_any_time) = (&portal.bridge, Some(Wishes { quiet: None, ..Wishes::default() }));
        bridge.set(&sparrow, Change { told: told_at_any_time, ..Change::default() }).await;
        bridge.share_by(&sparrow, json!({"categories": {"mood": "every-entry"}, "way_back": "notice"})).await;
        let id = put(bridge, &sparrow, &said("Walk half an hour")).await;
        let mut tx = bridge.bridge.store.begin().await.unwrap();
        tx.put_telling(sparrow.id, id.0, bridge.now()).await.unwrap();
        tx.commit().await.unwrap();
        disclosed(&portal).await;
        let letters = told(&portal).await;
        let mut ways: Vec<&str> = letters.iter().map(|it| it["data"]["url"].as_str().unwrap().rsplit('/').next().unwrap()).collect();
        ways.sort_unstable();
        assert_eq!(ways, ["messages", "shared"], "each leads where it is found");
    }
}

on_both_databases! {
    async fn a_policy_may_say_that_the_member_is_not_told(database) {
        let (portal, sparrow, mut browser, _ehr) = open(database, &POLICY.replace("purpose", "tell_member = false\npurpose")).await;
        let told_at_any_time = Some(Wishes { quiet: None, ..Wishes::default() });
        portal.bridge.set(&sparrow, Change { told: told_at_any_time, ..Change::default() }).await;
        disclosed(&portal).await;
        assert_eq!(told(&portal).await.len(), 0);
        assert!(main_text(&browser.get("/shared").await).contains("That you may be in danger"), "but they see it");
    }
}
