//! A forum of Discourse, and the bridge's account there.

use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::audit;
use crate::support::bridge::{TestBridge, config_text};
use crate::support::database::Database;
use crate::support::discourse::{CATEGORY, Discourse, Place, hook, post};
use crate::support::ehr::Ehr;
use crate::support::receiver::{Telling, any_time};
use crate::support::recommendations::said;

struct Forum {
    bridge: TestBridge,
    ehr: Ehr,
    discourse: Discourse,
}

impl Forum {
    async fn open(database: Database) -> Self {
        let (ehr, discourse) = (Ehr::sandbox().await, Discourse::open());
        let text = config_text(&database, &ehr.base, "127.0.0.1:0");
        let text = text + &discourse.settings(&database, "forum");
        Self { bridge: TestBridge::start_with(database, &text).await, ehr, discourse }
    }

    async fn bring(&self, event: &str, body: &Value) -> u16 {
        self.discourse.bring(&self.bridge, "forum", event, body).await.status
    }

    /// Sparrow writes to the bridge's account, and nobody else takes part.
    async fn write(&self, post: i64, text: &str) -> u16 {
        let message = self.discourse.private("sparrow", text, at(post), &["sparrow", "bridge"]);
        self.bring("post_created", &message).await
    }

    fn last(&self) -> String {
        self.discourse.written().last().unwrap()["raw"].as_str().unwrap().to_owned()
    }

    async fn readings(&self) -> i64 {
        self.bridge.database.count("readings").await
    }
}

/// A post in the topic of its own member: its number is its id.
fn at(post: i64) -> Place {
    Place { topic: 31, post, number: post }
}

on_both_databases! {
    async fn somebody_joins_and_checks_in_by_private_messages(database) {
        let forum = Forum::open(database).await;
        assert_eq!(forum.write(1, "hello").await, 200);
        assert!(forum.last().contains("no therapist") && forum.last().contains("You can say: Yes · No · Help"), "{}", forum.last());
        for (post, text) in [(2, "yes"), (3, "mood"), (4, "4"), (5, "keep it")] {
            assert_eq!(forum.write(post, text).await, 200);
        }
        assert!(forum.last().contains("Noted, for you alone."), "{}", forum.last());
        let written = forum.discourse.written();
        assert_eq!((written.len(), &written[4]["topic_id"], &written[4]["reply_to_post_number"]), (5, &json!("31"), &json!("5")));
        assert_eq!((forum.readings().await, audit::wrong(&forum.bridge).await), (1, Vec::new()));
    }
}

on_both_databases! {
    async fn each_message_is_answered_once_although_answers_are_lost_and_webhooks_come_again(database) {
        let forum = Forum::open(database).await;
        forum.write(1, "yes").await;
        forum.discourse.loses(1);
        assert_eq!(forum.write(2, "mood").await, 503, "Discourse brings it again");
        for _ in 0..3 {
            assert_eq!(forum.write(2, "mood").await, 200);
        }
        assert_eq!(forum.discourse.written().len(), 2);
    }
}

on_both_databases! {
    async fn nothing_is_heard_where_others_read_along(database) {
        let forum = Forum::open(database).await;
        let overheard = forum.discourse.private("sparrow", "yes", at(1), &["sparrow", "bridge", "wren"]);
        assert_eq!(forum.bring("post_created", &overheard).await, 200);
        let own = forum.discourse.private("bridge", "yes", at(2), &["sparrow", "bridge"]);
        assert_eq!(forum.bring("post_created", &own).await, 200);
        // Somebody made it public since: then there is no list of who may read it; or took the bridge, or the member, out of it.
        for (post, who) in [(4, &[][..]), (5, &["sparrow"]), (6, &["bridge"])] {
            let since = forum.discourse.private("sparrow", "yes", at(post), who);
            assert_eq!(forum.bring("post_created", &since).await, 200);
        }
        let edited = forum.discourse.private("sparrow", "yes", at(3), &["sparrow", "bridge"]);
        assert_eq!(forum.bring("post_edited", &edited).await, 200);
        assert_eq!((forum.discourse.written().len(), forum.bridge.database.count("members").await), (0, 0));
    }
}

on_both_databases! {
    async fn what_happens_in_public_is_counted_until_it_is_deleted(database) {
        let forum = Forum::open(database).await;
        let sparrow = forum.bridge.person("sparrow", &forum.ehr.patient).await;
        forum.bridge.grant(&sparrow, &["community"]).await;
        let (wrote, answered) = (post("sparrow", "Hi", at(1), "regular", None), post("sparrow", "Yes", at(2), "regular", Some("wren")));
        let got = post("wren", "Dear", at(3), "regular", Some("sparrow"));
        let user = json!({"id": 4, "username": "wren", "name": "W."});
        let liked = json!({"like": {"post": wrote["post"], "user": user}});
        for (event, body) in [("post_created", &wrote), ("post_created", &answered), ("post_created", &got), ("post_liked", &liked)] {
            for _ in 0..2 {
                assert_eq!(forum.bring(event, body).await, 200);
            }
        }
        assert_eq!(forum.readings().await, 4, "wrote, answered, was answered, was liked");
        forum.bring("post_destroyed", &got).await;
        forum.bring("post_destroyed", &wrote).await;
        assert_eq!(forum.readings().await, 2);
        assert!(forum.discourse.written().is_empty(), "nothing is said in public");
    }
}

on_both_databases! {
    async fn nothing_is_counted_in_a_category_that_is_not_named(database) {
        let forum = Forum::open(database).await;
        let sparrow = forum.bridge.person("sparrow", &forum.ehr.patient).await;
        forum.bridge.grant(&sparrow, &["community"]).await;
        for category in [json!(CATEGORY + 1), json!(null)] {
            let mut wrote = post("sparrow", "Hi", at(1), "regular", Some("wren"));
            wrote["post"]["category_id"] = category;
            let liked = json!({"like": {"post": wrote["post"], "user": {"id": 4, "username": "wren", "name": "W."}}});
            for (event, body) in [("post_created", &wrote), ("post_liked", &liked)] {
                assert_eq!(forum.bring(event, body).await, 200);
            }
        }
        assert_eq!(forum.readings().await, 0);
        let mut wrote = post("sparrow", "Hi", at(1), "regular", None);
        assert_eq!((forum.bring("post_created", &wrote).await, forum.readings().await), (200, 1));
        wrote["post"]["category_id"] = json!(CATEGORY + 1);
        assert_eq!((forum.bring("post_destroyed", &wrote).await, forum.readings().await), (200, 0), "moved before it was deleted");
    }
}

on_both_databases! {
    async fn a_name_that_nobody_can_have_is_not_heard(database) {
        let forum = Forum::open(database).await;
        let (longest, longer) = ("s".repeat(256), "s".repeat(257));
        let private = |name: &str, post| forum.discourse.private(name, "yes", at(post), &[name, "bridge"]);
        assert_eq!(forum.bring("post_created", &private(&longer, 1)).await, 400);
        let answers = post("sparrow", "Hi", at(2), "regular", Some(&longer));
        assert_eq!(forum.bring("post_created", &answers).await, 400);
        let liked = json!({"like": {"post": post("sparrow", "Hi", at(3), "regular", None)["post"], "user": {"username": longer}}});
        assert_eq!(forum.bring("post_liked", &liked).await, 400);
        assert_eq!(forum.bridge.database.count("members").await, 0);
        assert_eq!(forum.bring("post_created", &private(&longest, 4)).await, 200);
        assert_eq!(forum.bridge.database.count("members").await, 1);
    }
}

on_both_databases! {
    async fn only_what_the_forum_signed_is_read(database) {
        let forum = Forum::open(database).await;
        let url = format!("{}/connectors/forum/", forum.bridge.api);
        // Discourse's own vector.
        let good = "sha256=162f107f6b5022353274eb1a7197885cfd35744d8d08e5bcea025d309386b7d6";
        assert_eq!(hook(&url, "ping", good, r#"{"ping":"OK"}"#.to_owned()).await.status, 200);
        for (signature, body) in [
            (good, r#"{"ping":"OK!"}"#),
            (&good[..good.len() - 1], r#"{"ping":"OK"}"#),
            (&good.replace("sha256=", "sha1="), r#"{"ping":"OK"}"#),
            ("", r#"{"ping":"OK"}"#),
            ("sha256=", r#"{"ping":"OK"}"#),
            ("sha256=жжжж", r#"{"ping":"OK"}"#),
        ] {
            assert_eq!(hook(&url, "ping", signature, body.to_owned()).await.status, 401, "{signature}");
        }
        assert_eq!(forum.bring("post_created", &json!({"post": {"id": 1}})).await, 400);
    }
}

on_both_databases! {
    async fn news_is_a_private_topic_that_is_opened_once(database) {
        let Forum { bridge, discourse, .. } = Forum::open(database).await;
        let telling = Telling::before(bridge);
        let sparrow = telling.member("sparrow", "notice", any_time()).await;
        telling.comes(&sparrow, &said("Walk half an hour")).await;
        discourse.loses(1);
        telling.tell().await;
        telling.bridge.clock.advance(jiff::SignedDuration::from_hours(1));
        telling.tell().await;
        let written = discourse.written();
        assert_eq!((written.len(), telling.open_tellings().await), (1, 0), "{written:?}");
        assert_eq!((&written[0]["archetype"], &written[0]["target_recipients"]), (&json!("private_message"), &json!("sparrow")));
        let gone = telling.member("nobody", "notice", any_time()).await;
        telling.comes(&gone, &said("Walk")).await;
        telling.tell().await;
        assert_eq!((discourse.written().len(), telling.open_tellings().await), (1, 0), "it waits in the portal");
    }
}
