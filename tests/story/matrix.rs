//! A member who talks with the bridge on Matrix, on a homeserver that nobody here wrote.

use crate::on_both_databases;
use crate::support::audit;
use crate::support::bridge::{TestBridge, config_text};
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::portal::PORTAL;
use crate::support::synapse::{BOT, Synapse, User, free_port};

/// A bridge whose forum is on a homeserver.
async fn open(database: Database, ehr: &str, synapse: &Synapse, more: &str) -> TestBridge {
    let text = config_text(&database, ehr, &synapse.bridge) + &synapse.connector(&database, more);
    let text = text.replace("timeout_seconds = 1\nlease_seconds = 3", "timeout_seconds = 5\nlease_seconds = 15");
    let text = text.replace("[server]\n", &format!("[server]\npublic_url = {PORTAL:?}\n"));
    TestBridge::start_with(database, &text).await
}

/// Somebody joins, in the room that they opened for it.
async fn join(user: &User<'_>) -> String {
    let room = user.open().await;
    user.sees(&room, BOT, "join").await;
    assert!(user.talk(&room, "hi").await.contains("I am the helper of The forum: a program, no therapist"));
    assert!(user.talk(&room, "yes").await.starts_with("Welcome."));
    room
}

on_both_databases! {
    async fn somebody_joins_by_saying_so_and_checks_in(database) {
        let Some(synapse) = Synapse::start(free_port()).await else { return };
        let ehr = Ehr::sandbox().await;
        let bridge = open(database, &ehr.base, &synapse, "").await;
        let sparrow = synapse.user("sparrow").await;
        let room = join(&sparrow).await;
        assert!(sparrow.talk(&room, "check in").await.contains("How are you"));
        assert!(sparrow.talk(&room, "4").await.contains("Shall I keep what you note, for you alone?"));
        let kept = sparrow.talk(&room, "keep it").await;
        assert!(kept.contains("Noted, for you alone."), "{kept}");
        assert_eq!(bridge.database.count("readings").await, 1);
        assert_eq!(audit::wrong(&bridge).await, [""; 0]);
    }
}
