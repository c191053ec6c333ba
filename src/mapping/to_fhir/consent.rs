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

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::codes::{
    ACT_CODE, ACT_REASON, CLINIC, CONFIDENTIALITY, CONSENT_SCOPE, IDENTIFIER, LOINC, MOSTIK_CONSENT,
    PARTICIPATION_TYPE, POLICY_DENY,
};
use super::{MappingError, Recipient, provenance};
use crate::consent::decide::Permit;
use crate::domain::category::{Category, Detail};
use crate::domain::grant::{Grant, GrantState, Purpose, Standing, WayBack};
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
        body: consent_resource(permit, paper)?.to_string().into_bytes(),
    })
}

/// The resource that [`consent`] writes.
///
/// # Errors
/// [`MappingError`].
pub fn consent_resource(permit: &Permit<'_, Standing<'_>>, paper: Paper<'_>) -> Result<Value, MappingError> {
    let grant = permit.item().0;
    let recipient = paper.recipient;
    let patient = json!({"reference": format!("Patient/{}", recipient.patient)});
    let labels = permit.obliges().labels.iter().map(|label| json!({"system": ACT_CODE, "code": label.as_str()}));
    let restricted = json!({"system": CONFIDENTIALITY, "code": "R"});
    let stands = grant.stands(paper.now);
    let mut resource = json!({
        "resourceType": "Consent",
        "meta": {"source": recipient.source, "security": std::iter::once(restricted).chain(labels).collect::<Vec<_>>()},
        "language": paper.language.as_str(),
        "text": {"status": "generated", "div": div(paper)},
        "contained": [provenance::of_consent(recipient, grant.id, paper.is_first)?],
        "identifier": [{"system": IDENTIFIER, "value": recipient.identifier.to_string()}],
        "status": if stands == GrantState::Active.as_str() { "active" } else { "inactive" },
        "scope": {"coding": [{"system": CONSENT_SCOPE, "code": "patient-privacy"}]},
        "category": [
            {"coding": [{"system": LOINC, "code": "59284-0", "display": "Consent Document"}]},
            {"coding": [{"system": MOSTIK_CONSENT, "code": stands}]},
        ],
        "patient": patient,
        "dateTime": instant(grant.created_at),
        "performer": [patient],
        "organization": [clinic(grant)],
        "policy": [{"uri": POLICY_DENY}],
        "provision": {"type": "deny", "provision": permits(grant, recipient, &patient)},
    });
    if let (Some((title, text)), Some(resource)) = (paper.notice, resource.as_object_mut()) {
        let source = json!({
            "contentType": "text/plain; charset=utf-8",
            "language": paper.language.as_str(),
            "data": BASE64_STANDARD.encode(text),
            "title": title,
        });
        resource.insert("sourceAttachment".to_owned(), source);
    }
    Ok(resource)
}

/// What the consent permits, kind by kind: exceptions to the rule that nothing is.
fn permits(grant: &Grant, recipient: Recipient<'_>, patient: &Value) -> Vec<Value> {
    let terms = &grant.terms;
    let reader = recipient.practitioner.map_or_else(
        || clinic(grant),
        |named| json!({"reference": format!("Practitioner/{}", named.id), "display": named.display}),
    );
    let purposes = terms.purposes.iter().map(|purpose| json!({"system": ACT_REASON, "code": purpose_code(*purpose)}));
    let purposes: Vec<Value> = purposes.collect();
    let permit = |to: &Value, code: String, display: String| {
        json!({
            "type": "permit",
            "period": {"start": instant(terms.valid_from), "end": instant(last_of(terms.valid_until))},
            "actor": [{
                "role": {"coding": [{"system": PARTICIPATION_TYPE, "code": "IRCP", "display": "information recipient"}]},
                "reference": to,
            }],
            "purpose": purposes,
            "code": [{"coding": [{"system": MOSTIK_CONSENT, "code": code, "display": display}]}],
        })
    };
    let mut permits: Vec<Value> = Vec::new();
    for (category, detail) in &terms.categories {
        let mut shared = permit(&reader, code(*category, *detail), display(*category, *detail));
        if let (Some(shared), Some(from)) = (shared.as_object_mut(), terms.data_from) {
            shared.insert("dataPeriod".to_owned(), json!({"start": instant(from)}));
        }
        permits.push(shared);
    }
    if terms.way_back != WayBack::None {
        let what = match terms.way_back {
            WayBack::Full => "The clinic's messages",
            WayBack::Notice | WayBack::None => "That there is a message of the clinic",
        };
        permits.push(permit(patient, format!("way-back-{}", terms.way_back.as_str()), what.to_owned()));
    }
    permits
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

const fn purpose_code(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Treatment => "TREAT",
        Purpose::CareManagement => "CAREMGT",
    }
}

/// The clinic, by the name that this bridge knows it by: its Organization in the EHR is not known here.
fn clinic(grant: &Grant) -> Value {
    json!({"type": "Organization", "identifier": {"system": CLINIC, "value": grant.clinic.as_str()}})
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

fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
