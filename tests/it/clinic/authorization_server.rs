//! oidc-provider, a certified authorization server that nobody here wrote, and an EHR behind it that takes its tokens.

use jiff::SignedDuration;
use mostik::delivery::smart_auth::{OAuthCode, TokenError, Why};
use mostik::domain::delivery::DeliveryState;
use mostik::domain::entropy::{Entropy, SeededEntropy};

use crate::on_both_databases;
use crate::support::bridge::mood;
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::gate::{Gate, Tokens};
use crate::support::parts::part;
use crate::support::smart::{SmartFhir, ask, present, smart_bridge, smart_config, use_known_key, use_unknown_key};

/// The sandbox behind a gate that sends everyone to oidc-provider for tokens.
async fn behind_oidc_provider() -> Option<(Ehr, Gate, SmartFhir)> {
    let server = part("MOSTIK_TEST_AUTHORIZATION_SERVER", "the authorization server oidc-provider")?;
    let keys = SmartFhir::find()?;
    let ehr = Ehr::sandbox().await;
    let gate = Gate::before(&ehr.base, Tokens::Of(server));
    Some((ehr, gate, keys))
}

async fn lands(database: Database, algorithm: &str) {
    let Some((ehr, gate, known)) = behind_oidc_provider().await else { return };
    use_known_key(&database, &known.keys, algorithm);
    let client_id = format!("mostik-{}", algorithm.to_lowercase());
    let bridge = smart_bridge(database, &gate.base, &client_id).await;
    let member = bridge.person("sparrow", &ehr.patient).await;
    bridge.grant(&member, &["mood"]).await;
    bridge.send(&mood("1", "sparrow", 4)).await;
    bridge.deliver().await;
    assert_eq!(bridge.count(DeliveryState::Confirmed).await, 1, "{:?}", bridge.counts().await);
    assert_eq!((ehr.observations().await.len(), gate.refused_and_passed().0), (1, 0));
}

on_both_databases! {
    async fn a_mood_lands_with_a_token_for_an_es384_assertion(database) {
        lands(database, "ES384").await;
    }
}

on_both_databases! {
    async fn a_mood_lands_with_a_token_for_an_rs384_assertion(database) {
        lands(database, "RS384").await;
    }
}

/// Asks with what `text` says; the server must refuse the client.
async fn refused(text: &str, entropy: Entropy, off_by: SignedDuration) -> (Why, String) {
    match ask(text, entropy, off_by).await {
        Err(TokenError::Refused(refused)) => {
            assert_eq!(refused.code, OAuthCode::InvalidClient, "{refused}");
            (refused.why, refused.to_string())
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_gives_no_reason_still_leaves_plain_words() {
    let Some((_ehr, gate, _)) = behind_oidc_provider().await else { return };
    let database = Database::sqlite();
    let kid = use_unknown_key(&database);
    let text = smart_config(&database, &gate.base, "mostik-es384");
    let (why, words) = refused(&text, Entropy::System, SignedDuration::ZERO).await;
    assert_eq!(why, Why::Unsaid, "{words}");
    assert!(words.contains("jwks.json") && words.contains(&kid), "{words}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_behind_is_known_without_the_server_s_words() {
    let Some((_ehr, gate, known)) = behind_oidc_provider().await else { return };
    let database = Database::sqlite();
    use_known_key(&database, &known.keys, "ES384");
    let text = smart_config(&database, &gate.base, "mostik-es384");
    let (why, words) = refused(&text, Entropy::System, SignedDuration::from_mins(-10)).await;
    assert!(matches!(why, Why::Clock(_)) && words.contains("behind"), "{words}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_assertion_is_good_for_one_time_only() {
    let Some((_ehr, gate, known)) = behind_oidc_provider().await else { return };
    let database = Database::sqlite();
    use_known_key(&database, &known.keys, "ES384");
    let text = smart_config(&database, &gate.base, "mostik-es384");
    let seed = u64::try_from(present().as_microsecond()).unwrap();
    let entropy = || Entropy::Seeded(SeededEntropy::new(seed));
    ask(&text, entropy(), SignedDuration::ZERO).await.unwrap();
    refused(&text, entropy(), SignedDuration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn narrowed_scopes_are_refused_or_shown() {
    let Some((_ehr, gate, known)) = behind_oidc_provider().await else { return };
    let database = Database::sqlite();
    use_known_key(&database, &known.keys, "ES384");
    let text = smart_config(&database, &gate.base, "mostik-es384");
    let more = text.replace("client_id", "scopes = \"system/Observation.cruds system/Slot.r\"\nclient_id");
    let state = ask(&more, Entropy::System, SignedDuration::ZERO).await.unwrap();
    assert_eq!(state.missing, ["system/Slot.r"], "dropped without a word, and seen nevertheless");
    let narrow =
        ask(&smart_config(&database, &gate.base, "mostik-narrow"), Entropy::System, SignedDuration::ZERO).await;
    let Err(TokenError::Refused(refused)) = narrow else { panic!("{narrow:?}") };
    assert_eq!(refused.code, OAuthCode::InvalidScope);
}
