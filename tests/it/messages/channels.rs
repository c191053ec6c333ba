//! One channel after the other; and what becomes of those that reach nobody any more.

use jiff::SignedDuration;
use mostik::domain::recommendation::RecommendationState;
use mostik::domain::settings::Change;
use mostik::domain::telling::{Channel, Wishes};
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::bridge::{NOON, Person};
use crate::support::database::Database;
use crate::support::receiver::{PUSH, Receiver, Telling, any_time};
use crate::support::recommendations::{all, said};

/// A member whose browser and whose community can tell them.
async fn with_both(database: Database, receiver: &Receiver, wishes: Wishes) -> (Telling, Person) {
    let ways = receiver.by_hook(&database, "notice") + PUSH;
    let telling = Telling::open(database, &ways, NOON.parse().unwrap()).await;
    let sparrow = telling.member("sparrow", "notice", wishes).await;
    telling.subscribes(&sparrow, receiver).await;
    (telling, sparrow)
}

fn ways(of: &[(&str, u64)]) -> Vec<(String, u64)> {
    of.iter().map(|(by, status)| ((*by).to_owned(), *status)).collect()
}

fn text(letter: &Value) -> String {
    let body: Value = serde_json::from_str(letter["raw"].as_str().unwrap()).unwrap();
    body["data"]["text"].as_str().unwrap().to_owned()
}

async fn closed(telling: &Telling, person: &Person) -> Vec<(String, bool)> {
    let settings = telling.bridge.settings(person).await;
    settings.closed.iter().map(|closed| (closed.channel.to_string(), closed.said)).collect()
}

on_both_databases! {
    async fn the_first_that_takes_it_is_enough(database) {
        let Some(receiver) = Receiver::open().await else { return };
        let (telling, sparrow) = with_both(database, &receiver, any_time()).await;
        telling.comes(&sparrow, &said("a")).await;
        telling.tell().await;
        assert_eq!(receiver.ways().await, ways(&[("push", 201)]));
        let forum_first = Wishes { order: vec!["community:forum".parse().unwrap()], ..any_time() };
        telling.wish(&sparrow, forum_first).await;
        telling.comes(&sparrow, &said("bb")).await;
        telling.tell().await;
        assert_eq!(receiver.ways().await, ways(&[("push", 201), ("hook", 200)]));
    }
}

on_both_databases! {
    async fn the_next_is_tried_at_once_and_the_first_is_tried_again_the_next_time(database) {
        let Some(receiver) = Receiver::open().await else { return };
        let (telling, sparrow) = with_both(database, &receiver, any_time()).await;
        receiver.will_answer(json!({"push": [500]})).await;
        telling.comes(&sparrow, &said("a")).await;
        telling.tell().await;
        assert_eq!(receiver.ways().await, ways(&[("push", 500), ("hook", 200)]));
        assert!(closed(&telling, &sparrow).await.is_empty(), "it may work again");
        telling.comes(&sparrow, &said("bb")).await;
        telling.tell().await;
        assert_eq!(receiver.ways().await[2..], ways(&[("push", 201)]));
    }
}

on_both_databases! {
    async fn a_browser_that_is_gone_is_forgotten_and_the_next_channel_says_so_once(database) {
        for gone in [404, 410] {
            let Some(receiver) = Receiver::open().await else { return };
            let database = if database.is_sqlite() { Database::sqlite() } else { Database::postgres().await.unwrap() };
            let (telling, sparrow) = with_both(database, &receiver, any_time()).await;
            receiver.will_answer(json!({"push": [gone]})).await;
            telling.comes(&sparrow, &said("a")).await;
            telling.tell().await;
            assert_eq!(receiver.ways().await, ways(&[("push", gone), ("hook", 200)]));
            let said_so = "We could no longer reach you by another way (In your browsers)";
            assert!(text(&receiver.last().await).contains(said_so), "{}", text(&receiver.last().await));
            assert_eq!(closed(&telling, &sparrow).await, [("push".to_owned(), true)]);
            let mut tx = telling.bridge.bridge.store.read().await.unwrap();
            assert!(tx.subscriptions(sparrow.id).await.unwrap().is_empty(), "{gone}");
            drop(tx);
            telling.comes(&sparrow, &said("bb")).await;
            telling.tell().await;
            assert_eq!(receiver.ways().await[2..], ways(&[("hook", 200)]));
            assert!(!text(&receiver.last().await).contains(said_so), "once");
        }
    }
}

on_both_databases! {
    async fn a_community_that_has_nobody_by_that_name_is_not_asked_again_until_the_member_says_so(database) {
        for gone in [403, 410] {
            let Some(receiver) = Receiver::open().await else { return };
            let database = if database.is_sqlite() { Database::sqlite() } else { Database::postgres().await.unwrap() };
            let forum: Channel = "community:forum".parse().unwrap();
            let forum_first = Wishes { order: vec![forum.clone()], ..any_time() };
            let (telling, sparrow) = with_both(database, &receiver, forum_first).await;
            receiver.will_answer(json!({"hook": [gone]})).await;
            telling.comes(&sparrow, &said("a")).await;
            telling.tell().await;
            assert_eq!(receiver.ways().await, ways(&[("hook", gone), ("push", 201)]));
            let note: Value = serde_json::from_str(receiver.last().await["plain"].as_str().unwrap()).unwrap();
            assert!(note["body"].as_str().unwrap().contains("Through The forum"), "{note}");
            telling.comes(&sparrow, &said("bb")).await;
            telling.tell().await;
            assert_eq!(receiver.ways().await[2..], ways(&[("push", 201)]));
            telling.bridge.set(&sparrow, Change { opened: Some(forum), ..Change::default() }).await;
            telling.comes(&sparrow, &said("ccc")).await;
            telling.tell().await;
            assert_eq!(receiver.ways().await[3..], ways(&[("hook", 200)]));
        }
    }
}

on_both_databases! {
    async fn where_no_channel_is_left_it_waits_in_the_portal_and_the_next_is_told_when_there_is_one(database) {
        let Some(receiver) = Receiver::open().await else { return };
        let (telling, sparrow) = with_both(database, &receiver, any_time()).await;
        receiver.will_answer(json!({"push": [410], "hook": [410]})).await;
        telling.comes(&sparrow, &said("a")).await;
        telling.tell().await;
        assert_eq!(receiver.ways().await, ways(&[("push", 410), ("hook", 410)]));
        assert_eq!(closed(&telling, &sparrow).await, [("push".to_owned(), false), ("community:forum".to_owned(), false)]);
        assert_eq!(telling.open_tellings().await, 0);
        assert_eq!(all(&telling.bridge, &sparrow).await[0].state, RecommendationState::Received);
        telling.bridge.set(&sparrow, Change { opened: Some("community:forum".parse().unwrap()), ..Change::default() }).await;
        telling.comes(&sparrow, &said("bb")).await;
        telling.tell().await;
        assert!(text(&receiver.last().await).contains("(In your browsers)"), "what nobody said yet is said now");
        assert_eq!(closed(&telling, &sparrow).await, [("push".to_owned(), true)]);
    }
}

on_both_databases! {
    async fn one_browser_of_several_that_is_gone_takes_nothing_from_the_others(database) {
        let (Some(receiver), Some(other)) = (Receiver::open().await, Receiver::open().await) else { return };
        let (telling, sparrow) = with_both(database, &receiver, any_time()).await;
        telling.subscribes(&sparrow, &other).await;
        receiver.will_answer(json!({"push": [410]})).await;
        telling.comes(&sparrow, &said("a")).await;
        telling.tell().await;
        assert_eq!((receiver.ways().await, other.ways().await), (ways(&[("push", 410)]), ways(&[("push", 201)])));
        assert!(closed(&telling, &sparrow).await.is_empty());
        telling.comes(&sparrow, &said("bb")).await;
        telling.tell().await;
        assert_eq!((receiver.ways().await.len(), other.ways().await.len()), (1, 2));
    }
}

on_both_databases! {
    async fn an_address_that_the_mail_server_does_not_know_is_not_written_to_again(database) {
        let Some(receiver) = Receiver::open().await else { return };
        let ways_to = receiver.by_mail("notice") + PUSH;
        let telling = Telling::open(database, &ways_to, NOON.parse().unwrap()).await;
        let mail_first = Wishes { order: vec!["community:forum".parse().unwrap()], ..any_time() };
        let sparrow = telling.member(&receiver.address, "notice", mail_first).await;
        telling.subscribes(&sparrow, &receiver).await;
        receiver.will_answer(json!({"mail": [550, 451]})).await;
        telling.comes(&sparrow, &said("a")).await;
        telling.tell().await;
        assert_eq!(receiver.ways().await, ways(&[("mail", 451), ("push", 201)]));
        assert!(closed(&telling, &sparrow).await.is_empty(), "it is only busy");
        telling.comes(&sparrow, &said("bb")).await;
        telling.tell().await;
        assert_eq!(receiver.ways().await[2..], ways(&[("mail", 550), ("push", 201)]));
        assert_eq!(closed(&telling, &sparrow).await, [("community:forum".to_owned(), true)]);
        telling.bridge.clock.advance(SignedDuration::from_hours(48));
        telling.comes(&sparrow, &said("ccc")).await;
        telling.tell().await;
        assert_eq!(receiver.ways().await[4..], ways(&[("push", 201)]));
    }
}

on_both_databases! {
    async fn a_mail_is_a_mail_for_a_server_that_nobody_here_wrote(database) {
        let Some(receiver) = Receiver::open().await else { return };
        let telling = Telling::open(database, &receiver.by_mail("full"), NOON.parse().unwrap()).await;
        let wishes = Wishes { grade: mostik::domain::telling::Grade::Full, ..any_time() };
        let sparrow = telling.member(&receiver.address, "full", wishes).await;
        telling.comes(&sparrow, &said("Полчаса пешком. “Slowly” – and without a phone, please.")).await;
        telling.tell().await;
        let mail = receiver.last().await;
        assert_eq!((&mail["sender"], &mail["subject"]), (&json!("noreply@forum.example"), &json!("You have a message")));
        assert_eq!(mail["headers"]["auto-submitted"], "auto-generated");
        assert!(mail["message_id"].as_str().unwrap().ends_with("@forum.example>"));
        let text = mail["text"].as_str().unwrap();
        assert!(text.contains("Полчаса пешком. “Slowly” – and without a phone, please."), "{text}");
        assert!(text.contains("Something to do, from Riverside") && text.contains("Dr. Ada Example"), "{text}");
    }
}
