//! Two versions of the program at work on one database, as while replicas are replaced one by one.

use jiff::SignedDuration;
use mostik::domain::delivery::DeliveryState;

use crate::on_every_database;
use crate::support::bridge::{TestBridge, mood};
use crate::support::ehr::{Ehr, create_patient};
use crate::support::outbox::execute;

on_every_database! {
    async fn what_only_a_later_version_knows_is_left_alone_and_nobody_else_waits_for_it(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let sparrow = bridge.person("sparrow", &ehr.patient).await;
        let wren = bridge.person("wren", &create_patient(&ehr.base).await).await;
        bridge.grant(&sparrow, &["mood"]).await;
        bridge.grant(&wren, &["mood"]).await;
        bridge.send(&mood("1", "sparrow", 4)).await;
        // A later version put it there.
        execute(&bridge, "UPDATE outbox SET kind = 'something-new'").await;
        bridge.send(&serde_json::json!([mood("2", "sparrow", 2), mood("3", "wren", 3)])).await;
        for _ in 0..3 {
            bridge.deliver().await;
            bridge.clock.advance(SignedDuration::from_secs(10));
        }
        assert_eq!(bridge.count(DeliveryState::Confirmed).await, 1, "wren's");
        assert_eq!(bridge.count(DeliveryState::Ready).await, 2, "what is behind it waits, so that the order stays");
        assert!(ehr.observations().await.is_empty());
        // The later version takes it up.
        execute(&bridge, "UPDATE outbox SET kind = 'fact' WHERE kind = 'something-new'").await;
        bridge.deliver().await;
        assert_eq!((bridge.count(DeliveryState::Confirmed).await, ehr.observations().await.len()), (3, 2));
    }
}
