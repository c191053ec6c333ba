//! What a clinic has for a member: a recommendation or a piece of news, what becomes of it, and what they answer.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::ids::{ClinicId, MemberId, RecommendationId};
use super::questionnaire::Instrument;

/// The longest text that a member may write to a clinic, in characters.
pub const LONGEST_ANSWER: usize = 2000;

/// Something that a clinic has for a member, as the bridge keeps it for them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recommendation {
    /// Which. The same for all versions of what the EHR has.
    pub id: RecommendationId,
    /// For whom.
    pub member: MemberId,
    /// From which clinic.
    pub clinic: ClinicId,
    /// As what it stands in the EHR.
    pub kind: RecommendationKind,
    /// What became of it.
    pub state: RecommendationState,
    /// What it says; nothing once it was retracted.
    pub says: Option<Said>,
    /// When this version came in.
    pub received_at: Timestamp,
    /// When anything about it last changed here.
    pub updated_at: Timestamp,
}

/// As what something for a member stands in an EHR.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecommendationKind {
    /// Something to do (FHIR `Task`).
    Task,
    /// Something that is to be said to them (`CommunicationRequest`).
    CommunicationRequest,
    /// Something that was said to them (`Communication`).
    Communication,
    /// A part of their plan (`CarePlan.activity`).
    CarePlanActivity,
    /// Something that was ordered for them (`ServiceRequest`).
    ServiceRequest,
    /// News of an appointment (`Appointment`).
    Appointment,
    /// A questionnaire that they are asked to fill in (a `Task` about a `Questionnaire`).
    Questionnaire,
}

/// The life of a recommendation: `received → delivered → seen → accepted | declined → done`; `retracted` when the EHR
/// withdraws it. A new version that says something else begins anew.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecommendationState {
    /// It came in; the member was told nothing yet.
    Received,
    /// The member was told that it is there.
    Delivered,
    /// The member has read it.
    Seen,
    /// The member wants to do it.
    Accepted,
    /// The member does not want to do it.
    Declined,
    /// It is done.
    Done,
    /// The clinic took it back.
    Retracted,
}

/// A step that its life does not allow.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("what is {from} cannot become {to}")]
pub struct InvalidStep {
    from: &'static str,
    to: &'static str,
}

/// What a recommendation says, in plain text. Personal: its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each says something of its own about the text")]
pub struct Said {
    /// The text. Empty where it is unclear.
    pub text: String,
    /// Who recommends it, as the EHR calls them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Since when they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authored: Option<When>,
    /// From when on it is meant, or when it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<When>,
    /// Until when it is due, or lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<When>,
    /// Whether it is more than routine (FHIR `request-priority` above `routine`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_urgent: bool,
    /// Whether it says what is *not* to be done (FHIR `doNotPerform`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_not_to_be_done: bool,
    /// Whether the EHR marked it with something that changes its meaning and is not understood here: what it says is then
    /// not kept, and the member is sent to the clinic.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_unclear: bool,
    /// Whether there is something to do, so that it can be accepted, declined and done.
    pub is_actionable: bool,
    /// Whether it can be answered at all, if only with a question.
    pub is_answerable: bool,
    /// Where an appointment stands, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appointment: Option<AppointmentNews>,
    /// The questionnaire that it asks for, if the bridge has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub questionnaire: Option<Instrument>,
    /// Where it stands in the EHR.
    pub source: Source,
}

/// Where an appointment stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AppointmentNews {
    /// It waits for somebody to say yes.
    Pending,
    /// It will be.
    Booked,
    /// It will not be.
    Cancelled,
}

/// When something is: a day, or an instant where the EHR says one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// A day, nobody says at what time.
    Day(Date),
    /// An instant.
    At(Timestamp),
}

/// Where something stands in an EHR. Personal: its `Debug` shows the type only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// FHIR resource type.
    pub resource_type: String,
    /// The id that the EHR gave it.
    pub id: String,
    /// Which part of it, where it has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
}

/// What a member answers. Personal: its `Debug` shows its word only.
#[derive(Clone, PartialEq, Eq)]
pub enum Answer {
    /// They want to do it.
    Accept,
    /// They do not want to do it.
    Decline {
        /// Why not, if they say so.
        reason: Option<String>,
    },
    /// They have done it.
    Done,
    /// They want to know something.
    Question {
        /// What.
        text: String,
    },
}

/// What a member answered, as it is kept. Personal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answered {
    /// What.
    pub answer: Answer,
    /// When.
    pub at: Timestamp,
    /// Whether the clinic knows.
    pub fate: AnswerFate,
}

/// What became of an answer on its way to the clinic.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AnswerFate {
    /// It is on its way.
    Waiting,
    /// The clinic's EHR has it.
    Told,
    /// It will not go: the EHR has no place for it, or refused it, or the consent has ended.
    NotTold,
}

/// What goes to a clinic about something that it has for a member: it takes their consent.
#[derive(Clone, Copy, Debug)]
pub struct Reply<'a> {
    /// From whom.
    pub member: MemberId,
    /// To what.
    pub to: &'a Source,
    /// What.
    pub says: Says<'a>,
}

/// What a clinic is told about something that it has for a member.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Says<'a> {
    /// They were told that it is there.
    Delivered,
    /// They have read it.
    Seen,
    /// They answer.
    Answer(&'a Answer),
}

impl RecommendationKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Task,
        Self::CommunicationRequest,
        Self::Communication,
        Self::CarePlanActivity,
        Self::ServiceRequest,
        Self::Appointment,
        Self::Questionnaire,
    ];

    /// The word used in the settings, the database and the logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Task => "task",
            Self::CommunicationRequest => "communication-request",
            Self::Communication => "communication",
            Self::CarePlanActivity => "care-plan-activity",
            Self::ServiceRequest => "service-request",
            Self::Appointment => "appointment",
            Self::Questionnaire => "questionnaire",
        }
    }

    /// The kind with this name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl RecommendationState {
    /// Every state, in the order of the way.
    pub const ALL: [Self; 7] =
        [Self::Received, Self::Delivered, Self::Seen, Self::Accepted, Self::Declined, Self::Done, Self::Retracted];

    /// The word used in the database and the logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Delivered => "delivered",
            Self::Seen => "seen",
            Self::Accepted => "accepted",
            Self::Declined => "declined",
            Self::Done => "done",
            Self::Retracted => "retracted",
        }
    }

    /// The state with this name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Where it stands after a step. What comes late changes nothing: what was answered was seen, and stays answered.
    ///
    /// # Errors
    /// [`InvalidStep`] when its life does not allow it.
    pub fn step(self, to: Self) -> Result<Self, InvalidStep> {
        let is_unanswered = matches!(self, Self::Received | Self::Delivered | Self::Seen);
        let next = match to {
            // A version that says something else, whatever became of the one before it; or none any more.
            Self::Received | Self::Retracted => Some(to),
            Self::Delivered | Self::Seen if self == Self::Retracted => None,
            Self::Delivered | Self::Seen => Some(self.max(to)),
            Self::Accepted => (is_unanswered || self == to).then_some(to),
            Self::Declined | Self::Done => (is_unanswered || self == Self::Accepted || self == to).then_some(to),
        };
        next.ok_or(InvalidStep { from: self.as_str(), to: to.as_str() })
    }
}

impl Recommendation {
    /// Whether this answer can be given to it now.
    #[must_use]
    pub fn takes(&self, answer: &Answer) -> bool {
        let Some(says) = &self.says else { return false };
        match answer.leads_to() {
            None => says.is_answerable && self.state != RecommendationState::Retracted,
            Some(to) => says.is_actionable && self.state != to && self.state.step(to).is_ok(),
        }
    }
}

impl Answer {
    /// The word used in the database and the logs.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Decline { .. } => "decline",
            Self::Done => "done",
            Self::Question { .. } => "question",
        }
    }

    /// The answer with this word and text, if there is one.
    #[must_use]
    pub fn from_parts(word: &str, text: Option<String>) -> Option<Self> {
        match (word, text) {
            ("accept", _) => Some(Self::Accept),
            ("decline", reason) => Some(Self::Decline { reason }),
            ("done", _) => Some(Self::Done),
            ("question", Some(text)) => Some(Self::Question { text }),
            _ => None,
        }
    }

    /// What they wrote, if anything.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Accept | Self::Done => None,
            Self::Decline { reason } => reason.as_deref(),
            Self::Question { text } => Some(text),
        }
    }

    /// Where it leads; nowhere for a question.
    #[must_use]
    pub const fn leads_to(&self) -> Option<RecommendationState> {
        match self {
            Self::Accept => Some(RecommendationState::Accepted),
            Self::Decline { .. } => Some(RecommendationState::Declined),
            Self::Done => Some(RecommendationState::Done),
            Self::Question { .. } => None,
        }
    }
}

impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Said(..)")
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({})", self.resource_type)
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answer({})", self.as_str())
    }
}

#[cfg(test)]
#[path = "recommendation_tests.rs"]
mod tests;
