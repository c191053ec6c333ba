//! Questionnaires that members have not finished, still sealed.

use jiff::Timestamp;

use super::{StoreError, Tx, on};
use crate::domain::ids::MemberId;
use crate::domain::questionnaire::Instrument;

impl Tx {
    /// What a member has answered so far: the instruments by their names, each with the sealed draft.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn drafts(&mut self, member: MemberId) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        const SQL: &str =
            "SELECT instrument, sealed_draft FROM questionnaire_drafts WHERE member_id = $1 ORDER BY instrument";
        Ok(on!(self, conn => sqlx::query_as(SQL).bind(member.0).fetch_all(conn).await?))
    }

    /// Writes what a member has answered so far to an instrument.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn put_draft(
        &mut self,
        member: MemberId,
        instrument: Instrument,
        sealed: &[u8],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO questionnaire_drafts (member_id, instrument, sealed_draft, updated_at) \
             VALUES ($1, $2, $3, $4) ON CONFLICT (member_id, instrument) DO UPDATE \
             SET sealed_draft = excluded.sealed_draft, updated_at = excluded.updated_at";
        on!(self, conn => sqlx::query(SQL)
            .bind(member.0)
            .bind(instrument.as_str())
            .bind(sealed)
            .bind(now.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        Ok(())
    }

    /// Forgets what a member has answered so far to an instrument.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn delete_draft(&mut self, member: MemberId, instrument: Instrument) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM questionnaire_drafts WHERE member_id = $1 AND instrument = $2";
        on!(self, conn => sqlx::query(SQL).bind(member.0).bind(instrument.as_str()).execute(conn).await?.rows_affected());
        Ok(())
    }

    /// Forgets up to `limit` drafts that nobody went on with since an instant. Returns how many.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn forget_old_drafts(&mut self, before: Timestamp, limit: i64) -> Result<u64, StoreError> {
        const SQLITE: &str = "DELETE FROM questionnaire_drafts WHERE (member_id, instrument) IN \
             (SELECT member_id, instrument FROM questionnaire_drafts WHERE updated_at < $1 LIMIT $2)";
        const POSTGRES: &str = "DELETE FROM questionnaire_drafts WHERE (member_id, instrument) IN \
             (SELECT member_id, instrument FROM questionnaire_drafts WHERE updated_at < $1 LIMIT $2 \
             FOR UPDATE SKIP LOCKED)";
        let sql = self.pick(SQLITE, POSTGRES);
        let before = before.as_microsecond();
        Ok(on!(self, conn => sqlx::query(sql).bind(before).bind(limit).execute(conn).await?.rows_affected()))
    }
}
