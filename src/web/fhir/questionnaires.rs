//! `/fhir/Questionnaire`: the forms that members fill in here, for everybody to read. They say nothing of anybody.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse, get};
use jiff::Timestamp;
use serde_json::Value;

use super::bundle::{Found, Hits, searchset};
use super::parameters::{Page, Parameters, check_format};
use super::{Outcome, resource};
use crate::domain::questionnaire::Instrument;
use crate::web::{Problem, State};

/// The forms as they are published, checked against what is asked by `tests/it/mapping/questionnaire_forms.rs`.
const PHQ2: &str = include_str!("../../../schemas/fhir/Questionnaire-phq-2.json");
const PHQ9: &str = include_str!("../../../schemas/fhir/Questionnaire-phq-9.json");
const GAD7: &str = include_str!("../../../schemas/fhir/Questionnaire-gad-7.json");

/// Finds the forms.
#[utoipa::path(
    operation_id = "search_questionnaires",
    tag = "questionnaires",
    params(
        ("url" = Option<String>, Query, description = "The canonical address of a form, with or without its version"),
        ("_count" = Option<u32>, Query, description = "Entries of a page"),
    ),
    responses((status = 200, description = "A Bundle", body = Value, content_type = "application/fhir+json")),
)]
#[get("/fhir/Questionnaire")]
pub async fn search(state: Data<State>, request: HttpRequest) -> Result<HttpResponse, Outcome> {
    check_format(&request)?;
    let (mut page, mut wanted) = (Page::default(), Vec::new());
    let applied = Parameters::of(&request, b"").read(&mut page, |name, value| {
        let is_known = name == "url";
        wanted.extend(is_known.then(|| value.to_owned()));
        Ok(is_known)
    })?;
    let mut found = Vec::new();
    for instrument in Instrument::ALL {
        let form = form(instrument)?;
        if wanted.iter().all(|wanted| is_called(&form, wanted)) {
            found.push(Found { at: Timestamp::UNIX_EPOCH, id: instrument.as_str().to_owned(), resource: form });
        }
    }
    let now = state.bridge.clock.now();
    Ok(resource(&searchset(&state.fhir, "Questionnaire", Hits::of(found, &page), &applied, now)?))
}

/// Reads one form.
#[utoipa::path(
    operation_id = "read_questionnaire",
    tag = "questionnaires",
    params(("id" = String, Path, description = "Such as `phq-9`")),
    responses(
        (status = 200, description = "A Questionnaire", body = Value, content_type = "application/fhir+json"),
        (status = 404, description = "There is no such form", body = Value, content_type = "application/fhir+json"),
    ),
)]
#[get("/fhir/Questionnaire/{id}")]
pub async fn read(id: Path<String>, request: HttpRequest) -> Result<HttpResponse, Outcome> {
    check_format(&request)?;
    let instrument = Instrument::from_name(&id).ok_or_else(Outcome::not_found)?;
    Ok(resource(&form(instrument)?))
}

fn form(instrument: Instrument) -> Result<Value, Outcome> {
    let text = match instrument {
        Instrument::Phq2 => PHQ2,
        Instrument::Phq9 => PHQ9,
        Instrument::Gad7 => GAD7,
    };
    Ok(serde_json::from_str(text).map_err(|error| Problem::internal(&error))?)
}

/// Whether a form has this canonical address, perhaps with a version (`url|version`).
fn is_called(form: &Value, wanted: &str) -> bool {
    let (url, version) = wanted.split_once('|').map_or((wanted, None), |(url, version)| (url, Some(version)));
    form["url"] == url && version.is_none_or(|version| form["version"] == version)
}
