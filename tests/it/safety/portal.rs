//! What a member knows beforehand, and what becomes of answers that they give here themselves.

use jiff::SignedDuration;
use mostik::readings::drafts;
use serde_json::json;

use crate::on_both_databases;
use crate::support::audit;
use crate::support::concerns::{Keepers, alarms, watched};
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::portal::{Browser, Page, Portal, portal_config};
use crate::support::postbox::Postbox;

async fn open(database: Database, is_watched: bool) -> (Portal, Browser) {
    let (ehr, postbox) = (Ehr::sandbox().await, Postbox::open());
    let text = portal_config(&database, &ehr.base, &postbox);
    let safety = if is_watched { watched(&database, &postbox, "PT15M") } else { String::new() };
    let portal = Portal::open_with(database, &(text + &safety), postbox).await;
    let sparrow = portal.bridge.unlinked_person("sparrow").await;
    let browser = portal.sign_in(&sparrow).await;
    (portal, browser)
}

fn main_text(page: &Page) -> String {
    page.html().named("main")[0].text()
}

const TOLD: &str = "people of The forum are told that somebody should look after you";
const NOT_TOLD: &str = "Nobody reads at once what you answer here.";

on_both_databases! {
    async fn a_member_reads_before_they_begin_who_is_told(database) {
        let (_portal, mut browser) = open(database, true).await;
        for path in ["/questionnaires", "/questionnaires/phq-9/1", "/data/import"] {
            let said = main_text(&browser.get(path).await);
            assert!(said.contains(TOLD) && !said.contains(NOT_TOLD), "{path}: {said}");
        }
        let wrong = browser.post("/questionnaires/phq-9/1", &[]).await;
        assert!(main_text(&wrong).contains(TOLD));
        assert!(!main_text(&browser.get("/questionnaires/phq-9/2").await).contains(TOLD), "once is enough");
    }
}

on_both_databases! {
    async fn where_nobody_is_told_the_page_says_so(database) {
        let (_portal, mut browser) = open(database, false).await;
        for path in ["/questionnaires", "/questionnaires/phq-9/1"] {
            let said = main_text(&browser.get(path).await);
            assert!(said.contains(NOT_TOLD) && !said.contains("are told"), "{path}: {said}");
        }
        assert!(!main_text(&browser.get("/data/import").await).contains(NOT_TOLD));
    }
}

/// Answers the question that comes next, and returns where that leads.
async fn answer(browser: &mut Browser, at: &str, said: &str) -> String {
    browser.get(at).await;
    browser.post(at, &[("answer", said)]).await.location().to_owned()
}

on_both_databases! {
    async fn people_are_told_at_the_answer_and_not_again_when_all_of_it_is_finished(database) {
        let (portal, mut browser) = open(database, true).await;
        let keepers = Keepers::of(&portal.bridge).await;
        let mut next = "/questionnaires/phq-9/1".to_owned();
        for said in ["3", "0", "0", "0", "0", "0", "0", "0"] {
            next = answer(&mut browser, &next, said).await;
        }
        assert_eq!(keepers.open().await.len(), 0, "a draft is seen by nobody");
        next = answer(&mut browser, &next, "2").await;
        assert!(main_text(&browser.get(&next).await).contains("You are not alone with this"));
        let open = keepers.open().await;
        assert_eq!((open.len(), &open[0]["handle"], &open[0]["rule"]), (1, &json!("sparrow"), &json!("phq-9-item-9")));
        keepers.told().await;
        assert_eq!(alarms(&portal.postbox).len(), 1, "and nobody waits until the end");
        assert!(!open[0].to_string().contains("answers"), "nothing of what was answered: {}", open[0]);

        answer(&mut browser, "/questionnaires/phq-9/9", "3").await;
        next = answer(&mut browser, &next, "declined").await;
        browser.get(&next).await;
        let done = browser.post(&next, &[]).await;
        assert!(main_text(&done).contains("You are not alone with this"), "{}", done.body);
        assert_eq!(browser.post(&next, &[]).await.location(), "/questionnaires");
        assert_eq!(keepers.listed("/v1/concerns?closed=true").await.len(), 1, "once");
        assert_eq!(audit::wrong(&portal.bridge).await, [""; 0]);
    }
}

on_both_databases! {
    async fn what_was_answered_wants_a_human_although_it_is_taken_back_thrown_away_or_left(database) {
        let (portal, mut browser) = open(database, true).await;
        let keepers = Keepers::of(&portal.bridge).await;
        for said in ["1", "0", "declined"] {
            answer(&mut browser, "/questionnaires/phq-9/9", said).await;
            assert_eq!(keepers.open().await.len(), 1, "{said}");
        }
        browser.post("/questionnaires/phq-9/discard", &[]).await;
        assert_eq!(keepers.open().await.len(), 1, "thrown away");
        answer(&mut browser, "/questionnaires/phq-9/9", "1").await;
        assert_eq!(keepers.open().await.len(), 2, "begun anew, it is another one");
        portal.bridge.clock.advance(drafts::KEPT_FOR + SignedDuration::from_secs(1));
        portal.bridge.chores().await;
        assert_eq!(portal.bridge.database.count("questionnaire_drafts").await, 0);
        assert_eq!(keepers.open().await.len(), 2, "left");
    }
}

on_both_databases! {
    async fn where_nobody_is_told_an_answer_leaves_no_trace_but_the_draft(database) {
        let (portal, mut browser) = open(database, false).await;
        answer(&mut browser, "/questionnaires/phq-9/9", "3").await;
        assert_eq!((portal.bridge.database.count("concerns").await, Keepers::of(&portal.bridge).await.open().await.len()), (0, 0));
    }
}
