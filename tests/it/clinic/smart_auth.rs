//! SMART Backend Services: a token where one is wanted, one request for all, and plain words when there is none.

use jiff::SignedDuration;
use mostik::delivery::smart_auth::{OAuthCode, TokenError, Why};
use mostik::domain::delivery::DeliveryState;
use mostik::domain::entropy::{Entropy, SeededEntropy};
use mostik::sandbox::{Fault, FaultKind};

use crate::on_both_databases;
use crate::support::bridge::{TestBridge, mood};
use crate::support::database::Database;
use crate::support::ehr::{Ehr, create_patient, create_patient_as, observations_as};
use crate::support::gate::{Gate, Tokens};
use crate::support::smart::{SmartFhir, ask, smart_bridge, smart_config, use_known_key, use_unknown_key};

const ON_TIME: SignedDuration = SignedDuration::ZERO;

on_both_databases! {
    async fn a_mood_lands_in_an_ehr_that_wants_tokens(database) {
        let Some(fhir) = SmartFhir::find() else { return };
        use_known_key(&database, &fhir.keys, "ES384");
        lands_in(database, &fhir, "mostik-es384").await;
    }
}

on_both_databases! {
    async fn it_lands_with_an_rsa_key_too(database) {
        let Some(fhir) = SmartFhir::find() else { return };
        use_known_key(&database, &fhir.keys, "RS384");
        lands_in(database, &fhir, "mostik-rs384").await;
    }
}

async fn lands_in(database: Database, fhir: &SmartFhir, client_id: &str) {
    let patient = create_patient_as(&fhir.base, Some(&fhir.admin)).await;
    let bridge = smart_bridge(database, &fhir.base, client_id).await;
    let member = bridge.person("sparrow", &patient).await;
    bridge.grant(&member, &["mood"]).await;
    assert_eq!(bridge.send(&mood("1", "sparrow", 4)).await.status, 202);
    bridge.deliver().await;
    assert_eq!(bridge.count(DeliveryState::Confirmed).await, 1, "{:?}", bridge.counts().await);
    let charted = observations_as(&fhir.base, &patient, Some(&fhir.admin)).await;
    assert_eq!(charted.len(), 1);
    assert_eq!(charted[0]["valueQuantity"]["value"], 4);
}

/// A bridge at a gate, in front of the sandbox, with one member who consented.
async fn at_the_gate(database: Database) -> (TestBridge, Gate, Ehr) {
    let ehr = Ehr::sandbox().await;
    let gate = Gate::before(&ehr.base, Tokens::Own);
    use_unknown_key(&database);
    let bridge = smart_bridge(database, &gate.base, "mostik").await;
    let member = bridge.person("sparrow", &ehr.patient).await;
    bridge.grant(&member, &["mood"]).await;
    (bridge, gate, ehr)
}

on_both_databases! {
    async fn a_token_is_used_again_and_renewed_before_its_end(database) {
        let (bridge, gate, ehr) = at_the_gate(database).await;
        for (event, seconds, asked) in [("1", 0, 1), ("2", 239, 1), ("3", 1, 2), ("4", 239, 2)] {
            bridge.clock.advance(SignedDuration::from_secs(seconds));
            bridge.send(&mood(event, "sparrow", 4)).await;
            bridge.deliver().await;
            assert_eq!(gate.asked(), asked, "after event {event}");
        }
        assert_eq!(gate.refused_and_passed().0, 0, "no request went out with a token that was no good");
        assert_eq!(ehr.observations().await.len(), 4);
        assert_eq!(gate.discovered(), 1);
    }
}

on_both_databases! {
    async fn a_token_refused_in_between_is_replaced_at_once(database) {
        let (bridge, gate, ehr) = at_the_gate(database).await;
        bridge.send(&mood("1", "sparrow", 4)).await;
        bridge.deliver().await;
        gate.revoke_all();
        bridge.send(&mood("2", "sparrow", 2)).await;
        bridge.deliver().await;
        assert_eq!((gate.asked(), gate.refused_and_passed().0), (2, 1));
        assert_eq!(bridge.count(DeliveryState::Confirmed).await, 2, "without waiting: {:?}", bridge.counts().await);
        assert_eq!(ehr.observations().await.len(), 2);
    }
}

on_both_databases! {
    async fn a_token_refused_while_searching_is_replaced_at_once(database) {
        let (bridge, gate, ehr) = at_the_gate(database).await;
        let fault = Fault::once(FaultKind::Status { code: 500, retry_after: None }).on("POST", "Observation");
        ehr.sandbox.as_ref().unwrap().faults().switch_on(fault);
        bridge.send(&mood("1", "sparrow", 4)).await;
        bridge.deliver().await;
        assert_eq!(bridge.count(DeliveryState::Unknown).await, 1);
        gate.revoke_all();
        bridge.clock.advance(SignedDuration::from_secs(10));
        bridge.deliver().await;
        bridge.clock.advance(SignedDuration::from_secs(1));
        bridge.deliver().await;
        assert_eq!(bridge.count(DeliveryState::Confirmed).await, 1, "{:?}", bridge.counts().await);
        assert_eq!((gate.asked(), ehr.observations().await.len()), (2, 1));
    }
}

on_both_databases! {
    async fn an_ehr_that_refuses_every_token_is_not_asked_in_a_loop(database) {
        let (bridge, gate, ehr) = at_the_gate(database).await;
        let fault = Fault::always(FaultKind::Status { code: 401, retry_after: None }).on("POST", "Observation");
        ehr.sandbox.as_ref().unwrap().faults().switch_on(fault);
        bridge.send(&mood("1", "sparrow", 4)).await;
        bridge.deliver().await;
        assert_eq!(bridge.count(DeliveryState::Retry).await, 1);
        assert_eq!(gate.asked(), 1);
    }
}

on_both_databases! {
    async fn a_token_that_served_is_replaced_once_and_then_the_item_waits(database) {
        let (bridge, gate, ehr) = at_the_gate(database).await;
        bridge.send(&mood("1", "sparrow", 4)).await;
        bridge.deliver().await;
        let fault = Fault::always(FaultKind::Status { code: 401, retry_after: None }).on("POST", "Observation");
        ehr.sandbox.as_ref().unwrap().faults().switch_on(fault);
        bridge.send(&mood("2", "sparrow", 2)).await;
        bridge.deliver().await;
        assert_eq!(bridge.count(DeliveryState::Retry).await, 1, "{:?}", bridge.counts().await);
        assert_eq!(gate.asked(), 2);
    }
}

on_both_databases! {
    async fn fifty_sends_at_once_ask_for_one_token(database) {
        let ehr = Ehr::sandbox().await;
        let gate = Gate::before(&ehr.base, Tokens::Own);
        use_unknown_key(&database);
        let bridge = smart_bridge(database, &gate.base, "mostik").await;
        for bird in 0..50 {
            let handle = format!("bird-{bird}");
            let member = bridge.person(&handle, &create_patient(&ehr.base).await).await;
            bridge.grant(&member, &["mood"]).await;
            bridge.send(&mood(&handle, &handle, 3)).await;
        }
        let workers = (0..50).map(|_| bridge.desks.drain());
        for outcome in futures_util::future::join_all(workers).await {
            outcome.unwrap();
        }
        assert_eq!(bridge.count(DeliveryState::Confirmed).await, 50, "{:?}", bridge.counts().await);
        assert_eq!((gate.asked(), gate.discovered()), (1, 1));
    }
}

on_both_databases! {
    async fn without_a_token_nothing_is_sent_and_nothing_is_lost(database) {
        let Some(fhir) = SmartFhir::find() else { return };
        let patient = create_patient_as(&fhir.base, Some(&fhir.admin)).await;
        use_unknown_key(&database);
        let known = fhir.keys.join("ES384");
        let bridge = smart_bridge(database, &fhir.base, "mostik-es384").await;
        let member = bridge.person("sparrow", &patient).await;
        bridge.grant(&member, &["mood"]).await;
        bridge.send(&mood("1", "sparrow", 4)).await;
        bridge.deliver().await;
        assert_eq!(bridge.count(DeliveryState::Retry).await, 1, "{:?}", bridge.counts().await);
        // The operator puts the right key in place; a minute later it is seen, and the older key signs.
        let folder = bridge.database.folder.path().join("keys");
        for file in std::fs::read_dir(known).unwrap() {
            let path = file.unwrap().path();
            std::fs::copy(&path, folder.join(path.file_name().unwrap())).unwrap();
        }
        for file in std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()) {
            if file.file_name().unwrap().to_str().unwrap().starts_with("2026") {
                std::fs::remove_file(file).unwrap();
            }
        }
        bridge.clock.advance(SignedDuration::from_secs(60));
        bridge.deliver().await;
        assert_eq!(bridge.count(DeliveryState::Confirmed).await, 1, "{:?}", bridge.counts().await);
        assert_eq!(observations_as(&fhir.base, &patient, Some(&fhir.admin)).await.len(), 1);
    }
}

on_both_databases! {
    async fn a_write_that_the_scopes_do_not_allow_waits_for_the_clinic(database) {
        let Some(fhir) = SmartFhir::find() else { return };
        let patient = create_patient_as(&fhir.base, Some(&fhir.admin)).await;
        use_known_key(&database, &fhir.keys, "ES384");
        let bridge = smart_bridge(database, &fhir.base, "mostik-narrow").await;
        let member = bridge.person("sparrow", &patient).await;
        bridge.grant(&member, &["mood"]).await;
        bridge.send(&mood("1", "sparrow", 4)).await;
        bridge.deliver().await;
        assert_eq!(bridge.count(DeliveryState::Retry).await, 1, "not for the quarantine: {:?}", bridge.counts().await);
    }
}

/// Why the real server refuses, and the words about it.
async fn refusal(text: &str, entropy: Entropy, off_by: SignedDuration) -> (OAuthCode, Why, String) {
    match ask(text, entropy, off_by).await {
        Err(TokenError::Refused(refused)) => (refused.code, refused.why, refused.to_string()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_key_is_told_with_its_name() {
    let Some(fhir) = SmartFhir::find() else { return };
    let database = Database::sqlite();
    let kid = use_unknown_key(&database);
    let text = smart_config(&database, &fhir.base, "mostik-es384");
    let (code, why, words) = refusal(&text, Entropy::System, ON_TIME).await;
    assert_eq!((code, why), (OAuthCode::InvalidClient, Why::Key));
    assert!(words.contains(&kid) && words.contains("jwks.json"), "{words}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_client_is_told_with_its_name() {
    let Some(fhir) = SmartFhir::find() else { return };
    let database = Database::sqlite();
    use_known_key(&database, &fhir.keys, "ES384");
    let text = smart_config(&database, &fhir.base, "nobody");
    let (code, why, words) = refusal(&text, Entropy::System, ON_TIME).await;
    assert_eq!((code, why), (OAuthCode::InvalidClient, Why::UnknownClient));
    assert!(words.contains("nobody") && words.contains("auth.client_id"), "{words}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_audience_is_told_with_the_address() {
    let Some(fhir) = SmartFhir::find() else { return };
    let database = Database::sqlite();
    use_known_key(&database, &fhir.keys, "ES384");
    // The clinic publishes the address of its gateway; the server behind it checks for its own.
    let gate = Gate::before(&fhir.base, Tokens::Through(fhir.base.replace("/fhir", "/auth/token")));
    let text = smart_config(&database, &gate.base, "mostik-es384");
    let (code, why, words) = refusal(&text, Entropy::System, ON_TIME).await;
    assert_eq!((code, why), (OAuthCode::InvalidClient, Why::Audience));
    assert!(words.contains(&gate.base.replace("/fhir", "/token")), "{words}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_off_is_told_by_how_much() {
    let Some(fhir) = SmartFhir::find() else { return };
    let database = Database::sqlite();
    use_known_key(&database, &fhir.keys, "ES384");
    let text = smart_config(&database, &fhir.base, "mostik-es384");
    for (minutes, direction) in [(-10, "behind"), (10, "ahead of")] {
        let off_by = SignedDuration::from_mins(minutes);
        let (code, why, words) = refusal(&text, Entropy::System, off_by).await;
        let Why::Clock(ahead) = why else { panic!("{why:?}") };
        assert_eq!(code, OAuthCode::InvalidClient);
        assert!((ahead - off_by).as_secs().abs() < 60, "{ahead:?}");
        assert!(words.contains(direction) && words.contains("NTP"), "{words}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_assertion_that_was_seen_before_is_told() {
    let Some(fhir) = SmartFhir::find() else { return };
    let (one, other) = (Database::sqlite(), Database::sqlite());
    // Two machines from one snapshot: the same random bytes, so the same jti.
    let seed = u64::try_from(crate::support::smart::present().as_microsecond()).unwrap();
    let mut outcomes = Vec::new();
    for database in [&one, &other] {
        use_known_key(database, &fhir.keys, "ES384");
        let text = smart_config(database, &fhir.base, "mostik-es384");
        outcomes.push(ask(&text, Entropy::Seeded(SeededEntropy::new(seed)), ON_TIME).await);
    }
    assert!(outcomes[0].is_ok(), "{outcomes:?}");
    let Err(TokenError::Refused(refused)) = &outcomes[1] else { panic!("{outcomes:?}") };
    assert_eq!((refused.code, refused.why), (OAuthCode::InvalidClient, Why::Replayed));
    assert!(refused.to_string().contains("jti"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn narrowed_scopes_are_kept_and_shown() {
    let Some(fhir) = SmartFhir::find() else { return };
    let database = Database::sqlite();
    use_known_key(&database, &fhir.keys, "ES384");
    let state = ask(&smart_config(&database, &fhir.base, "mostik-narrow"), Entropy::System, ON_TIME).await.unwrap();
    assert_eq!(state.missing, ["system/Observation.cruds"]);
    assert_eq!(state.granted.as_deref(), Some("system/Patient.rs"));
    let text = smart_config(&database, &fhir.base, "mostik-nothing");
    let (code, _, words) = refusal(&text, Entropy::System, ON_TIME).await;
    assert_eq!(code, OAuthCode::InvalidScope);
    assert!(words.contains("system/Observation.cruds") && words.contains("auth.scopes"), "{words}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ehr_without_smart_is_told() {
    let (ehr, database) = (Ehr::sandbox().await, Database::sqlite());
    use_unknown_key(&database);
    let error = ask(&smart_config(&database, &ehr.base, "mostik"), Entropy::System, ON_TIME).await.unwrap_err();
    assert_eq!(error.code(), "token-discovery");
    assert!(error.to_string().contains("check fhir_base"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_endpoint_elsewhere_is_not_called() {
    let (ehr, database) = (Ehr::sandbox().await, Database::sqlite());
    use_unknown_key(&database);
    let elsewhere = Gate::before(&ehr.base, Tokens::Own);
    let gate =
        Gate::before(&ehr.base, Tokens::Of(elsewhere.base.replace("127.0.0.1", "localhost").replace("/fhir", "")));
    let text = smart_config(&database, &gate.base, "mostik");
    let error = ask(&text, Entropy::System, ON_TIME).await.unwrap_err();
    assert_eq!(error, TokenError::HostNotAllowed { host: "localhost".to_owned() });
    assert_eq!(elsewhere.asked(), 0);
    assert!(error.to_string().contains("auth.token_hosts"), "{error}");
    let allowed = text.replace("client_id", "token_hosts = [\"localhost\"]\nclient_id");
    ask(&allowed, Entropy::System, ON_TIME).await.unwrap();
    assert_eq!(elsewhere.asked(), 1);
}
