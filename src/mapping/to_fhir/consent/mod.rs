//! Grant → FHIR R4 Consent: one resource for each line of versions, brought up to date in place.
//!
//! What it keeps of IHE Privacy Consent on FHIR (PCF 1.1, the elements of its common profile): `scope` patient-privacy, a
//! `category`, `patient`, `dateTime`, the patient as `performer`, the clinic as `organization`, the text that was shown as
//! `source`, `policy` deny (what is not permitted is denied), actors with the role IRCP, purposes, periods, data periods.
//!
//! Where it leaves PCF, and so does not claim its profiles: what is shared is named kind by kind in `provision.code`, which
//! PCF forbids; its labels are coarser than what a member decides. Whoever knows less than this reads it as less: the base
//! rule denies, each permit has an end, and a consent that is paused, over, replaced or taken back is `inactive` (R4 has no word
//! of its own for any of them; the second `category` says which).
//!
//! What a member withholds for its sensitivity is not in it: to say that somebody withholds what concerns addiction would
//! tell the clinic more than the data.

mod shape;

use fhir_codec::WriteError;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use shape::{Actor, Consent, Exception, Narrative, Policy, Rule};

use super::codes::{
    ACT_REASON, CLINIC, CONSENT_SCOPE, IDENTIFIER, LOINC, MOSTIK_CONSENT, PARTICIPATION_TYPE, POLICY_DENY,
};
use super::shape::{Attachment, Coding, Identifier, Meta, Period, Reference, instant, patient, practitioner};
use super::{MappingError, Recipient, provenance};
use crate::consent::decide::Permit;
use crate::domain::category::{Category, Detail};
use crate::domain::grant::{Grant, GrantState, Purpose, Standing, Terms, WayBack};
use crate::domain::language::Language;
use crate::domain::outbound::Outbound;

/// What a Consent says beside the grant.
#[derive(Clone, Copy)]
pub struct Paper<'a> {
    /// Whose and from whom; and the practitioner, where one is named.
    pub recipient: Recipient<'a>,
    /// Whether the clinic hears of this grant for the first time.
    pub is_first: bool,
    /// The language in which the member decided.
    pub language: Language,
    /// The text that they had before them: its title, and all of it.
    pub notice: Option<(&'a str, &'a str)>,
    /// What they decided, in words, line by line: what it is about, and what it says.
    pub words: &'a [(&'a str, String)],
    /// When it is told.
    pub now: Timestamp,
}

/// Maps the grant of a permit to the Consent that its clinic receives.
///
/// # Errors
/// [`MappingError`].
pub fn consent(permit: &Permit<'_, Standing<'_>>, paper: Paper<'_>) -> Result<Outbound, MappingError> {
    Ok(Outbound {
        resource_type: "Consent".into(),
        identifier: paper.recipient.identifier.to_string(),
        is_part: false,
        body: written(permit, paper)?,
    })
}

/// The resource that [`consent`] writes.
///
/// # Errors
/// [`MappingError`].
pub fn consent_resource(permit: &Permit<'_, Standing<'_>>, paper: Paper<'_>) -> Result<Value, MappingError> {
    Ok(serde_json::from_slice(&written(permit, paper)?).map_err(WriteError::from)?)
}

fn written(permit: &Permit<'_, Standing<'_>>, paper: Paper<'_>) -> Result<Vec<u8>, MappingError> {
    let (grant, recipient, language) = (permit.item().0, paper.recipient, paper.language.as_str());
    let (patient, clinic, reader) = (patient(recipient), clinic(grant), recipient.practitioner.map(practitioner));
    let period = period(grant.terms.valid_from, Some(last_of(grant.terms.valid_until)));
    let data_period = grant.terms.data_from.map(|from| self::period(from, None));
    let purposes: Vec<_> =
        grant.terms.purposes.iter().map(|purpose| Coding::new(ACT_REASON, code_of(*purpose))).collect();
    let exceptions = Exceptions {
        period: &period,
        data_period: data_period.as_ref(),
        purposes: &purposes,
        reader: reader.as_ref().unwrap_or(&clinic),
        patient: &patient,
    };
    let stands = grant.stands(paper.now);
    let resource = Consent {
        resource_type: "Consent",
        meta: Meta::restricted(recipient.source, &permit.obliges().labels),
        language,
        text: Narrative { status: "generated", div: div(paper) },
        contained: [provenance::of_consent(recipient, grant.id, paper.is_first)?],
        identifier: [Identifier { system: IDENTIFIER, value: recipient.identifier.to_string() }],
        status: if stands == GrantState::Active.as_str() { "active" } else { "inactive" },
        scope: Coding::new(CONSENT_SCOPE, "patient-privacy").into(),
        category: [
            Coding::said(LOINC, "59284-0", "Consent Document").into(),
            Coding::new(MOSTIK_CONSENT, stands).into(),
        ],
        patient: &patient,
        date_time: instant(grant.created_at),
        performer: [&patient],
        organization: [&clinic],
        source_attachment: paper
            .notice
            .map(|(title, text)| Attachment::new("text/plain; charset=utf-8", language, text.as_bytes(), title)),
        policy: [Policy { uri: POLICY_DENY }],
        provision: Rule { r#type: "deny", provision: exceptions.of(&grant.terms) },
    };
    Ok(serde_json::to_vec(&resource).map_err(WriteError::from)?)
}

/// What all exceptions to the rule that nothing is permitted have in common.
struct Exceptions<'a> {
    period: &'a Period,
    data_period: Option<&'a Period>,
    purposes: &'a [Coding<'a>],
    reader: &'a Reference<'a>,
    patient: &'a Reference<'a>,
}

impl<'a> Exceptions<'a> {
    /// Kind by kind.
    fn of(&self, terms: &Terms) -> Vec<Exception<'a>> {
        let shared = terms.categories.iter().map(|(category, detail)| Exception {
            data_period: self.data_period,
            ..self.to(self.reader, code(*category, *detail), display(*category, *detail))
        });
        let told = match terms.way_back {
            WayBack::None => None,
            WayBack::Full => Some("The clinic's messages"),
            WayBack::Notice => Some("That there is a message of the clinic"),
        };
        let told =
            told.map(|what| self.to(self.patient, format!("way-back-{}", terms.way_back.as_str()), what.to_owned()));
        shared.chain(told).collect()
    }

    fn to(&self, reader: &'a Reference<'a>, code: String, display: String) -> Exception<'a> {
        let role = Coding::said(PARTICIPATION_TYPE, "IRCP", "information recipient").into();
        Exception {
            r#type: "permit",
            period: self.period,
            actor: [Actor { role, reference: reader }],
            purpose: self.purposes,
            code: [Coding::said(MOSTIK_CONSENT, code, display).into()],
            data_period: None,
        }
    }
}

/// The code of a kind of data at a fineness (`schemas/fhir/CodeSystem-mostik-consent.json`).
fn code(category: Category, detail: Detail) -> String {
    format!("{}-{}", category.as_str(), detail.as_str())
}

fn display(category: Category, detail: Detail) -> String {
    let category = match category {
        Category::Mood => "Mood",
        Category::Note => "Notes",
        Category::Tags => "Tags",
        Category::Sleep => "Sleep",
        Category::Activity => "Activity",
        Category::Heart => "Heart",
        Category::Questionnaires => "Questionnaires",
        Category::Agenda => "What to talk about",
        Category::Community => "Activity in the community",
    };
    let detail = match detail {
        Detail::WeeklySummary => "a summary of each week",
        Detail::DailySummary => "a summary of each day",
        Detail::EveryEntry => "every entry",
    };
    format!("{category}: {detail}")
}

const fn code_of(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Treatment => "TREAT",
        Purpose::CareManagement => "CAREMGT",
    }
}

/// The clinic, by the name that this bridge knows it by: its Organization in the EHR is not known here.
fn clinic(grant: &Grant) -> Reference<'static> {
    let identifier = Identifier { system: CLINIC, value: grant.clinic.as_str().to_owned() };
    Reference { r#type: Some("Organization"), identifier: Some(identifier), ..Reference::default() }
}

fn period(start: Timestamp, end: Option<Timestamp>) -> Period {
    Period { start: instant(start), end: end.map(instant) }
}

/// The narrative, for people at the clinic (R4, narrative.html).
fn div(paper: Paper<'_>) -> String {
    let language = paper.language.as_str();
    let lines = paper.words.iter().map(|(name, value)| format!("<li>{}: {}</li>", escaped(name), escaped(value)));
    let lines: String = lines.collect();
    format!(
        "<div xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"{language}\" xml:lang=\"{language}\"><ul>{lines}</ul></div>"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The last second of what ends *before* an instant: a FHIR period includes its end.
fn last_of(until: Timestamp) -> Timestamp {
    until.checked_sub(SignedDuration::from_micros(1)).unwrap_or(until)
}
