//! A signed request to a community's platform (Standard Webhooks 1.0.0, <https://www.standardwebhooks.com>, symmetric
//! signatures): the platform checks the signature and hands the message on, privately.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use super::{MessageError, refused};
use crate::delivery::egress::Egress;

/// How a secret begins.
const PREFIX: &str = "whsec_";

/// What requests are signed with: more than one while the platform changes from an old secret to a new one.
#[derive(Clone)]
pub struct WebhookSecrets(Vec<hmac::Key>);

/// What is no secret.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected one secret a line: whsec_ and 24 to 64 bytes in base64")]
pub struct SecretError;

impl WebhookSecrets {
    /// The secrets in a text, one a line.
    ///
    /// # Errors
    /// [`SecretError`].
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let keys: Vec<hmac::Key> = lines
            .map(|line| {
                let bytes = BASE64.decode(line.strip_prefix(PREFIX).ok_or(SecretError)?).map_err(|_| SecretError)?;
                let strong = (24..=64).contains(&bytes.len());
                strong.then(|| hmac::Key::new(hmac::HMAC_SHA256, &bytes)).ok_or(SecretError)
            })
            .collect::<Result<_, _>>()?;
        if keys.is_empty() { Err(SecretError) } else { Ok(Self(keys)) }
    }

    /// Whether one of the signatures in a header `webhook-signature` was made with one of these.
    #[must_use]
    pub fn signed(&self, id: &str, seconds: i64, body: &[u8], signatures: &str) -> bool {
        let signed = [format!("{id}.{seconds}.").as_bytes(), body].concat();
        let made = signatures.split(' ').filter_map(|one| BASE64.decode(one.strip_prefix("v1,")?).ok());
        made.into_iter().any(|tag| self.0.iter().any(|key| hmac::verify(key, &signed, &tag).is_ok()))
    }

    /// The header `webhook-signature`: one signature for each secret.
    fn sign(&self, id: &str, seconds: i64, body: &str) -> String {
        let signed = format!("{id}.{seconds}.{body}");
        let of = |key| format!("v1,{}", BASE64.encode(hmac::sign(key, signed.as_bytes())));
        self.0.iter().map(of).collect::<Vec<_>>().join(" ")
    }
}

impl std::fmt::Debug for WebhookSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WebhookSecrets({})", self.0.len())
    }
}

/// What a request says.
pub struct Letter {
    /// Its id: the same however often it is tried.
    pub id: Uuid,
    /// What it is, as a word for programs.
    pub kind: &'static str,
    /// When it is sent.
    pub at: Timestamp,
    /// What it says.
    pub data: Value,
}

/// Sends a letter. 410, and 403, mean that this member is not reached there any more.
///
/// # Errors
/// [`MessageError`]. Whether it arrived nevertheless is not always known.
pub async fn send(url: &Url, secrets: &WebhookSecrets, egress: &Egress, letter: Letter) -> Result<(), MessageError> {
    let Letter { id, kind, at, data } = letter;
    let (id, seconds) = (id.to_string(), at.as_second());
    let body = json!({"type": kind, "timestamp": at.to_string(), "data": data}).to_string();
    let request = egress
        .request(Method::POST, url.clone())
        .header(CONTENT_TYPE, "application/json")
        .header("webhook-id", &id)
        .header("webhook-timestamp", seconds)
        .header("webhook-signature", secrets.sign(&id, seconds, &body))
        .body(body);
    let answer = egress.send(request).await?;
    refused(&answer, &[403, 410])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_the_one_of_the_specification() {
        // The test vector of the reference implementations (standard-webhooks/standard-webhooks, libraries).
        let secrets = WebhookSecrets::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature = secrets.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn what_was_signed_with_any_of_the_secrets_is_known_and_nothing_else_is() {
        let (old, new) = ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
        let both = WebhookSecrets::parse(&format!("{new}\n{old}")).unwrap();
        let signature = WebhookSecrets::parse(old).unwrap().sign("a", 1, "b");
        assert!(both.signed("a", 1, b"b", &format!("v1a,Zm9v {signature}")));
        for (id, seconds, body) in [("c", 1, "b"), ("a", 2, "b"), ("a", 1, "c"), ("a.1", 1, "b")] {
            assert!(!both.signed(id, seconds, body.as_bytes(), &signature), "{id} {seconds} {body}");
        }
        assert!(!WebhookSecrets::parse(new).unwrap().signed("a", 1, b"b", &signature));
        assert!(!both.signed("a", 1, b"b", signature.trim_start_matches("v1,")));
    }

    #[test]
    fn every_secret_signs_and_none_is_shown() {
        let two = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n\nwhsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD\n";
        let secrets = WebhookSecrets::parse(two).unwrap();
        assert_eq!(secrets.sign("a", 1, "b").split(' ').count(), 2);
        assert_eq!(format!("{secrets:?}"), "WebhookSecrets(2)");
    }

    #[test]
    fn what_is_no_secret_is_refused() {
        for text in ["", "\n", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_short", "whsec_%%%"] {
            assert_eq!(WebhookSecrets::parse(text).err(), Some(SecretError), "{text:?}");
        }
    }
}
