//! `mostik audit verify` and consents: whoever changes one in the database, and touches no entry of the log, is found out.

use jiff::SignedDuration;
use serde_json::json;

use crate::on_both_databases;
use crate::support::audit::wrong;
use crate::support::bridge::{Person, TestBridge};
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::linking::{link_to, unlink_from};
use crate::vault::erasing::{AT_ONCE, request};

/// A bridge where one consent was given, changed and set aside, and another one taken back.
async fn decided(database: Database) -> (TestBridge, Person) {
    let ehr = Ehr::sandbox().await;
    let bridge = TestBridge::start(database, &ehr.base).await;
    let member = bridge.person("sparrow", &ehr.patient).await;
    let first = bridge.grant(&member, &["mood"]).await;
    assert_eq!(bridge.change_grant(&member, &first, "revoke").await.status, 200);
    let second = bridge.grant(&member, &["mood"]).await;
    assert_eq!(bridge.change_grant(&member, &second, "pause").await.status, 200);
    let wider = json!({"categories": {"mood": "every-entry", "note": "every-entry"}});
    let path = format!("/v1/grants/{second}");
    assert_eq!(bridge.as_member(&member, reqwest::Method::PUT, &path, Some(&wider)).await.status, 200);
    (bridge, member)
}

/// What is found after these statements.
async fn found(bridge: &TestBridge, statements: &str) -> Vec<String> {
    bridge.database.run(statements).await;
    wrong(bridge).await
}

on_both_databases! {
    async fn every_way_of_life_of_a_consent_is_as_the_log_says(database) {
        let (bridge, member) = decided(database).await;
        assert_eq!(wrong(&bridge).await, [""; 0]);
        unlink_from(&bridge, &member).await.unwrap();
        assert_eq!(wrong(&bridge).await, [""; 0], "a link that ends");
        link_to(&bridge, &member, "another").await.unwrap();
        let until = bridge.now() + SignedDuration::from_hours(1);
        bridge.share_by(&member, json!({"categories": {"mood": "every-entry"}, "valid_until": until.to_string()})).await;
        bridge.clock.advance(SignedDuration::from_hours(2));
        bridge.grant(&member, &["mood"]).await;
        assert_eq!(wrong(&bridge).await, [""; 0], "one that was over when the next one was given");
        bridge.share_by(&bridge.person("wren", "18").await, json!({"categories": {"mood": "every-entry"}})).await;
        assert_eq!(wrong(&bridge).await, [""; 0], "and somebody else's");
    }
}

on_both_databases! {
    async fn terms_that_were_widened_are_found(database) {
        let (bridge, member) = decided(database).await;
        let said = found(&bridge, "UPDATE grants SET terms = REPLACE(terms, '\"note\":', '\"tags\":') WHERE state = 'paused'").await;
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].starts_with(&format!("chain riverside/{}, consent ", member.id)), "{said:?}");
        assert!(said[0].ends_with("version 2: its terms in the database are not those that the member gave"), "{said:?}");
    }
}

on_both_databases! {
    async fn a_consent_that_was_brought_back_is_found(database) {
        let (bridge, _) = decided(database).await;
        let said = found(&bridge, "UPDATE grants SET state = 'active' WHERE state = 'paused'").await;
        assert!(said.len() == 1 && said[0].ends_with("it is active in the database, and the log left it paused"), "{said:?}");
        let said = found(&bridge, "UPDATE grants SET state = 'revoked' WHERE state = 'active'; \
             UPDATE grants SET state = 'active' WHERE state = 'revoked' AND version = 1").await;
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said.iter().any(|said| said.ends_with("it is active in the database, and the log left it revoked")), "{said:?}");
    }
}

on_both_databases! {
    async fn a_consent_that_nobody_gave_and_one_that_is_gone_are_found(database) {
        let (bridge, _) = decided(database).await;
        let said = found(&bridge, "DELETE FROM grants WHERE state = 'superseded'").await;
        assert!(said.len() == 1 && said[0].contains("version 1: it was deleted from the database"), "{said:?}");
        let copied = |clinic: &str| format!(
            "INSERT INTO grants (member_id, grant_id, version, clinic_id, state, terms, created_at) SELECT member_id, \
             grant_id, version + 7, {clinic}, 'revoked', terms, 0 FROM grants WHERE state = 'paused'"
        );
        let said = found(&bridge, &copied("clinic_id")).await;
        assert!(said.len() == 2 && said[0].contains("version 9: the log knows nothing of it"), "{said:?}");
        let said = found(&bridge, &copied("'hillside'").replace("version + 7", "version + 8")).await;
        assert!(said.len() == 3 && said[2].starts_with("chain hillside/"), "where nothing ever happened: {said:?}");
    }
}

on_both_databases! {
    async fn of_an_erased_member_nothing_is_missed(database) {
        let (bridge, member) = decided(database).await;
        request(&bridge, &member, AT_ONCE).await;
        bridge.chores().await;
        assert_eq!((bridge.database.count("grants").await, wrong(&bridge).await), (0, vec![]));
    }
}
