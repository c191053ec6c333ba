//! Reading what an EHR has, for the way back: with the bridge's own token or the member's, and within the EHR's own base.

use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, RequestBuilder, StatusCode};

use super::answer;
use super::client::{EhrClient, PREFER, Ticket};
use crate::delivery::egress::{Answer, EgressError};

/// What an EHR showed. Its body is personal.
pub struct Shown {
    /// FHIR JSON.
    pub body: Vec<u8>,
    /// What time it was by the EHR's clock.
    pub at: Option<Timestamp>,
}

/// Why an EHR showed nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NotShown {
    /// It is not there, or no longer.
    Gone,
    /// It will not show it to this bridge: for a human to mend.
    Refused {
        /// Why, as a code.
        reason: String,
    },
    /// It did not answer so that anything can be said; try again.
    Away {
        /// Why, as a code.
        reason: String,
        /// How long it asked to be left alone.
        retry_after: Option<SignedDuration>,
    },
}

impl NotShown {
    fn away(reason: &str) -> Self {
        Self::Away { reason: reason.to_owned(), retry_after: None }
    }
}

impl EhrClient {
    /// Reads or searches below the EHR's base: `Task/1`, or `Task` with a query. What is looked for should be about the
    /// member of the ticket; whether it is, the caller has to see.
    ///
    /// # Errors
    /// [`NotShown`].
    pub async fn show(&self, path: &str, query: &[(&str, &str)], ticket: &Ticket) -> Result<Shown, NotShown> {
        self.ask_to_show_by(ticket, |ticket| {
            let request = self.request(Method::GET, path, ticket.token())?.header(PREFER, "handling=lenient");
            Some(if query.is_empty() { request } else { request.query(query) })
        })
        .await
    }

    /// Shows what this request asks for, which changes nothing. If its token is refused, it is made once more with another.
    pub(super) async fn ask_to_show_by(
        &self,
        ticket: &Ticket,
        request: impl Fn(&Ticket) -> Option<RequestBuilder> + Send + Sync,
    ) -> Result<Shown, NotShown> {
        let no_address = || NotShown::away("no-such-address");
        let mut ticket = ticket.clone();
        let mut answer = self.exchange(request(&ticket).ok_or_else(no_address)?, Timestamp::MAX).await;
        if let (Some(refused), Ok(refusal)) = (ticket.shared_token(), &answer)
            && refusal.status == StatusCode::UNAUTHORIZED
        {
            self.learn(&ticket, refused, refusal.status);
            ticket = self.renew(&ticket).await.map_err(|error| NotShown::away(error.code()))?;
            answer = self.exchange(request(&ticket).ok_or_else(no_address)?, Timestamp::MAX).await;
        }
        if let (Some(token), Ok(answer)) = (ticket.shared_token(), &answer) {
            self.learn(&ticket, token, answer.status);
        }
        shown(answer)
    }

    /// An address that the EHR gave, as of the next page of a search, as it is. `None` where it leads out of the EHR's own
    /// base: a token never goes there.
    #[must_use]
    pub fn within_base(&self, address: &str) -> Option<String> {
        let (url, base) = (self.base().join(address).ok()?, self.base());
        let is_plain = url.username().is_empty() && url.password().is_none();
        // Some put the query behind the base itself, without its last slash.
        let is_below = url.path().starts_with(base.path()) || Some(url.path()) == base.path().strip_suffix('/');
        (url.origin() == base.origin() && is_plain && is_below).then(|| url.to_string())
    }
}

fn shown(answer: Result<Answer, EgressError>) -> Result<Shown, NotShown> {
    let answer = match answer {
        Ok(answer) => answer,
        // It is longer the next time, too.
        Err(EgressError::AnswerTooLong) => return Err(NotShown::Refused { reason: "answer-too-long".to_owned() }),
        Err(error) => return Err(NotShown::away(&error.to_string())),
    };
    let reason = format!("http-{}", answer.status.as_u16());
    match answer.status.as_u16() {
        200 => Ok(Shown { at: answer::server_time(&answer.headers), body: answer.body }),
        404 | 410 => Err(NotShown::Gone),
        408 | 425 | 429 | 500..=599 => {
            Err(NotShown::Away { reason, retry_after: answer::retry_after(&answer.headers) })
        }
        _ => Err(NotShown::Refused { reason }),
    }
}
