//! How much leaves the portal: never more than the operator, the consent and the member allow, at the time of sending.

use jiff::SignedDuration;
use mostik::domain::recommendation::{RecommendationState, Said};
use mostik::domain::telling::{Grade, Subject, Wishes};
use reqwest::Method;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::bridge::{NOON, Person};
use crate::support::database::Database;
use crate::support::receiver::{Receiver, Telling, any_time};
use crate::support::recommendations::{all, said};

async fn by_hook(database: Database, receiver: &Receiver, most: &str) -> Telling {
    let ways = receiver.by_hook(&database, most);
    Telling::open(database, &ways, NOON.parse().unwrap()).await
}

fn text(letter: &Value) -> String {
    let body: Value = serde_json::from_str(letter["raw"].as_str().unwrap()).unwrap();
    body["data"]["text"].as_str().unwrap().to_owned()
}

const SAYS: &str = "Walk half an hour";

fn walk() -> Said {
    said(SAYS)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_least_of_three_words_counts() {
    for (operator, consent, member, expected) in [
        ("notice", "full", Grade::Full, Grade::Notice),
        ("full", "notice", Grade::Full, Grade::Notice),
        ("full", "full", Grade::Notice, Grade::Notice),
        ("summary", "full", Grade::Full, Grade::Summary),
        ("full", "full", Grade::Summary, Grade::Summary),
        ("full", "full", Grade::Full, Grade::Full),
    ] {
        let Some(receiver) = Receiver::open().await else { return };
        let telling = by_hook(Database::sqlite(), &receiver, operator).await;
        let sparrow = telling.member("sparrow", consent, Wishes { grade: member, ..any_time() }).await;
        telling.comes(&sparrow, &walk()).await;
        telling.tell().await;
        let (letter, case) = (receiver.last().await, format!("{operator} {consent} {member:?}"));
        let text = text(&letter);
        assert_eq!(text.contains("Something to do, from Riverside"), expected >= Grade::Summary, "{case}: {text}");
        assert_eq!(text.contains(SAYS) && text.contains("Dr. Ada Example"), expected == Grade::Full, "{case}: {text}");
        assert_eq!(text.contains("There is something new for you"), expected == Grade::Notice, "{case}: {text}");
        assert!(text.contains("https://mostik.example/messages"), "{case}: {text}");
        assert!(letter["raw"].as_str().unwrap().contains("\"subject\":\"You have a message\""), "{case}");
    }
}

on_both_databases! {
    async fn nothing_leaves_the_portal_where_consent_does_not_let_it(database) {
        let Some(receiver) = Receiver::open().await else { return };
        let telling = by_hook(database, &receiver, "full").await;
        let none = telling.member("sparrow", "none", any_time()).await;
        telling.comes(&none, &walk()).await;
        let paused = telling.bridge.person("wren", "patient-of-wren").await;
        telling.wish(&paused, any_time()).await;
        let grant = telling.consent(&paused, "full").await;
        assert_eq!(telling.bridge.change_grant(&paused, &grant, "pause").await.status, 200);
        telling.comes(&paused, &walk()).await;
        telling.tell().await;
        assert_eq!((receiver.seen().await.len(), telling.open_tellings().await), (0, 0));
        assert_eq!(all(&telling.bridge, &none).await[0].state, RecommendationState::Received, "it waits in the portal");
    }
}

async fn revoke(telling: &Telling, person: &Person) {
    let got = telling.bridge.as_member(person, Method::GET, "/v1/grants", None).await;
    let grant = got.json["grants"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(telling.bridge.change_grant(person, &grant, "revoke").await.status, 200);
}

on_both_databases! {
    async fn what_waits_for_the_morning_is_not_told_when_consent_ends_in_the_night(database) {
        let Some(receiver) = Receiver::open().await else { return };
        let telling = by_hook(database, &receiver, "full").await;
        telling.bridge.clock.advance(SignedDuration::from_hours(11));
        let sparrow = telling.member("sparrow", "full", Wishes::default()).await;
        telling.comes(&sparrow, &walk()).await;
        telling.tell().await;
        assert_eq!(telling.open_tellings().await, 1, "it waits");
        revoke(&telling, &sparrow).await;
        telling.bridge.clock.advance(SignedDuration::from_hours(12));
        telling.tell().await;
        assert_eq!((receiver.seen().await.len(), telling.open_tellings().await), (0, 0));
    }
}

on_both_databases! {
    async fn what_was_not_taken_is_not_tried_again_when_consent_has_ended(database) {
        let Some(receiver) = Receiver::open().await else { return };
        let telling = by_hook(database, &receiver, "full").await;
        let sparrow = telling.member("sparrow", "full", any_time()).await;
        receiver.will_answer(json!({"hook": [503]})).await;
        telling.comes(&sparrow, &walk()).await;
        telling.tell().await;
        revoke(&telling, &sparrow).await;
        telling.bridge.clock.advance(SignedDuration::from_hours(1));
        telling.tell().await;
        assert_eq!((receiver.seen().await.len(), telling.open_tellings().await), (1, 0));
    }
}

on_both_databases! {
    async fn members_are_told_about_what_they_wish_only(database) {
        let Some(receiver) = Receiver::open().await else { return };
        let telling = by_hook(database, &receiver, "notice").await;
        let without = Wishes { silent: [Subject::Recommendation].into(), ..any_time() };
        let sparrow = telling.member("sparrow", "notice", without).await;
        telling.comes(&sparrow, &walk()).await;
        let unused = Wishes { unused: ["community:forum".parse().unwrap()].into(), ..any_time() };
        let wren = telling.member("wren", "notice", unused).await;
        telling.comes(&wren, &walk()).await;
        telling.tell().await;
        assert_eq!((receiver.seen().await.len(), telling.open_tellings().await), (0, 0));
    }
}

on_both_databases! {
    async fn that_something_was_taken_back_is_told_to_those_who_heard_of_it(database) {
        let Some(receiver) = Receiver::open().await else { return };
        let telling = by_hook(database, &receiver, "full").await;
        let sparrow = telling.member("sparrow", "full", Wishes { grade: Grade::Full, ..any_time() }).await;
        let take_back = async |id: mostik::domain::ids::RecommendationId| {
            telling.bridge.clock.advance(SignedDuration::from_secs(1));
            let mut tx = telling.bridge.bridge.store.begin().await.unwrap();
            let row = tx.recommendation(sparrow.id, id).await.unwrap().unwrap();
            tx.set_recommendation_state(&row, RecommendationState::Retracted, telling.bridge.now()).await.unwrap();
            tx.commit().await.unwrap();
        };
        let unheard = telling.comes(&sparrow, &said("never heard of")).await;
        take_back(unheard).await;
        telling.tell().await;
        assert_eq!(receiver.seen().await.len(), 0, "nobody heard of it");
        let heard = telling.comes(&sparrow, &walk()).await;
        telling.tell().await;
        take_back(heard).await;
        telling.to_tell(&sparrow, heard).await;
        telling.tell().await;
        let last = text(&receiver.last().await);
        assert!(last.contains("Riverside has taken something back.") && !last.contains(SAYS), "{last}");
        assert_eq!(receiver.seen().await.len(), 2);
    }
}
