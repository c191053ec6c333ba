//! When each member's readings are to be looked at next.

use jiff::Timestamp;
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::{ROWS_PER_STATEMENT, StoreError, Tx, instant, on};
use crate::domain::ids::MemberId;

impl Tx {
    /// Has the readings of some members looked at by these instants at the latest; no member twice. Sorted, so that two
    /// who do this wait for each other.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn look_after(&mut self, members: &[(MemberId, Timestamp)]) -> Result<(), StoreError> {
        let mut members = members.to_vec();
        members.sort_unstable();
        for chunk in members.chunks(ROWS_PER_STATEMENT) {
            on!(self, conn: Db => {
                let mut query = QueryBuilder::<Db>::new("INSERT INTO upkeep (member_id, due_at) ");
                query.push_values(chunk, |mut row, (member, due_at)| {
                    row.push_bind(member.0).push_bind(due_at.as_microsecond());
                });
                query.push(
                    " ON CONFLICT (member_id) DO UPDATE SET due_at = excluded.due_at \
                     WHERE upkeep.due_at > excluded.due_at",
                );
                query.build().execute(conn).await?.rows_affected()
            });
        }
        Ok(())
    }

    /// Members whose readings are to be looked at by now, the longest waiting first.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn members_to_look_after(&mut self, now: Timestamp, limit: i64) -> Result<Vec<MemberId>, StoreError> {
        const SQL: &str = "SELECT member_id FROM upkeep WHERE due_at <= $1 ORDER BY due_at LIMIT $2";
        let rows: Vec<(Uuid,)> = on!(self, conn => sqlx::query_as(SQL)
            .bind(now.as_microsecond())
            .bind(limit)
            .fetch_all(conn)
            .await?);
        Ok(rows.into_iter().map(|(member,)| MemberId(member)).collect())
    }

    /// When a member's readings are to be looked at, whom the caller has locked ([`Tx::lock_member`]).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn upkeep(&mut self, member: MemberId) -> Result<Option<Timestamp>, StoreError> {
        const SQL: &str = "SELECT due_at FROM upkeep WHERE member_id = $1";
        let due: Option<i64> = on!(self, conn => sqlx::query_scalar(SQL).bind(member.0).fetch_optional(conn).await?);
        due.map(instant).transpose()
    }

    /// Says when a member's readings are to be looked at next, if ever, whatever was said before.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn looked_after(&mut self, member: MemberId, next: Option<Timestamp>) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM upkeep WHERE member_id = $1";
        on!(self, conn => sqlx::query(SQL).bind(member.0).execute(conn).await?.rows_affected());
        match next {
            Some(next) => self.look_after(&[(member, next)]).await,
            None => Ok(()),
        }
    }
}
