//! Reading an EHR's answers. Vendors differ: relative Locations, no body, no `ETag`, 409 for 412.

use jiff::{SignedDuration, Timestamp};
use reqwest::header::{DATE, ETAG, HeaderMap, LOCATION, RETRY_AFTER};
use serde_json::Value;

use super::{Found, Sent};
use crate::delivery::egress::{Answer, EgressError};
use crate::domain::delivery::Stored;

/// The longest `OperationOutcome` that is kept, in bytes.
const MAX_OUTCOME: usize = 64 * 1024;

/// What the answer to a create or an update means (FHIR R4 http.html, 3.1.0.4 and 3.1.0.8; status codes as in RFC 9110).
pub fn sent(resource_type: &str, answer: Result<Answer, EgressError>) -> Sent {
    let answer = match answer {
        Ok(answer) => answer,
        Err(EgressError::TooLate) => return Sent::NotBegun,
        Err(error) if error.never_sent() => return Sent::NotStored { reason: error.to_string(), retry_after: None },
        Err(error) => return Sent::Unknown { reason: error.to_string() },
    };
    let status = answer.status.as_u16();
    let reason = format!("http-{status}");
    match status {
        200 | 201 => match stored(resource_type, &answer) {
            Some(stored) => Sent::Confirmed(stored),
            // It was stored, but the EHR did not say where: the search will tell.
            None => Sent::Unknown { reason: "no-location".to_owned() },
        },
        // Not looked at at all: no token, too early, too much. A 503 counts only if the EHR itself says when to come
        // back; gateways answer 503 also when the EHR broke off after it was asked.
        401 | 408 | 425 | 429 => Sent::NotStored { reason, retry_after: retry_after(&answer.headers) },
        503 if answer.headers.contains_key(RETRY_AFTER) => {
            Sent::NotStored { reason, retry_after: retry_after(&answer.headers) }
        }
        // There is no such place: a wrong address or a missing capability, for the operator to mend, not for the item.
        300..=399 | 404 | 405 | 501 => Sent::NotStored { reason, retry_after: None },
        // Taken for later, several match, or it may have been stored before the EHR or a gateway failed.
        202..=299 | 409 | 412 | 500..=599 => Sent::Unknown { reason },
        _ => Sent::Rejected { reason, outcome: outcome(answer.body) },
    }
}

/// The body, if it is an `OperationOutcome` of bearable length.
fn outcome(body: Vec<u8>) -> Option<Vec<u8>> {
    if body.len() > MAX_OUTCOME {
        return None;
    }
    let value: Value = serde_json::from_slice(&body).ok()?;
    (value.get("resourceType").and_then(Value::as_str) == Some("OperationOutcome")).then_some(body)
}

/// What a search's answer means for one identifier. An EHR may ignore a parameter it does not know and answer with
/// everything, so the identifier is looked for in what came back.
pub fn found(resource_type: &str, system: &str, value: &str, answer: Result<Answer, EgressError>) -> Found {
    let answer = match answer {
        Ok(answer) => answer,
        Err(EgressError::TooLate) => return Found::NotBegun,
        Err(error) => return Found::Undecided { reason: error.to_string(), retry_after: None },
    };
    // The EHR does not have such a search, and will not have it in an hour.
    if matches!(answer.status.as_u16(), 400 | 404 | 405 | 501) {
        return Found::NoSearch { reason: format!("search-http-{}", answer.status.as_u16()) };
    }
    if answer.status.as_u16() != 200 {
        let reason = format!("search-http-{}", answer.status.as_u16());
        return Found::Undecided { reason, retry_after: retry_after(&answer.headers) };
    }
    let undecided = |reason: &str| Found::Undecided { reason: reason.to_owned(), retry_after: None };
    let Ok(bundle) = serde_json::from_slice::<Value>(&answer.body) else { return undecided("search-no-json") };
    if bundle.get("resourceType").and_then(Value::as_str) != Some("Bundle") {
        return undecided("search-no-bundle");
    }
    let entries = bundle.get("entry").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let ours = entries
        .iter()
        .filter_map(|entry| entry.get("resource"))
        .find(|resource| is_ours(resource, resource_type, system, value));
    match ours {
        Some(resource) => match stored_in(resource_type, resource) {
            Some(stored) => Found::Stored(stored),
            None => undecided("search-no-id"),
        },
        None if has_next(&bundle) || lost_the_identifier(&bundle) => {
            Found::NoSearch { reason: "search-ignores-identifier".to_owned() }
        }
        None if complains(entries) || claims_hits(&bundle) => undecided("search-incomplete"),
        None => Found::Absent,
    }
}

fn is_ours(resource: &Value, resource_type: &str, system: &str, value: &str) -> bool {
    let same = |identifier: &Value| {
        identifier.get("system").and_then(Value::as_str) == Some(system)
            && identifier.get("value").and_then(Value::as_str) == Some(value)
    };
    resource.get("resourceType").and_then(Value::as_str) == Some(resource_type)
        && match resource.get("identifier") {
            Some(Value::Array(identifiers)) => identifiers.iter().any(same),
            Some(identifier) => same(identifier),
            None => false,
        }
}

fn link<'a>(bundle: &'a Value, relation: &str) -> Option<&'a str> {
    let links = bundle.get("link").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let found = links.iter().find(|link| link.get("relation").and_then(Value::as_str) == Some(relation))?;
    Some(found.get("url").and_then(Value::as_str).unwrap_or_default())
}

fn has_next(bundle: &Value) -> bool {
    link(bundle, "next").is_some()
}

/// The `self` link says which parameters the server really used (R4, search.html, 3.1.1.5).
fn lost_the_identifier(bundle: &Value) -> bool {
    link(bundle, "self").is_some_and(|url| !url.contains("identifier"))
}

/// The server says in the Bundle that it could not do what it was asked.
fn complains(entries: &[Value]) -> bool {
    let issues = entries.iter().filter_map(|entry| entry.pointer("/resource/issue")).filter_map(Value::as_array);
    issues.flatten().any(|issue| {
        let severity = issue.get("severity").and_then(Value::as_str);
        matches!(severity, Some("fatal" | "error" | "warning"))
    })
}

/// It found something, and did not show it.
fn claims_hits(bundle: &Value) -> bool {
    bundle.get("total").and_then(Value::as_u64).is_some_and(|total| total > 0)
}

/// Where a resource was stored: from `Location` or else from the body.
fn stored(resource_type: &str, answer: &Answer) -> Option<Stored> {
    let etag = header(&answer.headers, ETAG.as_str()).and_then(version_of_etag);
    if let Some((id, version)) = header(&answer.headers, LOCATION.as_str()).and_then(|l| of_location(resource_type, l))
    {
        let resource_type = resource_type.to_owned();
        return Some(Stored { resource_type, id, version: version.or(etag) });
    }
    let body = serde_json::from_slice::<Value>(&answer.body).ok()?;
    if body.get("resourceType").and_then(Value::as_str) != Some(resource_type) {
        return None;
    }
    let stored = stored_in(resource_type, &body)?;
    Some(Stored { version: stored.version.or(etag), ..stored })
}

/// Where a resource that the EHR showed is stored.
pub fn stored_in(resource_type: &str, resource: &Value) -> Option<Stored> {
    let id = resource.get("id").and_then(Value::as_str).filter(|id| is_id(id))?.to_owned();
    let version = resource.pointer("/meta/versionId").and_then(Value::as_str).map(str::to_owned);
    Some(Stored { resource_type: resource_type.to_owned(), id, version })
}

/// `[base/]Type/id[/_history/version]`, absolute or relative.
fn of_location(resource_type: &str, location: &str) -> Option<(String, Option<String>)> {
    let path = location.split(['?', '#']).next()?;
    let mut segments = path.split('/').skip_while(|segment| *segment != resource_type).skip(1);
    let id = segments.next().filter(|id| is_id(id))?.to_owned();
    let version = (segments.next() == Some("_history")).then(|| segments.next()).flatten();
    Some((id, version.filter(|version| is_id(version)).map(str::to_owned)))
}

/// FHIR R4, datatypes, id.
fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
}

/// `W/"3"` → `3`.
pub fn version_of_etag(etag: &str) -> Option<String> {
    let quoted = etag.strip_prefix("W/").unwrap_or(etag);
    quoted.strip_prefix('"')?.strip_suffix('"').map(str::to_owned)
}

/// `Retry-After` in seconds or as a date, measured by the server's own clock (RFC 9110, section 10.2.3).
pub fn retry_after(headers: &HeaderMap) -> Option<SignedDuration> {
    let text = header(headers, RETRY_AFTER.as_str())?;
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(SignedDuration::from_secs(i64::from(seconds)));
    }
    let until = http_date(text)?;
    let now = server_time(headers)?;
    Some(until.duration_since(now)).filter(SignedDuration::is_positive)
}

/// What time it is by the server's clock (RFC 9110, section 6.6.1).
pub fn server_time(headers: &HeaderMap) -> Option<Timestamp> {
    header(headers, DATE.as_str()).and_then(http_date)
}

fn http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
