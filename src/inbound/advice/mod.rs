//! What an EHR has for a patient: Tasks, messages, plans, orders and appointments → [`Advice`], in plain text.
//!
//! Raw JSON is the truth of what an EHR says. What changes the meaning of a resource and is not understood here (an
//! unknown `modifierExtension`, `implicitRules`, a status that R4 does not have) makes it unclear: of what it says nothing
//! is kept then (R4, extensibility.html, 2.1.0.3). What is a draft, on hold, revoked or entered in error is withdrawn.

mod appointment;
mod bundle;
pub(super) mod field;
mod message;
mod order;
mod plan;
mod speaker;
mod task;
mod text;

pub use bundle::{Bundle, NoBundle};
pub use speaker::{Unnamed, say_name, unnamed};

use serde_json::Value;

use self::field::{instant, text_at};
use crate::domain::advice::{Advice, Standing};
use crate::domain::ids::is_fhir_id;
use crate::domain::recommendation::{RecommendationKind, Said, Source};

/// The FHIR types that may hold something for a patient, in the order in which they are looked for: what a Task asks to do
/// is not told beside it.
pub const TYPES: [&str; 6] =
    ["Task", "CommunicationRequest", "Communication", "CarePlan", "ServiceRequest", "Appointment"];

/// The types that a Task may ask to do.
pub const FOCUS_TYPES: [&str; 4] = ["ServiceRequest", "CommunicationRequest", "CarePlan", "Questionnaire"];

/// What is known beforehand of who speaks.
#[derive(Clone, Copy, Debug)]
pub struct Ear<'a> {
    /// The EHR's base, with a slash at its end: references may begin with it.
    pub base: &'a str,
    /// The system of the identifiers that the bridge's own resources carry.
    pub identifier_system: &'a str,
    /// As which owner of Tasks the EHR knows the bridge, as in `Device/mostik`.
    pub owner: Option<&'a str>,
}

/// A resource that holds nothing for a patient.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoAdvice {
    /// It is none, or of a type that holds none.
    #[error("expected a resource of a type that may hold something for a patient, with an id")]
    NoResource,
    /// It says for no patient that it is for them.
    #[error("it is about no patient of this EHR")]
    NoPatient,
    /// It is for somebody else at the clinic, or comes from the patient.
    #[error("it is not for the patient to read")]
    NotForThem,
    /// The bridge wrote it.
    #[error("the bridge wrote it")]
    Own,
}

/// What all resources have in common.
struct Common<'a> {
    resource: &'a Value,
    ear: Ear<'a>,
    source: Source,
    /// Whether it is marked with something that is not understood.
    is_unclear: bool,
}

/// Reads a resource; `focus` is what it asks to do, if that was found. A plan may hold several things, or none.
///
/// # Errors
/// [`NoAdvice`].
pub fn read(resource: &Value, focus: Option<&Value>, ear: Ear<'_>) -> Result<Vec<Advice>, NoAdvice> {
    let resource_type = text_at(resource, "/resourceType").filter(|name| TYPES.contains(name));
    let id = text_at(resource, "/id").filter(|id| is_fhir_id(id));
    let (Some(resource_type), Some(id)) = (resource_type, id) else { return Err(NoAdvice::NoResource) };
    if is_own(resource, ear.identifier_system) {
        return Err(NoAdvice::Own);
    }
    let source = Source { resource_type: resource_type.to_owned(), id: id.to_owned(), part: None };
    let is_unclear = is_marked(resource) || focus.is_some_and(is_marked);
    let common = Common { resource, ear, source, is_unclear };
    match resource_type {
        "Task" => task::read(&common, focus).map(|advice| vec![advice]),
        "CommunicationRequest" => message::request(&common).map(|advice| vec![advice]),
        "Communication" => message::said(&common).map(|advice| vec![advice]),
        "CarePlan" => plan::read(&common),
        "ServiceRequest" => order::read(&common).map(|advice| vec![advice]),
        _ => appointment::read(&common).map(|advice| vec![advice]),
    }
}

/// The resource that a Task asks to do, as type and id: below the EHR's base, and of a type that is read here.
#[must_use]
pub fn focus_of(task: &Value, base: &str) -> Option<(String, String)> {
    let (kind, id) = field::reference(task, "/focus/reference", base)?;
    FOCUS_TYPES.contains(&kind).then(|| (kind.to_owned(), id.to_owned()))
}

/// Whether anything in it changes its meaning in a way that is not understood here.
pub(super) fn is_marked(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.iter().any(|(name, member)| {
            let is_mark = name == "modifierExtension" || name == "implicitRules";
            (is_mark && !is_nothing(member)) || is_marked(member)
        }),
        Value::Array(items) => items.iter().any(is_marked),
        _ => false,
    }
}

fn is_nothing(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty) || value.as_str() == Some("")
}

fn is_own(resource: &Value, system: &str) -> bool {
    let identifiers = resource.get("identifier").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    identifiers.iter().any(|identifier| text_at(identifier, "/system") == Some(system))
}

impl<'a> Common<'a> {
    /// The id of the Patient to whom a reference leads.
    fn patient(&self, pointer: &str) -> Result<&'a str, NoAdvice> {
        match field::reference(self.resource, pointer, self.ear.base) {
            Some(("Patient", id)) => Ok(id),
            _ => Err(NoAdvice::NoPatient),
        }
    }

    /// Whether any of a list of references leads to this Patient.
    fn names(&self, list: &Value, patient: &str) -> bool {
        let items = list.as_array().map_or(std::slice::from_ref(list), Vec::as_slice);
        items.iter().any(|item| field::reference(item, "/reference", self.ear.base) == Some(("Patient", patient)))
    }

    fn text(&self, pointer: &str) -> Option<&'a str> {
        text_at(self.resource, pointer)
    }

    /// What is said, before anything is known but that it may be.
    fn says(&self) -> Said {
        let priority = self.text("/priority");
        Said {
            text: String::new(),
            by: None,
            authored: None,
            from: None,
            until: None,
            is_urgent: matches!(priority, Some("urgent" | "asap" | "stat")),
            is_not_to_be_done: false,
            is_unclear: self.is_unclear,
            is_actionable: false,
            is_answerable: true,
            appointment: None,
            questionnaire: None,
            source: self.source.clone(),
        }
    }

    /// Puts together what was read. Where it is unclear, or says nothing, what it says is left out.
    fn advice(&self, kind: RecommendationKind, standing: Option<Standing>, patient: &str, mut says: Said) -> Advice {
        if says.text.is_empty() {
            says.text = text::of_narrative(self.resource);
        }
        // A status that R4 does not have, or no word of what it is about.
        says.is_unclear |= standing.is_none() || (says.text.is_empty() && says.appointment.is_none());
        if says.is_unclear {
            says.text = String::new();
            (says.is_actionable, says.is_answerable) = (false, false);
            (says.is_not_to_be_done, says.questionnaire) = (false, None);
        }
        Advice {
            kind,
            standing: standing.unwrap_or(Standing::Open),
            patient: patient.to_owned(),
            focus: None,
            says,
            version: self.text("/meta/versionId").map(str::to_owned),
            updated_at: self.text("/meta/lastUpdated").and_then(instant),
        }
    }
}

#[cfg(test)]
mod tests;
