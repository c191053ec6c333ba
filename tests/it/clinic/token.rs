//! Who gets a token: a clinic's own system that proves who it is, once for each assertion, and nobody else.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use mostik::vault::signing::SigningAlgorithm;
use serde_json::{Value, json};

use crate::on_every_database;
use crate::support::bridge::TestBridge;
use crate::support::clinic::{
    ALL_SCOPES, System, TOKEN_URL, post_form, read, show, token_form, two_clinics, with_systems,
};
use crate::support::database::Database;
use crate::support::http::{Got, client};

const SEARCH: &str = "/fhir/Consent?patient=17";

fn refusal(got: &Got) -> (u16, &str, &str) {
    let text = |member: &str| got.json[member].as_str().unwrap_or_default();
    (got.status, text("error"), text("error_description"))
}

fn refused_client(got: &Got) -> &str {
    let (status, error, words) = refusal(got);
    assert_eq!((status, error), (400, "invalid_client"), "{:?}", got.json);
    words
}

async fn rows(bridge: &TestBridge) -> u64 {
    let mut tx = bridge.bridge.store.begin().await.unwrap();
    tx.forget_expired_clinic_access(jiff::Timestamp::MAX).await.unwrap()
}

on_every_database! {
    async fn a_system_that_proves_who_it_is_gets_a_token_for_five_minutes(database) {
        let (bridge, river, lake) = with_systems(database).await;
        for system in [&river, &lake] {
            let got = system.ask(&bridge, ALL_SCOPES).await;
            assert_eq!(got.status, 200, "{:?}", got.json);
            assert_eq!((&got.json["token_type"], &got.json["expires_in"]), (&json!("bearer"), &json!(300)));
            assert_eq!(got.json["scope"], ALL_SCOPES);
            assert_eq!(got.json.as_object().unwrap().len(), 4, "no refresh token");
        }
        let token = river.token(&bridge, ALL_SCOPES).await;
        bridge.clock.advance(SignedDuration::from_secs(300) - SignedDuration::from_micros(1));
        assert_eq!(read(&bridge, &token, SEARCH).await.status, 200);
        bridge.clock.advance(SignedDuration::from_micros(1));
        assert_eq!(read(&bridge, &token, SEARCH).await.status, 401, "at the very instant");
    }
}

on_every_database! {
    async fn an_assertion_is_good_once_whichever_replica_it_is_shown_to(database) {
        let (bridge, river, lake) = with_systems(database).await;
        let other = bridge.beside(SignedDuration::ZERO).await;
        let claims = river.claims(&bridge);
        let assertion = river.key.sign(&claims).unwrap();
        let at_once = futures_util::future::join_all((0..6).map(|n| {
            let replica = if n % 2 == 0 { &bridge } else { &other };
            show(replica, &assertion, ALL_SCOPES)
        }));
        let good = at_once.await.into_iter().filter(|got| got.status == 200).count();
        assert_eq!(good, 1, "of six that show it at the same time, one gets a token");
        for replica in [&bridge, &other] {
            assert!(refused_client(&show(replica, &assertion, ALL_SCOPES).await).contains("jti"));
        }
        let mut same_jti = lake.claims(&bridge);
        same_jti["jti"] = claims["jti"].clone();
        let same_jti = lake.key.sign(&same_jti).unwrap();
        assert_eq!(show(&other, &same_jti, ALL_SCOPES).await.status, 200, "each client counts for itself");
    }
}

on_every_database! {
    async fn what_has_expired_is_forgotten_and_a_used_assertion_not_a_moment_too_soon(database) {
        let (bridge, river, _) = with_systems(database).await;
        let assertion = river.key.sign(&river.claims(&bridge)).unwrap();
        assert_eq!(show(&bridge, &assertion, ALL_SCOPES).await.status, 200);
        let behind = bridge.beside(SignedDuration::from_mins(-8)).await;
        bridge.clock.advance(SignedDuration::from_mins(6));
        bridge.chores().await;
        // A replica whose clock is eight minutes behind would still believe it.
        behind.clock.advance(SignedDuration::from_mins(8));
        assert!(refused_client(&show(&behind, &assertion, ALL_SCOPES).await).contains("jti"));
        assert_eq!(rows(&bridge).await, 1, "the token is forgotten, the assertion not yet");
        bridge.clock.advance(SignedDuration::from_mins(8));
        bridge.chores().await;
        assert_eq!(rows(&bridge).await, 0);
    }
}

/// A bridge with both systems, on one database: what an assertion says does not depend on it.
async fn ready() -> (TestBridge, System, System) {
    with_systems(Database::sqlite()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_that_is_not_as_it_must_be_is_refused_with_what_was_expected() {
    let (bridge, river, _) = ready().await;
    let now = bridge.now().as_second();
    for (claim, value, expected) in [
        ("iss", json!("lakeside-ehr"), "nobody is registered"),
        ("iss", json!("nobody"), "nobody is registered"),
        ("sub", json!("lakeside-ehr"), "iss = sub"),
        ("sub", Value::Null, "iss = sub"),
        ("aud", json!("https://mostik.example/fhir"), TOKEN_URL),
        ("aud", json!(format!("{TOKEN_URL}/")), TOKEN_URL),
        ("aud", json!([TOKEN_URL, "https://other.example/token"]), TOKEN_URL),
        ("aud", json!([]), TOKEN_URL),
        ("aud", Value::Null, "aud"),
        ("exp", json!(now), "in the future"),
        ("exp", json!(now - 1), "in the future"),
        ("exp", json!(now + 331), "five minutes"),
        ("exp", json!(1e300), "exp"),
        ("exp", json!("soon"), "exp"),
        ("exp", Value::Null, "exp"),
        ("nbf", json!(now + 31), "five minutes"),
        ("jti", Value::Null, "jti"),
        ("jti", json!(""), "jti"),
        ("jti", json!("j".repeat(257)), "jti"),
        ("jti", json!(7), "jti"),
    ] {
        let mut claims = river.claims(&bridge);
        claims[claim] = value.clone();
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(claim);
        }
        let got = show(&bridge, &river.key.sign(&claims).unwrap(), ALL_SCOPES).await;
        let words = refused_client(&got);
        assert!(words.contains(expected), "{claim} {value}: {words}");
    }
    for (claim, value) in [
        ("exp", json!(now + 330)),
        ("exp", json!(f64::from(i32::try_from(now).unwrap()) + 60.5)),
        ("aud", json!([TOKEN_URL])),
        ("nbf", json!(now)),
    ] {
        let mut claims = river.claims(&bridge);
        claims[claim] = value.clone();
        assert_eq!(show(&bridge, &river.key.sign(&claims).unwrap(), ALL_SCOPES).await.status, 200, "{claim} {value}");
    }
}

/// A JWT put together by hand, with any header and any signature.
fn by_hand(header: &Value, claims: &Value, signature: &str) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{signature}", part(header), part(claims))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_not_signed_with_the_systems_own_key_proves_nothing() {
    let (bridge, river, lake) = ready().await;
    let stranger = System::new("riverside-ehr", SigningAlgorithm::Es384);
    let claims = river.claims(&bridge);
    let (river_kid, lake_kid) = (river.key.kid(), lake.key.kid());
    let unsigned = by_hand(&json!({"alg": "none", "typ": "JWT", "kid": river_kid}), &claims, "");
    let mut good: Vec<String> = river.key.sign(&claims).unwrap().split('.').map(str::to_owned).collect();
    let signature = good.pop().unwrap();
    let hmac = |secret: &[u8]| {
        let header = Header { kid: Some(river_kid.to_owned()), ..Header::new(Algorithm::HS256) };
        encode(&header, &claims, &EncodingKey::from_secret(secret)).unwrap()
    };
    let public = river.public();
    let point =
        [public["x"].as_str().unwrap(), public["y"].as_str().unwrap()].map(|it| URL_SAFE_NO_PAD.decode(it).unwrap());
    let other_claims = URL_SAFE_NO_PAD.encode(lake.claims(&bridge).to_string());
    for (what, assertion) in [
        ("another key of this name", stranger.key.sign(&claims).unwrap()),
        ("the key of another clinic", lake.key.sign(&claims).unwrap()),
        ("none at all", unsigned),
        ("none, loudly", by_hand(&json!({"alg": "NONE", "kid": river_kid}), &claims, "")),
        ("none, with a signature", by_hand(&json!({"alg": "none", "kid": river_kid}), &claims, &signature)),
        ("HS256 with the public key", hmac(public.to_string().as_bytes())),
        ("HS256 with the public point", hmac(&[&[4], point[0].as_slice(), point[1].as_slice()].concat())),
        ("ES256", by_hand(&json!({"alg": "ES256", "kid": river_kid}), &claims, &signature)),
        ("RS384 for an EC key", by_hand(&json!({"alg": "RS384", "kid": river_kid}), &claims, &signature)),
        ("the kid of another clinic", by_hand(&json!({"alg": "ES384", "kid": lake_kid}), &claims, &signature)),
        ("no kid", by_hand(&json!({"alg": "ES384"}), &claims, &signature)),
        (
            "a type of another kind",
            by_hand(&json!({"alg": "ES384", "kid": river_kid, "typ": "at+jwt"}), &claims, &signature),
        ),
        (
            "something critical",
            by_hand(&json!({"alg": "ES384", "kid": river_kid, "crit": ["b64"], "b64": false}), &claims, &signature),
        ),
        (
            "its own key in the header",
            by_hand(&json!({"alg": "ES384", "kid": river_kid, "jwk": stranger.public()}), &claims, &signature),
        ),
        ("other claims under the signature", format!("{}.{other_claims}.{signature}", good[0])),
        ("half a signature", format!("{}.{}", good.join("."), &signature[..40])),
        ("four parts", format!("{}.{signature}.{signature}", good.join("."))),
        ("nonsense", "a.b.c".to_owned()),
        ("a word", "password".to_owned()),
    ] {
        let got = show(&bridge, &assertion, ALL_SCOPES).await;
        let words = refused_client(&got);
        assert!(words.contains("nobody is registered") || words.contains("RS384 or ES384"), "{what}: {words}");
    }
    let mut elsewhere = Header { kid: Some(river_kid.to_owned()), ..Header::new(Algorithm::ES384) };
    elsewhere.jku = Some("http://127.0.0.1:9/jwks".to_owned());
    let key = EncodingKey::from_ec_pem(&std::fs::read(&river.key_file).unwrap()).unwrap();
    let got = show(&bridge, &encode(&elsewhere, &claims, &key).unwrap(), ALL_SCOPES).await;
    assert!(refused_client(&got).contains("nobody is registered"), "keys at an address that nobody registered");
    // Rightly signed, and still of a kind that is not taken.
    let header = || Header { kid: Some(river_kid.to_owned()), ..Header::new(Algorithm::ES384) };
    let typed = Header { typ: Some("at+jwt".to_owned()), ..header() };
    let critical = Header { crit: Some(vec!["b64".to_owned()]), ..header() };
    for header in [typed, critical] {
        let got = show(&bridge, &encode(&header, &claims, &key).unwrap(), ALL_SCOPES).await;
        assert!(refused_client(&got).contains("RS384 or ES384"), "{:?}", got.json);
    }
    let good = show(&bridge, &format!("{}.{signature}", good.join(".")), ALL_SCOPES).await;
    assert_eq!(good.status, 200, "and with all that, it is not used up: {:?}", good.json);
}

/// The fields of a form.
type Fields = Vec<(String, String)>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_asked_as_the_standard_says_is_refused_as_it_says() {
    let (bridge, river, _) = ready().await;
    let sign = || river.key.sign(&river.claims(&bridge)).unwrap();
    let with = |change: &dyn Fn(&mut Fields)| {
        let assertion = sign();
        let mut form: Fields =
            token_form(&assertion, ALL_SCOPES).into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        change(&mut form);
        form
    };
    let set = |name: &'static str, value: &'static str| {
        with(&move |form| {
            form.retain(|(found, _)| found != name);
            if !value.is_empty() {
                form.push((name.to_owned(), value.to_owned()));
            }
        })
    };
    let twice = |name: &'static str| {
        with(&move |form| form.extend(form.clone().into_iter().filter(|(found, _)| found == name)))
    };
    for (what, form, error) in [
        ("another grant", set("grant_type", "authorization_code"), "unsupported_grant_type"),
        ("a password", set("grant_type", "password"), "unsupported_grant_type"),
        ("no grant", set("grant_type", ""), "invalid_request"),
        ("no assertion", set("client_assertion", ""), "invalid_request"),
        ("another assertion", set("client_assertion_type", "urn:x"), "invalid_request"),
        ("a secret too", set("client_secret", "hunter2"), "invalid_request"),
        ("another name", set("client_id", "lakeside-ehr"), "invalid_request"),
        ("a scope twice", twice("scope"), "invalid_request"),
        ("an assertion twice", twice("client_assertion"), "invalid_request"),
        ("no scope", set("scope", ""), "invalid_scope"),
        ("scopes that are not there", set("scope", "system/Patient.rs openid"), "invalid_scope"),
        ("scopes that write", set("scope", "system/Consent.cud"), "invalid_scope"),
        ("scopes of a person", set("scope", "user/Consent.rs patient/Consent.rs"), "invalid_scope"),
        ("a part of a scope", set("scope", "system/Consent.rs?status=active"), "invalid_scope"),
    ] {
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let got = post_form(&bridge, "/fhir/token", None, &form).await;
        assert_eq!((got.status, refusal(&got).1), (400, error), "{what}: {:?}", got.json);
        assert!(!refusal(&got).2.contains("hunter2"));
    }
    let assertion = sign();
    let two_ways = post_form(&bridge, "/fhir/token", Some("mc_x"), &token_form(&assertion, ALL_SCOPES)).await;
    assert_eq!(refusal(&two_ways).1, "invalid_request", "one way to say who asks");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_does_what_it_was_given_for_and_no_more() {
    let (bridge, river, _) = ready().await;
    for (asked, granted, search, by_id) in [
        ("system/Consent.s", "system/Consent.s", 200, 403),
        ("system/Consent.r", "system/Consent.r", 403, 404),
        ("system/Consent.read", "system/Consent.read", 200, 404),
        ("system/*.read", "system/Consent.read system/AuditEvent.read", 200, 404),
        ("system/AuditEvent.rs", "system/AuditEvent.rs", 403, 403),
        ("system/Consent.cruds launch", "system/Consent.rs", 200, 404),
    ] {
        let got = river.ask(&bridge, asked).await;
        assert_eq!(got.json["scope"], granted, "{asked}");
        let token = got.json["access_token"].as_str().unwrap();
        for (path, status) in [(SEARCH, search), ("/fhir/Consent/1", by_id)] {
            let got = read(&bridge, token, path).await;
            assert_eq!(got.status, status, "{asked} {path}: {:?}", got.json);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_can_give_a_clinic_less_and_take_everything_back() {
    let database = Database::sqlite();
    let river = System::new("riverside-ehr", SigningAlgorithm::Es384);
    let less = format!("{}scopes = \"system/Consent.s\"\n", river.registered("riverside"));
    let text = two_clinics(&database, &less);
    let bridge = TestBridge::start_with(database, &text).await;
    let got = river.ask(&bridge, ALL_SCOPES).await;
    assert_eq!(got.json["scope"], "system/Consent.s");
    let token = got.json["access_token"].as_str().unwrap();
    assert_eq!(read(&bridge, token, SEARCH).await.status, 200);
    let without = TestBridge::start_with(Database::at(&bridge.database.url), &text.replace(&less, "")).await;
    assert_eq!(read(&without, token, SEARCH).await.status, 401, "out at once, whatever token it holds");
    assert_eq!(refused_client(&river.ask(&without, ALL_SCOPES).await), refused_client(&river.ask(&without, "x").await));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_too_often_waits_and_a_stranger_cannot_make_others_wait() {
    let database = Database::sqlite();
    let (river, lake) =
        (System::new("riverside-ehr", SigningAlgorithm::Es384), System::new("lakeside-ehr", SigningAlgorithm::Es384));
    let access = river.registered("riverside") + &lake.registered("lakeside");
    let limits = "[limits]\nclinic_tokens_per_minute = 3\nclinic_reads_per_minute = 5\n";
    let text = two_clinics(&database, &access) + limits;
    let bridge = TestBridge::start_with(database, &text).await;
    let stranger = System::new("riverside-ehr", SigningAlgorithm::Es384);
    let mut told = 0;
    for _ in 0..70 {
        let got = stranger.ask(&bridge, ALL_SCOPES).await;
        told += usize::from(got.status == 400);
        assert!(got.status == 400 || (got.status, got.retry_after.is_some()) == (429, true), "{got:?}");
    }
    assert_eq!(told, 60);
    let mut token = String::new();
    for _ in 0..3 {
        token = river.token(&bridge, ALL_SCOPES).await;
    }
    let got = river.ask(&bridge, ALL_SCOPES).await;
    assert_eq!((got.status, got.retry_after), (429, Some(20)), "{:?}", got.json);
    assert_eq!(lake.ask(&bridge, ALL_SCOPES).await.status, 200, "each clinic for itself");
    for _ in 0..5 {
        assert_eq!(read(&bridge, &token, SEARCH).await.status, 200);
    }
    let got = read(&bridge, &token, SEARCH).await;
    assert_eq!((got.status, got.retry_after), (429, Some(12)));
    assert_eq!(got.json["issue"][0]["code"], "throttled");
    bridge.clock.advance(SignedDuration::from_secs(20));
    assert_eq!(river.ask(&bridge, ALL_SCOPES).await.status, 200);
    assert_eq!(read(&bridge, &token, SEARCH).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_no_such_form_is_refused() {
    let (bridge, _, _) = ready().await;
    let url = format!("{}/fhir/token", bridge.api);
    let form = "application/x-www-form-urlencoded";
    for (content_type, body, status) in [
        ("application/json", "{}".to_owned(), 415),
        ("text/plain", String::new(), 415),
        ("application/x-www-form-urlencoded; charset=iso-8859-1", String::new(), 415),
        (form, "a=".to_owned() + &"b".repeat(16 * 1024), 413),
        (form, String::new(), 400),
        (form, "%%%=%&&&==".to_owned(), 400),
    ] {
        let request = client().post(&url).header("content-type", content_type).body(body);
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["cache-control"], "no-store");
        let got = Got::read(response).await;
        assert_eq!((got.status, refusal(&got).1), (status, "invalid_request"), "{content_type} {:?}", got.json);
    }
    let zipped = client().post(&url).header("content-type", form).header("content-encoding", "gzip").body("a=b");
    assert_eq!(zipped.send().await.unwrap().status().as_u16(), 415);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_database_keeps_opens_nothing() {
    let (bridge, river, _) = ready().await;
    let token = river.token(&bridge, ALL_SCOPES).await;
    let assertion = river.key.sign(&river.claims(&bridge)).unwrap();
    assert_eq!(show(&bridge, &assertion, ALL_SCOPES).await.status, 200);
    let folder = bridge.database.folder.path();
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let bytes: Vec<u8> = files.filter(|path| path.is_file()).flat_map(|path| std::fs::read(path).unwrap()).collect();
    let holds = |needle: &str| bytes.windows(needle.len()).any(|window| window == needle.as_bytes());
    assert!(holds("clinic_tokens"), "the database is looked at");
    let secret = token.strip_prefix("mc_").unwrap();
    assert!(!holds(secret) && !holds(&assertion));
}
