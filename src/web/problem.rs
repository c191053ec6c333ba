//! Problem details (RFC 9457): the one shape in which errors leave.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::helpline::Help;
use crate::inbound::event::Refusal;
use crate::pipeline::AcceptError;
use crate::store::StoreError;
use crate::telemetry::logs::chain;

/// How long a caller is asked to wait who came at a bad time, in seconds.
const TRY_AGAIN_AFTER: u32 = 10;

/// An error as a caller sees it. Holds no personal value and no cause from inside the house.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// A URI that names the kind of problem.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind of problem in words.
    pub title: &'static str,
    /// HTTP status.
    pub status: u16,
    /// What to do about this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The field in question, as a JSON Pointer or the name of a header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Why an event was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Box<Refusal>>,
    /// Where the member finds help whose event it was, as in the results of events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<Box<Help>>,
    /// After how many seconds to come again, said in the header `Retry-After`.
    #[serde(skip)]
    pub retry_after: Option<u32>,
}

impl Problem {
    /// A problem of a kind, whose name becomes part of its URI.
    #[must_use]
    pub fn new(status: StatusCode, name: &str, title: &'static str) -> Self {
        let kind = format!("https://w3id.org/mostik/problems/{name}");
        Self {
            kind,
            title,
            status: status.as_u16(),
            detail: None,
            field: None,
            refusal: None,
            help: None,
            retry_after: None,
        }
    }

    /// With words on what to do.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// With the field in question.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Something broke on this side. The cause goes to the log, once; the caller learns nothing of it.
    pub fn internal(cause: &dyn std::error::Error) -> Self {
        tracing::error!(cause = chain(cause), "a request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something broke on our side")
            .detail("It is not known whether it was done. Sending the same again later is safe.")
    }

    /// The database takes nothing at present. The cause goes to the log.
    fn unavailable(cause: &dyn std::error::Error) -> Self {
        tracing::error!(cause = chain(cause), "the database cannot be used at present");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "This cannot be done at present")
            .detail("It is not known whether it was done. Sending the same again later is safe.")
    }

    /// After how many seconds to come again, if it is a question of time.
    #[must_use]
    pub fn wait(&self) -> Option<u32> {
        let unavailable = self.status_code() == StatusCode::SERVICE_UNAVAILABLE;
        self.retry_after.or(unavailable.then_some(TRY_AGAIN_AFTER))
    }

    /// No valid credentials.
    #[must_use]
    pub fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "Credentials are missing or not valid")
            .field("Authorization")
            .detail("Expected `Authorization: Bearer <credential>` with a credential that is in force.")
    }

    /// Valid credentials that do not allow this.
    #[must_use]
    pub fn forbidden(scope: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "The credentials do not allow this")
            .detail(format!("Expected a key with the scope {scope}."))
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        if error.is_temporary() { Self::unavailable(&error) } else { Self::internal(&error) }
    }
}

impl From<AcceptError> for Problem {
    fn from(error: AcceptError) -> Self {
        match error {
            AcceptError::Store(error) => error.into(),
            other => Self::internal(&other),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.title)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        if self.status_code() == StatusCode::UNAUTHORIZED {
            response.insert_header((WWW_AUTHENTICATE, "Bearer"));
        }
        if let Some(seconds) = self.wait() {
            response.insert_header((RETRY_AFTER, seconds));
        }
        response.content_type("application/problem+json").json(self)
    }
}

/// A method that a path does not have.
pub fn no_such_method() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "This cannot be done here")
        .detail("The API is described at /openapi.json.")
}

/// Nothing is there.
pub fn no_such_route() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not-found", "There is nothing here")
        .detail("The API is described at /openapi.json.")
}

impl actix_web::Responder for Problem {
    type Body = actix_web::body::BoxBody;

    fn respond_to(self, _: &actix_web::HttpRequest) -> HttpResponse {
        self.error_response()
    }
}
