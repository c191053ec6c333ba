//! What an EHR says it can do (`GET /metadata`, FHIR R4 capabilitystatement.html). Absence means unsupported.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::domain::delivery::Rung;
use crate::domain::form::Takes;

/// The type of a questionnaire as it was filled in.
pub const RESPONSE_TYPE: &str = "QuestionnaireResponse";

/// The type of a page that goes as a report.
pub const REPORT_TYPE: &str = "DiagnosticReport";

/// What says in another form what is sent anyway: it goes only to an EHR that says that it takes it.
pub const SAID_TWICE: [&str; 2] = [RESPONSE_TYPE, REPORT_TYPE];

/// Subscriptions R5 Backport on R4: names a topic that can be subscribed to.
const TOPIC: &str = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/\
                     capabilitystatement-subscriptiontopic-canonical";

/// How an EHR wants to be asked for times and visits by the operations `$find`, `$hold` and `$book`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    /// IHE ITI Scheduling 1.0 (ITI-115 to ITI-117): each of them on the type.
    Ihe,
    /// Argonaut Scheduling 1.0.0: `$hold` and `$book` on the Appointment itself, and what is over is patched.
    Argonaut,
}

/// The parts of a `CapabilityStatement` that the bridge acts on.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Capabilities {
    /// `None` when the EHR gave no statement: then it is believed to do the plain things, and nothing special.
    types: Option<BTreeMap<String, TypeCapabilities>>,
    batch: bool,
    transaction: bool,
    topics: BTreeSet<String>,
    events: bool,
    scheduling: Option<Dialect>,
    takes: Takes,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "what it says of each interaction")]
struct TypeCapabilities {
    search: bool,
    create: bool,
    update: bool,
    conditional_create: bool,
}

impl Capabilities {
    /// Reads a `CapabilityStatement`; `None` if it is not one of FHIR R4 or R4B.
    #[must_use]
    pub fn read(body: &[u8], takes: Takes) -> Option<Self> {
        let statement: Value = serde_json::from_slice(body).ok()?;
        let version = statement.get("fhirVersion").and_then(Value::as_str)?;
        if !(version.starts_with("4.0") || version.starts_with("4.3")) {
            return None;
        }
        let rest = statement.pointer("/rest/0")?;
        let resources = rest.get("resource").and_then(Value::as_array)?;
        let types = resources.iter().filter_map(|resource| {
            let capabilities = TypeCapabilities {
                search: interacts(resource, "search-type"),
                create: interacts(resource, "create"),
                update: interacts(resource, "update"),
                conditional_create: resource.get("conditionalCreate").and_then(Value::as_bool) == Some(true),
            };
            Some((resource.get("type").and_then(Value::as_str)?.to_owned(), capabilities))
        });
        let topics = resources.iter().flat_map(topics).collect();
        let events = resources.iter().any(tells_events);
        let (batch, transaction) = (interacts(rest, "batch"), interacts(rest, "transaction"));
        let scheduling = scheduling(rest, resources);
        Some(Self { types: Some(types.collect()), batch, transaction, topics, events, scheduling, takes })
    }

    /// What is believed of an EHR that gave no statement.
    #[must_use]
    pub const fn unknown(takes: Takes) -> Self {
        let topics = BTreeSet::new();
        Self { types: None, batch: false, transaction: false, topics, events: false, scheduling: None, takes }
    }

    /// Whether the EHR gave no statement.
    #[must_use]
    pub const fn is_unknown(&self) -> bool {
        self.types.is_none()
    }

    /// In which form the EHR takes what is mapped to `resource_type`.
    #[must_use]
    pub fn rung(&self, resource_type: &str) -> Rung {
        let creates = |name: &str| self.of(name).is_some_and(|of| of.create);
        match self.takes.form {
            Some(form) => form,
            None if self.types.is_none() || creates(resource_type) => Rung::Discrete,
            None if creates("DocumentReference") => Rung::Document,
            None => Rung::None,
        }
    }

    /// Whether the EHR keeps it that a consent stands as it stands: it must say so itself, or the operator for it.
    #[must_use]
    pub fn keeps_consents(&self) -> bool {
        self.takes.consent.unwrap_or(self.keeps("Consent"))
    }

    /// Whether the EHR says itself that it takes resources of this type, and lets them be changed.
    #[must_use]
    pub fn keeps(&self, resource_type: &str) -> bool {
        self.of(resource_type).is_some_and(|of| of.create && of.update)
    }

    /// Whether resources of this type can be created.
    #[must_use]
    pub fn has_create(&self, resource_type: &str) -> bool {
        self.types.is_none() || self.of(resource_type).is_some_and(|of| of.create)
    }

    /// Whether a resource of this type may be changed after it was created.
    #[must_use]
    pub fn has_update(&self, resource_type: &str) -> bool {
        self.types.is_none() || self.of(resource_type).is_some_and(|of| of.update)
    }

    /// Whether it offers a topic (Subscriptions R5 Backport on R4), by its canonical address.
    #[must_use]
    pub fn has_topic(&self, topic: &str) -> bool {
        self.topics.contains(topic)
    }

    /// Whether it says of events that were notified what they were about (`$events`).
    #[must_use]
    pub const fn tells_events(&self) -> bool {
        self.events
    }

    /// How visits are booked by operations, if the EHR says that they are.
    #[must_use]
    pub const fn scheduling(&self) -> Option<Dialect> {
        self.scheduling
    }

    /// Whether resources of this type can be searched for.
    #[must_use]
    pub fn has_search(&self, resource_type: &str) -> bool {
        self.types.is_none() || self.of(resource_type).is_some_and(|of| of.search)
    }

    /// Whether a create of this type may carry `If-None-Exist`.
    #[must_use]
    pub fn has_conditional_create(&self, resource_type: &str) -> bool {
        self.takes.conditional_create.unwrap_or(self.of(resource_type).is_some_and(|of| of.conditional_create))
    }

    /// Whether several items may go in one request (R4, http.html, 3.1.0.11).
    #[must_use]
    pub fn has_batch(&self) -> bool {
        self.takes.batch.unwrap_or(self.batch)
    }

    /// Whether several writes may go in one request of which all are done or none is (R4, http.html, 3.1.0.11.2).
    #[must_use]
    pub fn has_transaction(&self) -> bool {
        self.transaction && self.takes.batch != Some(false)
    }

    fn of(&self, resource_type: &str) -> Option<&TypeCapabilities> {
        self.types.as_ref()?.get(resource_type)
    }
}

/// The topics that a resource's part of a statement names.
fn topics(resource: &Value) -> impl Iterator<Item = String> {
    let extensions = resource.get("extension").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let named = extensions.iter().filter(|extension| extension.get("url").and_then(Value::as_str) == Some(TOPIC));
    named.filter_map(|extension| extension.get("valueCanonical")).filter_map(Value::as_str).map(str::to_owned)
}

/// Whether a resource's part of a statement is the one of Subscriptions, and has the operation `$events`: servers call it by its
/// name, and some by that of its definition.
fn tells_events(resource: &Value) -> bool {
    let operations = resource.get("operation").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let named = |operation: &Value, element: &str| operation.get(element).and_then(Value::as_str).map(str::to_owned);
    let is_events = |operation: &Value| {
        let by_name = named(operation, "name").is_some_and(|name| name.trim_start_matches('$') == "events");
        by_name || named(operation, "definition").is_some_and(|url| url.contains("/backport-subscription-events"))
    };
    resource.get("type").and_then(Value::as_str) == Some("Subscription") && operations.iter().any(is_events)
}

/// How visits are booked by operations. It takes all three: a time that nobody keeps cannot be shown as kept. Servers name
/// them with the type, and by Argonaut's statement with the whole of the server; by the name, or by that of the definition.
fn scheduling(rest: &Value, resources: &[Value]) -> Option<Dialect> {
    let operations = |part: &'_ Value| part.get("operation").and_then(Value::as_array).cloned().unwrap_or_default();
    let of_type = |resource: &&Value| resource.get("type").and_then(Value::as_str) == Some("Appointment");
    let text =
        |operation: &Value, name: &str| operation.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let with_type = resources.iter().find(of_type).map(operations).unwrap_or_default();
    let with_type = with_type.iter().map(|operation| (text(operation, "name"), text(operation, "definition")));
    let with_server = operations(rest);
    let with_server = with_server.iter().map(|operation| (text(operation, "name"), text(operation, "definition")));
    let with_server = with_server.filter(|(_, definition)| definition.contains("/appointment-"));
    let known: Vec<(String, String)> = with_type.chain(with_server).collect();
    let has = |wanted: &str| {
        known.iter().any(|(name, definition)| {
            name.trim_start_matches('$') == wanted || definition.ends_with(&format!("/appointment-{wanted}"))
        })
    };
    let dialect = if known.iter().any(|(_, definition)| definition.contains("argonaut")) {
        Dialect::Argonaut
    } else {
        Dialect::Ihe
    };
    ["find", "hold", "book"].into_iter().all(has).then_some(dialect)
}

fn interacts(part: &Value, code: &str) -> bool {
    let interactions = part.get("interaction").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    interactions.iter().any(|interaction| interaction.get("code").and_then(Value::as_str) == Some(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(resources: &str) -> Capabilities {
        let statement = format!(
            r#"{{"fhirVersion":"4.0.1","rest":[{{"interaction":[{{"code":"batch"}}],"resource":[{resources}]}}]}}"#
        );
        Capabilities::read(statement.as_bytes(), Takes::default()).unwrap()
    }

    #[test]
    fn absence_means_unsupported() {
        let capabilities = read(r#"{"type":"Observation","conditionalCreate":true},{"type":"Task"}"#);
        assert!(capabilities.has_batch());
        assert!(capabilities.has_conditional_create("Observation"));
        assert!(!capabilities.has_conditional_create("Task"));
        assert!(!capabilities.has_conditional_create("Patient"));
        assert!(!capabilities.has_update("Observation"));
        assert_eq!(capabilities.rung("Observation"), Rung::None);
    }

    #[test]
    fn the_highest_rung_that_the_ehr_takes_is_used() {
        let observation = r#"{"type":"Observation","interaction":[{"code":"read"},{"code":"create"}]}"#;
        let document = r#"{"type":"DocumentReference","interaction":[{"code":"create"}]}"#;
        assert_eq!(read(&format!("{observation},{document}")).rung("Observation"), Rung::Discrete);
        assert_eq!(read(document).rung("Observation"), Rung::Document);
        assert_eq!(Capabilities::unknown(Takes::default()).rung("Observation"), Rung::Discrete);
    }

    #[test]
    fn the_operator_has_the_last_word() {
        let takes =
            Takes { form: Some(Rung::Document), batch: Some(true), conditional_create: Some(true), consent: None };
        let capabilities = Capabilities::unknown(takes);
        assert_eq!(capabilities.rung("Observation"), Rung::Document);
        assert!(capabilities.has_batch() && capabilities.has_conditional_create("Observation"));
    }

    fn scheduling_of(on_type: &str, on_server: &str) -> Option<Dialect> {
        let statement = format!(
            r#"{{"fhirVersion":"4.0.1","rest":[{{"operation":[{on_server}],
                "resource":[{{"type":"Task"}},{{"type":"Appointment","operation":[{on_type}]}}]}}]}}"#
        );
        Capabilities::read(statement.as_bytes(), Takes::default()).unwrap().scheduling()
    }

    #[test]
    fn visits_are_booked_by_operations_where_all_three_are_there() {
        let named = |name: &str| format!(r#"{{"name":"{name}","definition":"https://ehr.example/{name}"}}"#);
        let of = |guide: &str, name: &str| {
            format!(r#"{{"name":"x","definition":"{guide}/OperationDefinition/appointment-{name}"}}"#)
        };
        let all = |names: [String; 3]| names.join(",");
        assert_eq!(scheduling_of("", ""), None);
        assert_eq!(scheduling_of(&all(["find", "$hold", "book"].map(named)), ""), Some(Dialect::Ihe));
        assert_eq!(scheduling_of(&all(["find", "book", "book"].map(named)), ""), None, "nothing is kept");
        let ihe = |name: &str| of("https://profiles.ihe.net/ITI/Scheduling", name);
        assert_eq!(scheduling_of(&all(["find", "hold", "book"].map(ihe)), ""), Some(Dialect::Ihe));
        let argonaut = |name: &str| of("http://fhir.org/guides/argonaut-scheduling", name);
        assert_eq!(scheduling_of("", &all(["find", "hold", "book"].map(argonaut))), Some(Dialect::Argonaut));
        assert_eq!(scheduling_of("", &all(["find", "hold", "book"].map(named))), None, "they may be about anything");
    }

    #[test]
    fn another_fhir_version_is_not_spoken() {
        let takes = Takes::default();
        assert_eq!(Capabilities::read(br#"{"fhirVersion":"5.0.0","rest":[{"resource":[]}]}"#, takes), None);
        assert_eq!(Capabilities::read(b"<html>", takes), None);
    }
}
