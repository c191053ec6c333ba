//! Questionnaires in words.

use super::words::Words;
use crate::domain::language::Language::{En, Ru};
use crate::domain::page::{Scored, Total};
use crate::domain::questionnaire::{Answer, Instrument, SELF_HARM};
use crate::domain::reliable::reliable_from;
use crate::insight::words::answer;

impl Words {
    /// What is said of a questionnaire, line by line: what is newest first, and then what no total says.
    pub fn scored(self, scored: &Scored) -> Vec<String> {
        let title = scored.instrument.title();
        let incomplete = scored.incomplete.map(|on| match self.0 {
            En => format!("{title}: not complete, no total ({}).", self.day(on)),
            Ru => format!("{title}: заполнен не полностью, суммы баллов нет ({}).", self.day(on)),
        });
        let total = scored.newest.as_ref().map(|newest| self.total(scored.instrument, newest));
        incomplete.into_iter().chain(total).chain(self.self_harm(scored)).collect()
    }

    /// A total, what that means, and whether it has changed by more than chance.
    fn total(self, instrument: Instrument, Total { total, on, before }: &Total) -> String {
        let (title, most) = (instrument.title(), instrument.most());
        let band = instrument.band(*total).map_or("", |band| band.name(self.0));
        let now = match self.0 {
            En => format!("{title}: {total} of {most}, {band} ({})", self.day(*on)),
            Ru => format!("{title}: {total} из {most}, {band} ({})", self.day(*on)),
        };
        let Some((earlier, day)) = before else { return format!("{now}.") };
        let change = i64::from(*total) - i64::from(*earlier);
        let then = match self.0 {
            En => format!("Before: {earlier} ({}), change {change:+}", self.day(*day)),
            Ru => format!("Раньше: {earlier} ({}), изменение {change:+}", self.day(*day)),
        };
        let weight = match (reliable_from(instrument), self.0) {
            (None, _) => String::new(),
            (Some(from), En) if change.unsigned_abs() >= u64::from(from) => {
                format!(": more than chance ({from} points or more)")
            }
            (Some(from), En) => format!(": may be chance (below {from} points)"),
            (Some(from), Ru) if change.unsigned_abs() >= u64::from(from) => {
                format!(": больше, чем можно объяснить случайностью (от {from} баллов)")
            }
            (Some(from), Ru) => format!(": может быть случайным (меньше {from} баллов)"),
        };
        format!("{now}. {then}{weight}.")
    }

    /// What was answered to the question about death and self-harm, in the words of the form.
    fn self_harm(self, scored: &Scored) -> Option<String> {
        let mut questions = scored.instrument.questions().iter().zip(1..);
        let (question, number) = questions.find(|(question, _)| question.code == SELF_HARM)?;
        let said = scored.self_harm.iter().map(|(said, on)| {
            let words = answer(question, *said, self.0);
            let words = match (said, self.0) {
                (Answer::NotAsked, _) => words.to_owned(),
                (_, En) => format!("“{words}”"),
                (_, Ru) => format!("«{words}»"),
            };
            format!("{words} ({})", self.day(*on))
        });
        let said = said.collect::<Vec<_>>().join("; ");
        let line = match self.0 {
            En => format!("Question {number}, thoughts of death or self-harm: {said}."),
            Ru => format!("Вопрос {number}, мысли о смерти или о причинении себе вреда: {said}."),
        };
        (!said.is_empty()).then_some(line)
    }
}
