//! What a clinic wants of the way back: how what it has for members is looked for.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use serde::Deserialize;

use super::recommendation::RecommendationKind;

/// How what a clinic has for members is looked for.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WayBackRules {
    /// How often it is looked for, in minutes.
    #[serde(default = "quarter_of_an_hour")]
    pub poll_minutes: u16,
    /// How far back the first look goes, in days.
    #[serde(default = "month")]
    pub look_back_days: u16,
    /// How much of what was seen each look sees again, in seconds: an EHR may show a change later than it made it.
    #[serde(default = "two_minutes")]
    pub overlap_seconds: u16,
    /// What is looked for; everything, if nothing is said.
    #[serde(default)]
    pub kinds: BTreeSet<RecommendationKind>,
    /// Whether the EHR is asked to say when something changed, and how.
    #[serde(default)]
    pub subscribe: Subscribe,
    /// The topics that are subscribed to, by their canonical addresses, where the EHR offers them.
    #[serde(default)]
    pub topics: BTreeSet<String>,
    /// As which owner of Tasks the EHR knows the bridge, as in `Device/mostik`: such Tasks are for their patients.
    pub task_owner: Option<String>,
}

/// How an EHR is asked to say when something changed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subscribe {
    /// Not at all: it is looked for from time to time.
    #[default]
    Never,
    /// By topics where it offers one of those that are wanted, else by criteria.
    Auto,
    /// By topics (Subscriptions R5 Backport).
    Topics,
    /// By criteria, as plain R4 has it.
    Criteria,
}

/// How a Subscription at an EHR stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SubscriptionState {
    /// It is to be made.
    Wanted,
    /// It was made; the EHR does not say yet that it works.
    Requested,
    /// The EHR says that it works.
    Active,
    /// The EHR says that it does not.
    Error,
    /// The EHR does not make it.
    Refused,
    /// It is to be deleted.
    Unwanted,
}

impl SubscriptionState {
    const ALL: [Self; 6] = [Self::Wanted, Self::Requested, Self::Active, Self::Error, Self::Refused, Self::Unwanted];

    /// The word used in the database and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wanted => "wanted",
            Self::Requested => "requested",
            Self::Active => "active",
            Self::Error => "error",
            Self::Refused => "refused",
            Self::Unwanted => "unwanted",
        }
    }

    /// The state with this name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

const fn quarter_of_an_hour() -> u16 {
    15
}

const fn month() -> u16 {
    30
}

const fn two_minutes() -> u16 {
    120
}

impl WayBackRules {
    /// Whether something of this kind is looked for.
    #[must_use]
    pub fn wants(&self, kind: RecommendationKind) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&kind)
    }

    /// How often it is looked for.
    #[must_use]
    pub fn every(&self) -> SignedDuration {
        SignedDuration::from_mins(i64::from(self.poll_minutes))
    }

    /// How far back the first look goes.
    #[must_use]
    pub fn look_back(&self) -> SignedDuration {
        SignedDuration::from_hours(24 * i64::from(self.look_back_days))
    }

    /// How much of what was seen each look sees again.
    #[must_use]
    pub fn overlap(&self) -> SignedDuration {
        SignedDuration::from_secs(i64::from(self.overlap_seconds))
    }
}
