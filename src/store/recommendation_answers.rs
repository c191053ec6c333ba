//! What members answer to what clinics have for them, still sealed; and how far each answer came.

use jiff::Timestamp;
use uuid::Uuid;

use super::{StoreError, Tx, instant, named, on};
use crate::domain::delivery::DeliveryState;
use crate::domain::ids::{MemberId, RecommendationId};

/// An answer to be stored.
#[derive(Clone, Debug)]
pub struct NewAnswer {
    /// Whose.
    pub member: MemberId,
    /// To what.
    pub recommendation: RecommendationId,
    /// Its word.
    pub answer: &'static str,
    /// What they wrote, sealed with the member's key.
    pub sealed: Option<Vec<u8>>,
    /// Its place among the answers.
    pub ordinal: i64,
    /// The item of the outbox that changes the Task.
    pub task_identifier: Option<String>,
    /// The item of the outbox that is a Communication.
    pub identifier: Option<String>,
}

/// An answer, as it is stored.
#[derive(Clone, Debug)]
pub struct AnswerRow {
    /// To what.
    pub recommendation: RecommendationId,
    /// Its place among the answers.
    pub ordinal: i64,
    /// Its word.
    pub answer: String,
    /// What they wrote, sealed with the member's key.
    pub sealed: Option<Vec<u8>>,
    /// When.
    pub at: Timestamp,
    /// Where the newest items stand that tell it: the one that changes the Task, and the one that is a Communication.
    pub told: [Option<DeliveryState>; 2],
}

type AnswerColumns = (Uuid, i64, String, Option<Vec<u8>>, i64, Option<String>, Option<String>);

/// Where the newest item with this identifier stands; what waits on a lane whose consent ended since is withdrawn, whatever
/// its row says as yet.
macro_rules! told_by {
    ($identifier:literal) => {
        concat!(
            "(SELECT CASE WHEN o.seq <= l.withdrawn_through AND o.state IN ('ready', 'retry', 'held') THEN 'withdrawn' \
             ELSE o.state END FROM outbox o JOIN lanes l ON l.clinic_id = o.clinic_id AND l.member_id = o.member_id \
             WHERE o.identifier = a.",
            $identifier,
            " AND o.member_id = a.member_id ORDER BY o.seq DESC LIMIT 1)"
        )
    };
}

impl Tx {
    /// Keeps an answer.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when its place is taken.
    pub async fn insert_answer(&mut self, answer: &NewAnswer, now: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO recommendation_answers (member_id, recommendation_id, ordinal, answer, \
             sealed_answer, answered_at, task_identifier, identifier) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        on!(self, conn => sqlx::query(SQL)
            .bind(answer.member.0)
            .bind(answer.recommendation.0)
            .bind(answer.ordinal)
            .bind(answer.answer)
            .bind(&answer.sealed)
            .bind(now.as_microsecond())
            .bind(&answer.task_identifier)
            .bind(&answer.identifier)
            .execute(conn)
            .await?
            .rows_affected());
        Ok(())
    }

    /// A member's answers to something, or to everything, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn answers(
        &mut self,
        member: MemberId,
        to: Option<RecommendationId>,
    ) -> Result<Vec<AnswerRow>, StoreError> {
        const SQL: &str = concat!(
            "SELECT a.recommendation_id, a.ordinal, a.answer, a.sealed_answer, a.answered_at, ",
            told_by!("task_identifier"),
            ", ",
            told_by!("identifier"),
            " FROM recommendation_answers a WHERE a.member_id = $1 AND ($2 IS NULL OR a.recommendation_id = $2) \
             ORDER BY a.recommendation_id, a.ordinal"
        );
        let rows: Vec<AnswerColumns> = on!(self, conn => sqlx::query_as(SQL)
            .bind(member.0)
            .bind(to.map(|to| to.0))
            .fetch_all(conn)
            .await?);
        let state = |name: Option<String>| {
            name.map(|name| named(DeliveryState::from_name(&name), "a delivery state it should not")).transpose()
        };
        rows.into_iter()
            .map(|(recommendation, ordinal, answer, sealed, at, by_task, by_message)| {
                let recommendation = RecommendationId(recommendation);
                let told = [state(by_task)?, state(by_message)?];
                Ok(AnswerRow { recommendation, ordinal, answer, sealed, at: instant(at)?, told })
            })
            .collect()
    }
}
