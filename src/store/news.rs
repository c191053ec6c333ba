//! What was notified and is not looked at yet.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::lanes::LaneKey;
use super::{StoreError, Tx, clinic_id, on};
use crate::domain::ids::{ClinicId, MemberId};

/// Something to look at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NoticeRow {
    /// For whom, at which clinic.
    pub lane: LaneKey,
    /// Of which Subscription.
    pub subscription: Uuid,
    /// Its number.
    pub number: i64,
    /// The type and the id of what to look at; `None` where nobody knows what it is about.
    pub focus: Option<(String, String)>,
}

type NewsRow = (Uuid, String, Uuid, i64, Option<String>, Option<String>);

impl Tx {
    /// Notes something to look at. What is noted already is not noted twice.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn insert_notice(&mut self, notice: &NoticeRow, now: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO news (member_id, clinic_id, subscription_id, event_number, resource_type, ehr_id, \
             received_at) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
        on!(self, conn => sqlx::query(SQL)
            .bind(notice.lane.member.0)
            .bind(notice.lane.clinic.as_str())
            .bind(notice.subscription)
            .bind(notice.number)
            .bind(notice.focus.as_ref().map(|(resource_type, _)| resource_type))
            .bind(notice.focus.as_ref().map(|(_, id)| id))
            .bind(now.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        Ok(())
    }

    /// How much there is to look at that a Subscription notified.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn count_notices(&mut self, subscription: Uuid) -> Result<i64, StoreError> {
        const SQL: &str = "SELECT COUNT(*) FROM news WHERE subscription_id = $1";
        Ok(on!(self, conn => sqlx::query_scalar(SQL).bind(subscription).fetch_one(conn).await?))
    }

    /// What there is to look at at a clinic, the longest waiting first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn notices(&mut self, clinic: &ClinicId, limit: i64) -> Result<Vec<NoticeRow>, StoreError> {
        const SQL: &str = "SELECT member_id, clinic_id, subscription_id, event_number, resource_type, ehr_id FROM news \
             WHERE clinic_id = $1 ORDER BY received_at LIMIT $2";
        let rows: Vec<NewsRow> =
            on!(self, conn => sqlx::query_as(SQL).bind(clinic.as_str()).bind(limit).fetch_all(conn).await?);
        rows.into_iter()
            .map(|(member, clinic, subscription, number, kind, id)| {
                let lane = LaneKey { clinic: clinic_id(clinic)?, member: MemberId(member) };
                Ok(NoticeRow { lane, subscription, number, focus: kind.zip(id) })
            })
            .collect()
    }

    /// Forgets what was looked at.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn delete_notice(&mut self, notice: &NoticeRow) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM news WHERE member_id = $1 AND clinic_id = $2 AND subscription_id = $3 \
                           AND event_number = $4";
        on!(self, conn => sqlx::query(SQL)
            .bind(notice.lane.member.0)
            .bind(notice.lane.clinic.as_str())
            .bind(notice.subscription)
            .bind(notice.number)
            .execute(conn)
            .await?
            .rows_affected());
        Ok(())
    }

    /// Whether what a clinic has for a member is looked for by an instant, by a look that has not begun.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn is_look_due(&mut self, lane: &LaneKey, by: Timestamp) -> Result<bool, StoreError> {
        const SQL: &str = "SELECT COUNT(*) FROM way_back WHERE member_id = $1 AND clinic_id = $2 AND due_at <= $3";
        let due: i64 = on!(self, conn => sqlx::query_scalar(SQL)
            .bind(lane.member.0)
            .bind(lane.clinic.as_str())
            .bind(by.as_microsecond())
            .fetch_one(conn)
            .await?);
        Ok(due > 0)
    }

    /// Has what a clinic has for a member looked for soon, because it says that there is news: but not more often than
    /// every `gap`, however often it says so.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn look_for_notified(
        &mut self,
        lane: &LaneKey,
        now: Timestamp,
        gap: SignedDuration,
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE way_back SET due_at = CASE WHEN COALESCE(looked_at, 0) + $4 > $3 \
             THEN COALESCE(looked_at, 0) + $4 ELSE $3 END WHERE member_id = $1 AND clinic_id = $2 \
             AND due_at IS NOT NULL AND due_at > $3";
        on!(self, conn => sqlx::query(SQL)
            .bind(lane.member.0)
            .bind(lane.clinic.as_str())
            .bind(now.as_microsecond())
            .bind(i64::try_from(gap.as_micros()).unwrap_or(i64::MAX))
            .execute(conn)
            .await?
            .rows_affected());
        Ok(())
    }
}
