//! Answers to a validated questionnaire, and what they add up to.

mod draft;
mod instrument;
mod questions;
mod rhythm;

pub use draft::Draft;
pub use instrument::{Band, Instrument, PUBLISHED_ON, VERSION};
pub use questions::{COPYRIGHT, Choice, Kind, Question, SELF_HARM};
pub use rhythm::Rhythm;

use std::fmt;

use serde::{Deserialize, Serialize};

/// What somebody answered to each question of an instrument. A personal value: its `Debug` shows the instrument only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written")]
pub struct Answers {
    instrument: Instrument,
    /// In the order of [`Instrument::questions`], and as many.
    answers: Vec<Answer>,
}

/// What somebody answered to one question.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// The choice with this number, from 0 to 3.
    Given(u8),
    /// They would rather not say.
    Declined,
    /// Nobody asked, or they did not get that far.
    NotAsked,
}

/// Answers that do not belong to their instrument.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("expected an answer from 0 to 3 to the instrument's own questions, and at least one")]
pub struct NotItsAnswers;

impl Answers {
    /// The answers to the questions of an instrument, in their order.
    ///
    /// # Errors
    /// [`NotItsAnswers`] when there are more or fewer than questions, one is no choice, or there is none that counts.
    pub fn new(instrument: Instrument, answers: Vec<Answer>) -> Result<Self, NotItsAnswers> {
        let is_choice = |answer: &Answer| !matches!(answer, Answer::Given(choice) if *choice > Choice::MOST);
        let said = Self { instrument, answers };
        let is_said = said.scored().any(|(_, answer)| answer != Answer::NotAsked);
        let fits = said.answers.len() == instrument.questions().len() && said.answers.iter().all(is_choice);
        if fits && is_said { Ok(said) } else { Err(NotItsAnswers) }
    }

    /// Which instrument.
    #[must_use]
    pub const fn instrument(&self) -> Instrument {
        self.instrument
    }

    /// Each question with what was answered to it.
    pub fn each(&self) -> impl Iterator<Item = (&'static Question, Answer)> {
        self.instrument.questions().iter().zip(self.answers.iter().copied())
    }

    /// The questions that were answered or declined.
    pub fn asked(&self) -> impl Iterator<Item = (&'static Question, Answer)> {
        self.each().filter(|(_, answer)| *answer != Answer::NotAsked)
    }

    /// Those that count in the total.
    fn scored(&self) -> impl Iterator<Item = (&'static Question, Answer)> {
        self.each().filter(|(question, _)| question.kind == Kind::Frequency)
    }

    /// The sum of what counts. None where an answer is missing: nothing is put in its place.
    #[must_use]
    pub fn total(&self) -> Option<u8> {
        self.scored().map(|(_, answer)| answer.given()).sum()
    }

    /// The band in which the total lies.
    #[must_use]
    pub fn band(&self) -> Option<&'static Band> {
        self.total().and_then(|total| self.instrument.band(total))
    }

    /// Whether an answer that counts was declined.
    #[must_use]
    pub fn is_declined(&self) -> bool {
        self.scored().any(|(_, answer)| answer == Answer::Declined)
    }

    /// What was answered to the question about being better off dead, or hurting oneself ([`SELF_HARM`]): anything above
    /// zero wants a human's eye, whatever the total. `None` where the instrument does not ask.
    #[must_use]
    pub fn self_harm(&self) -> Option<Answer> {
        self.each().find(|(question, _)| question.code == SELF_HARM).map(|(_, answer)| answer)
    }

    /// Whether that answer wants a human's eye.
    #[must_use]
    pub fn wants_help(&self) -> bool {
        self.self_harm().and_then(Answer::given).is_some_and(|choice| choice > 0)
    }
}

impl Answer {
    /// The number of the choice, if one was made.
    #[must_use]
    pub const fn given(self) -> Option<u8> {
        match self {
            Self::Given(choice) => Some(choice),
            Self::Declined | Self::NotAsked => None,
        }
    }
}

/// Answers as they are written down.
#[derive(Deserialize)]
struct Written {
    instrument: Instrument,
    answers: Vec<Answer>,
}

impl TryFrom<Written> for Answers {
    type Error = NotItsAnswers;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        Self::new(written.instrument, written.answers)
    }
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answers({})", self.instrument.as_str())
    }
}

/// An answer is as personal as all of them.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answer(..)")
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
