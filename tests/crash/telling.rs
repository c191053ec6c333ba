//! `kill -9` of a process that tells a member something: they are told, and whoever hears it twice sees that it is the same.

use mostik::domain::ids::RecommendationId;
use mostik::domain::recommendation::{RecommendationKind, RecommendationState};
use mostik::domain::settings::Change;
use mostik::domain::telling::Wishes;
use mostik::readings::settings::change_settings;
use mostik::recommendations;
use mostik::store::{BrowserRow, EhrVersion, ResourceIndexes, SealedRecommendation};
use mostik::telling::SUBSCRIPTION_COLUMN;
use mostik::vault::MemberKey;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::database::Database;
use crate::support::receiver::{PUSH, Receiver};
use crate::support::recommendations::said;
use crate::support::server::{Server, moment};

pub const POINTS: [&str; 3] = ["tell:taken", "tell:closed", "tell:sent"];

async fn key(server: &Server) -> MemberKey {
    let wrapped = server.bridge.store.read().await.unwrap().member_key(server.member).await.unwrap().unwrap();
    server.bridge.keyring.unwrap_member_key(server.member, &wrapped).unwrap()
}

/// The member may be told at any time, in their browser first.
async fn ready(server: &Server, receiver: &Receiver) {
    let (key, now) = (key(server).await, server.bridge.clock.now());
    let field = |name: &str| receiver.push[name].as_str().unwrap();
    let (endpoint, p256dh, auth) = (field("endpoint"), field("p256dh"), field("auth"));
    let browser = mostik::delivery::member::Subscription::new(endpoint, p256dh, auth).unwrap();
    let id = server.bridge.keyring.entropy().uuid(now).unwrap();
    let sealed = key.seal(SUBSCRIPTION_COLUMN, id.as_bytes(), &serde_json::to_vec(&browser).unwrap()).unwrap();
    let address = server.bridge.keyring.index().index("push-address", &[endpoint.as_bytes()]);
    let mut tx = server.bridge.store.begin().await.unwrap();
    tx.put_subscription(server.member, &BrowserRow { id, sealed, created_at: now }, address).await.unwrap();
    let told = Some(Wishes { quiet: None, ..Wishes::default() });
    change_settings(&mut tx, &key, Change { told, ..Change::default() }, now).await.unwrap();
    tx.commit().await.unwrap();
}

/// Something comes for the member, in the transaction that has them told of it.
async fn comes(server: &Server) -> RecommendationId {
    let (key, now) = (key(server).await, server.bridge.clock.now());
    let id = RecommendationId(server.bridge.keyring.entropy().uuid(now).unwrap());
    let row = SealedRecommendation {
        member: server.member,
        id,
        clinic: "riverside".parse().unwrap(),
        kind: RecommendationKind::Task,
        state: RecommendationState::Received,
        sealed: Some(recommendations::seal(&key, id, &said("Walk half an hour")).unwrap()),
        version: EhrVersion::default(),
        received_at: now,
        updated_at: now,
    };
    let own = server.bridge.keyring.index().index("test", &[id.0.as_bytes()]);
    let mut tx = server.bridge.store.begin().await.unwrap();
    tx.put_recommendation(&row, ResourceIndexes { own, focus: None }).await.unwrap();
    tx.put_telling(server.member, id.0, now).await.unwrap();
    tx.commit().await.unwrap();
    id
}

async fn wait_until_told(server: &Server) {
    for _ in 0..3000 {
        if server.bridge.store.read().await.unwrap().count_tellings().await.unwrap().0 == 0 {
            return;
        }
        moment().await;
    }
    panic!("nobody tells them");
}

/// What the receiver got from two processes, of which the first died at this place.
async fn dies_and_is_followed(database: Database, point: &str, answers: Value) -> Option<Vec<Value>> {
    let receiver = Receiver::open().await?;
    let more = receiver.by_hook(&database, "notice") + PUSH;
    let server = Server::prepare_with(&database, "http://127.0.0.1:9/fhir", "patient", &more).await;
    ready(&server, &receiver).await;
    receiver.will_answer(answers).await;
    let mut doomed = server.start(Some(point)).await;
    assert!(doomed.consent(&server, "notice").await);
    let id = comes(&server).await;
    doomed.wait_until_killed().await;
    let _reborn = server.start(None).await;
    wait_until_told(&server).await;
    let row = server.bridge.store.read().await.unwrap().recommendation(server.member, id).await.unwrap().unwrap();
    assert_eq!(row.state, RecommendationState::Delivered);
    Some(receiver.seen().await)
}

on_both_databases! {
    async fn a_process_that_dies_before_it_sends_is_followed_by_one_that_does(database) {
        let Some(seen) = dies_and_is_followed(database, "tell:taken", json!({})).await else { return };
        assert_eq!(seen.len(), 1, "nothing lost, nothing twice");
    }
}

on_both_databases! {
    async fn a_process_that_dies_before_it_writes_down_that_it_sent_is_followed_by_one_that_says_the_same(database) {
        let Some(seen) = dies_and_is_followed(database, "tell:sent", json!({})).await else { return };
        assert_eq!(seen.len(), 2);
        assert_eq!(seen[0]["headers"]["topic"], seen[1]["headers"]["topic"], "whoever hears it twice sees that it is one");
    }
}

on_both_databases! {
    async fn a_channel_that_was_found_closed_stays_so_and_the_member_is_told(database) {
        let Some(seen) = dies_and_is_followed(database, "tell:closed", json!({"push": [410]})).await else { return };
        let ways: Vec<&str> = seen.iter().map(|it| it["by"].as_str().unwrap()).collect();
        assert_eq!(ways, ["push", "hook"]);
        let letter: Value = serde_json::from_str(seen[1]["raw"].as_str().unwrap()).unwrap();
        let text = letter["data"]["text"].as_str().unwrap();
        assert!(text.contains("We could no longer reach you by another way (In your browsers)"), "{text}");
    }
}
