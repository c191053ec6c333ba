//! The interactions with an EHR.

use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Method, RequestBuilder, StatusCode, Url};

use super::answer;
use super::capability::Capabilities;
use super::{Created, Found};
use crate::consent::decide::Permit;
use crate::delivery::egress::{Answer, Egress, EgressError};
use crate::delivery::smart_auth::{AccessToken, SmartAuth, TokenError};
use crate::domain::delivery::Delivery;
use crate::domain::entropy::Entropy;

const FHIR_JSON: HeaderValue = HeaderValue::from_static("application/fhir+json");
const IF_NONE_EXIST: HeaderName = HeaderName::from_static("if-none-exist");
const PREFER: HeaderName = HeaderName::from_static("prefer");
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// How long a `CapabilityStatement` is believed.
const CAPABILITIES_LAST: SignedDuration = SignedDuration::from_hours(1);

/// How long an EHR that gave none is left in peace.
const IGNORANCE_LASTS: SignedDuration = SignedDuration::from_mins(1);

/// Talks to one clinic's EHR.
#[derive(Debug)]
pub struct EhrClient {
    egress: Egress,
    base: Url,
    identifier_system: &'static str,
    entropy: Entropy,
    auth: Option<SmartAuth>,
    capabilities: Mutex<Option<(Timestamp, Arc<Capabilities>)>>,
}

/// All that must be known and held before something is sent, so that between the decision to send and the sending
/// nothing else is asked for.
#[derive(Clone, Debug)]
pub struct Ticket {
    /// `None` where the clinic asks for no token.
    token: Option<Arc<AccessToken>>,
    capabilities: Arc<Capabilities>,
}

impl EhrClient {
    /// A client for the FHIR endpoint at `base`, a URL that ends with a slash ([`with_slash`]). Its resources carry
    /// identifiers of `identifier_system`. With `auth`, nothing is sent without a token.
    #[must_use]
    pub const fn new(
        egress: Egress,
        base: Url,
        identifier_system: &'static str,
        entropy: Entropy,
        auth: Option<SmartAuth>,
    ) -> Self {
        Self { egress, base, identifier_system, entropy, auth, capabilities: Mutex::new(None) }
    }

    /// How the bridge proves to this EHR who it is, if it has to.
    #[must_use]
    pub const fn auth(&self) -> Option<&SmartAuth> {
        self.auth.as_ref()
    }

    /// The FHIR endpoint.
    #[must_use]
    pub const fn base(&self) -> &Url {
        &self.base
    }

    /// Whether anyone answers at all, whatever the answer.
    ///
    /// # Errors
    /// [`EgressError`].
    pub async fn knock(&self) -> Result<Answer, EgressError> {
        let url = self.base.join("metadata").map_err(|_| EgressError::Refused)?;
        self.egress.send(self.egress.request(Method::GET, url).header(ACCEPT, FHIR_JSON)).await
    }

    /// The EHR's `CapabilityStatement`, asked for anew.
    ///
    /// # Errors
    /// [`EgressError`]; also when there is no token where there must be one.
    pub async fn capability_statement(&self, now: Timestamp) -> Result<Answer, EgressError> {
        let ticket = self.prepare(now).await.map_err(|_| EgressError::Refused)?;
        let request = self.request(Method::GET, "metadata", ticket.token.as_deref()).ok_or(EgressError::Refused)?;
        self.egress.send(request).await
    }

    /// A ticket, if nothing has to be asked for it.
    #[must_use]
    pub fn ready(&self, now: Timestamp) -> Option<Ticket> {
        let token = match &self.auth {
            Some(auth) => Some(auth.at_hand()?),
            None => None,
        };
        Some(Ticket { token, capabilities: self.known_capabilities(now)? })
    }

    /// A ticket; what is not known or held is asked for.
    ///
    /// # Errors
    /// [`TokenError`] when there is no token where there must be one.
    pub async fn prepare(&self, now: Timestamp) -> Result<Ticket, TokenError> {
        let token = match &self.auth {
            Some(auth) => Some(auth.token().await?),
            None => None,
        };
        let capabilities = match self.known_capabilities(now) {
            Some(known) => known,
            None => self.ask_capabilities(token.as_deref(), now).await,
        };
        Ok(Ticket { token, capabilities })
    }

    /// Creates a resource. The permit says that it may go now; it names the delivery that `body` belongs to.
    pub async fn create(&self, permit: &Permit<'_, Delivery>, body: Vec<u8>, ticket: &Ticket) -> Created {
        let item = permit.item();
        let Some(request) = self.request(Method::POST, &item.resource_type, ticket.token.as_deref()) else {
            return Created::Rejected { reason: "no-such-address".to_owned() };
        };
        let mut request = request.header(CONTENT_TYPE, FHIR_JSON).header(PREFER, "return=minimal").body(body);
        // An EHR that could not be asked is not believed to take conditional creates.
        if ticket.capabilities.has_conditional_create(&item.resource_type) {
            request =
                request.header(IF_NONE_EXIST, format!("identifier={}|{}", self.identifier_system, item.identifier));
        }
        let answer = self.egress.send(request).await;
        match (&ticket.token, &answer) {
            (Some(token), Ok(answer)) => {
                let worked = self.learn(token, answer);
                match answer.status {
                    StatusCode::UNAUTHORIZED if worked => return Created::TokenSpent,
                    // For a human at the clinic to mend, not a fault of the resource.
                    StatusCode::FORBIDDEN if !token.may_create(&item.resource_type) => {
                        return Created::NotStored { reason: "scope-missing".to_owned(), retry_after: None };
                    }
                    _ => {}
                }
            }
            (None, _) | (_, Err(_)) => {}
        }
        answer::created(&item.resource_type, answer)
    }

    /// Looks for a resource by its identifier, which says nothing about the member.
    pub async fn find(&self, resource_type: &str, identifier: &str, ticket: &Ticket) -> Found {
        let undecided = |reason: &str| Found::Undecided { reason: reason.to_owned(), retry_after: None };
        let mut token = ticket.token.clone();
        let mut answer = self.search(resource_type, identifier, token.as_deref()).await;
        if let (Some(auth), Some(refused), Some(Ok(refusal))) = (&self.auth, &token, &answer)
            && refusal.status == StatusCode::UNAUTHORIZED
        {
            auth.forget(refused);
            token = match auth.token().await {
                Ok(token) => Some(token),
                Err(error) => return undecided(error.code()),
            };
            answer = self.search(resource_type, identifier, token.as_deref()).await;
        }
        let Some(answer) = answer else { return undecided("no-such-address") };
        if let (Some(token), Ok(answer)) = (&token, &answer) {
            self.learn(token, answer);
        }
        answer::found(resource_type, self.identifier_system, identifier, answer)
    }

    async fn search(
        &self,
        resource_type: &str,
        identifier: &str,
        token: Option<&AccessToken>,
    ) -> Option<Result<Answer, EgressError>> {
        let request = self.request(Method::GET, resource_type, token)?;
        let identifier = format!("{}|{identifier}", self.identifier_system);
        let request = request.query(&[("identifier", identifier.as_str())]).header(PREFER, "handling=strict");
        Some(self.egress.send(request).await)
    }

    /// What an answer says about the token: whether it is still good. Returns whether it ever was.
    fn learn(&self, token: &Arc<AccessToken>, answer: &Answer) -> bool {
        let worked = token.has_worked();
        match (&self.auth, answer.status) {
            (Some(auth), StatusCode::UNAUTHORIZED) => auth.forget(token),
            (_, status) if status.is_success() => token.note_worked(),
            _ => {}
        }
        worked
    }

    /// An EHR that cannot be asked is believed to do nothing special, and asked again soon.
    async fn ask_capabilities(&self, token: Option<&AccessToken>, now: Timestamp) -> Arc<Capabilities> {
        let read = match self.request(Method::GET, "metadata", token) {
            Some(request) => self.egress.send(request).await.ok().and_then(|answer| Capabilities::read(&answer.body)),
            None => None,
        };
        let lasts = if read.is_some() { CAPABILITIES_LAST } else { IGNORANCE_LASTS };
        let read = Arc::new(read.unwrap_or_default());
        if let (Ok(mut cache), Ok(until)) = (self.capabilities.lock(), now.checked_add(lasts)) {
            *cache = Some((until, Arc::clone(&read)));
        }
        read
    }

    fn known_capabilities(&self, now: Timestamp) -> Option<Arc<Capabilities>> {
        let cache = self.capabilities.lock().ok()?;
        cache.as_ref().filter(|(until, _)| now < *until).map(|(_, capabilities)| Arc::clone(capabilities))
    }

    /// A request to the EHR. `None` also when there is no token where there must be one: that must never go.
    fn request(&self, method: Method, path: &str, token: Option<&AccessToken>) -> Option<RequestBuilder> {
        let url = self.base.join(path).ok()?;
        let id: [u8; 16] = self.entropy.bytes().ok()?;
        let id = uuid::Builder::from_random_bytes(id).into_uuid().to_string();
        let request = self.egress.request(method, url).header(ACCEPT, FHIR_JSON).header(X_REQUEST_ID, id);
        match (&self.auth, token) {
            (Some(_), None) => None,
            (_, Some(token)) => Some(request.header(AUTHORIZATION, token.header()?)),
            (None, None) => Some(request),
        }
    }
}

/// A FHIR base that ends with a slash: without it, joining a relative reference would replace the last segment.
#[must_use]
pub fn with_slash(base: &Url) -> Url {
    let mut base = base.clone();
    if !base.path().ends_with('/') {
        base.set_path(&format!("{}/", base.path()));
    }
    base
}
