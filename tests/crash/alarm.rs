//! `kill -9` of a process that tells people that somebody needs them: they are told, and whoever hears it twice sees
//! that it is the same.

use serde_json::json;

use crate::on_both_databases;
use crate::support::concerns::{alarms, watched, worrying};
use crate::support::database::Database;
use crate::support::postbox::{Letter, Postbox};
use crate::support::server::{Server, moment};

pub const POINTS: [&str; 2] = ["alarm:taken", "alarm:sent"];

async fn wait_until_told(server: &Server) {
    for _ in 0..3000 {
        let concerns = server.bridge.store.read().await.unwrap().concerns(None, true, 10).await.unwrap();
        assert_eq!(concerns.len(), 1, "nothing lost, and nothing raised twice");
        if concerns[0].told_at.is_some() {
            return;
        }
        moment().await;
    }
    panic!("nobody is told");
}

/// What the people of the forum got from two processes, of which the first died at this place.
async fn dies_and_is_followed(database: Database, point: &str) -> Vec<Letter> {
    let postbox = Postbox::open();
    let more = watched(&database, &postbox, "PT15M");
    let server = Server::prepare_with(&database, "http://127.0.0.1:9/fhir", "patient", &more).await;
    let mut doomed = server.start(Some(point)).await;
    let mut event = worrying("worry", &server.handle);
    event["time"] = json!(server.bridge.clock.now().to_string());
    let event = json!([event]);
    // The answer may be cut off: whoever raised it is killed while telling.
    doomed.send(&server, &event).await;
    doomed.wait_until_killed().await;
    let reborn = server.start(None).await;
    // What was in hand is seen again after a minute: it has passed.
    database.run("UPDATE concern_tellings SET due_at = 0 WHERE level = 1").await;
    // And what was not answered is sent again, as any good client does.
    assert!(reborn.send(&server, &event).await.is_some());
    wait_until_told(&server).await;
    let told = server.bridge.store.read().await.unwrap().concerns(None, true, 10).await.unwrap();
    assert_eq!(told[0].state.as_str(), "told");
    alarms(&postbox)
}

on_both_databases! {
    async fn a_process_that_dies_before_it_tells_them_is_followed_by_one_that_does(database) {
        assert_eq!(dies_and_is_followed(database, "alarm:taken").await.len(), 1);
    }
}

on_both_databases! {
    async fn a_process_that_dies_before_it_writes_down_that_they_were_told_is_followed_by_one_that_says_the_same(database) {
        let told = dies_and_is_followed(database, "alarm:sent").await;
        assert_eq!(told.len(), 2, "once more at most");
        assert_eq!(told[0].header("webhook-id"), told[1].header("webhook-id"), "whoever hears it twice sees that it is one");
        assert_eq!(told[0].json["data"]["concern"], told[1].json["data"]["concern"]);
    }
}
