//! The interactions with an EHR.

use std::sync::Mutex;

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use reqwest::Url;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};

use super::answer;
use super::capability::Capabilities;
use super::{Created, Found};
use crate::consent::decide::Permit;
use crate::delivery::egress::Egress;
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
    capabilities: Mutex<Option<(Timestamp, Capabilities)>>,
}

impl EhrClient {
    /// A client for the FHIR endpoint at `base`. Its resources carry identifiers of `identifier_system`.
    #[must_use]
    pub fn new(egress: Egress, mut base: Url, identifier_system: &'static str, entropy: Entropy) -> Self {
        // Without the slash, joining a relative reference would replace the last segment of the path.
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        Self { egress, base, identifier_system, entropy, capabilities: Mutex::new(None) }
    }

    /// Creates a resource. The permit says that it may go now; it names the delivery that `body` belongs to. Nothing
    /// else is asked of the EHR first: see [`EhrClient::learn_capabilities`].
    pub async fn create(&self, permit: &Permit<'_, Delivery>, body: Vec<u8>, now: Timestamp) -> Created {
        let item = permit.item();
        let conditional =
            self.known_capabilities(now).is_some_and(|known| known.has_conditional_create(&item.resource_type));
        let Some(request) = self.request(Method::POST, &item.resource_type) else {
            return Created::Rejected { reason: "no-such-address".to_owned() };
        };
        let mut request = request.header(CONTENT_TYPE, FHIR_JSON).header(PREFER, "return=minimal").body(body);
        if conditional {
            request =
                request.header(IF_NONE_EXIST, format!("identifier={}|{}", self.identifier_system, item.identifier));
        }
        answer::created(&item.resource_type, self.egress.send(request).await)
    }

    /// Looks for a resource by its identifier, which says nothing about the member.
    pub async fn find(&self, resource_type: &str, identifier: &str) -> Found {
        let Some(request) = self.request(Method::GET, resource_type) else {
            return Found::Undecided { reason: "no-such-address".to_owned(), retry_after: None };
        };
        let token = format!("{}|{identifier}", self.identifier_system);
        let request = request.query(&[("identifier", token.as_str())]).header(PREFER, "handling=strict");
        answer::found(resource_type, self.identifier_system, identifier, self.egress.send(request).await)
    }

    /// Asks the EHR what it can do, unless that is known. An EHR that cannot be asked is believed to do nothing special,
    /// and asked again soon.
    pub async fn learn_capabilities(&self, now: Timestamp) {
        if self.known_capabilities(now).is_some() {
            return;
        }
        let read = match self.request(Method::GET, "metadata") {
            Some(request) => self.egress.send(request).await.ok().and_then(|answer| Capabilities::read(&answer.body)),
            None => None,
        };
        let lasts = if read.is_some() { CAPABILITIES_LAST } else { IGNORANCE_LASTS };
        if let (Ok(mut cache), Ok(until)) = (self.capabilities.lock(), now.checked_add(lasts)) {
            *cache = Some((until, read.unwrap_or_default()));
        }
    }

    fn known_capabilities(&self, now: Timestamp) -> Option<Capabilities> {
        let cache = self.capabilities.lock().ok()?;
        cache.as_ref().filter(|(until, _)| now < *until).map(|(_, capabilities)| capabilities.clone())
    }

    fn request(&self, method: Method, path: &str) -> Option<reqwest::RequestBuilder> {
        let url = self.base.join(path).ok()?;
        let id: [u8; 16] = self.entropy.bytes().ok()?;
        let id = uuid::Builder::from_random_bytes(id).into_uuid().to_string();
        Some(self.egress.request(method, url).header(ACCEPT, FHIR_JSON).header(X_REQUEST_ID, id))
    }
}
