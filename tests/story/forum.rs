//! A moderated anonymous forum (Discourse): somebody joins by private messages, what they do there is counted, they call a human,
//! whom the forum's own group is told of, and the clinic gets what they decided.

use mostik::app;
use mostik::config::Config;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::audit;
use crate::support::bridge::{TestBridge, config_text};
use crate::support::concerns::Keepers;
use crate::support::database::Database;
use crate::support::discourse::{Discourse, Place, post};
use crate::support::ehr::{Ehr, observations};
use crate::support::portal::{PORTAL, Portal};
use crate::support::postbox::Postbox;
use crate::support::story::{linked, shares, signs_in};

on_both_databases! {
    async fn a_moderated_anonymous_forum(database) {
        Box::pin(the_forum_story(database)).await;
    }
}

async fn brings(bridge: &TestBridge, discourse: &Discourse, event: &str, body: &Value) {
    assert_eq!(discourse.bring(bridge, "forum", event, body).await.status, 200);
}

/// What the bridge's account wrote last.
fn last(discourse: &Discourse) -> String {
    discourse.written().last().unwrap()["raw"].as_str().unwrap().to_owned()
}

async fn the_forum_story(database: Database) {
    let (ehr, discourse) = (Ehr::sandbox().await, Discourse::open());
    let text = config_text(&database, &ehr.base, "127.0.0.1:0");
    let text = text.replace("[server]\n", &format!("[server]\npublic_url = {PORTAL:?}\n"));
    let safety = "[communities.forum.safety]\nescalate_after = \"PT15M\"\n[communities.forum.safety.first]\n\
                  method = \"connector\"\nroom = \"moderators\"\nnames_member = true\n";
    let text = text + &discourse.settings(&database, "forum") + safety;
    let portal = Portal::before(TestBridge::start_with(database, &text).await, Postbox::open());
    let bridge = &portal.bridge;
    let mut posts = 0..;
    let mut writes = |text: &str| {
        let post = posts.next().unwrap() + 100;
        discourse.private("sparrow", text, Place { topic: 31, post, number: post }, &["sparrow", "bridge"])
    };

    // Joins in two private messages, without a name or an address.
    let hello = writes("hello");
    brings(bridge, &discourse, "post_created", &hello).await;
    assert!(last(&discourse).contains("a program, no therapist"));
    let yes = writes("yes");
    brings(bridge, &discourse, "post_created", &yes).await;
    linked(bridge, "forum", "sparrow", &ehr.patient).await;
    let mut browser = signs_in(&portal, "forum", "sparrow", || last(&discourse)).await;
    shares(&mut browser, &[("mood", "every-entry"), ("community", "weekly-summary")]).await;

    // A week in the forum, and a mood.
    let place = |post| Place { topic: 7, post, number: post };
    for (event, body) in [
        ("post_created", post("sparrow", "I slept well", place(1), "regular", None)),
        ("post_created", post("wren", "So glad", place(2), "regular", Some("sparrow"))),
        ("post_created", post("sparrow", "Oh, wrong thread", place(3), "regular", None)),
        ("post_destroyed", post("sparrow", "Oh, wrong thread", place(3), "regular", None)),
    ] {
        brings(bridge, &discourse, event, &body).await;
    }
    for text in ["mood", "4"] {
        let message = writes(text);
        brings(bridge, &discourse, "post_created", &message).await;
    }

    // Calls a human: the moderators' group is told, in the forum.
    let human = writes("human");
    brings(bridge, &discourse, "post_created", &human).await;
    let sender = app::alarm_sender(&Config::from_toml(&bridge.config).unwrap(), &bridge.bridge).unwrap();
    while sender.tell_one().await.unwrap() {}
    let alarm = discourse.written().pop().unwrap();
    assert_eq!((&alarm["target_recipients"], &alarm["archetype"]), (&json!("moderators"), &json!("private_message")));
    assert!(alarm["raw"].as_str().unwrap().contains("sparrow"), "{alarm}");
    let moderators = Keepers::of(bridge).await;
    let open = moderators.open().await;
    assert_eq!(moderators.settle(&open[0], "acknowledge", "anna").await.status, 200);

    // What they decided is in the EHR: the mood at once, the week once it is over.
    bridge.deliver().await;
    assert_eq!(observations(&ehr.base, &ehr.patient).await.len(), 1);
    bridge.until("2026-12-01T06:00:00Z").await;
    bridge.deliver().await;
    let charted = observations(&ehr.base, &ehr.patient).await;
    let counted = |code: &str| {
        let weeks = charted.iter().flat_map(|it| it["component"].as_array().unwrap_or(const { &Vec::new() }).iter());
        let found = weeks.filter(|it| it["code"]["coding"][0]["code"] == code);
        found.filter_map(|it| it["valueQuantity"]["value"].as_i64()).sum::<i64>()
    };
    assert_eq!(
        (counted("posts"), counted("replies-received")),
        (1, 1),
        "what was deleted is not counted: {charted:#?}"
    );
    assert!(!json!(charted).to_string().contains("slept"), "never what was written");

    let stop = writes("stop everything");
    brings(bridge, &discourse, "post_created", &stop).await;
    assert!(last(&discourse).contains("Everything is stopped."));
    assert_eq!(audit::wrong(bridge).await, [""; 0]);
}
