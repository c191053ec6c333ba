//! The assertion by which the bridge proves who it is (SMART App Launch 2.2.0, client-confidential-asymmetric; RFC 7523).

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde::Serialize;

use super::error::TokenError;
use crate::domain::entropy::Entropy;
use crate::vault::signing::SigningKey;

/// How long an assertion is good for. The standard allows five minutes; less leaves room for clocks that differ.
pub const LIFETIME: SignedDuration = SignedDuration::from_mins(4);

/// What `client_assertion_type` says (RFC 7523, section 2.2).
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: i64,
    jti: String,
}

/// A signed assertion that `client_id` asks the server at `token_endpoint` for a token, once.
///
/// # Errors
/// [`TokenError::NotSigned`] when there are no random bytes to be had, or the key does not sign.
pub fn assertion(
    key: &SigningKey,
    client_id: &str,
    token_endpoint: &str,
    entropy: &Entropy,
    now: Timestamp,
) -> Result<SecretString, TokenError> {
    let jti: [u8; 16] = entropy.bytes().map_err(|_| TokenError::NotSigned)?;
    let claims = Claims {
        iss: client_id,
        sub: client_id,
        aud: token_endpoint,
        // Without `iat` and `nbf`: they are optional, and a server whose clock is behind would refuse them.
        exp: now.as_second().saturating_add(LIFETIME.as_secs()),
        jti: uuid::Builder::from_random_bytes(jti).into_uuid().to_string(),
    };
    key.sign(&claims).map(SecretString::from).ok_or(TokenError::NotSigned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::signing::SigningAlgorithm;
    use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
    use secrecy::ExposeSecret;
    use serde_json::Value;

    #[test]
    fn an_assertion_says_what_the_standard_asks_for() {
        let folder = tempfile::tempdir().unwrap();
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        for algorithm in [SigningAlgorithm::Es384, SigningAlgorithm::Rs384] {
            let (key, _) = SigningKey::create(folder.path(), algorithm, now).unwrap();
            let sign = || assertion(&key, "mostik", "https://as.example/token", &Entropy::System, now).unwrap();
            let jwt = sign();
            let header = serde_json::to_value(decode_header(jwt.expose_secret()).unwrap()).unwrap();
            assert_eq!(
                (&header["alg"], &header["typ"], &header["kid"]),
                (&algorithm.as_str().into(), &"JWT".into(), &key.kid().into())
            );
            let mut validation = Validation::new(header["alg"].as_str().unwrap().parse().unwrap());
            validation.set_audience(&["https://as.example/token"]);
            validation.validate_exp = false; // the test stands still at another time
            let public = DecodingKey::from_jwk(key.public()).unwrap();
            let read = |jwt: &SecretString| decode::<Value>(jwt.expose_secret(), &public, &validation).unwrap().claims;
            let claims = read(&jwt);
            assert_eq!((&claims["iss"], &claims["sub"]), (&"mostik".into(), &"mostik".into()));
            let lives = claims["exp"].as_i64().unwrap() - now.as_second();
            assert!((1..=300).contains(&lives), "{lives}");
            assert_ne!(read(&sign())["jti"], claims["jti"], "each only once");
        }
    }
}
