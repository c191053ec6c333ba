use std::collections::BTreeSet;

use super::*;
use crate::domain::language::Language;

fn scored(instrument: Instrument) -> usize {
    instrument.questions().iter().filter(|question| question.kind == Kind::Frequency).count()
}

/// The answers with these numbers to what counts, and none to the rest.
fn answered(instrument: Instrument, numbers: impl Iterator<Item = u8>) -> Answers {
    let rest = instrument.questions().len() - scored(instrument);
    let answers = numbers.map(Answer::Given).chain(std::iter::repeat_n(Answer::NotAsked, rest));
    Answers::new(instrument, answers.collect()).unwrap()
}

/// The band by the words of the publications, written down apart from the tables.
fn published(instrument: Instrument, total: u8) -> &'static str {
    match (instrument, total) {
        (Instrument::Phq2, 0..=2) => "below the screening threshold",
        (Instrument::Phq2, 3..=6) => "at or above the screening threshold",
        (Instrument::Phq9 | Instrument::Gad7, 0..=4) => "minimal",
        (Instrument::Phq9 | Instrument::Gad7, 5..=9) => "mild",
        (Instrument::Phq9 | Instrument::Gad7, 10..=14) => "moderate",
        (Instrument::Phq9, 15..=19) => "moderately severe",
        (Instrument::Phq9, 20..=27) | (Instrument::Gad7, 15..=21) => "severe",
        _ => panic!("no total of {}: {total}", instrument.as_str()),
    }
}

#[test]
fn every_set_of_answers_adds_up_as_the_instrument_says() {
    for instrument in Instrument::ALL {
        let count = scored(instrument);
        for set in 0..4_u32.pow(u32::try_from(count).unwrap()) {
            let digit = |place: usize| u8::try_from((set >> (2 * place)) & 3).unwrap();
            let answers = answered(instrument, (0..count).map(digit));
            let sum: u8 = (0..count).map(digit).sum();
            assert_eq!(answers.total(), Some(sum));
            assert_eq!(answers.band().unwrap().en, published(instrument, sum));
        }
    }
}

#[test]
fn a_missing_answer_leaves_no_total_whichever_it_is() {
    for instrument in Instrument::ALL {
        for missing in 0..scored(instrument) {
            for answer in [Answer::Declined, Answer::NotAsked] {
                let mut all = vec![Answer::Given(1); instrument.questions().len()];
                all[missing] = answer;
                let answers = Answers::new(instrument, all).unwrap();
                assert_eq!((answers.total(), answers.band()), (None, None));
                assert_eq!(answers.is_declined(), answer == Answer::Declined);
            }
        }
    }
    let mut all = vec![Answer::Given(1); 10];
    all[9] = Answer::Declined;
    let answers = Answers::new(Instrument::Phq9, all).unwrap();
    assert_eq!((answers.total(), answers.is_declined()), (Some(9), false), "how difficult it was does not count");
}

#[test]
fn what_does_not_belong_to_the_instrument_is_no_set_of_answers() {
    let two = |one, other| Answers::new(Instrument::Phq2, vec![one, other]);
    assert!(two(Answer::Given(3), Answer::Declined).is_ok());
    assert!(two(Answer::Given(4), Answer::Given(0)).is_err());
    assert!(two(Answer::NotAsked, Answer::NotAsked).is_err());
    assert!(Answers::new(Instrument::Phq2, vec![Answer::Given(1)]).is_err());
    assert!(Answers::new(Instrument::Phq2, vec![Answer::Given(1); 3]).is_err());
    let mut difficulty = vec![Answer::NotAsked; 10];
    difficulty[9] = Answer::Given(1);
    assert!(Answers::new(Instrument::Phq9, difficulty).is_err(), "of what? no problem was asked about");
}

#[test]
fn what_is_written_down_is_read_again_and_nothing_else() {
    let mut all = vec![Answer::Given(2); 10];
    all[3] = Answer::Declined;
    all[9] = Answer::NotAsked;
    let answers = Answers::new(Instrument::Phq9, all).unwrap();
    let text = serde_json::to_string(&answers).unwrap();
    assert!(serde_json::from_str::<Answers>(&text).unwrap() == answers);
    assert!(serde_json::from_str::<Answers>(&text.replace("phq-9", "gad-7")).is_err());
    assert!(serde_json::from_str::<Answers>(&text.replace("\"given\":2", "\"given\":4")).is_err());
    assert_eq!(format!("{answers:?}"), "Answers(phq-9)");
}

#[test]
fn only_phq_9_asks_about_self_harm() {
    for instrument in Instrument::ALL {
        let answers = answered(instrument, std::iter::repeat_n(2, scored(instrument)));
        assert_eq!(answers.self_harm().is_some(), instrument == Instrument::Phq9);
    }
    let mut all = vec![Answer::Given(0); 10];
    all[8] = Answer::Given(1);
    let answers = Answers::new(Instrument::Phq9, all).unwrap();
    assert!(answers.self_harm() == Some(Answer::Given(1)));
}

#[test]
fn the_instruments_are_whole() {
    for instrument in Instrument::ALL {
        assert_eq!(serde_json::to_value(instrument).unwrap(), instrument.as_str());
        assert_eq!(Instrument::from_name(instrument.as_str()), Some(instrument));
        assert_eq!(usize::from(instrument.most()), 3 * scored(instrument));
        let codes: BTreeSet<&str> = instrument.questions().iter().map(|question| question.code).collect();
        assert_eq!(codes.len(), instrument.questions().len());
        assert!(instrument.bands().is_sorted_by_key(|band| band.from));
        assert!(instrument.band(instrument.most() + 1).is_none());
        for question in instrument.questions() {
            assert!(Language::ALL.into_iter().all(|language| !question.words(language).is_empty()));
            assert_eq!(question.kind.choices().len(), usize::from(Choice::MOST) + 1);
        }
    }
    assert_eq!(Instrument::Phq9.end_of(Instrument::Phq9.band(7).unwrap()), 9);
    assert_eq!(Instrument::Phq9.end_of(Instrument::Phq9.band(27).unwrap()), 27);
}
