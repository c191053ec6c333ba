//! Page → `DiagnosticReport`, for an EHR that shows reports: the same page, under the same code. US Core 9 mirrors notes so.
//!
//! It concludes nothing, and nobody is named as who made it: the patient cannot be (R4, diagnosticreport.html, performer), and
//! no clinician did. `result` names totals of questionnaires by the identifiers under which this clinic was told them.

use fhir_codec::resources::Resource;
use serde::Serialize;
use uuid::Uuid;

use super::codes::IDENTIFIER;
use super::document::PATIENT_NOTE;
use super::envelope::named;
use super::page::{Sheet, attachments, outbound, period};
use super::provenance::provenance;
use super::shape::{Attachment, Concept, Identifier, Meta, Period, Reference, instant, patient};
use super::{MappingError, Recipient};
use crate::consent::decide::Permit;
use crate::domain::outbound::Outbound;
use crate::domain::page::Page;

/// As what it is filed (HL7 v2 table 0074): none of the services that it names.
const OTHER: (&str, &str, &str) = ("http://terminology.hl7.org/CodeSystem/v2-0074", "OTH", "Other");

/// R4 `DiagnosticReport` (diagnosticreport.html), as far as the bridge writes it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    resource_type: &'static str,
    meta: Meta<'a>,
    contained: [Resource; 1],
    identifier: [Identifier; 1],
    status: &'static str,
    category: [Concept<'a>; 1],
    code: Concept<'a>,
    subject: Reference<'a>,
    effective_period: Period,
    issued: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    result: Vec<Reference<'a>>,
    presented_form: Vec<Attachment<'a>>,
}

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
    let result = |of: &Uuid| Reference {
        r#type: Some("Observation"),
        identifier: Some(identifier(*of)),
        ..Reference::default()
    };
    let report = Report {
        resource_type: "DiagnosticReport",
        meta: Meta::of_patient(recipient.source, &permit.obliges().labels, []),
        contained: [provenance(recipient, permit)?],
        identifier: [identifier(recipient.identifier)],
        status: "final",
        category: [OTHER.into()],
        code: PATIENT_NOTE.into(),
        subject: patient(recipient),
        effective_period: period(permit.item()),
        issued: instant(recipient.recorded),
        result: results.iter().map(result).collect(),
        presented_form: attachments(recipient, sheet).collect(),
    };
    outbound("DiagnosticReport", &report, recipient, true)
}

fn identifier(value: Uuid) -> Identifier {
    Identifier { system: IDENTIFIER, value: value.to_string() }
}
