//! Communities are told in their rooms: each thing once in each room, though answers are lost and processes die; and nothing of
//! anybody.

use jiff::SignedDuration;
use mostik::announcing::Announcer;
use mostik::app;
use mostik::config::Config;
use mostik::domain::ids::MaterialId;
use mostik::domain::language::Language;
use mostik::domain::material::Content;
use mostik::materials;
use serde_json::{Value, json};

use super::{nurse, published};
use crate::on_both_databases;
use crate::support::bridge::{TestBridge, config_text};
use crate::support::database::Database;
use crate::support::discourse::Discourse;
use crate::support::groups::Circle;
use crate::support::portal::PORTAL;
use crate::support::telegram::{GROUP, Telegram};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

fn announcer(bridge: &TestBridge) -> Announcer {
    app::announcer(&Config::from_toml(&bridge.config).unwrap(), &bridge.bridge).unwrap()
}

async fn announce(bridge: &TestBridge) {
    announcer(bridge).announce().await.unwrap();
}

/// A bridge whose forum has this connector, and these rooms.
async fn forum(database: Database, connector: &str, rooms: &str) -> TestBridge {
    let text = config_text(&database, "http://127.0.0.1:9/fhir", "127.0.0.1:0");
    let text = text.replace("[server]\n", &format!("[server]\npublic_url = {PORTAL:?}\n"));
    let text = text + connector + "[communities.forum.announcements]\n" + rooms + "\n";
    TestBridge::start_with(database, &text).await
}

async fn on_discourse(database: Database, rooms: &str) -> (TestBridge, Discourse) {
    let discourse = Discourse::open();
    let connector = discourse.settings(&database, "forum");
    (forum(database, &connector, rooms).await, discourse)
}

async fn on_telegram(database: Database, more: &str) -> (TestBridge, Telegram) {
    let telegram = Telegram::open();
    let connector = telegram.settings(&database, "forum");
    (forum(database, &connector, &format!("rooms = [\"{GROUP}\"]\n{more}")).await, telegram)
}

async fn renewed(bridge: &TestBridge, id: MaterialId, seen: i64, title: &str) {
    let content = Content::read(Language::En, title, "Breathe.", "").unwrap();
    let mut tx = bridge.bridge.store.begin().await.unwrap();
    materials::renew(&mut tx, &bridge.bridge.keyring, &nurse(), (id, seen, content), bridge.now()).await.unwrap();
    tx.commit().await.unwrap();
}

async fn retracted(bridge: &TestBridge, id: MaterialId) {
    let mut tx = bridge.bridge.store.begin().await.unwrap();
    materials::retract(&mut tx, &nurse(), id, bridge.now()).await.unwrap();
    tx.commit().await.unwrap();
}

fn rooms(written: &[Value]) -> Vec<&str> {
    let mut rooms: Vec<&str> = written.iter().map(|it| it["target_recipients"].as_str().unwrap()).collect();
    rooms.sort_unstable();
    rooms
}

on_both_databases! {
    async fn a_material_is_told_once_in_each_room_although_answers_are_lost(database) {
        let (bridge, discourse) = on_discourse(database, "rooms = [\"readers\", \"news\"]").await;
        announce(&bridge).await;
        assert!(discourse.written().is_empty());
        let id = published(&bridge, 1, Language::En, "Sleep").await;
        discourse.loses(1);
        announce(&bridge).await;
        bridge.clock.advance(HOUR);
        let beside = bridge.beside(SignedDuration::ZERO).await;
        futures_util::future::join(announce(&bridge), announce(&beside)).await;
        bridge.clock.advance(HOUR * 24 * 10);
        announce(&bridge).await;
        let written = discourse.written();
        assert_eq!(rooms(&written), ["news", "readers"]);
        assert_ne!(written[0]["external_id"], written[1]["external_id"]);
        let expected = format!("New to read from Riverside: Sleep\n{PORTAL}/materials/{id}");
        for said in &written {
            assert_eq!((&said["raw"], &said["title"]), (&json!(expected), &json!("New to read from Riverside: Sleep")));
        }
        assert_eq!(bridge.database.count("announcements WHERE said_at IS NOT NULL AND due_at IS NULL").await, 2);
    }
}

on_both_databases! {
    async fn what_a_process_had_in_hand_when_it_died_is_said_under_the_same_id(database) {
        let (bridge, discourse) = on_discourse(database, "rooms = [\"readers\"]").await;
        published(&bridge, 1, Language::En, "Sleep").await;
        discourse.loses(1);
        announce(&bridge).await;
        bridge.clock.advance(MINUTE);
        // It takes it up, and dies.
        let mut tx = bridge.bridge.store.begin().await.unwrap();
        let again_at = bridge.now() + MINUTE * 5;
        let held = tx.claim_announcement(again_at, bridge.now()).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        bridge.clock.advance(MINUTE * 4);
        announce(&bridge).await;
        assert_eq!(bridge.database.count("announcements WHERE said_at IS NOT NULL").await, 0, "it is in hand");
        bridge.clock.advance(MINUTE);
        announce(&bridge).await;
        assert_eq!(bridge.database.count("announcements WHERE said_at IS NOT NULL").await, 1);
        let written = discourse.written();
        assert_eq!((written.len(), &written[0]["external_id"]), (1, &json!(held.id.to_string())));
        // Whoever comes back late changes nothing.
        let mut tx = bridge.bridge.store.begin().await.unwrap();
        assert!(!tx.settle_announcement(&held, mostik::store::AnnouncementFate::Over).await.unwrap());
    }
}

on_both_databases! {
    async fn what_the_platform_does_not_take_is_tried_again_in_the_pace_that_it_wishes_and_not_for_ever(database) {
        let (bridge, telegram) = on_telegram(database, "").await;
        published(&bridge, 1, Language::En, "Sleep").await;
        telegram.will_answer(429, json!({"ok": false, "error_code": 429, "parameters": {"retry_after": 600}}));
        announce(&bridge).await;
        bridge.clock.advance(MINUTE * 9);
        announce(&bridge).await;
        assert_eq!(telegram.said_to(GROUP), [""; 0], "it wishes to be left alone");
        bridge.clock.advance(MINUTE * 2);
        announce(&bridge).await;
        assert_eq!(telegram.said_to(GROUP).len(), 1);
        published(&bridge, 2, Language::En, "Walks").await;
        for hour in 0..24 * 6 {
            telegram.will_answer(502, json!({"ok": false}));
            announce(&bridge).await;
            bridge.clock.advance(HOUR);
            assert!(hour < 24 * 5 || bridge.database.count("announcements WHERE due_at IS NOT NULL").await == 0, "hour {hour}");
        }
        assert_eq!(telegram.said_to(GROUP).len(), 1);
    }
}

on_both_databases! {
    async fn a_room_that_is_closed_to_the_bridge_is_left_alone(database) {
        let (bridge, telegram) = on_telegram(database, "").await;
        published(&bridge, 1, Language::En, "Sleep").await;
        telegram.will_answer(403, json!({"ok": false, "error_code": 403, "description": "Forbidden: bot was kicked from the supergroup chat"}));
        announce(&bridge).await;
        bridge.clock.advance(HOUR * 24);
        announce(&bridge).await;
        assert_eq!(telegram.said_to(GROUP), [""; 0]);
    }
}

on_both_databases! {
    async fn a_community_with_a_language_is_told_of_what_is_in_it_and_others_of_everything(database) {
        let (bridge, telegram) = on_telegram(database, "language = \"ru\"").await;
        let id = published(&bridge, 1, Language::Ru, "Сон").await;
        published(&bridge, 2, Language::En, "Sleep").await;
        announce(&bridge).await;
        assert_eq!(telegram.said_to(GROUP), [format!("Новый материал, Riverside: Сон\n{PORTAL}/materials/{id}")]);
        let text = bridge.config.replace("language = \"ru\"", "");
        let both = TestBridge::start_at(Database::at(&bridge.database.url), &text, bridge.now()).await;
        announce(&both).await;
        let said = telegram.said_to(GROUP);
        assert!(said.len() == 2 && said[1].starts_with("New to read from Riverside: Sleep\n"), "{said:?}");
    }
}

on_both_databases! {
    async fn what_is_no_news_any_more_is_not_told_and_a_new_version_is(database) {
        let (bridge, telegram) = on_telegram(database, "").await;
        let back = published(&bridge, 1, Language::En, "Taken back").await;
        retracted(&bridge, back).await;
        published(&bridge, 2, Language::En, "Old").await;
        bridge.clock.advance(HOUR * 24 * 31);
        announce(&bridge).await;
        assert_eq!(telegram.said_to(GROUP), [""; 0]);
        let id = published(&bridge, 3, Language::En, "Sleep").await;
        telegram.will_answer(500, json!({"ok": false}));
        announce(&bridge).await;
        let other = published(&bridge, 4, Language::En, "Gone before its turn").await;
        telegram.will_answer(500, json!({"ok": false}));
        announce(&bridge).await;
        retracted(&bridge, other).await;
        bridge.clock.advance(MINUTE);
        announce(&bridge).await;
        assert_eq!(telegram.said_to(GROUP), [format!("New to read from Riverside: Sleep\n{PORTAL}/materials/{id}")]);
        renewed(&bridge, id, 1, "Sleep well").await;
        for _ in 0..3 {
            announce(&bridge).await;
        }
        let said = telegram.said_to(GROUP);
        assert!(said.len() == 2 && said[1].starts_with("A new version from Riverside: Sleep well\n"), "{said:?}");
    }
}

on_both_databases! {
    async fn an_open_session_is_told_once_for_each_time_at_which_it_is_held_and_says_nothing_of_anybody(database) {
        let discourse = Discourse::open();
        let chat = discourse.settings(&database, "chat");
        let more = format!("open = true\n[communities.chat]\nname = \"The chat\"\n{chat}[communities.chat.announcements]\nrooms = [\"all\"]");
        let circle = Circle::open(database, 2, &more).await;
        let id = circle.plan("2").await;
        circle.stranger("crow").await.joined(id).await;
        for _ in 0..2 {
            announce(circle.bridge()).await;
        }
        let written = discourse.written();
        let expected = format!("Open to everybody, by Riverside: A calm evening\n23 November 2026, 17:00 (UTC)\n{PORTAL}/announcements");
        assert_eq!((written.len(), &written[0]["raw"]), (1, &json!(expected)));
        let moved = [("day", "2026-11-24"), ("time", "18:00"), ("places", "2")];
        assert_eq!(circle.staff_do(id, "change", &moved).await.status, 303);
        announce(circle.bridge()).await;
        assert!(discourse.written().len() == 2 && discourse.written()[1]["raw"].as_str().unwrap().contains("24 November 2026, 17:00"));
        assert_eq!(circle.staff_do(id, "change", &[("day", "2026-11-24"), ("time", "18:00"), ("places", "3")]).await.status, 303);
        assert_eq!(circle.staff_do(id, "cancel", &[]).await.status, 303);
        announce(circle.bridge()).await;
        assert_eq!(discourse.written().len(), 2);
        assert!(!discourse.written().iter().any(|it| it.to_string().contains("crow")));
    }
}
