//! What is said of what clinics have for a member. The words themselves stand with the portal's.

use std::fmt;

use url::Url;

use super::{INBOX_PATH, SHARED_PATH, TALK_PATH};
use crate::domain::language::Language;
use crate::domain::recommendation::{RecommendationKind, Said};
use crate::domain::telling::{Channel, Grade, Subject};

/// Makes the words of messages that say that there is something in the portal.
pub trait TellingWords: fmt::Debug + Send + Sync {
    /// Subject and text. The subject says nothing about what there is, whatever the grade.
    fn words(&self, language: Language, saying: &Saying<'_>) -> (String, String);
}

/// What one message says. Personal.
#[derive(Clone, Copy)]
pub struct Saying<'a> {
    /// What there is.
    pub items: &'a [Item],
    /// The most that its channel may say of it.
    pub most: Grade,
    /// Channels that were closed, and of which the member was not told yet.
    pub closed: &'a [Channel],
    /// Where they find it, where that is written into the text.
    pub link: Option<&'a Url>,
    /// Whether the companion hears what they say to it there.
    pub is_heard: bool,
}

impl Saying<'_> {
    /// Whether it is one thing to do, said in full: then a word is an answer to it.
    #[must_use]
    pub fn takes_a_word(&self) -> bool {
        let [item] = self.items else { return false };
        let is_full = item.grade_in(self.most) == Grade::Full;
        self.is_heard && is_full && item.says.as_ref().is_some_and(|says| says.is_actionable && !says.is_unclear)
    }
}

/// What a member is told of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// Something that a clinic has for them, as it stands there.
    Kept(RecommendationKind),
    /// That the clinic was told something without their consent. Of that nothing is said outside of the portal.
    Warning,
    /// That they asked to be reminded.
    Wished,
}

impl What {
    /// Where they find it in the portal.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Kept(_) => INBOX_PATH,
            Self::Warning => SHARED_PATH,
            Self::Wished => TALK_PATH,
        }
    }
}

/// Something that a member is told of. Personal: its `Debug` does not tell.
pub struct Item {
    /// What the clinic is called; empty where it is nothing of a clinic's.
    pub clinic: String,
    /// What it is.
    pub what: What,
    /// What it says; nothing where the clinic took it back, or where nothing is said of it outside of the portal anyway.
    pub says: Option<Said>,
    /// The most that consent and the member let out of the portal.
    pub grade: Grade,
}

impl Item {
    /// How much of it a channel says that may say so much.
    #[must_use]
    pub fn grade_in(&self, most: Grade) -> Grade {
        self.grade.min(most)
    }
}

/// What something is, as far as members tell it apart.
#[must_use]
pub const fn subject_of(kind: RecommendationKind) -> Subject {
    match kind {
        RecommendationKind::Task | RecommendationKind::CarePlanActivity | RecommendationKind::ServiceRequest => {
            Subject::Recommendation
        }
        RecommendationKind::CommunicationRequest | RecommendationKind::Communication => Subject::Message,
        RecommendationKind::Appointment => Subject::Appointment,
        RecommendationKind::Questionnaire => Subject::Questionnaire,
    }
}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Item({})", self.what.path())
    }
}
