//! Answers to questionnaires in words, for the member whose they are.

use crate::domain::language::Language;
use crate::domain::questionnaire::{Answer, Answers, Instrument, Kind, Question};

use Language::{En, Ru};

/// The total, what it means, and each answer.
#[must_use]
pub fn reading(answers: &Answers, language: Language) -> String {
    let said = answers.each().filter(|(question, answer)| counts(question) || *answer != Answer::NotAsked);
    let asked = |question: &Question| question.words(language).trim_end_matches('?');
    let said = said.map(|(question, it)| format!("{}: {}", asked(question), answer(question, it, language)));
    format!("{}. {}", total(answers, language), said.collect::<Vec<_>>().join("; "))
}

fn counts(question: &Question) -> bool {
    question.kind == Kind::Frequency
}

/// The total and its band, or that there is none.
#[must_use]
pub fn total(answers: &Answers, language: Language) -> String {
    let (title, most) = (answers.instrument().title(), answers.instrument().most());
    match (answers.total(), answers.band(), language) {
        (Some(total), Some(band), En) => format!("{title}: {total} of {most}, {}", band.en),
        (Some(total), Some(band), Ru) => format!("{title}: {total} из {most}, {}", band.ru),
        (_, _, En) => format!("{title}: no total, because an answer is missing"),
        (_, _, Ru) => format!("{title}: суммы нет, потому что не хватает ответа"),
    }
}

/// What was answered to a question.
#[must_use]
pub fn answer(question: &Question, answer: Answer, language: Language) -> &'static str {
    match (answer.given().and_then(|number| question.choice(number)), answer, language) {
        (Some(choice), _, _) => choice.words(language),
        (None, Answer::NotAsked, En) => "not answered",
        (None, Answer::NotAsked, Ru) => "нет ответа",
        (None, _, En) => "I would rather not say",
        (None, _, Ru) => "предпочитаю не отвечать",
    }
}

/// The bounds of a total.
#[must_use]
pub fn scale(instrument: Instrument, language: Language) -> String {
    let most = instrument.most();
    match language {
        En => format!("from 0 to {most}, less is better"),
        Ru => format!("от 0 до {most}, меньше – лучше"),
    }
}
