//! When a concern is raised, once, whatever becomes of the event; and who may see and settle it.

use jiff::SignedDuration;
use mostik::config::Config;
use mostik::enrolment::credentials::{CONCERNS_MANAGE, create_api_key};
use mostik::erasure;
use mostik::safety::{self, SafetyError};
use reqwest::Method;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::audit;
use crate::support::bridge::{Person, TestBridge, config_text, correcting, forum, mood, retraction};
use crate::support::concerns::{Keepers, phq9, watched, worrying};
use crate::support::database::Database;
use crate::support::http;
use crate::support::outbox::items;
use crate::support::own::at;
use crate::support::postbox::Postbox;
use crate::vault::erasing::{AT_ONCE, request};
use crate::vault::export::files;

/// A bridge whose forum has people who look after others, a member whom no clinic knows, and the postbox of those people.
pub async fn ready(database: Database) -> (TestBridge, Person, Postbox) {
    let postbox = Postbox::open();
    let text = config_text(&database, "http://127.0.0.1:9", "127.0.0.1:0") + &watched(&database, &postbox, "PT15M");
    let bridge = TestBridge::start_with(database, &text).await;
    let sparrow = bridge.unlinked_person("sparrow").await;
    (bridge, sparrow, postbox)
}

on_both_databases! {
    async fn a_concern_is_raised_without_any_consent_and_nothing_else_is_stored(database) {
        let (bridge, sparrow, _postbox) = ready(database).await;
        let keepers = Keepers::of(&bridge).await;
        let refused = bridge.send(&worrying("1", "sparrow")).await;
        assert_eq!((refused.status, &refused.json["refusal"]["reason"]), (422, &json!("not-permitted")));
        assert!(refused.json["help"].is_object(), "and the member is told where help is");
        let open = keepers.open().await;
        assert_eq!(open.len(), 1, "{open:?}");
        let (id, raised_at) = (&open[0]["id"], "2026-11-20T12:00:00Z");
        assert_eq!(open[0], json!({"id": id, "handle": "sparrow", "rule": "phq-9-item-9", "state": "raised", "raised_at": raised_at}));
        assert_eq!((bridge.traces(&sparrow).await, bridge.readings(&sparrow).await.len()), (0, 0));
        assert_eq!(items(&bridge, &sparrow).await.len(), 0);
        assert_eq!(audit::wrong(&bridge).await, [""; 0]);
    }
}

on_both_databases! {
    async fn nobody_is_told_of_what_wants_no_human(database) {
        let (bridge, _sparrow, _postbox) = ready(database).await;
        bridge.unlinked_person("wren").await;
        let keepers = Keepers::of(&bridge).await;
        let mut declined = worrying("2", "sparrow");
        declined["data"]["answers"]["44260-8"] = json!("declined");
        let long_ago = at(worrying("3", "sparrow"), "2026-11-06T11:59:59Z");
        bridge.send(&json!([phq9("1", "sparrow", 0), declined, long_ago, mood("4", "sparrow", 1), worrying("5", "nobody")])).await;
        assert_eq!(keepers.open().await, [Value::Null; 0]);
        bridge.send(&at(worrying("6", "wren"), "2026-11-06T12:00:00Z")).await;
        assert_eq!(keepers.open().await[0]["handle"], "wren", "to the instant");
    }
}

on_both_databases! {
    async fn the_same_entry_raises_one_concern_however_often_it_comes(database) {
        let (bridge, _sparrow, _postbox) = ready(database).await;
        let keepers = Keepers::of(&bridge).await;
        bridge.send(&phq9("1", "sparrow", 0)).await;
        assert_eq!(keepers.open().await.len(), 0);
        for event in [correcting(worrying("2", "sparrow"), "1"), correcting(phq9("3", "sparrow", 3), "1"), worrying("1", "sparrow")] {
            bridge.send(&event).await;
            bridge.send(&event).await;
        }
        bridge.send(&retraction("4", "sparrow", "1")).await;
        assert_eq!(keepers.open().await.len(), 1, "what was said was said");
        bridge.send(&json!([worrying("5", "sparrow"), worrying("5", "sparrow")])).await;
        assert_eq!(keepers.open().await.len(), 2, "another entry is another concern");
    }
}

on_both_databases! {
    async fn an_event_that_is_refused_for_another_reason_is_read_all_the_same(database) {
        let (bridge, sparrow, _postbox) = ready(database).await;
        bridge.person("wren", "patient-of-wren").await;
        let keepers = Keepers::of(&bridge).await;
        bridge.send(&mood("other-type", "sparrow", 1)).await;
        let mut wrong_total = worrying("1", "sparrow");
        wrong_total["data"]["total"] = json!(27);
        let mut stranger = worrying("2", "sparrow");
        stranger["data"]["answers"]["69737-5"] = json!(1);
        let early = at(worrying("3", "sparrow"), "2026-11-21T12:00:00Z");
        for (event, field) in [(wrong_total, "/data/total"), (stranger, "/data/answers"), (early, "/time")] {
            let got = bridge.send(&event).await;
            assert_eq!((got.status, &got.json["refusal"]["field"]), (422, &json!(field)));
            assert!(got.json["help"].is_object(), "{field}");
        }
        assert_eq!(keepers.open().await.len(), 3);
        assert_eq!(bridge.traces(&sparrow).await, 0);
    }
}

on_both_databases! {
    async fn a_conflict_and_a_consent_change_nothing_about_it(database) {
        let (bridge, _sparrow, _postbox) = ready(database).await;
        let wren = bridge.person("wren", "patient-of-wren").await;
        bridge.grant(&wren, &["questionnaires"]).await;
        let keepers = Keepers::of(&bridge).await;
        assert_eq!(bridge.send(&phq9("1", "wren", 0)).await.status, 202);
        assert_eq!(bridge.send(&worrying("1", "wren")).await.status, 409, "known with another content");
        assert_eq!(keepers.open().await.len(), 1, "and worth a look");
        assert_eq!(bridge.send(&worrying("2", "wren")).await.status, 202);
        assert_eq!(keepers.open().await.len(), 2);
    }
}

on_both_databases! {
    async fn without_anybody_named_there_is_no_concern(database) {
        let bridge = TestBridge::start(database, "http://127.0.0.1:9").await;
        bridge.unlinked_person("sparrow").await;
        bridge.send(&worrying("1", "sparrow")).await;
        assert_eq!(Keepers::of(&bridge).await.open().await.len(), 0);
        let rows = bridge.database.cells().await.into_iter().filter(|cell| cell.table.starts_with("concern")).count();
        assert_eq!(rows, 0);
    }
}

on_both_databases! {
    async fn somebody_looks_after_it_and_is_done(database) {
        let (bridge, sparrow, _postbox) = ready(database).await;
        let keepers = Keepers::of(&bridge).await;
        bridge.send(&worrying("1", "sparrow")).await;
        let concern = keepers.open().await.remove(0);
        assert_eq!(keepers.settle(&concern, "close", "anna").await.status, 409, "nobody looks after it yet");
        bridge.clock.advance(SignedDuration::from_mins(3));
        let taken = keepers.settle(&concern, "acknowledge", "anna").await;
        assert_eq!((taken.status, &taken.json["state"], &taken.json["handle"]), (200, &json!("acknowledged"), &json!("sparrow")));
        assert_eq!(taken.json["acknowledged"], json!({"at": "2026-11-20T12:03:00Z", "by": "anna"}));
        assert_eq!(keepers.settle(&concern, "acknowledge", "anna").await.json, taken.json, "the same once more");
        let late = keepers.settle(&concern, "acknowledge", "boris").await;
        assert_eq!((late.status, late.json["detail"].as_str().unwrap().contains("acknowledged")), (409, true));
        assert_eq!(keepers.settle(&concern, "close", "boris").await.json["closed"]["by"], "boris");
        assert_eq!(keepers.settle(&concern, "close", "anna").await.status, 409);
        assert_eq!(keepers.settle(&concern, "acknowledge", "anna").await.status, 409);
        assert_eq!(keepers.open().await.len(), 0);
        assert_eq!(keepers.listed("/v1/concerns?closed=true").await[0]["state"], "closed");
        let kinds = audit_kinds(&bridge, &sparrow).await;
        for kind in ["concern-raised", "concern-acknowledged", "concern-closed"] {
            assert_eq!(kinds.iter().filter(|found| *found == kind).count(), 1, "{kind}: {kinds:?}");
        }
        let everything: Vec<u8> = bridge.database.cells().await.into_iter().flat_map(|cell| cell.value).collect();
        for word in ["phq-9-item-9", "boris"] {
            assert!(!everything.windows(word.len()).any(|part| part == word.as_bytes()), "{word} is sealed");
        }
        assert_eq!(audit::wrong(&bridge).await, [""; 0]);

        bridge.clock.advance(safety::KEPT_FOR);
        bridge.chores().await;
        assert_eq!(keepers.listed("/v1/concerns?closed=true").await.len(), 1);
        bridge.clock.advance(SignedDuration::from_micros(1));
        bridge.chores().await;
        assert_eq!(keepers.listed("/v1/concerns?closed=true").await.len(), 0);
    }
}

/// The words of a member's audit chain.
pub async fn audit_kinds(bridge: &TestBridge, person: &Person) -> Vec<String> {
    let scope = mostik::store::AuditScope { member: Some(person.id), ..Default::default() };
    let rows = bridge.bridge.store.read().await.unwrap().audit_entries(&scope, None, 1000).await.unwrap();
    rows.into_iter().map(|row| row.kind).collect()
}

on_both_databases! {
    async fn what_cannot_be_a_name_is_none(database) {
        let (bridge, _sparrow, _postbox) = ready(database).await;
        let keepers = Keepers::of(&bridge).await;
        bridge.send(&worrying("1", "sparrow")).await;
        let concern = keepers.open().await.remove(0);
        for name in ["", " anna", "a\nb", &"a".repeat(65)] {
            let got = keepers.settle(&concern, "acknowledge", name).await;
            assert_eq!((got.status, &got.json["field"]), (400, &json!("/by")), "{name:?}");
        }
        assert_eq!(keepers.settle(&json!({"id": "0"}), "acknowledge", "anna").await.status, 404);
        assert_eq!(keepers.open().await[0]["state"], "raised");
    }
}

on_both_databases! {
    async fn an_erased_member_leaves_no_concern_and_an_archive_tells_of_it(database) {
        let (bridge, sparrow, postbox) = ready(database).await;
        let keepers = Keepers::of(&bridge).await;
        bridge.send(&json!([worrying("1", "sparrow"), worrying("2", "sparrow")])).await;
        keepers.told().await;
        assert_eq!(postbox.letters().len(), 2);
        let first = keepers.open().await.remove(0);
        keepers.settle(&first, "acknowledge", "anna").await;
        let told = files(&bridge, &sparrow).await.json("disclosures/concerns.json");
        assert_eq!((told.as_array().unwrap().len(), &told[0]["rule"]), (2, &json!("phq-9-item-9")));
        assert!(!told.to_string().contains("anna"), "another person's name");
        let states: Vec<_> = told.as_array().unwrap().iter().map(|it| it["state"].clone()).collect();
        assert!(states.contains(&json!("acknowledged")) && states.contains(&json!("told")), "{states:?}");
        request(&bridge, &sparrow, AT_ONCE).await;
        while erasure::work(&bridge.bridge).await.unwrap() {}
        assert_eq!(keepers.listed("/v1/concerns?closed=true").await.len(), 0);
        keepers.told_after(SignedDuration::from_hours(24)).await;
        assert_eq!(postbox.letters().len(), 2, "nobody is told of somebody who is not there any more");
    }
}

on_both_databases! {
    async fn communities_do_not_see_each_others_concerns(database) {
        let postbox = Postbox::open();
        let forum_watch = watched(&database, &postbox, "PT15M");
        let chat = forum_watch.replace("communities.forum.", "communities.chat.");
        let text = config_text(&database, "http://127.0.0.1:9", "127.0.0.1:0")
            + "[communities.chat]\nname = \"The chat\"\n" + &forum_watch + &chat;
        assert!(Config::from_toml(&text).is_ok());
        let bridge = TestBridge::start_with(database, &text).await;
        let sparrow = bridge.unlinked_person("sparrow").await;
        let keyring = &bridge.bridge.keyring;
        let mut tx = bridge.bridge.store.begin().await.unwrap();
        let chat = "chat".parse().unwrap();
        mostik::enrolment::join::join(&mut tx, keyring, &chat, "wren", bridge.now()).await.unwrap();
        tx.commit().await.unwrap();
        bridge.send(&worrying("1", "sparrow")).await;
        let listed = bridge.bridge.store.read().await.unwrap().concerns(Some(&chat), true, 10).await.unwrap();
        assert!(listed.is_empty(), "{listed:?}");
        let listed = bridge.bridge.store.read().await.unwrap().concerns(Some(&forum()), true, 10).await.unwrap();
        assert_eq!((listed.len(), listed[0].member), (1, sparrow.id));
        let asked = async |key: &str| http::call(Method::GET, &format!("{}/v1/concerns?community=chat", bridge.api), Some(key), None).await.status;
        assert_eq!(asked(&bridge.api_key).await, 403, "a key that sends moods does not show who is in need");
        assert_eq!(asked(&Keepers::of(&bridge).await.key).await, 400);
    }
}

on_both_databases! {
    async fn nobody_settles_what_another_community_looks_after(database) {
        let postbox = Postbox::open();
        let text = config_text(&database, "http://127.0.0.1:9", "127.0.0.1:0")
            + "[communities.chat]\nname = \"The chat\"\n" + &watched(&database, &postbox, "PT15M");
        let bridge = TestBridge::start_with(database, &text).await;
        let (sparrow, own) = (bridge.unlinked_person("sparrow").await, Keepers::of(&bridge).await);
        let mut tx = bridge.bridge.store.begin().await.unwrap();
        let chat = "chat".parse().unwrap();
        let key = create_api_key(&mut tx, &bridge.bridge.keyring, &chat, CONCERNS_MANAGE, bridge.now()).await.unwrap();
        tx.commit().await.unwrap();
        let others = Keepers { key: key.secret, ..Keepers::of(&bridge).await };
        bridge.send(&worrying("1", "sparrow")).await;
        let concern = own.open().await.remove(0);
        assert_eq!((others.open().await.len(), others.settle(&concern, "acknowledge", "anna").await.status), (0, 404));
        let (id, keyring) = (concern["id"].as_str().unwrap().parse().unwrap(), &bridge.bridge.keyring);
        let mut refused = bridge.bridge.store.begin().await.unwrap();
        let wants = safety::acknowledge(&mut refused, keyring, (Some(&chat), id), "anna", bridge.now()).await;
        assert!(matches!(wants, Err(SafetyError::NotFound)), "{wants:?}");
        // However long it lasts until it is undone; SQLite has one writer at a time.
        let _undone_late = Some(refused).filter(|_| !bridge.database.is_sqlite());
        own.told_after(SignedDuration::from_mins(15)).await;
        assert_eq!(postbox.letters().len(), 2, "it ended nothing");
        assert_eq!(own.settle(&concern, "acknowledge", "boris").await.status, 200);
        assert_eq!(others.settle(&concern, "close", "boris").await.status, 404);
        assert_eq!(own.open().await[0]["state"], "acknowledged");
        let kinds = audit_kinds(&bridge, &sparrow).await;
        assert_eq!(kinds.iter().filter(|kind| kind.starts_with("concern-acknowledged")).count(), 1, "{kinds:?}");
    }
}

/// The same with something else in one place, or with nothing there.
fn with(mut event: Value, place: &str, value: Value) -> Value {
    let (parent, name) = place.rsplit_once('/').unwrap();
    let parent = event.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    parent.remove(name);
    parent.extend(Some((name.to_owned(), value)).filter(|(_, value)| !value.is_null()));
    event
}

/// What has not the form of an event, but an answer to item 9 that can be read; with the field that is said to be wrong.
fn malformed() -> Vec<(&'static str, Value, &'static str)> {
    const ITEM_9: &str = "/data/answers/44260-8";
    const ITEM_1: &str = "/data/answers/44250-9";
    let mut events = vec![
        (ITEM_1, json!(4), ITEM_1),
        (ITEM_1, json!("never"), ITEM_1),
        (ITEM_9, json!("2"), ITEM_9),
        (ITEM_9, json!(4), ITEM_9),
        (ITEM_9, json!(true), ITEM_9),
        (ITEM_9, json!("LA6570-1"), ITEM_9),
        (ITEM_9, json!("nearly every day"), ITEM_9),
        (ITEM_9, json!({"value": 1}), ITEM_9),
        ("/data/instrument", json!("phq-2"), "/data/answers"),
        ("/data/instrument", json!("phq9"), "/data/instrument"),
        ("/data/comment", json!("x"), "/data"),
        ("/time", json!("2026-11-20T11:00:00"), "/time"),
        ("/time", json!("2026-11-20"), "/time"),
        ("/time", Value::Null, "/"),
        ("/type", json!("mostik.phq-9.v1"), "/type"),
        ("/specversion", json!("0.3"), "/specversion"),
        ("/source", Value::Null, "/"),
        ("/id", Value::Null, "/"),
        ("/sensitivity", json!("X"), "/sensitivity"),
        ("/data/answers", json!([{"44260-8": 1}]), "/data/answers"),
    ];
    events
        .iter_mut()
        .enumerate()
        .map(|(id, (place, value, field))| {
            (*place, with(worrying(&id.to_string(), "sparrow"), place, value.take()), *field)
        })
        .collect()
}

on_both_databases! {
    async fn an_event_that_has_not_its_form_is_heard_once_and_its_member_told_where_help_is(database) {
        let (bridge, sparrow, _postbox) = ready(database).await;
        let keepers = Keepers::of(&bridge).await;
        for (before, (place, event, field)) in malformed().into_iter().enumerate() {
            for _ in 0..2 {
                let got = bridge.send(&event).await;
                assert_eq!((got.status, &got.json["refusal"]["field"]), (422, &json!(field)), "{event}");
                assert!(got.json["help"].is_object(), "{place}: {event}");
            }
            let open = keepers.open().await;
            assert_eq!((open.len(), &open[before]["rule"]), (before + 1, &json!("phq-9-item-9")), "{place}: {event}");
        }
        let batch: Value = malformed().into_iter().map(|(_, event, _)| event).collect();
        let got = bridge.send(&batch).await;
        assert!(got.json["results"].as_array().unwrap().iter().all(|result| result["help"].is_object()), "{:?}", got.json);
        assert_eq!(keepers.open().await.len(), malformed().len(), "what was said was said once");
        assert_eq!(bridge.traces(&sparrow).await, 0, "and none of the answers is taken");
    }
}

on_both_databases! {
    async fn of_an_event_that_has_not_its_form_nothing_is_heard_that_was_not_said(database) {
        let (bridge, _sparrow, _postbox) = ready(database).await;
        let keepers = Keepers::of(&bridge).await;
        for answer in [json!(0), json!("0"), json!("declined"), json!(-1), json!("LA6568-5"), json!("Ни разу"), json!([]), Value::Null] {
            let event = with(worrying("1", "sparrow"), "/data/answers/44260-8", answer.clone());
            let got = bridge.send(&with(event, "/data/answers/44250-9", json!(7))).await;
            assert_eq!((got.status, got.json.get("help")), (422, None), "{answer}");
        }
        let long_ago = with(worrying("2", "sparrow"), "/time", json!("2026-10-20T11:00:00"));
        let nobody = with(worrying("3", "nobody"), "/data/comment", json!("x"));
        let nameless = with(worrying("4", "sparrow"), "/subject", Value::Null);
        for event in [long_ago, nobody, nameless] {
            assert!(bridge.send(&event).await.json["help"].is_object(), "{event}");
        }
        assert_eq!(keepers.open().await, [Value::Null; 0]);
    }
}

on_both_databases! {
    async fn help_is_told_although_nothing_can_be_stored(database) {
        let (bridge, _sparrow, _postbox) = ready(database).await;
        let keepers = Keepers::of(&bridge).await;
        bridge.database.run("ALTER TABLE concerns RENAME TO concerns_away").await;
        let batch = json!([phq9("1", "sparrow", 0), worrying("2", "sparrow")]);
        for events in [&batch, &worrying("2", "sparrow")] {
            let got = bridge.send(events).await;
            assert_eq!((got.status, got.json["help"].is_object()), (500, true), "{:?}", got.json);
        }
        assert_eq!(bridge.send(&phq9("1", "sparrow", 0)).await.json.get("help"), None);
        bridge.database.run("ALTER TABLE concerns_away RENAME TO concerns").await;
        assert_eq!(bridge.send(&batch).await.status, 200);
        assert_eq!(keepers.open().await.len(), 1, "and heard of when it is sent again");
    }
}
