//! Going on with a Task of the clinic's, as its owner (R4, task.html, 12.1.3): it is read, changed by a step that its state
//! allows, and written back only if nobody else was faster. Raw JSON is the truth of it: what others wrote stays.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::client::{EhrClient, Ticket};
use super::{Sent, exact};
use crate::consent::decide::Cleared;
use crate::delivery::ehr::update::ROUNDS;
use crate::domain::delivery::{Delivery, Stored};

/// What a Task becomes.
enum Next {
    /// It says all of it already, or is farther.
    Same,
    /// This.
    Changed(Value),
    /// It cannot become what is wanted: a code.
    Never(String),
}

impl EhrClient {
    /// Brings a Task to where `wanted` says: a part of a Task with the `status`, `businessStatus`, `statusReason` and
    /// `output` that it is to have, and the Patient whom it must be `for`.
    pub async fn respond(
        &self,
        _cleared: &Cleared<Delivery>,
        wanted: &[u8],
        stored: &Stored,
        ticket: &Ticket,
        not_after: Timestamp,
    ) -> Sent {
        let Some(Value::Object(wanted)) = exact::read(wanted) else {
            return Sent::Rejected { reason: "content-unreadable".to_owned(), outcome: None };
        };
        for _ in 0..ROUNDS {
            let (current, version) = match self.current(stored, ticket, not_after).await {
                Ok(current) => current,
                Err(sent) => return sent,
            };
            let at = Stored { version, ..stored.clone() };
            let next = match next(&current, &wanted, self.base().as_str()) {
                Next::Same => return Sent::Confirmed(at),
                Next::Never(reason) => return Sent::Rejected { reason, outcome: None },
                Next::Changed(next) => next,
            };
            match self.put(&at, &next, ticket, not_after).await {
                // Somebody was faster: read again, and go on only where that is still possible.
                Sent::Unknown { reason } if reason == "http-412" || reason == "http-409" => {}
                sent => return sent,
            }
        }
        Sent::NotStored { reason: "changed-by-others".to_owned(), retry_after: None }
    }
}

fn next(current: &Value, wanted: &Map<String, Value>, base: &str) -> Next {
    let Some(task) = current.as_object() else { return Next::Never("read-no-resource".to_owned()) };
    if !is_for_the_same(task, wanted, base) {
        return Next::Never("another-patient".to_owned());
    }
    let from = text(task, "status").unwrap_or_default();
    let to = match text(wanted, "status").map(|to| step(from, to)) {
        None | Some(Step::Late) => from,
        Some(Step::To(to)) => to,
        Some(Step::Never) => return Next::Never(format!("task-is-{from}")),
    };
    let mut next = task.clone();
    // What is over says no more than it said.
    if to == from && is_over(from) {
        return Next::Same;
    }
    next.insert("status".to_owned(), Value::from(to));
    for name in ["businessStatus", "statusReason", "output"] {
        match wanted.get(name) {
            Some(value) if name == "output" => add(&mut next, name, value),
            Some(value) => drop(next.insert(name.to_owned(), value.clone())),
            None => {}
        }
    }
    if next == *task {
        return Next::Same;
    }
    if let Some(at) = wanted.get("lastModified") {
        next.insert("lastModified".to_owned(), at.clone());
    }
    Next::Changed(Value::Object(next))
}

/// Where a Task stands after a step that its owner wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step<'a> {
    To(&'a str),
    /// It is farther already.
    Late,
    /// Its state does not allow it.
    Never,
}

/// The steps of whoever a Task was given to. Who gave it cancels it, holds it back, and says when it is ready.
fn step<'a>(from: &'a str, to: &'a str) -> Step<'a> {
    match (from, to) {
        _ if from == to => Step::Late,
        ("requested", "received")
        | ("requested" | "received", "accepted" | "rejected")
        | ("requested" | "received" | "accepted" | "ready" | "in-progress", "completed") => Step::To(to),
        // Who has begun does not refuse any more: it came to nothing.
        ("accepted" | "ready" | "in-progress", "rejected") => Step::To("failed"),
        // That something arrived is no news for what is over.
        ("received" | "accepted" | "ready" | "in-progress", "received" | "accepted")
        | (_, "received")
        | ("failed", "rejected")
        | ("completed", "accepted") => Step::Late,
        _ => Step::Never,
    }
}

fn is_over(status: &str) -> bool {
    matches!(status, "rejected" | "cancelled" | "failed" | "completed" | "entered-in-error")
}

/// Adds what is not there yet.
fn add(task: &mut Map<String, Value>, name: &str, items: &Value) {
    let mut list = task.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    for item in items.as_array().into_iter().flatten() {
        if !list.contains(item) {
            list.push(item.clone());
        }
    }
    task.insert(name.to_owned(), Value::Array(list));
}

/// Whether the Task is for the Patient whom the answer comes from.
fn is_for_the_same(task: &Map<String, Value>, wanted: &Map<String, Value>, base: &str) -> bool {
    fn whose<'a>(of: &'a Map<String, Value>, base: &str) -> Option<&'a str> {
        let reference = of.get("for")?.get("reference")?.as_str()?;
        let relative = reference.strip_prefix(base).unwrap_or(reference);
        relative.split("/_history/").next()
    }
    whose(wanted, base).is_some_and(|patient| whose(task, base) == Some(patient))
}

fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(current: &Value, wanted: &Value) -> Result<Value, String> {
        match next(current, wanted.as_object().unwrap(), "https://ehr.example/fhir/") {
            Next::Same => Ok(current.clone()),
            Next::Changed(next) => Ok(next),
            Next::Never(reason) => Err(reason),
        }
    }

    fn task(status: &str) -> Value {
        json!({"resourceType": "Task", "status": status, "for": {"reference": "Patient/1"}, "note": [{"text": "theirs"}]})
    }

    fn wanted(status: &str) -> Value {
        json!({"status": status, "for": {"reference": "Patient/1"}, "lastModified": "2026-11-20T12:00:00Z"})
    }

    #[test]
    fn an_owner_goes_forward_and_never_back() {
        let becomes = |from: &str, to: &str| answer(&task(from), &wanted(to)).map(|task| task["status"].clone());
        for (from, to, then) in [
            ("requested", "received", "received"),
            ("requested", "accepted", "accepted"),
            ("received", "rejected", "rejected"),
            ("accepted", "completed", "completed"),
            ("in-progress", "completed", "completed"),
            ("accepted", "rejected", "failed"),
            ("in-progress", "accepted", "in-progress"),
            ("completed", "received", "completed"),
            ("cancelled", "received", "cancelled"),
        ] {
            assert_eq!(becomes(from, to), Ok(json!(then)), "{from} to {to}");
        }
        for (from, to) in [("cancelled", "accepted"), ("entered-in-error", "completed"), ("on-hold", "completed")] {
            assert_eq!(becomes(from, to), Err(format!("task-is-{from}")));
        }
    }

    #[test]
    fn what_others_wrote_stays_and_nothing_is_said_twice() {
        let output = json!([{"type": {"text": "Done"}, "valueDateTime": "2026-11-20T12:00:00Z"}]);
        let mut done = wanted("completed");
        done["output"] = output.clone();
        let first = answer(&task("accepted"), &done).unwrap();
        assert_eq!((&first["note"][0]["text"], &first["output"]), (&json!("theirs"), &output));
        assert_eq!(first["lastModified"], "2026-11-20T12:00:00Z");
        assert_eq!(answer(&first, &done).unwrap(), first, "an answer whose fate is unknown can be tried again");
        let seen = json!({"for": {"reference": "Patient/1"}, "businessStatus": {"text": "Read"}, "lastModified": "x"});
        assert_eq!(answer(&task("accepted"), &seen).unwrap()["businessStatus"]["text"], "Read");
        assert_eq!(answer(&task("cancelled"), &seen).unwrap(), task("cancelled"));
    }

    #[test]
    fn a_task_of_another_patient_is_left_alone() {
        let mut other = task("requested");
        other["for"] = json!({"reference": "Patient/2"});
        assert_eq!(answer(&other, &wanted("accepted")), Err("another-patient".to_owned()));
        other["for"] = json!({"reference": "https://ehr.example/fhir/Patient/1/_history/4"});
        assert!(answer(&other, &wanted("accepted")).is_ok());
    }
}
