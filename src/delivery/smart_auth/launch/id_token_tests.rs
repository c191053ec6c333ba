use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{EncodingKey, encode};
use serde_json::json;

use super::*;
use crate::vault::signing::{SigningAlgorithm, SigningKey};

const NOW: &str = "2026-11-20T12:00:00Z";

fn key(algorithm: SigningAlgorithm) -> SigningKey {
    let folder = tempfile::tempdir().unwrap();
    SigningKey::create(folder.path(), algorithm, NOW.parse().unwrap()).unwrap().0
}

fn published(keys: &[&SigningKey]) -> Value {
    json!({"keys": keys.iter().map(|key| serde_json::to_value(key.public()).unwrap()).collect::<Vec<_>>()})
}

fn good() -> Value {
    let now: Timestamp = NOW.parse().unwrap();
    json!({
        "iss": "https://as.example", "sub": "somebody", "aud": "mostik", "nonce": "a-nonce",
        "exp": now.as_second() + 300, "iat": now.as_second(), "fhirUser": "https://ehr.example/fhir/Patient/17",
    })
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = good();
    claims[name] = value;
    claims
}

fn read(token: &str, keys: &Value) -> Result<Claims, IdTokenError> {
    let expected =
        Expected { issuer: "https://as.example", client_id: "mostik", nonce: "a-nonce", now: NOW.parse().unwrap() };
    verify(token, keys.to_string().as_bytes(), expected)
}

fn refused(token: &str, keys: &Value) -> IdTokenError {
    read(token, keys).map(drop).unwrap_err()
}

#[test]
fn one_that_the_server_signed_for_this_launch_is_believed() {
    for algorithm in [SigningAlgorithm::Es384, SigningAlgorithm::Rs384] {
        let key = key(algorithm);
        let claims = read(&key.sign(&good()).unwrap(), &published(&[&key])).unwrap();
        assert_eq!(claims.subject, "somebody");
        assert_eq!(claims.fhir_user.as_deref(), Some("https://ehr.example/fhir/Patient/17"));
        assert!(read(&key.sign(&with("aud", json!(["mostik"]))).unwrap(), &published(&[&key])).is_ok());
    }
}

#[test]
fn each_claim_is_checked() {
    let key = key(SigningAlgorithm::Es384);
    let now = NOW.parse::<Timestamp>().unwrap().as_second();
    for (name, value, error) in [
        ("iss", json!("https://evil.example"), IdTokenError::Issuer),
        ("iss", json!("https://as.example/"), IdTokenError::Issuer),
        ("aud", json!("another"), IdTokenError::Audience),
        ("aud", json!(["mostik", "another"]), IdTokenError::Audience),
        ("aud", json!([]), IdTokenError::Audience),
        ("azp", json!("another"), IdTokenError::Audience),
        ("exp", json!(now - 60), IdTokenError::Time),
        ("iat", json!(now + 61), IdTokenError::Time),
        ("nonce", json!("another"), IdTokenError::Nonce),
        ("nonce", Value::Null, IdTokenError::Nonce),
    ] {
        let token = key.sign(&with(name, value.clone())).unwrap();
        assert_eq!(refused(&token, &published(&[&key])), error, "{name}: {value}");
    }
    for name in ["iss", "sub", "aud", "exp", "iat"] {
        let mut claims = good();
        claims.as_object_mut().unwrap().remove(name);
        assert!(read(&key.sign(&claims).unwrap(), &published(&[&key])).is_err(), "{name}");
    }
}

#[test]
fn one_that_nobody_or_somebody_else_signed_is_not_believed() {
    let (key, another) = (key(SigningAlgorithm::Es384), key(SigningAlgorithm::Es384));
    let keys = published(&[&key]);
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    for alg in ["none", "None", "NONE"] {
        let unsigned = format!("{}.{}.", part(json!({"alg": alg})), part(good()));
        assert_eq!(refused(&unsigned, &keys), IdTokenError::Unreadable, "{alg}");
    }
    assert_eq!(refused(&another.sign(&good()).unwrap(), &keys), IdTokenError::Signature);
    let signed = key.sign(&good()).unwrap();
    let parts: Vec<&str> = signed.split('.').collect();
    let changed = format!("{}.{}.{}", parts[0], part(with("sub", json!("another"))), parts[2]);
    assert_eq!(refused(&changed, &keys), IdTokenError::Signature);
    assert_eq!(refused(&format!("{}.{}.", parts[0], parts[1]), &keys), IdTokenError::Signature);
    assert_eq!(refused("no token", &keys), IdTokenError::Unreadable);
    assert_eq!(refused(&signed, &json!({"keys": []})), IdTokenError::Signature);
    assert_eq!(refused(&signed, &json!("nonsense")), IdTokenError::NoKeys);
}

#[test]
fn a_published_key_is_no_secret_to_sign_with() {
    let rsa = key(SigningAlgorithm::Rs384);
    let keys = published(&[&rsa]);
    // The public key as an HMAC secret: the classic confusion of algorithms.
    let modulus = keys["keys"][0]["n"].as_str().unwrap();
    let secret = EncodingKey::from_secret(&URL_SAFE_NO_PAD.decode(modulus).unwrap());
    let mut header = Header::new(Algorithm::HS256);
    let forged = encode(&header, &good(), &secret).unwrap();
    assert_eq!(refused(&forged, &keys), IdTokenError::Signature);
    let oct = json!({"keys": [{"kty": "oct", "k": modulus, "alg": "HS256"}]});
    assert_eq!(refused(&forged, &oct), IdTokenError::Signature);
    header.crit = Some(vec!["b64".to_owned()]);
    assert_eq!(refused(&encode(&header, &good(), &secret).unwrap(), &keys), IdTokenError::Unreadable);
}

#[test]
fn the_key_says_what_it_is_for() {
    let key = key(SigningAlgorithm::Es384);
    let token = key.sign(&good()).unwrap();
    let with_key = |name: &str, value: Value| {
        let mut keys = published(&[&key]);
        keys["keys"][0][name] = value;
        keys
    };
    assert_eq!(refused(&token, &with_key("use", json!("enc"))), IdTokenError::Signature);
    assert_eq!(refused(&token, &with_key("alg", json!("ES256"))), IdTokenError::Signature);
    assert_eq!(refused(&token, &with_key("kid", json!("another"))), IdTokenError::Signature);
    let mut among_others = published(&[&key]);
    among_others["keys"].as_array_mut().unwrap().insert(0, json!({"kty": "of the future", "kid": key.kid()}));
    assert!(read(&token, &among_others).is_ok(), "one of an unknown kind does not spoil the others");
}
