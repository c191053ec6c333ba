//! Random dialogues, many at the same time: there is always a way on, and what one hears does not depend on anybody else.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use mostik::enrolment::credentials::{TALKS_WRITE, create_api_key};
use reqwest::Method;
use serde_json::{Value, json};

use crate::dice::Dice;
use crate::on_both_databases;
use crate::support::audit;
use crate::support::bridge::TestBridge;
use crate::support::database::Database;
use crate::support::http;

/// How many dialogues there are, unless `MOSTIK_TEST_DIALOGUES` says another number.
const DIALOGUES: usize = 12;

/// How many talk at the same time.
const BESIDE: usize = 3;

/// How often each says something.
const TURNS: usize = 12;

const WORDS: [&str; 24] = [
    "menu",
    "mood",
    "phq 9",
    "phq 2",
    "gad 7",
    "3",
    "0",
    "back",
    "sharing",
    "pause",
    "resume",
    "delete me",
    "delete everything",
    "help",
    "yes",
    "no",
    "???",
    "later",
    "стоп",
    "keep it",
    "my messages",
    "book",
    "go on",
    "human",
];

/// What somebody said, by hand or with a button, and what they heard: whether they are a member, the text, and the buttons.
struct Turn {
    field: &'static str,
    said: String,
    heard: (Value, String, Vec<String>),
}

struct Chat {
    bridge: TestBridge,
    key: String,
    brought: usize,
}

impl Chat {
    async fn open(database: Database) -> Self {
        let bridge = TestBridge::start(database, "http://127.0.0.1:9/fhir").await;
        let mut tx = bridge.bridge.store.begin().await.unwrap();
        let forum = "forum".parse().unwrap();
        let key = create_api_key(&mut tx, &bridge.bridge.keyring, &forum, TALKS_WRITE, bridge.now()).await.unwrap();
        tx.commit().await.unwrap();
        Self { bridge, key: key.secret, brought: 0 }
    }

    /// Somebody says something; returns what they heard, and the values of its buttons as they are.
    async fn say(&mut self, handle: &str, field: &str, said: &str) -> ((Value, String, Vec<String>), Vec<String>) {
        self.brought += 1;
        let body = json!({"id": self.brought.to_string(), "handle": handle, field: said});
        let got = http::call(Method::POST, &format!("{}/v1/talk", self.bridge.api), Some(&self.key), Some(&body)).await;
        assert_eq!(got.status, 200, "{said}: {:?}", got.json);
        let buttons = got.json["buttons"].as_array().unwrap().iter();
        let buttons: Vec<String> = buttons.map(|button| button["value"].as_str().unwrap().to_owned()).collect();
        assert!(!buttons.is_empty(), "{said}: there is no way on");
        let names = buttons.iter().map(|value| name(value).to_owned()).collect();
        ((got.json["is_member"].clone(), got.json["text"].as_str().unwrap().to_owned(), names), buttons)
    }
}

/// A button's value without its mark, which says only what it stood with.
fn name(value: &str) -> &str {
    value.split('.').next().unwrap()
}

on_both_databases! {
    async fn what_one_hears_does_not_depend_on_anybody_else(database) {
        let dialogues = std::env::var("MOSTIK_TEST_DIALOGUES").map_or(DIALOGUES, |number| number.parse().unwrap());
        let mut chat = Chat::open(database).await;
        let mut dice = Dice::new(20_261_127);
        let mut reached: BTreeSet<String> = BTreeSet::new();
        for round in 0..dialogues.div_ceil(BESIDE) {
            // Only so many may join in an hour.
            chat.bridge.clock.advance(SignedDuration::from_mins(3));
            let mut turns: [Vec<Turn>; BESIDE] = Default::default();
            let mut open: [Vec<String>; BESIDE] = Default::default();
            for _ in 0..TURNS * BESIDE {
                let who = dice.below(BESIDE);
                let presses = !open[who].is_empty() && dice.percent(60);
                let said = if presses { open[who][dice.below(open[who].len())].clone() } else { WORDS[dice.below(WORDS.len())].to_owned() };
                let field = if presses { "pressed" } else { "said" };
                let (heard, buttons) = chat.say(&format!("together-{round}-{who}"), field, &said).await;
                reached.insert(heard.1.chars().take(24).collect());
                open[who] = buttons;
                turns[who].push(Turn { field, said: name(&said).to_owned(), heard });
            }
            // The same, each alone.
            for (who, turns) in turns.iter().enumerate() {
                for turn in turns {
                    let (heard, _) = chat.say(&format!("alone-{round}-{who}"), turn.field, &turn.said).await;
                    assert!(heard == turn.heard, "{}: {:?}, and beside others {:?}", turn.said, heard, turn.heard);
                }
            }
        }
        assert!(reached.len() > 12, "they came about: {reached:?}");
        assert_eq!(audit::wrong(&chat.bridge).await, [""; 0]);
    }
}
