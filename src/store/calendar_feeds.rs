//! The addresses under which members' calendar programs find their visits: only keyed indexes of the secrets are kept.

use jiff::Timestamp;
use uuid::Uuid;

use super::{StoreError, Tx, instant, on};
use crate::domain::ids::MemberId;
use crate::vault::Index;

impl Tx {
    /// Stores the address of a member's calendar, in the place of the one that they had. The caller holds the member.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn put_calendar_feed(
        &mut self,
        member: MemberId,
        token_index: Index,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO calendar_feeds (member_id, token_index, created_at) VALUES ($1, $2, $3) \
             ON CONFLICT (member_id) DO UPDATE SET token_index = excluded.token_index, created_at = excluded.created_at";
        on!(self, conn => sqlx::query(SQL)
            .bind(member.0)
            .bind(&token_index[..])
            .bind(now.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        Ok(())
    }

    /// The address of a member's calendar leads nowhere any more. Returns whether there was one.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn delete_calendar_feed(&mut self, member: MemberId) -> Result<bool, StoreError> {
        const SQL: &str = "DELETE FROM calendar_feeds WHERE member_id = $1";
        let deleted = on!(self, conn => sqlx::query(SQL).bind(member.0).execute(conn).await?.rows_affected());
        Ok(deleted > 0)
    }

    /// Since when a member has a calendar, if they do.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn calendar_feed_since(&mut self, member: MemberId) -> Result<Option<Timestamp>, StoreError> {
        const SQL: &str = "SELECT created_at FROM calendar_feeds WHERE member_id = $1";
        let row: Option<i64> = on!(self, conn => sqlx::query_scalar(SQL).bind(member.0).fetch_optional(conn).await?);
        row.map(instant).transpose()
    }

    /// The member whose calendar is found under this secret.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn member_by_calendar_feed(&mut self, token_index: Index) -> Result<Option<MemberId>, StoreError> {
        const SQL: &str = "SELECT member_id FROM calendar_feeds WHERE token_index = $1";
        let row: Option<Uuid> =
            on!(self, conn => sqlx::query_scalar(SQL).bind(&token_index[..]).fetch_optional(conn).await?);
        Ok(row.map(MemberId))
    }
}
