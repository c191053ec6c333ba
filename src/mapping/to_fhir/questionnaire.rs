//! Answers to a questionnaire → several resources, which refer to each other by their identifiers, because nobody knows
//! yet under which ids the EHR will keep them.
//!
//! The whole is the total: an Observation that says in words, too, what was answered, so that it is complete wherever it
//! stands alone. Its parts are the form as it was filled in (`QuestionnaireResponse`), an Observation for each answer, and the
//! panel that holds the Observations together (US Core 9.0.0, screening and assessments).

use fhir_codec::codes::QuestionnaireResponseStatus;
use fhir_codec::resources::{
    Observation, ObservationValue, QuestionnaireResponse, QuestionnaireResponseItem, QuestionnaireResponseItemAnswer,
    QuestionnaireResponseItemAnswerValue, Resource,
};
use fhir_codec::types::{Annotation, Coding, Extension, ExtensionValue, Reference};
use fhir_codec::{BuilderError, Decimals};
use uuid::Uuid;

use super::MappingError;
use super::codes::{DATA_ABSENT_EXTENSION, DATA_ABSENT_REASON, LOINC, ORDINAL_VALUE};
use super::element::{coding, concept, identified, score};
use super::envelope::{Address, Body, Lived, addressed, date_time, identifier_of, meta_of, named};
use crate::domain::language::Language::En;
use crate::domain::moment::Moment;
use crate::domain::questionnaire::{Answer, Answers, Choice, Instrument, Kind, Question, VERSION};

/// What is told beside the whole.
#[derive(Clone, Copy)]
pub enum Part {
    /// The form as it was filled in.
    Response,
    /// One answer, or that it was declined.
    Question(&'static Question, Answer),
    /// What holds the Observations together.
    Panel,
}

impl Part {
    /// The parts of these answers, in the order in which they go.
    pub fn of(answers: &Answers) -> Vec<Self> {
        let questions = answers.asked().map(|(question, answer)| Self::Question(question, answer));
        std::iter::once(Self::Response).chain(questions).chain([Self::Panel]).collect()
    }

    pub const fn resource_type(self) -> &'static str {
        match self {
            Self::Response => "QuestionnaireResponse",
            Self::Question(..) | Self::Panel => "Observation",
        }
    }

    /// Its identifier: the same whenever the whole has the same.
    pub fn identifier(self, whole: Uuid) -> Uuid {
        let name = match self {
            Self::Response => RESPONSE,
            Self::Question(question, _) => question.code,
            Self::Panel => PANEL,
        };
        named(whole, name)
    }
}

const RESPONSE: &str = "response";
const PANEL: &str = "panel";

/// The identifiers of all parts that the whole with this identifier may ever have had.
pub fn part_identifiers(whole: Uuid) -> impl Iterator<Item = Uuid> {
    let questions = Instrument::ALL.into_iter().filter(|instrument| *instrument != Instrument::Phq2);
    let codes = questions.flat_map(Instrument::questions).map(|question| question.code);
    [RESPONSE, PANEL].into_iter().chain(codes).map(move |name| named(whole, name))
}

/// The whole: the total, what it means, and in words what it is the total of.
pub fn whole(answers: &Answers, at: Moment, address: Address<'_>) -> Result<(Resource, Decimals), MappingError> {
    let (mut decimals, id) = (Decimals::new(), address.identifier);
    let (code, display) = answers.instrument().total();
    let code = concept(vec![coding(LOINC, code, display)?], Some(answers.instrument().total_words()))?;
    let total = answers.total().map(|total| score(decimals.token(&total.to_string()))).transpose()?;
    let body = Body::survey(code, total.map(ObservationValue::Quantity), Vec::new());
    let mut observation = addressed(address, &Lived::At(at), body)?;
    // Worked out, not said: there the profile wants no performer (US Core 9.0.0).
    observation.performer = Vec::new();
    if answers.total().is_none() {
        let reason = if answers.is_declined() { DECLINED } else { "not-asked" };
        absent(&mut observation, reason)?;
    }
    if let Some(band) = answers.band() {
        let text = format!("{} ({} to {})", band.en, band.from, answers.instrument().end_of(band));
        observation.interpretation = vec![Some(concept(Vec::new(), Some(&text))?)];
    }
    observation.note = vec![Some(Annotation::builder().text(in_words(answers)).build()?)];
    let sources = Part::of(answers).into_iter().filter(|part| !matches!(part, Part::Panel));
    observation.derived_from = references(sources, id)?;
    Ok((Resource::Observation(observation), decimals))
}

/// A part of the whole with this identifier.
pub fn part(
    part: Part,
    answers: &Answers,
    at: Moment,
    whole: Uuid,
    address: Address<'_>,
) -> Result<(Resource, Decimals), MappingError> {
    match part {
        Part::Response => response(answers, at, address),
        Part::Question(question, answer) => Ok((said(question, answer, at, address)?, Decimals::new())),
        Part::Panel => Ok((panel(answers, at, whole, address)?, Decimals::new())),
    }
}

fn said(question: &Question, answer: Answer, at: Moment, address: Address<'_>) -> Result<Resource, MappingError> {
    let value = chosen(question, answer).map(|choice| {
        let choice = coding(LOINC, choice.code, Some(choice.en))?;
        Ok::<_, BuilderError>(ObservationValue::CodeableConcept(concept(vec![choice], None)?))
    });
    let body = Body::survey(code_of(question)?, value.transpose()?, Vec::new());
    let mut observation = addressed(address, &Lived::At(at), body)?;
    if chosen(question, answer).is_none() {
        absent(&mut observation, DECLINED)?;
    }
    Ok(Resource::Observation(observation))
}

fn panel(answers: &Answers, at: Moment, whole: Uuid, address: Address<'_>) -> Result<Resource, MappingError> {
    let (code, display) = answers.instrument().panel();
    let code = concept(vec![coding(LOINC, code, display)?], Some(answers.instrument().title()))?;
    let mut observation = addressed(address, &Lived::At(at), Body::survey(code, None, Vec::new()))?;
    observation.performer = Vec::new();
    let questions = Part::of(answers).into_iter().filter(|part| matches!(part, Part::Question(..)));
    observation.has_member = references(questions, whole)?;
    observation.has_member.push(Some(reference("Observation", whole)?));
    Ok(Resource::Observation(observation))
}

/// The form (R4, questionnaireresponse.html): the patient filled it in, about themselves.
fn response(answers: &Answers, at: Moment, address: Address<'_>) -> Result<(Resource, Decimals), MappingError> {
    let mut decimals = Decimals::new();
    let counts = |(question, _): &(&Question, Answer)| question.kind == Kind::Frequency;
    let is_whole = answers.each().filter(counts).all(|(_, answer)| answer != Answer::NotAsked);
    let status = if is_whole { QuestionnaireResponseStatus::Completed } else { QuestionnaireResponseStatus::Stopped };
    let items = answers.asked().map(|(question, answer)| item(question, answer, &mut decimals).map(Some));
    let mut response = QuestionnaireResponse::builder().status(status).build()?;
    response.meta = Some(meta_of(&address)?);
    response.contained = address.provenance;
    response.identifier = Some(identifier_of(address.identifier)?);
    response.questionnaire = Some(format!("{}|{VERSION}", answers.instrument().url()));
    response.subject = Some(address.subject.clone());
    response.authored = Some(date_time(at)?);
    response.author = Some(address.subject.clone());
    response.source = Some(address.subject);
    response.item = items.collect::<Result<_, BuilderError>>()?;
    Ok((Resource::QuestionnaireResponse(response), decimals))
}

fn item(
    question: &Question,
    answer: Answer,
    decimals: &mut Decimals,
) -> Result<QuestionnaireResponseItem, BuilderError> {
    let mut item = QuestionnaireResponseItem::builder().link_id(link_id(question)).build()?;
    item.text = Some(question.en.to_owned());
    if let Some(choice) = chosen(question, answer) {
        let mut given = QuestionnaireResponseItemAnswer::builder().build()?;
        let choice = with_ordinal(question, answer, choice, decimals)?;
        given.value = Some(QuestionnaireResponseItemAnswerValue::Coding(choice));
        item.answer = vec![Some(given)];
    } else {
        item.extension = vec![extension(DATA_ABSENT_EXTENSION, ExtensionValue::Code(DECLINED.to_owned()))?];
    }
    Ok(item)
}

/// The code of a choice, with the number that it counts, where it counts.
fn with_ordinal(
    question: &Question,
    answer: Answer,
    choice: &Choice,
    decimals: &mut Decimals,
) -> Result<Coding, BuilderError> {
    let mut coding = coding(LOINC, choice.code, Some(choice.en))?;
    if let Some(number) = answer.given().filter(|_| question.kind == Kind::Frequency) {
        let number = ExtensionValue::Decimal(decimals.token(&number.to_string()));
        coding.extension = vec![extension(ORDINAL_VALUE, number)?];
    }
    Ok(coding)
}

/// The `linkId` of a question, in the Questionnaire and in answers to it: as US Core's own example writes it.
pub fn link_id(question: &Question) -> String {
    format!("/{}", question.code)
}

/// What was answered, question by question.
fn in_words(answers: &Answers) -> String {
    let line = |(place, (question, answer)): (usize, (&'static Question, Answer))| {
        let said = match (chosen(question, answer), question.kind, answer) {
            (Some(choice), Kind::Frequency, Answer::Given(number)) => format!("{} ({number})", choice.en),
            (Some(choice), _, _) => choice.en.to_owned(),
            (None, Kind::Difficulty, Answer::NotAsked) => return None,
            (None, _, Answer::NotAsked) => "not asked".to_owned(),
            (None, _, _) => "would rather not say".to_owned(),
        };
        Some(format!("{}. {}: {said}", place + 1, question.en.trim_end_matches('?')))
    };
    let stem = answers.instrument().stem(En).to_owned();
    std::iter::once(stem).chain(answers.each().enumerate().filter_map(line)).collect::<Vec<_>>().join("\n")
}

/// Skipped by the one who was asked (R4, `CodeSystem` data-absent-reason).
const DECLINED: &str = "asked-declined";

fn absent(observation: &mut Observation, reason: &str) -> Result<(), BuilderError> {
    observation.data_absent_reason = Some(concept(vec![coding(DATA_ABSENT_REASON, reason, None)?], None)?);
    Ok(())
}

fn chosen(question: &Question, answer: Answer) -> Option<&'static Choice> {
    answer.given().and_then(|number| question.choice(number))
}

fn code_of(question: &Question) -> Result<fhir_codec::types::CodeableConcept, BuilderError> {
    concept(vec![coding(LOINC, question.code, question.display)?], Some(question.en))
}

fn extension(url: &str, value: ExtensionValue) -> Result<Extension, BuilderError> {
    let mut extension = Extension::builder().url(url.to_owned()).build()?;
    extension.value = Some(value);
    Ok(extension)
}

fn references(parts: impl Iterator<Item = Part>, whole: Uuid) -> Result<Vec<Option<Reference>>, BuilderError> {
    parts.map(|part| reference(part.resource_type(), part.identifier(whole)).map(Some)).collect()
}

fn reference(resource_type: &str, identifier: Uuid) -> Result<Reference, BuilderError> {
    let mut reference = identified(identifier_of(identifier)?)?;
    reference.r#type = Some(resource_type.to_owned());
    Ok(reference)
}
