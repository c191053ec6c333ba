//! Phrases that may mean danger, in what somebody writes to the companion: a human looks, where their community wants that.

use jiff::SignedDuration;
use mostik::domain::concern::Level;
use serde_json::json;

use crate::companion::chat::{Chat, text};
use crate::on_both_databases;
use crate::support::audit;
use crate::support::bridge::{TestBridge, forum};
use crate::support::concerns::{Keepers, watched};
use crate::support::database::Database;
use crate::support::portal::{Portal, portal_config};
use crate::support::postbox::Postbox;
use crate::support::staff::{main_text, moderator, moderators_setting};

/// A chat whose forum has people who are told, also of phrases if it wants that.
async fn open(database: Database, phrases: &str) -> (Chat, Postbox) {
    let (postbox, people) = (Postbox::open(), Postbox::open());
    let safety = watched(&database, &people, "PT15M").replace("escalate_after", &format!("{phrases}escalate_after"));
    let text = portal_config(&database, "http://127.0.0.1:9", &postbox)
        + &safety
        + &moderators_setting("forum", "http://127.0.0.1:9", "mostik");
    (Chat::before(TestBridge::start_with(database, &text).await).await, postbox)
}

const ON: &str = "phrases = true\n";

on_both_databases! {
    async fn a_phrase_has_people_look_once_an_hour_and_shows_the_member_where_help_is(database) {
        let (chat, postbox) = open(database, ON).await;
        chat.write("sparrow", "1", "yes").await;
        let long = format!("{} I just want to be dead. canary-secret", "I tell you a long story. ".repeat(40));
        let answer = chat.write("sparrow", "2", &long).await;
        assert!(text(&answer).contains("People of The forum are told") && answer["help"].is_object(), "{answer}");
        chat.bridge.clock.advance(SignedDuration::from_mins(20));
        assert!(text(&chat.write("sparrow", "3", "i can't go on").await).contains("People of The forum are told"));
        let keepers = Keepers::of(&chat.bridge).await;
        let open = keepers.open().await;
        assert_eq!(open.len(), 1, "once an hour: {open:?}");
        assert_eq!((&open[0]["rule"], &open[0]["phrase"]), (&json!("phrase"), &json!("i * want to be dead")));
        chat.bridge.clock.advance(SignedDuration::from_mins(40));
        chat.write("sparrow", "4", "i can't go on").await;
        assert_eq!(keepers.open().await.len(), 2);
        let everything: Vec<u8> = chat.bridge.database.cells().await.into_iter().flat_map(|cell| cell.value).collect();
        for word in ["want to be dead", "canary-secret"] {
            assert!(!everything.windows(word.len()).any(|part| part == word.as_bytes()), "{word} stands nowhere in clear");
        }
        let portal = Portal::before(chat.bridge, postbox);
        let mut anna = moderator(&portal, "forum", Level::First).await;
        let queue = anna.get("/moderate").await;
        let link = queue.body.split("href=\"/moderate/concerns/").nth(1).unwrap().split('"').next().unwrap();
        let shown = main_text(&anna.get(&format!("/moderate/concerns/{link}")).await);
        assert!(shown.contains("i * want to be dead") && shown.contains("nobody has validated"), "{shown}");
        assert!(!shown.contains("canary-secret"));
        assert_eq!(audit::wrong(&portal.bridge).await, [""; 0]);
    }
}

on_both_databases! {
    async fn whoever_cries_again_after_somebody_looked_after_them_is_heard_again(database) {
        let (chat, _postbox) = open(database, ON).await;
        chat.write("sparrow", "1", "yes").await;
        let keepers = Keepers::of(&chat.bridge).await;
        let later = |minutes| chat.bridge.clock.advance(SignedDuration::from_mins(minutes));
        for (said, promise) in [("human", "you would like somebody to get in touch"), ("i can't go on", "somebody should get in touch")] {
            let cry = async |id: &str| {
                let answer = chat.write("sparrow", &format!("{said} {id}"), said).await;
                assert!(text(&answer).contains("People of The forum are told") && text(&answer).contains(promise), "{answer}");
                keepers.open().await
            };
            let first = cry("2").await;
            later(5);
            assert_eq!((first.len(), cry("3").await.len()), (1, 1), "{said}: they are being told");
            assert_eq!(keepers.settle(&first[0], "acknowledge", "anna").await.status, 200);
            later(5);
            let second = cry("4").await;
            assert_eq!((second.len(), cry("5").await.len()), (2, 2), "{said}: nobody told anna");
            for concern in &second {
                keepers.settle(concern, "acknowledge", "anna").await;
                assert_eq!(keepers.settle(concern, "close", "anna").await.status, 200);
            }
            later(5);
            assert_eq!(cry("6").await.len(), 1, "{said}: who looked after it was done");
            let third = keepers.open().await.remove(0);
            assert_eq!((&third["state"], third["id"] == second[1]["id"]), (&json!("raised"), false));
            keepers.settle(&third, "acknowledge", "anna").await;
            keepers.settle(&third, "close", "anna").await;
        }
        assert_eq!(keepers.listed("/v1/concerns?closed=true").await.len(), 6);
        assert_eq!(audit::wrong(&chat.bridge).await, [""; 0]);
    }
}

on_both_databases! {
    async fn whoever_says_more_than_is_heard_is_not_too_loud_to_be_in_danger(database) {
        let (chat, _postbox) = open(database, ON).await;
        chat.write("sparrow", "1", "yes").await;
        let keepers = Keepers::of(&chat.bridge).await;
        for said in 2..=30 {
            chat.write("sparrow", &said.to_string(), "hi").await;
        }
        for (id, said, concerns) in [("31", "hi", 0), ("32", "i can't go on", 1), ("33", "i can't go on", 1)] {
            let refused = chat.bring(json!({"id": id, "handle": "sparrow", "said": said})).await;
            assert_eq!((refused.status, keepers.open().await.len()), (429, concerns), "{said}");
        }
        assert_eq!(audit::wrong(&chat.bridge).await, [""; 0]);
    }
}

on_both_databases! {
    async fn nobody_is_told_where_it_is_not_switched_on_nor_of_what_is_denied_or_quoted(database) {
        let (chat, _postbox) = open(database, "").await;
        chat.write("sparrow", "1", "yes").await;
        assert_eq!(chat.write("sparrow", "2", "i took all my pills").await["is_understood"], false);
        let (watching, _postbox) = open(Database::sqlite(), ON).await;
        watching.write("sparrow", "1", "yes").await;
        for (id, said) in [("2", "I do not want to kill myself"), ("3", "the song \"I want to die\" is on"), ("4", "menu")] {
            assert!(!text(&watching.write("sparrow", id, said).await).contains("are told"), "{said}");
        }
        for chat in [&chat, &watching] {
            let mut tx = chat.bridge.bridge.store.read().await.unwrap();
            assert!(tx.concerns(Some(&forum()), true, 10).await.unwrap().is_empty());
        }
    }
}

on_both_databases! {
    async fn a_stranger_is_shown_where_help_is_and_nothing_is_kept(database) {
        let (chat, _postbox) = open(database, ON).await;
        let answer = chat.write("sparrow", "1", "i took all my pills yesterday").await;
        assert!(answer["help"].is_object() && !text(&answer).contains("are told"), "{answer}");
        assert_eq!((chat.bridge.database.count("members").await, chat.bridge.database.count("concerns").await), (0, 0));
    }
}
