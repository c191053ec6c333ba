//! `/fhir/AuditEvent`: what was done with what a patient shared with the calling clinic, and who at the clinic read it here
//! (IHE BALP; ITI-81). The oldest first.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse, get, post};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::access::{Interaction, note, whose};
use super::bundle::{Found, Hits, searchset};
use super::caller::ClinicCaller;
use super::search::Search;
use super::{Outcome, resource};
use crate::domain::ids::{ClinicId, MemberId};
use crate::domain::stretch::{DateTest, Stretch};
use crate::store::Tx;
use crate::web::{RequestId, State, body};

const SEARCH: Interaction = Interaction { name: "search-type", resource_type: "AuditEvent" };

/// Entries of the log that are looked at together.
const PORTION: i64 = 200;

/// By how much the times of entries may stand in another order than the entries: transactions that ran side by side.
const SIDE_BY_SIDE: SignedDuration = SignedDuration::from_mins(1);

/// A place between two events, and when the first page was asked for: what happens meanwhile is for the next search, or
/// reading would never come to an end, because it is told as well.
struct Cursor {
    until: Timestamp,
    last: Option<(Timestamp, String)>,
}

/// Finds what was done with what one patient shared.
#[utoipa::path(
    operation_id = "search_audit_events",
    tag = "clinics",
    security(("clinic_token" = ["system/AuditEvent.s"])),
    params(
        ("patient" = Option<String>, Query, description = "The id of a Patient in the clinic's own EHR"),
        ("patient.identifier" = Option<String>, Query, description = "Or the address there"),
        ("date" = Option<String>, Query, description = "When, such as `ge2026-11-01`; several must all hold"),
        ("_count" = Option<u32>, Query, description = "Entries of a page"),
    ),
    responses(
        (status = 200, description = "A Bundle", body = Value, content_type = "application/fhir+json"),
        (status = 400, description = "No patient is named, or a parameter cannot be read", body = Value, content_type = "application/fhir+json"),
        (status = 401, description = "No token in force", body = Value, content_type = "application/fhir+json"),
        (status = 403, description = "A token without the scope", body = Value, content_type = "application/fhir+json"),
        (status = 429, description = "Not so often: the same again after `Retry-After`", body = Value, content_type = "application/fhir+json"),
        (status = 503, description = "Not now: the same again after `Retry-After`", body = Value, content_type = "application/fhir+json"),
    ),
)]
#[get("/fhir/AuditEvent")]
pub async fn search(
    state: Data<State>,
    caller: ClinicCaller,
    id: RequestId,
    request: HttpRequest,
) -> Result<HttpResponse, Outcome> {
    find(&state, &caller, id, &request, b"").await
}

/// The same with the parameters in a form, so that no patient stands in an address.
#[utoipa::path(
    operation_id = "search_audit_events_by_post",
    tag = "clinics",
    security(("clinic_token" = ["system/AuditEvent.s"])),
    request_body(content((Value = "application/x-www-form-urlencoded")), description = "The parameters of the search."),
    responses((status = 200, description = "As for GET", body = Value, content_type = "application/fhir+json")),
)]
#[post("/fhir/AuditEvent/_search")]
pub async fn search_by_post(
    state: Data<State>,
    caller: ClinicCaller,
    id: RequestId,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Outcome> {
    let form = body::form(&request, payload).await?;
    find(&state, &caller, id, &request, &form).await
}

async fn find(
    state: &State,
    caller: &ClinicCaller,
    id: RequestId,
    request: &HttpRequest,
    form: &[u8],
) -> Result<HttpResponse, Outcome> {
    let asked = Search::read(state, caller, "AuditEvent", (request, form), ("date", date))?;
    let Search { page, patient, own: dates, applied } = asked;
    let now = state.bridge.clock.now();
    let cursor = Cursor::read(page.after.as_deref(), now)?;
    let mut tx = state.bridge.store.begin().await?;
    let member = whose(state, &mut tx, caller, patient.as_deref()).await?;
    let hits = match member {
        Some(member) => events(state, &mut tx, (&caller.clinic, member), &dates, &cursor, page.count).await?,
        None => Hits { page: Vec::new(), total: Some(0), next: None },
    };
    note(&mut tx, caller, member, SEARCH, id, now);
    tx.commit().await?;
    Ok(resource(&searchset(&state.fhir, "AuditEvent", hits, &applied, now)?))
}

/// One page. How many there are on all pages is not said: it would have to be counted what is not told.
async fn events(
    state: &State,
    tx: &mut Tx,
    between: (&ClinicId, MemberId),
    dates: &[DateTest],
    cursor: &Cursor,
    count: usize,
) -> Result<Hits, Outcome> {
    let (mut after, mut page, mut found_last) = (0, Vec::new(), cursor.last.is_none());
    let since = cursor.since(dates);
    loop {
        let portion = state.fhir.teller.for_clinic(tx, between, since, after, PORTION).await?;
        for event in portion.events.into_iter().filter_map(placed) {
            if !found_last {
                found_last = cursor.last.as_ref().is_some_and(|(_, id)| *id == event.id);
                continue;
            }
            let stretch = Stretch::microsecond(event.at);
            if event.at > cursor.until || !dates.iter().all(|date| date.passes(stretch)) {
                continue;
            }
            if page.len() == count {
                let next = page.last().map(|last| cursor.behind(last));
                return Ok(Hits { page, total: None, next });
            }
            page.push(event);
        }
        let Some(next) = portion.next else { return Ok(Hits { page, total: None, next: None }) };
        after = next;
    }
}

/// An event with its place in the order.
fn placed(resource: Value) -> Option<Found> {
    let text = |member: &str| resource.get(member).and_then(Value::as_str);
    let (id, at) = (text("id")?.to_owned(), text("recorded")?.parse().ok()?);
    Some(Found { at, id, resource })
}

fn date(value: &str) -> Result<DateTest, Outcome> {
    DateTest::parse(value).ok_or_else(|| {
        let words = "Expected a date, a month, a year, or a time with its zone, after eq, ge, gt, le, lt or nothing.";
        Outcome::bad_search("value", "date", words)
    })
}

impl Cursor {
    fn read(text: Option<&str>, now: Timestamp) -> Result<Self, Outcome> {
        let Some(text) = text else { return Ok(Self { until: now, last: None }) };
        let parts: Vec<&str> = text.splitn(3, '.').collect();
        let time = |text: &str| Timestamp::from_microsecond(text.parse().ok()?).ok();
        let read = || match parts.as_slice() {
            [until, at, id] => Some(Self { until: time(until)?, last: Some((time(at)?, (*id).to_owned())) }),
            _ => None,
        };
        read()
            .ok_or_else(|| Outcome::bad_search("value", "_cursor", "Expected a link to the next page as it was given."))
    }

    /// From when on it is worth looking.
    fn since(&self, dates: &[DateTest]) -> Timestamp {
        let last = self.last.as_ref().and_then(|(at, _)| at.checked_sub(SIDE_BY_SIDE).ok());
        // The last event of the page before must be found, whatever the dates say.
        last.unwrap_or_else(|| dates.iter().map(DateTest::earliest).max().unwrap_or(Timestamp::MIN))
    }

    fn behind(&self, last: &Found) -> String {
        format!("{}.{}.{}", self.until.as_microsecond(), last.at.as_microsecond(), last.id)
    }
}
