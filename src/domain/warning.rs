//! A warning: a clinic is told without consent that its patient may be in danger. Only where a policy of the operator's
//! says on what legal basis this clinic may be told, and only because a named person decided so.

use std::collections::BTreeMap;
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::concern::Rule;
use super::ids::{ConcernId, MemberId};
use super::language::Language;

/// For how long a decision lets a warning go. Whoever was in danger then may not be any more: what could not be sent by
/// then is decided anew, or is not sent.
pub const GOOD_FOR: SignedDuration = SignedDuration::from_hours(24);

/// The longest reason, in characters.
pub const LONGEST_REASON: usize = 1000;

/// Whether this can be why somebody decided so: words, not too many of them.
#[must_use]
pub fn is_reason(text: &str) -> bool {
    let is_text = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
    (1..=LONGEST_REASON).contains(&text.chars().count()) && text.trim() == text && text.chars().all(is_text)
}

/// What a clinic may use a warning for (HL7 v3 `ActReason`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum WarningPurpose {
    /// Emergency treatment.
    #[serde(rename = "ETREAT")]
    EmergencyTreatment,
    /// A serious threat to somebody's life or health.
    #[serde(rename = "THREAT")]
    Threat,
}

impl WarningPurpose {
    /// Its code.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EmergencyTreatment => "ETREAT",
            Self::Threat => "THREAT",
        }
    }

    /// What the code system calls it.
    #[must_use]
    pub const fn display(self) -> &'static str {
        match self {
            Self::EmergencyTreatment => "Emergency Treatment",
            Self::Threat => "threat",
        }
    }
}

/// Under what a clinic may be warned. Without one, it never is.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WarningPolicy {
    /// What it may be used for.
    pub purpose: WarningPurpose,
    /// The law that allows it, in the operator's words: at least in one of the languages.
    pub legal_basis: BTreeMap<Language, String>,
    /// Whether members are told that it was done.
    #[serde(default = "yes")]
    pub tell_member: bool,
    /// The language that the clinic is warned in.
    #[serde(default)]
    pub language: Language,
}

const fn yes() -> bool {
    true
}

/// What is said of a legal basis to whoever reads this language: in another one, where it is not written in this.
#[must_use]
pub fn basis_in(legal_basis: &BTreeMap<Language, String>, language: Language) -> &str {
    legal_basis.get(&language).or_else(|| legal_basis.values().next()).map_or("", String::as_str)
}

/// What is known of a warning without opening it: what it is decided by.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Decided {
    /// When somebody decided that it goes.
    pub at: Timestamp,
    /// What for.
    pub purpose: WarningPurpose,
}

/// A warning about a member, as a clinic gets it. Personal: its `Debug` shows its concern only.
#[derive(Clone, PartialEq, Eq)]
pub struct Warning {
    /// About whom.
    pub member: MemberId,
    /// The concern because of which somebody decided so.
    pub concern: ConcernId,
    /// What raised it.
    pub rule: Rule,
    /// When it was raised.
    pub raised_at: Timestamp,
    /// When somebody decided so, and what for.
    pub decided: Decided,
    /// The law that allows it, as it was worded then.
    pub legal_basis: String,
}

impl fmt::Debug for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Warning({})", self.concern)
    }
}

/// Whether a clinic has a warning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WarningState {
    /// It is on its way.
    Waiting,
    /// It stands in the clinic's record. Nobody knows whether somebody has read it.
    Arrived,
    /// It does not go: the clinic has to be told otherwise.
    Failed,
}

impl WarningState {
    /// The word used in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Arrived => "arrived",
            Self::Failed => "failed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_words_and_not_too_many() {
        for good in ["They wrote that they have the tablets in front of them.", "one\ntwo", &"a".repeat(LONGEST_REASON)]
        {
            assert!(is_reason(good), "{good}");
        }
        for bad in ["", " ", "because ", "a\u{7}", &"a".repeat(LONGEST_REASON + 1)] {
            assert!(!is_reason(bad), "{bad}");
        }
    }

    #[test]
    fn a_legal_basis_is_said_in_the_language_of_whoever_reads_it_or_in_the_one_that_there_is() {
        let one = BTreeMap::from([(Language::Ru, "Закон".to_owned())]);
        assert_eq!((basis_in(&one, Language::En), basis_in(&one, Language::Ru)), ("Закон", "Закон"));
        let both = BTreeMap::from([(Language::En, "A law".to_owned()), (Language::Ru, "Закон".to_owned())]);
        assert_eq!((basis_in(&both, Language::En), basis_in(&both, Language::Ru)), ("A law", "Закон"));
    }
}
