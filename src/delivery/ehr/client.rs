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

    /// Creates a resource. The permit says that it may go now; it names the delivery that `body` belongs to.
    pub async fn create(&self, permit: &Permit<'_, Delivery>, body: Vec<u8>, now: Timestamp) -> Created {
        let item = permit.item();
        let conditional = self.conditional_create(&item.resource_type, now).await;
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

    /// Looks for a resource by its identifier. Sends nothing that the EHR was not sent before.
    pub async fn find(&self, resource_type: &str, identifier: &str) -> Found {
        let Some(request) = self.request(Method::GET, resource_type) else {
            return Found::Undecided { reason: "no-such-address".to_owned(), retry_after: None };
        };
        let token = format!("{}|{identifier}", self.identifier_system);
        let request = request.query(&[("identifier", token.as_str())]).header(PREFER, "handling=strict");
        answer::found(resource_type, self.identifier_system, identifier, self.egress.send(request).await)
    }

    /// Whether the EHR says that it takes conditional creates. An EHR that cannot be asked is not believed to.
    async fn conditional_create(&self, resource_type: &str, now: Timestamp) -> bool {
        if let Some(known) = self.known_capabilities(now) {
            return known.has_conditional_create(resource_type);
        }
        let Some(request) = self.request(Method::GET, "metadata") else { return false };
        let Ok(answer) = self.egress.send(request).await else { return false };
        let Some(read) = Capabilities::read(&answer.body) else { return false };
        let has = read.has_conditional_create(resource_type);
        if let (Ok(mut cache), Ok(until)) = (self.capabilities.lock(), now.checked_add(CAPABILITIES_LAST)) {
            *cache = Some((until, read));
        }
        has
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
