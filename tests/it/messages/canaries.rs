//! Every byte that leaves the portal at the lowest grade, and every subject, is searched for what a clinic said: its words, who
//! said it, the clinic, and even what kind it is.

use mostik::domain::recommendation::{Said, When};
use mostik::domain::telling::{Grade, Wishes};
use serde_json::Value;

use crate::support::bridge::NOON;
use crate::support::database::Database;
use crate::support::receiver::{PUSH, Receiver, Telling, any_time};
use crate::support::recommendations::said;

/// What nobody else may learn.
const CANARIES: [&str; 7] =
    ["canary-text", "canary-author", "Riverside", "riverside", "Something to do", "recommend", "2026-12-24"];

fn telling_all() -> Said {
    let until = "2026-12-24".parse().unwrap();
    Said {
        by: Some("Dr canary-author".to_owned()),
        until: Some(When::Day(until)),
        ..said("canary-text: lithium at night")
    }
}

/// All the texts in what came, decoded and as it came.
fn bytes(letter: &Value) -> String {
    match letter {
        Value::String(text) => text.clone() + "\n",
        Value::Array(values) => values.iter().map(bytes).collect(),
        Value::Object(values) => values.values().map(bytes).collect(),
        other => other.to_string(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_the_lowest_grade_nothing_leaves_but_that_there_is_a_message() {
    let mut searched = 0;
    for by_mail in [true, false] {
        let Some(receiver) = Receiver::open().await else { return };
        let database = Database::sqlite();
        // Whatever operator and consent allow, this member has said nothing more than the default.
        let community = if by_mail { receiver.by_mail("full") } else { receiver.by_hook(&database, "full") };
        let telling = Telling::open(database, &(community + PUSH), NOON.parse().unwrap()).await;
        let forum_first = Wishes { order: vec!["community:forum".parse().unwrap()], ..any_time() };
        let sparrow = telling.member(&receiver.address, "full", forum_first).await;
        telling.comes(&sparrow, &telling_all()).await;
        telling.tell().await;
        telling.subscribes(&sparrow, &receiver).await;
        telling
            .wish(
                &sparrow,
                Wishes { grade: Grade::Full, unused: ["community:forum".parse().unwrap()].into(), ..any_time() },
            )
            .await;
        telling.comes(&sparrow, &Said { text: "canary-text again".to_owned(), ..telling_all() }).await;
        telling.tell().await;
        let seen = receiver.seen().await;
        let ways: Vec<&str> = seen.iter().map(|letter| letter["by"].as_str().unwrap()).collect();
        assert_eq!(ways, [if by_mail { "mail" } else { "hook" }, "push"], "a push says no more, whatever is wished");
        for letter in seen {
            let bytes = bytes(&letter);
            searched += bytes.len();
            for canary in CANARIES {
                assert!(!bytes.contains(canary), "{canary}: {bytes}");
            }
        }
    }
    assert!(searched > 3000, "there was something to search: {searched}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_the_highest_grade_the_subject_still_says_nothing() {
    for by_mail in [true, false] {
        let Some(receiver) = Receiver::open().await else { return };
        let database = Database::sqlite();
        let community = if by_mail { receiver.by_mail("full") } else { receiver.by_hook(&database, "full") };
        let telling = Telling::open(database, &community, NOON.parse().unwrap()).await;
        let full = Wishes { grade: Grade::Full, ..any_time() };
        let sparrow = telling.member(&receiver.address, "full", full).await;
        telling.comes(&sparrow, &telling_all()).await;
        telling.tell().await;
        let letter = receiver.last().await;
        let (all, subject) = if by_mail {
            let (_, body) = letter["raw"].as_str().unwrap().split_once("\r\n\r\n").unwrap();
            let head = letter["raw"].as_str().unwrap().strip_suffix(body).unwrap();
            (letter["text"].as_str().unwrap().to_owned(), head.to_owned())
        } else {
            let said: Value = serde_json::from_str(letter["raw"].as_str().unwrap()).unwrap();
            (said["data"]["text"].as_str().unwrap().to_owned(), said["data"]["subject"].as_str().unwrap().to_owned())
        };
        assert!(all.contains("canary-text: lithium at night") && all.contains("canary-author"), "{all}");
        for canary in CANARIES {
            assert!(!subject.contains(canary), "{canary}: {subject}");
        }
    }
}
