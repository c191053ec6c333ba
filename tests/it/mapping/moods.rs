//! Reading → FHIR: a snapshot of each resource that leaves, judged by both validators.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use mostik::consent::decide::{Request, decide};
use mostik::domain::category::{Category, Detail};
use mostik::domain::grant::{Addressee, Grant, GrantState, Purpose, Terms, WayBack};
use mostik::domain::ids::{GrantId, MemberId, ReadingId};
use mostik::domain::moment::Moment;
use mostik::domain::reading::{Measure, Mood, Rating, Reading, StateOfMind, StateOfMindKind, ValenceClassification};
use mostik::mapping::to_fhir::{Recipient, document, parts_to_fhir, to_fhir};
use proptest::prelude::*;
use serde_json::Value;
use uuid::Uuid;

use crate::support::validate::assert_valid;

/// What the clinic receives for a measure, as text: the whole, where it has parts.
pub fn mapped(measure: Measure, when: &str) -> String {
    mapped_with_parts(measure, when).pop().unwrap()
}

/// A reading of somebody.
pub fn reading(measure: Measure) -> Reading {
    let moment = Moment::parse_rfc3339("2026-11-02T21:30:00+01:00").unwrap();
    let (id, member) = (ReadingId(Uuid::from_u128(2)), MemberId(Uuid::from_u128(1)));
    Reading { id, member, moment, measure, labels: BTreeSet::new(), source: None }
}

/// Everything that the clinic receives for a measure, in the order in which it goes.
pub fn mapped_with_parts(measure: Measure, when: &str) -> Vec<String> {
    let reading = Reading { moment: Moment::parse_rfc3339(when).unwrap(), ..reading(measure) };
    let member = reading.member;
    let clinic = "riverside".parse().unwrap();
    let grant = Grant {
        id: GrantId(Uuid::from_u128(3)),
        version: 1,
        member,
        clinic,
        state: GrantState::Active,
        terms: Terms {
            categories: Category::ALL
                .into_iter()
                .map(|category| (category, Detail::EveryEntry))
                .collect::<BTreeMap<_, _>>(),
            purposes: BTreeSet::from([Purpose::Treatment]),
            valid_from: Timestamp::MIN,
            valid_until: Timestamp::MAX,
            data_from: None,
            recipient: Addressee::Clinic,
            way_back: WayBack::None,
            withheld: BTreeSet::new(),
        },
        created_at: Timestamp::UNIX_EPOCH,
        ended_at: None,
    };
    let clinic = grant.clinic.clone();
    let grants = [grant];
    let permit = decide(&grants, Request::to_record(&reading, &clinic, Timestamp::UNIX_EPOCH)).unwrap();
    let recipient = Recipient {
        patient: "pat-1",
        identifier: Uuid::from_u128(4),
        source: "urn:mostik:test",
        recorded: Timestamp::UNIX_EPOCH,
        practitioner: None,
    };
    let whole = to_fhir(&permit, recipient).unwrap();
    assert_eq!((whole.is_part, &whole.identifier), (false, &Uuid::from_u128(4).to_string()));
    let parts = parts_to_fhir(&permit, recipient).unwrap();
    assert!(parts.iter().all(|part| part.is_part));
    parts.into_iter().chain([whole]).map(|outbound| String::from_utf8(outbound.body).unwrap()).collect()
}

fn rating(value: &str, worst: &str, best: &str) -> Rating {
    Rating { value: value.parse().unwrap(), worst: worst.parse().unwrap(), best: best.parse().unwrap() }
}

async fn check(name: &str, measure: Measure) {
    let text = mapped(measure, "2026-11-02T21:30:00+01:00");
    let resource: Value = serde_json::from_str(&text).unwrap();
    insta::assert_json_snapshot!(name, resource);
    assert_valid(&resource).await;
}

/// The note that a clinic receives which takes no Observations.
async fn check_note(name: &str, measure: Measure) {
    let text = mapped(measure, "2026-11-02T21:30:00+01:00");
    let note = document(&serde_json::from_str(&text).unwrap()).unwrap();
    let data = note["content"][0]["attachment"]["data"].as_str().unwrap();
    let words = String::from_utf8(BASE64_STANDARD.decode(data).unwrap()).unwrap();
    assert!(words.lines().all(|line| line.chars().count() <= 80), "{words}");
    insta::assert_snapshot!(format!("{name}_words"), words);
    insta::assert_json_snapshot!(name, note);
    assert_valid(&note).await;
}

#[tokio::test]
async fn a_mood_as_a_note() {
    let label = Some("so-so".to_owned());
    let mood = Mood { rating: Some(rating("3.50", "1", "5")), label, state_of_mind: None };
    check_note("document_mood", Measure::Mood(mood)).await;
}

#[tokio::test]
async fn a_state_of_mind_as_a_note() {
    let state_of_mind =
        Some(StateOfMind { kind: StateOfMindKind::DailyMood, valence: "-0.50".parse().unwrap(), classification: None });
    check_note("document_state_of_mind", Measure::Mood(Mood { rating: None, label: None, state_of_mind })).await;
}

#[tokio::test]
async fn a_long_diary_note_as_a_note() {
    let text = "Slept badly. ".repeat(20) + "Спал плохо, но встал.";
    check_note("document_note", Measure::Note(text)).await;
}

#[tokio::test]
async fn tags_as_a_note() {
    check_note("document_tags", Measure::Tags(vec!["walk".to_owned(), "bad sleep".to_owned()])).await;
}

#[tokio::test]
async fn a_mood_on_a_diarys_own_scale() {
    let label = Some("so-so".to_owned());
    check("mood_rating", Measure::Mood(Mood { rating: Some(rating("3", "1", "5")), label, state_of_mind: None })).await;
}

#[tokio::test]
async fn a_state_of_mind_without_a_rating() {
    let state_of_mind = Some(StateOfMind {
        kind: StateOfMindKind::DailyMood,
        valence: "-0.50".parse().unwrap(),
        classification: Some(ValenceClassification::SlightlyUnpleasant),
    });
    check("mood_state_of_mind", Measure::Mood(Mood { rating: None, label: None, state_of_mind })).await;
}

#[tokio::test]
async fn a_rating_and_a_state_of_mind_together() {
    let state_of_mind = Some(StateOfMind {
        kind: StateOfMindKind::MomentaryEmotion,
        valence: "0.25".parse().unwrap(),
        classification: None,
    });
    check("mood_both", Measure::Mood(Mood { rating: Some(rating("7", "10", "0")), label: None, state_of_mind })).await;
}

#[tokio::test]
async fn a_note() {
    check("note", Measure::Note("A quiet day.\nСпал плохо. 🙂".to_owned())).await;
}

#[tokio::test]
async fn tags() {
    check("tags", Measure::Tags(vec!["walk".to_owned(), "bad sleep".to_owned()])).await;
}

#[test]
fn numbers_leave_as_they_were_written() {
    for written in ["6.50", "7", "-0.10", "3.0"] {
        let mood = Mood { rating: Some(rating(written, "-10.0", "10.00")), label: None, state_of_mind: None };
        let text = mapped(Measure::Mood(mood), "2026-11-02T21:30:00+01:00");
        for number in [written, "-10.0", "10.00"] {
            assert!(text.contains(&format!("\"value\":{number},")), "{number} in {text}");
        }
    }
}

#[test]
fn the_members_own_offset_is_kept() {
    for when in ["2026-11-02T21:30:00+01:00", "2026-11-02T21:30:00-09:30", "2026-11-02T21:30:00.25+05:45"] {
        let text = mapped(Measure::Note("x".to_owned()), when);
        assert!(text.contains(&format!("\"effectiveDateTime\":\"{when}\"")), "{text}");
    }
}

proptest! {
    #[test]
    fn any_reading_maps_and_says_the_same_twice(
        words in prop::collection::vec("\\PC{1,40}", 1..5), seconds in -1_000_000_000i64..2_000_000_000, offset in -720i32..=840,
    ) {
        let at = Timestamp::from_second(seconds).unwrap();
        let offset = jiff::tz::Offset::from_seconds(offset * 60).unwrap();
        let when = Moment::new(at, offset).to_rfc3339();
        for measure in [Measure::Tags(words.clone()), Measure::Note(words.concat())] {
            let once = mapped(measure.clone(), &when);
            prop_assert_eq!(&once, &mapped(measure, &when));
            let resource: Value = serde_json::from_str(&once).unwrap();
            prop_assert_eq!(&resource["status"], "final");
            prop_assert_eq!(&resource["subject"]["reference"], "Patient/pat-1");
        }
    }
}
