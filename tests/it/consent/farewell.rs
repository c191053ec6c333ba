//! What a member lent, after consent has ended: the clinic is told of the end with it, and then it is given back.

use jiff::SignedDuration;
use mostik::delivery::smart_auth::patient::TokenSet;
use mostik::domain::consented::Method;
use mostik::pipeline::consent;
use mostik::sandbox::{Fault, FaultKind};
use reqwest::Method as Http;
use serde_json::json;

use crate::on_both_databases;
use crate::support::authority::Authority;
use crate::support::bridge::{Person, TestBridge, config_text, mood};
use crate::support::consents::{is, standing};
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::gate::{Gate, Tokens};
use crate::support::http;
use crate::support::launch::{some_tokens, store};
use crate::support::linking::{LaunchHouse, lending_config, unlink_from};
use crate::vault::erasing::{AT_ONCE, request};

/// A member who lent a bridge the access to an EHR that takes Consent, and shares their mood there.
struct Lending {
    bridge: TestBridge,
    member: Person,
    grant: String,
    ehr: Ehr,
    gate: Gate,
}

impl Lending {
    async fn with(database: Database) -> Self {
        let ehr = Ehr::sandbox().await;
        let gate = Gate::before(&ehr.base, Tokens::Own);
        let text = config_text(&database, &gate.base, "127.0.0.1:0").replace("consent = false", "consent = true");
        let auth =
            "[clinics.riverside.auth]\nmethod = \"patient\"\nclient_id = \"m\"\nclient_authentication = \"none\"\n";
        let text = text.replace("lease_seconds = 3", "lease_seconds = 4") + auth;
        let bridge = TestBridge::start_with(database, &text).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        let lending = Self { grant: bridge.grant(&member, &["mood"]).await, bridge, member, ehr, gate };
        lending.connect().await;
        lending.bridge.send(&mood("1", "sparrow", 4)).await;
        lending.bridge.deliver().await;
        assert_eq!(standing(&lending.ehr).await, is("active", "active", "1"));
        lending
    }

    /// The member lends their access.
    async fn connect(&self) {
        let url = format!("{}/token", self.gate.base.trim_end_matches("/fhir"));
        let answer = http::call(Http::POST, &url, None, Some(&json!({}))).await.json;
        let tokens = TokenSet {
            access: answer["access_token"].as_str().unwrap().into(),
            refresh: None,
            scope: "patient/*.cruds".to_owned(),
            expires_at: self.bridge.now() + SignedDuration::from_hours(1),
            ..some_tokens(&self.bridge)
        };
        store(&self.bridge, self.member.id, &tokens).await;
    }

    async fn revoke(&self) {
        assert_eq!(self.bridge.change_grant(&self.member, &self.grant, "revoke").await.status, 200);
    }

    async fn is_lent(&self) -> bool {
        self.bridge.database.count("patient_tokens").await == 1
    }

    fn nobody_changes(&self, resource_type: &str) {
        let fault = Fault::always(FaultKind::Status { code: 503, retry_after: None }).on("PUT", resource_type);
        self.ehr.sandbox.as_ref().unwrap().faults().switch_on(fault);
    }
}

on_both_databases! {
    async fn the_clinic_is_told_of_the_end_with_what_was_lent_and_nothing_else_goes(database) {
        let lending = Box::pin(Lending::with(database)).await;
        lending.bridge.send(&mood("2", "sparrow", 3)).await;
        lending.revoke().await;
        lending.bridge.chores().await;
        assert!(lending.is_lent().await, "as long as there is something to tell");
        assert_eq!(lending.bridge.send(&json!([mood("3", "sparrow", 2)])).await.json["results"][0]["status"], "refused");
        lending.bridge.deliver().await;
        assert_eq!(standing(&lending.ehr).await, is("inactive", "revoked", "2"));
        assert_eq!(lending.ehr.observations().await.len(), 1, "what waited was withdrawn");
        lending.bridge.chores().await;
        assert!(!lending.is_lent().await, "and no longer");
    }
}

on_both_databases! {
    async fn a_link_that_ends_is_told_so_too(database) {
        let lending = Box::pin(Lending::with(database)).await;
        assert!(unlink_from(&lending.bridge, &lending.member).await.unwrap().lent.is_none(), "it is still needed");
        lending.bridge.deliver().await;
        assert_eq!(standing(&lending.ehr).await, is("inactive", "revoked", "2"));
        lending.bridge.chores().await;
        assert!(!lending.is_lent().await);
    }
}

on_both_databases! {
    async fn what_the_clinic_is_asked_to_mark_in_the_same_stroke_is_marked(database) {
        let lending = Box::pin(Lending::with(database)).await;
        let mut tx = lending.bridge.bridge.store.begin().await.unwrap();
        let (member, grant) = (lending.member.id, lending.grant.parse().unwrap());
        let now = lending.bridge.now();
        consent::revoke(&lending.bridge.bridge, &mut tx, member, grant, Method::Portal, true, now).await.unwrap();
        tx.commit().await.unwrap();
        lending.bridge.deliver().await;
        assert_eq!(lending.ehr.observations().await[0]["status"], "entered-in-error");
        assert_eq!(standing(&lending.ehr).await, is("inactive", "revoked", "2"));
        lending.bridge.chores().await;
        assert!(!lending.is_lent().await);
    }
}

on_both_databases! {
    async fn a_clinic_that_cannot_be_told_within_ten_minutes_is_not_told(database) {
        let lending = Box::pin(Lending::with(database)).await;
        lending.nobody_changes("Consent");
        lending.revoke().await;
        lending.bridge.deliver_in_time_of(SignedDuration::from_mins(9)).await;
        lending.bridge.clock.advance(SignedDuration::from_micros(59_999_999));
        lending.bridge.chores().await;
        assert!(lending.is_lent().await);
        lending.bridge.clock.advance(SignedDuration::from_micros(1));
        lending.bridge.chores().await;
        assert!(!lending.is_lent().await, "ten minutes are the most");
        lending.ehr.sandbox.as_ref().unwrap().faults().clear();
        lending.bridge.deliver_in_time().await;
        assert_eq!(standing(&lending.ehr).await, is("active", "active", "1"), "it cannot be told any more");
        assert_eq!(lending.bridge.open_items().await, 0, "and nobody goes on trying");
    }
}

on_both_databases! {
    async fn whoever_connects_anew_meanwhile_lends_anew(database) {
        let lending = Box::pin(Lending::with(database)).await;
        lending.nobody_changes("Consent");
        lending.revoke().await;
        lending.connect().await;
        lending.bridge.clock.advance(SignedDuration::from_mins(10));
        lending.bridge.chores().await;
        assert!(lending.is_lent().await, "that is another loan, for another consent");
    }
}

on_both_databases! {
    async fn when_its_time_is_over_it_is_given_back(database) {
        let authority = Authority::start();
        let text = lending_config(&database, &authority.base, "mostik", "none");
        let house = LaunchHouse::with(database, &text).await;
        authority.answer_says(json!({"refresh_token": "a-refresh-token"}));
        let back = authority.sign_in(&house.begin("a-session").await.unwrap());
        house.complete("a-session", &back).await.unwrap();
        let grant = house.bridge.grant(&house.member, &["mood"]).await;
        house.bridge.send(&mood("1", "sparrow", 4)).await;
        // It was under way when consent ended: whether it arrived is still to be found out.
        house.bridge.database.run("UPDATE outbox SET state = 'sending'").await;
        house.bridge.change_grant(&house.member, &grant, "revoke").await;
        house.bridge.chores().await;
        assert_eq!((house.bridge.database.count("patient_tokens").await, authority.taken_back()), (1, vec![]));
        house.bridge.clock.advance(SignedDuration::from_mins(10));
        house.bridge.chores().await;
        assert_eq!(house.bridge.database.count("patient_tokens").await, 0);
        assert_eq!(authority.taken_back(), [("a-refresh-token".to_owned(), "refresh_token".to_owned())]);
    }
}

on_both_databases! {
    async fn where_nothing_is_left_to_tell_it_is_forgotten_at_once_and_given_back(database) {
        let authority = Authority::start();
        let text = lending_config(&database, &authority.base, "mostik", "none");
        let house = LaunchHouse::with(database, &text).await;
        authority.answer_says(json!({"refresh_token": "a-refresh-token"}));
        let back = authority.sign_in(&house.begin("a-session").await.unwrap());
        house.complete("a-session", &back).await.unwrap();
        let grant = house.bridge.grant(&house.member, &["mood"]).await;
        assert_eq!(house.bridge.change_grant(&house.member, &grant, "revoke").await.status, 200);
        assert_eq!(house.bridge.database.count("patient_tokens").await, 0, "forgotten in the same stroke");
        // The member has their answer; the clinic is told meanwhile.
        tokio::time::timeout(std::time::Duration::from_mins(1), authority.until_taken_back()).await.unwrap();
        assert_eq!(authority.taken_back(), [("a-refresh-token".to_owned(), "refresh_token".to_owned())]);
    }
}

on_both_databases! {
    async fn an_erasure_gives_back_what_was_lent(database) {
        let authority = Authority::start();
        let text = lending_config(&database, &authority.base, "mostik", "none");
        let house = LaunchHouse::with(database, &text).await;
        authority.answer_says(json!({"refresh_token": "a-refresh-token"}));
        let back = authority.sign_in(&house.begin("a-session").await.unwrap());
        house.complete("a-session", &back).await.unwrap();
        house.bridge.grant(&house.member, &["mood"]).await;
        request(&house.bridge, &house.member, AT_ONCE).await;
        house.bridge.chores().await;
        assert_eq!(authority.taken_back(), [("a-refresh-token".to_owned(), "refresh_token".to_owned())]);
    }
}
