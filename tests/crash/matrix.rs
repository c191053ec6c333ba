//! `kill -9` of a bridge whose members talk with it on a real homeserver: everything that they say is answered, and once.
//!
//! `MOSTIK_TEST_CHAT_KILLS` says how often for each database; 12 if it is not set. In the middle there is no bridge for
//! `MOSTIK_TEST_CHAT_AWAY` seconds; 2 if it is not set.

use std::path::PathBuf;
use std::time::Duration;

use crate::on_both_databases;
use crate::random::number;
use crate::support::database::Database;
use crate::support::server::Server;
use crate::support::synapse::{BOT, Synapse, User, free_port};
use crate::traffic::Dice;

/// Nobody is to be told that they say too much.
const LIMITS: &str = "[limits]\nsaid_per_minute = 1000000\n";

/// What the member says, again and again, and how each answer begins.
const TALK: [(&str, &str); 3] =
    [("check in", "How are you?"), ("4", "Noted, for you alone."), ("who are you", "I am the helper of The forum")];

on_both_databases! {
    async fn killed_again_and_again_while_a_member_talks_each_message_is_answered_once(database) {
        let port = free_port();
        let Some(synapse) = Synapse::start(port).await else { return };
        let server = prepare(&database, &synapse, port).await;
        let sparrow = synapse.user("sparrow").await;
        let room = begin(&server, &sparrow).await;
        let kills = number("MOSTIK_TEST_CHAT_KILLS").unwrap_or(12);
        let seed = number("MOSTIK_TEST_SEED").unwrap_or_else(|| u64::from(std::process::id()));
        let away = number("MOSTIK_TEST_CHAT_AWAY").unwrap_or(2);
        println!("MOSTIK_TEST_SEED={seed} MOSTIK_TEST_CHAT_KILLS={kills} MOSTIK_TEST_CHAT_AWAY={away}");
        let dice = Dice::new(seed);
        let before = sparrow.heard(&room).await.len();
        let (mut said, mut deaths) = (0, 0);
        let mut aways = 0..away;
        while deaths < kills {
            // In the middle the member talks on for a while and nobody answers.
            while deaths >= kills / 2 && aways.next().is_some() {
                sparrow.say(&room, TALK[said % TALK.len()].0).await;
                said += 1;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            // Some of it while there is no bridge at all.
            for _ in 0..dice.below(3) {
                sparrow.say(&room, TALK[said % TALK.len()].0).await;
                said += 1;
            }
            let mut doomed = server.start(None).await;
            sparrow.say(&room, TALK[said % TALK.len()].0).await;
            said += 1;
            tokio::time::sleep(Duration::from_millis(dice.below(150) as u64)).await;
            assert!(doomed.kill(), "it died by itself: {}", server.last_words());
            deaths += u64::from(sparrow.heard(&room).await.len() < before + said);
        }
        let last = server.start(None).await;
        let heard = sparrow.hears(&room, before + said).await;
        // One more of everything, so that whatever is said twice has come before it.
        sparrow.talk(&room, "menu").await;
        let heard_at_last = sparrow.heard(&room).await;
        assert_eq!(heard_at_last.len(), before + said + 1, "answered twice: {heard:?}");
        for (n, answer) in heard[before..].iter().enumerate() {
            assert!(answer.starts_with(TALK[n % TALK.len()].1), "{n}: {answer}");
        }
        let noted = 1 + (said + 1) / TALK.len();
        assert_eq!(database.count("readings").await, i64::try_from(noted).unwrap(), "nothing lost, nothing twice");
        println!("{deaths} kills, {said} messages");
        drop(last);
    }
}

/// A bridge whose forum is on the homeserver.
async fn prepare(database: &Database, synapse: &Synapse, port: u16) -> Server {
    let more = synapse.connector(database, "") + LIMITS;
    let mut server = Server::prepare_with(database, "http://127.0.0.1:9/fhir", "patient", &more).await;
    server.environment = [
        ("MOSTIK_SERVER__LISTEN", format!("127.0.0.1:{port}")),
        ("MOSTIK_DELIVERY__TIMEOUT_SECONDS", "5".to_owned()),
        ("MOSTIK_DELIVERY__LEASE_SECONDS", "15".to_owned()),
    ]
    .map(|(name, value)| (name, PathBuf::from(value)))
    .into();
    server
}

/// The member joins, and keeps what they note.
async fn begin(server: &Server, sparrow: &User<'_>) -> String {
    let first = server.start(None).await;
    let room = sparrow.open().await;
    sparrow.sees(&room, BOT, "join").await;
    for said in ["hi", "yes", "check in", "3", "keep it", "menu"] {
        sparrow.talk(&room, said).await;
    }
    drop(first);
    room
}
