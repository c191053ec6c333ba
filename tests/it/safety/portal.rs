//! What a member knows beforehand, and what becomes of answers that they give here themselves.

use crate::on_both_databases;
use crate::support::concerns::{Keepers, watched};
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

on_both_databases! {
    async fn answers_given_here_raise_a_concern_when_they_are_finished_and_not_before(database) {
        let (portal, mut browser) = open(database, true).await;
        let keepers = Keepers::of(&portal.bridge).await;
        let mut next = "/questionnaires/phq-9/1".to_owned();
        for said in ["0", "0", "0", "0", "0", "0", "0", "0", "2", "declined"] {
            browser.get(&next).await;
            browser.post(&next, &[("answer", said)]).await.location().clone_into(&mut next);
        }
        assert_eq!(keepers.open().await.len(), 0, "a draft is seen by nobody");
        browser.get(&next).await;
        let done = browser.post(&next, &[]).await;
        assert!(main_text(&done).contains("You are not alone with this"), "{}", done.body);
        let open = keepers.open().await;
        assert_eq!((open.len(), open[0]["handle"].as_str()), (1, Some("sparrow")));
        assert_eq!(browser.post(&next, &[]).await.location(), "/questionnaires");
        assert_eq!(keepers.open().await.len(), 1);
    }
}
