//! The wording, as it was validated, with LOINC's codes.
//!
//! English: the forms at phqscreeners.com. Russian: the translations of Pfizer and MAPI that are published there, as public
//! repositories quote them. The forms themselves could not be fetched where this was written: `schemas/README.md` says what
//! is certain and what is to be compared before clinical use. Nothing here may be smoothed: another wording is another
//! instrument.

use crate::domain::language::Language;

/// Under which terms the texts are published. FHIR calls it `copyright`.
pub const COPYRIGHT: &str = "PHQ and GAD-7: developed by Drs. Robert L. Spitzer, Janet B.W. Williams, Kurt Kroenke and \
    colleagues, with an educational grant from Pfizer Inc. No permission required to reproduce, translate, display or \
    distribute (https://www.phqscreeners.com). This material contains content from LOINC (http://loinc.org). LOINC is \
    copyright © Regenstrief Institute, Inc. and the Logical Observation Identifiers Names and Codes (LOINC) Committee and is \
    available at no cost under the license at http://loinc.org/license. LOINC® is a registered United States trademark of \
    Regenstrief Institute, Inc.";

/// The question whether one would be better off dead, or thought of hurting oneself (LOINC).
pub const SELF_HARM: &str = "44260-8";

/// What kind of answer a question takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// How often in the last two weeks. Counts in the total.
    Frequency,
    /// How difficult it made things. Does not count.
    Difficulty,
}

/// A question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Question {
    /// LOINC's code.
    pub code: &'static str,
    /// What LOINC calls it, where that was read in a source of HL7's or LOINC's own.
    pub display: Option<&'static str>,
    /// What kind of answer it takes.
    pub kind: Kind,
    /// In English.
    pub en: &'static str,
    /// In Russian.
    pub ru: &'static str,
}

/// An answer that can be chosen. Its number is its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Choice {
    /// LOINC's code.
    pub code: &'static str,
    /// In English, as LOINC has it.
    pub en: &'static str,
    /// In Russian.
    pub ru: &'static str,
}

impl Choice {
    /// The greatest number of a choice.
    pub const MOST: u8 = 3;

    /// The choice in words.
    #[must_use]
    pub const fn words(&self, language: Language) -> &'static str {
        match language {
            Language::En => self.en,
            Language::Ru => self.ru,
        }
    }
}

/// LOINC LL358-3.
const FREQUENCY: [Choice; 4] = [
    Choice { code: "LA6568-5", en: "Not at all", ru: "Ни разу" },
    Choice { code: "LA6569-3", en: "Several days", ru: "Несколько дней" },
    Choice { code: "LA6570-1", en: "More than half the days", ru: "Более недели" },
    Choice { code: "LA6571-9", en: "Nearly every day", ru: "Почти каждый день" },
];

/// LOINC LL374-0.
const DIFFICULTY: [Choice; 4] = [
    Choice { code: "LA6572-7", en: "Not difficult at all", ru: "Совсем не трудно" },
    Choice { code: "LA6573-5", en: "Somewhat difficult", ru: "Немного трудно" },
    Choice { code: "LA6575-0", en: "Very difficult", ru: "Очень трудно" },
    Choice { code: "LA6574-3", en: "Extremely difficult", ru: "Чрезвычайно трудно" },
];

impl Kind {
    /// What can be chosen, in the order of the numbers.
    #[must_use]
    pub const fn choices(self) -> &'static [Choice; 4] {
        match self {
            Self::Frequency => &FREQUENCY,
            Self::Difficulty => &DIFFICULTY,
        }
    }
}

impl Question {
    /// The question in words.
    #[must_use]
    pub const fn words(&self, language: Language) -> &'static str {
        match language {
            Language::En => self.en,
            Language::Ru => self.ru,
        }
    }

    /// The choice with this number.
    #[must_use]
    pub fn choice(&self, number: u8) -> Option<&'static Choice> {
        self.kind.choices().get(usize::from(number))
    }
}

const fn phq(code: &'static str, display: &'static str, en: &'static str, ru: &'static str) -> Question {
    Question { code, display: Some(display), kind: Kind::Frequency, en, ru }
}

const fn gad(code: &'static str, en: &'static str, ru: &'static str) -> Question {
    Question { code, display: None, kind: Kind::Frequency, en, ru }
}

/// PHQ-9. Its first two are PHQ-2.
pub(super) const PHQ9: [Question; 10] = [
    phq(
        "44250-9",
        "Little interest or pleasure in doing things in last 2 weeks",
        "Little interest or pleasure in doing things",
        "Вам не хотелось ничего делать",
    ),
    phq(
        "44255-8",
        "Feeling down, depressed, or hopeless in last 2 weeks",
        "Feeling down, depressed, or hopeless",
        "У Вас было плохое настроение, Вы были подавлены или испытывали чувство безысходности",
    ),
    phq(
        "44259-0",
        "Trouble falling or staying asleep, or sleeping too much in last 2 weeks [Reported.PHQ]",
        "Trouble falling or staying asleep, or sleeping too much",
        "Вам было трудно заснуть, у Вас был прерывистый сон, или Вы слишком много спали",
    ),
    phq(
        "44254-1",
        "Feeling tired or having little energy in last 2 weeks [Reported.PHQ]",
        "Feeling tired or having little energy",
        "Вы были утомлены, или у Вас было мало сил",
    ),
    phq(
        "44251-7",
        "Poor appetite or overeating in last 2 weeks [Reported.PHQ]",
        "Poor appetite or overeating",
        "У Вас был плохой аппетит, или Вы переедали",
    ),
    phq(
        "44258-2",
        "Feeling bad about yourself - or that you are a failure or have let yourself or your family down in last 2 weeks \
         [Reported.PHQ]",
        "Feeling bad about yourself – or that you are a failure or have let yourself or your family down",
        "Вы плохо о себе думали: считали себя неудачником (неудачницей), или были в себе разочарованы, или считали, что \
         подвели свою семью",
    ),
    phq(
        "44252-5",
        "Trouble concentrating on things, such as reading the newspaper or watching television in last 2 weeks \
         [Reported.PHQ]",
        "Trouble concentrating on things, such as reading the newspaper or watching television",
        "Вам было трудно сосредоточиться (например, на чтении газеты или на просмотре телепередач)",
    ),
    phq(
        "44253-3",
        "Moving or speaking so slowly that other people could have noticed. Or the opposite - being so fidgety or restless \
         that you have been moving around a lot more than usual in last 2 weeks [Reported.PHQ]",
        "Moving or speaking so slowly that other people could have noticed? Or the opposite – being so fidgety or restless \
         that you have been moving around a lot more than usual",
        "Вы двигались или говорили настолько медленно, что окружающие это замечали? Или, наоборот, Вы были настолько \
         суетливы или взбудоражены, что двигались гораздо больше обычного",
    ),
    phq(
        SELF_HARM,
        "Thoughts that you would be better off dead, or of hurting yourself in some way in last 2 weeks [Reported.PHQ]",
        "Thoughts that you would be better off dead or of hurting yourself in some way",
        "Вас посещали мысли о том, что Вам лучше было бы умереть, или о том, чтобы причинить себе какой-нибудь вред",
    ),
    Question {
        code: "69722-7",
        display: Some(
            "How difficult have these made it for you to do your work, take care of things at home, or get along with \
             other people [Reported.PHQ]",
        ),
        kind: Kind::Difficulty,
        en: "If you checked off any problems, how difficult have these problems made it for you to do your work, take care \
             of things at home, or get along with other people?",
        ru: "Если Вы положительно ответили на какие-нибудь пункты, то оцените, насколько трудно Вам было работать, \
             заниматься домашними делами или общаться с людьми из-за этих проблем?",
    },
];

/// GAD-7. LOINC's name of 69689-8 speaks of four weeks; the scale, and the panel in which it stands, ask about two.
pub(super) const GAD7: [Question; 7] = [
    gad("69725-0", "Feeling nervous, anxious or on edge", "Вы нервничали, тревожились или испытывали сильный стресс"),
    gad(
        "68509-9",
        "Not being able to stop or control worrying",
        "Вы были неспособны успокоиться или контролировать свое волнение",
    ),
    gad("69733-4", "Worrying too much about different things", "Вы слишком сильно волновались по различным поводам"),
    gad("69734-2", "Trouble relaxing", "Вам было трудно расслабиться"),
    gad(
        "69735-9",
        "Being so restless that it is hard to sit still",
        "Вы были настолько суетливы, что Вам было тяжело усидеть на месте",
    ),
    gad("69689-8", "Becoming easily annoyed or irritable", "Вы легко злились или раздражались"),
    gad(
        "69736-7",
        "Feeling afraid as if something awful might happen",
        "Вы испытывали страх, словно должно произойти нечто ужасное",
    ),
];
