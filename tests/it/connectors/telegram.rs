//! A group of Telegram and its bot.

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::companion::failing::{refuses, takes_again};
use crate::on_both_databases;
use crate::support::audit;
use crate::support::bridge::{Person, TestBridge, config_text};
use crate::support::concerns::watched;
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::http;
use crate::support::portal::Portal;
use crate::support::postbox::Postbox;
use crate::support::receiver::{PORTAL, Telling, any_time};
use crate::support::recommendations::said;
use crate::support::telegram::{SECRET, Telegram, judged, post};

const SPARROW: i64 = 4101;
const WREN: i64 = 4102;

struct Group {
    bridge: TestBridge,
    ehr: Ehr,
    telegram: Telegram,
}

impl Group {
    async fn open(database: Database) -> Self {
        Self::open_with(database, "").await
    }

    /// With more in the settings.
    async fn open_with(database: Database, more: &str) -> Self {
        let (ehr, telegram) = (Ehr::sandbox().await, Telegram::open());
        let text = config_text(&database, &ehr.base, "127.0.0.1:0");
        let text = text.replace("[server]\n", &format!("[server]\npublic_url = {PORTAL:?}\n"));
        let text = text + &telegram.settings(&database, "forum") + more;
        Self { bridge: TestBridge::start_with(database, &text).await, ehr, telegram }
    }

    async fn bring(&self, update: &Value) -> Value {
        let got = self.telegram.bring(&self.bridge, "forum", update).await;
        assert_eq!(got.status, 200, "{:?}", got.json);
        got.json
    }

    /// What the bot answers to what somebody writes.
    async fn write(&self, user: i64, text: &str) -> Value {
        self.bring(&self.telegram.writes(user, text)).await
    }

    async fn press(&self, user: i64, value: &str) -> Value {
        self.bring(&self.telegram.presses(user, value)).await
    }

    /// Somebody who joined, and shares these.
    async fn member(&self, user: i64, categories: &[&str]) -> Person {
        let person = self.bridge.person(&user.to_string(), &self.ehr.patient).await;
        self.bridge.grant(&person, categories).await;
        person
    }
}

fn text(answer: &Value) -> &str {
    answer["text"].as_str().unwrap()
}

/// The values of the buttons, row by row.
fn rows(answer: &Value) -> Vec<Vec<&str>> {
    let rows = answer["reply_markup"]["inline_keyboard"].as_array().unwrap().iter();
    rows.map(|row| row.as_array().unwrap().iter().map(|key| key["callback_data"].as_str().unwrap()).collect()).collect()
}

/// The button that stands for this.
fn button<'a>(answer: &'a Value, name: &str) -> &'a str {
    rows(answer).into_iter().flatten().find(|value| value.split('.').next() == Some(name)).unwrap()
}

on_both_databases! {
    async fn somebody_joins_in_two_messages_and_checks_in_with_two_presses(database) {
        let group = Group::open(database).await;
        let hello = group.write(SPARROW, "/start").await;
        assert_eq!((&hello["method"], &hello["chat_id"]), (&json!("sendMessage"), &json!("4101")));
        assert!(text(&hello).contains("a program, no therapist"), "{hello}");
        assert_eq!(group.bridge.database.count("members").await, 0);
        let welcome = group.press(SPARROW, button(&hello, "yes")).await;
        assert!(text(&welcome).starts_with("Welcome."), "{welcome}");
        let asked = group.press(SPARROW, button(&welcome, "check-in")).await;
        assert_eq!(rows(&asked)[0].len(), 5, "the numbers stand beside each other");
        let noted = group.press(SPARROW, button(&asked, "4")).await;
        assert!(text(&noted).contains("Shall I keep what you note"), "{noted}");
        let calls = group.telegram.calls();
        assert!(calls.iter().any(|(method, with)| method == "answerCallbackQuery" && with["callback_query_id"].is_string()));
        assert_eq!(audit::wrong(&group.bridge).await, [""; 0]);
    }
}

on_both_databases! {
    async fn what_telegram_brings_again_is_done_once_and_answered_the_same(database) {
        let group = Group::open(database).await;
        group.write(SPARROW, "yes").await;
        group.write(SPARROW, "mood").await;
        let mood = group.telegram.writes(SPARROW, "3");
        let keep = group.telegram.writes(SPARROW, "keep it");
        let (first, kept) = (group.bring(&mood).await, group.bring(&keep).await);
        assert!(text(&kept).contains("Noted, for you alone."), "{kept}");
        // Telegram did not hear that both were taken.
        for update in [&mood, &keep, &mood] {
            group.bring(update).await;
        }
        assert_eq!((group.bridge.database.count("readings").await, first["chat_id"].clone()), (1, json!("4101")));
    }
}

on_both_databases! {
    async fn a_button_of_something_that_was_said_earlier_answers_nothing(database) {
        let group = Group::open(database).await;
        group.member(SPARROW, &["questionnaires"]).await;
        let first = group.write(SPARROW, "phq 9").await;
        let second = group.press(SPARROW, button(&first, "0")).await;
        assert!(text(&second).contains('2'), "{second}");
        let again = group.press(SPARROW, button(&first, "3")).await;
        assert_eq!(text(&again), text(&second), "the second question is still open");
        let third = group.press(SPARROW, button(&again, "1")).await;
        assert_ne!(text(&third), text(&second));
    }
}

on_both_databases! {
    async fn whoever_is_led_to_the_portal_is_told_by_which_name_they_sign_in(database) {
        let group = Group::open(database).await;
        group.member(SPARROW, &["mood"]).await;
        let sharing = group.write(SPARROW, "sharing").await;
        assert!(text(&sharing).ends_with("/sharing\nTo sign in there: your community is The forum, your name 4101."), "{sharing}");
    }
}

on_both_databases! {
    async fn a_cry_for_help_is_found_behind_a_command_and_below_a_picture(database) {
        let people = Postbox::open();
        let watched = watched(&database, &people, "PT15M").replace("escalate_after", "phrases = true\nescalate_after");
        let group = Group::open_with(database, &watched).await;
        for user in [SPARROW, WREN] {
            group.bridge.unlinked_person(&user.to_string()).await;
        }
        let behind = group.telegram.writes(SPARROW, "/mood I took all my pills");
        let mut below = group.telegram.writes(WREN, "");
        let message = below["message"].as_object_mut().unwrap();
        message.remove("text");
        let photo = json!([{"file_id": "AgAD", "file_unique_id": "AQAD", "width": 90, "height": 51}]);
        message.extend([("photo".to_owned(), photo), ("caption".to_owned(), json!("I took all my pills"))]);
        for update in [behind, below] {
            let answer = group.bring(&update).await;
            assert!(text(&answer).contains("People of The forum are told"), "{answer}");
        }
        assert_eq!(group.bridge.database.count("concerns").await, 2);
        let helped = group.write(SPARROW, "/menu I want to die").await;
        assert!(text(&helped).starts_with("If you may be in danger"), "{helped}");
        let stopped = group.write(SPARROW, "/stop please").await;
        assert!(text(&stopped).contains("Nothing is shared"), "the command is heard as before: {stopped}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_says_while_the_database_is_away_is_to_come_again() {
    // Only PostgreSQL can be made to say that it is away for a while.
    let Some(database) = Database::postgres().await else { return };
    let group = Group::open(database).await;
    group.member(SPARROW, &["mood"]).await;
    let database = &group.bridge.database;
    for (said, what, table, done) in [
        ("xyzzy", "INSERT", "talks", "did not understand"),
        ("stop everything", "UPDATE", "grants", "Everything is stopped."),
    ] {
        let update = group.telegram.writes(SPARROW, said);
        refuses(database, what, table).await;
        assert_eq!(group.telegram.bring(&group.bridge, "forum", &update).await.status, 503, "{said}");
        takes_again(database).await;
        let answer = group.bring(&update).await;
        assert!(text(&answer).contains(done), "{said}: {answer}");
    }
}

on_both_databases! {
    async fn only_whoever_knows_the_secret_is_listened_to(database) {
        let group = Group::open(database).await;
        let url = format!("{}/connectors/forum/", group.bridge.api);
        let update = group.telegram.writes(SPARROW, "yes");
        for secret in [None, Some(""), Some("agreed_on_with-setWebhooK"), Some("agreed_on_with-setWebhook2")] {
            assert_eq!(post(&url, secret, &update).await.status, 401, "{secret:?}");
        }
        assert_eq!(group.bridge.database.count("members").await, 0);
        for path in ["connectors/forum/more", "connectors/nobody/", "connectors/No Body/"] {
            let url = format!("{}/{path}", group.bridge.api);
            assert_eq!(http::call(Method::POST, &url, None, Some(&update)).await.status, 404, "{path}");
        }
        let garbage = post(&url, Some("agreed_on_with-setWebhook"), &json!({"update_id": "one"})).await;
        assert_eq!((garbage.status, &garbage.json["detail"]), (400, &json!("expected an Update")));
    }
}

on_both_databases! {
    async fn what_happens_in_the_group_is_counted_and_never_read(database) {
        let group = Group::open(database).await;
        group.member(SPARROW, &["community"]).await;
        let at = group.bridge.now();
        for update in [
            group.telegram.writes_in_group(SPARROW, at, None),
            group.telegram.writes_in_group(SPARROW, at, Some(WREN)),
            group.telegram.writes_in_group(WREN, at, Some(SPARROW)),
            group.telegram.reacts(SPARROW, at, false),
        ] {
            for _ in 0..2 {
                assert_eq!(group.bring(&update).await, json!({}), "nothing is said in a group");
            }
        }
        assert_eq!(group.bridge.database.count("readings").await, 4, "wrote, answered, was answered, reacted");
        group.bring(&group.telegram.reacts(SPARROW, at, true)).await;
        group.bring(&group.telegram.writes_in_group(WREN, at, None)).await;
        assert_eq!(group.bridge.database.count("readings").await, 3, "taken back; and wren is no member");
    }
}

on_both_databases! {
    async fn news_comes_from_the_bot_when_telegram_takes_it(database) {
        let Group { bridge, telegram, .. } = Group::open(database).await;
        let telling = Telling::before(bridge);
        let sparrow = telling.member(&SPARROW.to_string(), "notice", any_time()).await;
        telling.comes(&sparrow, &said("Walk half an hour")).await;
        telegram.will_answer(429, json!({"ok": false, "error_code": 429, "parameters": {"retry_after": 600}}));
        telling.tell().await;
        telling.bridge.clock.advance(SignedDuration::from_mins(9));
        telling.tell().await;
        assert_eq!(telegram.said_to(SPARROW), [""; 0], "it wishes to be left alone");
        telling.bridge.clock.advance(SignedDuration::from_mins(2));
        telling.tell().await;
        let said = telegram.said_to(SPARROW);
        assert!(said.len() == 1 && said[0].contains("/messages") && !said[0].contains("Walk"), "{said:?}");
        for (method, with) in telegram.calls() {
            assert_eq!(judged(&format!("telegram-{method}"), &with).await.unwrap_or_default(), Value::Null);
        }
    }
}

on_both_databases! {
    async fn whoever_shut_the_bot_out_is_not_written_to_again(database) {
        let Group { bridge, telegram, .. } = Group::open(database).await;
        let telling = Telling::before(bridge);
        let sparrow = telling.member(&SPARROW.to_string(), "notice", any_time()).await;
        telling.comes(&sparrow, &said("Walk")).await;
        let blocked = "Forbidden: bot was blocked by the user";
        telegram.will_answer(403, json!({"ok": false, "error_code": 403, "description": blocked}));
        telling.tell().await;
        telling.comes(&sparrow, &said("Sleep")).await;
        telling.tell().await;
        assert_eq!(telegram.said_to(SPARROW), [""; 0]);
    }
}

on_both_databases! {
    async fn the_link_to_sign_in_comes_from_the_bot(database) {
        let Group { bridge, telegram, ehr } = Group::open(database).await;
        bridge.person(&SPARROW.to_string(), &ehr.patient).await;
        let portal = Portal::before(bridge, Postbox::open());
        let mut browser = portal.browser();
        browser.get("/sign-in").await;
        browser.post("/sign-in", &[("community", "forum"), ("handle", &SPARROW.to_string())]).await;
        portal.send_links().await;
        let said = telegram.said_to(SPARROW).pop().unwrap();
        let link = said.split_whitespace().find_map(|word| word.find("/sign-in/link/").map(|place| &word[place..])).unwrap();
        browser.get(link).await;
        assert_eq!(browser.post(link, &[]).await.location(), "/sharing");
    }
}

on_both_databases! {
    async fn somebody_who_writes_without_a_pause_is_not_heard_and_others_are(database) {
        let group = Group::open(database).await;
        let mut answered = 0;
        for _ in 0..40 {
            answered += usize::from(group.write(SPARROW, "hi").await["text"].is_string());
        }
        assert_eq!(answered, 30, "said_per_minute");
        assert!(text(&group.write(WREN, "hi").await).contains("no therapist"));
        group.bridge.clock.advance(SignedDuration::from_mins(1));
        assert!(text(&group.write(SPARROW, "hi").await).contains("no therapist"));
    }
}

#[actix_web::test]
async fn every_shape_is_one_that_telegram_has() {
    let telegram = Telegram::open();
    let at: Timestamp = "2026-11-26T12:00:00Z".parse().unwrap();
    for update in [
        telegram.writes(SPARROW, "hi"),
        telegram.presses(SPARROW, "yes"),
        telegram.writes_in_group(SPARROW, at, None),
        telegram.writes_in_group(SPARROW, at, Some(WREN)),
        telegram.reacts(SPARROW, at, false),
        telegram.reacts(SPARROW, at, true),
    ] {
        let Some(wrong) = judged("telegram-update", &update).await else { return };
        assert_eq!(wrong, Value::Null, "{update}");
    }
    let unknown = json!({"update_id": 1, "message": {"message_id": 1, "date": 1, "chat": {"id": 1, "type": "private"}, "words": "hi"}});
    assert_ne!(judged("telegram-update", &unknown).await, Some(Value::Null), "the judge knows what there is");
}

on_both_databases! {
    async fn where_telegram_cannot_call_it_is_asked_and_forgets_only_what_was_done(database) {
        let (ehr, telegram) = (Ehr::sandbox().await, Telegram::open());
        let text = config_text(&database, &ehr.base, "127.0.0.1:0") + &telegram.quiet_settings(&database, "forum");
        let bridge = TestBridge::start_with(database, &text).await;
        let called = post(&format!("{}/connectors/forum/", bridge.api), Some(SECRET), &telegram.writes(SPARROW, "yes")).await;
        assert_eq!(called.status, 404, "nobody calls");
        telegram.keep(json!({"update_id": 9_000, "poll_answer": {}}));
        telegram.keep(telegram.writes(SPARROW, "yes"));
        telegram.will_answer(500, json!({"ok": false}));
        assert!(bridge.ears.turn(&"forum".parse().unwrap()).await.is_err());
        assert!(bridge.listen().await);
        assert_eq!(telegram.said_to(SPARROW).len(), 1);
        telegram.keep(telegram.writes(SPARROW, "mood"));
        assert!(bridge.listen().await && bridge.listen().await);
        assert_eq!(telegram.said_to(SPARROW).len(), 2, "each is answered once");
        assert_eq!(bridge.database.count("members").await, 1);
    }
}

on_both_databases! {
    async fn one_bridge_at_a_time_listens_and_another_takes_over_when_it_is_silent(database) {
        let (ehr, telegram) = (Ehr::sandbox().await, Telegram::open());
        let text = config_text(&database, &ehr.base, "127.0.0.1:0") + &telegram.quiet_settings(&database, "forum");
        let bridge = TestBridge::start_with(database, &text).await;
        let other = bridge.beside(SignedDuration::ZERO).await;
        assert!(bridge.listen().await && !other.listen().await && bridge.listen().await);
        other.clock.advance(SignedDuration::from_secs(61));
        assert!(other.listen().await);
        bridge.clock.advance(SignedDuration::from_secs(61));
        assert!(!bridge.listen().await);
    }
}
