//! The profile of ours that each resource which leaves must keep: the one whose code it has, as `schemas/fhir` says. No
//! resource claims it where it goes (`schemas/fhir/README.md` says why), so tests claim it for them.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::{Value, json};

/// Where the addresses of our profiles begin.
pub const PROFILES: &str = "https://w3id.org/mostik/fhir/StructureDefinition/";

/// What leaves the bridge: whatever is of these types has a profile of ours.
const EMITTED: [&str; 9] = [
    "Appointment",
    "AuditEvent",
    "Communication",
    "Consent",
    "DiagnosticReport",
    "DocumentReference",
    "Observation",
    "Provenance",
    "QuestionnaireResponse",
];

static PACKAGE: LazyLock<Vec<(PathBuf, Value)>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/fhir");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|it| it == "json")).collect();
    files.sort();
    let read = |path: PathBuf| {
        let value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        (path, value)
    };
    files.into_iter().map(read).collect()
});

/// Every resource of the package, and the file that it stands in.
pub fn package() -> impl Iterator<Item = (&'static Path, &'static Value)> {
    PACKAGE.iter().map(|(path, value)| (path.as_path(), value)).filter(|(_, value)| value["resourceType"].is_string())
}

fn definitions() -> impl Iterator<Item = &'static Value> {
    package().map(|(_, value)| value).filter(|value| value["resourceType"] == "StructureDefinition")
}

/// The resource with a claim that it keeps its profile; what is contained, and what a Bundle holds, with claims of its own.
pub fn claiming(resource: &Value) -> Value {
    let mut claiming = resource.clone();
    if let Some(profile) = profile_of(resource) {
        let mut claimed = resource["meta"]["profile"].as_array().cloned().unwrap_or_default();
        claimed.push(json!(format!("{PROFILES}{profile}")));
        claiming["meta"]["profile"] = Value::from(claimed);
    }
    for part in claiming.get_mut("contained").and_then(Value::as_array_mut).into_iter().flatten() {
        *part = self::claiming(part);
    }
    if resource["resourceType"] == "Bundle" {
        for entry in claiming.get_mut("entry").and_then(Value::as_array_mut).into_iter().flatten() {
            entry["resource"] = self::claiming(&entry["resource"]);
        }
    }
    claiming
}

/// The code of a week in a community.
const WEEK: &str = "community-activity-summary";

/// The name of the profile that a resource must keep; `None` for what is not ours to describe. There is none for
/// something that leaves only if somebody forgot to write it.
pub fn profile_of(resource: &Value) -> Option<&'static str> {
    let kind = resource["resourceType"].as_str().filter(|kind| EMITTED.contains(kind))?;
    let of_type: Vec<&Value> = definitions().filter(|it| it["type"] == kind).collect();
    let code = &resource["code"]["coding"][0];
    if code["system"].as_str().is_some_and(|system| system.ends_with("/mostik-activity")) && code["code"] != WEEK {
        // What somebody did once stands in their own archive only; clinics are told of weeks.
        return None;
    }
    if kind == "Communication" && resource.pointer("/category/0/coding/0/code").is_none() {
        // What a member answers is a message, and a message is what R4 says it is.
        return None;
    }
    let found = match kind {
        "Observation" => of_type.into_iter().find(|it| is_of_code(it, &resource["code"]["coding"][0])),
        // A note is a page or not; both are patients' notes.
        "DocumentReference" => {
            let id = if resource.pointer("/content/0/attachment/language").is_some() { "page" } else { "note" };
            of_type.into_iter().find(|it| it["id"] == format!("mostik-{id}"))
        }
        // A group session names no patient; a visit is one's.
        "Appointment" => {
            let participants = resource["participant"].as_array().into_iter().flatten();
            let mut actors = participants.filter_map(|one| one["actor"]["reference"].as_str());
            let id = if actors.any(|actor| actor.starts_with("Patient/")) { "appointment" } else { "group-session" };
            of_type.into_iter().find(|it| it["id"] == format!("mostik-{id}"))
        }
        _ => of_type.into_iter().next(),
    };
    let found = found.unwrap_or_else(|| panic!("no profile in schemas/fhir is for {resource:#}"));
    found["id"].as_str()
}

/// Whether a profile is about this code: it names it, or a set of codes that has it.
fn is_of_code(definition: &Value, coding: &Value) -> bool {
    let elements = definition["differential"]["element"].as_array().unwrap();
    let of = |id: &str| elements.iter().find(|element| element["id"] == id).unwrap_or(&Value::Null);
    let (system, code) = (&of("Observation.code.coding.system"), &of("Observation.code.coding.code"));
    let set = &of("Observation.code")["binding"]["valueSet"];
    let fixed = coding["system"] == system["fixedUri"] && coding["code"] == code["fixedCode"];
    fixed || codes(set).contains(&(coding["system"].to_string(), coding["code"].to_string()))
}

/// The systems and codes of a set of ours, as JSON strings.
pub fn codes(set: &Value) -> Vec<(String, String)> {
    let Some((_, set)) = package().find(|(_, it)| set.is_string() && it["url"] == *set) else { return Vec::new() };
    let of = |include: &Value| {
        let system = include["system"].to_string();
        let concepts = include["concept"].as_array().cloned().unwrap_or_default();
        concepts.into_iter().map(move |concept| (system.clone(), concept["code"].to_string()))
    };
    set["compose"]["include"].as_array().into_iter().flatten().flat_map(of).collect()
}
