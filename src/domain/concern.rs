//! A concern: what a member said wants a human's eye, whoever else may see it. It is the community's people who look, and
//! it says that somebody should, by which rule, and nothing of what was answered.

use std::fmt;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::questionnaire::Answer;
use super::reading::Measure;

/// For how long what was said speaks of now. PHQ-9 asks about the last two weeks: an older answer, as in a file of last
/// year, raises no concern today.
pub const SPEAKS_OF_NOW: SignedDuration = SignedDuration::from_hours(14 * 24);

/// What raises a concern.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub enum Rule {
    /// Item 9 of PHQ-9 is above zero: thoughts of being better off dead, or of hurting oneself.
    #[serde(rename = "phq-9-item-9")]
    SelfHarm,
    /// The member asked for a person to get in touch with them.
    #[serde(rename = "asked-for-somebody")]
    AskedForSomebody,
    /// They wrote a phrase in which people say that they may be in danger. Not validated, and only where it is switched on.
    #[serde(rename = "phrase")]
    Phrase,
    /// Somebody of the community screened them by the C-SSRS screener, which found a low risk.
    #[serde(rename = "c-ssrs-low")]
    LowRisk,
    /// The same, and it found a moderate risk.
    #[serde(rename = "c-ssrs-moderate")]
    ModerateRisk,
    /// The same, and it found a high risk.
    #[serde(rename = "c-ssrs-high")]
    HighRisk,
}

/// What the screener of the Columbia-Suicide Severity Rating Scale (C-SSRS) found: the levels of LOINC 93374-7.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Risk {
    /// Low.
    Low,
    /// Moderate.
    Moderate,
    /// High.
    High,
}

impl From<Risk> for Rule {
    fn from(risk: Risk) -> Self {
        match risk {
            Risk::Low => Self::LowRisk,
            Risk::Moderate => Self::ModerateRisk,
            Risk::High => Self::HighRisk,
        }
    }
}

impl Rule {
    /// The rule that what was reported meets, if it meets one. It asks for nobody's consent: see [`crate::domain::helpline`]
    /// for what the member is told in the same answer.
    #[must_use]
    pub fn met_by(measure: &Measure) -> Option<Self> {
        let Measure::Questionnaire(answers) = measure else { return None };
        let choice = answers.self_harm().and_then(Answer::given)?;
        (choice > 0).then_some(Self::SelfHarm)
    }

    /// The word used in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SelfHarm => "phq-9-item-9",
            Self::AskedForSomebody => "asked-for-somebody",
            Self::Phrase => "phrase",
            Self::LowRisk => "c-ssrs-low",
            Self::ModerateRisk => "c-ssrs-moderate",
            Self::HighRisk => "c-ssrs-high",
        }
    }
}

/// Where a concern stands: `raised → told → acknowledged → closed`, and `escalated` where nobody acknowledged it in time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ConcernState {
    /// Nobody knows of it yet.
    Raised,
    /// Those of the first level were told.
    Told,
    /// Nobody acknowledged it in time: those of the second level are being told, or were.
    Escalated,
    /// Somebody looks after it.
    Acknowledged,
    /// They are done.
    Closed,
}

/// Why a concern is not changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotNow {
    /// Somebody looks after it already.
    #[error("somebody has acknowledged the concern already")]
    Acknowledged,
    /// Nobody does yet.
    #[error("nobody has acknowledged the concern yet")]
    Unacknowledged,
    /// They are done.
    #[error("the concern is closed")]
    Closed,
}

impl ConcernState {
    const ALL: [Self; 5] = [Self::Raised, Self::Told, Self::Escalated, Self::Acknowledged, Self::Closed];

    /// The word used in the API and the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Raised => "raised",
            Self::Told => "told",
            Self::Escalated => "escalated",
            Self::Acknowledged => "acknowledged",
            Self::Closed => "closed",
        }
    }

    /// The state with this name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Whether it waits for somebody to acknowledge it.
    #[must_use]
    pub const fn is_waiting(self) -> bool {
        matches!(self, Self::Raised | Self::Told | Self::Escalated)
    }

    /// Once somebody was told.
    #[must_use]
    pub const fn told(self) -> Self {
        if matches!(self, Self::Raised) { Self::Told } else { self }
    }

    /// Once nobody acknowledged it in time.
    #[must_use]
    pub const fn escalated(self) -> Self {
        if self.is_waiting() { Self::Escalated } else { self }
    }

    /// Once somebody looks after it.
    ///
    /// # Errors
    /// [`NotNow`] when somebody does already, or did.
    pub const fn acknowledged(self) -> Result<Self, NotNow> {
        match self {
            Self::Raised | Self::Told | Self::Escalated => Ok(Self::Acknowledged),
            Self::Acknowledged => Err(NotNow::Acknowledged),
            Self::Closed => Err(NotNow::Closed),
        }
    }

    /// Once they are done.
    ///
    /// # Errors
    /// [`NotNow`] when nobody looks after it, or it is closed.
    pub const fn closed(self) -> Result<Self, NotNow> {
        match self {
            Self::Raised | Self::Told | Self::Escalated => Err(NotNow::Unacknowledged),
            Self::Acknowledged => Ok(Self::Closed),
            Self::Closed => Err(NotNow::Closed),
        }
    }
}

/// Who is told: first these, and those if nobody acknowledges it in time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Such as the community's moderators.
    First,
    /// Such as a specialist on duty.
    Second,
}

impl Level {
    /// Its number, counted from one.
    #[must_use]
    pub const fn number(self) -> i32 {
        match self {
            Self::First => 1,
            Self::Second => 2,
        }
    }

    /// The level with this number, if there is one.
    #[must_use]
    pub fn from_number(number: i32) -> Option<Self> {
        [Self::First, Self::Second].into_iter().find(|level| level.number() == number)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::First => "first",
            Self::Second => "second",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_concern_goes_one_way_and_is_closed_by_whoever_looks_after_it() {
        use ConcernState::{Acknowledged, Closed, Escalated, Raised, Told};
        for state in [Raised, Told, Escalated] {
            assert_eq!(state.acknowledged(), Ok(Acknowledged));
            assert_eq!(state.closed(), Err(NotNow::Unacknowledged));
            assert_eq!(state.escalated(), Escalated);
        }
        assert_eq!((Raised.told(), Escalated.told(), Acknowledged.told()), (Told, Escalated, Acknowledged));
        assert_eq!((Acknowledged.acknowledged(), Acknowledged.closed()), (Err(NotNow::Acknowledged), Ok(Closed)));
        assert_eq!((Closed.acknowledged(), Closed.closed()), (Err(NotNow::Closed), Err(NotNow::Closed)));
        assert_eq!((Acknowledged.escalated(), Closed.escalated()), (Acknowledged, Closed));
    }
}
