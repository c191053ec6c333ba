//! How the sandbox says no: a status and an `OperationOutcome`.

use actix_web::http::StatusCode;
use serde_json::{Value, json};

use super::json::with;

/// A refused request.
#[derive(Debug)]
pub struct Refusal {
    /// The HTTP status.
    pub status: StatusCode,
    /// The methods that would have worked, for a 405.
    pub allow: Option<&'static str>,
    code: &'static str,
    diagnostics: String,
    expression: Option<String>,
}

impl Refusal {
    /// A refusal with an issue code of R4's `issue-type`.
    pub fn new(status: StatusCode, code: &'static str, diagnostics: impl Into<String>) -> Self {
        Self { status, allow: None, code, diagnostics: diagnostics.into(), expression: None }
    }

    /// 400: the request cannot be understood.
    pub fn bad_request(code: &'static str, diagnostics: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, diagnostics)
    }

    /// 422: understood, and against a rule.
    pub fn unprocessable(code: &'static str, diagnostics: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, diagnostics)
    }

    /// 404.
    pub fn not_found(diagnostics: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", diagnostics)
    }

    /// 405, with the methods that would have worked.
    #[must_use]
    pub fn not_allowed(allow: &'static str, diagnostics: impl Into<String>) -> Self {
        let refusal = Self::new(StatusCode::METHOD_NOT_ALLOWED, "not-supported", diagnostics);
        Self { allow: Some(allow), ..refusal }
    }

    /// The same refusal, pointing at the element at fault.
    #[must_use]
    pub fn at(self, expression: impl Into<String>) -> Self {
        Self { expression: Some(expression.into()), ..self }
    }

    /// What it says to humans.
    #[must_use]
    pub fn diagnostics(&self) -> &str {
        &self.diagnostics
    }

    /// The `OperationOutcome`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let issue = json!({ "severity": "error", "code": self.code, "diagnostics": self.diagnostics });
        let issue = with(issue, "expression", self.expression.as_ref().map(|expression| json!([expression])));
        json!({ "resourceType": "OperationOutcome", "issue": [issue] })
    }
}

/// The issue code that goes with a status nobody has reasoned about, such as the one of a switched-on fault.
#[must_use]
pub fn code_for(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "login",
        403 => "forbidden",
        404 => "not-found",
        409 | 412 => "conflict",
        422 => "business-rule",
        429 => "throttled",
        502..=504 => "transient",
        500..=599 => "exception",
        _ => "processing",
    }
}

/// The `OperationOutcome` of a write that went well, for `Prefer: return=OperationOutcome`.
#[must_use]
pub fn all_is_well() -> Value {
    let issue = json!({ "severity": "information", "code": "informational", "diagnostics": "stored" });
    json!({ "resourceType": "OperationOutcome", "issue": [issue] })
}
