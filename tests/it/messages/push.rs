//! Web Push, judged by a browser and a push service that nobody here wrote (`http_ece`, `PyJWT`).

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::bridge::NOON;
use crate::support::database::Database;
use crate::support::receiver::{PUSH, Receiver, Telling, any_time};
use crate::support::recommendations::said;

on_both_databases! {
    async fn the_browser_reads_it_the_service_knows_the_sender_and_nobody_learns_what_it_is_about(database) {
        let Some(receiver) = Receiver::open().await else { return };
        let telling = Telling::open(database, PUSH, NOON.parse().unwrap()).await;
        let sparrow = telling.member("sparrow", "full", any_time()).await;
        telling.subscribes(&sparrow, &receiver).await;
        receiver.will_answer(json!({"push": [503]})).await;
        telling.comes(&sparrow, &said("Walk half an hour")).await;
        telling.tell().await;
        telling.bridge.clock.advance(SignedDuration::from_secs(6));
        telling.tell().await;
        let [first, second] = <[Value; 2]>::try_from(receiver.seen().await).unwrap();
        for push in [&first, &second] {
            assert_eq!(push["wrong"], Value::Null, "{push}");
            let note: Value = serde_json::from_str(push["plain"].as_str().unwrap()).unwrap();
            let said = json!({"title": "You have a message", "body": "There is something new for you in mostik.", "url": "/messages"});
            assert_eq!(note, said);
            assert_eq!((&push["scheme"], &push["claims"]["sub"]), (&json!("vapid"), &json!("mailto:admin@mostik.example")));
            let lasts = push["claims"]["exp"].as_i64().unwrap() - telling.bridge.now().as_second();
            assert!((1..=24 * 3600).contains(&lasts), "{lasts} s");
            assert_eq!(push["key"], telling.bridge.bridge.signing.push().unwrap().public());
            let header = |name: &str| push["headers"][name].as_str().unwrap().to_owned();
            assert_eq!((header("content-encoding"), header("ttl"), header("urgency")), ("aes128gcm".into(), "259200".into(), "normal".into()));
            assert!(header("topic").len() <= 32);
        }
        assert_eq!(first["headers"]["topic"], second["headers"]["topic"], "the second takes the place of the first");
        assert_ne!(first["raw"], second["raw"], "each is encrypted anew");
    }
}

on_both_databases! {
    async fn replicas_and_later_starts_send_by_the_same_key(database) {
        let Some(receiver) = Receiver::open().await else { return };
        let telling = Telling::open(database, PUSH, NOON.parse().unwrap()).await;
        let beside = Telling::before(telling.bridge.beside(SignedDuration::ZERO).await);
        let sparrow = telling.member("sparrow", "notice", any_time()).await;
        telling.subscribes(&sparrow, &receiver).await;
        for teller in [&telling, &beside] {
            telling.comes(&sparrow, &said(&"a".repeat(receiver.seen().await.len() + 1))).await;
            teller.tell().await;
        }
        let seen = receiver.seen().await;
        assert_eq!((seen.len(), &seen[0]["key"]), (2, &seen[1]["key"]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_told_in_browsers_where_nobody_answers_for_it() {
    let Some(receiver) = Receiver::open().await else { return };
    let telling = Telling::open(Database::sqlite(), "", NOON.parse().unwrap()).await;
    let sparrow = telling.member("sparrow", "notice", any_time()).await;
    telling.subscribes(&sparrow, &receiver).await;
    telling.comes(&sparrow, &said("Walk half an hour")).await;
    telling.tell().await;
    assert_eq!((receiver.seen().await.len(), telling.open_tellings().await), (0, 0));
    assert!(telling.bridge.bridge.signing.push().is_none(), "and there is no key for it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_is_not_allowed_is_not_called_whatever_stands_in_the_database() {
    let Some(receiver) = Receiver::open().await else { return };
    let elsewhere = PUSH.replace("127.0.0.1", "push.example");
    let telling = Telling::open(Database::sqlite(), &elsewhere, NOON.parse().unwrap()).await;
    let sparrow = telling.member("sparrow", "notice", any_time()).await;
    telling.subscribes(&sparrow, &receiver).await;
    telling.comes(&sparrow, &said("Walk half an hour")).await;
    telling.tell().await;
    assert_eq!((receiver.seen().await.len(), telling.open_tellings().await), (0, 1), "it is tried again later");
}
