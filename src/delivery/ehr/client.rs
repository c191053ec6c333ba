//! What every exchange with an EHR has in common: who the bridge is there, what the EHR can do, and how hard it may be
//! pressed.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, StatusCode, Url};

use super::access::Access;
use super::answer;
use super::capability::Capabilities;
use crate::delivery::egress::{Answer, Egress, EgressError};
use crate::delivery::rate_limit;
use crate::delivery::smart_auth::{AccessToken, TokenError};
use crate::delivery::throttle::{Signal, Throttle};
use crate::domain::clock::Clock;
use crate::domain::entropy::Entropy;
use crate::domain::form::Takes;
use crate::domain::ids::MemberId;

pub(super) const FHIR_JSON: HeaderValue = HeaderValue::from_static("application/fhir+json");
pub(super) const PREFER: HeaderName = HeaderName::from_static("prefer");
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
    clock: Clock,
    entropy: Entropy,
    access: Access,
    takes: Takes,
    throttle: Throttle,
    known: Mutex<Known>,
    /// Held by the one who asks what the EHR can do; the others wait for it.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Known {
    capabilities: Option<(Timestamp, Arc<Capabilities>)>,
    /// The EHR said that it takes batches, and refused one.
    no_batches_until: Option<Timestamp>,
}

/// How a clinic's EHR is reached, and what is known of it beforehand.
#[derive(Debug)]
pub struct EhrSettings {
    /// The FHIR endpoint: a URL that ends with a slash ([`with_slash`]).
    pub base: Url,
    /// The system of the identifiers that the bridge's resources carry.
    pub identifier_system: &'static str,
    /// By what right.
    pub access: Access,
    /// What the operator says of the EHR.
    pub takes: Takes,
    /// How many requests may be under way at once.
    pub concurrency: usize,
}

/// All that must be known and held before something is sent, so that between the decision to send and the sending
/// nothing else is asked for.
#[derive(Clone, Debug)]
pub struct Ticket {
    member: MemberId,
    /// `None` where the clinic asks for no token.
    token: Option<Arc<AccessToken>>,
    capabilities: Arc<Capabilities>,
}

impl Ticket {
    /// What the EHR can do.
    #[must_use]
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// Whether the EHR takes it, from this bridge, that a consent stands as it stands.
    #[must_use]
    pub fn takes_consent(&self) -> bool {
        let may = |token: &Arc<AccessToken>| token.may("Consent", "crus");
        self.capabilities.keeps_consents() && self.token.as_ref().is_none_or(may)
    }

    /// Whether the EHR takes resources of this type from this bridge, and says so.
    #[must_use]
    pub fn takes(&self, resource_type: &str) -> bool {
        let may = |token: &Arc<AccessToken>| token.may(resource_type, "crus");
        self.capabilities.keeps(resource_type) && self.token.as_ref().is_none_or(may)
    }

    /// Whether the EHR lets this bridge go on with Tasks.
    #[must_use]
    pub fn takes_task_updates(&self) -> bool {
        let may = |token: &Arc<AccessToken>| token.may("Task", "ru");
        self.capabilities.has_update("Task") && self.token.as_ref().is_none_or(may)
    }

    /// Whether the EHR takes messages from this bridge.
    #[must_use]
    pub fn takes_messages(&self) -> bool {
        let may = |token: &Arc<AccessToken>| token.may("Communication", "cs");
        self.capabilities.has_create("Communication") && self.token.as_ref().is_none_or(may)
    }

    /// Whether the EHR takes Appointments from this bridge: as resources, or by operations.
    #[must_use]
    pub fn takes_bookings(&self) -> bool {
        let may = |token: &Arc<AccessToken>| token.may("Appointment", "crus");
        let is_said = self.capabilities.has_create("Appointment") || self.takes_operations();
        is_said && self.token.as_ref().is_none_or(may)
    }

    /// Whether the EHR says that visits are found, held and booked by operations.
    #[must_use]
    pub fn takes_operations(&self) -> bool {
        self.capabilities.scheduling().is_some()
    }

    /// Whether the EHR lets this bridge take Slots.
    #[must_use]
    pub fn takes_slots(&self) -> bool {
        let may = |token: &Arc<AccessToken>| token.may("Slot", "rus");
        let is_said = self.capabilities.has_search("Slot") && self.capabilities.has_update("Slot");
        let is_said = is_said && self.capabilities.has_create("Appointment");
        is_said && self.takes_bookings() && self.token.as_ref().is_none_or(may)
    }

    /// Whether the EHR lets this bridge make Subscriptions.
    #[must_use]
    pub fn may_subscribe(&self) -> bool {
        let may = |token: &Arc<AccessToken>| token.may("Subscription", "crud");
        let is_said = !self.capabilities.is_unknown() && self.capabilities.has_create("Subscription");
        is_said && self.token.as_ref().is_none_or(may)
    }

    /// Whether resources of this type can be searched for with it.
    #[must_use]
    pub fn may_search(&self, resource_type: &str) -> bool {
        let may = |token: &Arc<AccessToken>| token.may(resource_type, "s");
        self.capabilities.has_search(resource_type) && self.token.as_ref().is_none_or(may)
    }

    pub(super) fn token(&self) -> Option<&AccessToken> {
        self.token.as_deref()
    }

    pub(super) const fn shared_token(&self) -> Option<&Arc<AccessToken>> {
        self.token.as_ref()
    }
}

impl EhrClient {
    /// A client for one FHIR endpoint.
    #[must_use]
    pub fn new(egress: Egress, settings: EhrSettings, clock: Clock, entropy: Entropy) -> Self {
        let EhrSettings { base, identifier_system, access, takes, concurrency } = settings;
        let (throttle, known) = (Throttle::new(concurrency), Mutex::default());
        Self {
            egress,
            base,
            identifier_system,
            clock,
            entropy,
            access,
            takes,
            throttle,
            known,
            asking: tokio::sync::Mutex::default(),
        }
    }

    /// By what right the bridge speaks to this EHR.
    #[must_use]
    pub const fn access(&self) -> &Access {
        &self.access
    }

    /// The FHIR endpoint.
    #[must_use]
    pub const fn base(&self) -> &Url {
        &self.base
    }

    /// How hard it may be pressed.
    #[must_use]
    pub const fn throttle(&self) -> &Throttle {
        &self.throttle
    }

    pub(super) const fn identifier_system(&self) -> &'static str {
        self.identifier_system
    }

    /// Whether anyone answers at all, whatever the answer.
    ///
    /// # Errors
    /// [`EgressError`].
    pub async fn knock(&self) -> Result<Answer, EgressError> {
        let url = self.base.join("metadata").map_err(|_| EgressError::Refused)?;
        self.egress.send(self.egress.request(Method::GET, url).header(ACCEPT, FHIR_JSON)).await
    }

    /// The EHR's `CapabilityStatement`, asked for anew: with the bridge's own token where it has one, and openly where
    /// only members have any. SMART servers show it to everyone.
    ///
    /// # Errors
    /// [`EgressError`]; also when there is no token where there must be one.
    pub async fn capability_statement(&self, member: MemberId) -> Result<Answer, EgressError> {
        if matches!(self.access, Access::Lent(_)) {
            return self.knock().await;
        }
        let ticket = self.prepare(member).await.map_err(|_| EgressError::Refused)?;
        let request = self.request(Method::GET, "metadata", ticket.token()).ok_or(EgressError::Refused)?;
        self.egress.send(request).await
    }

    /// What a `CapabilityStatement` says, and what the operator says against it; `None` if it is none of R4.
    #[must_use]
    pub fn capabilities(&self, statement: &[u8]) -> Option<Capabilities> {
        Capabilities::read(statement, self.takes)
    }

    /// Forgets what is held of some members' access and was replaced since: it may be about another Patient.
    pub async fn look_again(&self, members: &[MemberId]) {
        if let Access::Lent(Some(auth)) = &self.access {
            auth.look_again(members).await;
        }
    }

    /// A ticket to send something about a member, if nothing has to be asked for it.
    #[must_use]
    pub fn ready(&self, member: MemberId) -> Option<Ticket> {
        let token = self.access.at_hand(member)?;
        Some(Ticket { member, token, capabilities: self.known_capabilities()? })
    }

    /// A ticket to send something about a member; what is not known or held is asked for.
    ///
    /// # Errors
    /// [`TokenError`] when there is no token where there must be one.
    pub async fn prepare(&self, member: MemberId) -> Result<Ticket, TokenError> {
        let token = self.access.right(member).await?;
        let capabilities = match self.known_capabilities() {
            Some(known) => known,
            None => self.ask_capabilities(token.as_deref()).await,
        };
        Ok(Ticket { member, token, capabilities })
    }

    /// The same ticket with another token, after the EHR refused the first.
    pub(super) async fn renew(&self, ticket: &Ticket) -> Result<Ticket, TokenError> {
        self.prepare(ticket.member).await
    }

    /// Whether several items may go in one request, as far as it is known.
    #[must_use]
    pub fn takes_batches(&self) -> bool {
        let refused = self.known().no_batches_until.is_some_and(|until| self.clock.now() < until);
        self.access.is_shared()
            && !refused
            && self.known_capabilities().is_some_and(|capabilities| capabilities.has_batch())
    }

    pub(super) fn stop_batching(&self) {
        self.known().no_batches_until = self.clock.now().checked_add(CAPABILITIES_LAST).ok();
    }

    /// What an answer says about the token: whether it is still good. Returns whether it ever was.
    pub(super) fn learn(&self, ticket: &Ticket, token: &Arc<AccessToken>, status: StatusCode) -> bool {
        let worked = token.has_worked();
        match status {
            StatusCode::UNAUTHORIZED => self.access.forget(ticket.member, token),
            status if status.is_success() => token.note_worked(),
            _ => {}
        }
        worked
    }

    /// Sends a request when there is a place for it, unless that comes after `not_after`; and learns from how it went how
    /// hard the EHR may be pressed.
    pub(super) async fn exchange(&self, request: RequestBuilder, not_after: Timestamp) -> Result<Answer, EgressError> {
        let _slot = self.throttle.enter().await;
        let began = self.clock.now();
        // What waited here while the EHR got into trouble does not go either.
        if not_after < began || self.throttle.limit(began) == 0 {
            return Err(EgressError::TooLate);
        }
        let answer = self.egress.send(request).await;
        let now = self.clock.now();
        self.throttle.learn(now, signal(&answer, now.duration_since(began)));
        answer
    }

    /// What the EHR said of itself is asked for anew: it does not fit what it does.
    pub(super) fn forget_capabilities(&self) {
        self.known().capabilities = None;
    }

    /// An EHR that cannot be asked is believed to do nothing special, and asked again soon.
    async fn ask_capabilities(&self, token: Option<&AccessToken>) -> Arc<Capabilities> {
        let _asking = self.asking.lock().await;
        if let Some(known) = self.known_capabilities() {
            return known;
        }
        let read = match self.request(Method::GET, "metadata", token) {
            Some(request) => {
                let answer = self.exchange(request, Timestamp::MAX).await.ok();
                answer.and_then(|answer| Capabilities::read(&answer.body, self.takes))
            }
            None => None,
        };
        let lasts = if read.is_some() { CAPABILITIES_LAST } else { IGNORANCE_LASTS };
        let read = Arc::new(read.unwrap_or_else(|| Capabilities::unknown(self.takes)));
        if let Ok(until) = self.clock.now().checked_add(lasts) {
            self.known().capabilities = Some((until, Arc::clone(&read)));
        }
        read
    }

    fn known_capabilities(&self) -> Option<Arc<Capabilities>> {
        let known = self.known();
        let fresh = known.capabilities.as_ref().filter(|(until, _)| self.clock.now() < *until);
        fresh.map(|(_, capabilities)| Arc::clone(capabilities))
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request to the EHR. `None` also when there is no token where there must be one: that must never go.
    pub(super) fn request(&self, method: Method, path: &str, token: Option<&AccessToken>) -> Option<RequestBuilder> {
        let url = self.base.join(path).ok()?;
        let id: [u8; 16] = self.entropy.bytes().ok()?;
        let id = uuid::Builder::from_random_bytes(id).into_uuid().to_string();
        let request = self.egress.request(method, url).header(ACCEPT, FHIR_JSON).header(X_REQUEST_ID, id);
        match token {
            None if self.access.wants_token() => None,
            None => Some(request),
            Some(token) => Some(request.header(AUTHORIZATION, token.header()?)),
        }
    }
}

/// What an answer says about how the EHR is.
fn signal(answer: &Result<Answer, EgressError>, took: SignedDuration) -> Signal {
    let answer = match answer {
        Ok(answer) => answer,
        // What is refused on this side says nothing about the other.
        Err(EgressError::Refused) => return Signal::Answered(took),
        Err(error) => return Signal::Failed { reason: error.to_string() },
    };
    let reason = format!("http-{}", answer.status.as_u16());
    let asked = answer::retry_after(&answer.headers).or_else(|| rate_limit::exhausted(&answer.headers));
    match answer.status {
        StatusCode::TOO_MANY_REQUESTS => Signal::TooMuch { reason, retry_after: asked },
        StatusCode::SERVICE_UNAVAILABLE if answer.headers.contains_key(RETRY_AFTER) => {
            Signal::TooMuch { reason, retry_after: asked }
        }
        status if status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED => Signal::Failed { reason },
        _ => match rate_limit::exhausted(&answer.headers) {
            Some(pause) => Signal::TooMuch { reason: "rate-limit".to_owned(), retry_after: Some(pause) },
            None => Signal::Answered(took),
        },
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
