//! Who speaks, where a resource refers to them and does not say their name (R4, references.html: `display` may be absent).

use serde_json::Value;

use super::field::{concept, items, name, reference, text_at};

/// Where a resource says who speaks; an appointment says it among those who take part.
const ELEMENTS: [&str; 3] = ["/requester", "/sender", "/author"];

/// The types of those who have a name that may be told.
const SPEAKERS: [&str; 3] = ["Practitioner", "PractitionerRole", "Organization"];

/// Somebody whose name is not said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unnamed {
    /// Where they stand in the resource, as a JSON pointer.
    pointer: String,
    /// Their type.
    pub kind: String,
    /// Their id.
    pub id: String,
}

/// Who speaks in a resource that says nobody's name; `base` is the EHR's, with a slash at its end.
#[must_use]
pub fn unnamed(resource: &Value, base: &str) -> Option<Unnamed> {
    let participants = (0..items(resource, "/participant").len()).map(|place| format!("/participant/{place}/actor"));
    let pointers = ELEMENTS.iter().map(|element| (*element).to_owned()).chain(participants);
    let speakers = pointers.filter_map(|pointer| {
        let (kind, id) = reference(resource, &format!("{pointer}/reference"), base)?;
        let (kind, id) = (kind.to_owned(), id.to_owned());
        SPEAKERS.contains(&kind.as_str()).then_some(Unnamed { pointer, kind, id })
    });
    let speakers: Vec<Unnamed> = speakers.collect();
    let is_named = speakers.iter().any(|speaker| name(resource, &speaker.pointer).is_some());
    speakers.into_iter().next().filter(|_| !is_named)
}

/// Says in a resource what somebody is called there, as far as they are known by a name: a person by theirs, a role by whoever
/// has it or by what it is.
pub fn say_name(resource: &mut Value, speaker: &Unnamed, known: &Value) {
    let called = match text_at(known, "/resourceType") {
        Some("Practitioner") => items(known, "/name").iter().find_map(of_human),
        Some("PractitionerRole") => {
            let role = items(known, "/code").iter().find_map(|code| concept(code, ""));
            name(known, "/practitioner").or(role).or_else(|| name(known, "/organization"))
        }
        _ => text_at(known, "/name").map(str::to_owned),
    };
    let place = resource.pointer_mut(&speaker.pointer).and_then(Value::as_object_mut);
    if let (Some(place), Some(called)) = (place, called) {
        place.insert("display".to_owned(), Value::from(called));
    }
}

/// A `HumanName` as one text (R4, datatypes.html).
fn of_human(human: &Value) -> Option<String> {
    let parts = |element: &str| items(human, element).iter().filter_map(Value::as_str).map(str::to_owned);
    let family = text_at(human, "/family").map(str::to_owned);
    let whole: Vec<String> = parts("/prefix").chain(parts("/given")).chain(family).collect();
    let put_together = (!whole.is_empty()).then(|| whole.join(" "));
    text_at(human, "/text").map(str::to_owned).or(put_together)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const BASE: &str = "https://ehr.example/fhir/";

    fn called(mut resource: Value, known: &Value) -> Option<String> {
        let speaker = unnamed(&resource, BASE)?;
        say_name(&mut resource, &speaker, known);
        name(&resource, &speaker.pointer)
    }

    #[test]
    fn whoever_speaks_is_called_by_their_name_or_by_what_they_are() {
        let task = json!({"requester": {"reference": "Practitioner/7"}});
        let split = json!({"resourceType": "Practitioner", "name": [{"prefix": ["Dr."], "given": ["Ada"], "family": "Example"}]});
        assert_eq!(called(task.clone(), &split).as_deref(), Some("Dr. Ada Example"));
        let whole = json!({"resourceType": "Practitioner", "name": [{"text": "Ada Example, MD", "family": "Example"}]});
        assert_eq!(called(task, &whole).as_deref(), Some("Ada Example, MD"));
        let role = json!({"resourceType": "PractitionerRole", "code": [{"text": "Crisis nurse"}], "organization": {"display": "Riverside"}});
        let message = json!({"sender": {"reference": "https://ehr.example/fhir/PractitionerRole/r1"}});
        assert_eq!(called(message.clone(), &role).as_deref(), Some("Crisis nurse"));
        let held = json!({"resourceType": "PractitionerRole", "practitioner": {"display": "Ada"}, "code": [{"text": "Nurse"}]});
        assert_eq!(called(message, &held).as_deref(), Some("Ada"));
        let visit = json!({"participant": [{"actor": {"reference": "Patient/p1"}}, {"actor": {"reference": "Practitioner/7"}}]});
        assert_eq!(called(visit, &split).as_deref(), Some("Dr. Ada Example"));
    }

    #[test]
    fn nobody_is_looked_up_who_has_a_name_is_elsewhere_or_is_no_speaker() {
        for resource in [
            json!({"requester": {"reference": "Practitioner/7", "display": "Dr. Ada"}}),
            json!({"requester": {"reference": "https://other.example/fhir/Practitioner/7"}}),
            json!({"requester": {"reference": "Patient/p1"}}),
            json!({"requester": {"display": "Dr. Ada"}}),
            json!({}),
        ] {
            assert_eq!(unnamed(&resource, BASE), None, "{resource}");
        }
        let nameless = json!({"resourceType": "Practitioner"});
        assert_eq!(called(json!({"author": {"reference": "Practitioner/7"}}), &nameless), None);
    }
}
