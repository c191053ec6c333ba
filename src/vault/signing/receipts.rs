//! The key that receipts are signed with. It belongs to the database and not to a folder: every replica has the same one,
//! there is always one, and it stays as long as the receipts that it signed. It signs nothing else.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use jsonwebtoken::jwk::{Jwk, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::vault::Key;

/// What stands before and after the number in the ASN.1 of a secret key on P-256 (RFC 5915, section 3).
const BEFORE: [u8; 7] = [0x30, 0x31, 0x02, 0x01, 0x01, 0x04, 0x20];
const AFTER: [u8; 12] = [0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

/// What a signed receipt says of itself (RFC 7515, section 4.1.9).
const KIND: &str = "consent-receipt+jws";

/// The key that receipts are signed with: ECDSA on P-256, which any verifier can check. Cheap to clone.
#[derive(Clone)]
pub struct ReceiptKey(Arc<Halves>);

struct Halves {
    secret: EncodingKey,
    public: Jwk,
    kid: String,
}

impl ReceiptKey {
    /// The key whose secret number is this one. `None` for one number in four thousand million, which is none on the curve.
    #[must_use]
    pub fn new(number: &Key) -> Option<Self> {
        let pair = pair_of(number)?;
        let secret = EncodingKey::from_ec_der(pair.to_pkcs8v1().ok()?.as_ref());
        let mut public = Jwk::from_encoding_key(&secret, Algorithm::ES256).ok()?;
        let kid = public.thumbprint(ThumbprintHash::SHA256).ok()?;
        public.common.key_id = Some(kid.clone());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        Some(Self(Arc::new(Halves { secret, public, kid })))
    }

    /// Signs a receipt as a compact JWS (RFC 7515). `None` when it cannot be written as JSON.
    #[must_use]
    pub fn sign(&self, receipt: &impl Serialize) -> Option<String> {
        let (typ, kid) = (Some(KIND.to_owned()), Some(self.0.kid.clone()));
        encode(&Header { typ, kid, ..Header::new(Algorithm::ES256) }, receipt, &self.0.secret).ok()
    }

    /// Its public half (RFC 7517).
    #[must_use]
    pub fn public(&self) -> &Jwk {
        &self.0.public
    }
}

/// Both halves of the key on P-256 whose secret number is this one.
pub(super) fn pair_of(number: &Key) -> Option<EcdsaKeyPair> {
    let der = Zeroizing::new([BEFORE.as_slice(), number.expose(), AFTER.as_slice()].concat());
    EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, &der).ok()
}

impl fmt::Debug for ReceiptKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReceiptKey({})", self.0.kid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_number_is_the_same_key_and_shows_its_public_half_only() {
        let key = |byte| ReceiptKey::new(&Key::from_bytes([byte; 32]));
        assert_eq!(key(1).unwrap().public(), key(1).unwrap().public());
        assert_ne!(key(1).unwrap().public(), key(2).unwrap().public());
        let shown = serde_json::to_value(key(1).unwrap().public()).unwrap();
        let members: Vec<&String> = shown.as_object().unwrap().keys().collect();
        assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x", "y"]);
        assert!(key(0).is_none() && key(255).is_none(), "zero, and what is beyond the order of the curve");
    }
}
