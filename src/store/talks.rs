//! Where members' talks with the companion stand, still sealed.

use jiff::Timestamp;

use super::{StoreError, Tx, on};
use crate::domain::ids::MemberId;

impl Tx {
    /// Where a member's talk stands.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn talk(&mut self, member: MemberId) -> Result<Option<Vec<u8>>, StoreError> {
        const SQL: &str = "SELECT sealed_talk FROM talks WHERE member_id = $1";
        Ok(on!(self, conn => sqlx::query_scalar(SQL).bind(member.0).fetch_optional(conn).await?))
    }

    /// Writes where it stands now.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn put_talk(&mut self, member: MemberId, sealed: &[u8], now: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO talks (member_id, sealed_talk, updated_at) VALUES ($1, $2, $3) \
             ON CONFLICT (member_id) DO UPDATE SET sealed_talk = excluded.sealed_talk, updated_at = excluded.updated_at";
        on!(self, conn => sqlx::query(SQL)
            .bind(member.0)
            .bind(sealed)
            .bind(now.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        Ok(())
    }

    /// Forgets up to `limit` talks that nobody went on with since an instant. Returns how many.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn forget_old_talks(&mut self, before: Timestamp, limit: i64) -> Result<u64, StoreError> {
        const SQLITE: &str =
            "DELETE FROM talks WHERE member_id IN (SELECT member_id FROM talks WHERE updated_at < $1 LIMIT $2)";
        const POSTGRES: &str = "DELETE FROM talks WHERE member_id IN \
             (SELECT member_id FROM talks WHERE updated_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)";
        let sql = self.pick(SQLITE, POSTGRES);
        let before = before.as_microsecond();
        Ok(on!(self, conn => sqlx::query(sql).bind(before).bind(limit).execute(conn).await?.rows_affected()))
    }
}
