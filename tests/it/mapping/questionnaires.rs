//! Answers to questionnaires → FHIR: a snapshot of everything that leaves, judged by both validators.

use std::collections::BTreeSet;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use mostik::domain::questionnaire::{Answer, Answers, Instrument};
use mostik::domain::reading::Measure;
use mostik::mapping::to_fhir::{document, part_identifiers};
use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::mapping::moods::mapped_with_parts;
use crate::support::ehr::identifier;
use crate::support::validate::assert_valid;

const WHEN: &str = "2026-11-20T09:30:00+03:00";

/// Answers as they are read aloud: `-` is declined, `.` is not asked.
pub fn answers(instrument: Instrument, said: &str) -> Answers {
    let answer = |said: char| match said {
        '-' => Answer::Declined,
        '.' => Answer::NotAsked,
        digit => Answer::Given(u8::try_from(digit.to_digit(10).unwrap()).unwrap()),
    };
    Answers::new(instrument, said.chars().map(answer).collect()).unwrap()
}

fn mapped(instrument: Instrument, said: &str) -> Vec<Value> {
    let all = mapped_with_parts(Measure::Questionnaire(answers(instrument, said)), WHEN);
    all.iter().map(|text| serde_json::from_str(text).unwrap()).collect()
}

/// The identifiers that a resource refers to.
fn referred(resource: &Value, element: &str) -> Vec<String> {
    let references = resource[element].as_array().into_iter().flatten();
    references.map(|reference| reference["identifier"]["value"].as_str().unwrap().to_owned()).collect()
}

fn own_identifier(resource: &Value) -> String {
    match resource["identifier"].as_array() {
        Some(_) => identifier(resource),
        None => resource["identifier"]["value"].as_str().unwrap().to_owned(),
    }
}

#[tokio::test]
async fn each_instrument_leaves_as_it_was_answered_and_is_valid() {
    for (name, instrument, said) in [
        ("phq9_whole", Instrument::Phq9, "2101300121"),
        ("phq9_declined", Instrument::Phq9, "21013001--"),
        ("phq9_cut_short", Instrument::Phq9, "210......."),
        ("phq2_whole", Instrument::Phq2, "12"),
        ("gad7_whole", Instrument::Gad7, "3210321"),
        ("gad7_declined", Instrument::Gad7, "3210-21"),
        ("gad7_cut_short", Instrument::Gad7, "3......"),
    ] {
        let resources = mapped(instrument, said);
        insta::assert_json_snapshot!(name, resources);
        for resource in &resources {
            assert_valid(resource).await;
        }
    }
}

#[test]
fn everything_that_refers_to_another_refers_to_something_that_was_sent() {
    let resources = mapped(Instrument::Phq9, "2101300121");
    let (whole, parts) = resources.split_last().unwrap();
    let (panel, rest) = parts.split_last().unwrap();
    let rest: Vec<String> = rest.iter().map(own_identifier).collect();
    assert_eq!(referred(whole, "derivedFrom"), rest, "the form and each answer");
    let mut members = rest[1..].to_vec();
    members.push(identifier(whole));
    assert_eq!(referred(panel, "hasMember"), members, "each answer, and the total");
    let all: BTreeSet<String> = resources.iter().map(own_identifier).collect();
    assert_eq!((all.len(), resources.len()), (13, 13));
    let known: BTreeSet<String> =
        part_identifiers(mostik::domain::category::Category::Questionnaires, Uuid::from_u128(4))
            .into_iter()
            .map(|id| id.to_string())
            .collect();
    assert!(parts.iter().all(|part| known.contains(&own_identifier(part))));
}

#[test]
fn the_total_is_no_vital_sign_and_nobody_performed_it() {
    let whole = mapped(Instrument::Gad7, "3210321").pop().unwrap();
    assert_eq!(whole["category"][0]["coding"][0]["code"], "survey");
    assert_eq!(whole["code"]["coding"][0]["code"], "70274-6");
    assert_eq!(whole["valueQuantity"]["value"], json!(12));
    assert_eq!(whole["valueQuantity"]["code"], "{score}");
    assert_eq!(whole["interpretation"][0]["text"], "moderate (10 to 14)");
    assert!(whole.get("performer").is_none());
}

/// The note that a clinic receives which takes no Observations.
fn note(instrument: Instrument, said: &str) -> (Value, String) {
    let note = document(&mapped(instrument, said).pop().unwrap()).unwrap();
    let data = note["content"][0]["attachment"]["data"].as_str().unwrap();
    let words = String::from_utf8(BASE64_STANDARD.decode(data).unwrap()).unwrap();
    assert!(words.lines().all(|line| line.chars().count() <= 80));
    (note, words)
}

#[tokio::test]
async fn one_note_says_the_whole_questionnaire_in_words() {
    let (document, words) = note(Instrument::Phq9, "2101300121");
    insta::assert_snapshot!("phq9_note", words);
    assert_eq!(document["author"], json!([{"reference": "Patient/pat-1"}]));
    assert_valid(&document).await;
    let (document, words) = note(Instrument::Phq9, "210130-12-");
    insta::assert_snapshot!("phq9_note_declined", words);
    assert_valid(&document).await;
    insta::assert_snapshot!("gad7_note_cut_short", note(Instrument::Gad7, "3......").1);
}

proptest! {
    #[test]
    fn any_answers_map_and_say_the_same_twice(
        instrument in prop::sample::select(&Instrument::ALL), said in prop::collection::vec(0u8..6, 10),
    ) {
        let answer = |said: &u8| match said {
            4 => Answer::Declined,
            5 => Answer::NotAsked,
            choice => Answer::Given(*choice),
        };
        let said = said.iter().take(instrument.questions().len()).map(answer).collect();
        let Ok(answers) = Answers::new(instrument, said) else { return Ok(()) };
        let once = mapped_with_parts(Measure::Questionnaire(answers.clone()), WHEN);
        prop_assert_eq!(&once, &mapped_with_parts(Measure::Questionnaire(answers.clone()), WHEN));
        let whole: Value = serde_json::from_str(once.last().unwrap()).unwrap();
        match answers.total() {
            Some(total) => prop_assert_eq!(&whole["valueQuantity"]["value"], &json!(total)),
            None => prop_assert!(whole["dataAbsentReason"].is_object()),
        }
        prop_assert_eq!(once.len(), answers.asked().count() + 3, "the form, the panel, the total, and each answer");
    }
}
