//! Answers that are not finished.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Answer, Answers, Instrument, Kind, NotItsAnswers, Question, SELF_HARM};

/// What a member has answered so far. A personal value: its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// What makes it the same when it is finished twice.
    pub key: Uuid,
    instrument: Instrument,
    /// In the order of [`Instrument::questions`]; shorter where the rest has not been seen.
    answers: Vec<Answer>,
}

impl Draft {
    /// Nothing answered yet.
    #[must_use]
    pub const fn new(instrument: Instrument, key: Uuid) -> Self {
        Self { key, instrument, answers: Vec::new() }
    }

    /// Which instrument.
    #[must_use]
    pub const fn instrument(&self) -> Instrument {
        self.instrument
    }

    /// What was answered to the question at this place, which begins at zero.
    #[must_use]
    pub fn answer(&self, place: usize) -> Answer {
        self.answers.get(place).copied().unwrap_or(Answer::NotAsked)
    }

    /// Each question that is to be answered, with its place and what was answered so far.
    pub fn each(&self) -> impl Iterator<Item = (usize, &'static Question, Answer)> {
        let asked = self.instrument.questions().iter().enumerate().filter(|(_, question)| self.asks(question));
        asked.map(|(place, question)| (place, question, self.answer(place)))
    }

    /// How difficult problems made things is asked of those only who have any, as the form says.
    fn asks(&self, question: &Question) -> bool {
        let said = self.instrument.questions().iter().zip(&self.answers);
        let mut counted = said.filter(|(question, _)| question.kind == Kind::Frequency);
        question.kind == Kind::Frequency || counted.any(|(_, answer)| answer.given().is_some_and(|it| it > 0))
    }

    /// The first question that is still to be answered.
    #[must_use]
    pub fn next(&self) -> Option<usize> {
        self.each().find(|(_, _, answer)| *answer == Answer::NotAsked).map(|(place, _, _)| place)
    }

    /// The same with another answer at a place. Nothing changes where there is no such question.
    #[must_use]
    pub fn with(mut self, place: usize, answer: Answer) -> Self {
        let count = self.instrument.questions().len();
        self.answers.resize(count, Answer::NotAsked);
        if let Some(said) = self.answers.get_mut(place) {
            *said = answer;
        }
        self
    }

    /// Whether something was answered to the question about self-harm that wants a human's eye.
    #[must_use]
    pub fn wants_help(&self) -> bool {
        let harm = self.each().find(|(_, question, _)| question.code == SELF_HARM);
        harm.is_some_and(|(_, _, answer)| answer.given().is_some_and(|choice| choice > 0))
    }

    /// The finished answers. What is not asked of somebody without any problem is left out, whatever they said before.
    ///
    /// # Errors
    /// [`NotItsAnswers`] when nothing was answered.
    pub fn finish(&self) -> Result<Answers, NotItsAnswers> {
        let answer = |(place, question)| if self.asks(question) { self.answer(place) } else { Answer::NotAsked };
        Answers::new(self.instrument, self.instrument.questions().iter().enumerate().map(answer).collect())
    }
}

impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Draft(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(choice: u8) -> Draft {
        let draft = Draft::new(Instrument::Phq9, Uuid::nil());
        (0..9).fold(draft, |draft, place| draft.with(place, Answer::Given(choice)))
    }

    #[test]
    fn it_goes_on_where_it_was_left() {
        let draft = Draft::new(Instrument::Gad7, Uuid::nil());
        assert_eq!(draft.next(), Some(0));
        assert!(draft.finish().is_err(), "nothing was answered");
        let draft = draft.with(0, Answer::Given(1)).with(1, Answer::Declined);
        assert_eq!(draft.next(), Some(2));
        assert!(draft.finish().unwrap().total().is_none());
        assert!(draft.clone().with(7, Answer::Given(1)) == draft, "there is no eighth question");
    }

    #[test]
    fn whoever_has_no_problem_is_not_asked_how_difficult_it_made_things() {
        assert_eq!((filled(0).next(), filled(0).each().count()), (None, 9));
        assert_eq!((filled(1).next(), filled(1).each().count()), (Some(9), 10));
        let thought_better = filled(1).with(9, Answer::Given(2));
        let thought_better = (0..9).fold(thought_better, |draft, place| draft.with(place, Answer::Given(0)));
        assert!(thought_better.finish().unwrap().each().last().unwrap().1 == Answer::NotAsked);
    }

    #[test]
    fn any_thought_of_self_harm_wants_help() {
        assert!(!filled(0).wants_help() && filled(0).with(8, Answer::Given(1)).wants_help());
        assert!(!filled(3).with(8, Answer::Declined).wants_help());
    }
}
