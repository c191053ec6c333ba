//! One clinic's launches: where a browser is sent, and what its code is exchanged for.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use oauth2::basic::BasicClient;
use oauth2::{AuthUrl, ClientId, CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope};
use reqwest::{Method, Url};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::begun::{Begun, fresh_secret};
use super::failure::Failure;
use super::id_token::{self, Claims, Expected, IdTokenError};
use super::rehearsal::{Rehearsal, Rehearsed};
use super::server::LaunchServer;
use crate::delivery::egress::Egress;
use crate::delivery::smart_auth::discovery::AuthorizationServer;
use crate::delivery::smart_auth::error::TokenError;
use crate::delivery::smart_auth::exchange::{Exchange, Redeemed};
use crate::delivery::smart_auth::finding::Discovery;
use crate::delivery::smart_auth::flow::Flow;
use crate::delivery::smart_auth::patient::TokenSet;
use crate::delivery::smart_auth::token;
use crate::domain::entropy::Entropy;
use crate::domain::ids::is_fhir_id;
use crate::vault::signing::SigningKeys;

/// How this bridge is known at a clinic whose patients launch it.
#[derive(Clone, Debug)]
pub struct LaunchSettings {
    /// The name under which it is registered.
    pub client_id: String,
    /// What members are asked for.
    pub scopes: String,
    /// Hosts, beside that of the FHIR endpoint, where the authorization server may be.
    pub hosts: Vec<String>,
    /// Whether it proves by a signed assertion that it is this client; otherwise it is a public one.
    pub signed: bool,
    /// Where browsers come back.
    pub redirect_uri: Url,
    /// The FHIR endpoint, as the clinic writes it.
    pub audience: String,
}

/// Launches at one clinic.
#[derive(Debug)]
pub struct LaunchClient {
    egress: Egress,
    base: Url,
    discovery: Discovery,
    settings: LaunchSettings,
    keys: SigningKeys,
    entropy: Entropy,
}

/// A launch that has begun.
pub struct Start {
    /// Where the browser is to be sent.
    pub url: Url,
    /// What it brings back: known to nobody else. Secret.
    pub state: SecretString,
    /// What has to be kept until then.
    pub begun: Begun,
}

/// What a launch gave. Personal.
pub struct Given {
    /// The Patient's FHIR id.
    pub patient: String,
    /// The tokens.
    pub tokens: TokenSet,
    /// Who says so.
    pub voucher: Voucher,
}

/// Who says which Patient it is. Personal.
#[derive(Clone)]
pub struct Voucher {
    /// The server.
    pub issuer: String,
    /// The name under which it knows this bridge.
    pub client_id: String,
    /// What it granted.
    pub scopes: String,
    /// Its own name for who signed in, if it said that.
    pub subject: Option<String>,
}

impl LaunchClient {
    /// For the FHIR endpoint at `base`, whose path ends with a slash.
    #[must_use]
    pub fn new(egress: Egress, base: Url, settings: LaunchSettings, keys: SigningKeys, entropy: Entropy) -> Self {
        let flow = Flow::Patient { signed: settings.signed };
        let discovery = Discovery::new(egress.clone(), base.clone(), settings.hosts.clone(), flow);
        Self { egress, base, discovery, settings, keys, entropy }
    }

    /// Begins a launch.
    ///
    /// # Errors
    /// [`Failure`] when the clinic's server is not fit, or there is no randomness.
    pub async fn begin(&self, now: Timestamp) -> Result<Start, Failure> {
        let (server, launch) = self.find(now).await?;
        let (state, verifier) = (fresh_secret(&self.entropy)?, PkceCodeVerifier::new(fresh_secret(&self.entropy)?));
        let nonce = if launch.keys.is_some() { Some(fresh_secret(&self.entropy)?) } else { None };
        let scopes = launch.scopes(&self.settings.scopes);
        let client = BasicClient::new(ClientId::new(self.settings.client_id.clone()))
            .set_auth_uri(AuthUrl::from_url(launch.authorization.clone()))
            .set_redirect_uri(RedirectUrl::from_url(self.settings.redirect_uri.clone()));
        let mut request = client
            .authorize_url(|| CsrfToken::new(state.clone()))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .add_scopes(scopes.split(' ').map(|scope| Scope::new(scope.to_owned())))
            .add_extra_param("aud", &self.settings.audience);
        if let Some(nonce) = &nonce {
            request = request.add_extra_param("nonce", nonce);
            if scopes.split(' ').any(|scope| scope == "offline_access") {
                // OpenID Connect Core 1.0, section 11: without it, lasting access is not granted.
                request = request.add_extra_param("prompt", "consent");
            }
        }
        let (url, _) = request.url();
        let begun = Begun {
            verifier: SecretString::from(verifier.into_secret()),
            nonce,
            issuer: launch.issuer,
            says_issuer: launch.says_issuer,
            authorization: launch.authorization,
            token_endpoint: server.token_endpoint.clone(),
            scopes,
        };
        Ok(Start { url, state: SecretString::from(state), begun })
    }

    /// How this bridge is known there.
    #[must_use]
    pub const fn settings(&self) -> &LaunchSettings {
        &self.settings
    }

    /// Goes where a member's browser would be sent, and looks no further: nobody signs in, and the launch is forgotten.
    ///
    /// # Errors
    /// [`Failure`] as in [`LaunchClient::begin`].
    pub async fn rehearse(&self, now: Timestamp) -> Result<Rehearsal, Failure> {
        let (server, launch) = self.find(now).await?;
        let url = self.begin(now).await?.url;
        let answer = self.egress.send(self.egress.request(Method::GET, url)).await;
        Ok(Rehearsal {
            answer: Rehearsed::of(answer.ok(), &self.settings.redirect_uri),
            says_who: launch.keys.is_some(),
            scopes: launch.scopes(&self.settings.scopes),
            authorization: launch.authorization,
            server,
        })
    }

    /// Exchanges a code, and believes nothing of the answer that is not checked. What is not believed is given back.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn redeem(&self, begun: &Begun, code: &SecretString, now: Timestamp) -> Result<Given, Failure> {
        let (server, launch) = self.find(now).await?;
        if server.token_endpoint != begun.token_endpoint || launch.issuer != begun.issuer {
            return Err(Failure::Moved);
        }
        let exchange = self.exchange(&server, now)?;
        let redirect_uri = &self.settings.redirect_uri;
        let redeemed = exchange.redeem(code, &begun.verifier, redirect_uri, &begun.scopes).await?;
        match self.believe(begun, &launch, &redeemed, now).await {
            Ok((patient, subject)) => {
                let issuer = launch.issuer.unwrap_or_else(|| server.issuer());
                let (client_id, scopes) = (self.settings.client_id.clone(), redeemed.tokens.scope.clone());
                let voucher = Voucher { issuer, client_id, scopes, subject };
                Ok(Given { patient, tokens: redeemed.tokens, voucher })
            }
            Err(failure) => {
                self.give_back(&redeemed.tokens, now).await;
                Err(failure)
            }
        }
    }

    /// Gives tokens back that are not kept, if the server takes them back. Whether it does changes nothing here: they end
    /// by themselves.
    pub async fn give_back(&self, tokens: &TokenSet, now: Timestamp) {
        let Ok((server, launch)) = self.find(now).await else { return };
        let Some(endpoint) = launch.revocation.filter(|_| server.issuer() == tokens.issuer) else { return };
        let Ok(exchange) = self.exchange(&server, now) else { return };
        let (token, kind) = match &tokens.refresh {
            Some(refresh) => (refresh, "refresh_token"),
            None => (&tokens.access, "access_token"),
        };
        if !exchange.give_back(&endpoint, token, kind).await {
            tracing::info!(host = endpoint.host_str(), "a token was not taken back; it ends by itself");
        }
    }

    async fn find(&self, now: Timestamp) -> Result<(Arc<AuthorizationServer>, LaunchServer), Failure> {
        let server = self.discovery.find(now).await?;
        let launch = LaunchServer::check(&server, &self.base, &self.settings.hosts);
        if launch.is_err() {
            // Whoever mends it need not wait for an hour.
            self.discovery.forget();
        }
        Ok((server, launch?))
    }

    fn exchange<'a>(&'a self, server: &'a AuthorizationServer, now: Timestamp) -> Result<Exchange<'a>, TokenError> {
        let signs_with = self.settings.signed.then_some((&self.keys, &self.entropy));
        Exchange::new(&self.egress, server, &self.settings.client_id, signs_with, now)
    }

    /// Which Patient, and who signed in, if that can be believed.
    async fn believe(
        &self,
        begun: &Begun,
        launch: &LaunchServer,
        redeemed: &Redeemed,
        now: Timestamp,
    ) -> Result<(String, Option<String>), Failure> {
        let patient = redeemed.patient.as_ref().and_then(Value::as_str).filter(|patient| is_fhir_id(patient));
        let patient = patient.ok_or(Failure::NoPatient)?;
        let claims = self.who_signed_in(begun, launch, redeemed, now).await?;
        let user = claims.as_ref().and_then(|claims| claims.fhir_user.as_deref());
        if user.is_some_and(|user| !is_patient(user, patient)) {
            return Err(Failure::NotThePatient);
        }
        Ok((patient.to_owned(), claims.map(|claims| claims.subject)))
    }

    async fn who_signed_in(
        &self,
        begun: &Begun,
        launch: &LaunchServer,
        redeemed: &Redeemed,
        now: Timestamp,
    ) -> Result<Option<Claims>, Failure> {
        let (Some(nonce), Some(issuer), Some(keys)) = (&begun.nonce, &begun.issuer, &launch.keys) else {
            return Ok(None);
        };
        let Some(token) = &redeemed.id_token else {
            // It may say that it does not tell; it may not just not tell.
            let declined = redeemed.says_scope && !redeemed.tokens.scope.split(' ').any(|scope| scope == "openid");
            return if declined { Ok(None) } else { Err(IdTokenError::Missing.into()) };
        };
        let (name, value) = token::ACCEPT_JSON;
        let answer = self.egress.send(self.egress.request(Method::GET, keys.clone()).header(name, value)).await;
        let published = answer.ok().filter(|answer| answer.status == 200).ok_or(IdTokenError::NoKeys)?.body;
        let client_id = &self.settings.client_id;
        Ok(Some(id_token::verify(token.expose_secret(), &published, Expected { issuer, client_id, nonce, now })?))
    }
}

/// Whether `fhirUser`, relative or absolute, is this Patient.
fn is_patient(user: &str, patient: &str) -> bool {
    let mut steps = user.rsplit('/');
    steps.next() == Some(patient) && steps.next() == Some("Patient")
}

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Given(..)")
    }
}

impl fmt::Debug for Voucher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Voucher(..)")
    }
}
