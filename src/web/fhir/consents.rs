//! `/fhir/Consent`: which consents a clinic's patients gave (IHE PCF, ITI-108).

use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse, get, post};
use serde_json::Value;

use super::access::{Interaction, note, whose};
use super::bundle::{Hits, searchset};
use super::caller::ClinicCaller;
use super::consent_record::{consent_named, consents_for};
use super::parameters::check_format;
use super::search::Search;
use super::{Outcome, resource};
use crate::web::{RequestId, State, body};

const READ: Interaction = Interaction { name: "read", resource_type: "Consent" };
const SEARCH: Interaction = Interaction { name: "search-type", resource_type: "Consent" };

/// What a status is called where its system is said.
const STATUSES: &str = "http://hl7.org/fhir/consent-state-codes";

/// R4's `consent-state-codes`.
const KNOWN_STATUSES: [&str; 6] = ["draft", "proposed", "active", "rejected", "inactive", "entered-in-error"];

/// Finds the consents of one patient towards the calling clinic.
#[utoipa::path(
    operation_id = "search_consents",
    tag = "clinics",
    security(("clinic_token" = ["system/Consent.s"])),
    params(
        ("patient" = Option<String>, Query, description = "The id of a Patient in the clinic's own EHR"),
        ("patient.identifier" = Option<String>, Query, description = "Or the address there"),
        ("status" = Option<String>, Query, description = "Such as `active`"),
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
#[get("/fhir/Consent")]
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
    operation_id = "search_consents_by_post",
    tag = "clinics",
    security(("clinic_token" = ["system/Consent.s"])),
    request_body(content((Value = "application/x-www-form-urlencoded")), description = "The parameters of the search."),
    responses((status = 200, description = "As for GET", body = Value, content_type = "application/fhir+json")),
)]
#[post("/fhir/Consent/_search")]
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

/// Reads one consent.
#[utoipa::path(
    operation_id = "read_consent",
    tag = "clinics",
    security(("clinic_token" = ["system/Consent.r"])),
    params(("id" = String, Path)),
    responses(
        (status = 200, description = "A Consent", body = Value, content_type = "application/fhir+json"),
        (status = 404, description = "None that this clinic may know of", body = Value, content_type = "application/fhir+json"),
    ),
)]
#[get("/fhir/Consent/{id}")]
pub async fn read(
    state: Data<State>,
    caller: ClinicCaller,
    name: Path<String>,
    id: RequestId,
    request: HttpRequest,
) -> Result<HttpResponse, Outcome> {
    caller.check("Consent", 'r')?;
    check_format(&request)?;
    let now = state.bridge.clock.now();
    let mut tx = state.bridge.store.begin().await?;
    let found = consent_named(&state, &mut tx, &caller.clinic, &name, now).await?;
    note(&mut tx, &caller, found.as_ref().map(|(member, _)| *member), READ, id, now);
    tx.commit().await?;
    let (_, found) = found.ok_or_else(Outcome::not_found)?;
    Ok(resource(&found.resource))
}

async fn find(
    state: &State,
    caller: &ClinicCaller,
    id: RequestId,
    request: &HttpRequest,
    form: &[u8],
) -> Result<HttpResponse, Outcome> {
    let asked = Search::read(state, caller, "Consent", (request, form), ("status", alternatives))?;
    let Search { page, patient, own: statuses, applied } = asked;
    let now = state.bridge.clock.now();
    let mut tx = state.bridge.store.begin().await?;
    let member = whose(state, &mut tx, caller, patient.as_deref()).await?;
    let mut found = match (member, &patient) {
        (Some(member), Some(patient)) => consents_for(state, &mut tx, (&caller.clinic, member), patient, now).await?,
        _ => Vec::new(),
    };
    note(&mut tx, caller, member, SEARCH, id, now);
    tx.commit().await?;
    let has_status = |resource: &Value, wanted: &Vec<String>| {
        resource["status"].as_str().is_some_and(|status| wanted.iter().any(|wanted| wanted == status))
    };
    found.retain(|found| statuses.iter().all(|wanted| has_status(&found.resource, wanted)));
    let bundle = searchset(&state.fhir, "Consent", Hits::of(found, &page), &applied, now)?;
    Ok(resource(&bundle))
}

/// `active`, `system|active`, or several parted by commas.
fn alternatives(value: &str) -> Result<Vec<String>, Outcome> {
    let status = |text: &str| {
        let code = text.strip_prefix(STATUSES).and_then(|rest| rest.strip_prefix('|')).unwrap_or(text);
        KNOWN_STATUSES.contains(&code).then(|| code.to_owned())
    };
    let known: Option<Vec<String>> = value.split(',').map(status).collect();
    known.ok_or_else(|| Outcome::bad_search("value", "status", "Expected a status of R4, such as active or inactive."))
}
