//! `OperationOutcome` (FHIR R4, http, status codes): the shape in which errors leave under `/fhir/`.

use std::fmt;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use serde_json::{Map, Value, json};

use super::FHIR_JSON;
use crate::store::StoreError;
use crate::web::Problem;

/// An error as a clinic's system sees it. Holds no personal value and no cause from inside the house.
#[derive(Clone, Debug)]
pub struct Outcome {
    status: StatusCode,
    /// R4's `issue-type`.
    code: &'static str,
    diagnostics: String,
    /// Which parameter, or which header.
    parameter: Option<&'static str>,
    header: Option<Box<(HeaderName, HeaderValue)>>,
}

impl Outcome {
    /// An error with a code of R4's `issue-type`, and words on what to do.
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str, diagnostics: impl Into<String>) -> Self {
        Self { status, code, diagnostics: diagnostics.into(), parameter: None, header: None }
    }

    /// A search that cannot be done as it was asked for.
    #[must_use]
    pub fn bad_search(code: &'static str, parameter: &'static str, diagnostics: impl Into<String>) -> Self {
        Self { parameter: Some(parameter), ..Self::new(StatusCode::BAD_REQUEST, code, diagnostics) }
    }

    /// No token that is in force (RFC 6750, section 3).
    #[must_use]
    pub fn unauthorized(was_given: bool) -> Self {
        let challenge = if was_given { "Bearer error=\"invalid_token\"" } else { "Bearer" };
        let words = "Expected `Authorization: Bearer <token>` with a token that is in force. \
                     /fhir/.well-known/smart-configuration says where to ask for one.";
        Self::new(StatusCode::UNAUTHORIZED, "login", words).with(WWW_AUTHENTICATE, challenge)
    }

    /// A token whose scopes do not allow this.
    #[must_use]
    pub fn forbidden(scope: &str) -> Self {
        let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"");
        let words = format!("Expected a token with the scope {scope}.");
        Self::new(StatusCode::FORBIDDEN, "forbidden", words).with(WWW_AUTHENTICATE, &challenge)
    }

    /// Nothing of this name, or nothing that this clinic may know of: nobody can tell which.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "There is nothing here. /fhir/metadata says what there is.")
    }

    /// A method that a path does not have.
    #[must_use]
    pub fn no_such_method() -> Self {
        let words = "This cannot be done here. /fhir/metadata says what can.";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "not-supported", words)
    }

    /// Asked for too often.
    #[must_use]
    pub fn too_often(wait: Duration) -> Self {
        let words = "This was asked for too often. Come again after the seconds that Retry-After says.";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "throttled", words).with(RETRY_AFTER, &seconds(wait).to_string())
    }

    fn with(self, name: HeaderName, value: &str) -> Self {
        let header = HeaderValue::from_str(value).ok().map(|value| Box::new((name, value)));
        Self { header, ..self }
    }

    /// The resource.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut issue = Map::new();
        issue.insert("severity".to_owned(), "error".into());
        issue.insert("code".to_owned(), self.code.into());
        issue.insert("diagnostics".to_owned(), self.diagnostics.as_str().into());
        if let Some(parameter) = self.parameter {
            issue.insert("expression".to_owned(), json!([format!("http.{parameter}")]));
        }
        json!({ "resourceType": "OperationOutcome", "issue": [issue] })
    }
}

/// Whole seconds, rounded up: who comes exactly then is let in.
pub fn seconds(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}

/// What went wrong with a request's body, or on this side, in this shape.
impl From<Problem> for Outcome {
    fn from(problem: Problem) -> Self {
        let status = problem.status_code();
        let code = match status.as_u16() {
            413 => "too-long",
            415 => "not-supported",
            503 => "transient",
            500.. => "exception",
            _ => "invalid",
        };
        let wait = problem.wait();
        let diagnostics = format!("{}. {}", problem.title, problem.detail.unwrap_or_default());
        let outcome = Self::new(status, code, diagnostics.trim_end());
        wait.map_or(outcome.clone(), |seconds| outcome.with(RETRY_AFTER, &seconds.to_string()))
    }
}

impl From<StoreError> for Outcome {
    fn from(error: StoreError) -> Self {
        Problem::from(error).into()
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status.as_u16(), self.code)
    }
}

impl ResponseError for Outcome {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        if let Some(header) = &self.header {
            let (name, value) = header.as_ref();
            response.insert_header((name.clone(), value.clone()));
        }
        response.content_type(FHIR_JSON).body(self.to_json().to_string())
    }
}
