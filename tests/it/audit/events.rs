//! The audit log as FHIR: a snapshot of each kind of `AuditEvent`, judged by both validators.

use std::collections::BTreeMap;

use jiff::Timestamp;
use mostik::domain::audit::{
    About, ClinicAccess, ClinicRefusal, ConcernAt, ConcernTold, ConsentState, Decision, Disclosure, Event,
    OperatorAccess, Permitted, StaffAt, StaffDone, StaffOffered, StaffPublished, StaffRetracted, Stage, WarningCleared,
    WarningDecided, Whereabouts,
};
use mostik::domain::category::{Category, Detail};
use mostik::domain::concern::Level;
use mostik::domain::delivery::Operation;
use mostik::domain::grant::Purpose;
use mostik::domain::ids::{BookingId, ConcernId, DeliveryId, GrantId, MaterialId};
use mostik::domain::visit_type::VisitTerms;
use mostik::domain::warning::{Decided, WarningPurpose};
use mostik::mapping::to_fhir::{Cast, MOSTIK_AUDIT, audit_events};
use serde_json::Value;
use uuid::Uuid;

use crate::support::validate::assert_valid;

fn told(event: &Event) -> Vec<Value> {
    let clinic = "riverside".parse().unwrap();
    let cast = Cast {
        source: "urn:mostik:test",
        url: "https://mostik.example/",
        clinic: Some(&clinic),
        clinic_name: Some("Riverside clinic"),
        ehr: Some("https://ehr.example/fhir/"),
        patient: Some("pat-1"),
    };
    let there = Whereabouts { id: Some("obs-1".to_owned()), version: Some("2".to_owned()), measured_at: None };
    audit_events(event, Timestamp::UNIX_EPOCH, Some(&there), cast)
}

/// Compares what is told with its snapshots, and lets the validators judge it. None may hold what none has: `null`.
async fn check(name: &str, event: &Event) {
    for (number, event) in told(event).into_iter().enumerate() {
        insta::assert_json_snapshot!(format!("audit_{name}_{number}"), event);
        assert!(!event.to_string().contains("null"));
        assert_valid(&event).await;
    }
}

fn mood() -> About {
    About {
        matter: "fact".to_owned(),
        category: Some(Category::Mood),
        detail: Some(Detail::EveryEntry),
        parts: [].into(),
    }
}

pub fn disclosure(operation: Operation) -> Event {
    Event::Disclosed(Disclosure {
        delivery: DeliveryId(Uuid::from_u128(1)),
        identifier: Uuid::from_u128(2).to_string(),
        operation,
        about: mood(),
        is_part: false,
        resource_type: "Observation".to_owned(),
        grant: Some(GrantId(Uuid::from_u128(3))),
        version: Some(2),
        purpose: None,
        attempts: 1,
    })
}

/// A clinic was told without consent.
pub fn disclosure_without_consent() -> Event {
    let Event::Disclosed(disclosure) = disclosure(Operation::Create) else { unreachable!() };
    let about = About { matter: "warning".to_owned(), category: None, detail: None, parts: [].into() };
    let purpose = Some(WarningPurpose::EmergencyTreatment);
    let resource_type = "Communication".to_owned();
    Event::Disclosed(Disclosure { about, purpose, resource_type, grant: None, version: None, ..disclosure })
}

pub fn decision(permits: bool) -> Event {
    let permitted =
        Permitted { grant: GrantId(Uuid::from_u128(3)), version: 2, about: mood(), items: vec!["x".to_owned()] };
    let denied = BTreeMap::from([("category-not-shared".to_owned(), 3)]);
    Event::Decision(Decision {
        stage: Stage::Send,
        purpose: Purpose::Treatment,
        permitted: if permits { vec![permitted] } else { Vec::new() },
        denied: if permits { BTreeMap::new() } else { denied },
    })
}

fn consent() -> ConsentState {
    ConsentState {
        grant: GrantId(Uuid::from_u128(3)),
        version: 2,
        categories: BTreeMap::from([(Category::Mood, Detail::EveryEntry)]),
        purposes: vec![Purpose::Treatment],
        valid_from: Timestamp::UNIX_EPOCH,
        valid_until: Timestamp::UNIX_EPOCH,
        terms_sha256: String::new(),
        withdrawn: Some(1),
    }
}

#[tokio::test]
async fn a_resource_that_arrived() {
    check("create", &disclosure(Operation::Create)).await;
}

#[tokio::test]
async fn a_correction_that_arrived() {
    check("update", &disclosure(Operation::Correct)).await;
}

#[tokio::test]
async fn what_may_go() {
    check("permit", &decision(true)).await;
}

#[tokio::test]
async fn what_may_not_go() {
    check("deny", &decision(false)).await;
}

#[tokio::test]
async fn consent_given_and_taken_back() {
    check("granted", &Event::ConsentGranted(consent())).await;
    check("revoked", &Event::ConsentRevoked(consent())).await;
}

#[tokio::test]
async fn what_the_clinic_read() {
    let access = |interaction: &str, resource_type: &str| {
        Event::ClinicAccess(ClinicAccess {
            interaction: interaction.to_owned(),
            resource_type: resource_type.to_owned(),
            client: "riverside-backend".to_owned(),
            request: Some("r-1".to_owned()),
        })
    };
    check("clinic_search", &access("search-type", "Consent")).await;
    check("clinic_read", &access("read", "Consent")).await;
}

#[tokio::test]
async fn whom_the_clinics_rooms_sent_away() {
    let refusal = |client: Option<&str>, unwritten| {
        Event::ClinicRefused(ClinicRefusal {
            route: "/fhir/AuditEvent".to_owned(),
            why: "scope".to_owned(),
            client: client.map(str::to_owned),
            is_proven: client.is_some(),
            unwritten,
            request: client.map(|_| "r-1".to_owned()),
        })
    };
    check("clinic_refused", &refusal(Some("riverside-backend"), 0)).await;
    check("clinic_refused_stranger", &refusal(None, 30)).await;
}

#[tokio::test]
async fn what_an_operator_did() {
    let access =
        OperatorAccess { command: "queue --answer".to_owned(), uid: 0, delivery: None, clinic: None, count: None };
    check("operator", &Event::OperatorAccess(access)).await;
}

#[tokio::test]
async fn what_a_clinics_staff_did() {
    let staff = Uuid::from_u128(5);
    check("staff_signed_in", &Event::StaffSignedIn(StaffAt { staff })).await;
    let done = StaffDone { staff, booking: BookingId(Uuid::from_u128(6)), what: "give".to_owned() };
    check("staff_decided", &Event::StaffDecided(done)).await;
    let terms = VisitTerms { is_offered: false, notice_hours: 48, ahead_days: 14, hold_minutes: 10 };
    let offered = StaffOffered { staff, visit: "first-talk".parse().unwrap(), terms: Some(terms) };
    check("staff_offered", &Event::StaffOffered(offered)).await;
    let material = MaterialId(Uuid::from_u128(7));
    let published = StaffPublished { staff, material, version: 2, sha256: "00".repeat(32) };
    check("material_published", &Event::MaterialPublished(published)).await;
    check("material_retracted", &Event::MaterialRetracted(StaffRetracted { staff, material })).await;
}

#[tokio::test]
async fn what_became_of_a_concern() {
    let (concern, community) = (ConcernId(Uuid::from_u128(4)), "forum".parse().unwrap());
    let told = ConcernTold { concern, community, level: Level::Second, before: 1 };
    check("concern_told", &Event::ConcernTold(told)).await;
    let at = ConcernAt { concern, community: "forum".parse().unwrap() };
    check("concern_raised", &Event::ConcernRaised(at)).await;
}

#[tokio::test]
async fn a_clinic_that_was_told_without_consent() {
    check("warning", &disclosure_without_consent()).await;
    let (identifier, purpose) = (Uuid::from_u128(2).to_string(), WarningPurpose::Threat);
    let cleared =
        WarningCleared { identifier: identifier.clone(), decided: Decided { at: Timestamp::UNIX_EPOCH, purpose } };
    check("warning_cleared", &Event::WarningCleared(cleared)).await;
    let (concern, community) = (ConcernId(Uuid::from_u128(4)), "forum".parse().unwrap());
    let decided = WarningDecided { concern, community, identifier, purpose };
    check("warning_decided", &Event::WarningDecided(decided)).await;
}

#[tokio::test]
async fn what_concerns_the_house() {
    check("house", &Event::LogBegun).await;
}

#[test]
fn the_code_system_has_every_word() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/fhir/CodeSystem-mostik-audit.json");
    let concepts: Vec<Value> = Event::KINDS.iter().map(|kind| serde_json::json!({"code": kind})).collect();
    let generated = serde_json::json!({
        "resourceType": "CodeSystem", "id": "mostik-audit", "url": MOSTIK_AUDIT, "version": "0.1.0", "name": "MostikAudit",
        "title": "Words of mostik's audit log", "status": "active", "experimental": false, "date": "2026-11-26",
        "description": "The words of mostik's audit log: src/domain/audit/event.rs says what each means.",
        "content": "complete", "caseSensitive": true, "concept": concepts,
    });
    let text = serde_json::to_string_pretty(&generated).unwrap() + "\n";
    if std::env::var_os("UPDATE_DOCUMENTS").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(kept == text, "CodeSystem-mostik-audit.json is old: UPDATE_DOCUMENTS=1 cargo test --test it audit_events");
}
