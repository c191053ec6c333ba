//! One community's provider: where a browser is sent, and what its code is exchanged for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use openidconnect::core::{CoreAuthenticationFlow, CoreJsonWebKeySet};
use openidconnect::{
    AuthorizationCode, ClientId, ClientSecret, CsrfToken, IssuerUrl, JsonWebKeySet, LanguageTag, Nonce,
    OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, TokenResponse as _,
};
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

use super::believe::{Admission, Expected, Identity, believe};
use super::failure::Failure;
use super::metadata::{Found, find};
use super::types::{Answer, OidcClient};
use super::way::Way;
use crate::delivery::egress::Egress;
use crate::delivery::smart_auth::launch::IdTokenError;
use crate::domain::language::Language;

/// How long a provider's configuration is believed.
const LASTS: SignedDuration = SignedDuration::from_hours(1);

/// How this bridge is known at a provider.
#[derive(Clone, Debug)]
pub struct ProviderSettings {
    /// Who the provider is, exactly as it writes itself.
    pub issuer: IssuerUrl,
    /// The name under which it registered this bridge.
    pub client_id: String,
    /// What proves to it that it is this client; a public client has nothing.
    pub secret: Option<SecretString>,
    /// What is asked for.
    pub scopes: String,
    /// The claim that is the member's handle in the community, if one is.
    pub handle: Option<String>,
    /// Who is let in; `None`: whoever can sign in there.
    pub admits: Option<Admission>,
    /// Hosts where its addresses may be, that of the issuer among them.
    pub hosts: Vec<String>,
    /// Where browsers come back.
    pub redirect_uri: Url,
}

/// A community's identity provider.
#[derive(Debug)]
pub struct Provider {
    egress: Egress,
    settings: ProviderSettings,
    found: Mutex<Option<(Timestamp, Arc<Found>)>>,
}

/// What one walk of a browser through a provider is known by.
pub struct Secrets {
    /// What the browser brings back.
    pub state: SecretString,
    /// What the ID token must repeat.
    pub nonce: SecretString,
    /// What the code is worth nothing without (RFC 7636). It never leaves the house but for the token endpoint.
    pub verifier: SecretString,
}

impl Provider {
    /// A provider behind this way out, which must lead to its hosts and no others.
    #[must_use]
    pub const fn new(egress: Egress, settings: ProviderSettings) -> Self {
        Self { egress, settings, found: Mutex::new(None) }
    }

    /// Who it is.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.settings.issuer.as_str()
    }

    /// The name under which it knows this bridge.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.settings.client_id
    }

    /// Who is let in of those who can sign in there; `None`: all of them.
    #[must_use]
    pub const fn admits(&self) -> Option<&Admission> {
        self.settings.admits.as_ref()
    }

    /// Where a browser is to be sent.
    ///
    /// # Errors
    /// [`Failure`] when the provider is not fit, or not there.
    pub async fn leave(&self, secrets: &Secrets, language: Language, now: Timestamp) -> Result<Url, Failure> {
        let found = self.find(now).await?;
        let text = |secret: &SecretString| secret.expose_secret().to_owned();
        let (state, nonce) = (CsrfToken::new(text(&secrets.state)), Nonce::new(text(&secrets.nonce)));
        let verifier = PkceCodeVerifier::new(text(&secrets.verifier));
        // `openid` is asked for in any case.
        let others = self.settings.scopes.split(' ').filter(|scope| *scope != "openid");
        let client = self.client(&found);
        let request = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, move || state, move || nonce)
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .add_scopes(others.map(|scope| Scope::new(scope.to_owned())))
            .add_ui_locale(LanguageTag::new(language.as_str().to_owned()));
        Ok(request.url().0)
    }

    /// Whether a response can be that of this provider, by what it says itself (RFC 9207).
    ///
    /// # Errors
    /// [`Failure::OtherIssuer`]; another [`Failure`] when the provider is not there.
    pub async fn check_issuer(&self, said: Option<&str>, now: Timestamp) -> Result<(), Failure> {
        let is_it = match said {
            Some(said) => said == self.issuer(),
            None => !self.find(now).await?.says_issuer,
        };
        if is_it { Ok(()) } else { Err(Failure::OtherIssuer) }
    }

    /// Exchanges a code, and believes nothing of the answer that is not checked. What it gives beside who signed in is
    /// dropped.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn redeem(&self, code: &SecretString, secrets: &Secrets, now: Timestamp) -> Result<Identity, Failure> {
        let (found, way) = (self.find(now).await?, Way(&self.egress));
        let answer = self.exchange(&found, &way, code, &secrets.verifier).await?;
        let token = answer.id_token().ok_or(IdTokenError::Missing)?;
        // Asked for each time: keys that were taken back sign nothing any more, and new ones sign at once.
        let keys: CoreJsonWebKeySet =
            JsonWebKeySet::fetch_async(&found.keys, &way).await.map_err(|_| IdTokenError::NoKeys)?;
        let expected = Expected {
            issuer: &self.settings.issuer,
            client_id: &ClientId::new(self.settings.client_id.clone()),
            nonce: secrets.nonce.expose_secret(),
            access_token: answer.access_token(),
            handle: self.settings.handle.as_deref(),
            admits: self.settings.admits.as_ref(),
            now,
        };
        believe(token, keys, &expected)
    }

    /// Shows a code that nobody was given, to see whether the provider knows this client. It is refused in any case.
    ///
    /// # Errors
    /// [`Failure::Refused`] with `invalid_grant` when the client is known; otherwise another [`Failure`].
    pub(super) async fn knock(&self, now: Timestamp) -> Result<(), Failure> {
        let (found, way) = (self.find(now).await?, Way(&self.egress));
        let (code, verifier) = (SecretString::from("mostik-check"), SecretString::from("m".repeat(43)));
        self.exchange(&found, &way, &code, &verifier).await.map(drop)
    }

    async fn exchange(
        &self,
        found: &Found,
        way: &Way<'_>,
        code: &SecretString,
        verifier: &SecretString,
    ) -> Result<Answer, Failure> {
        let client = self.client(found);
        let request = client
            .exchange_code(AuthorizationCode::new(code.expose_secret().to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.expose_secret().to_owned()));
        Ok(request.request_async(way).await?)
    }

    /// The provider, as it was found within the last hour or as it is found now.
    ///
    /// # Errors
    /// [`Failure`].
    pub(super) async fn find(&self, now: Timestamp) -> Result<Arc<Found>, Failure> {
        if let Some((_, found)) = self.found().as_ref().filter(|(until, _)| now < *until) {
            return Ok(Arc::clone(found));
        }
        let ProviderSettings { issuer, hosts, secret, .. } = &self.settings;
        let found = Arc::new(find(&Way(&self.egress), issuer, hosts, secret.is_some()).await?);
        *self.found() = now.checked_add(LASTS).ok().map(|until| (until, Arc::clone(&found)));
        Ok(found)
    }

    fn client(&self, found: &Found) -> OidcClient {
        let ProviderSettings { issuer, client_id, secret, redirect_uri, .. } = &self.settings;
        let client = OidcClient::new(ClientId::new(client_id.clone()), issuer.clone(), JsonWebKeySet::default())
            .set_auth_uri(found.authorization.clone())
            .set_token_uri(found.token.clone())
            .set_redirect_uri(RedirectUrl::from_url(redirect_uri.clone()))
            .set_auth_type(found.shows_secret.clone());
        match secret {
            Some(secret) => client.set_client_secret(ClientSecret::new(secret.expose_secret().to_owned())),
            None => client,
        }
    }

    fn found(&self) -> MutexGuard<'_, Option<(Timestamp, Arc<Found>)>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
