//! What members are still to be told of.

use jiff::Timestamp;
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::{ROWS_PER_STATEMENT, StoreError, Tx, instant, on};
use crate::domain::ids::{MemberId, RecommendationId};

/// Something that a member is still to be told of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TellingRow {
    /// What.
    pub recommendation: Uuid,
    /// The message that tells of it, if one was tried.
    pub message: Option<Uuid>,
    /// How often that was tried.
    pub attempts: i32,
    /// Since when.
    pub created_at: Timestamp,
}

/// One try of one message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Try {
    /// To whom.
    pub member: MemberId,
    /// The message.
    pub message: Uuid,
    /// Which try it is.
    pub attempt: i32,
}

/// The most that one message tells of.
const AT_ONCE: i64 = 200;

impl Tx {
    /// Has a member told of something, from now on: in the transaction that brings it. What they are already to be told of
    /// is told anew.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn put_telling(
        &mut self,
        member: MemberId,
        recommendation: Uuid,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO tellings (member_id, recommendation_id, attempts, due_at, created_at) \
             VALUES ($1, $2, 0, $3, $3) ON CONFLICT (member_id, recommendation_id) DO UPDATE \
             SET message_id = NULL, attempts = 0, due_at = excluded.due_at, created_at = excluded.created_at";
        let now = now.as_microsecond();
        on!(self, conn => sqlx::query(SQL)
            .bind(member.0)
            .bind(recommendation)
            .bind(now)
            .execute(conn)
            .await?
            .rows_affected());
        Ok(())
    }

    /// A member whom it is time to tell something.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn member_to_tell(&mut self, now: Timestamp) -> Result<Option<MemberId>, StoreError> {
        const SQL: &str = "SELECT member_id FROM tellings WHERE due_at <= $1 ORDER BY due_at LIMIT 1";
        let row: Option<Uuid> =
            on!(self, conn => sqlx::query_scalar(SQL).bind(now.as_microsecond()).fetch_optional(conn).await?);
        Ok(row.map(MemberId))
    }

    /// What it is time to tell a member, the oldest first. The caller holds the member ([`Tx::lock_member`]).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tellings_due(&mut self, member: MemberId, now: Timestamp) -> Result<Vec<TellingRow>, StoreError> {
        const SQL: &str = "SELECT recommendation_id, message_id, attempts, created_at FROM tellings \
             WHERE member_id = $1 AND due_at <= $2 ORDER BY created_at, recommendation_id LIMIT $3";
        let rows: Vec<(Uuid, Option<Uuid>, i32, i64)> = on!(self, conn => sqlx::query_as(SQL)
            .bind(member.0)
            .bind(now.as_microsecond())
            .bind(AT_ONCE)
            .fetch_all(conn)
            .await?);
        rows.into_iter()
            .map(|(recommendation, message, attempts, created_at)| {
                Ok(TellingRow { recommendation, message, attempts, created_at: instant(created_at)? })
            })
            .collect()
    }

    /// Whether a Task tells of something with itself: what it asks to do is not told beside it, as long as the Task stands.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn is_told_by_a_task(&mut self, member: MemberId, id: RecommendationId) -> Result<bool, StoreError> {
        const SQL: &str = "SELECT COUNT(*) FROM recommendations r JOIN recommendations t ON t.member_id = r.member_id \
             AND t.clinic_id = r.clinic_id AND t.focus_index = r.resource_index AND t.state <> 'retracted' \
             WHERE r.member_id = $1 AND r.recommendation_id = $2";
        let tasks: i64 = on!(self, conn => sqlx::query_scalar(SQL).bind(member.0).bind(id.0).fetch_one(conn).await?);
        Ok(tasks > 0)
    }

    /// How much of what clinics have for a member they have not read.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn count_unread(&mut self, member: MemberId) -> Result<i64, StoreError> {
        const SQL: &str = "SELECT COUNT(*) FROM recommendations r WHERE r.member_id = $1 \
             AND r.state IN ('received', 'delivered') AND NOT EXISTS (SELECT 1 FROM recommendations t \
             WHERE t.member_id = r.member_id AND t.clinic_id = r.clinic_id AND t.focus_index = r.resource_index \
             AND t.state <> 'retracted')";
        Ok(on!(self, conn => sqlx::query_scalar(SQL).bind(member.0).fetch_one(conn).await?))
    }

    /// Takes up some of it for one try of one message; should that never end, others see it again at `again_at`. The
    /// caller holds the member.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn take_tellings(&mut self, of: Try, what: &[Uuid], again_at: Timestamp) -> Result<(), StoreError> {
        for chunk in what.chunks(ROWS_PER_STATEMENT) {
            let changed = on!(self, conn: Db => {
                let mut query = QueryBuilder::<Db>::new("UPDATE tellings SET message_id = ");
                query.push_bind(of.message).push(", attempts = ").push_bind(of.attempt);
                query.push(", due_at = ").push_bind(again_at.as_microsecond());
                query.push(" WHERE member_id = ").push_bind(of.member.0).push(" AND recommendation_id IN (");
                let mut list = query.separated(", ");
                for recommendation in chunk {
                    list.push_bind(*recommendation);
                }
                query.push(")");
                query.build().execute(conn).await?.rows_affected()
            });
            super::error::changed(chunk.len() as u64, changed)?;
        }
        Ok(())
    }

    /// Has some of it wait until an instant. The caller holds the member.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn postpone_tellings(
        &mut self,
        member: MemberId,
        what: &[Uuid],
        until: Timestamp,
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE tellings SET due_at = $3 WHERE member_id = $1 AND recommendation_id = $2";
        for recommendation in what {
            let until = until.as_microsecond();
            on!(self, conn => sqlx::query(SQL)
                .bind(member.0)
                .bind(*recommendation)
                .bind(until)
                .execute(conn)
                .await?
                .rows_affected());
        }
        Ok(())
    }

    /// Has everything that it is time to tell a member wait until an instant.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn put_off_tellings(
        &mut self,
        member: MemberId,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE tellings SET due_at = $2 WHERE member_id = $1 AND due_at <= $3";
        on!(self, conn => sqlx::query(SQL)
            .bind(member.0)
            .bind(until.as_microsecond())
            .bind(now.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        Ok(())
    }

    /// A member need not be told of some of it any more. The caller holds the member.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn drop_tellings(&mut self, member: MemberId, what: &[Uuid]) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM tellings WHERE member_id = $1 AND recommendation_id = $2";
        for recommendation in what {
            on!(self, conn => sqlx::query(SQL)
                .bind(member.0)
                .bind(*recommendation)
                .execute(conn)
                .await?
                .rows_affected());
        }
        Ok(())
    }

    /// Moves the instant at which others see again what one try has in hand, or at which it is tried again. `false`: it is
    /// no longer in hand.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn defer_try(&mut self, of: Try, again_at: Timestamp) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE tellings SET due_at = $4 WHERE member_id = $1 AND message_id = $2 AND attempts = $3";
        let changed = on!(self, conn => sqlx::query(SQL)
            .bind(of.member.0)
            .bind(of.message)
            .bind(of.attempt)
            .bind(again_at.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        Ok(changed > 0)
    }

    /// Settles what one try has in hand: nothing more is to be told of it. Returns what that was; nothing, if it was no
    /// longer in hand.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn settle_try(&mut self, of: Try) -> Result<Vec<Uuid>, StoreError> {
        const SQL: &str = "DELETE FROM tellings WHERE member_id = $1 AND message_id = $2 AND attempts = $3 \
             RETURNING recommendation_id";
        Ok(on!(self, conn => sqlx::query_scalar(SQL)
            .bind(of.member.0)
            .bind(of.message)
            .bind(of.attempt)
            .fetch_all(conn)
            .await?))
    }

    /// How many things members are still to be told of, and how many of these were tried already.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn count_tellings(&mut self) -> Result<(i64, i64), StoreError> {
        const SQL: &str = "SELECT COUNT(*), COUNT(message_id) FROM tellings";
        Ok(on!(self, conn => sqlx::query_as(SQL).fetch_one(conn).await?))
    }
}
