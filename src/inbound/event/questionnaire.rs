//! From the data of an event to answers: which belongs to which question is said by LOINC's codes.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::Refusal;
use crate::domain::questionnaire::{Answer, Answers, Instrument};

/// The data of an event, as its schema let it pass.
#[derive(Deserialize)]
pub(super) struct QuestionnaireData {
    instrument: Instrument,
    answers: ByCode,
    total: Option<u8>,
}

/// Answers by the code of their question, each once.
struct ByCode(BTreeMap<String, Answer>);

impl QuestionnaireData {
    /// The answers in the order of their instrument. A code that is no question's is a mistake, and so is a total that is
    /// not the sum.
    pub(super) fn answers(self) -> Result<Answers, Refusal> {
        let Self { instrument, answers: ByCode(mut said), total } = self;
        let answer = |code| said.remove(code).unwrap_or(Answer::NotAsked);
        let in_order = instrument.questions().iter().map(|question| question.code).map(answer).collect();
        if !said.is_empty() {
            let expected = format!("LOINC codes of questions of {} only", instrument.title());
            return Err(Refusal::invalid("/data/answers", expected));
        }
        let answers = Answers::new(instrument, in_order);
        let answers = answers.map_err(|error| Refusal::invalid("/data/answers", error.to_string()))?;
        if total.is_some() && total != answers.total() {
            let expected = "the sum of the answers that count, and none where one is missing";
            return Err(Refusal::invalid("/data/total", expected));
        }
        Ok(answers)
    }
}

impl<'de> Deserialize<'de> for ByCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Once)
    }
}

struct Once;

impl<'de> Visitor<'de> for Once {
    type Value = ByCode;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an answer for each question, none twice")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ByCode, A::Error> {
        let mut answers = BTreeMap::new();
        while let Some((code, value)) = map.next_entry::<String, Value>()? {
            let answer = match &value {
                Value::String(word) if word == "declined" => Answer::Declined,
                value => {
                    let choice = value.as_u64().and_then(|choice| u8::try_from(choice).ok());
                    Answer::Given(choice.ok_or_else(|| A::Error::custom("an answer that is none"))?)
                }
            };
            if answers.insert(code, answer).is_some() {
                return Err(A::Error::custom("a question that is answered twice"));
            }
        }
        Ok(ByCode(answers))
    }
}
