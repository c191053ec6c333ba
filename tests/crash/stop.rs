//! `SIGTERM`: what is under way ends, what waits keeps waiting, and the process says that all is well.

use mostik::domain::delivery::DeliveryState;
use serde_json::Value;

use crate::on_every_database;
use crate::support::bridge::mood;
use crate::support::ehr::{Ehr, identifier};
use crate::support::server::Server;

on_every_database! {
    async fn a_bridge_with_much_to_do_stops_when_it_is_asked_to(database) {
        let ehr = Ehr::without_conditional_create().await;
        let mut server = Server::prepare(&database, &ehr).await;
        server.environment.push(("MOSTIK_SERVER__SHUTDOWN_SECONDS", "20".into()));
        let mut running = server.start(None).await;
        assert!(running.grant(&server).await);
        let many: Value = (0..300).map(|n| mood(&n.to_string(), &server.handle, 3)).collect();
        running.send(&server, &many).await.unwrap();
        let status = running.stop().await;
        assert!(status.success(), "{status}");
        assert_eq!(server.count(DeliveryState::Sending).await, 0, "nothing is left half done");
        let before = ehr.observations().await.len();
        assert!(before < 300, "it stopped before everything was delivered");
        assert_eq!(server.count(DeliveryState::Confirmed).await, i64::try_from(before).unwrap());

        let again = server.start(None).await;
        again.wait_until_idle(&server).await;
        let mut charted: Vec<String> = ehr.observations().await.iter().map(identifier).collect();
        charted.sort_unstable();
        charted.dedup();
        assert_eq!(charted.len(), 300, "the next process goes on where the first one stopped");
    }
}
