//! Who is told of a concern, when, again, and what never leaves.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use serde_json::json;

use crate::on_both_databases;
use crate::safety::concerns::{audit_kinds, ready};
use crate::support::audit;
use crate::support::bridge::{Person, TestBridge, config_text};
use crate::support::concerns::{Keepers, alarms, on_duty, watched, worrying};
use crate::support::database::Database;
use crate::support::http::Got;
use crate::support::postbox::{Letter, Postbox};
use crate::support::smtp::{MailServer, MuteServer, in_time};

const INSTANT: SignedDuration = SignedDuration::from_micros(1);

const fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

/// A bridge whose forum has two levels, each with a postbox of its own.
async fn two_levels(database: Database) -> (TestBridge, Person, Postbox, Postbox) {
    let (first, second) = (Postbox::open(), Postbox::open());
    let safety = watched(&database, &first, "PT15M") + &on_duty(&database, &second);
    let text = config_text(&database, "http://127.0.0.1:9", "127.0.0.1:0") + &safety;
    let bridge = TestBridge::start_with(database, &text).await;
    let sparrow = bridge.unlinked_person("sparrow").await;
    (bridge, sparrow, first, second)
}

fn ids(letters: &[Letter]) -> BTreeSet<String> {
    letters.iter().map(|letter| letter.header("webhook-id").to_owned()).collect()
}

async fn acknowledged(keepers: &Keepers<'_>) -> Got {
    let concern = keepers.open().await.remove(0);
    keepers.settle(&concern, "acknowledge", "anna").await
}

on_both_databases! {
    async fn the_first_level_is_told_at_once_and_what_it_is_told_is_what_the_schema_says(database) {
        let (bridge, sparrow, first, second) = two_levels(database).await;
        let keepers = Keepers::of(&bridge).await;
        bridge.send(&worrying("1", "sparrow")).await;
        keepers.told().await;
        let told = alarms(&first);
        assert_eq!((told.len(), second.letters().len()), (1, 0));
        let schema = serde_json::from_str(include_str!("../../../schemas/messages/concern.v1.json")).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        validator.validate(&told[0].json).unwrap();
        let (data, concern) = (&told[0].json["data"], &keepers.open().await[0]);
        assert_eq!((&data["concern"], &data["handle"], &data["level"]), (&concern["id"], &json!("sparrow"), &json!("first")));
        assert_eq!(concern["state"], "told");
        let acknowledge = data["acknowledge"].as_str().unwrap();
        assert!(acknowledge.ends_with(&format!("/v1/concerns/{}/acknowledge", concern["id"].as_str().unwrap())));
        let text = data["text"].as_str().unwrap();
        assert!(text.contains("2026-11-20 12:00 UTC") && text.contains(concern["id"].as_str().unwrap()), "{text}");
        for word in ["phq", "PHQ", "44260", "item", "forum"] {
            assert!(!format!("{text}{}", data["subject"]).contains(word), "{word}");
        }
        assert!(!told[0].raw.contains("phq-9") && !told[0].raw.contains(&sparrow.id.to_string()));
    }
}

on_both_databases! {
    async fn the_second_level_is_told_when_nobody_acknowledges_it_in_time_and_not_whom_it_is_about(database) {
        let (bridge, sparrow, first, second) = two_levels(database).await;
        let keepers = Keepers::of(&bridge).await;
        bridge.send(&worrying("1", "sparrow")).await;
        keepers.told().await;
        keepers.told_after(minutes(15) - INSTANT).await;
        assert_eq!((second.letters().len(), &keepers.open().await[0]["state"]), (0, &json!("told")));
        keepers.told_after(INSTANT).await;
        let told = alarms(&second);
        assert_eq!((alarms(&first).len(), told.len()), (1, 1));
        assert_eq!((&told[0].json["data"]["level"], told[0].raw.contains("sparrow")), (&json!("second"), false));
        let concern = keepers.open().await.remove(0);
        assert_eq!((&concern["state"], &concern["escalated_at"]), (&json!("escalated"), &json!("2026-11-20T12:15:00Z")));
        let kinds = audit_kinds(&bridge, &sparrow).await;
        let of_concern: Vec<&str> = kinds.iter().map(String::as_str).filter(|kind| kind.starts_with("concern-")).collect();
        assert_eq!(of_concern, ["concern-raised", "concern-told", "concern-escalated", "concern-told"]);
        assert_eq!(audit::wrong(&bridge).await, [""; 0]);
    }
}

on_both_databases! {
    async fn nobody_is_told_of_what_somebody_looks_after(database) {
        let (bridge, _sparrow, first, second) = two_levels(database).await;
        let keepers = Keepers::of(&bridge).await;
        bridge.send(&worrying("1", "sparrow")).await;
        assert_eq!(acknowledged(&keepers).await.status, 200, "before anybody was told");
        keepers.told_after(SignedDuration::from_hours(48)).await;
        assert_eq!((first.letters().len(), second.letters().len()), (0, 0));
    }
}

on_both_databases! {
    async fn the_second_level_is_told_again_until_somebody_acknowledges_it(database) {
        let (bridge, _sparrow, _first, second) = two_levels(database).await;
        let keepers = Keepers::of(&bridge).await;
        bridge.send(&worrying("1", "sparrow")).await;
        let mut told = Vec::new();
        for minute in 0..3 * 24 * 60 {
            keepers.told().await;
            if alarms(&second).len() > told.len() {
                told.push(minute);
            }
            bridge.clock.advance(minutes(1));
        }
        assert_eq!(told, [15, 45, 105, 225, 465, 945, 1905, 3345], "after 30 minutes, an hour, …, and then once a day");
        assert_eq!(ids(&alarms(&second)).len(), told.len(), "each is another message");
        assert_eq!(acknowledged(&keepers).await.json["state"], "acknowledged");
        keepers.told_after(SignedDuration::from_hours(48)).await;
        assert_eq!(alarms(&second).len(), told.len());
    }
}

on_both_databases! {
    async fn a_channel_that_fails_is_tried_for_as_long_as_it_takes_under_one_id_and_the_second_is_told_in_time(database) {
        let (bridge, _sparrow, first, second) = two_levels(database).await;
        let keepers = Keepers::of(&bridge).await;
        first.will_answer(&[500; 400]);
        bridge.send(&worrying("1", "sparrow")).await;
        for _ in 0..24 * 60 {
            keepers.told().await;
            bridge.clock.advance(minutes(1));
        }
        let tried = alarms(&first);
        assert!((200..400).contains(&tried.len()), "every five minutes or so: {}", tried.len());
        assert_eq!(ids(&tried).len(), 1);
        assert_eq!(alarms(&second)[0].json["timestamp"], "2026-11-20T12:15:00Z");
        first.will_answer(&[]);
        keepers.told_after(minutes(6)).await;
        let told = alarms(&first).len();
        keepers.told_after(SignedDuration::from_hours(1)).await;
        assert_eq!(alarms(&first).len(), told, "told at last, and once");
        assert_eq!(keepers.open().await[0]["state"], "escalated");
    }
}

on_both_databases! {
    async fn what_fails_after_a_telling_is_tried_again_as_soon_as_what_failed_before_it(database) {
        let (bridge, _sparrow, _first, second) = two_levels(database).await;
        let keepers = Keepers::of(&bridge).await;
        let (soon, later) = (SignedDuration::from_secs(7), minutes(7));
        bridge.send(&worrying("1", "sparrow")).await;
        keepers.told().await;
        second.will_answer(&[500; 3]);
        for wait in [minutes(15), soon, later, later] {
            keepers.told_after(wait).await;
        }
        assert_eq!(alarms(&second).len(), 4, "after five seconds, and then every five minutes, until it arrives");
        second.will_answer(&[500]);
        keepers.told_after(minutes(30)).await;
        assert_eq!(alarms(&second).len(), 5);
        keepers.told_after(soon).await;
        assert_eq!((alarms(&second).len(), ids(&alarms(&second)).len()), (6, 2), "after five seconds again");
    }
}

on_both_databases! {
    async fn whoever_dies_while_telling_leaves_it_to_be_told_under_the_same_id(database) {
        let (bridge, _sparrow, first, _second) = two_levels(database).await;
        let keepers = Keepers::of(&bridge).await;
        bridge.send(&worrying("1", "sparrow")).await;
        // Taken up, and then the process dies: before it could send, and again after.
        let mut tx = bridge.bridge.store.begin().await.unwrap();
        let again_at = bridge.now().checked_add(minutes(1)).unwrap();
        let taken = tx.claim_telling(again_at, bridge.now()).await.unwrap();
        assert!(taken.is_some());
        tx.commit().await.unwrap();
        keepers.told().await;
        assert_eq!(first.letters().len(), 0, "somebody else has it in hand");
        keepers.told_after(minutes(1)).await;
        let once = alarms(&first);
        assert_eq!(once.len(), 1);
        // As it was before the answer was written down.
        let (concern, due) = (taken.unwrap().concern, bridge.now().as_microsecond());
        let id = if bridge.database.is_sqlite() { format!("x'{}'", concern.0.simple()) } else { format!("'{concern}'") };
        bridge.database.run(&format!(
            "INSERT INTO concern_tellings (concern_id, member_id, level, due_at) SELECT concern_id, member_id, 1, {due} FROM concerns WHERE concern_id = {id}"
        )).await;
        keepers.told().await;
        assert_eq!((alarms(&first).len(), ids(&alarms(&first)).len()), (2, 1), "it arrives twice, and is the same");
    }
}

on_both_databases! {
    async fn two_who_tell_at_the_same_time_tell_once(database) {
        let (bridge, _sparrow, first, _second) = two_levels(database).await;
        let keepers = Keepers::of(&bridge).await;
        for n in 0..8 {
            bridge.send(&worrying(&n.to_string(), "sparrow")).await;
        }
        futures_util::future::join_all((0..4).map(|_| keepers.told())).await;
        assert_eq!((alarms(&first).len(), ids(&alarms(&first)).len()), (8, 8));
    }
}

on_both_databases! {
    async fn without_a_second_level_the_first_is_told_again(database) {
        let (bridge, _sparrow, postbox) = ready(database).await;
        let keepers = Keepers::of(&bridge).await;
        bridge.send(&worrying("1", "sparrow")).await;
        keepers.told().await;
        keepers.told_after(minutes(15)).await;
        let told = alarms(&postbox);
        assert_eq!((told.len(), ids(&told).len()), (2, 2));
        assert_eq!(keepers.open().await[0]["state"], "escalated");
    }
}

on_both_databases! {
    async fn a_mail_says_neither_whom_it_is_about_nor_why(database) {
        let (first, server) = (Postbox::open(), MailServer::start(false).await);
        let safety = watched(&database, &first, "PT1M").replace("[communities.forum.safety]\n", "[communities.forum.safety]\nlanguage = \"ru\"\n");
        let mail = format!(
            "[communities.forum.safety.second]\nmethod = \"mail\"\nto = \"duty@forum.example\"\nserver = \"127.0.0.1\"\nport = {}\n\
             security = \"none\"\nfrom = \"noreply@forum.example\"\n",
            server.port
        );
        let text = config_text(&database, "http://127.0.0.1:9", "127.0.0.1:0") + &safety + &mail;
        let bridge = TestBridge::start_with(database, &text).await;
        bridge.unlinked_person("sparrow").await;
        let keepers = Keepers::of(&bridge).await;
        bridge.send(&worrying("1", "sparrow")).await;
        keepers.told().await;
        keepers.told_after(minutes(1)).await;
        let mails = server.mails();
        assert_eq!(mails.len(), 1);
        assert!(mails[0].contains("RCPT TO:<duty@forum.example>"), "{}", mails[0]);
        for word in ["sparrow", "PHQ", "phq", "forum.example/"] {
            assert!(!mails[0].contains(word), "{word}: {}", mails[0]);
        }
        assert!(alarms(&first)[0].json["data"]["text"].as_str().unwrap().contains("вашего сообщества"));
    }
}

on_both_databases! {
    async fn a_mail_server_that_says_nothing_is_left_alone_and_tried_again_and_the_second_level_is_told_in_time(database) {
        let (silent, second) = (MuteServer::start(), Postbox::open());
        let safety = format!(
            "[communities.forum.safety]\nescalate_after = \"PT15M\"\n[communities.forum.safety.first]\nmethod = \"mail\"\n\
             to = \"keepers@forum.example\"\nserver = \"127.0.0.1\"\nport = {}\nsecurity = \"none\"\n\
             from = \"noreply@forum.example\"\n{}",
            silent.port,
            on_duty(&database, &second)
        );
        let text = config_text(&database, "http://127.0.0.1:9", "127.0.0.1:0") + &safety;
        let bridge = TestBridge::start_with(database, &text).await;
        bridge.unlinked_person("sparrow").await;
        let keepers = Keepers::of(&bridge).await;
        bridge.send(&worrying("1", "sparrow")).await;
        in_time(keepers.told()).await;
        assert_eq!((silent.came(), &keepers.open().await[0]["state"]), (1, &json!("raised")), "nobody was told yet");
        in_time(keepers.told_after(SignedDuration::from_secs(7))).await;
        assert_eq!(silent.came(), 1, "after five seconds");
        in_time(keepers.told_after(minutes(15))).await;
        assert_eq!((silent.came(), alarms(&second).len()), (1, 1));
        assert_eq!(keepers.open().await[0]["state"], "escalated");
    }
}
