//! One clinic's token, shared by everything that is sent there: asked for once, renewed before its end, dropped when the EHR refuses it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, Url};

use super::assertion::assertion;
use super::discovery::AuthorizationServer;
use super::error::TokenError;
use super::finding::Discovery;
use super::flow::Flow;
use super::scopes;
use super::token::{self, AccessToken, Asked};
use crate::delivery::egress::Egress;
use crate::domain::clock::Clock;
use crate::domain::entropy::Entropy;
use crate::domain::ids::ClinicId;
use crate::vault::signing::SigningKeys;

/// How long a failure stands for all who ask: many lanes must not become many requests to a server that refuses.
pub(super) const FAILURE_LASTS: SignedDuration = SignedDuration::from_secs(10);

/// The longest that a server's `Retry-After` is obeyed without looking again.
pub(super) const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(5);

/// How this bridge is known at a clinic.
#[derive(Clone, Debug)]
pub struct ClientSettings {
    /// Which clinic.
    pub clinic: ClinicId,
    /// The name under which it registered this bridge.
    pub client_id: String,
    /// What is asked for.
    pub scopes: String,
    /// Hosts, beside that of the FHIR endpoint, where the token endpoint may be.
    pub token_hosts: Vec<String>,
}

/// Proves to one clinic's EHR who this bridge is.
#[derive(Debug)]
pub struct SmartAuth {
    egress: Egress,
    discovery: Discovery,
    settings: ClientSettings,
    keys: SigningKeys,
    clock: Clock,
    entropy: Entropy,
    held: Mutex<Held>,
    /// Held by the one who asks for a token; the others wait for it.
    in_flight: tokio::sync::Mutex<()>,
}

/// How it stands with a clinic's token: for people, without anything secret.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AuthState {
    /// The scopes that are asked for.
    pub asked: String,
    /// Those that were granted with the last token.
    pub granted: Option<String>,
    /// What is missing of those asked for.
    pub missing: Vec<String>,
    /// The key that signed last.
    pub kid: Option<String>,
    /// Until when the token is good.
    pub expires_at: Option<Timestamp>,
    /// What the SMART configuration lacks, though nothing here needs it.
    pub gaps: Vec<&'static str>,
    /// Why there was no token the last time one was asked for.
    pub failure: Option<TokenError>,
}

#[derive(Debug)]
struct Held {
    token: Option<Arc<AccessToken>>,
    refused_until: Option<Timestamp>,
    state: AuthState,
}

impl SmartAuth {
    /// A client for the FHIR endpoint at `base`, whose path ends with a slash.
    #[must_use]
    pub fn new(
        egress: Egress,
        base: Url,
        settings: ClientSettings,
        keys: SigningKeys,
        clock: Clock,
        entropy: Entropy,
    ) -> Self {
        let state = AuthState { asked: settings.scopes.clone(), ..AuthState::default() };
        let held = Mutex::new(Held { token: None, refused_until: None, state });
        let token_hosts = settings.token_hosts.clone();
        let discovery = Discovery::new(egress.clone(), base, token_hosts, Flow::BackendServices);
        Self { egress, discovery, settings, keys, clock, entropy, held, in_flight: tokio::sync::Mutex::default() }
    }

    /// The token, if there is one that need not be renewed.
    #[must_use]
    pub fn at_hand(&self) -> Option<Arc<AccessToken>> {
        let now = self.clock.now();
        self.held().token.clone().filter(|token| now < token.renew_at)
    }

    /// A token: the one at hand, or a new one.
    ///
    /// # Errors
    /// [`TokenError`], which says what to fix.
    pub async fn token(&self) -> Result<Arc<AccessToken>, TokenError> {
        if let Some(token) = self.at_hand() {
            return Ok(token);
        }
        // While one renews it early, the others go on with what is still good.
        let _flight = match (self.in_flight.try_lock(), self.still_good()) {
            (Ok(flight), _) => flight,
            (Err(_), Some(token)) => return Ok(token),
            (Err(_), None) => self.in_flight.lock().await,
        };
        if let Some(token) = self.at_hand() {
            return Ok(token);
        }
        if let Some(error) = self.standing_failure() {
            return self.still_good().ok_or(error);
        }
        let asked = self.ask().await;
        self.keep(asked)
    }

    /// Forgets a token that the EHR refused, unless it was replaced in the meantime.
    pub fn forget(&self, refused: &Arc<AccessToken>) {
        let mut held = self.held();
        if held.token.as_ref().is_some_and(|token| Arc::ptr_eq(token, refused)) {
            held.token = None;
            held.state.expires_at = None;
        }
    }

    /// How it stands.
    #[must_use]
    pub fn state(&self) -> AuthState {
        self.held().state.clone()
    }

    fn still_good(&self) -> Option<Arc<AccessToken>> {
        let now = self.clock.now();
        self.held().token.clone().filter(|token| now < token.expires_at)
    }

    /// The last failure, as long as it stands for all.
    fn standing_failure(&self) -> Option<TokenError> {
        let now = self.clock.now();
        let held = self.held();
        held.refused_until.filter(|until| now < *until).and_then(|_| held.state.failure.clone())
    }

    async fn ask(&self) -> Result<AccessToken, TokenError> {
        let server = self.discover().await?;
        let now = self.clock.now();
        let key = self.keys.active(now, |algorithm| server.accepts(algorithm)).ok_or(TokenError::NoKey)?;
        self.held().state.kid = Some(key.kid().to_owned());
        let ClientSettings { client_id, scopes, .. } = &self.settings;
        let assertion = assertion(&key, client_id, &server.token_endpoint, &self.entropy, now)?;
        let (name, value) = token::ACCEPT_JSON;
        let request = self
            .egress
            .request(Method::POST, server.token_url.clone())
            .header(name, value)
            .form(&token::form(scopes, &assertion));
        let answer =
            self.egress.send(request).await.map_err(|cause| TokenError::no_answer(&server.token_url, cause))?;
        let (token_endpoint, flow) = (&server.token_endpoint, Flow::BackendServices);
        token::read(&Asked { client_id, scopes, kid: key.kid(), token_endpoint, at: now, flow }, answer)
    }

    /// The authorization server, as it was found within the last hour or as it is found now.
    ///
    /// # Errors
    /// [`TokenError`], which says what to fix.
    pub async fn discover(&self) -> Result<Arc<AuthorizationServer>, TokenError> {
        let server = self.discovery.find(self.clock.now()).await?;
        self.held().state.gaps.clone_from(&server.gaps);
        Ok(server)
    }

    /// Keeps what came of asking, and tells the log what a human should know: once, and nothing secret.
    fn keep(&self, asked: Result<AccessToken, TokenError>) -> Result<Arc<AccessToken>, TokenError> {
        let (clinic, now) = (&self.settings.clinic, self.clock.now());
        let mut held = self.held();
        match asked {
            Ok(token) => {
                let missing = scopes::missing(&self.settings.scopes, &token.granted);
                if !missing.is_empty() && missing != held.state.missing {
                    tracing::warn!(clinic_id = %clinic, missing = missing.join(" "), "the clinic granted fewer scopes");
                }
                let token = Arc::new(token);
                held.state.missing = missing;
                held.state.granted = Some(token.granted.clone());
                held.state.expires_at = Some(token.expires_at);
                held.state.failure = None;
                held.refused_until = None;
                held.token = Some(Arc::clone(&token));
                Ok(token)
            }
            Err(error) => {
                tracing::warn!(clinic_id = %clinic, code = error.code(), %error, "no token");
                let pause = error.retry_after().map_or(FAILURE_LASTS, |asked| asked.min(LONGEST_PAUSE));
                held.refused_until = now.checked_add(pause).ok();
                held.state.failure = Some(error.clone());
                self.discovery.forget();
                // Renewed too early to be sorry: the old one still serves.
                held.token.clone().filter(|token| now < token.expires_at).ok_or(error)
            }
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
