//! One-time codes with which members join another community as the same. Of a code only a keyed index is kept.

use jiff::Timestamp;
use uuid::Uuid;

use super::{StoreError, Tx, on};
use crate::domain::ids::MemberId;
use crate::vault::Index;

impl Tx {
    /// Stores a member's code, in place of the one before it.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn put_join_code(
        &mut self,
        member: MemberId,
        code: Index,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO join_codes (member_id, code_index, expires_at) VALUES ($1, $2, $3) \
             ON CONFLICT (member_id) DO UPDATE SET code_index = excluded.code_index, expires_at = excluded.expires_at";
        on!(self, conn => sqlx::query(SQL)
            .bind(member.0)
            .bind(&code[..])
            .bind(expires_at.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        Ok(())
    }

    /// Uses a code up, whoever else tells it at the same time. Returns whose it was, if it was good.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn use_join_code(&mut self, code: Index, now: Timestamp) -> Result<Option<MemberId>, StoreError> {
        const SQL: &str = "DELETE FROM join_codes WHERE code_index = $1 AND expires_at > $2 RETURNING member_id";
        let member: Option<Uuid> = on!(self, conn => sqlx::query_scalar(SQL)
            .bind(&code[..])
            .bind(now.as_microsecond())
            .fetch_optional(conn)
            .await?);
        Ok(member.map(MemberId))
    }

    /// Forgets codes whose time is over.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn forget_ended_join_codes(&mut self, now: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM join_codes WHERE expires_at <= $1";
        on!(self, conn => sqlx::query(SQL).bind(now.as_microsecond()).execute(conn).await?.rows_affected());
        Ok(())
    }
}
