//! Each profile of ours refuses what R4 and US Core let pass: one that refuses nothing says nothing.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use mostik::domain::audit::Event;
use mostik::domain::booking::Wish;
use mostik::domain::group::GroupState;
use mostik::domain::language::Language;
use mostik::domain::reading::Measure;
use mostik::domain::warning::WarningPurpose;
use mostik::mapping::to_fhir::{Cast, audit_events, document, own_copies};
use serde_json::{Value, json};

use crate::mapping::everything::told;
use crate::mapping::moods::{mapped, reading};
use crate::mapping::visits;
use crate::mapping::warnings::mapped as warned;
use crate::support::ehr::Ehr;
use crate::support::profiles::{claiming, package, profile_of};
use crate::support::validate::{assert_valid, verdicts};

/// What is wrong with a resource that a profile must refuse: a place, and what stands there; null takes it away.
fn wrong() -> Vec<(&'static str, &'static str, Value)> {
    let another = json!([{"code": {"text": "another"}, "valueString": "thing"}]);
    let member = json!([{"identifier": {"system": "http://nobody.example", "value": "1"}}]);
    vec![
        ("mostik-agenda", "/component", another.clone()),
        ("mostik-appointment", "/status", json!("fulfilled")),
        ("mostik-appointment", "/meta/source", Value::Null),
        ("mostik-appointment", "/participant/0/actor/reference", json!("Practitioner/1")),
        ("mostik-audit-event", "/action", Value::Null),
        ("mostik-community-activity", "/component/0", Value::Null),
        ("mostik-consent", "/provision/type", json!("permit")),
        ("mostik-diary-note", "/component", another),
        ("mostik-diary-note", "/meta/source", Value::Null),
        ("mostik-diary-note", "/meta/security/0/code", json!("N")),
        ("mostik-diary-note", "/identifier/0/system", json!("http://nobody.example")),
        ("mostik-diary-tags", "/component/0/code/coding/0/system", json!("http://nobody.example")),
        ("mostik-group-session", "/extension", Value::Null),
        ("mostik-group-session", "/participant/0/actor/reference", json!("Patient/1")),
        ("mostik-group-session", "/meta", Value::Null),
        ("mostik-measurement", "/valueQuantity/system", json!("http://nobody.example")),
        ("mostik-mood-rating", "/component/0", Value::Null),
        ("mostik-note", "/content/0/attachment/contentType", json!("text/html")),
        ("mostik-page", "/content/1/attachment/contentType", json!("image/png")),
        ("mostik-provenance", "/contained/0/policy", Value::Null),
        ("mostik-questionnaire-response", "/questionnaire", json!("https://w3id.org/mostik/fhir/Questionnaire/phq-9")),
        ("mostik-questionnaire-response", "/item/0/answer", Value::Null),
        ("mostik-report", "/conclusion", json!("a depression")),
        ("mostik-screening-answer", "/hasMember", member.clone()),
        ("mostik-screening-panel", "/hasMember", member),
        ("mostik-screening-total", "/note", Value::Null),
        ("mostik-screening-total", "/valueQuantity/code", json!("1")),
        ("mostik-state-of-mind", "/component/1", Value::Null),
        ("mostik-warning", "/priority", json!("routine")),
        ("mostik-warning", "/meta/security/3", Value::Null),
        ("mostik-warning", "/category/0/coding/0/system", json!("http://nobody.example")),
        ("mostik-summary", "/component/2", Value::Null),
        ("mostik-summary", "/effectivePeriod/end", Value::Null),
    ]
}

/// A resource of each kind.
async fn each_kind() -> BTreeMap<&'static str, Value> {
    let ehr = Ehr::sandbox().await;
    let (_, _, entries) = told(&ehr, "every-entry", "ru").await;
    let (_, _, summaries) = told(&ehr, "weekly-summary", "en").await;
    let agenda = own_copies(&reading(Measure::Agenda("the tablets".to_owned())), "urn:mostik:test").unwrap();
    let agenda = serde_json::from_slice(&agenda[0].1).unwrap();
    let note: Value =
        serde_json::from_str(&mapped(Measure::Note("a day".to_owned()), "2026-11-02T21:30:00+01:00")).unwrap();
    let cast = Cast {
        source: "urn:mostik:test",
        url: "https://mostik.example",
        clinic: None,
        clinic_name: None,
        ehr: None,
        patient: None,
    };
    let event = audit_events(&Event::LogBegun, Timestamp::UNIX_EPOCH, None, cast).remove(0);
    let provenance = note["contained"][0].clone();
    assert_eq!(profile_of(&provenance), Some("mostik-provenance"));
    let note_of_it = document(&note).unwrap();
    let (visit, session) = (visits::told(Wish::Hold, None), visits::session(GroupState::Planned));
    let all = entries.into_iter().chain(summaries).chain([agenda, note_of_it, event, visit, session]);
    let mut kinds: BTreeMap<&'static str, Value> = all.map(|it| (profile_of(&it).unwrap(), it)).collect();
    kinds.insert("mostik-provenance", note);
    kinds.insert("mostik-warning", warned(Language::En, WarningPurpose::EmergencyTreatment));
    kinds
}

/// Puts something in its place, or takes away what stands there.
fn put(resource: &mut Value, place: &str, wrong: Value) {
    let (parent, last) = place.rsplit_once('/').unwrap();
    match resource.pointer_mut(parent).unwrap() {
        Value::Object(fields) if wrong.is_null() => drop(fields.remove(last).unwrap()),
        Value::Object(fields) => drop(fields.insert(last.to_owned(), wrong)),
        Value::Array(items) if wrong.is_null() => drop(items.remove(last.parse().unwrap())),
        other => panic!("{place} in {other}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_profile_refuses_what_r4_and_us_core_let_pass() {
    let kinds = each_kind().await;
    let profiles = package().map(|(_, it)| it).filter(|it| it["resourceType"] == "StructureDefinition");
    let profiles = profiles.filter(|it| it["type"] != "Extension");
    let profiles: BTreeSet<&str> = profiles.map(|it| it["id"].as_str().unwrap()).collect();
    assert_eq!(kinds.keys().copied().collect::<BTreeSet<_>>(), profiles, "something leaves as each of them");
    assert_eq!(wrong().iter().map(|(profile, ..)| *profile).collect::<BTreeSet<_>>(), profiles, "none is left out");
    for (profile, place, wrong) in wrong() {
        let mut resource = kinds[profile].clone();
        assert_valid(&resource).await;
        put(&mut resource, place, wrong);
        for (validator, verdict) in verdicts(&resource).await {
            assert_eq!(verdict["valid"], true, "{validator}: R4 says the same of {place}: {:#}", verdict["issues"]);
        }
        for (validator, verdict) in verdicts(&claiming(&resource)).await {
            assert_eq!(verdict["valid"], false, "{validator}: {profile} lets {place} pass");
        }
    }
}
