//! What one community does not learn of another one, and of the portal; and messages that come at once.

use futures_util::future::join_all;
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::json;

use crate::companion::another::Two;
use crate::companion::chat::text;
use crate::companion::portal::write;
use crate::on_both_databases;
use crate::support::audit;
use crate::support::concerns::{POLICY, with_ada};
use crate::support::http::{self, Got};
use crate::support::postbox::Postbox;

on_both_databases! {
    async fn a_questionnaire_that_was_begun_elsewhere_is_begun_anew_and_stays_there_as_it_was(database) {
        let mut two = Two::joined(database).await;
        for said in ["phq 9", "3", "3", "phq 2", "1"] {
            two.in_forum(said).await;
        }
        let mut browser = two.browser().await;
        assert!(!browser.get("/questionnaires").await.body.contains("answered"), "the portal has its own");
        browser.get("/questionnaires/phq-9/1").await;
        assert_eq!(browser.post("/questionnaires/phq-9/1", &[("answer", "2")]).await.status, 303);

        let begun = two.in_app("bird-7", "phq 9").await;
        assert!(text(&begun).contains("Question 1 of 9"), "{begun}");
        for _ in 0..8 {
            two.in_app("bird-7", "0").await;
        }
        let whole = two.in_app("bird-7", "0").await;
        assert!(text(&whole).contains("9 of 9 answered"), "{whole}");
        two.in_app("bird-7", "done").await;
        let total = two.in_app("bird-7", "keep it").await;
        assert!(text(&total).contains("PHQ-9: 0 of 27"), "nothing of what was answered elsewhere: {total}");
        for said in ["phq 2", "0", "0"] {
            two.in_app("bird-7", said).await;
        }
        assert!(text(&two.in_app("bird-7", "throw away").await).contains("thrown away"));

        assert!(text(&two.in_forum("phq 2").await).contains("Question 2 of 2"), "thrown away there, not here");
        assert!(text(&two.in_forum("phq 9").await).contains("Question 3 of "));
        let mine = browser.get("/questionnaires").await.body;
        assert!(mine.contains("1 of 10 answered"), "{mine}");
        assert!(write(&mut browser, &["phq 9"]).await.contains("Question 2 of 10"));
        assert_eq!(audit::wrong(&two.portal.bridge).await, [""; 0]);
    }
}

on_both_databases! {
    async fn no_community_learns_or_undoes_that_a_member_asked_elsewhere_to_be_erased(database) {
        let mut two = Two::joined(database).await;
        two.in_app("wren", "yes").await;
        write(&mut two.browser().await, &["delete me", "delete everything"]).await;
        two.portal.bridge.clock.advance(SignedDuration::from_hours(3 * 24));
        for said in ["delete me", "delete everything", "cancel", "keep me", "what?", "menu", "cancel"] {
            let (asked, not_yet) = (two.in_app("bird-7", said).await, two.in_app("wren", said).await);
            assert_eq!(text(&asked), text(&not_yet), "{said}: one asked elsewhere, the other one never before");
            assert!(!text(&asked).contains("November") && !text(&asked).contains("called off."), "{said}: {asked}");
            let on_page = asked["page"].as_str().is_some_and(|page| page.ends_with("/erase"));
            assert_eq!(on_page, text(&asked).contains("where nobody else reads along"), "{asked}");
        }
        let mut browser = two.browser().await;
        assert!(browser.get("/erase").await.body.contains("27 November 2026"), "it stands as it was");
        let kept = write(&mut browser, &["delete me", "delete everything", "cancel"]).await;
        assert!(kept.contains("Everything stays as it was."), "{kept}");
    }
}

on_both_databases! {
    async fn before_the_first_question_no_other_community_and_no_clinic_is_named(database) {
        let postbox = Postbox::open();
        let watched = with_ada(&database, &postbox, &postbox) + POLICY;
        let mut two = Two::open_with(database, &watched).await;
        two.portal.bridge.person("sparrow", "patient").await;
        two.join_app().await;
        let here = two.in_forum("phq 9").await;
        assert!(text(&here).contains("people of The forum are told") && text(&here).contains("may tell your clinic"), "{here}");
        assert!(text(&here).contains("A law that allows it") && !text(&here).contains("Riverside"), "{here}");
        let there = two.in_app("bird-7", "phq 9").await;
        assert!(text(&there).ends_with("Nobody reads at once what you answer here."), "{there}");
    }
}

/// Brings what sparrow answers in the forum, every other time 3 and 0.
async fn answer(two: &Two, number: usize) -> Got {
    let said = if number.is_multiple_of(2) { "3" } else { "0" };
    let body = json!({"id": format!("at-once-{number}"), "handle": "sparrow", "said": said});
    http::call(Method::POST, &format!("{}/v1/talk", two.portal.bridge.api), Some(&two.forum), Some(&body)).await
}

/// The number of the question that is asked.
fn asked(got: &Got) -> usize {
    assert_eq!((got.status, &got.json["is_understood"]), (200, &json!(true)), "{:?}", got.json);
    let number =
        text(&got.json).strip_prefix("Question ").and_then(|rest| rest.split_once(' ')).map(|(number, _)| number);
    number.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("no question: {:?}", got.json))
}

on_both_databases! {
    async fn answers_that_come_at_once_are_each_one_to_a_question_of_its_own(database) {
        let mut two = Two::joined(database).await;
        two.in_forum("phq 9").await;
        let mut next: Vec<usize> = join_all((0..8).map(|number| answer(&two, number))).await.iter().map(asked).collect();
        next.sort_unstable();
        assert_eq!(next, [2, 3, 4, 5, 6, 7, 8, 9], "each is answered once");
        for got in join_all((0..8).map(|number| answer(&two, number))).await {
            assert_eq!(asked(&got), 9, "each is known again");
        }
        for said in ["0", "0", "done"] {
            two.in_forum(said).await;
        }
        let total = two.in_forum("keep it").await;
        assert!(text(&total).contains("PHQ-9: 12 of 27"), "none was lost, and none written over another: {total}");
    }
}
