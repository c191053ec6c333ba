use serde_json::{Value, json};

use super::*;

/// Events of the specification (Matrix 1.16, Client-Server API) and as Synapse 1.163 sends them, in one transaction.
fn seen(events: &Value) -> Vec<Seen> {
    transaction(json!({"events": events}).to_string().as_bytes()).unwrap()
}

fn event(kind: &str, content: &Value) -> Value {
    json!({
        "type": kind, "room_id": "!jEsUZKDJdhlrceRyVU:example.org", "sender": "@example:example.org", "content": content,
        "origin_server_ts": 1_432_735_824_653_u64, "unsigned": {"age": 1234, "membership": "join"},
        "event_id": "$143273582443PhrSn:example.org", "user_id": "@example:example.org", "age": 1234,
    })
}

fn state(kind: &str, key: &str, content: &Value) -> Value {
    let mut event = event(kind, content);
    event["state_key"] = json!(key);
    event
}

/// What is told by a message with this content.
fn wrote(content: &Value) -> Option<(String, Option<String>)> {
    match seen(&json!([event("m.room.message", content)])).pop()?.what {
        What::Wrote { text, answers } => Some((text, answers)),
        _ => panic!("something else"),
    }
}

fn words(text: &str, answers: Option<&str>) -> (String, Option<String>) {
    (text.to_owned(), answers.map(str::to_owned))
}

#[test]
fn a_message_has_an_id_a_room_a_sender_and_a_time() {
    let told = seen(&json!([event("m.room.message", &json!({"msgtype": "m.text", "body": "hello"}))])).pop().unwrap();
    assert_eq!(
        (told.id.as_str(), told.room.as_str()),
        ("$143273582443PhrSn:example.org", "!jEsUZKDJdhlrceRyVU:example.org")
    );
    assert_eq!((told.by.as_str(), told.at.to_string().as_str()), ("@example:example.org", "2015-05-27T14:10:24.653Z"));
    assert!(matches!(told.what, What::Wrote { text, answers: None } if text == "hello"));
}

#[test]
fn of_what_is_no_text_only_that_it_is_there_is_read() {
    let image = json!({"msgtype": "m.image", "body": "holiday.jpg", "url": "mxc://example.org/ab"});
    assert_eq!(wrote(&image), Some(words("", None)));
}

#[test]
fn what_programs_write_and_what_is_written_again_is_left_out() {
    assert_eq!(wrote(&json!({"msgtype": "m.notice", "body": "hello"})), None);
    // "Event replacements".
    let edit = json!({"msgtype": "m.text", "body": "* hello", "m.new_content": {"msgtype": "m.text", "body": "hello"},
        "m.relates_to": {"rel_type": "m.replace", "event_id": "$some_event_id"}});
    assert_eq!(wrote(&edit), None);
    // As a message stands there that was taken back ("Redactions").
    assert_eq!(wrote(&json!({})), None);
}

#[test]
fn an_answer_says_to_what() {
    // "Rich replies", with the fallback of Matrix 1.12 and before it.
    let reply = json!({"msgtype": "m.text", "body": "> <@alice:example.org> how are you?\n> really?\n\nfine\n> 4",
        "m.relates_to": {"m.in_reply_to": {"event_id": "$another:event.com"}}});
    assert_eq!(wrote(&reply), Some(words("fine\n> 4", Some("$another:event.com"))));
    // "Threading": the reply within is for programs that do not know threads.
    let thread = |is_falling_back: bool| {
        json!({"msgtype": "m.text", "body": "mine", "m.relates_to": {"rel_type": "m.thread", "event_id": "$root",
            "m.in_reply_to": {"event_id": "$target"}, "is_falling_back": is_falling_back}})
    };
    assert_eq!(wrote(&thread(true)), Some(words("mine", Some("$root"))));
    assert_eq!(wrote(&thread(false)), Some(words("mine", Some("$target"))));
}

#[test]
fn reactions_redactions_invitations_and_encryption_are_told() {
    let reaction =
        event("m.reaction", &json!({"m.relates_to": {"rel_type": "m.annotation", "event_id": "$a", "key": "👍"}}));
    // Before version 11 of rooms, and since.
    let mut old = event("m.room.redaction", &json!({"reason": "spam"}));
    old["redacts"] = json!("$b");
    let new = event("m.room.redaction", &json!({"redacts": "$c"}));
    let invite = state("m.room.member", "@mostik:example.org", &json!({"membership": "invite", "is_direct": true}));
    let encrypted = event("m.room.encrypted", &json!({"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "AwgA"}));
    let encryption = state("m.room.encryption", "", &json!({"algorithm": "m.megolm.v1.aes-sha2"}));
    let told = seen(&json!([reaction, old, new, invite, encrypted, encryption]));
    let whats: Vec<&What> = told.iter().map(|it| &it.what).collect();
    let invited = What::Invited { whom: "@mostik:example.org".to_owned(), is_direct: true };
    let redacted = |id: &str| What::Redacted(id.to_owned());
    let expected =
        [What::Reacted("$a".to_owned()), redacted("$b"), redacted("$c"), invited, What::Encrypted, What::Encrypted];
    assert!(whats.into_iter().eq(expected.iter()));
}

#[test]
fn what_is_odd_is_left_out_and_does_not_hold_up_the_rest() {
    let good = event("m.room.message", &json!({"msgtype": "m.text", "body": "hello"}));
    let with = |name: &str, value: Value| {
        let mut odd = good.clone();
        odd[name] = value;
        odd
    };
    let told = seen(&json!([
        with("sender", json!("nobody")),
        with("sender", json!("@x\n:example.org")),
        with("sender", json!("@".repeat(256))),
        with("event_id", json!(7)),
        with("content", json!([])),
        with("content", json!({"msgtype": 1})),
        with("room_id", json!("#alias:example.org")),
        with("origin_server_ts", json!(i64::MAX)),
        with("type", json!("m.x")),
        with("state_key", json!("")),
        "words",
        null,
        good,
        event("m.reaction", &json!({"m.relates_to": {"rel_type": "m.thread", "event_id": "$a"}})),
    ]));
    assert_eq!(told.len(), 1);
    for bad in ["", "[]", "{}", r#"{"events": {}}"#] {
        assert!(transaction(bad.as_bytes()).is_err(), "{bad}");
    }
}

#[test]
fn what_was_written_before_the_bridge_came_is_read_up_to_its_invitation() {
    let with_id = |mut event: Value, id: &str| {
        event["event_id"] = json!(id);
        event
    };
    let text = |text: &str| event("m.room.message", &json!({"msgtype": "m.text", "body": text}));
    let invite = state("m.room.member", "@mostik:example.org", &json!({"membership": "invite"}));
    let newest_first = [
        with_id(state("m.room.member", "@mostik:example.org", &json!({"membership": "join"})), "$4"),
        with_id(text("are you there?"), "$3"),
        with_id(text("hi"), "$2"),
        with_id(invite, "$1"),
        with_id(text("old"), "$0"),
    ];
    let page = json!({"chunk": newest_first, "start": "a", "end": "b"}).to_string();
    let read = written_before(page.as_bytes(), "!jEsUZKDJdhlrceRyVU:example.org", "$1");
    assert_eq!(read.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), ["$2", "$3"]);
    assert!(written_before(b"{}", "!a:b", "$1").is_empty());
}

#[test]
fn a_room_is_private_if_nobody_else_is_there_or_can_come_unasked() {
    let member = |who: &str, how: &str| state("m.room.member", who, &json!({"membership": how}));
    let two = [
        member("@mostik:example.org", "join"),
        member("@a:example.org", "join"),
        member("@gone:example.org", "leave"),
        state("m.room.join_rules", "", &json!({"join_rule": "invite"})),
        state("m.room.history_visibility", "", &json!({"history_visibility": "shared"})),
        state("org.other", "", &json!({"membership": 5, "join_rule": {}})),
    ];
    let is_private = |more: Vec<Value>| {
        let state: Vec<Value> = two.iter().cloned().chain(more).collect();
        let room = Room::read(json!(state).to_string().as_bytes());
        room.is_some_and(|room| room.is_private("@mostik:example.org", "@a:example.org"))
    };
    assert!(is_private(vec![]));
    for (kind, key, content) in [
        ("m.room.member", "@b:example.org", json!({"membership": "join"})),
        ("m.room.member", "@b:example.org", json!({"membership": "invite"})),
        ("m.room.member", "@b:example.org", json!({"membership": "knock"})),
        ("m.room.join_rules", "", json!({"join_rule": "public"})),
        ("m.room.join_rules", "", json!({"join_rule": "restricted", "allow": []})),
        ("m.room.join_rules", "", json!({"join_rule": 7})),
        ("m.room.history_visibility", "", json!({"history_visibility": "world_readable"})),
    ] {
        assert!(!is_private(vec![state(kind, key, &content)]), "{kind} {content}");
    }
    let encryption = state("m.room.encryption", "", &json!({"algorithm": "m.megolm.v1.aes-sha2"}));
    let room = Room::read(json!([encryption]).to_string().as_bytes()).unwrap();
    assert!(room.is_encrypted() && room.is_encrypted_by_others_than("@mostik:example.org"));
    assert!(!room.is_encrypted_by_others_than("@example:example.org") && !room.expects("@a:example.org"));
    assert!(!room.is_private("@mostik:example.org", "@a:example.org"), "the bridge must be there itself");
}
