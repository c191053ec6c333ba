//! One `QuestionnaireResponse`: answers to PHQ-2, PHQ-9 or GAD-7.
//!
//! Which form it is, its canonical address says, or else LOINC's codes in its `linkId`s, as US Core and NLM write them
//! (`/44250-9`, `/44249-1/44250-9`). A choice is known by LOINC's code for the answer, by its ordinal, or by a number. Totals
//! are worked out anew, and one that is not the sum is a mistake. A form with questions of its own beside these is another
//! instrument, and is not taken for one of them. Whatever is wrong with a form, item 9 of PHQ-9 is heard ([`super::harm`]).

use std::collections::BTreeMap;

use serde::Deserialize;

use super::observation::{APP, Coding, Identifier, LOINC, moment, name};
use crate::domain::category::Category;
use crate::domain::questionnaire::{Answer, Answers, Choice, Instrument, Question};
use crate::domain::reading::Measure;
use crate::inbound::files::{About, BadLine, Item, Whose};

/// Where LOINC's own forms have their addresses.
const LOINC_FORMS: &str = "http://loinc.org/q/";

/// FHIR R4: the number that a choice counts; and why there is none.
const ORDINAL_VALUE: &str = "http://hl7.org/fhir/StructureDefinition/ordinalValue";
const DATA_ABSENT_REASON: &str = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";

/// How deep groups of questions may lie within each other.
const DEEPEST: usize = 8;

/// What is read of it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    id: Option<String>,
    identifier: Option<Identifier>,
    questionnaire: Option<String>,
    status: String,
    authored: Option<String>,
    #[serde(default)]
    item: Vec<Asked>,
}

/// A question, or a group of them.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    link_id: String,
    #[serde(default)]
    extension: Vec<Extension>,
    #[serde(default)]
    answer: Vec<Given>,
    #[serde(default)]
    item: Vec<Self>,
}

/// One answer, however it is written.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names are those of FHIR")]
struct Given {
    value_coding: Option<Scored>,
    value_integer: Option<i64>,
    value_decimal: Option<f64>,
    value_quantity: Option<Amount>,
    value_string: Option<String>,
}

#[derive(Deserialize)]
struct Amount {
    value: Option<f64>,
}

#[derive(Deserialize)]
struct Scored {
    #[serde(flatten)]
    coding: Coding,
    #[serde(default)]
    extension: Vec<Extension>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Extension {
    url: String,
    value_decimal: Option<f64>,
    value_code: Option<String>,
}

impl Response {
    /// What it says; `None` for a form that the bridge does not know, and for one that is not finished.
    pub fn item(self, place: u64, full_url: Option<&str>, whose: &Whose) -> Result<Option<Item>, BadLine> {
        let mut asked = BTreeMap::new();
        gather(&self.item, 0, &mut asked).ok_or(BadLine::record(place, "each question once"))?;
        let Some(instrument) = self.instrument(&asked) else { return Ok(None) };
        let is_gone = match self.status.as_str() {
            "completed" | "amended" | "stopped" => false,
            "entered-in-error" => true,
            _ => return Ok(None),
        };
        let id = name("QuestionnaireResponse", self.identifier.as_slice(), self.id.as_deref(), full_url);
        let id = id.ok_or(BadLine::record(place, "an identifier, an id or a fullUrl"))?;
        if is_gone {
            return Ok(Some(whose.gone(APP, place, id, Category::Questionnaires)));
        }
        let bad =
            BadLine { about: About::Time, ..BadLine::record(place, "the time when it was filled in, as authored") };
        let moment = self.authored.as_deref().and_then(|text| moment(text, whose)).ok_or(bad)?;
        if whose.is_to_come(moment.at) {
            return Err(BadLine::to_come(place));
        }
        let answers = answers(instrument, asked, place)?;
        Ok(Some(whose.reading(APP, place, id, moment, Measure::Questionnaire(answers))))
    }

    /// Which form it is. PHQ-2 is the beginning of PHQ-9: where nothing but these two questions is there, and its address
    /// does not say which it is, it is the short one; but who stopped after them may have begun the long one.
    fn instrument(&self, asked: &BTreeMap<&str, &Asked>) -> Option<Instrument> {
        let address = self.questionnaire.as_deref().map(|address| address.split('|').next().unwrap_or_default());
        let is_called = |instrument: &Instrument| {
            address == Some(instrument.url().as_str())
                || address.and_then(|address| address.strip_prefix(LOINC_FORMS)) == Some(instrument.panel().0)
        };
        let named = Instrument::ALL.into_iter().find(is_called);
        let has = |questions: &[Question]| questions.iter().any(|question| asked.contains_key(question.code));
        named.or_else(|| match Instrument::Phq9.questions().split_at_checked(2) {
            Some((_, rest)) if has(rest) => Some(Instrument::Phq9),
            Some((first, _)) if has(first) => (self.status != "stopped").then_some(Instrument::Phq2),
            _ => has(Instrument::Gad7.questions()).then_some(Instrument::Gad7),
        })
    }
}

/// Each question by the code that its `linkId` ends with. `None` where one is there twice, or they lie too deep.
fn gather<'a>(items: &'a [Asked], depth: usize, asked: &mut BTreeMap<&'a str, &'a Asked>) -> Option<()> {
    for item in items {
        let code = item.link_id.rsplit('/').next().unwrap_or_default();
        if asked.insert(code, item).is_some() || depth > DEEPEST {
            return None;
        }
        gather(&item.item, depth + 1, asked)?;
    }
    Some(())
}

fn answers(instrument: Instrument, mut asked: BTreeMap<&str, &Asked>, place: u64) -> Result<Answers, BadLine> {
    let bad = |expected| BadLine { about: About::Value, ..BadLine::record(place, expected) };
    let said = instrument.questions().iter().map(|question| match asked.remove(question.code) {
        Some(item) => item.answer_to(question).ok_or(bad("one of the form's own answers to each question")),
        None => Ok(Answer::NotAsked),
    });
    let said = said.collect::<Result<_, _>>()?;
    let total = asked.remove(instrument.total().0).and_then(|item| item.answer.first());
    if asked.values().any(|item| !item.answer.is_empty()) {
        return Err(bad("answers to the form's own questions, and no others"));
    }
    let answers = Answers::new(instrument, said).map_err(|_| bad("an answer to one of the questions at least"))?;
    let told = total.map(|told| told.number().ok_or(bad("a total that is a number"))).transpose()?;
    if told.is_some_and(|told| answers.total().map(f64::from) != Some(told)) {
        return Err(bad("the sum of the answers as its total, and none where one is missing"));
    }
    Ok(answers)
}

impl Asked {
    /// What was answered; `None` if it is no answer to this question.
    fn answer_to(&self, question: &Question) -> Option<Answer> {
        let is_declined =
            |it: &Extension| it.url == DATA_ABSENT_REASON && it.value_code.as_deref() == Some("asked-declined");
        match self.answer.as_slice() {
            [] if self.extension.iter().any(is_declined) => Some(Answer::Declined),
            [] => Some(Answer::NotAsked),
            [given] => given.choice(question).map(Answer::Given),
            _ => None,
        }
    }
}

impl Given {
    /// The number of the choice, if it is one of this question's.
    fn choice(&self, question: &Question) -> Option<u8> {
        let whole = |number: f64| (0..=Choice::MOST).find(|choice| (f64::from(*choice) - number).abs() < f64::EPSILON);
        let Some(Scored { coding, extension }) = &self.value_coding else { return self.number().and_then(whole) };
        if coding.system.as_deref() == Some(LOINC) {
            let place = question.kind.choices().iter().position(|choice| Some(choice.code) == coding.code.as_deref());
            return place.and_then(|place| u8::try_from(place).ok());
        }
        let ordinal = extension.iter().find(|it| it.url == ORDINAL_VALUE).and_then(|it| it.value_decimal);
        ordinal.and_then(whole)
    }

    fn number(&self) -> Option<f64> {
        let integer = self.value_integer.and_then(|number| i32::try_from(number).ok()).map(f64::from);
        let quantity = || self.value_quantity.as_ref().and_then(|quantity| quantity.value);
        let text = || self.value_string.as_deref().and_then(|text| text.trim().parse().ok());
        integer.or(self.value_decimal).or_else(quantity).or_else(text)
    }
}

#[cfg(test)]
#[path = "response_tests.rs"]
mod tests;
