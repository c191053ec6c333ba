//! Whether a receipt is genuine.

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};

use super::Receipt;

/// Why a receipt cannot be believed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotGenuine {
    /// It is none.
    #[error("this is no signed receipt: expected three parts of base64url, parted by full stops")]
    NoReceipt,
    /// The key that it names is not among the published ones.
    #[error("it names the key {0}, which is not among the published ones")]
    UnknownKey(String),
    /// It says something else than what was signed, or another key signed it.
    #[error("the signature does not fit: it was changed, or another key signed it")]
    Forged,
    /// The signature fits, but what it signs is no receipt.
    #[error("the signature fits, but what was signed is no receipt of this kind")]
    NotAReceipt,
}

/// Verifies a receipt with published keys.
///
/// # Errors
/// [`NotGenuine`].
pub fn verify(signed: &str, keys: &JwkSet) -> Result<Receipt, NotGenuine> {
    let signed = signed.trim();
    let header = decode_header(signed).map_err(|_| NotGenuine::NoReceipt)?;
    // Never one of which the secret half would be what is published.
    if !matches!(header.alg, Algorithm::ES256 | Algorithm::ES384 | Algorithm::RS384) {
        return Err(NotGenuine::Forged);
    }
    let kid = header.kid.unwrap_or_default();
    let key = keys.find(&kid).ok_or(NotGenuine::UnknownKey(kid))?;
    let key = DecodingKey::from_jwk(key).map_err(|_| NotGenuine::Forged)?;
    let mut validation = Validation::new(header.alg);
    // A receipt is no token: it proves what was, for ever, and to whoever reads it.
    validation.required_spec_claims.clear();
    (validation.validate_exp, validation.validate_aud) = (false, false);
    let claims = decode::<serde_json::Value>(signed, &key, &validation).map_err(|_| NotGenuine::Forged)?.claims;
    serde_json::from_value(claims).map_err(|_| NotGenuine::NotAReceipt)
}
