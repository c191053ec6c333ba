//! What a member can share, kind by kind, and how finely.
//!
//! How a member found a visit is none of these kinds, although it is asked for by itself: no clinic and no community ever gets
//! it, so there is nothing to be granted to anybody. Whoever answers consents to being counted, and may say that they do not want
//! to; what is kept is how many said what of a kind of visit in a month (`visit_ratings`), and no key opens who.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::label::Label;

/// A kind of data that is consented to on its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    /// How the member rated their mood.
    Mood,
    /// Free text of a diary. Never travels with anything else.
    Note,
    /// Short words the member attached to an entry ("slept badly", "walk").
    Tags,
    /// How long and how well the member slept.
    Sleep,
    /// How much the member moved, exercised, meditated.
    Activity,
    /// Heart rate, and how it varies.
    Heart,
    /// Answers to validated questionnaires, and their totals.
    Questionnaires,
    /// What the member wants to talk about, in their own words. It stands on pages for clinics, and with a visit that they
    /// ask for if they say why; it goes by no other way.
    Agenda,
    /// What the member does in their community, and others towards them: counted for each week, and nothing finer.
    Community,
}

impl Category {
    /// Every category, in the order in which people are shown them.
    pub const ALL: [Self; 9] = [
        Self::Mood,
        Self::Note,
        Self::Tags,
        Self::Sleep,
        Self::Activity,
        Self::Heart,
        Self::Questionnaires,
        Self::Agenda,
        Self::Community,
    ];

    /// The word used in the API, the database and the logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mood => "mood",
            Self::Note => "note",
            Self::Tags => "tags",
            Self::Sleep => "sleep",
            Self::Activity => "activity",
            Self::Heart => "heart",
            Self::Questionnaires => "questionnaires",
            Self::Agenda => "agenda",
            Self::Community => "community",
        }
    }

    /// The sensitivity labels that everything in this category carries.
    #[must_use]
    pub const fn labels(self) -> &'static [Label] {
        match self {
            // A community for mental health is one.
            Self::Mood | Self::Note | Self::Tags | Self::Questionnaires | Self::Agenda | Self::Community => {
                &[Label::Psychiatry]
            }
            // Whoever counts steps need not be ill.
            Self::Sleep | Self::Activity | Self::Heart => &[],
        }
    }

    /// Whether nothing of it goes but on a page that says it among other things.
    #[must_use]
    pub const fn is_for_pages(self) -> bool {
        matches!(self, Self::Agenda)
    }

    /// Whether nothing of it goes but the summary of a week, however finely it is shared.
    #[must_use]
    pub const fn is_weekly_only(self) -> bool {
        matches!(self, Self::Community)
    }

    /// The category with this name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|category| category.as_str() == name)
    }
}

/// How finely a category is shared, from the coarsest to the finest: who may have the finer may have the coarser.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Detail {
    /// A summary of each week, no single entry.
    WeeklySummary,
    /// A summary of each day, no single entry.
    DailySummary,
    /// Each entry as it was made.
    EveryEntry,
}

impl Detail {
    /// Every detail, from the coarsest to the finest.
    pub const ALL: [Self; 3] = [Self::WeeklySummary, Self::DailySummary, Self::EveryEntry];

    /// The word used in the API, the database and the logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WeeklySummary => "weekly-summary",
            Self::DailySummary => "daily-summary",
            Self::EveryEntry => "every-entry",
        }
    }

    /// The detail with this name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|detail| detail.as_str() == name)
    }
}
