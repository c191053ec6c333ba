//! Reading request bodies: bounded, in UTF-8 JSON, and with errors that name the field.

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use actix_web::web::{Bytes, Payload};
use serde::de::DeserializeOwned;

use super::Problem;

/// The largest body that is read, in bytes: a full batch of moods fits; of long notes, smaller batches do.
pub const MAX_BODY: usize = 2 * 1024 * 1024;

/// The largest form that is read, in bytes: a client's assertion, or a search.
pub const MAX_FORM: usize = 16 * 1024;

/// Reads a body of one of these media types.
pub async fn read(request: &HttpRequest, payload: Payload, media_types: &[&str]) -> Result<Bytes, Problem> {
    check_content_type(request, media_types)?;
    let advice = "Send smaller batches.";
    bytes(request, payload, MAX_BODY, advice).await
}

/// Reads a body of whatever media type.
pub async fn any(request: &HttpRequest, payload: Payload) -> Result<Bytes, Problem> {
    bytes(request, payload, MAX_BODY, "").await
}

/// Reads a form, as its text.
pub async fn form(request: &HttpRequest, payload: Payload) -> Result<Bytes, Problem> {
    check_content_type(request, &["application/x-www-form-urlencoded"])?;
    bytes(request, payload, MAX_FORM, "").await
}

async fn bytes(request: &HttpRequest, payload: Payload, limit: usize, advice: &str) -> Result<Bytes, Problem> {
    check_content_encoding(request)?;
    let too_large = || {
        let detail = format!("Expected at most {limit} bytes. {advice}");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The body is too large").detail(detail.trim_end())
    };
    let announced = request.headers().get("content-length").and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > limit) {
        return Err(too_large());
    }
    match payload.to_bytes_limited(limit).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(malformed("the body ends too early")),
        Err(_) => Err(too_large()),
    }
}

/// Reads a JSON body into a request type whose fields are all known.
pub async fn json<T: DeserializeOwned>(request: &HttpRequest, payload: Payload) -> Result<T, Problem> {
    let bytes = read(request, payload, &["application/json"]).await?;
    let deserializer = &mut serde_json::Deserializer::from_slice(&bytes);
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        // `a.b.?` for a place within b that has no name; the cause's own text may quote the value and is not said.
        let path = error.path().to_string();
        let pointer = path.trim_end_matches('?').trim_matches('.').replace('.', "/");
        malformed("the body is not JSON of the form that /openapi.json describes").field(format!("/{pointer}"))
    })
}

/// A body that cannot be understood as a whole.
pub fn malformed(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "malformed", "The body cannot be read").detail(detail)
}

/// A compressed body could grow without bound while it is read.
fn check_content_encoding(request: &HttpRequest) -> Result<(), Problem> {
    match request.headers().get(CONTENT_ENCODING) {
        Some(encoding) if !encoding.as_bytes().eq_ignore_ascii_case(b"identity") => {
            Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content-encoding", "The body is compressed")
                .field("Content-Encoding")
                .detail("Expected the body as it is."))
        }
        _ => Ok(()),
    }
}

fn check_content_type(request: &HttpRequest, media_types: &[&str]) -> Result<(), Problem> {
    let given = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parts = given.split(';').map(|part| part.trim().to_ascii_lowercase());
    let media_type = parts.next().unwrap_or_default();
    let utf8 = parts.all(|parameter| match parameter.split_once('=') {
        Some(("charset", charset)) => charset.trim_matches('"') == "utf-8",
        _ => true,
    });
    if utf8 && media_types.contains(&media_type.as_str()) {
        return Ok(());
    }
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type", "The body's media type is not understood")
        .field("Content-Type")
        .detail(format!("Expected {} in UTF-8.", media_types.join(" or "))))
}
