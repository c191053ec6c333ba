//! Identity providers that lie, or are not what they must be. Nobody is sent there, or nobody gets in.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use mostik::app;
use mostik::config::Config;
use mostik::delivery::check::Outcome;
use mostik::delivery::identity::check;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::authority::{Desk, Signature};
use crate::support::database::Database;
use crate::support::provider::{SECRET, Told, is_in, secret_setting};

async fn ready() -> Told {
    let database = Database::sqlite();
    let more = format!("handle = \"preferred_username\"\n{}", secret_setting(&database, SECRET));
    let told = Told::open_with(database, &more).await;
    told.portal.bridge.unlinked_person("sparrow").await;
    told.signs_in("a", "sparrow");
    told
}

/// `at_hash` of the access token that the provider gives for its code with this number.
fn hash_of(number: usize) -> String {
    let token = format!("access-{number}");
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA384, token.as_bytes());
    URL_SAFE_NO_PAD.encode(&hash.as_ref()[..24])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_claim_of_an_id_token_is_checked() {
    let told = ready().await;
    let now = told.portal.bridge.now().as_second();
    let mut browser = told.portal.browser();
    for otherwise in [
        json!({"iss": "https://evil.example"}),
        json!({"iss": format!("{}/", told.authority.home)}),
        json!({"iss": null}),
        json!({"aud": "another"}),
        json!({"aud": ["mostik", "another"]}),
        json!({"aud": []}),
        json!({"aud": null}),
        json!({"azp": "another"}),
        json!({"exp": now - 60}),
        json!({"exp": null}),
        json!({"iat": now + 61}),
        json!({"iat": null}),
        json!({"nonce": "an-earlier-one"}),
        json!({"nonce": null}),
        json!({"sub": null}),
        json!({"sub": ""}),
        json!({"at_hash": hash_of(999)}),
        json!({"at_hash": ""}),
    ] {
        let mut claims = otherwise.clone();
        claims["preferred_username"] = json!("sparrow");
        told.authority.id_token_says(claims);
        let page = told.sign_in(&mut browser).await;
        assert_eq!((page.status, page.set_cookie("__Host-session")), (502, None), "{otherwise}: {}", page.body);
    }
    told.portal.bridge.clock.advance(SignedDuration::from_mins(5));
    for (number, otherwise) in [
        (18, json!({"aud": ["mostik"], "azp": "mostik", "exp": now + 300 - 59})),
        (19, json!({"iat": now + 300 + 60, "exp": now + 600})),
        (20, json!({"at_hash": hash_of(20), "exp": now + 600})),
    ] {
        let mut claims = otherwise.clone();
        claims["preferred_username"] = json!("sparrow");
        told.authority.id_token_says(claims);
        let page = told.sign_in(&mut told.portal.browser()).await;
        assert!(is_in(&page), "{number} {otherwise}: {}", page.body);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_provider_did_not_sign_with_its_own_key_is_not_believed() {
    let told = ready().await;
    let mut browser = told.portal.browser();
    // The client's own secret, which the provider knows too; and what everybody knows.
    for signature in [Signature::None, Signature::Forged, Signature::Shared(SECRET), Signature::Shared("mostik")] {
        told.authority.signed_by(signature);
        let page = told.sign_in(&mut browser).await;
        assert_eq!((page.status, page.set_cookie("__Host-session")), (502, None), "{}", page.body);
        assert!(page.body.contains("could not be trusted"), "{}", page.body);
    }
    told.authority.signed_by(Signature::Own);
    assert!(is_in(&told.sign_in(&mut browser).await));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_handle_that_was_promised_nobody_gets_in() {
    let told = ready().await;
    let mut browser = told.portal.browser();
    for name in [json!(null), json!("")] {
        told.authority.id_token_says(json!({"preferred_username": name}));
        let page = told.sign_in(&mut browser).await;
        assert!(page.status == 502 && page.body.contains("not set up properly"), "{}", page.body);
    }
    // An address is nobody's name, whatever else it is.
    told.authority.id_token_says(json!({"preferred_username": "wren", "email": "sparrow", "email_verified": true}));
    assert_eq!(told.sign_in(&mut browser).await.status, 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_sent_to_a_provider_that_is_not_fit() {
    let told = ready().await;
    let mut browser = told.portal.browser();
    for otherwise in [
        json!({"issuer": "https://evil.example"}),
        json!({"issuer": format!("{}/", told.authority.home)}),
        json!({"issuer": null}),
        json!({"authorization_endpoint": "https://evil.example/authorize"}),
        json!({"authorization_endpoint": "javascript:alert(1)"}),
        json!({"authorization_endpoint": null}),
        json!({"token_endpoint": "https://evil.example/token"}),
        json!({"token_endpoint": null}),
        json!({"jwks_uri": "https://evil.example/jwks"}),
        json!({"jwks_uri": format!("{}/nowhere", told.authority.home)}),
        json!({"code_challenge_methods_supported": ["plain"]}),
        json!({"token_endpoint_auth_methods_supported": ["private_key_jwt"]}),
    ] {
        told.authority.configuration_says(otherwise.clone());
        browser.get("/sign-in").await;
        let page = browser.post("/sign-in/provider", &[("community", "forum")]).await;
        assert_eq!(page.status, 502, "{otherwise}: {}", page.body);
        assert!(!page.body.contains("evil") && !page.body.contains("javascript"), "{otherwise}: {}", page.body);
    }
    assert_eq!(told.portal.bridge.database.count("identity_requests").await, 0, "nothing has begun");
    told.authority.configuration_says(json!({}));
    assert!(is_in(&told.sign_in(&mut browser).await), "whoever mends it need not wait");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_endpoint_that_answers_something_else_lets_nobody_in() {
    let told = ready().await;
    for desk in [
        Desk::Say(200, json!({})),
        Desk::Say(200, json!({"access_token": "a", "token_type": "Bearer"})),
        Desk::Say(200, json!({"access_token": "a", "token_type": "Bearer", "id_token": "a.b.c"})),
        Desk::Say(200, Value::Null),
        Desk::Say(400, json!({"error": "invalid_client", "error_description": "canary"})),
        Desk::Say(400, json!({"error": "canary"})),
        Desk::Say(500, json!("canary")),
        Desk::Redirect(302, "https://evil.example/token".to_owned()),
        Desk::Redirect(307, format!("{}/token", told.authority.home)),
        Desk::Flood(5 * 1024 * 1024),
    ] {
        told.authority.desk_is(desk);
        let page = told.sign_in(&mut told.portal.browser()).await;
        assert_eq!((page.status, page.set_cookie("__Host-session")), (502, None), "{}", page.body);
        assert!(!page.body.contains("canary"), "no words of others: {}", page.body);
    }
    told.authority.desk_is(Desk::Honest);
    told.authority.flood_keys();
    assert_eq!(told.sign_in(&mut told.portal.browser()).await.status, 502, "keys are not read without end either");
}

on_both_databases! {
    async fn an_operator_is_told_what_is_wrong_with_a_provider(database) {
        let told = Told::open(database).await;
        let config = Config::from_toml(&told.portal.bridge.config).unwrap();
        let sign_in = config.communities.values().next().unwrap().sign_in.clone().unwrap();
        let walk = async || {
            let provider = app::provider(&config, &sign_in).unwrap();
            check(&provider, told.portal.bridge.now()).await
        };
        let wrong = async |otherwise: Value| {
            told.authority.configuration_says(otherwise);
            let last = walk().await.pop().unwrap();
            let Outcome::Wrong(words) = last.outcome else { panic!("{last:?}") };
            words
        };
        for (otherwise, expected) in [
            (json!({"issuer": "https://id.example"}), "exactly as its configuration does"),
            (json!({"token_endpoint": "https://login.example/token"}), "login.example, which is not allowed"),
            (json!({"code_challenge_methods_supported": []}), "S256"),
            (json!({"token_endpoint": null}), "lacks token_endpoint"),
            (json!({"subject_types_supported": null}), "OpenID Connect Discovery"),
        ] {
            let words = wrong(otherwise.clone()).await;
            assert!(words.contains(expected), "{otherwise}: {words}");
        }
        told.authority.configuration_says(json!({}));
        let good = walk().await;
        assert!(good.iter().all(|step| !matches!(step.outcome, Outcome::Wrong(_))), "{good:?}");
        told.authority.desk_is(Desk::Say(401, json!({"error": "invalid_client"})));
        let client = walk().await.into_iter().find(|step| step.name == "client").unwrap();
        assert!(matches!(&client.outcome, Outcome::Wrong(words) if words.contains("client_id")), "{client:?}");
    }
}
