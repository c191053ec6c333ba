//! Which process listens to a platform that does not call: one at a time, and only for as long as it says so again.

use jiff::Timestamp;
use uuid::Uuid;

use super::{StoreError, Tx, on};
use crate::domain::ids::CommunityId;

impl Tx {
    /// Has this process listen to a community's platform for a while, unless another one does. Returns whether it does.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn hold_ear(
        &mut self,
        community: &CommunityId,
        process: Uuid,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "INSERT INTO ears (community_id, process_id, until) VALUES ($1, $2, $4) \
             ON CONFLICT (community_id) DO UPDATE SET process_id = excluded.process_id, until = excluded.until \
             WHERE ears.process_id = excluded.process_id OR ears.until <= $3";
        let rows = on!(self, conn => sqlx::query(SQL)
            .bind(community.as_str())
            .bind(process)
            .bind(now.as_microsecond())
            .bind(until.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        Ok(rows == 1)
    }

    /// Lets others listen where this process did.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn release_ears(&mut self, process: Uuid) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM ears WHERE process_id = $1";
        on!(self, conn => sqlx::query(SQL).bind(process).execute(conn).await?.rows_affected());
        Ok(())
    }
}
