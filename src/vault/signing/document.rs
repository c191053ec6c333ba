//! Documents that prove something to whoever holds them: JSON, signed as a JWS (RFC 7515, compact).

use jiff::Timestamp;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use serde::Serialize;
use serde_json::Value;

use super::SigningKeys;

/// A document that proves nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DocumentError {
    /// It is no signed document, or one of another kind.
    #[error("this is no signed document of the expected kind")]
    Form,
    /// The key that signed it is not among those given.
    #[error("the key that signed it is not among the known keys")]
    UnknownKey,
    /// It was changed, or signed by somebody else.
    #[error("the signature is not good: it was changed, or signed by somebody else")]
    Signature,
}

/// Signs a document of a `kind`, which stands as `typ` in its header, so that no document passes for one of another
/// kind. `None` when there is no key to sign with, or the document is no JSON object.
pub fn sign_document(
    keys: &SigningKeys,
    kind: &'static str,
    document: &impl Serialize,
    now: Timestamp,
) -> Option<String> {
    keys.active(now, |_| true)?.sign_as(kind, document)
}

/// What a signed document of this `kind` says, if one of `keys` signed it.
///
/// # Errors
/// [`DocumentError`].
pub fn verify_document(jws: &str, kind: &'static str, keys: &JwkSet) -> Result<Value, DocumentError> {
    let header = decode_header(jws).map_err(|_| DocumentError::Form)?;
    if header.typ.as_deref() != Some(kind) {
        return Err(DocumentError::Form);
    }
    let key = header.kid.as_deref().and_then(|kid| keys.find(kid)).ok_or(DocumentError::UnknownKey)?;
    let algorithm = key.common.key_algorithm.and_then(|name| name.to_string().parse().ok());
    // The key says which algorithm it is good for, not the document.
    let mut validation = Validation::new(algorithm.ok_or(DocumentError::UnknownKey)?);
    validation.required_spec_claims.clear();
    (validation.validate_exp, validation.validate_aud) = (false, false);
    let key = DecodingKey::from_jwk(key).map_err(|_| DocumentError::UnknownKey)?;
    decode::<Value>(jws, &key, &validation).map(|data| data.claims).map_err(|_| DocumentError::Signature)
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use jiff::SignedDuration;
    use serde_json::json;

    use super::*;
    use crate::vault::signing::{SigningAlgorithm, SigningKey};

    const KIND: &str = "mostik-test+jws";

    fn now() -> Timestamp {
        "2026-11-20T12:00:00Z".parse().unwrap()
    }

    fn keys(folder: &std::path::Path, algorithm: SigningAlgorithm) -> SigningKeys {
        SigningKey::create(folder, algorithm, now()).unwrap();
        SigningKeys::open(folder, SignedDuration::ZERO, now()).unwrap()
    }

    #[test]
    fn a_signed_document_says_what_it_said_and_a_changed_one_nothing() {
        for algorithm in [SigningAlgorithm::Es384, SigningAlgorithm::Rs384] {
            let folder = tempfile::tempdir().unwrap();
            let keys = keys(folder.path(), algorithm);
            let said = json!({"member": "m", "aud": "anybody", "exp": 1});
            let jws = sign_document(&keys, KIND, &said, now()).unwrap();
            let published = keys.published(now());
            assert_eq!(verify_document(&jws, KIND, &published).unwrap(), said);
            let parts: Vec<&str> = jws.split('.').collect();
            let other = URL_SAFE_NO_PAD.encode(json!({"member": "n"}).to_string());
            let changed = [parts[0], &other, parts[2]].join(".");
            assert_eq!(verify_document(&changed, KIND, &published), Err(DocumentError::Signature));
            let unsigned = [&URL_SAFE_NO_PAD.encode(json!({"alg": "none", "typ": KIND}).to_string()), parts[1], ""];
            assert_eq!(verify_document(&unsigned.join("."), KIND, &published), Err(DocumentError::Form));
        }
    }

    #[test]
    fn a_document_of_another_kind_or_of_an_unknown_key_proves_nothing() {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (keys, strangers) =
            (keys(folder.path(), SigningAlgorithm::Es384), keys(other.path(), SigningAlgorithm::Es384));
        let jws = sign_document(&keys, KIND, &json!({}), now()).unwrap();
        let (published, foreign) = (keys.published(now()), strangers.published(now()));
        assert_eq!(verify_document(&jws, "mostik-other+jws", &published), Err(DocumentError::Form));
        assert_eq!(verify_document(&jws, KIND, &foreign), Err(DocumentError::UnknownKey));
        let assertion = keys.active(now(), |_| true).unwrap().sign(&json!({"iss": "mostik"})).unwrap();
        assert_eq!(verify_document(&assertion, KIND, &published), Err(DocumentError::Form));
        assert_eq!(verify_document("no jws", KIND, &published), Err(DocumentError::Form));
    }

    #[test]
    fn without_a_key_nothing_is_signed() {
        let folder = tempfile::tempdir().unwrap();
        let keys = SigningKeys::open(folder.path(), SignedDuration::ZERO, now()).unwrap();
        assert_eq!(sign_document(&keys, KIND, &json!({}), now()), None);
    }
}
