//! HTTP on one side, calls and answers on the other; faults strike here.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName};
use actix_web::middleware::Next;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use futures_util::stream;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use serde_json::{Value, json};

use super::House;
use super::exchange::{Answer, Call, Prefer, pairs};
use super::faults::FaultKind;
use super::outcome::{self, Refusal};

/// The largest body that is taken.
const MAX_BODY: usize = 1024 * 1024;
const FHIR_JSON: &str = "application/fhir+json; charset=utf-8";
const IF_NONE_EXIST: HeaderName = HeaderName::from_static("if-none-exist");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Answers whatever comes in under `/fhir`.
pub async fn fhir(house: web::Data<House>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let house = house.into_inner();
    let _counted = house.count_when_done();
    // Read before any fault strikes: a connection that is dropped over an unread body would be reset, not closed.
    let body = payload.to_bytes_limited(MAX_BODY).await;
    let path = below_base(&request);
    let first = path.split('/').find(|part| !part.is_empty()).unwrap_or("Bundle");
    let fault = house.faults.take(request.method().as_str(), first);
    let call = match body {
        Ok(Ok(body)) => read_call(&request, &body),
        Ok(Err(error)) => Err(Refusal::bad_request("incomplete", format!("the body broke off: {error}"))),
        Err(_) => {
            let diagnostics = format!("the body is larger than {MAX_BODY} bytes");
            Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "too-long", diagnostics))
        }
    };
    match fault {
        Some(fault) => faulty(fault, house, call).await,
        None => respond(call.and_then(|call| house.answer(&call))),
    }
}

async fn faulty(fault: FaultKind, house: Arc<House>, call: Result<Call, Refusal>) -> HttpResponse {
    let execute = move || call.and_then(|call| house.answer(&call));
    match fault {
        FaultKind::Status { code, retry_after } => {
            let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let refusal = Refusal::new(status, outcome::code_for(status), "this fault was switched on");
            let mut response = respond(Err(refusal));
            if let Some(seconds) = retry_after {
                response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
            }
            response
        }
        FaultKind::LostReply => {
            let _lost = execute();
            dropped_connection()
        }
        FaultKind::Stall => std::future::pending().await,
        FaultKind::Delay { millis } => {
            // In a task of its own, because this handler ends when the client gives up.
            let late = actix_web::rt::spawn(async move {
                actix_web::rt::time::sleep(Duration::from_millis(millis)).await;
                execute()
            });
            late.await.map_or_else(|_| dropped_connection(), respond)
        }
        FaultKind::MalformedJson => broken_json(execute()),
        FaultKind::HtmlError => HttpResponse::InternalServerError()
            .content_type(header::ContentType::html())
            .body("<!doctype html><title>500</title><h1>Internal Server Error</h1><p>gateway</p>"),
        FaultKind::Reset => dropped_connection(),
    }
}

/// Closes the connection without a byte of an answer. A body that fails at its first poll ends actix's HTTP/1
/// dispatcher while the head of the response is still in its buffer, which is then thrown away unsent; the client
/// sees the connection close before any message. (Verified by the tests of `lost-reply` and `reset`.)
fn dropped_connection() -> HttpResponse {
    let failing = stream::once(async { Err::<web::Bytes, _>(io::Error::other("the connection is dropped")) });
    HttpResponse::Ok().streaming(failing)
}

fn broken_json(answered: Result<Answer, Refusal>) -> HttpResponse {
    let (status, whole) = match answered {
        Ok(answer) => (answer.status, answer.body.unwrap_or_else(|| json!({})).to_string()),
        Err(refusal) => (refusal.status, refusal.to_json().to_string()),
    };
    // Cut by characters, so that only the JSON is broken and not its encoding.
    let half: String = whole.chars().take(whole.chars().count() / 2).collect();
    HttpResponse::build(status).content_type(FHIR_JSON).body(half)
}

/// Turns an answer or a refusal into an HTTP response.
pub fn respond(answered: Result<Answer, Refusal>) -> HttpResponse {
    match answered {
        Ok(answer) => {
            let mut response = HttpResponse::build(answer.status);
            if let Some(etag) = answer.etag() {
                response.insert_header((header::ETAG, etag));
            }
            if let Some((_, at)) = answer.version {
                response.insert_header((header::LAST_MODIFIED, http_date(at)));
            }
            if let Some(location) = &answer.location {
                response.insert_header((header::LOCATION, location.as_str()));
            }
            match answer.body {
                Some(body) => with_json(&mut response, &body),
                None => response.finish(),
            }
        }
        Err(refusal) => {
            let mut response = HttpResponse::build(refusal.status);
            if let Some(allow) = refusal.allow {
                response.insert_header((header::ALLOW, allow));
            }
            with_json(&mut response, &refusal.to_json())
        }
    }
}

fn with_json(response: &mut HttpResponseBuilder, body: &Value) -> HttpResponse {
    response.content_type(FHIR_JSON).body(body.to_string())
}

/// Gives every response the time of the sandbox's clock and the id of its request.
///
/// # Errors
/// What the inner service fails with.
pub async fn dress(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let id = request.headers().get(REQUEST_ID).cloned();
    let now = request.app_data::<web::Data<House>>().map(|house| house.now());
    let mut response = next.call(request).await?;
    let headers = response.headers_mut();
    if let Some(id) = id {
        headers.insert(REQUEST_ID, id);
    }
    if let Some(date) = now.and_then(|now| http_date(now).parse().ok()) {
        headers.insert(header::DATE, date);
    }
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    Ok(response)
}

fn read_call(request: &HttpRequest, body: &[u8]) -> Result<Call, Refusal> {
    accepts_json(request)?;
    let mut params = pairs(request.query_string())?;
    if let Some((_, format)) = params.iter().find(|(name, _)| name == "_format")
        && !format.contains("json")
    {
        return Err(not_acceptable());
    }
    let content_type = one_header(request, &header::CONTENT_TYPE)?.unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let path = below_base(request);
    let mut resource = None;
    if path.ends_with("/_search") && media_type == "application/x-www-form-urlencoded" {
        let form = std::str::from_utf8(body).map_err(|_| Refusal::bad_request("invalid", "the form is not UTF-8"))?;
        params.extend(pairs(form)?);
    } else if !body.is_empty() {
        let is_patch = request.method() == "PATCH" && media_type == "application/json-patch+json";
        if !is_patch && !matches!(media_type.as_str(), "application/fhir+json" | "application/json") {
            let diagnostics = format!("the body is not FHIR JSON, but '{media_type}'");
            return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-supported", diagnostics));
        }
        let parsed = serde_json::from_slice(body);
        resource = Some(parsed.map_err(|error| Refusal::bad_request("structure", format!("no JSON: {error}")))?);
    }
    let prefer = request.headers().get_all("prefer").filter_map(|value| value.to_str().ok());
    Ok(Call {
        method: request.method().to_string(),
        path: path.to_owned(),
        params,
        prefer: Prefer::parse(prefer),
        if_match: one_header(request, &header::IF_MATCH)?,
        if_none_exist: one_header(request, &IF_NONE_EXIST)?,
        resource,
        promised_id: None,
    })
}

fn accepts_json(request: &HttpRequest) -> Result<(), Refusal> {
    let Some(accept) = one_header(request, &header::ACCEPT)? else { return Ok(()) };
    let fits = ["json", "*/*", "application/*"].iter().any(|fitting| accept.contains(fitting));
    if fits { Ok(()) } else { Err(not_acceptable()) }
}

fn not_acceptable() -> Refusal {
    Refusal::new(StatusCode::NOT_ACCEPTABLE, "not-supported", "this server speaks JSON only")
}

/// A header that is there and cannot be read must not pass for one that is not there.
fn one_header(request: &HttpRequest, name: &HeaderName) -> Result<Option<String>, Refusal> {
    let Some(value) = request.headers().get(name) else { return Ok(None) };
    let unreadable = |_| Refusal::bad_request("invalid", format!("the header {name} cannot be read"));
    value.to_str().map(|text| Some(text.to_owned())).map_err(unreadable)
}

fn below_base(request: &HttpRequest) -> &str {
    request.path().strip_prefix("/fhir").unwrap_or_default().trim_matches('/')
}

fn http_date(at: Timestamp) -> String {
    DateTimePrinter::new().timestamp_to_rfc9110_string(&at).unwrap_or_default()
}
