//! The words of what clinics have for members: the same wherever they are shown.

use crate::domain::recommendation::{Answer, AnswerFate, RecommendationKind, RecommendationState};

/// As what it stands there: the key of its words.
pub const fn what(kind: RecommendationKind) -> &'static str {
    match kind {
        RecommendationKind::Task => "message-kind-task",
        RecommendationKind::CommunicationRequest => "message-kind-request",
        RecommendationKind::Communication => "message-kind-communication",
        RecommendationKind::CarePlanActivity => "message-kind-plan",
        RecommendationKind::ServiceRequest => "message-kind-order",
        RecommendationKind::Appointment => "message-kind-appointment",
        RecommendationKind::Questionnaire => "message-kind-questionnaire",
    }
}

/// Where it stands in its life: the key of its words.
pub const fn life(state: RecommendationState) -> &'static str {
    match state {
        RecommendationState::Received => "life-received",
        RecommendationState::Delivered => "life-delivered",
        RecommendationState::Seen => "life-seen",
        RecommendationState::Accepted => "life-accepted",
        RecommendationState::Declined => "life-declined",
        RecommendationState::Done => "life-done",
        RecommendationState::Retracted => "life-retracted",
    }
}

/// What became of an answer on its way to the clinic: the key of its words.
pub const fn fate(fate: AnswerFate) -> &'static str {
    match fate {
        AnswerFate::Waiting => "answer-waiting",
        AnswerFate::Told => "answer-told",
        AnswerFate::NotTold => "answer-not-told",
    }
}

/// What the member answered: the key of its words.
pub const fn answered(answer: &Answer) -> &'static str {
    match answer {
        Answer::Accept => "message-answer-accept",
        Answer::Decline { .. } => "message-answer-decline",
        Answer::Done => "message-answer-done",
        Answer::Question { .. } => "message-answer-question",
    }
}
