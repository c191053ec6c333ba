//! Changing what stands in an EHR: read it, put in what the member changed, write it back only if nobody else did.
//!
//! An update can be tried again safely: it reads first, and if what it wants stands there already, it is done.

use jiff::Timestamp;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, ETAG, IF_MATCH};
use serde_json::Value;

use super::answer;
use super::client::{EhrClient, FHIR_JSON, PREFER, Ticket};
use super::merge::merged;
use super::{Sent, exact};
use crate::consent::decide::Cleared;
use crate::delivery::egress::{Answer, EgressError};
use crate::domain::delivery::{Delivery, Stored};

/// How often a resource is read again because somebody else changed it in between.
pub(super) const ROUNDS: usize = 3;

impl EhrClient {
    /// Brings a resource that stands in the EHR up to `wanted`, the item's new form. For a retraction only the status of
    /// `wanted` counts.
    pub async fn update(
        &self,
        cleared: &Cleared<Delivery>,
        wanted: &[u8],
        stored: &Stored,
        ticket: &Ticket,
        not_after: Timestamp,
    ) -> Sent {
        let operation = cleared.item().operation;
        let Some(wanted) = exact::read(wanted) else {
            return Sent::Rejected { reason: "content-unreadable".to_owned(), outcome: None };
        };
        for _ in 0..ROUNDS {
            let (current, version) = match self.current(stored, ticket, not_after).await {
                Ok(current) => current,
                Err(sent) => return sent,
            };
            let next = merged(&current, &wanted, operation);
            let at = Stored { version: version.clone(), ..stored.clone() };
            if next == current {
                return Sent::Confirmed(at);
            }
            match self.put(&at, &next, ticket, not_after).await {
                // Somebody was faster (R4, http.html, 3.1.0.4.1; Oracle Health says 409): read again.
                Sent::Unknown { reason } if reason == "http-412" || reason == "http-409" => {}
                sent => return sent,
            }
        }
        Sent::NotStored { reason: "changed-by-others".to_owned(), retry_after: None }
    }

    /// Where a resource stands now, for an update whose fate is unknown and which must not be tried again.
    ///
    /// # Errors
    /// What is known of the update when the EHR does not show the resource.
    pub async fn look(&self, stored: &Stored, ticket: &Ticket, not_after: Timestamp) -> Result<Stored, Sent> {
        let (_, version) = self.current(stored, ticket, not_after).await?;
        Ok(Stored { version, ..stored.clone() })
    }

    /// The resource as it stands, and its version. Reading stores nothing: whatever goes wrong can be tried again.
    pub(super) async fn current(
        &self,
        stored: &Stored,
        ticket: &Ticket,
        not_after: Timestamp,
    ) -> Result<(Value, Option<String>), Sent> {
        let not_stored = |reason: String, retry_after| Sent::NotStored { reason, retry_after };
        let path = format!("{}/{}", stored.resource_type, stored.id);
        let Some(request) = self.request(Method::GET, &path, ticket.token()) else {
            return Err(not_stored("no-such-address".to_owned(), None));
        };
        let answer = self.exchange(request, not_after).await.map_err(|error| match error {
            EgressError::TooLate => Sent::NotBegun,
            error => not_stored(error.to_string(), None),
        })?;
        let status = answer.status.as_u16();
        match status {
            200 => {}
            // Somebody deleted it: a human must say what that means.
            404 | 410 => return Err(Sent::Rejected { reason: format!("read-http-{status}"), outcome: None }),
            401 => return Err(self.judge(&stored.resource_type, ticket, Ok(answer))),
            _ => return Err(not_stored(format!("read-http-{status}"), answer::retry_after(&answer.headers))),
        }
        let current = exact::read(&answer.body)
            .filter(|current| {
                let text = |name| current.get(name).and_then(Value::as_str);
                text("resourceType") == Some(stored.resource_type.as_str()) && text("id") == Some(stored.id.as_str())
            })
            .ok_or_else(|| not_stored("read-no-resource".to_owned(), None))?;
        let version = version_of(&answer, &current);
        Ok((current, version))
    }

    pub(super) async fn put(&self, at: &Stored, next: &Value, ticket: &Ticket, not_after: Timestamp) -> Sent {
        let path = format!("{}/{}", at.resource_type, at.id);
        let body = exact::write(next);
        let (Some(request), Some(body)) = (self.request(Method::PUT, &path, ticket.token()), body) else {
            return Sent::Rejected { reason: "content-unwritable".to_owned(), outcome: None };
        };
        let mut request = request.header(CONTENT_TYPE, FHIR_JSON).header(PREFER, "return=minimal").body(body);
        // An EHR without versions cannot tell who was faster; the time between reading and writing is short.
        if let Some(version) = &at.version {
            request = request.header(IF_MATCH, format!("W/\"{version}\""));
        }
        let answer = self.exchange(request, not_after).await;
        self.changed(at, ticket, answer)
    }

    /// What the answer to a change of a resource means that stood there.
    pub(super) fn changed(&self, at: &Stored, ticket: &Ticket, answer: Result<Answer, EgressError>) -> Sent {
        let status = answer.as_ref().ok().map(|answer| answer.status.as_u16());
        match self.judge(&at.resource_type, ticket, answer) {
            // Taken, but not said where: it is where it was.
            Sent::Unknown { reason } if reason == "no-location" || status == Some(204) => {
                Sent::Confirmed(Stored { version: None, ..at.clone() })
            }
            // A retry reads first, and finds out.
            Sent::Unknown { reason } if !reason.starts_with("http-4") => Sent::Unknown { reason },
            sent => sent,
        }
    }
}

fn version_of(answer: &Answer, current: &Value) -> Option<String> {
    let etag = answer.headers.get(ETAG).and_then(|value| value.to_str().ok()).and_then(answer::version_of_etag);
    etag.or_else(|| current.pointer("/meta/versionId").and_then(Value::as_str).map(str::to_owned))
}
