//! What a member's readings amount to over a day or a week.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::activity::Activity;
use super::category::{Category, Detail};
use super::decimal::Decimal;
use super::ids::MemberId;
use super::label::Label;
use super::measurement::Measured;
use super::moment::Moment;
use super::questionnaire::Instrument;
use super::reading::{Measure, Rating, Reading, StateOfMindKind};
use super::statistics::{Spread, plain};

/// The readings of a category on one scale over a day or week that is over. Free text is never part of one. A personal
/// value: its `Debug` shows the kind only.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Whose readings.
    pub member: MemberId,
    /// Of a day or of a week.
    pub detail: Detail,
    /// The first day of the whole period, also where less of it is covered.
    pub first_day: Date,
    /// From when on.
    pub start: Moment,
    /// Its last second, of which it still speaks (R4, datatypes, Period: the end is inclusive).
    pub last: Moment,
    /// How many days that is.
    pub days: u32,
    /// On how many of them there is no entry.
    pub days_missing: u32,
    /// How many entries there are.
    pub entries: u32,
    /// The sensitivity labels of the entries, beside those of their category.
    pub labels: BTreeSet<Label>,
    /// Whether devices vouch for all of the entries. Where it is not so, nothing is said of it, as before it was known.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_device: bool,
    /// What they amount to.
    pub figures: Figures,
}

/// What readings amount to.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Figures {
    /// Numbers on a scale.
    Numbers(Scale, Spread),
    /// How often each tag was used, the most frequent first.
    Tags {
        /// The tags.
        counts: Vec<TagCount>,
        /// How many more there are, each of them rarer.
        left_out: u32,
    },
    /// How often what happened in the community.
    Activity(Activity),
}

/// How many entries have a tag.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagCount {
    /// The tag.
    pub tag: String,
    /// How many.
    pub entries: u32,
}

/// On what a number stands. Numbers of different scales are never put together.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// A rating between the bounds of its source.
    Rating {
        /// The worst value.
        worst: Decimal,
        /// The best value.
        best: Decimal,
    },
    /// The valence of states of mind of one kind, from −1 to 1.
    Valence(StateOfMindKind),
    /// What was measured, in its unit. Of what adds up, the numbers are those of whole days.
    Measured(Measured),
    /// The total of an instrument, from 0 on: more is worse.
    Score(Instrument),
}

impl Scale {
    /// What makes it the same scale, however its bounds are written.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Rating { worst, best } => format!("rating {} {}", plain(worst), plain(best)),
            Self::Valence(StateOfMindKind::DailyMood) => "valence daily-mood".to_owned(),
            Self::Valence(StateOfMindKind::MomentaryEmotion) => "valence momentary-emotion".to_owned(),
            Self::Measured(of) => format!("measured {}", of.as_str()),
            Self::Score(instrument) => format!("score {}", instrument.as_str()),
        }
    }

    /// How far up a number stands, from 0 (worst, or least) to 1 (best, or most): to draw it, not to write it.
    #[must_use]
    pub fn height(&self, number: &Decimal) -> f64 {
        let (worst, best) = match self {
            Self::Rating { worst, best } => (worst.approximate(), best.approximate()),
            Self::Valence(_) => (-1.0, 1.0),
            Self::Measured(of) => of.drawn_between(),
            Self::Score(instrument) => (0.0, f64::from(instrument.most())),
        };
        ((number.approximate() - worst) / (best - worst)).clamp(0.0, 1.0)
    }
}

impl Reading {
    /// The numbers that it says, each with its scale.
    #[must_use]
    pub fn numbers(&self) -> Vec<(Scale, Cow<'_, Decimal>)> {
        let mood = match &self.measure {
            Measure::Mood(mood) => mood,
            Measure::Measurement(it) => return vec![(Scale::Measured(it.of), Cow::Borrowed(&it.value))],
            Measure::Questionnaire(answers) => {
                let total = answers.total().map(|total| Cow::Owned(Decimal::from(i32::from(total))));
                return total.map(|total| (Scale::Score(answers.instrument()), total)).into_iter().collect();
            }
            Measure::Note(_) | Measure::Tags(_) | Measure::Agenda(_) | Measure::Deed(_) => return Vec::new(),
        };
        let rated = |rating: &Rating| Scale::Rating { worst: rating.worst.clone(), best: rating.best.clone() };
        let rating = mood.rating.as_ref().map(|rating| (rated(rating), Cow::Borrowed(&rating.value)));
        let valence = mood.state_of_mind.as_ref();
        let valence = valence.map(|state| (Scale::Valence(state.kind), Cow::Borrowed(&state.valence)));
        rating.into_iter().chain(valence).collect()
    }
}

impl Category {
    /// Whether there are summaries of it: not of free text, which says more than any figure.
    #[must_use]
    pub const fn is_summarised(self) -> bool {
        match self {
            Self::Mood
            | Self::Tags
            | Self::Sleep
            | Self::Activity
            | Self::Heart
            | Self::Questionnaires
            | Self::Community => true,
            Self::Note | Self::Agenda => false,
        }
    }
}

impl Summary {
    /// Under which consent it falls.
    #[must_use]
    pub const fn category(&self) -> Category {
        match self.figures {
            Figures::Numbers(Scale::Rating { .. } | Scale::Valence(_), _) => Category::Mood,
            Figures::Numbers(Scale::Measured(of), _) => of.category(),
            Figures::Numbers(Scale::Score(_), _) => Category::Questionnaires,
            Figures::Tags { .. } => Category::Tags,
            Figures::Activity(_) => Category::Community,
        }
    }

    /// What tells it apart from other summaries of the same period.
    #[must_use]
    pub fn scale_name(&self) -> String {
        match &self.figures {
            Figures::Numbers(scale, _) => scale.name(),
            Figures::Tags { .. } => "tags".to_owned(),
            Figures::Activity(_) => "activity".to_owned(),
        }
    }
}

impl fmt::Debug for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Summary({} {})", self.detail.as_str(), self.category().as_str())
    }
}

impl fmt::Debug for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rating { .. } => "Rating(..)",
            Self::Valence(_) => "Valence(..)",
            Self::Measured(_) => "Measured(..)",
            Self::Score(_) => "Score(..)",
        })
    }
}
