//! `kill -9` of `mostik serve` at every named crash point, judged by the EHR's own store: nothing lost, nothing twice,
//! nothing without a permit.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that cannot go on must fail"
)]

#[path = "../support/mod.rs"]
mod support;

mod alarm;
mod judge;
mod matrix;
mod race;
mod random;
mod replicas;
mod stop;
mod telling;
mod traffic;

use std::collections::BTreeSet;

use mostik::telemetry::CRASH_POINTS;
use serde_json::{Value, json};

use support::bridge::{mood, note};
use support::database::Database;
use support::ehr::{Ehr, identifier};
use support::server::{self, Server};

/// How many moods the member reports.
const MOODS: usize = 3;

macro_rules! at_each_crash_point {
    ($($name:ident: $point:literal,)*) => {
        $(mod $name {
            use super::*;

            on_both_databases! {
                async fn with_an_ehr_without_conditional_create(database) {
                    dies_and_comes_back(database, Ehr::without_conditional_create().await, $point).await;
                }
            }

            on_both_databases! {
                async fn with_a_fhir_server_nobody_here_wrote(database) {
                    if let Some(ehr) = Ehr::sekmet().await {
                        dies_and_comes_back(database, ehr, $point).await;
                    }
                }
            }
        })*

        #[test]
        fn every_crash_point_is_walked_through() {
            let told = telling::POINTS.into_iter().chain(alarm::POINTS);
            let walked: BTreeSet<&str> = [$($point.split('#').next().unwrap()),*].into_iter().chain(told).collect();
            assert_eq!(walked, BTreeSet::from(CRASH_POINTS));
        }
    };
}

at_each_crash_point! {
    before_events_are_stored: "accept:before-commit",
    after_events_are_stored: "accept:after-commit",
    before_consent_is_taken_back: "revoke:before-commit",
    after_consent_is_taken_back: "revoke:after-commit",
    with_a_lane_leased: "deliver:leased",
    before_the_first_request: "deliver:marked-sending",
    after_the_first_answer: "deliver:answered",
    after_the_second_answer: "deliver:answered#2",
    before_the_first_answer_is_written_down: "deliver:before-settled",
    before_the_last_answer_is_written_down: "deliver:before-settled#3",
    after_everything_is_written_down: "deliver:settled",
}

async fn dies_and_comes_back(database: Database, ehr: Ehr, point: &str) {
    let server = Server::prepare(&database, &ehr).await;
    let mut doomed = server.start(Some(point)).await;
    let revokes = point.starts_with("revoke:");
    let told = report(&doomed).await && (!revokes || revoke(&doomed).await);
    doomed.wait_until_killed().await;

    let reborn = server.start(None).await;
    // What was not answered is said again, as any good client does.
    if !told {
        let told = if revokes { revoke(&reborn).await } else { report(&reborn).await };
        assert!(told, "the second process answers");
    }
    reborn.wait_until_idle(&server).await;
    let charted = ehr.observations().await;
    let identifiers: BTreeSet<String> = charted.iter().map(identifier).collect();
    assert_eq!(identifiers.len(), charted.len(), "nothing twice");
    assert!(charted.iter().all(|observation| observation["code"]["coding"][0]["code"] == "mood-rating"), "no note");
    if revokes {
        assert!(charted.len() <= MOODS);
        assert_eq!(server.grant_states(&reborn).await, ["revoked"]);
        let late = reborn.send(&server, &json!([mood("late", &server.handle, 5)])).await.unwrap();
        assert_eq!(late.json["results"][0]["refusal"]["reason"], "not-permitted");
    } else {
        assert_eq!(charted.len(), MOODS, "nothing lost");
    }
}

/// The member consents and reports. `false` when an answer never came.
async fn report(running: &server::Running<'_>) -> bool {
    let server = running.server;
    let mut events: Vec<Value> = (0..MOODS).map(|n| mood(&n.to_string(), &server.handle, 3)).collect();
    events.push(note("note", &server.handle, "not for the clinic"));
    running.grant(server).await && running.send(server, &Value::from(events)).await.is_some()
}

/// The member takes their consent back. `false` when an answer never came.
async fn revoke(running: &server::Running<'_>) -> bool {
    running.revoke(running.server).await
}
