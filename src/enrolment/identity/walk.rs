//! A browser's way through a provider and back. Nothing secret of it is stored: `nonce` and PKCE verifier are made of the
//! `state` with the index key, and bound to whose provider it is: what was begun with another one ends nowhere.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::IdentityError;
use crate::delivery::identity::{Identity, Provider, Secrets};
use crate::domain::language::Language;
use crate::enrolment::returned::Returned;
use crate::vault::{Index, Keyring};

/// The way through one provider.
#[derive(Clone, Copy)]
pub struct Walk<'a> {
    /// What keeps it secret.
    pub keyring: &'a Keyring,
    /// The provider.
    pub provider: &'a Provider,
    /// Whose it is.
    pub whose: &'a str,
}

impl Walk<'_> {
    /// A `state` that nobody has seen before, and where the browser is to be sent with it.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub async fn begin(&self, language: Language, now: Timestamp) -> Result<(SecretString, Url), IdentityError> {
        let state = SecretString::from(self.keyring.fresh_secret()?);
        let url = self.provider.leave(&self.secrets(&state), language, now).await?;
        Ok((state, url))
    }

    /// Who signed in, by what the browser brought back.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub async fn end(&self, returned: &Returned, now: Timestamp) -> Result<Identity, IdentityError> {
        // Before anything else it says: it may not be the one that was asked.
        self.provider.check_issuer(returned.issuer(), now).await?;
        let code = returned.code()?;
        Ok(self.provider.redeem(code, &self.secrets(returned.state()), now).await?)
    }

    /// What a walk with this `state` is known by.
    fn secrets(&self, state: &SecretString) -> Secrets {
        let of = |what: &'static str| {
            let parts = [state.expose_secret(), self.whose, self.provider.issuer(), self.provider.client_id()];
            let index = self.keyring.index().index(what, &parts.map(str::as_bytes));
            SecretString::from(URL_SAFE_NO_PAD.encode(index))
        };
        Secrets { state: state.clone(), nonce: of("identity-nonce"), verifier: of("identity-verifier") }
    }
}

/// The keyed index under which a walk is stored.
pub fn state_index(keyring: &Keyring, state: &SecretString) -> Index {
    keyring.index().index("identity-state", &[state.expose_secret().as_bytes()])
}
