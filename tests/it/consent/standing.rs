//! Grant → Consent: a snapshot of each shape in which a clinic learns how a consent stands, judged by both validators.

use jiff::{SignedDuration, Timestamp};
use mostik::consent::decide::{Request, decide};
use mostik::consent::notice::Notice;
use mostik::consent::words;
use mostik::domain::category::{Category, Detail};
use mostik::domain::consented::Practitioner;
use mostik::domain::grant::{Addressee, Grant, GrantState, Purpose, Standing, Terms, WayBack};
use mostik::domain::ids::{GrantId, MemberId, PractitionerId};
use mostik::domain::language::Language;
use mostik::mapping::to_fhir::{Paper, Recipient, consent};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::validate::assert_valid;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn grant() -> Grant {
    Grant {
        id: GrantId(Uuid::from_u128(3)),
        version: 1,
        member: MemberId(Uuid::from_u128(1)),
        clinic: "riverside".parse().unwrap(),
        state: GrantState::Active,
        terms: Terms {
            categories: [(Category::Mood, Detail::EveryEntry)].into(),
            purposes: [Purpose::Treatment].into(),
            valid_from: at("2026-11-20T12:00:00Z"),
            valid_until: at("2027-05-22T12:00:00Z"),
            data_from: None,
            recipient: Addressee::Clinic,
            way_back: WayBack::None,
            withheld: [].into(),
        },
        created_at: at("2026-11-20T12:00:00Z"),
        ended_at: None,
    }
}

/// What the clinic receives for a grant.
fn mapped(grant: &Grant, practitioner: Option<&Practitioner>, notice: Option<Notice>, is_first: bool) -> Value {
    mapped_at(at("2026-11-20T12:00:00Z"), grant, practitioner, notice, is_first)
}

/// The same, at another time.
fn mapped_at(
    now: Timestamp,
    grant: &Grant,
    practitioner: Option<&Practitioner>,
    notice: Option<Notice>,
    is_first: bool,
) -> Value {
    let standing = Standing(grant);
    let grants = std::slice::from_ref(grant);
    let permit = decide(grants, Request::to_record(&standing, &grant.clinic, now)).unwrap();
    let recipient = Recipient {
        patient: "pat-1",
        identifier: Uuid::from_u128(4),
        source: "urn:mostik:test",
        recorded: now,
        practitioner,
    };
    let language = notice.map_or(Language::En, |notice| notice.language);
    let named = practitioner.map(|named| named.display.as_str());
    let words: Vec<_> =
        words::terms(&grant.terms, named, language).into_iter().map(|row| (row.name, row.value)).collect();
    let shown = notice.map(|notice| ("Title", notice.text));
    let paper = Paper { recipient, is_first, language, notice: shown, words: &words, now };
    let outbound = consent(&permit, paper).unwrap();
    assert_eq!((&*outbound.resource_type, outbound.identifier), ("Consent", Uuid::from_u128(4).to_string()));
    serde_json::from_slice(&outbound.body).unwrap()
}

async fn check(name: &str, resource: Value) {
    assert_valid(&resource).await;
    insta::assert_json_snapshot!(format!("standing_{name}"), resource, {".sourceAttachment.data" => "[the text]"});
}

#[tokio::test]
async fn one_that_is_in_force() {
    check("active", mapped(&grant(), None, Some(Notice::current(Language::En)), true)).await;
}

#[tokio::test]
async fn one_that_is_no_longer_or_not_now_in_force() {
    for state in [GrantState::Paused, GrantState::Superseded, GrantState::Revoked] {
        let resource = mapped(&Grant { state, ..grant() }, None, None, false);
        assert_eq!(resource["status"], "inactive");
        check(state.as_str(), resource).await;
    }
}

#[tokio::test]
async fn one_whose_time_is_over_from_its_very_end_on() {
    let end = grant().terms.valid_until;
    let last = end - SignedDuration::from_micros(1);
    assert_eq!(mapped_at(last, &grant(), None, None, false)["status"], "active");
    let resource = mapped_at(end, &grant(), None, None, false);
    assert_eq!(
        (&resource["status"], &resource["category"][1]["coding"][0]["code"]),
        (&json!("inactive"), &json!("expired"))
    );
    assert_valid(&resource).await;
}

#[tokio::test]
async fn one_in_russian_at_each_fineness_for_one_practitioner_with_all_that_can_be_decided() {
    let practitioner = Practitioner { id: "dr-7".to_owned(), display: "Ada <Example> & Co".to_owned() };
    let mut grant = grant();
    grant.terms = Terms {
        categories: [
            (Category::Mood, Detail::DailySummary),
            (Category::Note, Detail::EveryEntry),
            (Category::Tags, Detail::WeeklySummary),
        ]
        .into(),
        purposes: [Purpose::Treatment, Purpose::CareManagement].into(),
        data_from: Some(at("2026-10-01T00:00:00Z")),
        recipient: Addressee::Practitioner(PractitionerId(Uuid::from_u128(7))),
        way_back: WayBack::Notice,
        ..grant.terms
    };
    check("practitioner_ru", mapped(&grant, Some(&practitioner), Some(Notice::current(Language::Ru)), true)).await;
}

#[test]
fn every_code_that_can_leave_is_in_the_code_system() {
    let system: Value =
        serde_json::from_str(include_str!("../../../schemas/fhir/CodeSystem-mostik-consent.json")).unwrap();
    let known: Vec<(&str, &str)> = system["concept"]
        .as_array()
        .unwrap()
        .iter()
        .map(|concept| (concept["code"].as_str().unwrap(), concept["display"].as_str().unwrap()))
        .collect();
    for detail in Detail::ALL {
        for way_back in [WayBack::Notice, WayBack::Full] {
            let mut grant = grant();
            grant.terms.categories = Category::ALL.into_iter().map(|category| (category, detail)).collect();
            grant.terms.way_back = way_back;
            let resource = mapped(&grant, None, None, true);
            let permits = resource["provision"]["provision"].as_array().unwrap();
            assert_eq!(permits.len(), Category::ALL.len() + 1);
            for permit in permits {
                let coding = &permit["code"][0]["coding"][0];
                let said = (coding["code"].as_str().unwrap(), coding["display"].as_str().unwrap());
                assert!(known.contains(&said), "{said:?}");
            }
        }
    }
    for state in ["active", "paused", "expired", "superseded", "revoked"] {
        assert!(known.iter().any(|(code, _)| *code == state), "{state}");
    }
}
