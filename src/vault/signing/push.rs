//! The key by which push services know who sends (VAPID, RFC 8292). It belongs to the database, as the key of receipts does:
//! browsers name it when they subscribe, so that it must stay, the same for all replicas. It signs nothing else.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::signature::KeyPair;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::json;

use super::receipts::pair_of;
use crate::vault::Key;

/// The key by which push services know who sends. Cheap to clone.
#[derive(Clone)]
pub struct PushKey(Arc<Halves>);

struct Halves {
    secret: EncodingKey,
    /// The point on the curve, uncompressed, in base64url: as browsers and push services want it.
    public: String,
}

impl PushKey {
    /// The key whose secret number is this one. `None` for one number in four thousand million, which is none on the curve.
    #[must_use]
    pub fn new(number: &Key) -> Option<Self> {
        let pair = pair_of(number)?;
        let secret = EncodingKey::from_ec_der(pair.to_pkcs8v1().ok()?.as_ref());
        Some(Self(Arc::new(Halves { secret, public: BASE64.encode(pair.public_key().as_ref()) })))
    }

    /// Its public half, in base64url: what a browser subscribes for (`applicationServerKey`).
    #[must_use]
    pub fn public(&self) -> &str {
        &self.0.public
    }

    /// The header `Authorization` of a request to a push service, which is known by its origin (RFC 8292, sections 2 and 3).
    /// `contact` is how the service reaches whoever sends, `ends_at` less than a day away. `None` when it cannot be signed.
    #[must_use]
    pub fn authorization(&self, service: &str, contact: &str, ends_at: Timestamp) -> Option<String> {
        let claims = json!({"aud": service, "exp": ends_at.as_second(), "sub": contact});
        let token = encode(&Header::new(Algorithm::ES256), &claims, &self.0.secret).ok()?;
        Some(format!("vapid t={token}, k={}", self.0.public))
    }
}

impl fmt::Debug for PushKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PushKey({})", self.0.public)
    }
}
