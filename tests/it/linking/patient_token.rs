//! What members lend: stored, used until shortly before its end, renewed, and gone when consent goes.

use jiff::SignedDuration;
use mostik::delivery::smart_auth::patient::{PatientAuth, TokenSet};
use mostik::delivery::smart_auth::{AccessToken, Connect, TokenError};
use mostik::store::{PatientTokensRow, PatientTokensState};
use secrecy::ExposeSecret;

use crate::on_both_databases;
use crate::support::bridge::{Person, TestBridge, config_text, riverside};
use crate::support::database::Database;
use crate::support::desk::Desk;
use crate::support::launch::{self, launch};
use crate::support::parts::part;
use crate::support::smart::{SmartFhir, present, use_known_key};

/// A bridge, and a member who launched at a real authorization server behind a desk.
pub struct Lent {
    pub bridge: TestBridge,
    pub desk: Desk,
    pub member: Person,
    pub tokens: TokenSet,
    server: String,
    client_id: &'static str,
}

impl Lent {
    /// With this client of the server's.
    pub async fn with(database: Database, client_id: &'static str) -> Option<Self> {
        let server = part("MOSTIK_TEST_AUTHORIZATION_SERVER", "the authorization server oidc-provider")?;
        let desk = Desk::before(&server);
        let text = config_text(&database, &desk.base, "127.0.0.1:0");
        let bridge = TestBridge::start_at(database, &text, present()).await;
        let member = bridge.person("sparrow", "a-patient").await;
        let answer = launch(&server, client_id, None).await;
        let tokens = launch::token_set(&bridge, &desk.issuer(), &answer);
        launch::store(&bridge, member.id, &tokens).await;
        Some(Self { bridge, desk, member, tokens, server, client_id })
    }

    /// Launches once more; returns what that gave, not stored yet.
    pub async fn launch_again(&self) -> TokenSet {
        let answer = launch(&self.server, self.client_id, None).await;
        launch::token_set(&self.bridge, &self.desk.issuer(), &answer)
    }

    /// A process of the bridge, with nothing in memory.
    pub fn process(&self) -> PatientAuth {
        launch::process(&self.bridge, &self.desk.base, self.client_id, false)
    }

    pub async fn row(&self) -> Option<PatientTokensRow> {
        let mut tx = self.bridge.bridge.store.read().await.unwrap();
        tx.patient_tokens(&riverside(), self.member.id).await.unwrap()
    }

    pub fn pass(&self, seconds: i64) {
        self.bridge.clock.advance(SignedDuration::from_secs(seconds));
    }
}

/// What is sent to the EHR.
pub fn sent(token: &AccessToken) -> String {
    token.header().unwrap().to_str().unwrap().to_owned()
}

fn sent_of(tokens: &TokenSet) -> String {
    format!("Bearer {}", tokens.access.expose_secret())
}

fn refresh_of(tokens: &TokenSet) -> Option<String> {
    tokens.refresh.as_ref().map(|token| token.expose_secret().to_owned())
}

on_both_databases! {
    async fn a_lent_token_is_used_and_renewed_before_its_end_with_the_newest_refresh_token(database) {
        let Some(lent) = Lent::with(database, "launch-public").await else { return };
        let (auth, member) = (lent.process(), lent.member.id);
        assert!(auth.at_hand(member).is_none(), "nothing is read without being asked for");
        let first = auth.token(member).await.unwrap();
        assert_eq!(sent(&first), sent_of(&lent.tokens));
        lent.pass(239);
        assert_eq!(sent(&auth.at_hand(member).unwrap()), sent(&first));
        assert_eq!(lent.desk.asked(), 0);
        lent.pass(1);
        assert!(auth.at_hand(member).is_none(), "a minute before its end it is renewed");
        let second = auth.token(member).await.unwrap();
        assert_ne!(sent(&second), sent(&first));
        assert_eq!((lent.desk.asked(), lent.desk.last("refresh_token")), (1, refresh_of(&lent.tokens)));
        assert_eq!(lent.desk.last("grant_type").as_deref(), Some("refresh_token"));
        assert_eq!(lent.desk.last("client_id").as_deref(), Some("launch-public"));
        let restarted = lent.process();
        assert_eq!(sent(&restarted.token(member).await.unwrap()), sent(&second), "what is used is stored");
        assert_eq!(lent.desk.asked(), 1);
        lent.pass(240);
        let third = restarted.token(member).await.unwrap();
        assert_ne!(sent(&third), sent(&second));
        assert_ne!(lent.desk.last("refresh_token"), refresh_of(&lent.tokens), "the rotated one");
        assert!(third.may("Observation", "c"));
        assert_eq!(auth.state(member).missing, Vec::<String>::new());
    }
}

on_both_databases! {
    async fn a_refresh_token_that_is_not_replaced_stays(database) {
        let Some(lent) = Lent::with(database, "launch-steady").await else { return };
        let (auth, member) = (lent.process(), lent.member.id);
        for times in 1..=2 {
            lent.pass(300);
            let token = auth.token(member).await.unwrap();
            assert_eq!((lent.desk.asked(), lent.desk.last("refresh_token")), (times, refresh_of(&lent.tokens)));
            assert_eq!(token.granted, lent.tokens.scope, "without a word about scopes, they stay too");
        }
    }
}

on_both_databases! {
    async fn a_client_that_signs_renews_too(database) {
        let Some(fhir) = SmartFhir::find() else { return };
        let Some(server) = part("MOSTIK_TEST_AUTHORIZATION_SERVER", "the authorization server oidc-provider") else {
            return;
        };
        use_known_key(&database, &fhir.keys, "ES384");
        let keys = database.folder.path().join("keys");
        let desk = Desk::before(&server);
        desk.send_to(&format!("{server}/token"));
        let text = config_text(&database, &desk.base, "127.0.0.1:0");
        let bridge = TestBridge::start_at(database, &text, present()).await;
        let member = bridge.person("sparrow", "a-patient").await;
        let answer = launch(&server, "launch-signed", Some(&keys)).await;
        let given = launch::token_set(&bridge, &server, &answer);
        // Due at once: the server's clock cannot be moved, and it looks at the assertion's end.
        let tokens = TokenSet { issued_at: given.issued_at - SignedDuration::from_secs(270),
            expires_at: given.issued_at + SignedDuration::from_secs(30), ..given.clone() };
        launch::store(&bridge, member.id, &tokens).await;
        let auth = launch::process(&bridge, &desk.base, "launch-signed", true);
        let renewed = auth.token(member.id).await.unwrap();
        assert_eq!(auth.state(member.id).failure, None);
        assert_ne!(sent(&renewed), sent_of(&given));
        launch::store(&bridge, member.id, &tokens).await;
        let unsigned = launch::process(&bridge, &desk.base, "launch-signed", false);
        unsigned.token(member.id).await.unwrap();
        let failure = unsigned.state(member.id).failure.unwrap();
        assert!(failure.to_string().contains("auth.client_authentication"), "it did look at the signature: {failure}");
    }
}

on_both_databases! {
    async fn fewer_scopes_than_asked_for_are_shown(database) {
        let Some(lent) = Lent::with(database, "launch-narrow").await else { return };
        let (auth, member) = (lent.process(), lent.member.id);
        lent.pass(240);
        let token = auth.token(member).await.unwrap();
        assert_eq!(lent.desk.asked(), 1);
        assert!(!token.may("Observation", "c"));
        let state = auth.state(member);
        assert_eq!(state.missing, ["patient/Observation.cruds"]);
        assert_eq!((state.asked.as_str(), state.granted), (launch::SCOPES, Some("launch/patient patient/Patient.r".into())));
    }
}

on_both_databases! {
    async fn twenty_who_ask_at_once_make_one_request(database) {
        let Some(lent) = Lent::with(database, "launch-public").await else { return };
        let (auth, member) = (lent.process(), lent.member.id);
        lent.pass(300);
        let all = futures_util::future::join_all((0..20).map(|_| auth.token(member))).await;
        let tokens: Vec<String> = all.into_iter().map(|token| sent(&token.unwrap())).collect();
        assert!(tokens.iter().all(|token| *token == tokens[0]));
        assert_eq!(lent.desk.asked(), 1);
    }
}

on_both_databases! {
    async fn while_one_renews_early_the_others_go_on_with_what_is_still_good(database) {
        let Some(lent) = Lent::with(database, "launch-public").await else { return };
        let (auth, member) = (lent.process(), lent.member.id);
        let first = auth.token(member).await.unwrap();
        lent.pass(240);
        let gate = lent.desk.hold();
        let (renewed, meanwhile) = tokio::join!(auth.token(member), async {
            let meanwhile = auth.token(member).await.unwrap();
            gate.add_permits(1);
            meanwhile
        });
        assert_eq!(sent(&meanwhile), sent(&first));
        assert_ne!(sent(&renewed.unwrap()), sent(&first));
    }
}

on_both_databases! {
    async fn a_token_that_the_ehr_refused_is_not_used_again(database) {
        let Some(lent) = Lent::with(database, "launch-public").await else { return };
        let (auth, member) = (lent.process(), lent.member.id);
        let first = auth.token(member).await.unwrap();
        auth.forget(member, &first);
        assert!(auth.at_hand(member).is_none());
        let second = auth.token(member).await.unwrap();
        assert_ne!(sent(&second), sent(&first), "although the stored one has not ended");
        auth.forget(member, &first);
        assert_eq!(sent(&auth.at_hand(member).unwrap()), sent(&second), "it was replaced in the meantime");
        assert_eq!(lent.desk.asked(), 1);
    }
}

on_both_databases! {
    async fn whoever_never_connected_is_told_so(database) {
        let Some(lent) = Lent::with(database, "launch-public").await else { return };
        let wren = lent.bridge.person("wren", "another-patient").await;
        let error = lent.process().token(wren.id).await.unwrap_err();
        assert_eq!(error, TokenError::Connect(Connect::First));
        assert!(error.to_string().contains("has not connected this clinic"), "{error}");
    }
}

on_both_databases! {
    async fn what_cannot_be_renewed_is_used_to_its_end(database) {
        let Some(lent) = Lent::with(database, "launch-public").await else { return };
        let (auth, member) = (lent.process(), lent.member.id);
        launch::store(&lent.bridge, member, &TokenSet { refresh: None, ..lent.tokens.clone() }).await;
        lent.pass(299);
        auth.token(member).await.unwrap();
        assert_eq!(auth.state(member).missing, ["offline_access"]);
        lent.pass(1);
        let error = auth.token(member).await.unwrap_err();
        assert_eq!((error, lent.desk.asked()), (TokenError::Connect(Connect::Ended), 0));
    }
}

on_both_databases! {
    async fn revoked_consent_takes_what_was_lent_with_it_and_a_pause_does_not(database) {
        let Some(lent) = Lent::with(database, "launch-public").await else { return };
        let grant = lent.bridge.grant(&lent.member, &["mood"]).await;
        assert_eq!(lent.bridge.change_grant(&lent.member, &grant, "pause").await.status, 200);
        assert_eq!(lent.row().await.unwrap().state, PatientTokensState::Good);
        let others = lent.bridge.person("wren", "another-patient").await;
        launch::store(&lent.bridge, others.id, &lent.tokens).await;
        assert_eq!(lent.bridge.change_grant(&lent.member, &grant, "revoke").await.status, 200);
        assert!(lent.row().await.is_none());
        let error = lent.process().token(lent.member.id).await.unwrap_err();
        assert_eq!(error, TokenError::Connect(Connect::First));
        lent.process().token(others.id).await.unwrap();
    }
}

on_both_databases! {
    async fn a_refresh_token_never_goes_to_another_server(database) {
        let Some(lent) = Lent::with(database, "launch-public").await else { return };
        let elsewhere = Desk::before(&lent.server);
        lent.desk.send_to(&format!("{}/token", elsewhere.issuer()));
        lent.pass(300);
        let error = lent.process().token(lent.member.id).await.unwrap_err();
        assert_eq!(error, TokenError::IssuerMoved { from: lent.desk.issuer(), to: elsewhere.issuer() });
        assert_eq!((elsewhere.asked(), lent.desk.asked()), (0, 0));
    }
}
