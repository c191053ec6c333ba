//! Changing what stands in an EHR: read it, put in what the member changed, write it back only if nobody else did.
//!
//! What stands there may have been added to by others: everything the bridge did not write stays as it is. An update
//! can be tried again safely: it reads first, and if what it wants stands there already, it is done.

use jiff::Timestamp;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, ETAG, IF_MATCH};
use serde_json::{Map, Value};

use super::answer;
use super::capability::RESPONSE_TYPE;
use super::client::{EhrClient, FHIR_JSON, PREFER, Ticket};
use super::{Sent, exact};
use crate::consent::decide::Cleared;
use crate::delivery::egress::{Answer, EgressError};
use crate::domain::delivery::{Delivery, Operation, Stored};

/// How often a resource is read again because somebody else changed it in between.
pub(super) const ROUNDS: usize = 3;

/// Elements that come and go with what the member said: absent in the new version means gone.
const OWNED: [&str; 8] =
    ["component", "contained", "content", "dataAbsentReason", "interpretation", "note", "presentedForm", "result"];

/// Elements of the EHR's own.
const FOREIGN: [&str; 3] = ["id", "meta", "text"];

/// The same, in a Consent: what it says in words is said by the bridge.
const FOREIGN_IN_CONSENT: [&str; 2] = ["id", "meta"];

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

/// What stands in the EHR, with what the member changed put in its place.
fn merged(current: &Value, wanted: &Value, operation: Operation) -> Value {
    let (Some(mut next), Some(wanted)) = (current.as_object().cloned(), wanted.as_object()) else {
        return current.clone();
    };
    let is_consent = type_of(&next) == Some("Consent");
    let foreign = if is_consent { &FOREIGN_IN_CONSENT[..] } else { &FOREIGN[..] };
    if operation != Operation::Retract {
        next.retain(|name, _| !is_owned(name) || wanted.contains_key(name));
        for (name, value) in wanted {
            if !foreign.contains(&name.as_str()) {
                next.insert(name.clone(), value.clone());
            }
        }
    }
    mark(&mut next, operation);
    Value::Object(next)
}

fn is_owned(name: &str) -> bool {
    let stems = ["value", "effective", "source"];
    OWNED.contains(&name) || stems.iter().any(|stem| name.starts_with(stem))
}

fn type_of(resource: &Map<String, Value>) -> Option<&str> {
    resource.get("resourceType").and_then(Value::as_str)
}

/// Says in the resource what was done with it: `corrected` (Observation.status, DiagnosticReport.status), `amended` (DocumentReference.docStatus,
/// and QuestionnaireResponse.status, which have no other word for it), `entered-in-error`. A Consent says itself how it stands.
fn mark(resource: &mut Map<String, Value>, operation: Operation) {
    let is_document = type_of(resource) == Some("DocumentReference");
    let is_consent = type_of(resource) == Some("Consent");
    let is_response = type_of(resource) == Some(RESPONSE_TYPE);
    let (element, code) = match operation {
        Operation::Retract => ("status", "entered-in-error"),
        Operation::Create | Operation::Correct if is_consent => return,
        Operation::Create | Operation::Correct if is_document => ("docStatus", "amended"),
        Operation::Create | Operation::Correct if is_response => ("status", "amended"),
        Operation::Create | Operation::Correct => ("status", "corrected"),
    };
    resource.insert(element.to_owned(), Value::from(code));
}

#[cfg(test)]
#[path = "update_tests.rs"]
mod tests;
