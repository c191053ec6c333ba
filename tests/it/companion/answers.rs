//! What a clinic asks for, answered in the chat of a community where all of it may be said; and "later".

use jiff::SignedDuration;
use mostik::domain::ids::RecommendationId;
use mostik::domain::recommendation::RecommendationState::{Accepted, Declined, Delivered, Seen};
use mostik::domain::recommendation::{RecommendationState, Said};
use mostik::domain::telling::{Grade, Wishes};
use serde_json::Value;

use super::failing::{refuses, takes_again};
use crate::on_both_databases;
use crate::support::audit;
use crate::support::bridge::{NOON, Person, TestBridge, config_text};
use crate::support::database::Database;
use crate::support::receiver::{PORTAL, Telling, any_time};
use crate::support::recommendations::{all, said};
use crate::support::telegram::Telegram;

const SPARROW: i64 = 4101;

/// A group of Telegram in which this much may be said, and a member who wishes to be told all of it.
struct Group {
    telling: Telling,
    telegram: Telegram,
    sparrow: Person,
}

impl Group {
    async fn open(database: Database, most: &str, way_back: &str) -> Self {
        let telegram = Telegram::open();
        let text = config_text(&database, "http://127.0.0.1:9/fhir", "127.0.0.1:0");
        let text = text.replace("[server]\n", &format!("[server]\npublic_url = {PORTAL:?}\n"));
        let text = text + &telegram.settings(&database, "forum") + &format!("most = {most:?}\n");
        let telling = Telling::before(TestBridge::start_at(database, &text, NOON.parse().unwrap()).await);
        let wishes = Wishes { grade: Grade::Full, ..any_time() };
        let sparrow = telling.member(&SPARROW.to_string(), way_back, wishes).await;
        Self { telling, telegram, sparrow }
    }

    /// The clinic asks for something, and the member is told.
    async fn asks(&self, text: &str) -> RecommendationId {
        self.writes(&said(text)).await
    }

    /// The clinic writes something, and the member is told.
    async fn writes(&self, says: &Said) -> RecommendationId {
        let id = self.telling.comes(&self.sparrow, says).await;
        self.telling.tell().await;
        self.later(1);
        id
    }

    fn later(&self, minutes: i64) {
        self.telling.bridge.clock.advance(SignedDuration::from_mins(minutes));
    }

    async fn say(&self, text: &str) -> String {
        let update = self.telegram.writes(SPARROW, text);
        let got: Value = self.telegram.bring(&self.telling.bridge, "forum", &update).await.json;
        got["text"].as_str().unwrap_or_default().to_owned()
    }

    fn told(&self) -> String {
        self.telegram.said_to(SPARROW).pop().unwrap()
    }

    async fn state(&self, id: RecommendationId) -> RecommendationState {
        all(&self.telling.bridge, &self.sparrow).await.into_iter().find(|it| it.id == id).unwrap().state
    }
}

on_both_databases! {
    async fn what_is_told_in_full_is_accepted_with_a_word_in_the_same_chat(database) {
        let group = Group::open(database, "full", "full").await;
        let id = group.asks("Walk half an hour").await;
        let told = group.told();
        assert!(told.contains("Walk half an hour") && told.contains("“accept” or “decline”"), "{told}");
        assert_eq!(group.state(id).await, Delivered);
        let answer = group.say("accept").await;
        assert!(answer.contains("You want to do it: Walk half an hour"), "{answer}");
        assert_eq!(group.state(id).await, Accepted);
        let again = group.say("decline").await;
        assert!(again.contains("only here") && group.state(id).await == Accepted, "nothing waits any more: {again}");
        assert_eq!(audit::wrong(&group.telling.bridge).await, Vec::<String>::new());
    }
}

on_both_databases! {
    async fn a_word_that_may_be_meant_for_two_things_is_an_answer_to_neither_until_one_was_shown(database) {
        let group = Group::open(database, "full", "full").await;
        let walk = group.asks("Walk half an hour").await;
        let sleep = group.asks("Go to bed before midnight").await;
        let shown = group.say("decline").await;
        assert!(shown.contains("Go to bed") && shown.contains("“accept” or “decline”"), "{shown}");
        assert_eq!((group.state(walk).await, group.state(sleep).await), (Delivered, Seen));
        assert!(group.say("decline").await.contains("You do not want to do it: Go to bed"));
        assert!(group.say("accept").await.contains("You want to do it: Walk half an hour"));
        assert_eq!((group.state(walk).await, group.state(sleep).await), (Accepted, Declined));
        let third = group.asks("Write a diary").await;
        assert!(group.say("my messages").await.contains("Write a diary"));
        group.later(1);
        let fourth = group.asks("Call an old friend").await;
        let shown = group.say("accept").await;
        assert!(shown.contains("From") && shown.contains("Call an old friend"), "told since: {shown}");
        assert_eq!((group.state(third).await, group.state(fourth).await), (Seen, Seen));
    }
}

on_both_databases! {
    async fn the_same_word_brought_again_answers_nothing_else_even_if_it_was_cut_short_at_first(database) {
        let group = Group::open(database, "full", "full").await;
        let walk = group.asks("Walk half an hour").await;
        let sleep = group.asks("Go to bed before midnight").await;
        assert!(group.say("my messages").await.contains("Go to bed"));
        let (bridge, accept) = (&group.telling.bridge, group.telegram.writes(SPARROW, "accept"));
        refuses(&bridge.database, "INSERT", "talks").await;
        group.telegram.bring(bridge, "forum", &accept).await;
        assert_eq!((group.state(walk).await, group.state(sleep).await), (Delivered, Seen), "nothing is half done");
        takes_again(&bridge.database).await;
        for _ in 0..3 {
            group.telegram.bring(bridge, "forum", &accept).await;
            assert_eq!(group.state(sleep).await, Accepted);
            assert_eq!(bridge.database.count("recommendation_answers").await, 1, "the other one waits");
        }
        assert_ne!(group.state(walk).await, Accepted);
        assert_eq!(audit::wrong(bridge).await, Vec::<String>::new());
    }
}

on_both_databases! {
    async fn what_is_nothing_to_do_or_not_clear_is_not_accepted_with_a_word(database) {
        let group = Group::open(database, "full", "full").await;
        let only_said = Said { is_actionable: false, ..said("We are glad about your week") };
        let unclear = Said { is_unclear: true, ..said("Walk half an hour") };
        for says in [only_said, unclear] {
            let id = group.writes(&says).await;
            for word in ["accept", "my messages"] {
                let answer = group.say(word).await;
                assert!(answer.contains("only here") && !answer.contains(&says.text), "{word}: {answer}");
            }
            assert_eq!(group.state(id).await, Delivered);
        }
    }
}

on_both_databases! {
    async fn where_not_all_of_it_may_be_said_nothing_is_answered_in_the_chat(database) {
        let group = Group::open(database, "summary", "full").await;
        let id = group.asks("Walk half an hour").await;
        assert!(!group.told().contains("Walk") && !group.told().contains("“accept”"), "{}", group.told());
        for word in ["accept", "decline", "my messages"] {
            let answer = group.say(word).await;
            assert!(answer.contains("only here") && !answer.contains("Walk"), "{word}: {answer}");
        }
        assert_eq!(group.state(id).await, Delivered);
    }
}

on_both_databases! {
    async fn nor_where_the_members_consent_lets_only_a_notice_out(database) {
        let group = Group::open(database, "full", "notice").await;
        let id = group.asks("Walk half an hour").await;
        assert!(!group.told().contains("Walk"), "{}", group.told());
        assert!(group.say("accept").await.contains("only here"));
        assert_eq!(group.state(id).await, Delivered);
    }
}

on_both_databases! {
    async fn whoever_says_later_is_reminded_once_when_they_wish_to_be_told_anything(database) {
        let group = Group::open(database, "notice", "notice").await;
        let wishes = Wishes { quiet: Wishes::default().quiet, ..any_time() };
        group.telling.wish(&group.sparrow, wishes).await;
        group.later(8 * 60); // 20:00
        assert!(group.say("check in").await.contains("How are you?"));
        assert!(group.say("later").await.contains("I remind you once"));
        let before = group.telegram.said_to(SPARROW).len();
        group.later(3 * 60 + 1); // 23:01: in quiet hours
        group.telling.tell().await;
        assert_eq!(group.telegram.said_to(SPARROW).len(), before);
        group.later(9 * 60); // 08:01
        group.telling.tell().await;
        assert!(group.told().contains("You asked to be reminded"), "{}", group.told());
        group.later(24 * 60);
        group.telling.tell().await;
        assert_eq!(group.telegram.said_to(SPARROW).len(), before + 1, "once");
    }
}

on_both_databases! {
    async fn whoever_came_by_themselves_is_not_reminded(database) {
        let group = Group::open(database, "notice", "notice").await;
        group.say("later").await;
        group.say("check in").await;
        assert!(group.say("4").await.contains("your clinic will see it"));
        let before = group.telegram.said_to(SPARROW).len();
        group.later(4 * 60);
        group.telling.tell().await;
        assert_eq!(group.telegram.said_to(SPARROW).len(), before);
    }
}
