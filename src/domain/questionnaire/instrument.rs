//! The instruments: what each asks, under which codes, and what its total means.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::questions::{GAD7, PHQ9, Question};
use crate::domain::language::Language;

/// The version of the Questionnaires that are published: another wording or another code is another version.
pub const VERSION: &str = "1.0.0";

/// When that version was published.
pub const PUBLISHED_ON: &str = "2026-11-26";

/// Where the canonical addresses begin.
const CANONICAL: &str = "https://w3id.org/mostik/fhir/Questionnaire/";

/// A validated questionnaire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Instrument {
    /// Patient Health Questionnaire, its first two questions.
    #[serde(rename = "phq-2")]
    Phq2,
    /// Patient Health Questionnaire, depression module.
    #[serde(rename = "phq-9")]
    Phq9,
    /// Generalized Anxiety Disorder scale.
    #[serde(rename = "gad-7")]
    Gad7,
}

/// Totals that mean the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Band {
    /// From this total on, up to the next band.
    pub from: u8,
    /// What it is called, in English.
    pub en: &'static str,
    /// What it is called, in Russian.
    pub ru: &'static str,
}

const fn band(from: u8, en: &'static str, ru: &'static str) -> Band {
    Band { from, en, ru }
}

/// Kroenke, Spitzer and Williams 2003: three and more is a positive screen.
const PHQ2_BANDS: &[Band] = &[
    band(0, "below the screening threshold", "ниже порога скрининга"),
    band(3, "at or above the screening threshold", "на пороге скрининга или выше"),
];

/// Kroenke, Spitzer and Williams 2001; LOINC LL382-3.
const PHQ9_BANDS: &[Band] = &[
    band(0, "minimal", "минимальная выраженность"),
    band(5, "mild", "лёгкая выраженность"),
    band(10, "moderate", "умеренная выраженность"),
    band(15, "moderately severe", "умеренно высокая выраженность"),
    band(20, "severe", "высокая выраженность"),
];

/// Spitzer, Kroenke, Williams and Löwe 2006.
const GAD7_BANDS: &[Band] = &[
    band(0, "minimal", "минимальная выраженность"),
    band(5, "mild", "лёгкая выраженность"),
    band(10, "moderate", "умеренная выраженность"),
    band(15, "severe", "высокая выраженность"),
];

impl Instrument {
    /// Every instrument.
    pub const ALL: [Self; 3] = [Self::Phq2, Self::Phq9, Self::Gad7];

    /// The word used in events, addresses and the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Phq2 => "phq-2",
            Self::Phq9 => "phq-9",
            Self::Gad7 => "gad-7",
        }
    }

    /// The instrument with this name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|instrument| instrument.as_str() == name)
    }

    /// What it is known as, in every language.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Phq2 => "PHQ-2",
            Self::Phq9 => "PHQ-9",
            Self::Gad7 => "GAD-7",
        }
    }

    /// What it asks, in the order of the form; those that do not count in the total come last.
    #[must_use]
    pub fn questions(self) -> &'static [Question] {
        match self {
            Self::Phq2 => PHQ9.get(..2).unwrap_or_default(),
            Self::Phq9 => &PHQ9,
            Self::Gad7 => &GAD7,
        }
    }

    /// The panel of its Observations: LOINC's code, and what LOINC calls it, where that was read in a source of its own.
    #[must_use]
    pub const fn panel(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Phq2 => ("55757-9", None),
            Self::Phq9 => ("44249-1", Some("PHQ-9 quick depression assessment panel [Reported.PHQ]")),
            Self::Gad7 => ("69737-5", Some("Generalized anxiety disorder 7 item (GAD-7)")),
        }
    }

    /// Its total: LOINC's code, and what LOINC calls it, where that was read in a source of its own.
    #[must_use]
    pub const fn total(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Phq2 => ("55758-7", None),
            Self::Phq9 => ("44261-6", Some("Patient Health Questionnaire 9 item (PHQ-9) total score [Reported]")),
            Self::Gad7 => ("70274-6", None),
        }
    }

    /// Its total in the words of whoever reads the record.
    #[must_use]
    pub const fn total_words(self) -> &'static str {
        match self {
            Self::Phq2 => "PHQ-2 total score",
            Self::Phq9 => "PHQ-9 total score",
            Self::Gad7 => "GAD-7 total score",
        }
    }

    /// The greatest total.
    #[must_use]
    pub const fn most(self) -> u8 {
        match self {
            Self::Phq2 => 6,
            Self::Phq9 => 27,
            Self::Gad7 => 21,
        }
    }

    /// What its totals mean, from the least on.
    #[must_use]
    pub const fn bands(self) -> &'static [Band] {
        match self {
            Self::Phq2 => PHQ2_BANDS,
            Self::Phq9 => PHQ9_BANDS,
            Self::Gad7 => GAD7_BANDS,
        }
    }

    /// The band in which a total lies.
    #[must_use]
    pub fn band(self, total: u8) -> Option<&'static Band> {
        self.bands().iter().rev().find(|band| band.from <= total && total <= self.most())
    }

    /// The last total of a band.
    #[must_use]
    pub fn end_of(self, band: &Band) -> u8 {
        let next = self.bands().iter().map(|other| other.from).find(|from| *from > band.from);
        next.map_or(self.most(), |from| from - 1)
    }

    /// The canonical address of its Questionnaire, without a version.
    #[must_use]
    pub fn url(self) -> String {
        format!("{CANONICAL}{}", self.as_str())
    }

    /// What stands above its questions.
    #[must_use]
    pub const fn stem(self, language: Language) -> &'static str {
        match (self, language) {
            (Self::Phq2 | Self::Phq9, Language::En) => {
                "Over the last 2 weeks, how often have you been bothered by any of the following problems?"
            }
            (Self::Gad7, Language::En) => {
                "Over the last 2 weeks, how often have you been bothered by the following problems?"
            }
            (Self::Phq2 | Self::Phq9, Language::Ru) => {
                "Как часто за последние 2 недели Вас беспокоили следующие проблемы?"
            }
            (Self::Gad7, Language::Ru) => "Как часто Вас за последние 14 дней беспокоили следующие проблемы?",
        }
    }

    /// What it is about, in a few words.
    #[must_use]
    pub const fn about(self, language: Language) -> &'static str {
        match (self, language) {
            (Self::Phq2, Language::En) => "Mood and interest, two questions",
            (Self::Phq2, Language::Ru) => "Настроение и интерес к делам, два вопроса",
            (Self::Phq9, Language::En) => "Mood, sleep and strength, nine questions",
            (Self::Phq9, Language::Ru) => "Настроение, сон и силы, девять вопросов",
            (Self::Gad7, Language::En) => "Worry and restlessness, seven questions",
            (Self::Gad7, Language::Ru) => "Тревога и беспокойство, семь вопросов",
        }
    }
}

impl Band {
    /// What it is called.
    #[must_use]
    pub const fn name(&self, language: Language) -> &'static str {
        match language {
            Language::En => self.en,
            Language::Ru => self.ru,
        }
    }
}
