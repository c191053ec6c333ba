//! Asks a FHIR server where its authorization server is, and believes the answer for an hour.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, Url};

use super::discovery::{AuthorizationServer, WELL_KNOWN};
use super::error::TokenError;
use super::flow::Flow;
use super::token;
use crate::delivery::egress::Egress;

/// How long a SMART configuration is believed.
const LASTS: SignedDuration = SignedDuration::from_hours(1);

/// Finds the authorization server of one FHIR endpoint.
#[derive(Debug)]
pub struct Discovery {
    egress: Egress,
    base: Url,
    token_hosts: Vec<String>,
    flow: Flow,
    found: Mutex<Option<(Timestamp, Arc<AuthorizationServer>)>>,
}

impl Discovery {
    /// For the FHIR endpoint at `base`, whose path ends with a slash; its token endpoint may be at one of `token_hosts`
    /// too.
    #[must_use]
    pub const fn new(egress: Egress, base: Url, token_hosts: Vec<String>, flow: Flow) -> Self {
        Self { egress, base, token_hosts, flow, found: Mutex::new(None) }
    }

    /// The authorization server, as it was found within the last hour or as it is found now.
    ///
    /// # Errors
    /// [`TokenError`], which says what to fix.
    pub async fn find(&self, now: Timestamp) -> Result<Arc<AuthorizationServer>, TokenError> {
        if let Some((_, server)) = self.found().as_ref().filter(|(until, _)| now < *until) {
            return Ok(Arc::clone(server));
        }
        let base = || self.base.to_string();
        let url = self.base.join(WELL_KNOWN).map_err(|_| TokenError::DiscoveryUnreadable { base: base() })?;
        let (name, value) = token::ACCEPT_JSON;
        let request = self.egress.request(Method::GET, url).header(name, value);
        let answer = self.egress.send(request).await.map_err(|cause| TokenError::no_answer(&self.base, cause))?;
        if answer.status != 200 {
            return Err(TokenError::NoDiscovery { base: base(), status: answer.status.as_u16() });
        }
        let server = Arc::new(AuthorizationServer::read(&answer.body, &self.base, &self.token_hosts, self.flow)?);
        *self.found() = now.checked_add(LASTS).ok().map(|until| (until, Arc::clone(&server)));
        Ok(server)
    }

    /// Forgets what was found: the server may have moved.
    pub fn forget(&self) {
        *self.found() = None;
    }

    /// For which way to a token it looks.
    #[must_use]
    pub const fn flow(&self) -> Flow {
        self.flow
    }

    fn found(&self) -> MutexGuard<'_, Option<(Timestamp, Arc<AuthorizationServer>)>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
