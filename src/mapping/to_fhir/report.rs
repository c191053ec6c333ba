//! Page → `DiagnosticReport`, for an EHR that shows reports: the same page, under the same code. US Core 9 mirrors notes so.
//!
//! It concludes nothing, and nobody is named as who made it: the patient cannot be (R4, diagnosticreport.html, performer), and
//! no clinician did. `result` names totals of questionnaires by the identifiers under which this clinic was told them.

use serde_json::{Value, json};
use uuid::Uuid;

use super::codes::IDENTIFIER;
use super::document::{PATIENT_NOTE, coded};
use super::envelope::named;
use super::page::{Sheet, attachments, contained, meta, outbound, patient, period, recorded};
use super::{MappingError, Recipient};
use crate::consent::decide::Permit;
use crate::domain::outbound::Outbound;
use crate::domain::page::Page;

/// As what it is filed (HL7 v2 table 0074): none of the services that it names.
const OTHER: (&str, &str, &str) = ("http://terminology.hl7.org/CodeSystem/v2-0074", "OTH", "Other");

/// The identifier of the report that stands beside the page with this one.
#[must_use]
pub fn report_identifier(page: Uuid) -> Uuid {
    named(page, "report")
}

/// Maps the page of a permit to the report that its clinic receives beside it. `recipient` is that of the page.
///
/// # Errors
/// [`MappingError`]; never for a page of readings that passed their JSON Schema.
pub fn report_to_fhir(
    permit: &Permit<'_, Page>,
    recipient: Recipient<'_>,
    sheet: &Sheet<'_>,
    results: &[Uuid],
) -> Result<Outbound, MappingError> {
    let recipient = Recipient { identifier: report_identifier(recipient.identifier), ..recipient };
    let identifier = |value: Uuid| json!({"system": IDENTIFIER, "value": value.to_string()});
    let mut report = json!({
        "resourceType": "DiagnosticReport",
        "meta": meta(permit, recipient.source),
        "contained": [contained(permit, recipient)?],
        "identifier": [identifier(recipient.identifier)],
        "status": "final",
        "category": [coded(OTHER)],
        "code": coded(PATIENT_NOTE),
        "subject": patient(recipient),
        "effectivePeriod": period(permit.item()),
        "issued": recorded(recipient),
        "presentedForm": attachments(recipient, sheet).collect::<Vec<_>>(),
    });
    if let (false, Some(report)) = (results.is_empty(), report.as_object_mut()) {
        let result = |of: &Uuid| json!({"type": "Observation", "identifier": identifier(*of)});
        report.insert("result".to_owned(), results.iter().map(result).collect::<Vec<Value>>().into());
    }
    outbound("DiagnosticReport", &report, recipient, true)
}
