//! The words of what clinics have for members: the same wherever they are shown.

use crate::consent::decide::DenyReason;
use crate::domain::recommendation::{
    Answer, AnswerFate, AppointmentNews, RecommendationKind, RecommendationState, Said,
};

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

/// What stands before what it says, so that it is not misread: the keys of its words.
pub fn before(says: &Said) -> impl Iterator<Item = &'static str> {
    let news = says.appointment.map(|news| match news {
        AppointmentNews::Pending => "appointment-pending",
        AppointmentNews::Booked => "appointment-booked",
        AppointmentNews::Cancelled => "appointment-cancelled",
    });
    let not = says.is_not_to_be_done.then_some("message-not-to-be-done");
    [news, not].into_iter().flatten()
}

/// What became of an answer on its way to the clinic, which the next summary may say where nothing else does: the key of its
/// words.
pub const fn fate(fate: AnswerFate, is_on_page: bool) -> &'static str {
    match fate {
        AnswerFate::Waiting => "answer-waiting",
        AnswerFate::Told => "answer-told",
        AnswerFate::NotTold if is_on_page => "answer-on-page",
        AnswerFate::NotTold => "answer-not-told",
    }
}

/// The same in a word, in the list: the key of its words.
pub const fn answer_fate(fate: AnswerFate) -> &'static str {
    match fate {
        AnswerFate::Waiting => "answered-waiting",
        AnswerFate::Told => "answered-told",
        AnswerFate::NotTold => "answered-not-told",
    }
}

/// Why nothing can be answered now: the key of its words.
pub const fn why_not(reason: DenyReason) -> &'static str {
    match reason {
        DenyReason::Paused => "message-paused",
        _ => "message-not-shared",
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
