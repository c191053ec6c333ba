//! Keys with which others prove to the bridge who they are: the public halves, as a JWK Set (RFC 7517).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::signing::SigningAlgorithm;

/// The most keys of one set that are looked at.
const MOST_KEYS: usize = 50;

/// The smallest and the largest RSA modulus that is taken, in bytes (2048 bits: RFC 7518, section 3.3).
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;

/// The members of a JWK that only its owner may have (RFC 7518, sections 6.2.2, 6.3.2 and 6.4).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// A key that can be verified with.
#[derive(Clone)]
pub struct PublicKey {
    kid: String,
    algorithm: SigningAlgorithm,
    key: DecodingKey,
}

/// The keys of one party.
#[derive(Clone, Debug, Default)]
pub struct PublicKeys(Vec<PublicKey>);

/// A key that cannot be used to verify signatures.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum UnusableKey {
    /// It is no set of keys at all, or far too many.
    #[error("expected a JWK Set: an object with up to 50 keys in `keys`")]
    NotASet,
    /// It holds what only its owner may have.
    #[error("expected public keys only: one holds private members, and must be replaced wherever it is used")]
    Private,
    /// It is of another kind, or for something else.
    #[error("expected each key with `kid` and `kty`, EC on P-384 or RSA of 2048 bits or more, for signatures")]
    Kind,
}

/// The members that matter here; what else a key says is ignored (RFC 7517, section 4).
#[derive(Deserialize)]
struct Written {
    kty: String,
    kid: String,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

impl PublicKeys {
    /// Reads a set of which every key must be one that can be used: what an operator wrote down.
    ///
    /// # Errors
    /// [`UnusableKey`] of the first that cannot.
    pub fn all_of(set: &Value) -> Result<Self, UnusableKey> {
        let keys: Vec<PublicKey> = keys(set)?.iter().map(PublicKey::read).collect::<Result<_, _>>()?;
        if keys.is_empty() { Err(UnusableKey::NotASet) } else { Ok(Self(keys)) }
    }

    /// Reads a set that somebody publishes for many purposes: keys that cannot be used here are left out (RFC 7517,
    /// section 5).
    ///
    /// # Errors
    /// [`UnusableKey::NotASet`].
    pub fn usable_of(set: &Value) -> Result<Self, UnusableKey> {
        Ok(Self(keys(set)?.iter().filter_map(|key| PublicKey::read(key).ok()).collect()))
    }

    /// The one key with this name that is good for this algorithm. `None` when there is none, or more than one: then
    /// nobody can say whose signature it is (SMART App Launch 2.2.0, client-confidential-asymmetric).
    #[must_use]
    pub fn named(&self, kid: &str, algorithm: SigningAlgorithm) -> Option<&PublicKey> {
        let mut found = self.0.iter().filter(|key| key.kid == kid && key.algorithm == algorithm);
        found.next().filter(|_| found.next().is_none())
    }
}

impl PublicKey {
    fn read(key: &Value) -> Result<Self, UnusableKey> {
        if PRIVATE.iter().any(|member| key.get(member).is_some()) {
            return Err(UnusableKey::Private);
        }
        let written = Written::deserialize(key).map_err(|_| UnusableKey::Kind)?;
        Self::of(written).ok_or(UnusableKey::Kind)
    }

    fn of(written: Written) -> Option<Self> {
        let signs = written.usage.as_deref().is_none_or(|usage| usage == "sig")
            && written.key_ops.as_ref().is_none_or(|ops| ops.iter().any(|op| op == "verify"));
        let (algorithm, key) = match (written.kty.as_str(), written.crv.as_deref()) {
            ("EC", Some("P-384")) => {
                let (x, y) = (written.x?, written.y?);
                // As long as the curve asks for (RFC 7518, section 6.2.1.2).
                let whole = |coordinate| bytes(coordinate).is_some_and(|bytes| bytes.len() == 48);
                let key = DecodingKey::from_ec_components(&x, &y).ok().filter(|_| whole(&x) && whole(&y))?;
                (SigningAlgorithm::Es384, key)
            }
            ("RSA", _) => {
                let (n, e) = (written.n?, written.e?);
                let size = bytes(&n)?.iter().skip_while(|byte| **byte == 0).count();
                let key = DecodingKey::from_rsa_components(&n, &e).ok().filter(|_| RSA_BYTES.contains(&size))?;
                (SigningAlgorithm::Rs384, key)
            }
            _ => return None,
        };
        let fits = signs && !written.kid.is_empty() && written.alg.is_none_or(|alg| alg == algorithm.as_str());
        fits.then_some(Self { kid: written.kid, algorithm, key })
    }

    /// The claims of a JWT that was signed with this key, by the one algorithm that this key is for. What they say is for
    /// the caller to judge: nothing of it was, not even whether its time is over.
    #[must_use]
    pub fn claims<T: DeserializeOwned>(&self, jwt: &str) -> Option<T> {
        let mut signature_only = Validation::new(match self.algorithm {
            SigningAlgorithm::Es384 => Algorithm::ES384,
            SigningAlgorithm::Rs384 => Algorithm::RS384,
        });
        signature_only.required_spec_claims.clear();
        signature_only.validate_exp = false;
        signature_only.validate_aud = false;
        decode(jwt, &self.key, &signature_only).ok().map(|read| read.claims)
    }
}

fn keys(set: &Value) -> Result<&[Value], UnusableKey> {
    let keys = set.get("keys").and_then(Value::as_array).map(Vec::as_slice);
    keys.filter(|keys| keys.len() <= MOST_KEYS).ok_or(UnusableKey::NotASet)
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({} {})", self.algorithm.as_str(), self.kid)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::vault::signing::SigningKey;

    fn made(algorithm: SigningAlgorithm) -> (SigningKey, Value) {
        let folder = tempfile::tempdir().unwrap();
        let (key, _) = SigningKey::create(folder.path(), algorithm, "2026-11-20T12:00:00Z".parse().unwrap()).unwrap();
        let public = serde_json::to_value(key.public()).unwrap();
        (key, public)
    }

    fn changed(key: &Value, member: &str, value: Value) -> Value {
        let mut key = key.clone();
        key[member] = value;
        json!({ "keys": [key] })
    }

    #[test]
    fn what_a_key_has_signed_it_verifies_and_nothing_else() {
        let (es, es_public) = made(SigningAlgorithm::Es384);
        let (rs, rs_public) = made(SigningAlgorithm::Rs384);
        let keys = PublicKeys::all_of(&json!({ "keys": [es_public, rs_public] })).unwrap();
        for (key, other) in [(&es, &rs), (&rs, &es)] {
            let jwt = key.sign(&json!({"a": 1})).unwrap();
            let public = keys.named(key.kid(), key.algorithm()).unwrap();
            assert_eq!(public.claims::<Value>(&jwt), Some(json!({"a": 1})));
            assert_eq!(keys.named(other.kid(), other.algorithm()).unwrap().claims::<Value>(&jwt), None);
            assert!(keys.named(key.kid(), other.algorithm()).is_none(), "a name goes with one kind of key");
        }
    }

    #[test]
    fn a_name_that_two_keys_have_is_nobodys() {
        let (one, public) = made(SigningAlgorithm::Es384);
        let (_, mut other) = made(SigningAlgorithm::Es384);
        other["kid"] = public["kid"].clone();
        let keys = PublicKeys::all_of(&json!({ "keys": [public, other] })).unwrap();
        assert!(keys.named(one.kid(), SigningAlgorithm::Es384).is_none());
    }

    #[test]
    fn what_cannot_be_used_is_refused_where_it_was_written_down_and_left_out_where_it_was_fetched() {
        let (_, public) = made(SigningAlgorithm::Es384);
        let (_, rsa) = made(SigningAlgorithm::Rs384);
        for (set, why) in [
            (json!([]), UnusableKey::NotASet),
            (json!({ "keys": [] }), UnusableKey::NotASet),
            (json!({ "keys": vec![public.clone(); 51] }), UnusableKey::NotASet),
            (changed(&public, "d", json!("x")), UnusableKey::Private),
            (json!({ "keys": [{"kty": "oct", "kid": "a", "k": "AAAA"}] }), UnusableKey::Private),
            (changed(&public, "kid", json!("")), UnusableKey::Kind),
            (changed(&public, "use", json!("enc")), UnusableKey::Kind),
            (changed(&public, "key_ops", json!(["sign"])), UnusableKey::Kind),
            (changed(&public, "alg", json!("ES256")), UnusableKey::Kind),
            (changed(&public, "crv", json!("P-256")), UnusableKey::Kind),
            (changed(&public, "x", json!("AAAA")), UnusableKey::Kind),
            (changed(&rsa, "n", json!("AQAB")), UnusableKey::Kind),
            (changed(&rsa, "alg", json!("RS256")), UnusableKey::Kind),
        ] {
            assert_eq!(PublicKeys::all_of(&set).unwrap_err(), why, "{set}");
            assert!(PublicKeys::usable_of(&set).is_ok_and(|keys| keys.0.is_empty()) || why == UnusableKey::NotASet);
        }
    }
}
