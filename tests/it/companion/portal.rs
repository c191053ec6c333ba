//! The companion in the portal: what members say to it, and what comes of it.

use jiff::SignedDuration;
use mostik::domain::settings::Change;
use serde_json::json;

use crate::on_both_databases;
use crate::support::audit;
use crate::support::bridge::Person;
use crate::support::concerns::{Keepers, POLICY, REASON, watched, with_ada};
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::outbox::items;
use crate::support::portal::{Browser, Page, Portal, portal_config};
use crate::support::postbox::Postbox;

/// A portal, and somebody in it who shares these categories.
async fn open(database: Database, categories: &[&str]) -> (Portal, Person, Browser, Ehr) {
    let ehr = Ehr::sandbox().await;
    let portal = Portal::open(database, &ehr.base).await;
    let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
    if !categories.is_empty() {
        portal.bridge.grant(&sparrow, categories).await;
    }
    let browser = portal.sign_in(&sparrow).await;
    (portal, sparrow, browser, ehr)
}

/// What the companion says on a page.
fn said(page: &Page) -> String {
    assert_eq!(page.status, 200, "{}", page.body);
    page.html().named("section")[0].text()
}

/// The key that the page's forms carry.
fn key(page: &Page) -> String {
    page.html().all(&|it| it.get("name") == "key")[0].get("value").to_owned()
}

/// What can be pressed, by its words.
fn buttons(page: &Page) -> Vec<String> {
    page.html().all(&|it| it.get("name") == "press").iter().map(|it| it.text()).collect()
}

/// Says something in the field named so, on the page as it stands.
async fn put(browser: &mut Browser, field: &str, what: &str) -> Page {
    let key = key(&browser.get("/talk").await);
    browser.post("/talk", &[("key", &key), (field, what)]).await
}

/// Writes lines one after the other; what is answered to the last.
pub async fn write(browser: &mut Browser, lines: &[&str]) -> String {
    let mut last = String::new();
    for line in lines {
        last = said(&put(browser, "say", line).await);
    }
    last
}

on_both_databases! {
    async fn how_somebody_is_takes_two_words_and_reaches_the_clinic_they_share_with(database) {
        let (portal, sparrow, mut browser, ehr) = open(database, &["mood"]).await;
        let home = browser.get("/talk").await;
        assert!(said(&home).contains("What would you like to do?"), "{}", said(&home));
        assert_eq!(buttons(&home)[..2], ["Check in", "Questionnaires"]);
        assert!(write(&mut browser, &["chek in"]).await.contains("From 1 (very bad) to 5 (very good)"));
        let noted = write(&mut browser, &["Very good!"]).await;
        assert!(noted.contains("Noted. As you decided, Riverside will see it."), "{noted}");
        portal.bridge.deliver_in_time().await;
        let charted = ehr.observations().await;
        assert_eq!((charted.len(), items(&portal.bridge, &sparrow).await.len()), (1, 1));
        assert_eq!(charted[0]["valueQuantity"]["value"], json!(5), "{}", charted[0]);
        assert_eq!(audit::wrong(&portal.bridge).await, [""; 0]);
    }
}

on_both_databases! {
    async fn what_nobody_would_see_is_kept_only_if_the_member_says_so(database) {
        let (portal, sparrow, mut browser, _ehr) = open(database, &[]).await;
        let nobody = write(&mut browser, &["mood", "2"]).await;
        assert!(nobody.contains("so it was not kept. Shall I keep what you note, for you alone?"), "{nobody}");
        assert_eq!(portal.bridge.readings(&sparrow).await.len(), 0);
        portal.bridge.clock.advance(SignedDuration::from_mins(7));
        let kept = said(&put(&mut browser, "press", "keep").await);
        assert!(kept.contains("Noted, for you alone."), "{kept}");
        let mine = portal.bridge.readings(&sparrow).await;
        assert_eq!(mine.len(), 1);
        assert_eq!(mine[0].moment.at.to_string(), "2026-11-20T12:00:00Z", "when they said it, not when it was kept");
        assert_eq!(items(&portal.bridge, &sparrow).await.len(), 0);
    }
}

on_both_databases! {
    async fn the_same_message_sent_twice_is_heard_once(database) {
        let (portal, sparrow, mut browser, _ehr) = open(database, &["mood"]).await;
        write(&mut browser, &["mood"]).await;
        let key = key(&browser.get("/talk").await);
        for _ in 0..2 {
            let page = browser.post("/talk", &[("key", &key), ("press", "4")]).await;
            assert!(!said(&page).contains("I did not understand"), "{}", said(&page));
        }
        assert_eq!(items(&portal.bridge, &sparrow).await.len(), 1);
    }
}

on_both_databases! {
    async fn a_questionnaire_is_talked_through_with_help_as_soon_as_it_is_wanted(database) {
        let (portal, sparrow, mut browser, ehr) = open(database, &["questionnaires"]).await;
        let first = write(&mut browser, &["forms", "phq-9"]).await;
        assert!(first.contains("Question 1 of 9") && first.contains("Little interest or pleasure in doing things"), "{first}");
        assert!(first.contains("Nobody reads at once what you answer here."), "{first}");
        let answers = ["3", "nearly every day", "evry day", "rather not", "sometimes", "0", "0", "not at all"];
        let ninth = write(&mut browser, &answers).await;
        assert!(ninth.contains("Question 9 of"), "{ninth}");
        let danger = write(&mut browser, &["1"]).await;
        assert!(danger.contains("You are not alone with this") && danger.contains("call 112 now"), "{danger}");
        let mut other = portal.sign_in(&sparrow).await;
        assert!(said(&other.get("/talk").await).contains("You are not alone with this"), "it waits there");
        let tenth = write(&mut browser, &["go on"]).await;
        assert!(tenth.contains("Question 10 of 10"), "{tenth}");
        assert!(write(&mut browser, &["back"]).await.contains("Question 9 of 10"));
        assert!(write(&mut browser, &["1", "continue", "very difficult"]).await.contains("10 of 10 answered"));
        assert_eq!(ehr.observations().await.len(), 0, "nothing goes before the end");
        let done = write(&mut browser, &["finish"]).await;
        assert!(done.contains("PHQ-9"), "{done}");
        assert!(done.contains("As you decided, Riverside will see it. It is no diagnosis."), "{done}");
        portal.bridge.deliver_in_time().await;
        assert!(ehr.observations().await.len() > 9);
    }
}

on_both_databases! {
    async fn everything_stops_in_one_message_wherever_the_talk_is(database) {
        let (portal, _sparrow, mut browser, ehr) = open(database, &["mood", "questionnaires"]).await;
        write(&mut browser, &["mood", "3", "forms", "gad-7", "1"]).await;
        let stopped = write(&mut browser, &["stop evrything"]).await;
        assert!(stopped.contains("Everything is stopped."), "{stopped}");
        portal.bridge.deliver_in_time().await;
        assert_eq!(ehr.observations().await.len(), 0, "what waited is gone");
        assert!(write(&mut browser, &["my sharing"]).await.contains("Nothing is shared with any clinic."));
        let noted = write(&mut browser, &["mood", "3"]).await;
        assert!(noted.contains("Nobody may see this"), "{noted}");
        assert_eq!(audit::wrong(&portal.bridge).await, [""; 0]);
    }
}

on_both_databases! {
    async fn sharing_pauses_and_goes_on(database) {
        let (portal, _sparrow, mut browser, ehr) = open(database, &["mood"]).await;
        let shared = write(&mut browser, &["sharing"]).await;
        assert!(shared.contains("You share with Riverside."), "{shared}");
        assert!(write(&mut browser, &["pause"]).await.contains("Nothing is sent until you say “resume”."));
        write(&mut browser, &["mood", "3"]).await;
        portal.bridge.deliver_in_time().await;
        assert_eq!(ehr.observations().await.len(), 0);
        assert!(write(&mut browser, &["sharing"]).await.contains("paused"));
        assert!(write(&mut browser, &["resume"]).await.contains("You share again"));
        write(&mut browser, &["mood", "4"]).await;
        portal.bridge.deliver_in_time().await;
        let charted: Vec<_> = ehr.observations().await.iter().map(|it| it["valueQuantity"]["value"].clone()).collect();
        assert!(charted.contains(&json!(4)), "{charted:?}");
    }
}

on_both_databases! {
    async fn a_human_is_called_once_an_hour_where_somebody_is_there(database) {
        let postbox = Postbox::open();
        let text = portal_config(&database, "http://127.0.0.1:9", &postbox) + &watched(&database, &postbox, "PT15M");
        let portal = Portal::open_with(database, &text, postbox).await;
        let sparrow = portal.bridge.unlinked_person("sparrow").await;
        let mut browser = portal.sign_in(&sparrow).await;
        let keepers = Keepers::of(&portal.bridge).await;
        for _ in 0..2 {
            let called = write(&mut browser, &["talk to a human"]).await;
            assert!(called.contains("are told that you would like somebody to get in touch"), "{called}");
        }
        let open = keepers.open().await;
        assert_eq!((open.len(), &open[0]["handle"], &open[0]["rule"]), (1, &json!("sparrow"), &json!("asked-for-somebody")));
        portal.bridge.clock.advance(SignedDuration::from_hours(1));
        let mut later = portal.sign_in(&sparrow).await;
        write(&mut later, &["human"]).await;
        assert_eq!(keepers.open().await.len(), 2);
    }
}

on_both_databases! {
    async fn no_clinic_is_told_without_consent_that_somebody_asked_for_a_human(database) {
        let postbox = Postbox::open();
        let text = portal_config(&database, "http://127.0.0.1:9", &postbox);
        let text = text + "[communities.chat]\nname = \"The chat\"\n" + &with_ada(&database, &postbox, &postbox) + POLICY;
        let portal = Portal::open_with(database, &text, postbox).await;
        let sparrow = portal.bridge.person("sparrow", "patient").await;
        let mut browser = portal.sign_in(&sparrow).await;
        write(&mut browser, &["human"]).await;
        let keepers = Keepers::of(&portal.bridge).await;
        let refused = keepers.disclose(&keepers.open().await[0], "ada", REASON).await;
        assert_eq!(refused.status, 409, "{:?}", refused.json);
        assert_eq!(items(&portal.bridge, &sparrow).await.len(), 0);
    }
}

on_both_databases! {
    async fn where_nobody_is_there_it_says_so_and_where_help_is(database) {
        let (_portal, _sparrow, mut browser, _ehr) = open(database, &[]).await;
        let alone = write(&mut browser, &["human"]).await;
        assert!(alone.contains("There is nobody here whom I could call.") && alone.contains("Find a Helpline"), "{alone}");
        let help = write(&mut browser, &["I want to die"]).await;
        assert!(help.contains("call 112 now") && help.contains("Find a Helpline"), "{help}");
        let who = write(&mut browser, &["are you a bot"]).await;
        assert!(who.contains("a program with fixed answers") && who.contains("no therapist"), "{who}");
    }
}

on_both_databases! {
    async fn somebody_is_erased_only_who_says_so_twice_and_can_call_it_off(database) {
        let (portal, _sparrow, mut browser, _ehr) = open(database, &["mood"]).await;
        assert!(write(&mut browser, &["delete me"]).await.contains("Write “delete everything”"));
        assert_eq!(portal.bridge.database.count("erasures").await, 0);
        assert!(write(&mut browser, &["no"]).await.contains("What would you like to do?"));
        let erasing = write(&mut browser, &["delete me", "delete everything"]).await;
        assert!(erasing.contains("Everything will be deleted on 27 November 2026."), "{erasing}");
        assert!(browser.get("/erase").await.body.contains("27 November 2026"));
        assert!(write(&mut browser, &["I changed my mind"]).await.contains("Everything stays as it was."));
        assert!(browser.get("/erase").await.body.contains("What cannot be undone"));
    }
}

on_both_databases! {
    async fn it_forgets_where_a_talk_stood_after_a_month_and_keeps_talks_apart(database) {
        let (portal, sparrow, mut browser, _ehr) = open(database, &[]).await;
        let wren = portal.bridge.unlinked_person("wren").await;
        let mut hers = portal.sign_in(&wren).await;
        write(&mut browser, &["forms", "phq-2", "3"]).await;
        assert!(said(&hers.get("/talk").await).contains("What would you like to do?"));
        assert_eq!(portal.bridge.drafts(&wren).await.len(), 0);
        assert!(said(&browser.get("/talk").await).contains("Question 2 of 2"));
        portal.bridge.clock.advance(SignedDuration::from_hours(30 * 24) + SignedDuration::from_secs(1));
        portal.bridge.chores().await;
        assert_eq!(portal.bridge.database.count("talks").await, 0);
        let mut later = portal.sign_in(&sparrow).await;
        assert!(said(&later.get("/talk").await).contains("What would you like to do?"));
    }
}

on_both_databases! {
    async fn a_questionnaire_that_was_forgotten_meanwhile_is_begun_anew(database) {
        let (portal, sparrow, mut browser, _ehr) = open(database, &["questionnaires"]).await;
        write(&mut browser, &["forms", "gad-7", "3"]).await;
        portal.bridge.clock.advance(SignedDuration::from_hours(3 * 24) + SignedDuration::from_secs(1));
        portal.bridge.chores().await;
        let mut later = portal.sign_in(&sparrow).await;
        let gone = write(&mut later, &["1"]).await;
        assert!(gone.contains("There is no questionnaire open."), "{gone}");
        assert!(write(&mut later, &["forms", "gad-7"]).await.contains("Question 1 of 7"));
    }
}

on_both_databases! {
    async fn it_speaks_russian_and_understands_either_language(database) {
        let (portal, sparrow, mut browser, _ehr) = open(database, &[]).await;
        portal.bridge.set(&sparrow, Change { keep: Some(true), ..Change::default() }).await;
        browser.get("/talk").await;
        browser.post("/language", &[("language", "ru"), ("back", "/talk")]).await;
        let asked = write(&mut browser, &["настроение"]).await;
        assert!(asked.contains("Как вы? От 1"), "{asked}");
        assert!(write(&mut browser, &["так себе"]).await.contains("Отмечено, только для вас."));
        let lost = write(&mut browser, &["абракадабра"]).await;
        assert!(lost.contains("Не получилось понять."), "{lost}");
        assert!(write(&mut browser, &["menu"]).await.contains("Что вы хотите сделать?"));
    }
}
