//! Subscriptions at an EHR: made, changed and deleted. They tell nothing about a member but which Patient the EHR itself is
//! to watch, and to whom it is to say that something changed.

use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, IF_MATCH};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use super::answer;
use super::client::{EhrClient, FHIR_JSON, PREFER, Ticket};
use super::read::NotShown;
use crate::delivery::egress::{Answer, EgressError};

impl EhrClient {
    /// Makes a Subscription; returns its id.
    ///
    /// # Errors
    /// [`NotShown`]; where it is away, it may have been made.
    pub async fn subscribe(&self, subscription: &Value, ticket: &Ticket) -> Result<String, NotShown> {
        let request = self.request(Method::POST, "Subscription", ticket.token());
        let answer = self.write_plainly(request, Some(subscription), None).await?;
        let location = answer.headers.get("location").and_then(|location| location.to_str().ok());
        let of_location = |location: &str| {
            let mut segments = location.split('/').skip_while(|segment| *segment != "Subscription");
            segments.nth(1).map(str::to_owned)
        };
        let of_body = || {
            let body: Value = serde_json::from_slice(&answer.body).ok()?;
            body.get("id").and_then(Value::as_str).map(str::to_owned)
        };
        let id = location.and_then(of_location).or_else(of_body);
        id.ok_or_else(|| NotShown::Away { reason: "no-location".to_owned(), retry_after: None })
    }

    /// Writes a Subscription in the place of the one that was read, unless somebody changed it since.
    ///
    /// # Errors
    /// [`NotShown`].
    pub async fn resubscribe(&self, id: &str, next: &Value, ticket: &Ticket) -> Result<(), NotShown> {
        let request = self.request(Method::PUT, &format!("Subscription/{id}"), ticket.token());
        let version = next.pointer("/meta/versionId").and_then(Value::as_str);
        self.write_plainly(request, Some(next), version).await.map(drop)
    }

    /// Deletes a Subscription. One that is not there is deleted.
    ///
    /// # Errors
    /// [`NotShown`].
    pub async fn unsubscribe(&self, id: &str, ticket: &Ticket) -> Result<(), NotShown> {
        let request = self.request(Method::DELETE, &format!("Subscription/{id}"), ticket.token());
        match self.write_plainly(request, None, None).await {
            Ok(_) | Err(NotShown::Gone) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn write_plainly(
        &self,
        request: Option<RequestBuilder>,
        body: Option<&Value>,
        version: Option<&str>,
    ) -> Result<Answer, NotShown> {
        let away = |reason: String, retry_after| NotShown::Away { reason, retry_after };
        let mut request = request.ok_or_else(|| away("no-such-address".to_owned(), None))?;
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, FHIR_JSON).header(PREFER, "return=minimal").body(body.to_string());
        }
        if let Some(version) = version {
            request = request.header(IF_MATCH, format!("W/\"{version}\""));
        }
        let answer = match self.exchange(request, Timestamp::MAX).await {
            Ok(answer) => answer,
            Err(EgressError::Refused) => return Err(NotShown::Refused { reason: "egress-refused".to_owned() }),
            Err(error) => return Err(away(error.to_string(), None)),
        };
        let reason = format!("http-{}", answer.status.as_u16());
        match answer.status.as_u16() {
            200..=299 => Ok(answer),
            404 | 410 => Err(NotShown::Gone),
            401 | 408 | 409 | 412 | 425 | 429 | 500..=599 => Err(away(reason, answer::retry_after(&answer.headers))),
            _ => Err(NotShown::Refused { reason }),
        }
    }
}
