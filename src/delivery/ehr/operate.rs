//! A visit at an EHR whose own rules are behind operations: it finds, holds and books.
//!
//! What may have been done already is looked for first, so whoever comes after a lost answer, or after a process that died,
//! simply does it again. Of any number that want a time, the EHR gives it to one, and says so to the others. What is held is
//! given back by the bridge, or ends by the EHR's own clock.

use jiff::Timestamp;
use reqwest::Method;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderValue, IF_MATCH};

use super::book::is_conflict;
use super::capability::Dialect;
use super::client::{EhrClient, FHIR_JSON, PREFER, Ticket};
use super::operation::{Ask, Next, Sought, answered, find, is_refusal, next};
use super::slot::{Appointment, Wanted};
use super::update::ROUNDS;
use super::{NotShown, Sent, Shown, exact};
use crate::domain::delivery::Stored;

/// RFC 6902, section 6.
const JSON_PATCH: HeaderValue = HeaderValue::from_static("application/json-patch+json");

/// How many times are asked for at most.
const COUNT: &str = "200";

impl EhrClient {
    /// The times that the EHR proposes: a page of Appointments, perhaps with further ones.
    ///
    /// # Errors
    /// [`NotShown`].
    pub async fn propose(&self, sought: &Sought<'_>, ticket: &Ticket) -> Result<Shown, NotShown> {
        let body = exact::write(&find(sought)).unwrap_or_default();
        let shown = self.ask_to_show_by(ticket, |ticket| {
            let request = self.request(Method::POST, "Appointment/$find", ticket.token())?;
            Some(request.query(&[("_count", COUNT)]).header(CONTENT_TYPE, FHIR_JSON).body(body.clone()))
        });
        match shown.await? {
            shown if is_refusal(&shown.body) => Err(NotShown::Refused { reason: "operation-refused".to_owned() }),
            shown => Ok(shown),
        }
    }

    /// Brings a visit to where `wanted` says, that was offered as the Appointment `offer`.
    pub(super) async fn operate(
        &self,
        wanted: &Wanted,
        offer: &str,
        known: Option<&Stored>,
        ticket: &Ticket,
        not_after: Timestamp,
    ) -> Sent {
        let dialect = ticket.capabilities().scheduling().unwrap_or(Dialect::Ihe);
        for _ in 0..ROUNDS {
            let visit = match self.found(wanted, known, ticket, not_after).await {
                Ok(visit) => visit,
                Err(sent) => return sent,
            };
            let ask = match next(wanted, offer, visit, self.identifier_system(), dialect) {
                Next::Done(stored) => return Sent::Confirmed(stored),
                Next::Never(reason) => return Sent::Declined { reason },
                Next::Absent => return Sent::Absent,
                Next::Ask(ask) => *ask,
            };
            match self.ask(ask, wanted, ticket, not_after).await {
                // Somebody else changed it in between: look again, and see how it stands.
                Sent::Unknown { reason } if is_conflict(&reason) => {}
                sent => return sent,
            }
        }
        Sent::NotStored { reason: "changed-by-others".to_owned(), retry_after: None }
    }

    /// The visit as it stands; none where what was held is there no longer.
    async fn found(
        &self,
        wanted: &Wanted,
        known: Option<&Stored>,
        ticket: &Ticket,
        not_after: Timestamp,
    ) -> Result<Option<Appointment>, Sent> {
        match self.visit(wanted, known, ticket, not_after).await {
            Err(Sent::Rejected { reason, .. }) if reason.starts_with("read-http-4") => Ok(None),
            found => found,
        }
    }

    async fn ask(&self, ask: Ask, wanted: &Wanted, ticket: &Ticket, not_after: Timestamp) -> Sent {
        let (request, body) = (self.request(ask.method, &ask.path, ticket.token()), exact::write(&ask.body));
        let (Some(request), Some(body)) = (request, body) else {
            return Sent::Rejected { reason: "content-unwritable".to_owned(), outcome: None };
        };
        let Some(at) = ask.patched else {
            // What comes back says how it went.
            let request = request.header(CONTENT_TYPE, FHIR_JSON).header(PREFER, "return=representation").body(body);
            let answer = self.exchange(request, not_after).await;
            let said = answer.as_ref().ok().and_then(|answer| answered(wanted.standing, answer));
            let Some(said) = said else { return self.judge("Appointment", ticket, answer) };
            if let Some(token) = ticket.shared_token() {
                self.learn(ticket, token, answer.map_or(StatusCode::OK, |answer| answer.status));
            }
            return said;
        };
        let mut request = request.header(CONTENT_TYPE, JSON_PATCH).header(PREFER, "return=minimal").body(body);
        if let Some(version) = &at.version {
            request = request.header(IF_MATCH, format!("W/\"{version}\""));
        }
        let answer = self.exchange(request, not_after).await;
        self.changed(&at, ticket, answer)
    }
}
