//! What members set for themselves, still sealed.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::{StoreError, Tx, on, padded};
use crate::domain::ids::MemberId;

impl Tx {
    /// The sealed settings of those of some members who have set anything.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn settings(&mut self, members: &[MemberId]) -> Result<HashMap<MemberId, Vec<u8>>, StoreError> {
        if members.is_empty() {
            return Ok(HashMap::new());
        }
        let rows: Vec<(Uuid, Vec<u8>)> = on!(self, conn: Db => {
            let mut query =
                QueryBuilder::<Db>::new("SELECT member_id, sealed_settings FROM member_settings WHERE member_id IN (");
            let mut list = query.separated(", ");
            for member in padded(members) {
                list.push_bind(member.0);
            }
            query.push(")");
            query.build_query_as().fetch_all(conn).await?
        });
        Ok(rows.into_iter().map(|(member, sealed)| (MemberId(member), sealed)).collect())
    }

    /// Writes a member's sealed settings.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn put_settings(&mut self, member: MemberId, sealed: &[u8], now: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO member_settings (member_id, sealed_settings, updated_at) VALUES ($1, $2, $3) \
             ON CONFLICT (member_id) DO UPDATE SET sealed_settings = excluded.sealed_settings, \
             updated_at = excluded.updated_at";
        on!(self, conn => sqlx::query(SQL)
            .bind(member.0)
            .bind(sealed)
            .bind(now.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        Ok(())
    }
}
