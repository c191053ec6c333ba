//! Who is told of what a member answers, writes and asks for in the chat of a community, and in the portal: its own people, or
//! those of all communities that know the member; and the member is told of exactly those.

use mostik::enrolment::credentials::{CONCERNS_MANAGE, create_api_key};
use serde_json::{Value, json};

use crate::companion::another::Two;
use crate::companion::chat::text;
use crate::companion::portal::write;
use crate::on_both_databases;
use crate::support::audit;
use crate::support::concerns::{Keepers, watched};
use crate::support::database::Database;
use crate::support::postbox::Postbox;

/// Sparrow, who is in the forum and the app, of which these have people who look, also at phrases.
async fn two(database: Database, watching: &[&str]) -> Two {
    let people = Postbox::open();
    let forum = watched(&database, &people, "PT15M").replace("escalate_after", "phrases = true\nescalate_after");
    let of = |community: &&str| forum.replace("communities.forum.", &format!("communities.{community}."));
    let text: String = watching.iter().map(of).collect();
    let mut two = Box::pin(Two::open_with(database, &text)).await;
    two.in_forum("yes").await;
    Box::pin(two.join_app()).await;
    two
}

/// The concerns of a community that are open.
async fn open(two: &Two, community: &str) -> Vec<Value> {
    let (bridge, community) = (&two.portal.bridge, community.parse().unwrap());
    let mut tx = bridge.bridge.store.begin().await.unwrap();
    let key = create_api_key(&mut tx, &bridge.bridge.keyring, &community, CONCERNS_MANAGE, bridge.now()).await.unwrap();
    tx.commit().await.unwrap();
    Keepers { key: key.secret, ..Keepers::of(bridge).await }.open().await
}

/// How many of the forum's and of the app's.
async fn counted(two: &Two) -> (usize, usize) {
    (open(two, "forum").await.len(), open(two, "app").await.len())
}

/// Up to the ninth question of PHQ-9, which is answered with thoughts of hurting oneself.
const TO_THE_NINTH: [&str; 10] = ["phq 9", "0", "0", "0", "0", "0", "0", "0", "0", "1"];

/// What is left then, up to the end.
const TO_THE_END: [&str; 4] = ["go on", "0", "done", "keep it"];

on_both_databases! {
    async fn people_are_told_at_the_answer_and_not_again_when_all_of_it_is_finished(database) {
        let mut two = two(database, &["forum"]).await;
        let mut last = Value::Null;
        for said in TO_THE_NINTH {
            assert_eq!(counted(&two).await, (0, 0), "before {said}");
            last = two.in_forum(said).await;
        }
        assert!(text(&last).contains("You are not alone with this") && last["help"].is_object(), "{last}");
        let told = open(&two, "forum").await;
        assert_eq!((told.len(), &told[0]["handle"], &told[0]["rule"]), (1, &json!("sparrow"), &json!("phq-9-item-9")));
        for said in ["go on", "back", "2"].into_iter().chain(TO_THE_END) {
            last = two.in_forum(said).await;
            assert_eq!(counted(&two).await, (1, 0), "{said}: {last}");
        }
        assert!(text(&last).contains("PHQ-9: 2 of 27"), "{last}");
        assert_eq!(audit::wrong(&two.portal.bridge).await, [""; 0]);
    }
}

on_both_databases! {
    async fn what_is_stopped_or_thrown_away_after_the_answer_was_answered(database) {
        let mut two = two(database, &["forum"]).await;
        for said in TO_THE_NINTH.into_iter().chain(["go on", "0", "throw away"]) {
            two.in_forum(said).await;
        }
        assert_eq!(two.portal.bridge.database.count("chat_drafts").await, 0);
        assert_eq!(counted(&two).await, (1, 0));
    }
}

on_both_databases! {
    async fn what_is_answered_in_the_chat_of_a_community_is_for_its_own_people_only(database) {
        let mut two = two(database, &["forum"]).await;
        let first = two.in_app("bird-7", "phq 9").await;
        assert!(text(&first).ends_with("Nobody reads at once what you answer here."), "{first}");
        for said in TO_THE_NINTH.into_iter().skip(1).chain(TO_THE_END) {
            two.in_app("bird-7", said).await;
            assert_eq!(two.portal.bridge.database.count("concerns").await, 0, "{said}");
        }
        for said in TO_THE_NINTH.into_iter().chain(TO_THE_END) {
            two.in_forum(said).await;
        }
        assert_eq!(counted(&two).await, (1, 0));
    }
}

on_both_databases! {
    async fn what_is_answered_in_one_chat_is_not_for_another_community_that_looks_as_well(database) {
        let mut two = two(database, &["app", "forum"]).await;
        for said in TO_THE_NINTH.into_iter().chain(TO_THE_END) {
            two.in_app("bird-7", said).await;
        }
        assert_eq!(counted(&two).await, (0, 1));
        assert_eq!(open(&two, "app").await[0]["handle"], "bird-7");
    }
}

on_both_databases! {
    async fn what_is_answered_in_the_portal_is_for_every_community_that_knows_the_member(database) {
        let two = two(database, &["app", "forum"]).await;
        let mut browser = two.browser().await;
        let first = write(&mut browser, &TO_THE_NINTH[..1]).await;
        assert!(first.contains("people of The app, The forum are told that somebody should look after you"), "{first}");
        write(&mut browser, &TO_THE_NINTH[1..]).await;
        assert_eq!(counted(&two).await, (1, 1), "at the answer");
        write(&mut browser, &TO_THE_END).await;
        assert_eq!(counted(&two).await, (1, 1), "and not again");
    }
}

on_both_databases! {
    async fn the_portal_names_those_who_are_told_and_nobody_else(database) {
        let two = two(database, &["forum"]).await;
        let called = write(&mut two.browser().await, &["human"]).await;
        assert!(called.contains("People of The forum are told that you would like"), "{called}");
        assert_eq!(counted(&two).await, (1, 0));
    }
}

on_both_databases! {
    async fn of_a_phrase_those_are_told_from_whose_community_somebody_signed_in(database) {
        let two = two(database, &["app", "forum"]).await;
        let mut browser = two.browser().await;
        let found = write(&mut browser, &["i can't go on"]).await;
        assert!(found.contains("People of The forum are told that somebody should get in touch"), "{found}");
        assert!(found.contains("call 112 now") && found.contains("Find a Helpline"), "{found}");
        assert_eq!(counted(&two).await, (1, 0));
        let called = write(&mut browser, &["human"]).await;
        assert!(called.contains("People of The app, The forum are told that you would like"), "{called}");
        assert_eq!(counted(&two).await, (2, 1));
    }
}
