//! Refusals in the audit log: who was sent away from which route, and why, in the chain of the clinic that it was, or says
//! that it is; in that of the house, where nobody said.
//!
//! Whoever can provoke one can provoke many. So only a few of each kind are written down, and the others are counted: the
//! next entry says how many there were. What somebody provokes who has proven nothing takes nothing away from what is
//! written of the clinic's own system.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage, HttpRequest};

use crate::domain::audit::{Chain, ClinicRefusal, Event};
use crate::domain::clock::Clock;
use crate::domain::ids::ClinicId;
use crate::store::StoreError;
use crate::web::limits::Limit;
use crate::web::{RequestId, State};

/// How many refusals of a kind are written down at once.
const AT_ONCE: NonZeroU32 = NonZeroU32::new(10).unwrap();

/// In which time one more is.
const ONE_MORE_EVERY: Duration = Duration::from_mins(10);

/// Whose refusals are counted together: a clinic's, and whether it was proven.
type Kind = (Option<ClinicId>, bool);

/// Who is at the door, as far as it is known by the time of an answer. Kept with the request.
#[derive(Clone, Debug, Default)]
pub struct Knock {
    /// Which clinic's system it is, or says that it is.
    pub clinic: Option<ClinicId>,
    /// The name under which it is registered.
    pub client: Option<String>,
    /// Whether it has proven that.
    pub is_proven: bool,
    /// Why it was sent away, where the status alone does not say.
    pub why: Option<String>,
}

/// Which refusals are still to be written down, in this process.
#[derive(Debug)]
pub struct Refusals {
    limit: Limit<Kind>,
    unwritten: Mutex<BTreeMap<Kind, u64>>,
}

impl Knock {
    /// Keeps it with the request, in place of what was known before.
    pub fn keep(self, request: &HttpRequest) {
        request.extensions_mut().insert(self);
    }
}

impl Refusals {
    /// None so far.
    #[must_use]
    pub fn new(clock: &Clock) -> Self {
        Self { limit: Limit::new(AT_ONCE, ONE_MORE_EVERY, clock.clone()), unwritten: Mutex::default() }
    }

    /// Whether one more is to be written down, and if so, how many were not since the last one.
    fn take(&self, kind: &Kind) -> Option<u64> {
        let is_in_time = self.limit.check(kind).is_ok();
        let mut unwritten = self.unwritten.lock().unwrap_or_else(PoisonError::into_inner);
        if is_in_time {
            return Some(unwritten.remove(kind).unwrap_or_default());
        }
        *unwritten.entry(kind.clone()).or_default() += 1;
        None
    }

    /// So many could not be written down after all.
    fn put_back(&self, kind: Kind, count: u64) {
        *self.unwritten.lock().unwrap_or_else(PoisonError::into_inner).entry(kind).or_default() += count;
    }
}

/// Writes down whom the rooms under `/fhir/` send away. The answer stays what it is, whatever becomes of that.
///
/// # Errors
/// That of the service within.
pub async fn note_refusals(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let response = next.call(request).await?;
    let (asked, status) = (response.request(), response.status());
    if let Some(route) = asked.match_pattern().filter(|route| route.starts_with("/fhir/") && !status.is_success()) {
        let knock = asked.extensions().get::<Knock>().cloned().unwrap_or_default();
        let id = asked.extensions().get::<RequestId>().map(|id| id.0.clone());
        let state = asked.app_data::<Data<State>>().cloned();
        if let (Some(state), Some(why)) = (state, why(&knock, status)) {
            note(&state, knock, route, why, id).await;
        }
    }
    Ok(response)
}

/// Why somebody was sent away, in a code; `None` for what is no refusal.
fn why(knock: &Knock, status: StatusCode) -> Option<String> {
    let by_status = match status {
        StatusCode::UNAUTHORIZED => Some("no-token"),
        StatusCode::FORBIDDEN => Some("scope"),
        StatusCode::TOO_MANY_REQUESTS => Some("too-often"),
        _ => None,
    };
    knock.why.clone().or_else(|| by_status.map(str::to_owned))
}

async fn note(state: &State, knock: Knock, route: String, why: String, request: Option<String>) {
    let Knock { clinic, client, is_proven, .. } = knock;
    let kind = (clinic, is_proven);
    let Some(unwritten) = state.fhir.refusals.take(&kind) else { return };
    let refusal = ClinicRefusal { route, why, client, is_proven, unwritten, request };
    let chain = kind.0.as_ref().map_or(Chain::HOUSE, Chain::of_clinic);
    if let Err(error) = write(state, chain, refusal).await {
        tracing::error!(%error, "a refusal is not in the audit log");
        state.fhir.refusals.put_back(kind, unwritten + 1);
    }
}

async fn write(state: &State, chain: Chain, refusal: ClinicRefusal) -> Result<(), StoreError> {
    let mut tx = state.bridge.store.begin().await?;
    tx.record(chain, state.bridge.clock.now(), Event::ClinicRefused(refusal));
    tx.commit().await
}
