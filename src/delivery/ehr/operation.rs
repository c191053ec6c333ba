//! What is asked by the operations `$find`, `$hold` and `$book`, and what their answers mean. Pure.
//!
//! As in IHE ITI Scheduling 1.0 (2:3.115 to 2:3.117), where each is on the type, and in Argonaut Scheduling 1.0.0
//! (`OperationDefinition` appointment-hold and appointment-book; "Cancel", "Release hold"), where the latter two are on the
//! Appointment. What was held may stand there under another id than what was offered.
//!
//! `$hold` says by neither for whom it is. By IHE's, the bridge says in the reference to what was offered how it calls it
//! (R4, references.html, `Reference.identifier`): an EHR that keeps this is found again when an answer was lost. One that
//! does not refuses the second `$hold`; then the time counts as taken, and is free again when its hold ends by the EHR's own
//! clock. Nothing is ever booked of which nobody knows whose it is.

use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

use super::book::{SLOT_TAKEN, VISIT_OVER};
use super::capability::Dialect;
use super::slot::{Appointment, Standing, Wanted, marks, text};
use super::{Sent, answer};
use crate::delivery::egress::Answer;
use crate::domain::delivery::Stored;

/// Which times are looked for.
#[derive(Clone, Copy, Debug)]
pub struct Sought<'a> {
    /// From when on.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// For what kind of visit: `system|code`.
    pub visit_type: Option<&'a str>,
}

/// What is to be done with a visit.
pub(super) enum Next {
    /// It stands as it should.
    Done(Stored),
    /// It cannot be: a code.
    Never(&'static str),
    /// There is nothing to give back.
    Absent,
    /// This is to be asked.
    Ask(Box<Ask>),
}

/// A request that changes how a visit stands.
pub(super) struct Ask {
    pub method: Method,
    /// Below the EHR's base.
    pub path: String,
    /// `Parameters`, or a JSON Patch.
    pub body: Value,
    /// What is patched, where something is.
    pub patched: Option<Stored>,
}

impl Ask {
    fn operation(path: String, parameters: &[Value]) -> Next {
        let body = json!({"resourceType": "Parameters", "parameter": parameters});
        Next::Ask(Box::new(Self { method: Method::POST, path, body, patched: None }))
    }
}

/// What is asked to find times (ITI-115; Argonaut, `$find`).
pub(super) fn find(sought: &Sought<'_>) -> Value {
    let stamp = |at: Timestamp| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let period = [("start", sought.from), ("end", sought.until)];
    let period = period.map(|(name, at)| json!({"name": name, "valueDateTime": stamp(at)}));
    let kind = sought.visit_type.map(|token| json!({"name": "visit-type", "valueString": token}));
    json!({"resourceType": "Parameters", "parameter": period.into_iter().chain(kind).collect::<Vec<_>>()})
}

/// What is to be done, from how a visit stands to how it should. `offer`: the id as which it was offered; `system`: that of
/// the bridge's identifiers.
pub(super) fn next(wanted: &Wanted, offer: &str, visit: Option<Appointment>, system: &str, dialect: Dialect) -> Next {
    let visit = visit.filter(|visit| is_ours(wanted, visit, system));
    let status = visit.as_ref().map_or("", Appointment::status).to_owned();
    match (wanted.standing, status.as_str(), visit) {
        (Standing::Held, "pending" | "booked" | "arrived" | "checked-in" | "fulfilled", Some(visit))
        | (Standing::Booked, "booked" | "arrived" | "checked-in" | "fulfilled", Some(visit))
        | (Standing::Cancelled, "cancelled" | "noshow" | "entered-in-error", Some(visit))
        | (Standing::Arrived, "arrived" | "checked-in" | "fulfilled", Some(visit))
        | (Standing::Fulfilled, "fulfilled", Some(visit))
        | (Standing::Missed, "noshow", Some(visit)) => Next::Done(visit.at),
        (Standing::Held | Standing::Booked, "cancelled" | "noshow" | "entered-in-error", _)
        | (Standing::Cancelled, "arrived" | "checked-in" | "fulfilled", _) => Next::Never(VISIT_OVER),
        // Nobody keeps it: what was kept has ended.
        (Standing::Cancelled, "proposed", _) | (Standing::Cancelled, _, None) => Next::Absent,
        (Standing::Cancelled, _, Some(visit)) => cancel(wanted, visit, dialect),
        (Standing::Held, ..) => hold(wanted, offer, system, dialect),
        (Standing::Booked, _, visit) => book(wanted, visit.as_ref().map_or(offer, |visit| &visit.at.id), dialect),
        (Standing::Arrived, "booked", Some(visit)) => patch(visit, "arrived"),
        (Standing::Fulfilled, "booked" | "arrived" | "checked-in" | "noshow", Some(visit)) => patch(visit, "fulfilled"),
        (Standing::Missed, "booked" | "arrived" | "checked-in" | "fulfilled", Some(visit)) => patch(visit, "noshow"),
        (Standing::Proposed | Standing::Arrived | Standing::Fulfilled | Standing::Missed, ..) => {
            Next::Never(VISIT_OVER)
        }
    }
}

/// Whether a visit that was found is this one: it carries the bridge's identifier, or none of the bridge's and no other
/// patient.
fn is_ours(wanted: &Wanted, visit: &Appointment, system: &str) -> bool {
    let mut marks = marks(&visit.resource, system).peekable();
    if marks.peek().is_some() {
        return marks.any(|mark| mark == wanted.identifier);
    }
    let patients = patients(&visit.resource);
    patients.is_empty() || patients.iter().any(|patient| self::patients(&wanted.resource).contains(patient))
}

/// The ids of the patients of an Appointment.
fn patients(appointment: &Value) -> Vec<&str> {
    let participants = appointment.get("participant").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let actors = participants.iter().filter_map(|participant| text(participant, "/actor/reference"));
    actors.filter_map(patient).collect()
}

/// The id of the Patient that a reference is about, wherever it is said to stand.
fn patient(reference: &str) -> Option<&str> {
    let (base, id) = reference.rsplit_once("Patient/")?;
    let is_patient = base.is_empty() || base.ends_with('/');
    is_patient.then(|| id.split('/').next()).flatten()
}

/// ITI-116, 2:3.116.4.1.2; Argonaut, appointment-hold, example 1.
fn hold(wanted: &Wanted, offer: &str, system: &str, dialect: Dialect) -> Next {
    let place = format!("Appointment/{offer}");
    match dialect {
        Dialect::Ihe => {
            let called = json!({"system": system, "value": wanted.identifier});
            let reference = json!({"reference": place, "identifier": called});
            let parameter = json!({"name": "appointment-reference", "valueReference": reference});
            Ask::operation("Appointment/$hold".to_owned(), &[parameter])
        }
        Dialect::Argonaut => Ask::operation(format!("{place}/$hold"), &[json!({"name": "appt-id", "valueUri": place})]),
    }
}

/// ITI-117, `OperationDefinition` appointment-book, "Book a New Appointment": as a whole, `pending`; Argonaut,
/// appointment-book, example 1.
fn book(wanted: &Wanted, id: &str, dialect: Dialect) -> Next {
    let place = format!("Appointment/{id}");
    match dialect {
        Dialect::Ihe => {
            let mut resource = wanted.resource.clone();
            if let Some(members) = resource.as_object_mut() {
                members.insert("id".to_owned(), json!(id));
                members.insert("status".to_owned(), json!("pending"));
            }
            Ask::operation(
                "Appointment/$book".to_owned(),
                &[json!({"name": "appointment-resource", "resource": resource})],
            )
        }
        Dialect::Argonaut => {
            let patients = patients(&wanted.resource).into_iter();
            let patients = patients.map(|id| json!({"name": "patient-id", "valueUri": format!("Patient/{id}")}));
            let comment = text(&wanted.resource, "/reasonCode/0/text");
            let comment = comment.map(|comment| json!({"name": "comment", "valueString": comment}));
            let named = json!({"name": "appt-id", "valueUri": place});
            let parameters: Vec<Value> = std::iter::once(named).chain(patients).chain(comment).collect();
            Ask::operation(format!("{place}/$book"), &parameters)
        }
    }
}

/// ITI-117, "Cancel an Existing Appointment"; Argonaut, "Cancel" and "Release hold": by a JSON Patch.
fn cancel(wanted: &Wanted, visit: Appointment, dialect: Dialect) -> Next {
    match dialect {
        Dialect::Ihe => {
            let (_, resource) = visit.brought_to(wanted);
            Ask::operation(
                "Appointment/$book".to_owned(),
                &[json!({"name": "appointment-resource", "resource": resource})],
            )
        }
        Dialect::Argonaut => patch(visit, "cancelled"),
    }
}

/// Argonaut, "Cancel". No operation says that a patient came, or that a visit was: that is changed like any resource.
fn patch(visit: Appointment, status: &str) -> Next {
    Next::Ask(Box::new(Ask {
        method: Method::PATCH,
        path: format!("Appointment/{}", visit.at.id),
        body: json!([{"op": "replace", "path": "/status", "value": status}]),
        patched: Some(visit.at),
    }))
}

/// What the answer to `$hold` or `$book` means; nothing where its status says all. Success and failure both come as a
/// Bundle (ITI-116, 2:3.116.4.2.2; ITI-117, 2:3.117.4.2.2): it counts what stands in it.
pub(super) fn answered(wanted: Standing, answer: &Answer) -> Option<Sent> {
    let status = answer.status.as_u16();
    let body: Value = serde_json::from_slice(&answer.body).ok()?;
    let entries = body.get("entry").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let resources = entries.iter().filter_map(|entry| entry.get("resource"));
    let resources: Vec<&Value> = std::iter::once(&body).chain(resources).collect();
    let of_type = |name: &str| resources.iter().find(|resource| text(resource, "/resourceType") == Some(name));
    let visit = of_type("Appointment").filter(|_| matches!(status, 200 | 201));
    match (visit, of_type("OperationOutcome"), status) {
        (Some(visit), _, _) => Some(visit_says(wanted, visit)),
        (None, Some(outcome), 200 | 201 | 400 | 404 | 409..=410 | 412 | 422) => outcome_says(wanted, outcome, status),
        _ => None,
    }
}

/// Whether the EHR says in a Bundle of times that it could not look for them: it has found none then, and nobody knows
/// whether there are any.
pub(super) fn is_refusal(body: &[u8]) -> bool {
    let bundle: Value = serde_json::from_slice(body).unwrap_or_default();
    let entries = bundle.get("entry").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let of_type = |name: &'static str| {
        let resources = entries.iter().filter_map(|entry| entry.get("resource"));
        resources.filter(move |resource| text(resource, "/resourceType") == Some(name))
    };
    let issues = of_type("OperationOutcome").filter_map(|outcome| outcome.get("issue")?.as_array());
    let is_error = |issue: &Value| matches!(text(issue, "/severity"), Some("fatal" | "error"));
    of_type("Appointment").next().is_none() && issues.flatten().any(is_error)
}

fn visit_says(wanted: Standing, visit: &Value) -> Sent {
    let unknown = |reason: &str| Sent::Unknown { reason: reason.to_owned() };
    let stored = answer::stored_in("Appointment", visit).ok_or_else(|| unknown("operation-no-id"));
    match (wanted, text(visit, "/status").unwrap_or_default()) {
        (Standing::Held, "pending") | (Standing::Booked, "booked") | (Standing::Cancelled, "cancelled") => {
            stored.map_or_else(|unknown| unknown, Sent::Confirmed)
        }
        // So Argonaut says no.
        (Standing::Held | Standing::Booked, "cancelled") => Sent::Declined { reason: SLOT_TAKEN },
        _ => unknown("operation-other-status"),
    }
}

fn outcome_says(wanted: Standing, outcome: &Value, status: u16) -> Option<Sent> {
    let issues = outcome.get("issue").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let is_error = |issue: &&Value| matches!(text(issue, "/severity"), Some("fatal" | "error"));
    let is_well = matches!(status, 200 | 201);
    // Codes of R4, `CodeSystem` issue-type.
    match issues.iter().find(is_error).map(|issue| text(issue, "/code").unwrap_or_default()) {
        None => is_well.then(|| Sent::Unknown { reason: "operation-no-appointment".to_owned() }),
        Some("not-found" | "deleted" | "conflict" | "duplicate" | "multiple-matches") => {
            Some(match wanted {
                // How it stands by now is seen by whoever looks again.
                Standing::Cancelled => Sent::NotStored { reason: "operation-not-found".to_owned(), retry_after: None },
                _ => Sent::Declined { reason: SLOT_TAKEN },
            })
        }
        Some("transient" | "lock-error" | "throttled") => {
            Some(Sent::NotStored { reason: "operation-transient".to_owned(), retry_after: None })
        }
        Some("exception" | "timeout" | "incomplete" | "no-store") => {
            Some(Sent::Unknown { reason: "operation-exception".to_owned() })
        }
        // There is no such operation: for the operator to mend.
        Some("not-supported") if !is_well => None,
        Some(code) => {
            let is_code =
                !code.is_empty() && code.len() <= 32 && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
            let reason = if is_code { format!("operation-{code}") } else { "operation-refused".to_owned() };
            Some(Sent::Rejected { reason, outcome: serde_json::to_vec(outcome).ok() })
        }
    }
}

#[cfg(test)]
#[path = "operation_tests.rs"]
mod tests;
