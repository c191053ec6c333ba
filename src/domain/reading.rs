//! A reading: one normalized fact that a member reported, on the scale of its source.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::activity::Deed;
use super::category::Category;
use super::decimal::Decimal;
use super::ids::{MemberId, ReadingId};
use super::label::Label;
use super::matter::Fact;
use super::measurement::Measurement;
use super::moment::Moment;
use super::questionnaire::Answers;

/// One measured or reported fact, ready for a consent decision.
#[derive(Clone, PartialEq)]
pub struct Reading {
    /// Derived from the source record.
    pub id: ReadingId,
    /// Whose it is.
    pub member: MemberId,
    /// When it was lived, in the member's local time.
    pub moment: Moment,
    /// What was reported.
    pub measure: Measure,
    /// The sensitivity labels that its source gave it, beside those of its category.
    pub labels: BTreeSet<Label>,
    /// By which way it came: the source of its event. Of what was kept before this was noted, nobody knows.
    pub source: Option<String>,
}

/// The word that a reading is no longer one: its member deleted it. To say so to a clinic discloses no less than the
/// reading did, and falls under the same consent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Retraction {
    /// Whose reading it was.
    pub member: MemberId,
    /// What the clinic was last told of it.
    pub fact: Fact,
}

/// What was reported. A personal value: its `Debug` shows the kind only.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// A mood.
    Mood(Mood),
    /// Free text of a diary.
    Note(String),
    /// Words attached to an entry.
    Tags(Vec<String>),
    /// A number that was measured or counted.
    Measurement(Measurement),
    /// Answers to a questionnaire.
    Questionnaire(Answers),
    /// What the member wants to talk about; empty: nothing any more.
    Agenda(String),
    /// Something that happened in the community.
    Deed(Deed),
}

/// A mood on the scale of its source, and HealthKit's state of mind where the source knows it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Mood {
    /// The rating, if the source rates.
    pub rating: Option<Rating>,
    /// The source's own word for it ("meh").
    pub label: Option<String>,
    /// State of mind, if the source measures valence.
    pub state_of_mind: Option<StateOfMind>,
}

/// A number on a scale whose bounds travel with it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Rating {
    /// The member's number.
    pub value: Decimal,
    /// The worst value of the scale.
    pub worst: Decimal,
    /// The best value of the scale.
    pub best: Decimal,
}

/// A state of mind as HealthKit records it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct StateOfMind {
    /// Over which time the member spoke.
    pub kind: StateOfMindKind,
    /// From −1 (very unpleasant) to 1 (very pleasant).
    pub valence: Decimal,
    /// The source's own class of that valence. Never computed here.
    pub classification: Option<ValenceClassification>,
}

/// Over which time a state of mind speaks (PHR Format IG 1.0.0-ballot2, state-of-mind-kind-codes).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StateOfMindKind {
    /// The whole day.
    DailyMood,
    /// This moment.
    MomentaryEmotion,
}

/// The classes of valence (PHR Format IG 1.0.0-ballot2, state-of-mind-valence-codes).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the published codes and say it all")]
pub enum ValenceClassification {
    VeryUnpleasant,
    Unpleasant,
    SlightlyUnpleasant,
    Neutral,
    SlightlyPleasant,
    Pleasant,
    VeryPleasant,
}

impl Measure {
    /// Under which consent it falls.
    #[must_use]
    pub const fn category(&self) -> Category {
        match self {
            Self::Mood(_) => Category::Mood,
            Self::Note(_) => Category::Note,
            Self::Tags(_) => Category::Tags,
            Self::Measurement(measurement) => measurement.of.category(),
            Self::Questionnaire(_) => Category::Questionnaires,
            Self::Agenda(_) => Category::Agenda,
            Self::Deed(_) => Category::Community,
        }
    }
}

impl fmt::Debug for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Measure::{}(..)", self.category().as_str())
    }
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reading").field("id", &self.id).field("measure", &self.measure).finish_non_exhaustive()
    }
}
