//! What every answer carries, whoever gives it: an id for the exchange, and what keeps browsers from doing more with it
//! than was meant. A handler that knows better says so itself: what it set stays.

use std::future::{Ready, ready};

use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest};

use super::{Problem, State};
use crate::domain::entropy::NoEntropy;

/// What an exchange is called by both sides (FHIR R4, http, custom headers; IHE BALP keeps it in the audit log).
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest name of an exchange that is taken from a caller.
const LONGEST_REQUEST_ID: usize = 64;

/// Unless a page says which assets it needs: an answer of the API loads nothing, runs nothing and stands in no frame.
const NOTHING: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A year.
const HTTPS_ONLY: &str = "max-age=31536000";

/// What this exchange is called: as the caller said, or as it was called here. Never logged: callers choose it.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

impl FromRequest for RequestId {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let id = request.extensions().get::<Self>().cloned();
        // Nothing but a want of randomness leaves a request without one.
        ready(id.ok_or_else(|| Problem::internal(&NoEntropy)))
    }
}

/// Names the exchange, passes it on, and completes the headers of its answer.
///
/// # Errors
/// That of the service within.
pub async fn guard(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let state = request.app_data::<Data<State>>().cloned();
    let id = given_id(request.headers()).or_else(|| state.as_ref().and_then(|state| fresh_id(state)));
    if let Some(id) = &id {
        request.extensions_mut().insert(RequestId(id.clone()));
    }
    let mut response = next.call(request).await?;
    let headers = response.headers_mut();
    if let Some(id) = id.and_then(|id| HeaderValue::from_str(&id).ok()) {
        headers.insert(X_REQUEST_ID, id);
    }
    complete(headers, state.is_some_and(|state| state.public_url.scheme() == "https"));
    Ok(response)
}

fn complete(headers: &mut HeaderMap, https: bool) {
    let mut unless_set = |name: HeaderName, value: &'static str| {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    };
    unless_set(X_CONTENT_TYPE_OPTIONS, "nosniff");
    unless_set(REFERRER_POLICY, "no-referrer");
    unless_set(CONTENT_SECURITY_POLICY, NOTHING);
    unless_set(CACHE_CONTROL, "no-store");
    if https {
        unless_set(STRICT_TRANSPORT_SECURITY, HTTPS_ONLY);
    }
}

fn given_id(headers: &HeaderMap) -> Option<String> {
    let given = headers.get(X_REQUEST_ID)?.to_str().ok()?;
    let plain = given.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    (plain && (1..=LONGEST_REQUEST_ID).contains(&given.len())).then(|| given.to_owned())
}

fn fresh_id(state: &State) -> Option<String> {
    Some(state.bridge.keyring.entropy().uuid(state.bridge.clock.now()).ok()?.to_string())
}
