//! A FHIR request and its answer, free of HTTP's machinery: a batch entry is the same thing as a request of its own.

use actix_web::http::StatusCode;
use jiff::Timestamp;
use serde_json::Value;

use super::outcome::Refusal;
use super::store::Version;

/// One FHIR request.
#[derive(Clone, Debug, Default)]
pub struct Call {
    /// The HTTP method.
    pub method: String,
    /// The path below the base, `Observation/123`.
    pub path: String,
    /// The parameters of the query and of a posted search form.
    pub params: Vec<(String, String)>,
    /// What the client wants back.
    pub prefer: Prefer,
    /// The `If-Match` header.
    pub if_match: Option<String>,
    /// The `If-None-Exist` header.
    pub if_none_exist: Option<String>,
    /// The JSON body.
    pub resource: Option<Value>,
    /// The id that a transaction has already promised to its other entries.
    pub promised_id: Option<String>,
}

/// The `Prefer` header.
#[derive(Clone, Copy, Debug, Default)]
pub struct Prefer {
    /// `return=`.
    pub wanted: Wanted,
    /// `handling=strict`.
    pub strict: bool,
}

/// What a write answers with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wanted {
    /// The resource as stored.
    #[default]
    Representation,
    /// No body.
    Minimal,
    /// An `OperationOutcome`.
    Outcome,
}

/// One FHIR answer that is not a refusal.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// The absolute address of the version that was written.
    pub location: Option<String>,
    /// The version and its time, where the answer is about one resource.
    pub version: Option<(usize, Timestamp)>,
    /// The JSON body.
    pub body: Option<Value>,
}

impl Answer {
    /// A 200 with a body that is not a stored resource.
    #[must_use]
    pub fn document(body: Value) -> Self {
        Self { status: StatusCode::OK, location: None, version: None, body: Some(body) }
    }

    /// An answer about one version of a resource.
    #[must_use]
    pub fn about(status: StatusCode, version: &Version) -> Self {
        Self { status, location: None, version: Some((version.number, version.at)), body: version.resource.clone() }
    }

    /// The entity tag.
    #[must_use]
    pub fn etag(&self) -> Option<String> {
        self.version.map(|(number, _)| etag(number))
    }
}

impl Prefer {
    /// Reads the values of all `Prefer` headers; what is not understood is ignored, as RFC 7240 wants.
    #[must_use]
    pub fn parse<'a>(headers: impl Iterator<Item = &'a str>) -> Self {
        let mut prefer = Self::default();
        for preference in headers.flat_map(|header| header.split([',', ';'])) {
            match preference.trim() {
                "return=minimal" => prefer.wanted = Wanted::Minimal,
                "return=representation" => prefer.wanted = Wanted::Representation,
                "return=OperationOutcome" => prefer.wanted = Wanted::Outcome,
                "handling=strict" => prefer.strict = true,
                "handling=lenient" => prefer.strict = false,
                _ => {}
            }
        }
        prefer
    }
}

/// The weak entity tag of a version.
#[must_use]
pub fn etag(number: usize) -> String {
    format!("W/\"{number}\"")
}

/// The decoded pairs of a query string or a form.
///
/// # Errors
/// A refusal for what is no form encoding.
pub fn pairs(query: &str) -> Result<Vec<(String, String)>, Refusal> {
    actix_web::web::Query::<Vec<(String, String)>>::from_query(query)
        .map(actix_web::web::Query::into_inner)
        .map_err(|error| Refusal::bad_request("invalid", format!("the query cannot be read: {error}")))
}
