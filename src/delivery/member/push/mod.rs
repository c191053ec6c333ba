//! Web Push: a word to the browsers in which a member wished for it (RFC 8030), encrypted for each of them (RFC 8291), from a
//! sender whom the push service knows by its key (VAPID, RFC 8292). It says that there is a message, and nothing about it.

mod encrypt;

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE};
use serde::{Deserialize, Serialize};
use serde_json::json;
use url::Url;

use self::encrypt::{Drawn, Reader, encrypt};
use super::{Message, MessageError, refused};
use crate::delivery::egress::Egress;
use crate::domain::entropy::Entropy;
use crate::vault::signing::PushKey;

/// How long a push service keeps what it cannot deliver, in seconds: the message waits in the portal in any case.
const KEPT_FOR: u32 = 3 * 24 * 3600;

/// How long a proof of who sends is good (RFC 8292, section 2: at most a day).
const PROOF_LASTS: SignedDuration = SignedDuration::from_hours(12);

/// The longest address of a browser at its push service.
const LONGEST_ADDRESS: usize = 2048;

/// How push services are reached.
#[derive(Clone, Debug)]
pub struct Push {
    /// Who sends.
    pub key: PushKey,
    /// How the services reach whoever runs this bridge: `mailto:` or `https:`.
    pub contact: String,
    /// The way out, to the services that the operator allows.
    pub egress: Egress,
    /// Randomness.
    pub entropy: Entropy,
}

/// A browser, as its push service knows it. Personal: its `Debug` does not tell.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// Its address at the service.
    pub endpoint: Url,
    #[serde(with = "as_base64")]
    public: [u8; 65],
    #[serde(with = "as_base64")]
    auth: [u8; 16],
}

/// What a browser said is no subscription.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected the address of a push service that is allowed, a point on P-256 and 16 bytes, both in base64url")]
pub struct NoSubscription;

impl Subscription {
    /// The subscription that a browser made, in its own words: `endpoint`, and the keys `p256dh` and `auth`.
    ///
    /// # Errors
    /// [`NoSubscription`].
    pub fn new(endpoint: &str, p256dh: &str, auth: &str) -> Result<Self, NoSubscription> {
        let endpoint = Some(endpoint)
            .filter(|address| address.len() <= LONGEST_ADDRESS)
            .and_then(|address| Url::parse(address).ok());
        let endpoint = endpoint.filter(|url| url.username().is_empty() && url.password().is_none());
        let endpoint = endpoint.ok_or(NoSubscription)?;
        let subscription = Self { endpoint, public: bytes(p256dh)?, auth: bytes(auth)? };
        let drawn = Drawn { number: [1; 32], salt: [0; 16] };
        // What cannot be encrypted for now cannot be later.
        encrypt(subscription.reader(), &drawn, b"").map_err(|_| NoSubscription)?;
        Ok(subscription)
    }

    const fn reader(&self) -> Reader<'_> {
        Reader { public: &self.public, auth: &self.auth }
    }
}

impl Push {
    /// Sends a message to one browser.
    ///
    /// # Errors
    /// [`MessageError`]; [`MessageError::Gone`] where the browser is told nothing any more (RFC 8030, section 7.3).
    pub async fn send(&self, subscription: &Subscription, message: &Message) -> Result<(), MessageError> {
        let said = json!({"title": message.subject, "body": message.text, "url": message.url.path()}).to_string();
        let drawn = || Ok(Drawn { number: self.entropy.bytes()?, salt: self.entropy.bytes()? });
        let drawn = drawn().map_err(|_: crate::domain::entropy::NoEntropy| MessageError::Unwritten)?;
        let body = encrypt(subscription.reader(), &drawn, said.as_bytes()).map_err(|_| MessageError::Unwritten)?;
        let (origin, ends_at) = (subscription.endpoint.origin().ascii_serialization(), ends_at(message.at));
        let proof = self.key.authorization(&origin, &self.contact, ends_at).ok_or(MessageError::Unwritten)?;
        let request = self
            .egress
            .request(Method::POST, subscription.endpoint.clone())
            .header(AUTHORIZATION, proof)
            .header(CONTENT_ENCODING, "aes128gcm")
            .header(CONTENT_TYPE, "application/octet-stream")
            .header("ttl", KEPT_FOR)
            .header("urgency", "normal")
            // A message that is sent again takes the place of itself (RFC 8030, section 5.4).
            .header("topic", BASE64.encode(message.id.as_bytes()))
            .body(body);
        let answer = self.egress.send(request).await?;
        refused(&answer, &[404, 410])
    }
}

fn ends_at(now: Timestamp) -> Timestamp {
    now.checked_add(PROOF_LASTS).unwrap_or(Timestamp::MAX)
}

fn bytes<const N: usize>(text: &str) -> Result<[u8; N], NoSubscription> {
    let bytes = BASE64.decode(text.trim_end_matches('=')).map_err(|_| NoSubscription)?;
    bytes.try_into().map_err(|_| NoSubscription)
}

mod as_base64 {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::{BASE64, Engine, bytes};

    pub fn serialize<const N: usize, S: Serializer>(value: &[u8; N], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&BASE64.encode(value))
    }

    pub fn deserialize<'de, const N: usize, D: Deserializer<'de>>(from: D) -> Result<[u8; N], D::Error> {
        bytes(&String::deserialize(from)?).map_err(Error::custom)
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subscription(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POINT: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
    const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

    #[test]
    fn what_a_browser_says_is_taken_or_refused_whole() {
        let good = Subscription::new("https://push.example/send/1", POINT, AUTH).unwrap();
        let kept = serde_json::to_string(&good).unwrap();
        assert_eq!(serde_json::from_str::<Subscription>(&kept).unwrap(), good);
        assert!(!format!("{good:?}").contains("push.example"));
        let long = format!("https://push.example/{}", "x".repeat(LONGEST_ADDRESS));
        for (endpoint, point, auth) in [
            ("", POINT, AUTH),
            ("push.example", POINT, AUTH),
            ("https://u:p@push.example/", POINT, AUTH),
            (long.as_str(), POINT, AUTH),
            ("https://push.example/", "", AUTH),
            ("https://push.example/", AUTH, AUTH),
            ("https://push.example/", POINT, POINT),
            ("https://push.example/", &POINT.replace("BCV", "BCX"), AUTH),
        ] {
            assert_eq!(Subscription::new(endpoint, point, auth), Err(NoSubscription), "{endpoint} {point} {auth}");
        }
    }
}
