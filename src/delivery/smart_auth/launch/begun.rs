//! A launch between its two halves: what has to be kept until the browser comes back.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use zeroize::Zeroizing;

use super::failure::Failure;
use crate::domain::entropy::Entropy;

/// What has to be kept of a launch until its browser comes back. Secret.
#[derive(Serialize, Deserialize)]
pub struct Begun {
    /// The PKCE verifier (RFC 7636).
    #[serde(serialize_with = "exposed")]
    pub(super) verifier: SecretString,
    /// What the `id_token` must repeat; `None` where none was asked for.
    pub(super) nonce: Option<String>,
    /// Who the server is.
    pub(super) issuer: Option<String>,
    /// Whether its response says so.
    pub(super) says_issuer: bool,
    /// Where the browser was sent.
    pub(super) authorization: Url,
    /// Where the code may be shown, and nowhere else.
    pub(super) token_endpoint: String,
    /// What was asked for.
    pub(super) scopes: String,
}

impl Begun {
    /// To be sealed. `None` cannot be.
    #[must_use]
    pub fn to_bytes(&self) -> Option<Zeroizing<Vec<u8>>> {
        serde_json::to_vec(self).ok().map(Zeroizing::new)
    }

    /// What [`Begun::to_bytes`] wrote.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// Whether a response can be that of the server to which the browser was sent, by what it says itself (RFC 9207).
    ///
    /// # Errors
    /// [`Failure::OtherIssuer`].
    pub fn check_issuer(&self, said: Option<&str>) -> Result<(), Failure> {
        let is_it = match (said, &self.issuer) {
            (Some(said), Some(issuer)) => said == issuer,
            // It did not tell who it is beforehand: at least it must be the same place.
            (Some(said), None) => Url::parse(said).is_ok_and(|said| said.origin() == self.authorization.origin()),
            (None, _) => !self.says_issuer,
        };
        if is_it { Ok(()) } else { Err(Failure::OtherIssuer) }
    }
}

/// 256 random bits in the letters of base64url: fit for `state`, `nonce` and PKCE verifiers.
pub(super) fn fresh_secret(entropy: &Entropy) -> Result<String, Failure> {
    let bytes: [u8; 32] = entropy.bytes().map_err(|_| Failure::NoEntropy)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

fn exposed<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

impl fmt::Debug for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Begun(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun(issuer: Option<&str>, says_issuer: bool) -> Begun {
        Begun {
            verifier: "a-verifier".into(),
            nonce: None,
            issuer: issuer.map(str::to_owned),
            says_issuer,
            authorization: Url::parse("https://as.example/authorize").unwrap(),
            token_endpoint: "https://as.example/token".to_owned(),
            scopes: "launch/patient".to_owned(),
        }
    }

    #[test]
    fn a_response_of_another_server_is_not_taken() {
        let known = begun(Some("https://as.example"), true);
        assert!(known.check_issuer(Some("https://as.example")).is_ok());
        for other in [None, Some("https://other.example"), Some("https://as.example/"), Some("")] {
            assert_eq!(known.check_issuer(other), Err(Failure::OtherIssuer), "{other:?}");
        }
        let silent = begun(Some("https://as.example"), false);
        assert!(silent.check_issuer(None).is_ok());
        assert!(silent.check_issuer(Some("https://other.example")).is_err());
        let nameless = begun(None, false);
        assert!(nameless.check_issuer(None).is_ok() && nameless.check_issuer(Some("https://as.example/x")).is_ok());
        assert!(nameless.check_issuer(Some("https://other.example")).is_err());
    }

    #[test]
    fn it_is_read_as_it_was_written_and_shows_nothing() {
        let begun = begun(None, true);
        let read = Begun::read(&begun.to_bytes().unwrap()).unwrap();
        assert_eq!(read.verifier.expose_secret(), "a-verifier");
        assert_eq!(format!("{read:?}"), "Begun(..)");
    }
}
