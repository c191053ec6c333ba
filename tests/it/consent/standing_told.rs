//! How a consent stands, as the clinic learns it: on the same lane, in order, and never in the way of anything else.

use jiff::SignedDuration;
use mostik::domain::consented::Method;
use mostik::domain::delivery::DeliveryState;
use mostik::pipeline::consent;
use mostik::sandbox::{Fault, FaultKind};
use mostik::store::EndedBy;

use serde_json::json;

use crate::on_every_database;
use crate::support::bridge::{Person, TestBridge, mood, riverside};
use crate::support::consents::{consents, hears, is, standing};
use crate::support::database::Database;
use crate::support::ehr::{Ehr, create_patient, observations};
use crate::support::outbox;

/// A member who shares their mood with a clinic that hears how consents stand, and has heard nothing yet; and the grant.
async fn sharing(database: Database, ehr: &Ehr) -> (TestBridge, Person, String) {
    let bridge = hears(database, ehr).await;
    let member = bridge.person("sparrow", &ehr.patient).await;
    let grant = bridge.grant(&member, &["mood"]).await;
    (bridge, member, grant)
}

on_every_database! {
    async fn one_consent_follows_a_grant_through_its_life(database) {
        let ehr = Ehr::sandbox().await;
        let (bridge, member, grant) = sharing(database, &ehr).await;
        bridge.deliver().await;
        assert_eq!(standing(&ehr).await, is("active", "active", "1"));
        bridge.change_grant(&member, &grant, "pause").await;
        bridge.deliver().await;
        assert_eq!(standing(&ehr).await, is("inactive", "paused", "2"));
        bridge.change_grant(&member, &grant, "resume").await;
        bridge.deliver().await;
        assert_eq!(standing(&ehr).await, is("active", "active", "3"));
        let more = json!({"categories": {"note": "every-entry"}, "notice": {"version": 1, "language": "ru"}});
        bridge.as_member(&member, reqwest::Method::PUT, &format!("/v1/grants/{grant}"), Some(&more)).await;
        bridge.deliver().await;
        assert_eq!(standing(&ehr).await, is("active", "active", "4"));
        let now = consents(&ehr).await.remove(0);
        assert_eq!(now["provision"]["provision"][0]["code"][0]["coding"][0]["code"], "note-every-entry");
        assert!(now["sourceAttachment"]["data"].is_string() && now["text"]["div"].as_str().unwrap().contains("каждая"));
        bridge.change_grant(&member, &grant, "revoke").await;
        bridge.deliver().await;
        assert_eq!(standing(&ehr).await, is("inactive", "revoked", "5"), "although consent has ended");
        bridge.grant(&member, &["mood"]).await;
        bridge.deliver().await;
        assert_eq!(consents(&ehr).await.len(), 2, "a grant given anew is another one");
    }
}

on_every_database! {
    async fn the_end_of_a_consent_is_told_and_what_waited_is_not(database) {
        let ehr = Ehr::sandbox().await;
        let (bridge, member, grant) = sharing(database, &ehr).await;
        bridge.deliver().await;
        bridge.send(&mood("1", "sparrow", 4)).await;
        bridge.change_grant(&member, &grant, "revoke").await;
        bridge.deliver().await;
        assert_eq!(standing(&ehr).await, is("inactive", "revoked", "2"));
        assert_eq!(ehr.observations().await.len(), 0);
    }
}

on_every_database! {
    async fn a_clinic_that_never_heard_of_a_consent_is_not_told_of_its_end(database) {
        let ehr = Ehr::sandbox().await;
        let (bridge, member, grant) = sharing(database, &ehr).await;
        bridge.change_grant(&member, &grant, "revoke").await;
        bridge.deliver().await;
        assert_eq!(consents(&ehr).await.len(), 0);
        assert_eq!(bridge.open_items().await, 0);
    }
}

on_every_database! {
    async fn a_pause_is_told_during_the_pause_although_entries_wait(database) {
        let ehr = Ehr::sandbox().await;
        let (bridge, member, grant) = sharing(database, &ehr).await;
        bridge.deliver().await;
        bridge.send(&mood("1", "sparrow", 4)).await;
        bridge.change_grant(&member, &grant, "pause").await;
        bridge.deliver().await;
        assert_eq!(standing(&ehr).await, is("inactive", "paused", "2"));
        assert_eq!((ehr.observations().await.len(), bridge.count(DeliveryState::Ready).await), (0, 1));
        let more = json!({"categories": {"mood": "every-entry", "note": "every-entry"}});
        bridge.as_member(&member, reqwest::Method::PUT, &format!("/v1/grants/{grant}"), Some(&more)).await;
        bridge.deliver().await;
        assert_eq!(standing(&ehr).await, is("inactive", "paused", "3"), "and so is a change during it");
        bridge.change_grant(&member, &grant, "resume").await;
        bridge.deliver_in_time().await;
        assert_eq!(standing(&ehr).await, is("active", "active", "4"));
        assert_eq!(ehr.observations().await.len(), 1);
    }
}

on_every_database! {
    async fn an_ehr_that_takes_no_consent_gets_everything_else(database) {
        let ehr = Ehr::without_conditional_create().await;
        let (bridge, member, grant) = sharing(database, &ehr).await;
        bridge.send(&mood("1", "sparrow", 4)).await;
        bridge.deliver().await;
        assert_eq!((consents(&ehr).await.len(), ehr.observations().await.len()), (0, 1));
        let first = &outbox::items(&bridge, &member).await[0];
        assert_eq!((first.state.as_str(), first.reason.as_deref()), ("withdrawn", Some("consent-not-taken")));
        bridge.change_grant(&member, &grant, "revoke").await;
        bridge.deliver().await;
        assert_eq!(bridge.open_items().await, 0);
    }
}

on_every_database! {
    async fn an_ehr_that_only_says_it_takes_consent_holds_nothing_up_for_long(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = hears(database, &ehr).await;
        for (code, state, reason) in
            [(404, "withdrawn", "consent-not-taken"), (422, "rejected", "http-422"), (500, "dead", "http-500")]
        {
            let fault = Fault::always(FaultKind::Status { code, retry_after: None }).on("POST", "Consent");
            ehr.sandbox.as_ref().unwrap().faults().replace(vec![fault]);
            let patient = create_patient(&ehr.base).await;
            let member = bridge.person(reason, &patient).await;
            bridge.grant(&member, &["mood"]).await;
            bridge.send(&mood(reason, reason, 4)).await;
            bridge.deliver_in_time_of(SignedDuration::from_hours(1)).await;
            assert_eq!(observations(&ehr.base, &patient).await.len(), 1, "{reason}");
            let first = &outbox::items(&bridge, &member).await[0];
            assert_eq!((first.state.as_str(), first.reason.as_deref()), (state, Some(reason)));
        }
    }
}

on_every_database! {
    async fn an_answer_that_never_came_makes_no_second_consent(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = hears(database, &ehr).await;
        ehr.sandbox.as_ref().unwrap().faults().switch_on(Fault::once(FaultKind::LostReply).on("POST", "Consent"));
        let member = bridge.person("sparrow", &ehr.patient).await;
        let grant = bridge.grant(&member, &["mood"]).await;
        bridge.deliver().await;
        bridge.change_grant(&member, &grant, "revoke").await;
        bridge.deliver_in_time().await;
        assert_eq!(standing(&ehr).await, is("inactive", "revoked", "2"));
    }
}

on_every_database! {
    async fn where_the_operator_says_no_nothing_is_put_on_the_lane(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        bridge.grant(&member, &["mood"]).await;
        assert!(outbox::items(&bridge, &member).await.is_empty());
    }
}

on_every_database! {
    async fn what_a_member_withholds_is_not_even_named(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = hears(database, &ehr).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        let terms = json!({"categories": {"mood": "every-entry"}, "withheld": ["SUD", "HIV"],
            "notice": {"version": 1, "language": "en"}});
        let asked = json!({"clinic": "riverside", "terms": terms});
        bridge.as_member(&member, reqwest::Method::POST, "/v1/grants", Some(&asked)).await;
        bridge.deliver().await;
        let told = consents(&ehr).await.remove(0).to_string();
        assert!(!["SUD", "HIV", "addiction", "Never shared"].iter().any(|word| told.contains(word)), "{told}");
    }
}

on_every_database! {
    async fn a_link_that_ends_is_told_as_the_end_of_the_consent_and_leaves_a_receipt(database) {
        let ehr = Ehr::sandbox().await;
        let (bridge, member, _) = sharing(database, &ehr).await;
        bridge.deliver().await;
        bridge.send(&mood("1", "sparrow", 4)).await;
        let mut tx = bridge.bridge.store.begin().await.unwrap();
        let (clinic, by) = (riverside(), EndedBy::Member);
        let ended = consent::unlink(&bridge.bridge, &mut tx, member.id, &clinic, by, Method::Portal, bridge.now()).await;
        assert_eq!(ended.unwrap().withdrawn, 1);
        tx.commit().await.unwrap();
        bridge.deliver().await;
        assert_eq!(standing(&ehr).await, is("inactive", "revoked", "2"));
        assert_eq!((ehr.observations().await.len(), bridge.open_items().await), (0, 0));
        let receipts = consent::receipts(&mut bridge.bridge.store.read().await.unwrap(), member.id).await.unwrap();
        let changes: Vec<&str> = receipts.iter().map(|receipt| receipt.change.as_str()).collect();
        assert_eq!(changes, ["given", "revoked"]);
    }
}
