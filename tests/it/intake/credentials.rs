//! Who may call: keys and tokens in force, for what they are for, and for nobody else's things.

use mostik::enrolment::credentials::{create_api_key, create_member_token};
use reqwest::Method;
use serde_json::json;

use crate::on_every_database;
use crate::support::bridge::{TestBridge, forum, mood};
use crate::support::ehr::{Ehr, create_patient};
use crate::support::http::call;

on_every_database! {
    async fn only_a_key_in_force_sends_events(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        bridge.grant(&member, &["mood"]).await;
        let url = format!("{}/v1/events", bridge.api);
        let event = mood("1", "sparrow", 4);
        let altered = format!("{}0", bridge.api_key);
        for credential in [None, Some(""), Some("mk_x_y"), Some(altered.as_str()), Some(member.token.as_str())] {
            let got = call(Method::POST, &url, credential, Some(&event)).await;
            assert_eq!((got.status, got.json["field"].as_str()), (401, Some("Authorization")), "{credential:?}");
        }
        let key_id = bridge.api_key.split('_').nth(1).unwrap();
        let mut tx = bridge.bridge.store.begin().await.unwrap();
        tx.revoke_api_key(key_id, bridge.now()).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(bridge.send(&event).await.status, 401, "a revoked key is no key");
    }
}

on_every_database! {
    async fn a_key_without_the_scope_sends_nothing(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let mut tx = bridge.bridge.store.begin().await.unwrap();
        let key = create_api_key(&mut tx, &bridge.bridge.keyring, &forum(), "other:thing", bridge.now()).await.unwrap();
        tx.commit().await.unwrap();
        let url = format!("{}/v1/events", bridge.api);
        let got = call(Method::POST, &url, Some(&key.secret), Some(&mood("1", "sparrow", 4))).await;
        assert_eq!(got.status, 403);
    }
}

on_every_database! {
    async fn a_token_ends_at_the_very_instant(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        let hour = jiff::SignedDuration::from_hours(1);
        let mut tx = bridge.bridge.store.begin().await.unwrap();
        let token = create_member_token(&mut tx, &bridge.bridge.keyring, member.id, hour, bridge.now()).await.unwrap();
        tx.commit().await.unwrap();
        let url = format!("{}/v1/grants", bridge.api);
        bridge.clock.advance(hour - jiff::SignedDuration::from_micros(1));
        assert_eq!(call(Method::GET, &url, Some(&token), None).await.status, 200);
        bridge.clock.advance(jiff::SignedDuration::from_micros(1));
        assert_eq!(call(Method::GET, &url, Some(&token), None).await.status, 401);
    }
}

on_every_database! {
    async fn a_member_who_is_signed_out_is_signed_out(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        let mut tx = bridge.bridge.store.begin().await.unwrap();
        assert_eq!(tx.delete_member_tokens(member.id).await.unwrap(), 1);
        tx.commit().await.unwrap();
        assert_eq!(bridge.as_member(&member, Method::GET, "/v1/grants", None).await.status, 401);
    }
}

on_every_database! {
    async fn a_community_that_is_no_longer_configured_sends_nothing(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let stranger = "elsewhere".parse().unwrap();
        let mut tx = bridge.bridge.store.begin().await.unwrap();
        let key = create_api_key(&mut tx, &bridge.bridge.keyring, &stranger, "events:write", bridge.now()).await.unwrap();
        tx.commit().await.unwrap();
        let url = format!("{}/v1/events", bridge.api);
        assert_eq!(call(Method::POST, &url, Some(&key.secret), Some(&mood("1", "sparrow", 4))).await.status, 401);
    }
}

on_every_database! {
    async fn nobody_touches_another_members_consent(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let sparrow = bridge.person("sparrow", &ehr.patient).await;
        let wren = bridge.person("wren", &create_patient(&ehr.base).await).await;
        let grant = bridge.grant(&sparrow, &["mood"]).await;
        for how in ["pause", "resume", "revoke"] {
            assert_eq!(bridge.change_grant(&wren, &grant, how).await.status, 404, "{how}");
        }
        let terms = json!({"categories": {"note": "every-entry"}});
        let path = format!("/v1/grants/{grant}");
        assert_eq!(bridge.as_member(&wren, Method::PUT, &path, Some(&terms)).await.status, 404);
        let seen = bridge.as_member(&wren, Method::GET, "/v1/grants", None).await;
        assert_eq!(seen.json["grants"], json!([]));
        assert_eq!(bridge.as_member(&sparrow, Method::GET, "/v1/grants", None).await.json["grants"][0]["state"], "active");
    }
}

on_every_database! {
    async fn one_patient_belongs_to_one_member_and_one_name_too(database) {
        use mostik::enrolment::join::{EnrolError, join, link};
        use mostik::enrolment::link::LinkError;
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        bridge.person("sparrow", &ehr.patient).await;
        let wren = bridge.unlinked_person("wren").await;
        let (keyring, now) = (&bridge.bridge.keyring, bridge.now());
        let clinic = crate::support::bridge::riverside();
        let mut tx = bridge.bridge.store.begin().await.unwrap();
        let taken = link(&mut tx, keyring, wren.id, &clinic, &ehr.patient, "test", now).await;
        assert!(matches!(taken, Err(LinkError::PatientTaken { .. })), "{taken:?}");
        drop(tx);
        let mut tx = bridge.bridge.store.begin().await.unwrap();
        let taken = join(&mut tx, keyring, &forum(), "sparrow", now).await;
        assert!(matches!(taken, Err(EnrolError::HandleTaken)), "{taken:?}");
        drop(tx);
        let mut tx = bridge.bridge.store.begin().await.unwrap();
        let odd = link(&mut tx, keyring, wren.id, &clinic, "../Patient/1", "test", now).await;
        assert!(matches!(odd, Err(LinkError::PatientId)), "{odd:?}");
    }
}
