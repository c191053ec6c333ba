//! The companion in a chat: a community brings what somebody says, and gets the answer.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use mostik::enrolment::credentials::{TALKS_WRITE, create_api_key};
use reqwest::Method;
use serde_json::{Value, json};

use crate::dice::Dice;
use crate::on_both_databases;
use crate::support::audit;
use crate::support::bridge::{TestBridge, config_text};
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::http::{self, Got};

/// A community whose members talk with the companion.
pub struct Chat {
    pub bridge: TestBridge,
    pub key: String,
}

impl Chat {
    async fn open(database: Database) -> (Self, Ehr) {
        let ehr = Ehr::sandbox().await;
        let text = config_text(&database, &ehr.base, "127.0.0.1:0") + "[communities.chat]\nname = \"The chat\"\n";
        (Self::before(TestBridge::start_with(database, &text).await).await, ehr)
    }

    /// The forum's, at this bridge.
    pub async fn before(bridge: TestBridge) -> Self {
        Self { key: key(&bridge, "forum").await, bridge }
    }

    pub async fn bring(&self, body: Value) -> Got {
        http::call(Method::POST, &format!("{}/v1/talk", self.bridge.api), Some(&self.key), Some(&body)).await
    }

    /// The answer to what somebody writes.
    pub async fn write(&self, handle: &str, id: &str, said: &str) -> Value {
        let got = self.bring(json!({"id": id, "handle": handle, "said": said})).await;
        assert_eq!(got.status, 200, "{:?}", got.json);
        got.json
    }

    async fn members(&self) -> i64 {
        self.bridge.database.count("members").await
    }
}

pub async fn key(bridge: &TestBridge, community: &str) -> String {
    let mut tx = bridge.bridge.store.begin().await.unwrap();
    let (keyring, community) = (&bridge.bridge.keyring, community.parse().unwrap());
    let key = create_api_key(&mut tx, keyring, &community, TALKS_WRITE, bridge.now()).await.unwrap();
    tx.commit().await.unwrap();
    key.secret
}

pub fn text(answer: &Value) -> &str {
    answer["text"].as_str().unwrap()
}

/// What can be pressed.
pub fn buttons(answer: &Value) -> Vec<&str> {
    answer["buttons"].as_array().unwrap().iter().map(|button| button["value"].as_str().unwrap()).collect()
}

on_both_databases! {
    async fn somebody_joins_in_two_messages_without_a_name_and_checks_in_with_the_next_two(database) {
        let (chat, _ehr) = Chat::open(database).await;
        let hello = chat.write("sparrow", "1", "hi").await;
        assert_eq!((&hello["is_member"], buttons(&hello)), (&json!(false), vec!["yes", "no", "help", "who"]));
        assert!(text(&hello).contains("I am the helper of The forum: a program, no therapist"), "{hello}");
        assert_eq!(chat.members().await, 0, "nothing is kept of a stranger");
        let welcome = chat.write("sparrow", "2", "yes please").await;
        assert_eq!((&welcome["is_member"], chat.members().await), (&json!(true), 1));
        assert!(text(&welcome).contains("Nobody sees anything of you until you decide it"), "{welcome}");
        let asked = chat.write("sparrow", "3", "check in").await;
        let numbers: Vec<&str> = buttons(&asked).into_iter().map(|value| value.split('.').next().unwrap()).collect();
        assert_eq!(numbers[..5], ["1", "2", "3", "4", "5"]);
        let noted = chat.write("sparrow", "4", "very good").await;
        assert!(text(&noted).contains("Shall I keep what you note, for you alone?"), "{noted}");
        assert!(text(&chat.write("sparrow", "5", "keep it").await).contains("Noted, for you alone."));
        assert_eq!(audit::wrong(&chat.bridge).await, [""; 0]);
    }
}

on_both_databases! {
    async fn whoever_does_not_want_to_is_left_in_peace_and_helped_nonetheless(database) {
        let (chat, _ehr) = Chat::open(database).await;
        assert!(text(&chat.write("sparrow", "1", "no").await).contains("I keep nothing of this talk."));
        let help = chat.write("sparrow", "2", "I want to die").await;
        assert_eq!((&help["is_member"], &help["help"]["lines"][0]["name"]), (&json!(false), &json!("Find a Helpline")));
        for said in ["delete me", "mood", "stop everything", "xyzzy", ""] {
            let again = chat.write("sparrow", &format!("3{said}"), said).await;
            assert!(text(&again).contains("Would you like to join?"), "{said}: {again}");
        }
        assert_eq!((chat.members().await, chat.bridge.database.count("talks").await), (0, 0));
    }
}

on_both_databases! {
    async fn what_is_brought_twice_is_done_once_and_answered_again(database) {
        let (chat, _ehr) = Chat::open(database).await;
        for _ in 0..2 {
            let welcome = chat.write("sparrow", "1", "yes").await;
            assert!(text(&welcome).starts_with("Welcome."), "{welcome}");
            assert_eq!((chat.members().await, &welcome["is_understood"]), (1, &json!(true)));
        }
        chat.write("sparrow", "2", "mood").await;
        chat.write("sparrow", "3", "3").await;
        for _ in 0..2 {
            let kept = chat.bring(json!({"id": "4", "handle": "sparrow", "pressed": "keep"})).await;
            assert_eq!((kept.status, &kept.json["is_understood"]), (200, &json!(true)));
        }
        assert_eq!(chat.bridge.database.count("readings").await, 1);
    }
}

on_both_databases! {
    async fn consent_is_given_in_the_portal_and_ended_with_one_word_in_the_chat(database) {
        let (chat, ehr) = Chat::open(database).await;
        let sparrow = chat.bridge.person("sparrow", &ehr.patient).await;
        chat.bridge.grant(&sparrow, &["mood"]).await;
        let shared = chat.write("sparrow", "1", "sharing").await;
        let page = shared["page"].as_str().unwrap();
        assert!(text(&shared).contains("You share with your clinic.") && page.ends_with("/sharing"), "{shared}");
        chat.write("sparrow", "2", "mood").await;
        assert!(text(&chat.write("sparrow", "3", "4").await).contains("your clinic will see it"));
        chat.bridge.deliver_in_time().await;
        chat.write("sparrow", "4", "mood").await;
        chat.write("sparrow", "5", "1").await;
        assert!(text(&chat.write("sparrow", "6", "Stop!!!").await).contains("Everything is stopped."));
        chat.bridge.deliver_in_time().await;
        assert_eq!(ehr.observations().await.len(), 1, "what waited is gone");
        assert_eq!(audit::wrong(&chat.bridge).await, [""; 0]);
    }
}

on_both_databases! {
    async fn the_community_learns_neither_of_messages_nor_shares_again_on_its_own(database) {
        let (chat, ehr) = Chat::open(database).await;
        let sparrow = chat.bridge.person("sparrow", &ehr.patient).await;
        chat.bridge.grant(&sparrow, &["mood"]).await;
        let messages = chat.write("sparrow", "1", "my messages").await;
        assert!(text(&messages).contains("nobody but you can read") && messages["page"].as_str().unwrap().ends_with("/messages"));
        chat.write("sparrow", "2", "sharing").await;
        assert!(text(&chat.write("sparrow", "3", "pause").await).contains("Paused."));
        let resumed = chat.bring(json!({"id": "4", "handle": "sparrow", "pressed": "resume"})).await.json;
        assert!(text(&resumed).contains("where nobody else reads along"), "{resumed}");
        assert!(text(&chat.write("sparrow", "5", "sharing").await).contains("is paused"));
    }
}

on_both_databases! {
    async fn one_community_does_not_speak_for_the_members_of_another(database) {
        let (chat, _ehr) = Chat::open(database).await;
        chat.write("sparrow", "1", "yes").await;
        let theirs = Chat { key: key(&chat.bridge, "chat").await, ..chat };
        let other = theirs.write("sparrow", "2", "menu").await;
        assert_eq!(other["is_member"], false, "who is called sparrow there is somebody else");
        assert!(text(&other).contains("I am the helper of The chat"), "{other}");
    }
}

on_both_databases! {
    async fn a_questionnaire_says_first_who_is_told(database) {
        let (chat, _ehr) = Chat::open(database).await;
        chat.write("sparrow", "1", "yes").await;
        let first = chat.write("sparrow", "2", "phq 9").await;
        assert!(text(&first).contains("0 Not at all\n1 Several days\n2 More than half the days"), "{first}");
        assert!(text(&first).ends_with("Nobody reads at once what you answer here."), "{first}");
        assert!(!text(&chat.write("sparrow", "3", "0").await).contains("Nobody reads at once"));
    }
}

on_both_databases! {
    async fn what_cannot_be_read_is_answered_with_the_field_and_what_was_expected(database) {
        let (chat, _ehr) = Chat::open(database).await;
        let long = "x".repeat(257);
        for (body, field) in [
            (json!({"id": "", "handle": "sparrow", "said": "hi"}), "/id"),
            (json!({"id": "1", "handle": long, "said": "hi"}), "/handle"),
            (json!({"id": "1", "handle": "sparrow"}), "/said"),
            (json!({"id": "1", "handle": "sparrow", "said": "hi", "pressed": "yes"}), "/said"),
            (json!({"id": "1", "handle": "sparrow", "said": "hi", "language": "tlh"}), "/language"),
            (json!({"id": "1", "handle": "sparrow", "said": "hi", "mood": 3}), "/mood"),
        ] {
            let got = chat.bring(body).await;
            assert_eq!((got.status, &got.json["field"]), (400, &json!(field)), "{:?}", got.json);
        }
        let story = chat.write("sparrow", "2", &"I tell you a long story. ".repeat(100)).await;
        assert!(text(&story).contains("Would you like to join?"));
        let russian = chat.bring(json!({"id": "3", "handle": "sparrow", "said": "да", "language": "ru"})).await;
        assert!(text(&russian.json).contains("Добро пожаловать."), "{:?}", russian.json);
    }
}

on_both_databases! {
    async fn an_old_button_for_help_is_heard_wherever_the_talk_waits_and_another_one_does_nothing(database) {
        let (chat, _ehr) = Chat::open(database).await;
        chat.write("sparrow", "1", "yes").await;
        let home = chat.write("sparrow", "2", "menu").await;
        let help = chat.write("sparrow", "3", "help").await;
        chat.write("sparrow", "4", "mood").await;
        let press = async |answer: &Value, name: &str| {
            let value = buttons(answer).into_iter().find(|value| value.split('.').next() == Some(name)).unwrap();
            chat.bring(json!({"id": format!("old {value}"), "handle": "sparrow", "pressed": value})).await.json
        };
        for name in ["forms", "delete", "sharing"] {
            let nothing = press(&home, name).await;
            assert!(text(&nothing).contains("How are you?"), "{name}: {nothing}");
        }
        let helped = press(&home, "help").await;
        assert!(helped["help"].is_object() && text(&helped).contains("These people are there for you"), "{helped}");
        chat.write("sparrow", "5", "phq 9").await;
        let called = press(&help, "human").await;
        assert!(text(&called).contains("There is nobody here whom I could call"), "{called}");
    }
}

on_both_databases! {
    async fn whatever_is_said_there_is_a_way_on_and_nobody_hears_of_another(database) {
        let (chat, ehr) = Chat::open(database).await;
        let sparrow = chat.bridge.person("sparrow", &ehr.patient).await;
        chat.bridge.grant(&sparrow, &["mood"]).await;
        let mut dice = Dice::new(20_261_126);
        let words = ["menu", "mood", "phq 9", "3", "back", "sharing", "delete me", "help", "yes", "no", "???", "later", "стоп"];
        let mut open: [Vec<String>; 3] = Default::default();
        let mut reached: BTreeSet<String> = BTreeSet::new();
        for turn in 0..240 {
            chat.bridge.clock.advance(SignedDuration::from_secs(2));
            let who = dice.below(3);
            let handle = ["sparrow", "wren", "robin"][who];
            let presses = !open[who].is_empty() && dice.below(3) > 0;
            let said = if presses { open[who][dice.below(open[who].len())].clone() } else { words[dice.below(words.len())].to_owned() };
            let field = if presses { "pressed" } else { "said" };
            let got = chat.bring(json!({"id": turn.to_string(), "handle": handle, field: said})).await;
            assert_eq!((got.status, presses && got.json["is_understood"] == false), (200, false), "{said}: {:?}", got.json);
            open[who] = buttons(&got.json).into_iter().map(str::to_owned).collect();
            assert!(!open[who].is_empty(), "{said}: there is no way on");
            assert!(!text(&got.json).contains("Riverside"), "the community hears of sparrow's clinic");
            reached.insert(text(&got.json).chars().take(30).collect());
        }
        assert!(reached.len() > 15, "they came about: {reached:?}");
        assert_eq!(audit::wrong(&chat.bridge).await, [""; 0]);
    }
}

on_both_databases! {
    async fn whoever_says_too_much_is_not_heard_for_a_while_and_others_are(database) {
        let (chat, _ehr) = Chat::open(database).await;
        for said in 0..30 {
            chat.write("sparrow", &said.to_string(), "hi").await;
        }
        let refused = chat.bring(json!({"id": "30", "handle": "sparrow", "said": "yes"})).await;
        assert_eq!((refused.status, refused.retry_after, chat.members().await), (429, Some(3), 0));
        assert!(text(&chat.write("wren", "1", "hi").await).contains("no therapist"));
        chat.bridge.clock.advance(SignedDuration::from_secs(2));
        assert_eq!(chat.write("sparrow", "30", "yes").await["is_member"], true);
    }
}

on_both_databases! {
    async fn when_too_many_join_the_others_are_told_to_come_again_later(database) {
        let ehr = Ehr::sandbox().await;
        let text_of = config_text(&database, &ehr.base, "127.0.0.1:0");
        let text_of = text_of + "[communities.chat]\nname = \"The chat\"\n[limits]\njoins_per_hour = 2\n";
        let chat = Chat::before(TestBridge::start_with(database, &text_of).await).await;
        for handle in ["sparrow", "wren"] {
            assert_eq!(chat.write(handle, "1", "yes").await["is_member"], true);
        }
        let later = chat.write("robin", "1", "yes").await;
        assert_eq!((&later["is_member"], buttons(&later), chat.members().await), (&json!(false), vec!["yes", "help", "who"], 2));
        assert!(text(&later).starts_with("More people want to join The forum just now than can."), "{later}");
        let russian = chat.bring(json!({"id": "2", "handle": "robin", "said": "да", "language": "ru"})).await.json;
        assert!(text(&russian).starts_with("Сейчас в сообщество The forum хочет вступить больше людей"), "{russian}");
        // Whoever is a member, wants help, or is elsewhere has no part in it.
        assert!(text(&chat.write("sparrow", "2", "mood").await).contains("How are you"));
        assert_eq!(chat.write("robin", "3", "help").await["help"]["lines"][0]["name"], "Find a Helpline");
        let there = Chat { key: key(&chat.bridge, "chat").await, ..chat };
        assert_eq!(there.write("robin", "4", "yes").await["is_member"], true);
        there.bridge.clock.advance(SignedDuration::from_mins(30));
        let again = Chat { key: key(&there.bridge, "forum").await, ..there };
        assert_eq!(again.write("robin", "5", "yes").await["is_member"], true);
        assert_eq!(audit::wrong(&again.bridge).await, [""; 0]);
    }
}
