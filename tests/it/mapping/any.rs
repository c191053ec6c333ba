//! Any reading that can come in, of every kind, leaves as resources that both validators accept, and as the same ones twice.

use jiff::Timestamp;
use jiff::tz::Offset;
use mostik::domain::decimal::Decimal;
use mostik::domain::measurement::{Measured, Measurement, Modality};
use mostik::domain::moment::Moment;
use mostik::domain::questionnaire::{Answer, Answers, Instrument};
use mostik::domain::reading::{Measure, Mood, Rating, StateOfMind, StateOfMindKind, ValenceClassification};
use mostik::domain::summary::{Figures, Scale, Summary, TagCount};
use mostik::mapping::to_fhir::document;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::Value;

use crate::mapping::moods::mapped_with_parts;
use crate::mapping::summaries::{mapped, spread, week};
use crate::support::validate::assert_valid;

/// A number from -9999 to 9999, as somebody may write it.
fn decimal() -> impl Strategy<Value = Decimal> {
    ("-?[1-9][0-9]{0,3}", prop::option::of("[0-9]{1,4}")).prop_map(|(whole, part)| {
        let text = part.map_or_else(|| whole.clone(), |part| format!("{whole}.{part}"));
        text.parse().unwrap()
    })
}

/// Words as the schemas let them pass: something to read, and no control characters but those of a text.
fn words(most: usize) -> impl Strategy<Value = String> {
    ("[\\PC\n\t]{0,40}", "[^\\s\\p{C}]", "\\PC{0,40}").prop_map(move |(before, sure, after)| {
        format!("{before}{sure}{after}").chars().take(most).collect::<String>().trim().to_owned()
    })
}

fn kind() -> impl Strategy<Value = StateOfMindKind> {
    prop::sample::select(vec![StateOfMindKind::DailyMood, StateOfMindKind::MomentaryEmotion])
}

fn mood() -> impl Strategy<Value = Measure> {
    let class = prop::sample::select(vec![
        ValenceClassification::VeryUnpleasant,
        ValenceClassification::Neutral,
        ValenceClassification::SlightlyPleasant,
        ValenceClassification::VeryPleasant,
    ]);
    let state = (kind(), "(-?0\\.[0-9]{1,6}|0|1|-1|1\\.0)", prop::option::of(class));
    let rating = prop::option::of((decimal(), decimal(), decimal()));
    (rating, prop::option::of(words(100)), prop::option::of(state))
        .prop_filter("one of both", |(rating, _, state)| rating.is_some() || state.is_some())
        .prop_map(|(rating, label, state)| {
            let rating = rating.map(|(value, worst, best)| Rating { value, worst, best });
            let state_of_mind = state.map(|(kind, valence, classification)| StateOfMind {
                kind,
                valence: valence.parse().unwrap(),
                classification,
            });
            Measure::Mood(Mood { rating, label, state_of_mind })
        })
}

fn measurement(at: Timestamp) -> impl Strategy<Value = Measure> {
    let modality = prop::sample::select(vec![Modality::Sensed, Modality::SelfReported]);
    let (before, device) = (prop::option::of(0i64..2_000_000), prop::option::of(words(40)));
    (prop::sample::select(&Measured::ALL), "(0|[1-9][0-9]{0,3})(\\.[0-9]{1,3})?", modality, before, device).prop_map(
        move |(of, value, modality, before, device)| {
            let start = before.map(|before| Moment::new(at - jiff::SignedDuration::from_secs(before), Offset::UTC));
            Measure::Measurement(Measurement { of, value: value.parse().unwrap(), start, modality, device })
        },
    )
}

fn questionnaire() -> impl Strategy<Value = Measure> {
    let answer = prop_oneof![
        6 => (0u8..=3).prop_map(Answer::Given),
        1 => Just(Answer::Declined),
        1 => Just(Answer::NotAsked),
    ];
    (prop::sample::select(&Instrument::ALL), prop::collection::vec(answer, 10))
        .prop_filter_map("something is answered", |(instrument, said)| {
            Answers::new(instrument, said.into_iter().take(instrument.questions().len()).collect()).ok()
        })
        .prop_map(Measure::Questionnaire)
}

fn summary() -> impl Strategy<Value = Summary> {
    let scale = prop_oneof![
        (decimal(), decimal()).prop_map(|(worst, best)| Scale::Rating { worst, best }),
        kind().prop_map(Scale::Valence),
        prop::sample::select(&Measured::ALL).prop_map(Scale::Measured),
        prop::sample::select(&Instrument::ALL).prop_map(Scale::Score),
    ];
    let over = |figures: Figures, days_missing, entries| Summary { days_missing, entries, ..week(figures) };
    let numbers = (scale, prop::collection::vec(decimal(), 1..20), 0u32..7, 1u32..999);
    let numbers = numbers.prop_map(move |(scale, numbers, missing, entries)| {
        let numbers: Vec<&str> = numbers.iter().map(Decimal::as_str).collect();
        over(Figures::Numbers(scale, spread(&numbers)), missing, entries)
    });
    let tags = (prop::collection::vec((words(100), 1u32..500), 1..20), 0u32..3, 0u32..7, 1u32..999);
    let tags = tags.prop_map(move |(counts, left_out, missing, entries)| {
        let counts = counts.into_iter().map(|(tag, entries)| TagCount { tag, entries }).collect();
        over(Figures::Tags { counts, left_out }, missing, entries)
    });
    prop_oneof![4 => numbers, 1 => tags]
}

/// So many values, always the same ones: what fails here fails again.
fn some<T>(count: usize, strategy: impl Strategy<Value = T>) -> Vec<T> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

/// Judges each, and the note that an EHR gets which takes no Observations.
async fn judge(resources: &[String], again: &[String]) {
    assert_eq!(resources, again, "mapped twice it is the same, by name and content");
    let resources: Vec<Value> = resources.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    for resource in &resources {
        assert_valid(resource).await;
    }
    assert_valid(&document(resources.last().unwrap()).unwrap()).await;
}

#[tokio::test]
async fn any_reading_of_every_kind_leaves_as_resources_that_are_valid() {
    let at: Timestamp = "2026-11-02T20:30:00Z".parse().unwrap();
    let offsets = some(40, (-720i32..=840).prop_map(|minutes| Offset::from_seconds(minutes * 60).unwrap()));
    let texts = words(2000).prop_map(Measure::Note);
    let tags = prop::collection::vec(words(100), 1..8).prop_map(Measure::Tags);
    let kinds =
        [some(24, mood()), some(26, measurement(at)), some(10, texts), some(10, tags), some(5, questionnaire())];
    for (measure, offset) in kinds.into_iter().flatten().zip(offsets.into_iter().cycle()) {
        let when = Moment::new(at, offset).to_rfc3339();
        judge(&mapped_with_parts(measure.clone(), &when), &mapped_with_parts(measure, &when)).await;
    }
}

#[tokio::test]
async fn any_summary_leaves_as_a_resource_that_is_valid() {
    for summary in some(24, summary()) {
        judge(&[mapped(&summary)], &[mapped(&summary)]).await;
    }
}
