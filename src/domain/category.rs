//! What a member can share, kind by kind, and how finely.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

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
}

impl Category {
    /// Every category, in the order in which people are shown them.
    pub const ALL: [Self; 3] = [Self::Mood, Self::Note, Self::Tags];

    /// The word used in the API, the database and the logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mood => "mood",
            Self::Note => "note",
            Self::Tags => "tags",
        }
    }

    /// The category with this name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|category| category.as_str() == name)
    }
}

/// How finely a category is shared.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Detail {
    /// Each entry as it was made.
    EveryEntry,
}
