//! Questionnaires in the portal: filled in page by page, left and gone on with, finished or thrown away.

use futures_util::future::join;
use jiff::SignedDuration;
use mostik::domain::settings::Change;
use mostik::readings::drafts as stored;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::bridge::{Person, TestBridge, forum};
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::log::Log;
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

/// Answers questions from this one on; returns where the last answer led.
async fn answer(browser: &mut Browser, name: &str, from: usize, said: &[&str]) -> String {
    let mut next = format!("/questionnaires/{name}/{from}");
    for said in said {
        let page = browser.get(&next).await;
        assert_eq!(page.status, 200, "{next}: {}", page.body);
        let gone = browser.post(&next, &[("answer", said)]).await;
        assert_eq!(gone.status, 303, "{next}: {}", gone.body);
        gone.location().clone_into(&mut next);
    }
    next
}

fn main_text(page: &Page) -> String {
    page.html().named("main")[0].text()
}

async fn drafts(bridge: &TestBridge, person: &Person) -> usize {
    bridge.drafts(person).await.len()
}

on_both_databases! {
    async fn a_questionnaire_is_filled_in_page_by_page_and_reaches_the_clinic(database) {
        let (portal, sparrow, mut browser, ehr) = open(database, &["questionnaires"]).await;
        let forms = browser.get("/questionnaires").await;
        assert!(forms.html().links().contains(&"/questionnaires/gad-7"), "{}", forms.body);
        assert_eq!(browser.get("/questionnaires/gad-7").await.location(), "/questionnaires/gad-7/1");
        let first = browser.get("/questionnaires/gad-7/1").await;
        let said = main_text(&first);
        assert!(said.contains("Question 1 of 7") && said.contains("Feeling nervous, anxious or on edge"), "{said}");
        let nothing = browser.post("/questionnaires/gad-7/1", &[]).await;
        assert_eq!((nothing.status, main_text(&nothing).contains("Please choose an answer.")), (422, true));

        let last = answer(&mut browser, "gad-7", 1, &["3", "2", "1", "0", "3", "2", "1"]).await;
        assert_eq!(last, "/questionnaires/gad-7/review");
        assert_eq!(items(&portal.bridge, &sparrow).await.len(), 0, "nothing goes before the end");
        let review = browser.get(&last).await;
        assert!(main_text(&review).contains("Trouble relaxing Not at all Change"), "{}", main_text(&review));
        let done = browser.post(&last, &[]).await;
        assert_eq!(done.status, 200, "{}", done.body);
        let said = main_text(&done);
        assert!(said.contains("GAD-7: 12 of 21, moderate") && said.contains("This is not a diagnosis."), "{said}");
        assert!(said.contains("Riverside: Questionnaires Every entry"), "{said}");
        assert!(!said.contains("112"), "GAD-7 does not ask about self-harm");
        assert_eq!(drafts(&portal.bridge, &sparrow).await, 0);
        assert_eq!(browser.post(&last, &[]).await.location(), "/questionnaires", "the button pressed twice");

        portal.bridge.deliver_in_time().await;
        let charted = ehr.observations().await;
        let total = charted.iter().find(|it| it["code"]["coding"][0]["code"] == "70274-6").unwrap();
        assert_eq!((charted.len(), &total["valueQuantity"]["value"]), (9, &json!(12)));
        let mine = main_text(&browser.get("/data").await);
        assert!(mine.contains("GAD-7: 12 of 21, moderate. Feeling nervous, anxious or on edge: Nearly every day"), "{mine}");
    }
}

on_both_databases! {
    async fn what_was_finished_and_is_still_there_reaches_the_clinic_as_it_is_finished_last(database) {
        let (portal, sparrow, mut browser, ehr) = open(database, &["questionnaires"]).await;
        let (bridge, last) = (&portal.bridge, answer(&mut browser, "gad-7", 1, &["1"; 7]).await);
        let draft = bridge.drafts(&sparrow).await.remove(0);
        browser.get(&last).await;
        browser.post(&last, &[]).await;
        bridge.deliver_in_time().await;
        assert_eq!((drafts(bridge, &sparrow).await, total(&ehr).await), (0, (9, json!(7))));

        // As the release before left it, where it was killed in between.
        let key = bridge.key(&sparrow).await;
        let mut tx = bridge.bridge.store.begin().await.unwrap();
        stored::keep(&mut tx, &key, None, &draft, bridge.now()).await.unwrap();
        tx.commit().await.unwrap();
        bridge.clock.advance(SignedDuration::from_mins(5));
        answer(&mut browser, "gad-7", 1, &["3"]).await;
        browser.get(&last).await;
        let done = main_text(&browser.post(&last, &[]).await);
        assert!(done.contains("GAD-7: 9 of 21") && done.contains("Riverside: Questionnaires Every entry"), "{done}");
        bridge.deliver_in_time().await;
        assert_eq!((drafts(bridge, &sparrow).await, total(&ehr).await), (0, (9, json!(9))), "corrected, and not once more");
        assert_eq!(bridge.readings(&sparrow).await.len(), 1);
    }
}

/// How many Observations the clinic has, and which total of GAD-7 stands among them.
async fn total(ehr: &Ehr) -> (usize, Value) {
    let charted = ehr.observations().await;
    let total = charted.iter().find(|it| it["code"]["coding"][0]["code"] == "70274-6").unwrap();
    (charted.len(), total["valueQuantity"]["value"].clone())
}

on_both_databases! {
    async fn of_two_windows_that_finish_at_once_one_shows_what_it_adds_up_to(database) {
        let (portal, sparrow, mut browser, _ehr) = open(database, &["questionnaires"]).await;
        let last = answer(&mut browser, "gad-7", 1, &["1"; 7]).await;
        browser.get(&last).await;
        let mut other = browser.clone();
        let (one, two) = join(browser.post(&last, &[]), other.post(&last, &[])).await;
        let mut shown = [one.status, two.status];
        shown.sort_unstable();
        assert_eq!((shown, drafts(&portal.bridge, &sparrow).await), ([200, 303], 0), "{} {}", one.body, two.body);
        assert_eq!(portal.bridge.readings(&sparrow).await.len(), 1);
    }
}

on_both_databases! {
    async fn it_goes_on_where_it_was_left_and_is_forgotten_when_nobody_goes_on(database) {
        let (portal, sparrow, mut browser, _ehr) = open(database, &["questionnaires"]).await;
        answer(&mut browser, "phq-9", 1, &["1", "declined", "0"]).await;
        let mut other = portal.sign_in(&sparrow).await;
        let list = main_text(&other.get("/questionnaires").await);
        assert!(list.contains("3 of 10 answered"), "{list}");
        assert_eq!(other.get("/questionnaires/phq-9").await.location(), "/questionnaires/phq-9/4");
        let second = other.get("/questionnaires/phq-9/2").await.html();
        let chosen = second.all(&|it| it.attributes.contains_key("checked"));
        assert_eq!(chosen.iter().map(|it| it.get("value")).collect::<Vec<_>>(), ["declined"]);
        assert_eq!(answer(&mut other, "phq-9", 2, &["2"]).await, "/questionnaires/phq-9/3", "it can be changed");

        portal.bridge.clock.advance(SignedDuration::from_hours(3 * 24));
        portal.bridge.chores().await;
        assert_eq!(drafts(&portal.bridge, &sparrow).await, 1);
        portal.bridge.clock.advance(SignedDuration::from_secs(1));
        portal.bridge.chores().await;
        assert_eq!(drafts(&portal.bridge, &sparrow).await, 0);
    }
}

on_both_databases! {
    async fn it_can_be_thrown_away(database) {
        let (portal, sparrow, mut browser, _ehr) = open(database, &["questionnaires"]).await;
        answer(&mut browser, "phq-2", 1, &["1"]).await;
        let gone = browser.post("/questionnaires/phq-2/discard", &[]).await;
        assert_eq!(gone.location(), "/questionnaires");
        assert!(main_text(&browser.get("/questionnaires").await).contains("Your answers were deleted."));
        assert_eq!((drafts(&portal.bridge, &sparrow).await, items(&portal.bridge, &sparrow).await.len()), (0, 0));
    }
}

on_both_databases! {
    async fn a_thought_of_self_harm_is_answered_with_help_at_once(database) {
        let (portal, sparrow, mut browser, _ehr) = open(database, &[]).await;
        let next = answer(&mut browser, "phq-9", 1, &["0"; 8]).await;
        assert_eq!(next, "/questionnaires/phq-9/9");
        assert!(!main_text(&browser.get(&next).await).contains("You are not alone with this"));
        let next = answer(&mut browser, "phq-9", 9, &["1"]).await;
        assert_eq!(next, "/questionnaires/phq-9/10", "there is a problem now, and so the last question is asked");
        let said = main_text(&browser.get(&next).await);
        assert!(said.contains("You are not alone with this") && said.contains("call 112 now"), "{said}");
        let last = answer(&mut browser, "phq-9", 10, &["declined"]).await;
        assert!(main_text(&browser.get(&last).await).contains("You are not alone with this"));
        let done = main_text(&browser.post(&last, &[]).await);
        assert!(done.contains("You are not alone with this") && done.contains("PHQ-9: 1 of 27, minimal"), "{done}");
        assert!(done.contains("It was not kept, and no clinic sees it."), "{done}");
        assert_eq!((portal.bridge.readings(&sparrow).await.len(), drafts(&portal.bridge, &sparrow).await), (0, 0));
    }
}

on_both_databases! {
    async fn whoever_has_no_problem_is_not_asked_how_difficult_it_made_things(database) {
        let (_portal, _sparrow, mut browser, _ehr) = open(database, &["questionnaires"]).await;
        let last = answer(&mut browser, "phq-9", 1, &["0"; 9]).await;
        assert_eq!(last, "/questionnaires/phq-9/review");
        assert_eq!(browser.get("/questionnaires/phq-9/10").await.status, 404);
        assert!(main_text(&browser.post(&last, &[]).await).contains("PHQ-9: 0 of 27, minimal"));
    }
}

on_both_databases! {
    async fn what_no_clinic_may_see_is_kept_if_the_member_wants_it(database) {
        let (portal, sparrow, mut browser, _ehr) = open(database, &["mood"]).await;
        let last = answer(&mut browser, "phq-2", 1, &["3", "3"]).await;
        browser.get(&last).await;
        let done = main_text(&browser.post(&last, &[("keep", "yes")]).await);
        assert!(done.contains("PHQ-2: 6 of 6") && done.contains("It stays here with you."), "{done}");
        assert_eq!((portal.bridge.readings(&sparrow).await.len(), items(&portal.bridge, &sparrow).await.len()), (1, 0));
        let charts = main_text(&browser.get("/data").await);
        assert!(charts.contains("PHQ-2: from 0 to 6, less is better"), "{charts}");
    }
}

/// What is asked for on the first page, if anything is.
async fn asked_for(browser: &mut Browser) -> Option<String> {
    let page = browser.get("/sharing").await.html();
    page.all(&|it| it.get("id") == "asked-for").first().map(|it| it.text())
}

on_both_databases! {
    async fn a_clinic_asks_on_the_days_of_the_member_who_can_leave_it_out(database) {
        let (ehr, postbox) = (Ehr::sandbox().await, Postbox::open());
        let text = portal_config(&database, &ehr.base, &postbox);
        let asks = "[clinics.riverside.questionnaires]\nphq-9 = \"P2W\"\n";
        let portal = Portal::open_with(database, &format!("{text}{asks}"), postbox).await;
        let bridge = &portal.bridge;
        let sparrow = bridge.person("sparrow", &ehr.patient).await;
        bridge.move_to(&sparrow, "Asia/Tokyo").await;
        bridge.grant(&sparrow, &["mood"]).await;
        let mut browser = portal.sign_in(&sparrow).await;
        assert_eq!(asked_for(&mut browser).await, None, "a clinic asks for what it may see");
        let grant = bridge.as_member(&sparrow, reqwest::Method::GET, "/v1/grants", None).await;
        let id = grant.json["grants"][0]["id"].as_str().unwrap().to_owned();
        bridge.change_grant(&sparrow, &id, "revoke").await;
        bridge.grant(&sparrow, &["questionnaires"]).await;
        assert!(asked_for(&mut browser).await.unwrap().starts_with("Your clinic asks you to fill in: PHQ-9."));
        assert!(main_text(&browser.get("/questionnaires").await).contains("Riverside asks you to fill this in."));

        // Seven in the evening of the 20th, in Tokyo.
        let filled_in = crate::intake::questionnaires::phq9("1", &[Some(1); 9]);
        assert_eq!(bridge.send(&filled_in).await.status, 202);
        assert_eq!(asked_for(&mut browser).await, None);
        let sent = items(bridge, &sparrow).await.len();
        bridge.until("2026-12-03T14:59:59Z").await;
        let mut browser = portal.sign_in(&sparrow).await;
        assert_eq!(asked_for(&mut browser).await, None, "it is still the 3rd of December there");
        bridge.until("2026-12-03T15:00:00Z").await;
        assert!(asked_for(&mut browser).await.is_some());

        browser.get("/questionnaires").await;
        let left_out = browser.post("/questionnaires/phq-9/leave-out", &[]).await;
        assert_eq!(left_out.location(), "/questionnaires");
        assert!(main_text(&browser.get("/questionnaires").await).contains("The clinic is not told."));
        assert_eq!((asked_for(&mut browser).await, items(bridge, &sparrow).await.len()), (None, sent));
        bridge.until("2026-12-17T14:59:59Z").await;
        let mut browser = portal.sign_in(&sparrow).await;
        assert_eq!(asked_for(&mut browser).await, None);
        bridge.until("2026-12-17T15:00:00Z").await;
        assert!(asked_for(&mut browser).await.is_some());
    }
}

#[tokio::test]
async fn a_half_answered_questionnaire_has_no_total_and_one_without_answers_does_not_end() {
    let (_portal, _sparrow, mut browser, _ehr) = open(Database::sqlite(), &["questionnaires"]).await;
    assert_eq!(browser.post("/questionnaires/phq-9/review", &[]).await.status, 403, "no form was seen yet");
    answer(&mut browser, "phq-9", 1, &["1"]).await;
    let review = browser.get("/questionnaires/phq-9/review").await;
    assert!(main_text(&review).contains("Not everything is answered yet."));
    let done = main_text(&browser.post("/questionnaires/phq-9/review", &[]).await);
    assert!(done.contains("PHQ-9: no total, because an answer is missing") && !done.contains("diagnosis"), "{done}");
    for nowhere in
        ["/questionnaires/phq-8", "/questionnaires/phq-9/0", "/questionnaires/phq-9/11", "/questionnaires/phq-9/x"]
    {
        assert_eq!(browser.get(nowhere).await.status, 404, "{nowhere}");
    }
    for wrong in ["4", "-1", "yes", ""] {
        assert_eq!(browser.post("/questionnaires/phq-9/1", &[("answer", wrong)]).await.status, 422, "{wrong}");
    }
}

#[tokio::test]
async fn the_questions_are_asked_in_russian_too() {
    let (portal, sparrow, mut browser, _ehr) = open(Database::sqlite(), &["questionnaires"]).await;
    let change = Change { language: Some(mostik::domain::language::Language::Ru), ..Change::default() };
    portal.bridge.set(&sparrow, change).await;
    browser.get("/questionnaires").await;
    browser.post("/language", &[("language", "ru"), ("back", "/questionnaires")]).await;
    let said = main_text(&browser.get("/questionnaires/phq-9/1").await);
    assert!(said.contains("Вам не хотелось ничего делать") && said.contains("Предпочитаю не отвечать"), "{said}");
    let last = answer(&mut browser, "gad-7", 1, &["2"; 7]).await;
    browser.get(&last).await;
    let done = main_text(&browser.post(&last, &[]).await);
    assert!(done.contains("GAD-7: 14 из 21, умеренная выраженность"), "{done}");
}

#[tokio::test]
async fn no_answer_stands_in_a_log_or_readable_in_the_database() {
    let log = Log::listen();
    let (portal, sparrow, mut browser, _ehr) = open(Database::sqlite(), &["questionnaires"]).await;
    let last = answer(&mut browser, "phq-9", 1, &["3"; 10]).await;
    answer(&mut browser, "gad-7", 1, &["declined", "2"]).await;
    assert_eq!(drafts(&portal.bridge, &sparrow).await, 2);
    let written = |cells: Vec<crate::support::cells::Cell>| {
        let all: Vec<u8> = cells.into_iter().flat_map(|cell| cell.value).collect();
        let text = String::from_utf8_lossy(&all).into_owned();
        ["{\"given\"", "\"declined\"", "LA6", "44260-8", "bothered"].into_iter().find(|word| text.contains(word))
    };
    assert_eq!(written(portal.bridge.database.cells().await), None);
    browser.get(&last).await;
    assert_eq!(browser.post(&last, &[]).await.status, 200);
    assert_eq!(written(portal.bridge.database.cells().await), None);
    portal.bridge.deliver_in_time().await;
    let logged = log.text();
    assert!(logged.contains("settled"), "the log was looked at");
    for word in ["LA6571", "44260-8", "\"given\"", "Nearly every day", "answer=3", "severe"] {
        assert!(!logged.contains(word), "{word}");
    }
}

#[tokio::test]
async fn what_was_begun_is_taken_along() {
    let (portal, sparrow, mut browser, _ehr) = open(Database::sqlite(), &["questionnaires"]).await;
    answer(&mut browser, "gad-7", 1, &["3", "declined"]).await;
    let last = answer(&mut browser, "phq-2", 1, &["1", "2"]).await;
    browser.get(&last).await;
    browser.post(&last, &[]).await;
    let files = crate::vault::export::files(&portal.bridge, &sparrow).await;
    let begun = files.json("readings/unfinished.json");
    assert_eq!(begun, json!([{"instrument": "gad-7", "answers": {"69725-0": 3, "68509-9": "declined"}}]));
    let rows = files.rows("readings/readings.csv");
    assert_eq!((&*rows[0]["measured"], &*rows[0]["value"], &*rows[0]["best"]), ("phq-2", "3", "0"));
    assert_eq!(&*rows[0]["text"], "44250-9=1; 44255-8=2");
    let bundle: Value = files.json("readings/fhir-bundle.json");
    assert_eq!(bundle["entry"].as_array().unwrap().len(), 6, "a Patient, the form, two answers, the panel, the total");
    crate::support::validate::assert_valid(&bundle).await;
}

on_both_databases! {
    async fn what_was_begun_in_chats_is_taken_along_too_and_forgotten_as_soon(database) {
        let (portal, sparrow, ..) = open(database, &[]).await;
        portal.bridge.begin(&sparrow, &[1]).await;
        portal.bridge.begin_in(Some(&forum()), &sparrow, &[2]).await;
        let files = crate::vault::export::files(&portal.bridge, &sparrow).await;
        assert_eq!(files.json("readings/unfinished.json"), json!([
            {"instrument": "phq-9", "answers": {"44250-9": 1}},
            {"instrument": "phq-9", "answers": {"44250-9": 2}, "community": "forum"},
        ]));
        portal.bridge.clock.advance(SignedDuration::from_hours(3 * 24));
        portal.bridge.chores().await;
        assert_eq!(portal.bridge.database.count("chat_drafts").await, 1);
        portal.bridge.clock.advance(SignedDuration::from_secs(1));
        portal.bridge.chores().await;
        let left = [portal.bridge.database.count("chat_drafts").await, portal.bridge.database.count("questionnaire_drafts").await];
        assert_eq!(left, [0, 0]);
    }
}
