//! What somebody signed with one of the published keys.

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use serde::de::DeserializeOwned;

/// The claims of a JWT that one of `keys` has signed; `None` for anything else. How old it is does not matter here.
#[must_use]
pub fn verified<T: DeserializeOwned + Clone>(token: &str, keys: &JwkSet) -> Option<T> {
    let header = decode_header(token).ok()?;
    let key = keys.find(header.kid.as_deref()?)?;
    // The algorithm is that of the key, not the one that the token would like.
    let algorithm = key.common.key_algorithm?.to_string().parse().ok()?;
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    Some(decode(token, &DecodingKey::from_jwk(key).ok()?, &validation).ok()?.claims)
}
