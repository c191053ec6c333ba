//! An answer to item 9 of PHQ-9, however it is written: the number of the choice, LOINC's code for it, the words of the form,
//! or a value of FHIR of whatever type.
//!
//! Nothing is taken in this way: what is taken is written as its schema or FHIR says. It is for what is not taken, where whoever
//! thinks of hurting themselves is told where help is all the same; and so it hears too much rather than too little.

use serde_json::Value;

use crate::domain::language::Language;
use crate::domain::questionnaire::{Answer, Answers, Choice, Instrument, Kind, Question, SELF_HARM};
use crate::domain::reading::Measure;

/// What a choice counts in FHIR, by how the address of the extension ends: `itemWeight`, and what was before it.
const COUNTS: [&str; 3] = ["itemWeight", "ordinalValue", "CO-value"];

/// The number of the choice, the highest where there are several; `None` where it says none.
pub fn choice(answer: &Value) -> Option<u8> {
    match answer {
        Value::Null => None,
        Value::Bool(is_so) => Some(u8::from(*is_so)),
        Value::Number(number) => number.as_f64().map(at_least),
        Value::String(text) => in_words(text).or_else(|| text.trim().parse().ok().map(at_least)),
        Value::Array(all) => all.iter().filter_map(choice).max(),
        Value::Object(fields) => {
            let words = |name: &str| fields.get(name).and_then(Value::as_str).and_then(in_words);
            // A number beside them may be of a list that does not begin at zero.
            let named = ["code", "display", "text"].into_iter().filter_map(words).max();
            named.or_else(|| fields.iter().filter_map(|(name, it)| in_field(name, it)).max())
        }
    }
}

/// This answer, and no other one.
pub fn alone(choice: u8) -> Option<Measure> {
    let answer = |it: &Question| if it.code == SELF_HARM { Answer::Given(choice) } else { Answer::NotAsked };
    let answers = Instrument::Phq9.questions().iter().map(answer).collect();
    Answers::new(Instrument::Phq9, answers).ok().map(Measure::Questionnaire)
}

fn in_field(name: &str, it: &Value) -> Option<u8> {
    match name {
        "extension" => {
            let counts = |it: &&Value| {
                let url = it.get("url").and_then(Value::as_str);
                url.is_some_and(|url| COUNTS.iter().any(|end| url.ends_with(end)))
            };
            it.as_array().into_iter().flatten().filter(counts).filter_map(choice).max()
        }
        "coding" | "display" | "text" => choice(it),
        name if name.trim_start_matches('_').starts_with("value") => choice(it),
        _ => None,
    }
}

/// The choice with this code or with these words, in whatever letters and however they are spaced.
fn in_words(text: &str) -> Option<u8> {
    let letters =
        |text: &str| -> String { text.chars().filter(|it| it.is_alphabetic()).flat_map(char::to_lowercase).collect() };
    let said = letters(text);
    let is_it = |choice: &Choice| {
        text.trim().eq_ignore_ascii_case(choice.code)
            || Language::ALL.into_iter().any(|language| letters(choice.words(language)) == said)
    };
    let place = Kind::Frequency.choices().iter().position(is_it)?;
    u8::try_from(place).ok()
}

/// The greatest choice that a number reaches: whatever is above zero is above zero.
fn at_least(number: f64) -> u8 {
    let reached = (1..=Choice::MOST).rev().find(|choice| number >= f64::from(*choice));
    reached.unwrap_or(u8::from(number > 0.0))
}
