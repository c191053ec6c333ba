//! Phrases that may mean danger, in what members write in rooms that are counted: a human looks, where their community wants that.

use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::audit;
use crate::support::bridge::{TestBridge, config_text};
use crate::support::concerns::{Keepers, watched};
use crate::support::database::Database;
use crate::support::discourse::{CATEGORY, Discourse, Place, post};
use crate::support::postbox::Postbox;
use crate::support::synapse::{BOT, Synapse, free_port, on_matrix};
use crate::support::telegram::Telegram;

const SPARROW: i64 = 4101;
const WREN: i64 = 4102;
const PHRASE: &str = "canary-secret. I just want to be dead";

const EHR: &str = "http://127.0.0.1:9";

/// A bridge on a platform with these settings, whose people are told of phrases in rooms or not; sparrow has joined as `handle`.
async fn open(database: Database, platform: &str, room_phrases: bool, handle: &str) -> (TestBridge, Postbox) {
    let text = config_text(&database, EHR, "127.0.0.1:0") + platform;
    open_with(database, text, room_phrases, handle).await
}

/// The same, with all of its settings.
async fn open_with(database: Database, text: String, room_phrases: bool, handle: &str) -> (TestBridge, Postbox) {
    let people = Postbox::open();
    let told = format!("room_phrases = {room_phrases}\nescalate_after");
    let text = text + &watched(&database, &people, "PT15M").replace("escalate_after", &told);
    let bridge = TestBridge::start_with(database, &text).await;
    bridge.unlinked_person(handle).await;
    (bridge, people)
}

/// The concerns that are open: each rule, and the phrase.
async fn found(bridge: &TestBridge) -> Vec<(Value, Value)> {
    let open = Keepers::of(bridge).await.open().await;
    open.into_iter().map(|it| (it["rule"].clone(), it["phrase"].clone())).collect()
}

fn one() -> Vec<(Value, Value)> {
    vec![(json!("phrase"), json!("i * want to be dead"))]
}

on_both_databases! {
    async fn a_phrase_in_a_group_has_people_look_once_an_hour_and_nothing_else_is_kept(database) {
        let telegram = Telegram::open();
        let settings = telegram.settings(&database, "forum");
        let (bridge, _people) = open(database, &settings, true, &SPARROW.to_string()).await;
        for (user, text) in [(SPARROW, "good morning"), (WREN, PHRASE), (SPARROW, PHRASE), (SPARROW, PHRASE)] {
            let mut update = telegram.writes_in_group(user, bridge.now(), None);
            update["message"]["text"] = json!(text);
            assert_eq!(telegram.bring(&bridge, "forum", &update).await.status, 200);
        }
        assert_eq!(found(&bridge).await, one(), "wren has not joined, and sparrow is looked after");
        assert!(telegram.calls().is_empty(), "nothing is said there");
        let everything: Vec<u8> = bridge.database.cells().await.into_iter().flat_map(|cell| cell.value).collect();
        for word in ["want to be dead", "canary-secret"] {
            assert!(!everything.windows(word.len()).any(|part| part == word.as_bytes()), "{word} stands nowhere in clear");
        }
        assert_eq!(audit::wrong(&bridge).await, [""; 0]);
    }
}

on_both_databases! {
    async fn what_stands_below_a_picture_in_a_group_is_looked_at_like_what_is_written(database) {
        let telegram = Telegram::open();
        let settings = telegram.settings(&database, "forum");
        let (bridge, _people) = open(database, &settings, true, &SPARROW.to_string()).await;
        let mut update = telegram.writes_in_group(SPARROW, bridge.now(), None);
        let message = update["message"].as_object_mut().unwrap();
        message.remove("text");
        message.insert("photo".to_owned(), json!([{"file_id": "AgAC", "file_unique_id": "AQAD", "width": 90, "height": 51}]));
        message.insert("caption".to_owned(), json!(PHRASE));
        assert_eq!(telegram.bring(&bridge, "forum", &update).await.status, 200);
        assert_eq!(found(&bridge).await, one());
    }
}

on_both_databases! {
    async fn where_it_is_not_switched_on_nobody_is_told_of_what_stands_in_a_group(database) {
        let telegram = Telegram::open();
        let settings = telegram.settings(&database, "forum");
        let (bridge, _people) = open(database, &settings, false, &SPARROW.to_string()).await;
        let mut update = telegram.writes_in_group(SPARROW, bridge.now(), None);
        update["message"]["text"] = json!(PHRASE);
        assert_eq!(telegram.bring(&bridge, "forum", &update).await.status, 200);
        assert_eq!(found(&bridge).await, []);
    }
}

on_both_databases! {
    async fn nor_of_what_stands_on_a_forum(database) {
        let discourse = Discourse::open();
        let settings = discourse.settings(&database, "forum");
        let (bridge, _people) = open(database, &settings, false, "sparrow").await;
        let place = Place { topic: 31, post: 4, number: 4 };
        let brought = discourse.bring(&bridge, "forum", "post_created", &post("sparrow", PHRASE, place, "regular", None)).await;
        assert_eq!((brought.status, found(&bridge).await), (200, vec![]));
    }
}

/// On a homeserver that nobody here wrote. The bridge's own database is of no matter here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phrase_in_a_room_of_a_homeserver_has_people_look_where_that_is_switched_on() {
    for (room_phrases, expected) in [(true, one()), (false, vec![])] {
        let Some(synapse) = Synapse::start(free_port()).await else { return };
        let (sparrow, wren) = (synapse.user("sparrow").await, synapse.user("wren").await);
        let lounge = wren.make(json!({"preset": "public_chat"})).await;
        sparrow.join(&lounge).await;
        let database = Database::sqlite();
        let text = on_matrix(&database, EHR, &synapse, &format!("counted = [{lounge:?}]"));
        let (bridge, _people) = open_with(database, text, room_phrases, &sparrow.id).await;
        wren.invite(&lounge, BOT).await;
        wren.sees(&lounge, BOT, "join").await;
        let own = sparrow.open().await;
        sparrow.sees(&own, BOT, "join").await;

        let repeated = format!("> <{}> {PHRASE}\n\nI am with you", wren.id);
        let to = wren.say(&lounge, PHRASE).await;
        sparrow.reply(&lounge, &to, &repeated).await;
        sparrow.talk(&own, "menu").await;
        assert_eq!(found(&bridge).await, [], "wren has not joined, and sparrow repeats what they answer");
        sparrow.say(&lounge, PHRASE).await;
        sparrow.talk(&own, "menu").await;
        assert_eq!(found(&bridge).await, expected);
    }
}

on_both_databases! {
    async fn what_somebody_quotes_on_a_forum_is_not_what_they_say(database) {
        let discourse = Discourse::open();
        let settings = discourse.settings(&database, "forum");
        let (bridge, _people) = open(database, &settings, true, "sparrow").await;
        let quoted = format!("[quote=\"wren, post:1, topic:31\"]\n{PHRASE}\n[/quote]\n> {PHRASE}\nI am with you");
        for (number, text) in [(2, quoted.as_str()), (3, "hello")] {
            let place = Place { topic: 31, post: number, number };
            let body = post("sparrow", text, place, "regular", None);
            assert_eq!(discourse.bring(&bridge, "forum", "post_created", &body).await.status, 200);
        }
        assert_eq!(found(&bridge).await, []);
        let place = Place { topic: 31, post: 4, number: 4 };
        let mut wrote = post("sparrow", PHRASE, place, "regular", None);
        wrote["post"]["category_id"] = json!(CATEGORY + 1);
        discourse.bring(&bridge, "forum", "post_created", &wrote).await;
        assert_eq!(found(&bridge).await, [], "nobody looks at a category that is not named");
        wrote["post"]["category_id"] = json!(CATEGORY);
        discourse.bring(&bridge, "forum", "post_created", &wrote).await;
        assert_eq!(found(&bridge).await, one());
    }
}
