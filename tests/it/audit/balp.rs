//! IHE Basic Audit Log Patterns (BALP 1.1.5, R4), rule by rule: whatever claims one of its profiles keeps that profile.
//!
//! The validators of these tests judge base R4. They could read the profiles too, but no registry that the tests install from
//! (of Python and of Node.js) has the package `ihe.iti.balp`; so the rules stand here, each as the differential of its profile says it
//! (profiles.ihe.net/ITI/BALP/StructureDefinition-IHE.BasicAudit.*.html). Elements that are only "must support" ask for
//! nothing of whoever has nothing to say there, and are left out.

use jiff::Timestamp;
use mostik::domain::audit::Event;
use mostik::mapping::to_fhir::{Cast, audit_events};
use serde_json::{Value, json};

use crate::audit::events::{decision, disclosure, disclosure_without_consent};
use mostik::domain::delivery::Operation;

const PROFILE: &str = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.";
const DCM: &str = "http://dicom.nema.org/resources/ontology/DCM";
const PARTICIPATION: &str = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";

/// What of a profile is not kept, in words.
struct Judge<'a> {
    event: &'a Value,
    broken: Vec<String>,
}

impl Judge<'_> {
    fn rule(&mut self, holds: bool, rule: &str) {
        if !holds {
            self.broken.push(rule.to_owned());
        }
    }

    fn is(&mut self, pointer: &str, expected: &Value) {
        self.rule(self.event.pointer(pointer) == Some(expected), &format!("{pointer} is {expected}"));
    }

    fn coded(&mut self, pointer: &str, system: &str, code: &str) {
        self.is(&format!("{pointer}/system"), &json!(system));
        self.is(&format!("{pointer}/code"), &json!(code));
    }

    fn all(&self, list: &str) -> Vec<&Value> {
        self.event[list].as_array().map(|list| list.iter().collect()).unwrap_or_default()
    }

    /// The only agent of a slice (discriminator: the pattern of `type`), with `who`, and with or without `network`.
    fn agent(&mut self, system: &str, code: &str, network: Option<bool>) -> Value {
        let is = |agent: &&Value| {
            agent["type"]["coding"][0]["system"] == system && agent["type"]["coding"][0]["code"] == code
        };
        let found: Vec<Value> = self.all("agent").into_iter().filter(is).cloned().collect();
        self.rule(found.len() == 1, &format!("agent {code} 1..1"));
        let agent = found.into_iter().next().unwrap_or_default();
        self.rule(agent["who"].is_object(), &format!("agent {code}: who 1..1"));
        self.rule(agent["media"].is_null(), &format!("agent {code}: media 0..0"));
        if let Some(network) = network {
            self.rule(agent["network"].is_object() == network, &format!("agent {code}: network {}", u8::from(network)));
        }
        agent
    }

    /// Invariant val-audit-source: the audit source is this agent too.
    fn is_source(&mut self, agent: &Value) {
        self.rule(agent["who"] == self.event["source"]["observer"], "val-audit-source");
    }

    fn entities(&self, system: &str, code: &str) -> Vec<Value> {
        let is = |entity: &&Value| entity["type"]["system"] == system && entity["type"]["code"] == code;
        self.all("entity").into_iter().filter(is).cloned().collect()
    }

    fn patient(&mut self) {
        let found = self.entities("http://terminology.hl7.org/CodeSystem/audit-entity-type", "1");
        self.rule(found.len() == 1, "entity patient 1..1");
        let patient = found.into_iter().next().unwrap_or_default();
        let role = (&patient["role"]["system"], &patient["role"]["code"]);
        self.rule(
            role == (&json!("http://terminology.hl7.org/CodeSystem/object-role"), &json!("1")),
            "patient: role 1",
        );
        let what = &patient["what"];
        let named = what["reference"].as_str().is_some_and(|to| to.split('/').rev().nth(1) == Some("Patient"));
        self.rule(named || what["type"] == "Patient", "patient: what only Reference(Patient)");
    }
}

/// Which rules of the profiles that it claims an event breaks.
fn broken(event: &Value) -> Vec<String> {
    let mut judge = Judge { event, broken: Vec::new() };
    for profile in event["meta"]["profile"].as_array().into_iter().flatten() {
        let claimed = profile.as_str().unwrap().strip_prefix(PROFILE).unwrap();
        match claimed {
            "PatientCreate" => rest(&mut judge, "create", "C"),
            "PatientUpdate" => rest(&mut judge, "update", "U"),
            "PrivacyDisclosure.Source" => disclosed(&mut judge),
            "AuthZconsent" => authorized(&mut judge),
            other => panic!("no rules for {other}"),
        }
        judge.patient();
        // R4 itself: 1..1.
        judge.rule(event["source"]["observer"].is_object(), "source.observer 1..1");
    }
    judge.broken
}

/// `IHE.BasicAudit.Create` and `.Update`, and their variants with a patient.
fn rest(judge: &mut Judge<'_>, interaction: &str, action: &str) {
    judge.coded("/type", "http://terminology.hl7.org/CodeSystem/audit-event-type", "rest");
    let subtype =
        json!({"system": "http://hl7.org/fhir/restful-interaction", "code": interaction, "display": interaction});
    judge.rule(judge.all("subtype").contains(&&subtype), "subtype, exactly");
    judge.is("/action", &json!(action));
    judge.is("/outcome", &json!("0"));
    judge.agent(DCM, "110153", Some(true));
    judge.agent(DCM, "110152", Some(true));
    let users = judge.all("agent").into_iter().filter(|agent| agent["requestor"] == true).cloned().collect::<Vec<_>>();
    for user in users.iter().filter(|agent| agent["type"]["coding"][0]["system"] == PARTICIPATION) {
        let code = user["type"]["coding"][0]["code"].as_str().unwrap();
        judge.rule(["AUT", "INF", "CST"].contains(&code), "agent user: type from DataSources");
        judge.rule(user["network"].is_null() && user["who"].is_object(), "agent user: who 1..1, network 0..0");
    }
    judge.rule(judge.all("entity").len() >= 2, "entity 2..");
    let data = judge.entities("http://terminology.hl7.org/CodeSystem/audit-entity-type", "2");
    judge.rule(
        data.len() == 1 && data[0]["what"].is_object() && data[0]["role"].is_object(),
        "entity data 1..1, role, what",
    );
}

/// `IHE.BasicAudit.PrivacyDisclosure.Source`.
fn disclosed(judge: &mut Judge<'_>) {
    judge.rule(judge.event["modifierExtension"].is_null(), "modifierExtension 0..0");
    judge.coded("/type", DCM, "110106");
    judge.is("/action", &json!("R"));
    let is = |subtype: &&Value| {
        subtype["system"] == "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
            && subtype["code"] == "disclose"
    };
    judge.rule(judge.all("subtype").iter().any(is), "subtype: at least disclose");
    judge.rule(judge.event["outcome"].is_string(), "outcome 1..1");
    let source = judge.agent(DCM, "110153", Some(true));
    judge.is_source(&source);
    judge.agent(DCM, "110152", Some(true));
    judge.rule(judge.all("entity").len() >= 2, "entity 2..*");
}

/// `IHE.BasicAudit.AuthZconsent`.
fn authorized(judge: &mut Judge<'_>) {
    judge.rule(judge.event["modifierExtension"].is_null(), "modifierExtension 0..0");
    judge.coded("/type", DCM, "110113");
    let known = ["AuthZ-Consent", "AuthZ-Role"];
    let is = |subtype: &&Value| {
        subtype["system"] == "https://profiles.ihe.net/ITI/BALP/CodeSystem/AuthZsubType"
            && known.contains(&subtype["code"].as_str().unwrap())
    };
    judge.rule(!judge.all("subtype").is_empty() && judge.all("subtype").iter().all(is), "subtype from AuthZsubTypeVS");
    judge.is("/action", &json!("E"));
    judge.rule(judge.event["outcome"].is_string(), "outcome 1..1");
    let is_deny = judge.event["outcome"] != "0";
    judge.rule(is_deny == judge.event["outcomeDesc"].is_string(), "outcomeDesc explains a deny");
    judge.agent(DCM, "110150", Some(true));
    let user = judge.agent(PARTICIPATION, "IRCP", Some(false));
    judge.rule(user["requestor"] == true, "agent user: requestor");
    let organization = judge.agent("http://terminology.hl7.org/CodeSystem/v3-RoleClass", "PROV", Some(false));
    judge.rule(organization["requestor"] == false, "agent userorg: not the requestor");
    let server = "http://terminology.hl7.org/CodeSystem/extra-security-role-type";
    let authorizer = judge.agent(server, "authserver", Some(false));
    judge.rule(authorizer["requestor"] == false, "agent authorizer: not the requestor");
    judge.is_source(&authorizer);
    let consents = judge.entities("http://hl7.org/fhir/resource-types", "Consent");
    judge.rule(
        !consents.is_empty() && consents.iter().all(|consent| consent["what"].is_object()),
        "entity consent 1..*",
    );
    let patients = judge.entities("http://terminology.hl7.org/CodeSystem/audit-entity-type", "1");
    judge.rule(consents.len() + patients.len() == judge.all("entity").len(), "entity: closed");
}

/// Everything of which the clinic is told under a profile, by somebody who knows the clinic's EHR and the Patient, or does
/// not any more.
fn told(ehr: Option<&str>, patient: Option<&str>) -> Vec<Value> {
    let clinic = "riverside".parse().unwrap();
    let (source, url) = ("urn:mostik:test", "https://mostik.example/");
    let cast = Cast { source, url, clinic: Some(&clinic), clinic_name: ehr.map(|_| "Riverside"), ehr, patient };
    let operations = [Operation::Create, Operation::Correct, Operation::Retract];
    let events: Vec<Event> = operations
        .map(disclosure)
        .into_iter()
        .chain([decision(true), decision(false), disclosure_without_consent()])
        .collect();
    events.iter().flat_map(|event| audit_events(event, Timestamp::UNIX_EPOCH, None, cast)).collect()
}

#[test]
fn what_claims_a_profile_keeps_it() {
    let ehr = Some("https://ehr.example/fhir/");
    for (ehr, patient) in [(ehr, Some("pat-1")), (ehr, None), (None, None)] {
        for event in told(ehr, patient) {
            assert_eq!(broken(&event), [""; 0], "{event:#}");
        }
    }
    let claims = |event: &&Value| !event["meta"]["profile"].is_null();
    assert_eq!(
        told(ehr, Some("pat-1")).iter().filter(claims).count(),
        10,
        "and everything there is a profile for claims it"
    );
}

#[test]
fn an_event_of_which_something_is_missing_breaks_a_rule() {
    let mut tried = 0;
    for event in told(Some("https://ehr.example/fhir/"), Some("pat-1")) {
        let lists = ["agent", "entity"].map(|list| (list, event[list].as_array().unwrap().len()));
        let agents = lists.into_iter().flat_map(|(list, length)| (0..length).map(move |at| format!("/{list}/{at}")));
        let parts: Vec<String> =
            agents.chain(["/type", "/subtype", "/action", "/outcome", "/source"].map(str::to_owned)).collect();
        for part in parts {
            let mut other = event.clone();
            *other.pointer_mut(&part).unwrap() = Value::Null;
            let is_optional = event.pointer(&part).is_some_and(|part| {
                // The user and the authorizer of a disclosure, and the Consent of one, are there although nobody asks for them.
                let code = &part["type"]["coding"][0]["code"];
                code == "AUT"
                    || code == "429577009"
                    || (part["type"]["code"] == "Consent" && event["action"] == "R")
                    || (part["type"]["code"] == "2" && event["action"] == "R")
            });
            assert!(is_optional || !broken(&other).is_empty(), "{part} of {event:#}");
            tried += 1;
        }
    }
    assert!(tried > 60, "{tried}");
}
