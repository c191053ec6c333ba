//! Several creates in one request (R4, http.html, 3.1.0.11): each entry succeeds or fails on its own.

use jiff::Timestamp;
use reqwest::Method;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, LOCATION};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::client::{EhrClient, FHIR_JSON, PREFER, Ticket};
use super::write::Resource;
use super::{Sent, answer, exact};
use crate::consent::decide::Cleared;
use crate::delivery::egress::Answer;
use crate::domain::delivery::Delivery;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Bundle<'a> {
    resource_type: &'static str,
    r#type: &'static str,
    entry: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    resource: &'a RawValue,
    request: Request<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    method: &'static str,
    url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    if_none_exist: Option<String>,
}

impl EhrClient {
    /// Creates several resources in one request; each may go now, as its clearance says. What is known of each, in the
    /// order in which they were given.
    pub async fn create_batch(
        &self,
        items: Vec<(&Cleared<Delivery>, Resource)>,
        ticket: &Ticket,
        not_after: Timestamp,
    ) -> Vec<Sent> {
        let types: Vec<String> = items.iter().map(|(_, resource)| resource.resource_type.clone()).collect();
        let all = |sent: Sent| vec![sent; types.len()];
        let Some(body) = self.bundle(&items, ticket) else {
            return all(Sent::Rejected { reason: "content-unwritable".to_owned(), outcome: None });
        };
        let Some(request) = self.request(Method::POST, "", ticket.token()) else {
            return all(Sent::Rejected { reason: "no-such-address".to_owned(), outcome: None });
        };
        let request = request.header(CONTENT_TYPE, FHIR_JSON).header(PREFER, "return=minimal").body(body);
        let answer = self.exchange(request, not_after).await;
        match answer {
            Ok(answer) if answer.status == StatusCode::OK => match entries("batch-response", &answer.body, types.len())
            {
                Some(entries) => {
                    if let Some(token) = ticket.shared_token() {
                        self.learn(ticket, token, answer.status);
                    }
                    // An entry refused for its token is not a reason to drop the token: the request was let in.
                    let judged = entries.into_iter().zip(&types);
                    judged.map(|(entry, resource_type)| answer::sent(resource_type, Ok(entry))).collect()
                }
                None => all(Sent::Unknown { reason: "batch-unreadable".to_owned() }),
            },
            answer => all(match self.judge("Bundle", ticket, answer) {
                // The batch was refused as a whole, and nothing of it was done: the items go one by one.
                Sent::Rejected { reason, .. } | Sent::NotStored { reason, retry_after: None }
                    if is_refusal_of_batches(&reason) =>
                {
                    self.stop_batching();
                    Sent::NotStored { reason: "batch-refused".to_owned(), retry_after: None }
                }
                sent => sent,
            }),
        }
    }

    /// Writes several resources of these types, all of them or none (R4, http.html, 3.1.0.11.2). What is known of each, in the
    /// order in which they were given.
    ///
    /// # Errors
    /// What is known of all of them; nothing where the EHR takes no such transaction, and did none of it.
    pub(super) async fn transact(
        &self,
        bundle: &Value,
        types: &[&str],
        ticket: &Ticket,
        not_after: Timestamp,
    ) -> Result<Vec<Sent>, Option<Sent>> {
        let unknown = |reason: &str| Some(Sent::Unknown { reason: reason.to_owned() });
        let (request, body) = (self.request(Method::POST, "", ticket.token()), exact::write(bundle));
        let (Some(request), Some(body)) = (request, body) else { return Err(unknown("content-unwritable")) };
        let request = request.header(CONTENT_TYPE, FHIR_JSON).header(PREFER, "return=minimal").body(body);
        match self.exchange(request, not_after).await {
            Ok(answer) if answer.status == StatusCode::OK => {
                if let Some(token) = ticket.shared_token() {
                    self.learn(ticket, token, answer.status);
                }
                let entries = entries("transaction-response", &answer.body, types.len());
                let entries = entries.ok_or_else(|| unknown("transaction-unreadable"))?;
                Ok(entries.into_iter().zip(types).map(|(entry, of)| answer::sent(of, Ok(entry))).collect())
            }
            answer => Err(match self.judge("Bundle", ticket, answer) {
                Sent::Rejected { reason, .. } | Sent::NotStored { reason, .. }
                    if is_refusal_of_batches(&reason) || reason == "scope-missing" =>
                {
                    None
                }
                sent => Some(sent),
            }),
        }
    }

    fn bundle(&self, items: &[(&Cleared<Delivery>, Resource)], ticket: &Ticket) -> Option<Vec<u8>> {
        let entries = items.iter().map(|(cleared, resource)| {
            let conditional = ticket.capabilities().has_conditional_create(&resource.resource_type);
            let request = Request {
                method: "POST",
                url: &resource.resource_type,
                if_none_exist: conditional.then(|| self.if_none_exist(&cleared.item().identifier)),
            };
            Some(Entry { resource: serde_json::from_slice(&resource.body).ok()?, request })
        });
        let bundle = Bundle { resource_type: "Bundle", r#type: "batch", entry: entries.collect::<Option<_>>()? };
        serde_json::to_vec(&bundle).ok()
    }
}

fn is_refusal_of_batches(reason: &str) -> bool {
    ["http-400", "http-403", "http-404", "http-405", "http-413", "http-415", "http-422", "http-501"].contains(&reason)
}

/// The answer of each entry, as if it had been sent alone. `None` if there is not one for each.
fn entries(kind: &str, body: &[u8], expected: usize) -> Option<Vec<Answer>> {
    let bundle: Value = serde_json::from_slice(body).ok()?;
    if bundle.get("type").and_then(Value::as_str) != Some(kind) {
        return None;
    }
    let entries = bundle.get("entry")?.as_array().filter(|entries| entries.len() == expected)?;
    entries.iter().map(entry).collect()
}

fn entry(entry: &Value) -> Option<Answer> {
    let response = entry.get("response")?;
    let status = response.get("status")?.as_str()?.split(' ').next()?.parse().ok()?;
    let mut headers = HeaderMap::new();
    for (name, element) in [(LOCATION, "location"), (ETAG, "etag")] {
        if let Some(value) = response.get(element).and_then(Value::as_str) {
            headers.insert(name, HeaderValue::from_str(value).ok()?);
        }
    }
    let body = [response.get("outcome"), entry.get("resource")].into_iter().flatten().find(|body| body.is_object());
    let body = body.and_then(|body| serde_json::to_vec(body).ok()).unwrap_or_default();
    Some(Answer { status: StatusCode::from_u16(status).ok()?, headers, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(parts: &str, expected: usize) -> Option<Vec<Answer>> {
        let bundle = format!(r#"{{"resourceType":"Bundle","type":"batch-response","entry":[{parts}]}}"#);
        entries("batch-response", bundle.as_bytes(), expected)
    }

    #[test]
    fn each_entry_has_its_own_fate() {
        let created = r#"{"response":{"status":"201 Created","location":"Observation/7/_history/1","etag":"W/\"1\""}}"#;
        let refused = r#"{"response":{"status":"422","outcome":{"resourceType":"OperationOutcome"}}}"#;
        let got = read(&format!("{created},{refused}"), 2).unwrap();
        let fates: Vec<Sent> = got.into_iter().map(|answer| answer::sent("Observation", Ok(answer))).collect();
        assert!(matches!(&fates[0], Sent::Confirmed(stored) if stored.id == "7"), "{fates:?}");
        assert!(matches!(&fates[1], Sent::Rejected { outcome: Some(_), .. }), "{fates:?}");
    }

    #[test]
    fn an_answer_that_does_not_fit_the_question_tells_nothing() {
        let created = r#"{"response":{"status":"201"}}"#;
        assert!(read(created, 2).is_none());
        assert!(read(r#"{"resource":{}}"#, 1).is_none());
        assert!(read(r#"{"response":{"status":"fine"}}"#, 1).is_none());
        assert!(entries("batch-response", br#"{"resourceType":"OperationOutcome"}"#, 1).is_none());
    }
}
