//! A clinic that gives the bridge no access of its own: what is sent goes with the access of the member it is about.

use jiff::SignedDuration;
use mostik::domain::delivery::DeliveryState;
use serde_json::json;

use crate::on_both_databases;
use crate::support::bridge::{TestBridge, config_text, mood};
use crate::support::ehr::{Ehr, create_patient, observations};
use crate::support::gate::{Gate, Tokens};
use crate::support::launch::{self, launch};
use crate::support::parts::part;
use crate::support::smart::present;

on_both_databases! {
    async fn what_is_sent_goes_with_the_access_of_the_member_it_is_about(database) {
        let Some(server) = part("MOSTIK_TEST_AUTHORIZATION_SERVER", "the authorization server oidc-provider") else { return };
        let ehr = Ehr::sandbox().await;
        let gate = Gate::before(&ehr.base, Tokens::Through(format!("{server}/token")));
        let text = config_text(&database, &gate.base, "127.0.0.1:0").replace("lease_seconds = 3", "lease_seconds = 4");
        let text = format!(
            "{text}[clinics.riverside.auth]\nmethod = \"patient\"\nclient_id = \"launch-public\"\nclient_authentication = \"none\"\n"
        );
        let bridge = TestBridge::start_at(database, &text, present()).await;
        let sparrow = bridge.person("sparrow", &ehr.patient).await;
        let other = create_patient(&ehr.base).await;
        let wren = bridge.person("wren", &other).await;
        bridge.grant(&sparrow, &["mood"]).await;
        bridge.grant(&wren, &["mood"]).await;
        bridge.send(&json!([mood("1", "sparrow", 4), mood("2", "wren", 2)])).await;
        bridge.deliver().await;
        let waiting = bridge.bridge.store.read().await.unwrap().queue().await.unwrap();
        assert_eq!((waiting.len(), waiting[0].state, waiting[0].count), (1, DeliveryState::Ready, 2));
        assert_eq!(waiting[0].reason.as_deref(), Some("token-not-connected"));

        let answer = launch(&server, "launch-public", None).await;
        // It has come to its end already: the gate lets nothing in but what it saw being renewed.
        let mut tokens = launch::token_set(&bridge, gate.base.trim_end_matches("/fhir"), &answer);
        tokens.expires_at = bridge.now();
        tokens.issued_at = bridge.now() - SignedDuration::from_mins(5);
        launch::store(&bridge, sparrow.id, &tokens).await;
        bridge.deliver().await;
        assert_eq!(observations(&ehr.base, &ehr.patient).await.len(), 1);
        assert_eq!(observations(&ehr.base, &other).await.len(), 0, "what one member lent is not used for another");

        bridge.clock.advance(SignedDuration::from_mins(50));
        bridge.send(&mood("3", "sparrow", 5)).await;
        bridge.deliver().await;
        assert_eq!(observations(&ehr.base, &ehr.patient).await.len(), 2);
        assert_eq!(gate.asked(), 2, "and renewed again when its time was over");
    }
}
