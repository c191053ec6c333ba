//! The rules of a community: read before joining, agreed to by it, and again when there are new ones.

use serde_json::{Value, json};

use super::chat::{Chat, key, text};
use crate::on_both_databases;
use crate::safety::concerns::audit_kinds;
use crate::support::audit;
use crate::support::bridge::{Person, TestBridge, config_text};
use crate::support::database::Database;
use crate::support::portal::{Portal, portal_config};
use crate::support::postbox::Postbox;
use crate::support::rules::{FIRST, with_rules, write_rules};
use crate::vault::export::files;

/// A chat whose forum has rules.
async fn open(database: Database) -> Chat {
    let text =
        config_text(&database, "http://127.0.0.1:9", "127.0.0.1:0") + "[communities.chat]\nname = \"The chat\"\n";
    let text = with_rules(&database, &text);
    Chat::before(TestBridge::start_with(database, &text).await).await
}

/// The same, once its rules are in another version.
async fn in_version(chat: &Chat, version: &str) -> Chat {
    write_rules(&chat.bridge.database, version);
    let database = Database::at(&chat.bridge.database.url);
    let bridge = TestBridge::start_at(database, &chat.bridge.config, chat.bridge.now()).await;
    Chat { bridge, key: chat.key.clone() }
}

/// What stands on the buttons.
fn words(answer: &Value) -> Vec<&str> {
    answer["buttons"].as_array().unwrap().iter().map(|button| button["words"].as_str().unwrap()).collect()
}

/// Who is known under a handle.
async fn person(bridge: &TestBridge, handle: &str) -> Person {
    let community = crate::support::bridge::forum();
    let index = mostik::enrolment::join::handle_index(&bridge.bridge.keyring, &community, handle);
    let mut tx = bridge.bridge.store.read().await.unwrap();
    let (id, ..) = tx.member_by_handle(&community, index).await.unwrap().unwrap();
    Person { id, handle: handle.to_owned(), token: String::new() }
}

/// What a member agreed to: the version, and when.
async fn agreed(bridge: &TestBridge, handle: &str) -> Option<(String, String)> {
    let person = person(bridge, handle).await;
    let mut tx = bridge.bridge.store.read().await.unwrap();
    let row = tx.agreement(person.id, &crate::support::bridge::forum()).await.unwrap();
    row.agreed.map(|(version, at)| (version, at.to_string()))
}

on_both_databases! {
    async fn whoever_joins_is_told_the_rules_before_and_agrees_to_them_by_it(database) {
        let chat = open(database).await;
        let hello = chat.write("sparrow", "1", "hi").await;
        assert!(text(&hello).contains("The rules in short: We are kind to each other"), "{hello}");
        assert!(text(&hello).contains("in the version of 26 November 2026"), "{hello}");
        assert!(hello["page"].as_str().unwrap().ends_with("/rules/forum"), "{hello}");
        assert_eq!((words(&hello), chat.bridge.database.count("agreements").await), (vec!["Yes", "No", "Help", "Who are you"], 0));
        let welcome = chat.write("sparrow", "2", "yes").await;
        assert!(text(&welcome).contains("you agreed to the rules of The forum in the version of 26 November 2026"), "{welcome}");
        let expected = Some((FIRST.to_owned(), "2026-11-20T12:00:00Z".to_owned()));
        assert_eq!(agreed(&chat.bridge, "sparrow").await, expected);
        let kinds = audit_kinds(&chat.bridge, &person(&chat.bridge, "sparrow").await).await;
        assert_eq!(kinds, ["member-joined", "rules-agreed"]);
        assert!(!text(&chat.write("sparrow", "3", "menu").await).contains("rules"), "and is told once");
        assert_eq!(audit::wrong(&chat.bridge).await, [""; 0]);
    }
}

on_both_databases! {
    async fn of_new_rules_a_member_is_told_once_and_nothing_is_taken_from_them(database) {
        let chat = open(database).await;
        chat.write("sparrow", "1", "yes").await;
        let chat = in_version(&chat, "2027-01-02").await;
        let told = "has rules in the version of 2 January 2027, which you have not agreed to yet";
        let menu = chat.write("sparrow", "2", "mood").await;
        assert!(text(&menu).contains(told) && words(&menu).contains(&"5"), "and goes on as before: {menu}");
        assert!(text(&chat.write("sparrow", "2", "mood").await).contains(told), "the same answer again has it, too");
        assert!(!text(&chat.write("sparrow", "3", "menu").await).contains(told), "once");
        let open = chat.write("sparrow", "4", "rules").await;
        assert!(text(&open).contains("Do you agree?") && open["page"].as_str().unwrap().ends_with("/rules/forum"), "{open}");
        assert_eq!(agreed(&chat.bridge, "sparrow").await.unwrap().0, FIRST);
        assert_eq!(words(&open), ["Agree", "Menu"]);
        assert!(text(&chat.write("sparrow", "5", "I agree").await).contains("You have agreed to the rules"));
        assert_eq!(agreed(&chat.bridge, "sparrow").await.unwrap().0, "2027-01-02");
        assert!(text(&chat.write("sparrow", "6", "rules").await).starts_with("You have agreed to the rules"));
        assert_eq!(audit_kinds(&chat.bridge, &person(&chat.bridge, "sparrow").await).await, ["member-joined", "rules-agreed", "rules-agreed"]);
    }
}

on_both_databases! {
    async fn a_community_without_rules_speaks_of_none(database) {
        let chat = open(database).await;
        let theirs = Chat { key: key(&chat.bridge, "chat").await, ..chat };
        let hello = theirs.write("wren", "1", "hi").await;
        assert!(!text(&hello).contains("rules") && hello["page"] == Value::Null, "{hello}");
        theirs.write("wren", "2", "yes").await;
        assert!(text(&theirs.write("wren", "3", "rules").await).contains("No rules are written down here."));
        assert_eq!(theirs.bridge.database.count("agreements").await, 0);
    }
}

on_both_databases! {
    async fn anybody_reads_them_in_the_portal_and_a_member_agrees_there_to_what_they_read(database) {
        let postbox = Postbox::open();
        let text = with_rules(&database, &portal_config(&database, "http://127.0.0.1:9", &postbox));
        let portal = Portal::open_with(database, &text, postbox).await;
        let mut anybody = portal.browser();
        let page = anybody.get("/rules/forum").await;
        assert_eq!(page.status, 200);
        assert!(page.body.contains("We sell nothing and collect nothing.") && page.body.contains("What becomes of your data"));
        assert!(!page.body.contains("id=\"agree\""), "{}", page.body);
        for none in ["/rules/chat", "/rules/FORUM", "/rules/"] {
            assert_eq!(anybody.get(none).await.status, 404, "{none}");
        }
        let sparrow = portal.bridge.unlinked_person("sparrow").await;
        let mut browser = portal.sign_in(&sparrow).await;
        let home = browser.get("/sharing").await;
        assert!(home.body.contains("id=\"new-rules\""), "whoever joined elsewhere is told");
        let page = browser.get("/rules/forum").await;
        assert!(page.body.contains("id=\"agree\"") && !page.body.contains("id=\"new-rules\""), "{}", page.body);
        assert!(!browser.get("/sharing").await.body.contains("id=\"new-rules\""), "and knows now");
        browser.get("/rules/forum").await;
        let other = browser.post("/rules/forum", &[("version", "2026-01-01")]).await;
        assert_eq!((other.status, agreed(&portal.bridge, "sparrow").await), (409, None), "what they have not read");
        let done = browser.post("/rules/forum", &[("version", FIRST)]).await;
        assert_eq!((done.status, done.location()), (303, "/rules/forum"));
        assert!(browser.get("/rules/forum").await.body.contains("id=\"agreed\""));
        let files = files(&portal.bridge, &sparrow).await;
        let profile: Value = files.json("profile/profile.json");
        assert_eq!(profile["rules_agreed"], json!([{"community": "forum", "version": FIRST, "agreed_at": "2026-11-20T12:00:00Z"}]));
    }
}
