//! What a member does with something that a clinic has for them: it reaches them, they read it, they answer. Each is one
//! transaction of the caller's, and everything that follows from it.

use jiff::Timestamp;

use super::Bridge;
use crate::domain::ids::{MemberId, RecommendationId};
use crate::domain::recommendation::{Answer, LONGEST_ANSWER, Recommendation, RecommendationState};
use crate::recommendations::{self, RecommendationError};
use crate::store::{NewAnswer, SealedRecommendation, StoreError, Tx};
use crate::vault::{MemberKey, SealError};

/// An answer that could not be taken; nothing of it was stored.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// The member has no such recommendation.
    #[error("there is nothing with this id")]
    NotFound,
    /// It cannot be answered so, or no longer.
    #[error("it cannot be answered so, or no longer")]
    NotNow,
    /// What they wrote cannot be sent.
    #[error("expected a text of 1 to {LONGEST_ANSWER} characters")]
    Text,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A value could not be sealed or opened.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// What is kept cannot be read.
    #[error("what is kept for the member cannot be read")]
    Unreadable,
}

impl From<RecommendationError> for AnswerError {
    fn from(error: RecommendationError) -> Self {
        match error {
            RecommendationError::Store(error) => Self::Store(error),
            RecommendationError::Seal(error) => Self::Seal(error),
            RecommendationError::Unreadable => Self::Unreadable,
        }
    }
}

/// The member was told that something is there for them. What comes late changes nothing.
///
/// # Errors
/// [`AnswerError::NotFound`], or another one when it could not be written.
pub async fn delivered(
    bridge: &Bridge,
    tx: &mut Tx,
    member: MemberId,
    id: RecommendationId,
    now: Timestamp,
) -> Result<(), AnswerError> {
    let (_, row) = held(bridge, tx, member, id).await?;
    reach(tx, &row, RecommendationState::Delivered, now).await
}

/// The member has read something. What comes late changes nothing.
///
/// # Errors
/// [`AnswerError::NotFound`], or another one when it could not be written.
pub async fn seen(
    bridge: &Bridge,
    tx: &mut Tx,
    member: MemberId,
    id: RecommendationId,
    now: Timestamp,
) -> Result<(), AnswerError> {
    let (_, row) = held(bridge, tx, member, id).await?;
    reach(tx, &row, RecommendationState::Seen, now).await
}

/// The member answers. Returns how it stands then.
///
/// # Errors
/// [`AnswerError`]; the transaction must then be dropped.
pub async fn answer(
    bridge: &Bridge,
    tx: &mut Tx,
    member: MemberId,
    id: RecommendationId,
    answer: Answer,
    now: Timestamp,
) -> Result<Recommendation, AnswerError> {
    let answer = tidied(answer)?;
    let (key, row) = held(bridge, tx, member, id).await?;
    let mut recommendation = recommendations::open(&key, row.clone())?;
    if !recommendation.takes(&answer) {
        return Err(AnswerError::NotNow);
    }
    let to = match answer.leads_to() {
        Some(to) => row.state.step(to).map_err(|_| AnswerError::NotNow)?,
        // Whoever asks has read it.
        None => row.state.step(RecommendationState::Seen).map_err(|_| AnswerError::NotNow)?,
    };
    let ordinal = tx.answers(member, Some(id)).await?.last().map_or(1, |last| last.ordinal + 1);
    let sealed = answer.text().map(|text| recommendations::seal_answer(&key, id, ordinal, text)).transpose()?;
    let kept = NewAnswer {
        member,
        recommendation: id,
        answer: answer.as_str(),
        sealed,
        ordinal,
        task_identifier: None,
        identifier: None,
    };
    tx.insert_answer(&kept, now).await?;
    if to != row.state {
        tx.set_recommendation_state(&row, to, now).await?;
    }
    (recommendation.state, recommendation.updated_at) = (to, now);
    Ok(recommendation)
}

/// Holds the member, and finds what is theirs.
async fn held(
    bridge: &Bridge,
    tx: &mut Tx,
    member: MemberId,
    id: RecommendationId,
) -> Result<(MemberKey, SealedRecommendation), AnswerError> {
    match tx.lock_member(member).await {
        Err(StoreError::RowCount { .. }) => return Err(AnswerError::NotFound),
        locked => locked?,
    }
    let wrapped = tx.member_key(member).await?.ok_or(AnswerError::NotFound)?;
    let key = bridge.keyring.unwrap_member_key(member, &wrapped)?;
    Ok((key, tx.recommendation(member, id).await?.ok_or(AnswerError::NotFound)?))
}

/// Goes a step that is not the member's own word.
async fn reach(
    tx: &mut Tx,
    row: &SealedRecommendation,
    to: RecommendationState,
    now: Timestamp,
) -> Result<(), AnswerError> {
    match row.state.step(to) {
        Ok(to) if to != row.state => Ok(tx.set_recommendation_state(row, to, now).await?),
        // It was retracted in the meantime, or they are farther already.
        Ok(_) | Err(_) => Ok(()),
    }
}

/// The answer without blanks around it and control characters in it.
fn tidied(answer: Answer) -> Result<Answer, AnswerError> {
    let tidy = |text: &str| {
        let text: String = text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
        let text = text.trim().to_owned();
        if text.chars().count() > LONGEST_ANSWER { Err(AnswerError::Text) } else { Ok(text) }
    };
    Ok(match answer {
        Answer::Accept | Answer::Done => answer,
        Answer::Decline { reason } => {
            let reason = reason.map(|reason| tidy(&reason)).transpose()?;
            Answer::Decline { reason: reason.filter(|reason| !reason.is_empty()) }
        }
        Answer::Question { text } => {
            let text = tidy(&text)?;
            if text.is_empty() {
                return Err(AnswerError::Text);
            }
            Answer::Question { text }
        }
    })
}
