//! What clinics have for members, as it is kept for them: sealed with their own key, opened, found.

use jiff::Timestamp;

use crate::domain::delivery::DeliveryState;
use crate::domain::ids::RecommendationId;
use crate::domain::recommendation::{Answer, AnswerFate, Answered, Recommendation, Said};
use crate::store::{AnswerRow, SealedRecommendation, StoreError, Tx};
use crate::vault::{MemberKey, SealError};

/// The column they are sealed for; their row is their id.
const COLUMN: &str = "recommendations.sealed_recommendation";

/// The column answers are sealed for; their row is what they answer, and their place among the answers to it.
const ANSWER_COLUMN: &str = "recommendation_answers.sealed_answer";

/// What is kept for a member cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RecommendationError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A value could not be sealed or opened.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// What was sealed is not what this version writes.
    #[error("a sealed value is not what it should be")]
    Unreadable,
}

/// Some of what clinics have for a member, and how to find what is after it.
#[derive(Debug)]
pub struct Page {
    /// The newest first.
    pub recommendations: Vec<Recommendation>,
    /// Where the next page begins; `None` when this is the last.
    pub next: Option<(Timestamp, RecommendationId)>,
}

/// Seals what something says with its member's key.
///
/// # Errors
/// [`RecommendationError`].
pub fn seal(key: &MemberKey, id: RecommendationId, says: &Said) -> Result<Vec<u8>, RecommendationError> {
    let plain = serde_json::to_vec(says).map_err(|_| RecommendationError::Unreadable)?;
    Ok(key.seal(COLUMN, id.0.as_bytes(), &plain)?)
}

/// Seals what a member wrote as the answer at this place.
///
/// # Errors
/// [`RecommendationError`].
pub fn seal_answer(
    key: &MemberKey,
    to: RecommendationId,
    ordinal: i64,
    text: &str,
) -> Result<Vec<u8>, RecommendationError> {
    Ok(key.seal(ANSWER_COLUMN, &answer_row(to, ordinal), text.as_bytes())?)
}

/// Opens something for the member whose key it is.
///
/// # Errors
/// [`RecommendationError`].
pub fn open(key: &MemberKey, row: SealedRecommendation) -> Result<Recommendation, RecommendationError> {
    let opened = row.sealed.map(|sealed| key.open(COLUMN, row.id.0.as_bytes(), &sealed)).transpose()?;
    let read = |plain: Vec<u8>| serde_json::from_slice(&plain).map_err(|_| RecommendationError::Unreadable);
    Ok(Recommendation {
        id: row.id,
        member: row.member,
        clinic: row.clinic,
        kind: row.kind,
        state: row.state,
        says: opened.map(read).transpose()?,
        received_at: row.received_at,
        updated_at: row.updated_at,
    })
}

/// A page of what clinics have for the member whose key it is, the newest first: at most so many, after that one if it is
/// given. What does not open is left out; the log says so.
///
/// # Errors
/// [`RecommendationError::Store`].
pub async fn page(
    tx: &mut Tx,
    key: &MemberKey,
    after: Option<(Timestamp, RecommendationId)>,
    limit: i64,
) -> Result<Page, RecommendationError> {
    let rows = tx.recommendations(key.member(), after, limit).await?;
    let is_full = i64::try_from(rows.len()).is_ok_and(|found| found >= limit);
    let next = rows.last().filter(|_| is_full).map(|row| (row.received_at, row.id));
    Ok(Page { recommendations: rows.into_iter().filter_map(|row| readable(key, open(key, row))).collect(), next })
}

/// One of them, if the member has it.
///
/// # Errors
/// [`RecommendationError`].
pub async fn one(
    tx: &mut Tx,
    key: &MemberKey,
    id: RecommendationId,
) -> Result<Option<Recommendation>, RecommendationError> {
    tx.recommendation(key.member(), id).await?.map(|row| open(key, row)).transpose()
}

/// What the member whose key it is answered to something, or to everything; the oldest first. What does not open is left
/// out; the log says so.
///
/// # Errors
/// [`RecommendationError::Store`].
pub async fn answers(
    tx: &mut Tx,
    key: &MemberKey,
    to: Option<RecommendationId>,
) -> Result<Vec<(RecommendationId, Answered)>, RecommendationError> {
    let rows = tx.answers(key.member(), to).await?;
    Ok(rows.into_iter().filter_map(|row| readable(key, open_answer(key, &row))).collect())
}

fn open_answer(key: &MemberKey, row: &AnswerRow) -> Result<(RecommendationId, Answered), RecommendationError> {
    let place = answer_row(row.recommendation, row.ordinal);
    let opened = row.sealed.as_ref().map(|sealed| key.open(ANSWER_COLUMN, &place, sealed)).transpose()?;
    let text = opened.map(String::from_utf8).transpose().map_err(|_| RecommendationError::Unreadable)?;
    let answer = Answer::from_parts(&row.answer, text).ok_or(RecommendationError::Unreadable)?;
    Ok((row.recommendation, Answered { answer, at: row.at, fate: fate(row.told) }))
}

/// One item that tells it is enough.
fn fate(told: [Option<DeliveryState>; 2]) -> AnswerFate {
    let told = || told.into_iter().flatten();
    if told().any(|state| state == DeliveryState::Confirmed) {
        AnswerFate::Told
    } else if told().any(|state| state.is_open() || state == DeliveryState::Held) {
        AnswerFate::Waiting
    } else {
        AnswerFate::NotTold
    }
}

fn answer_row(to: RecommendationId, ordinal: i64) -> Vec<u8> {
    [&to.0.as_bytes()[..], &ordinal.to_be_bytes()].concat()
}

fn readable<T>(key: &MemberKey, opened: Result<T, RecommendationError>) -> Option<T> {
    let say = |error: &RecommendationError| {
        tracing::error!(member_id = %key.member(), %error, "something for a member cannot be read");
    };
    opened.inspect_err(say).ok()
}
