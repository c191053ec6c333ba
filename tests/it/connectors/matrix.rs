//! A community on Matrix, on a homeserver that nobody here wrote. The bridge's own database is of no matter here.

use jiff::SignedDuration;
use mostik::app;
use mostik::config::Config;
use mostik::domain::language::Language;
use reqwest::Method;
use serde_json::{Value, json};

use crate::materials::published;
use crate::support::bridge::{Person, TestBridge};
use crate::support::database::Database;
use crate::support::http;
use crate::support::log::Log;
use crate::support::portal::Portal;
use crate::support::postbox::Postbox;
use crate::support::synapse::{BOT, Synapse, User, free_port, on_matrix};

const EHR: &str = "http://127.0.0.1:9/fhir";

/// A bridge whose forum is on a homeserver.
async fn bridge(synapse: &Synapse, more: &str) -> TestBridge {
    let database = Database::sqlite();
    let text = on_matrix(&database, EHR, synapse, more);
    TestBridge::start_with(database, &text).await
}

/// A room of two in which the bridge came.
async fn room(user: &User<'_>) -> String {
    let room = user.open().await;
    user.sees(&room, BOT, "join").await;
    room
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_where_others_read_or_could_is_not_heard() {
    let Some(synapse) = Synapse::start(free_port()).await else { return };
    let bridge = bridge(&synapse, "").await;
    let (sparrow, wren) = (synapse.user("sparrow").await, synapse.user("wren").await);
    let mut rooms = Vec::new();
    for content in [
        json!({"preset": "private_chat", "invite": [BOT, wren.id]}),
        json!({"preset": "public_chat", "is_direct": true, "invite": [BOT]}),
        json!({"preset": "private_chat", "is_direct": true, "invite": [BOT], "initial_state": [
            {"type": "m.room.history_visibility", "content": {"history_visibility": "world_readable"}}]}),
    ] {
        let room = sparrow.make(content).await;
        sparrow.sees(&room, BOT, "leave").await;
        rooms.push(room);
    }
    let own = room(&sparrow).await;
    sparrow.talk(&own, "hi").await;
    for room in &rooms {
        sparrow.say(room, "yes").await;
    }
    assert!(sparrow.talk(&own, "hmm").await.contains("Would you like to join?"), "nothing of it was heard");
    assert_eq!(bridge.database.count("members").await, 0);
    for room in &rooms {
        assert!(sparrow.heard(room).await.is_empty());
    }
    // Somebody third comes into the room of the two: from then on it is no more private.
    sparrow.invite(&own, &wren.id).await;
    sparrow.say(&own, "yes").await;
    sparrow.sees(&own, BOT, "leave").await;
    let second = room(&sparrow).await;
    sparrow.talk(&second, "hi").await;
    assert_eq!((bridge.database.count("members").await, sparrow.heard(&own).await.len()), (0, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_before_the_bridge_comes_in_is_answered_and_notices_and_edits_are_not() {
    let Some(synapse) = Synapse::start(free_port()).await else { return };
    let sparrow = synapse.user("sparrow").await;
    // The bridge is not there yet.
    let room = sparrow.open().await;
    sparrow.say(&room, "hi").await;
    sparrow.send(&room, "m.room.message", &json!({"msgtype": "m.notice", "body": "yes"})).await;
    let bridge = bridge(&synapse, "").await;
    assert!(sparrow.hears(&room, 1).await[0].contains("Would you like to join?"));
    let replaced = sparrow.say(&room, "xyzzy").await;
    sparrow.hears(&room, 2).await;
    let edit = json!({
        "msgtype": "m.text", "body": "* yes", "m.new_content": {"msgtype": "m.text", "body": "yes"},
        "m.relates_to": {"rel_type": "m.replace", "event_id": replaced},
    });
    sparrow.send(&room, "m.room.message", &edit).await;
    let quoted = sparrow.heard(&room).await.len();
    sparrow
        .send(&room, "m.room.message", &json!({"msgtype": "m.image", "body": "yes", "url": "mxc://matrix.test/a"}))
        .await;
    assert!(
        sparrow.hears(&room, quoted + 1).await[quoted].contains("Would you like to join?"),
        "a picture says nothing"
    );
    assert_eq!(bridge.database.count("members").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_encrypts_is_told_once_and_invited_where_nobody_does() {
    let Some(synapse) = Synapse::start(free_port()).await else { return };
    let bridge = bridge(&synapse, "language = \"ru\"").await;
    let sparrow = synapse.user("sparrow").await;
    let algorithm = json!({"algorithm": "m.megolm.v1.aes-sha2"});
    let encryption = json!({"type": "m.room.encryption", "state_key": "", "content": algorithm});
    let sealed = sparrow
        .make(json!({"preset": "trusted_private_chat", "is_direct": true, "invite": [BOT], "initial_state": [encryption]}))
        .await;
    sparrow.sees(&sealed, BOT, "leave").await;
    let heard = sparrow.heard(&sealed).await;
    assert!(
        heard.len() == 1 && heard[0].contains("Я не могу читать то, что пишут в зашифрованной комнате"),
        "{heard:?}"
    );
    let plain = sparrow.invited().await.pop().unwrap();
    sparrow.join(&plain).await;
    assert!(sparrow.talk(&plain, "привет").await.contains("Хотите присоединиться?"));
    // Now they encrypt there, too.
    let path = format!("rooms/{plain}/state/m.room.encryption");
    sparrow.call(Method::PUT, &path, Some(&algorithm)).await;
    sparrow.sees(&plain, BOT, "leave").await;
    let third = sparrow.invited().await.pop().unwrap();
    assert!(third != plain && third != sealed);
    assert_eq!(sparrow.heard(&sealed).await.len(), 1, "told once");
    assert_eq!(bridge.database.count("members").await, 0);
}

/// What is counted of somebody so far, as it is written in the week's summary: by reading what is kept for themselves.
async fn deeds(bridge: &TestBridge, person: &Person) -> Vec<String> {
    let deed = |reading: &mostik::domain::reading::Reading| match reading.measure {
        mostik::domain::reading::Measure::Deed(deed) => deed.as_str().to_owned(),
        _ => "something else".to_owned(),
    };
    bridge.readings(person).await.iter().map(deed).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_thing_that_happens_is_counted_once_until_it_is_taken_back_or_the_bridge_is_sent_away() {
    let Some(synapse) = Synapse::start(free_port()).await else { return };
    let (sparrow, wren) = (synapse.user("sparrow").await, synapse.user("wren").await);
    let lounge = wren.make(json!({"preset": "public_chat"})).await;
    let elsewhere = wren.make(json!({"preset": "public_chat", "invite": [BOT]})).await;
    let bridge = bridge(&synapse, &format!("counted = [{lounge:?}]")).await;
    let person = bridge.person(&sparrow.id, "patient-of-sparrow").await;
    bridge.share(&person, json!({"community": "weekly-summary"})).await;
    wren.invite(&lounge, BOT).await;
    wren.sees(&lounge, BOT, "join").await;
    wren.sees(&elsewhere, BOT, "leave").await;
    for room in [&lounge, &elsewhere] {
        sparrow.join(room).await;
    }
    let own = room(&sparrow).await;

    let post = sparrow.say(&lounge, "a post").await;
    let edit =
        json!({"msgtype": "m.text", "body": "* a post", "m.relates_to": {"rel_type": "m.replace", "event_id": post}});
    sparrow.send(&lounge, "m.room.message", &edit).await;
    sparrow.send(&lounge, "m.room.message", &json!({"msgtype": "m.notice", "body": "a program's"})).await;
    sparrow.say(&elsewhere, "not counted").await;
    sparrow.talk(&own, "menu").await;
    assert_eq!(deeds(&bridge, &person).await, ["posted"]);
    sparrow.reply(&lounge, &post, "to myself").await;
    let thread = json!({"msgtype": "m.text", "body": "there", "m.relates_to": {
        "rel_type": "m.thread", "event_id": post, "is_falling_back": true, "m.in_reply_to": {"event_id": "$nothing"}}});
    wren.send(&lounge, "m.room.message", &thread).await;
    let liked = sparrow.react(&lounge, &post).await;
    sparrow.reply(&lounge, "$nothing", "to what is not there").await;
    // The homeserver breaks off where it is asked for something of that length.
    wren.reply(&lounge, &format!("${}", "a".repeat(17_000)), "to what cannot be there").await;
    sparrow.talk(&own, "menu").await;
    let mut all = deeds(&bridge, &person).await;
    all.sort();
    assert_eq!(all, ["got-reply", "posted", "reacted", "replied", "replied"]);

    sparrow.redact(&lounge, &liked).await;
    wren.redact(&lounge, &post).await; // as a moderator
    sparrow.talk(&own, "menu").await;
    let mut left = deeds(&bridge, &person).await;
    left.sort();
    assert_eq!(left, ["got-reply", "replied", "replied"]);

    wren.call(Method::POST, &format!("rooms/{lounge}/kick"), Some(&json!({"user_id": BOT}))).await;
    sparrow.say(&lounge, "among ourselves").await;
    sparrow.talk(&own, "menu").await;
    assert_eq!(deeds(&bridge, &person).await.len(), 3);
    assert_eq!(sparrow.membership(&lounge, BOT).await, "leave", "it does not come back uninvited");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_is_told_in_one_room_and_invited_again_where_they_left_it() {
    let Some(synapse) = Synapse::start(free_port()).await else { return };
    let database = Database::sqlite();
    let text = on_matrix(&database, EHR, &synapse, "name = \"The bridge\"");
    let portal = Portal::open_with(database, &text, Postbox::open()).await;
    let sparrow = synapse.user("sparrow").await;
    portal.bridge.unlinked_person(&sparrow.id).await;
    let ask = async || {
        let mut browser = portal.browser();
        browser.get("/sign-in").await;
        browser.post("/sign-in", &[("community", "forum"), ("handle", &sparrow.id)]).await;
        portal.send_links().await;
    };
    ask().await;
    let room = sparrow.invited().await.pop().unwrap();
    sparrow.join(&room).await;
    let link = |text: &str| text.contains("https://mostik.example/sign-in/");
    assert!(link(&sparrow.hears(&room, 1).await[0]));
    sparrow.call(Method::POST, &format!("rooms/{room}/leave"), Some(&json!({}))).await;
    ask().await;
    assert_eq!(sparrow.invited().await, std::slice::from_ref(&room), "the same room");
    sparrow.join(&room).await;
    assert!(sparrow.hears(&room, 2).await.iter().all(|text| link(text)));
    // They prefer a room of their own.
    let own = self::room(&sparrow).await;
    sparrow.talk(&own, "menu").await;
    ask().await;
    assert!(link(&sparrow.hears(&own, 2).await[1]));
    assert_eq!(sparrow.heard(&room).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_bridge_may_not_speak_its_operator_is_told_and_nothing_else_waits() {
    let Some(synapse) = Synapse::start(free_port()).await else { return };
    let (sparrow, wren) = (synapse.user("sparrow").await, synapse.user("wren").await);
    let not_everybody = json!({"events_default": 50});
    let silent = wren.make(json!({"preset": "public_chat", "power_level_content_override": not_everybody})).await;
    let news = wren.make(json!({"preset": "public_chat"})).await;
    let board = format!("[communities.forum.announcements]\nrooms = [{silent:?}, {news:?}]");
    let bridge = bridge(&synapse, &board).await;
    for room in [&silent, &news] {
        wren.invite(room, BOT).await;
        wren.sees(room, BOT, "join").await;
    }
    published(&bridge, 1, Language::En, "Sleep").await;
    let (log, config) = (Log::listen(), Config::from_toml(&bridge.config).unwrap());
    let announcer = app::announcer(&config, &bridge.bridge).unwrap();
    for _ in 0..2 {
        announcer.announce().await.unwrap();
        bridge.clock.advance(SignedDuration::from_hours(24));
    }
    assert_eq!((wren.heard(&silent).await.len(), wren.heard(&news).await.len()), (0, 1));
    assert!(log.text().contains("a room is not there, or is closed to the bridge: nothing is announced there"));
    assert_eq!(bridge.database.count("announcements WHERE due_at IS NOT NULL").await, 0);

    let muted = json!({"preset": "private_chat", "is_direct": true, "invite": [BOT], "power_level_content_override": not_everybody});
    let muted = sparrow.make(muted).await;
    sparrow.sees(&muted, BOT, "join").await;
    sparrow.say(&muted, "hi").await;
    let own = room(&sparrow).await;
    assert!(sparrow.talk(&own, "hi").await.contains("Would you like to join?"));
    assert!(sparrow.heard(&muted).await.is_empty());
    assert!(log.text().contains("the homeserver does not let the bridge say something in a room"));
    assert_eq!(wren.membership(&silent, BOT).await, "join", "it stays where it is named");
}

/// A connector whose homeserver is not there.
async fn alone(database: Database) -> TestBridge {
    let text = on_matrix(&database, EHR, &Synapse::nowhere(), "");
    TestBridge::start_with(database, &text).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_homeserver_is_listened_to_and_nothing_is_acknowledged_that_was_not_done() {
    let bridge = alone(Database::sqlite()).await;
    let call = async |method: Method, path: &str, token: Option<&str>| {
        let url = format!("{}/connectors/forum/_matrix/app/v1/{path}", bridge.api);
        let body: Value = json!({"events": []});
        http::call(method, &url, token, Some(&body)).await.status
    };
    let good = Some("hs-token-of-the-tests");
    for token in [None, Some(""), Some("hs-token-of-the-testS"), Some("as-token-of-the-tests")] {
        assert_eq!(call(Method::PUT, "transactions/1", token).await, 401, "{token:?}");
        assert_eq!(call(Method::GET, "users/@mostik:matrix.test", token).await, 401);
    }
    assert_eq!(call(Method::PUT, "transactions/1", good).await, 503, "the homeserver is not there");
    for (method, path) in [
        (Method::GET, "users/@somebody:matrix.test"),
        (Method::GET, "rooms/%23_mostik_1:matrix.test"),
        (Method::POST, "transactions/1"),
        (Method::PUT, "ping"),
        (Method::GET, "thirdparty/protocol/irc"),
    ] {
        assert_eq!(call(method, path, good).await, 404, "{path}");
    }
}
