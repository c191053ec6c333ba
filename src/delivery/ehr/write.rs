//! Creating a resource, and finding it again.

use std::fmt;

use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderName};
use reqwest::{Method, StatusCode};

use super::answer;
use super::client::{EhrClient, FHIR_JSON, PREFER, Ticket};
use super::{Found, Sent};
use crate::consent::decide::Cleared;
use crate::delivery::egress::{Answer, EgressError};
use crate::delivery::smart_auth::AccessToken;
use crate::domain::delivery::Delivery;

pub(super) const IF_NONE_EXIST: HeaderName = HeaderName::from_static("if-none-exist");

/// A resource in the form in which it goes.
#[derive(Clone, PartialEq, Eq)]
pub struct Resource {
    /// FHIR resource type.
    pub resource_type: String,
    /// FHIR JSON. Personal.
    pub body: Vec<u8>,
}

impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Resource({})", self.resource_type)
    }
}

impl EhrClient {
    /// Creates a resource. `cleared` says that it may go now, and which delivery it belongs to.
    pub async fn create(
        &self,
        cleared: &Cleared<Delivery>,
        resource: Resource,
        ticket: &Ticket,
        not_after: Timestamp,
    ) -> Sent {
        self.create_as(&cleared.item().identifier, resource, ticket, not_after).await
    }

    /// Creates a resource under an identifier.
    pub(super) async fn create_as(
        &self,
        identifier: &str,
        resource: Resource,
        ticket: &Ticket,
        not_after: Timestamp,
    ) -> Sent {
        let Resource { resource_type, body } = resource;
        let Some(request) = self.request(Method::POST, &resource_type, ticket.token()) else {
            return Sent::Rejected { reason: "no-such-address".to_owned(), outcome: None };
        };
        let mut request = request.header(CONTENT_TYPE, FHIR_JSON).header(PREFER, "return=minimal").body(body);
        // An EHR that could not be asked is not believed to take conditional creates.
        if ticket.capabilities().has_conditional_create(&resource_type) {
            request = request.header(IF_NONE_EXIST, self.if_none_exist(identifier));
        }
        let answer = self.exchange(request, not_after).await;
        self.judge(&resource_type, ticket, answer)
    }

    /// Has the EHR look at a resource without storing it (R4, resource-operation-validate.html).
    ///
    /// # Errors
    /// [`EgressError`].
    pub async fn validate(&self, resource_type: &str, body: &str, ticket: &Ticket) -> Result<Answer, EgressError> {
        let request = self.request(Method::POST, &format!("{resource_type}/$validate"), ticket.token());
        let request = request.ok_or(EgressError::Refused)?.header(CONTENT_TYPE, FHIR_JSON);
        self.exchange(request.body(body.to_owned()), Timestamp::MAX).await
    }

    /// The query of a conditional create.
    pub(super) fn if_none_exist(&self, identifier: &str) -> String {
        format!("identifier={}|{identifier}", self.identifier_system())
    }

    /// What the answer to a write means, for the item, for the token, and for what is known of the EHR.
    pub(super) fn judge(&self, resource_type: &str, ticket: &Ticket, answer: Result<Answer, EgressError>) -> Sent {
        if let Ok(answer) = &answer {
            if matches!(answer.status.as_u16(), 404 | 405 | 501) {
                self.forget_capabilities();
            }
            if let Some(token) = ticket.shared_token() {
                let worked = self.learn(ticket, token, answer.status);
                match answer.status {
                    StatusCode::UNAUTHORIZED if worked => return Sent::TokenSpent,
                    // For a human at the clinic to mend, not a fault of the resource.
                    StatusCode::FORBIDDEN if !token.may(resource_type, "c") => {
                        return Sent::NotStored { reason: "scope-missing".to_owned(), retry_after: None };
                    }
                    _ => {}
                }
            }
        }
        answer::sent(resource_type, answer)
    }

    /// Looks for a resource by its identifier, which says nothing about the member.
    pub async fn find(&self, resource_type: &str, identifier: &str, ticket: &Ticket, not_after: Timestamp) -> Found {
        let undecided = |reason: &str| Found::Undecided { reason: reason.to_owned(), retry_after: None };
        let mut ticket = ticket.clone();
        let mut answer = self.search(resource_type, identifier, ticket.token(), not_after).await;
        if let (Some(refused), Some(Ok(refusal))) = (ticket.shared_token(), &answer)
            && refusal.status == StatusCode::UNAUTHORIZED
        {
            self.learn(&ticket, refused, refusal.status);
            ticket = match self.renew(&ticket).await {
                Ok(renewed) => renewed,
                Err(error) => return undecided(error.code()),
            };
            answer = self.search(resource_type, identifier, ticket.token(), not_after).await;
        }
        let Some(answer) = answer else { return undecided("no-such-address") };
        if let (Some(token), Ok(answer)) = (ticket.shared_token(), &answer) {
            self.learn(&ticket, token, answer.status);
        }
        answer::found(resource_type, self.identifier_system(), identifier, answer)
    }

    async fn search(
        &self,
        resource_type: &str,
        identifier: &str,
        token: Option<&AccessToken>,
        not_after: Timestamp,
    ) -> Option<Result<Answer, EgressError>> {
        let request = self.request(Method::GET, resource_type, token)?;
        let identifier = format!("{}|{identifier}", self.identifier_system());
        let request = request.query(&[("identifier", identifier.as_str())]).header(PREFER, "handling=strict");
        Some(self.exchange(request, not_after).await)
    }
}
