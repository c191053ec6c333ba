//! A message is told until a channel has taken it, and once.

use futures_util::future::join_all;
use jiff::SignedDuration;
use mostik::domain::recommendation::RecommendationState;
use mostik::domain::settings::Change;
use mostik::pipeline::answers;
use serde_json::json;

use crate::on_both_databases;
use crate::support::bridge::NOON;
use crate::support::database::Database;
use crate::support::receiver::{Receiver, Telling, any_time};
use crate::support::recommendations::{all, put_with_focus, said};

async fn by_hook(database: Database, receiver: &Receiver) -> Telling {
    let ways = receiver.by_hook(&database, "notice");
    Telling::open(database, &ways, NOON.parse().unwrap()).await
}

on_both_databases! {
    async fn a_member_is_told_once_and_the_message_waits_in_the_portal(database) {
        let Some(receiver) = Receiver::open().await else { return };
        let telling = by_hook(database, &receiver).await;
        let sparrow = telling.member("sparrow", "notice", any_time()).await;
        telling.comes(&sparrow, &said("Walk half an hour")).await;
        telling.tell().await;
        telling.tell().await;
        let seen = receiver.seen().await;
        assert_eq!(seen.len(), 1);
        let body: serde_json::Value = serde_json::from_str(seen[0]["raw"].as_str().unwrap()).unwrap();
        assert_eq!((&body["type"], &body["data"]["handle"]), (&json!("mostik.message.v1"), &json!("sparrow")));
        assert_eq!(body["data"]["subject"], "You have a message");
        assert_eq!(body["data"]["url"], "https://mostik.example/messages");
        let schema = serde_json::from_str(include_str!("../../../schemas/messages/message.v1.json")).unwrap();
        jsonschema::validator_for(&schema).unwrap().validate(&body).unwrap();
        assert_eq!(all(&telling.bridge, &sparrow).await[0].state, RecommendationState::Delivered);
        assert_eq!(telling.open_tellings().await, 0);
    }
}

on_both_databases! {
    async fn what_came_together_is_told_together_and_in_the_language_of_the_member(database) {
        let Some(receiver) = Receiver::open().await else { return };
        let telling = by_hook(database, &receiver).await;
        let sparrow = telling.member("sparrow", "notice", any_time()).await;
        telling.bridge.set(&sparrow, Change { language: Some(mostik::domain::language::Language::Ru), ..Change::default() }).await;
        for text in ["a", "bb", "ccc"] {
            telling.comes(&sparrow, &said(text)).await;
        }
        telling.tell().await;
        let body: serde_json::Value = serde_json::from_str(receiver.last().await["raw"].as_str().unwrap()).unwrap();
        assert_eq!(receiver.seen().await.len(), 1);
        assert_eq!(body["data"]["subject"], "Для вас есть 3 сообщения");
        assert!(all(&telling.bridge, &sparrow).await.iter().all(|it| it.state == RecommendationState::Delivered));
    }
}

on_both_databases! {
    async fn what_the_member_has_seen_already_is_not_told(database) {
        let Some(receiver) = Receiver::open().await else { return };
        let telling = by_hook(database, &receiver).await;
        let sparrow = telling.member("sparrow", "notice", any_time()).await;
        let id = telling.comes(&sparrow, &said("Walk half an hour")).await;
        let mut tx = telling.bridge.bridge.store.begin().await.unwrap();
        answers::seen(&telling.bridge.bridge, &mut tx, sparrow.id, id, telling.bridge.now()).await.unwrap();
        tx.commit().await.unwrap();
        telling.tell().await;
        assert_eq!((receiver.seen().await.len(), telling.open_tellings().await), (0, 0));
    }
}

on_both_databases! {
    async fn a_message_that_is_not_taken_is_tried_again_by_the_same_id_and_not_for_ever(database) {
        let Some(receiver) = Receiver::open().await else { return };
        let telling = by_hook(database, &receiver).await;
        let sparrow = telling.member("sparrow", "notice", any_time()).await;
        receiver.will_answer(json!({"hook": vec![500; 20]})).await;
        telling.comes(&sparrow, &said("Walk half an hour")).await;
        telling.tell().await;
        assert_eq!(receiver.seen().await.len(), 1, "not again at once");
        telling.bridge.clock.advance(SignedDuration::from_secs(6));
        telling.tell().await;
        assert_eq!(receiver.seen().await.len(), 2, "after five seconds, a fifth more or less");
        for _ in 0..20 {
            telling.bridge.clock.advance(SignedDuration::from_hours(30));
            telling.tell().await;
        }
        let seen = receiver.seen().await;
        assert_eq!(seen.len(), 10, "as often as everything else");
        assert!(seen.iter().all(|it| it["headers"]["webhook-id"] == seen[0]["headers"]["webhook-id"]));
        assert_eq!(telling.open_tellings().await, 0);
        assert_eq!(all(&telling.bridge, &sparrow).await[0].state, RecommendationState::Received, "it waits in the portal");
    }
}

on_both_databases! {
    async fn a_platform_that_asks_for_time_gets_it(database) {
        let Some(receiver) = Receiver::open().await else { return };
        let telling = by_hook(database, &receiver).await;
        let sparrow = telling.member("sparrow", "notice", any_time()).await;
        receiver.will_answer(json!({"hook": [429_000_600]})).await;
        telling.comes(&sparrow, &said("Walk half an hour")).await;
        telling.tell().await;
        telling.bridge.clock.advance(SignedDuration::from_secs(599));
        telling.tell().await;
        assert_eq!(receiver.ways().await.len(), 1);
        telling.bridge.clock.advance(SignedDuration::from_secs(1));
        telling.tell().await;
        assert_eq!(receiver.ways().await.len(), 2);
    }
}

on_both_databases! {
    async fn many_tellers_at_once_tell_once(database) {
        let Some(receiver) = Receiver::open().await else { return };
        let telling = by_hook(database, &receiver).await;
        let sparrow = telling.member("sparrow", "notice", any_time()).await;
        telling.comes(&sparrow, &said("Walk half an hour")).await;
        let outcomes = join_all((0..8).map(|_| telling.teller.tell_one())).await;
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
        assert_eq!(receiver.seen().await.len(), 1);
    }
}

on_both_databases! {
    async fn what_changes_while_it_is_being_told_is_told_again(database) {
        let Some(receiver) = Receiver::open().await else { return };
        let telling = by_hook(database, &receiver).await;
        let sparrow = telling.member("sparrow", "notice", any_time()).await;
        let id = telling.comes(&sparrow, &said("Walk half an hour")).await;
        receiver.will_answer(json!({"hook": [503]})).await;
        telling.tell().await;
        telling.to_tell(&sparrow, id).await;
        telling.tell().await;
        let ids: Vec<_> = receiver.seen().await.iter().map(|it| it["headers"]["webhook-id"].clone()).collect();
        assert_eq!(ids.len(), 2, "at once: it is something new");
        assert_ne!(ids[0], ids[1]);
    }
}

on_both_databases! {
    async fn a_member_who_cannot_be_told_keeps_nobody_waiting(database) {
        let Some(receiver) = Receiver::open().await else { return };
        let telling = by_hook(database, &receiver).await;
        let sparrow = telling.member("sparrow", "notice", any_time()).await;
        telling.comes(&sparrow, &said("a")).await;
        let broken = if telling.bridge.database.is_sqlite() { "x'00'" } else { "'\\x00'" };
        telling.bridge.database.run(&format!("UPDATE member_settings SET sealed_settings = {broken}")).await;
        telling.bridge.clock.advance(SignedDuration::from_secs(1));
        let wren = telling.member("wren", "notice", any_time()).await;
        telling.comes(&wren, &said("bb")).await;
        telling.tell().await;
        assert_eq!(receiver.seen().await.len(), 1, "the other is told");
        assert_eq!(telling.open_tellings().await, 1, "nothing is lost");
    }
}

on_both_databases! {
    async fn what_a_task_tells_with_itself_is_not_told_beside_it(database) {
        let Some(receiver) = Receiver::open().await else { return };
        let telling = by_hook(database, &receiver).await;
        let sparrow = telling.member("sparrow", "notice", any_time()).await;
        let order = said("the order itself");
        telling.comes(&sparrow, &order).await;
        let task = put_with_focus(&telling.bridge, &sparrow, &said("do what was ordered"), Some(&order.source)).await;
        telling.to_tell(&sparrow, task).await;
        telling.tell().await;
        let body: serde_json::Value = serde_json::from_str(receiver.last().await["raw"].as_str().unwrap()).unwrap();
        assert_eq!((receiver.seen().await.len(), &body["data"]["subject"]), (1, &json!("You have a message")));
        assert_eq!(telling.open_tellings().await, 0);
    }
}
