//! Members, and their handles in communities.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::{StoreError, Tx, community_id, on, padded};
use crate::domain::ids::{CommunityId, MemberId};
use crate::vault::Index;

impl Tx {
    /// Adds a member with their wrapped key.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_member(
        &mut self,
        member: MemberId,
        sealed_key: &[u8],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO members (member_id, sealed_key, created_at) VALUES ($1, $2, $3)";
        let now = now.as_microsecond();
        on!(self, conn => sqlx::query(SQL).bind(member.0).bind(sealed_key).bind(now).execute(conn).await?.rows_affected());
        Ok(())
    }

    /// Adds the name under which a community knows a member.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the community knows somebody under that name already.
    pub async fn insert_handle(
        &mut self,
        community: &CommunityId,
        handle_index: Index,
        member: MemberId,
        sealed_handle: &[u8],
    ) -> Result<(), StoreError> {
        const SQL: &str =
            "INSERT INTO handles (community_id, handle_index, member_id, sealed_handle) VALUES ($1, $2, $3, $4)";
        on!(self, conn => sqlx::query(SQL)
            .bind(community.as_str())
            .bind(&handle_index[..])
            .bind(member.0)
            .bind(sealed_handle)
            .execute(conn)
            .await?
            .rows_affected());
        Ok(())
    }

    /// The members behind some handles of a community.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn members_by_handle(
        &mut self,
        community: &CommunityId,
        handles: &[Index],
    ) -> Result<HashMap<Index, MemberId>, StoreError> {
        if handles.is_empty() {
            return Ok(HashMap::new());
        }
        let rows: Vec<(Vec<u8>, Uuid)> = on!(self, conn: Db => {
            let mut query =
                QueryBuilder::<Db>::new("SELECT handle_index, member_id FROM handles WHERE community_id = ");
            query.push_bind(community.as_str()).push(" AND handle_index IN (");
            let mut list = query.separated(", ");
            for handle in handles {
                list.push_bind(&handle[..]);
            }
            query.push(")");
            query.build_query_as().fetch_all(conn).await?
        });
        rows.into_iter()
            .map(|(index, member)| {
                let index = index.try_into().map_err(|_| StoreError::Corrupt("an index of another length"))?;
                Ok((index, MemberId(member)))
            })
            .collect()
    }

    /// The member a community knows under a handle, with their wrapped key and the sealed handle.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn member_by_handle(
        &mut self,
        community: &CommunityId,
        handle: Index,
    ) -> Result<Option<(MemberId, Vec<u8>, Vec<u8>)>, StoreError> {
        const SQL: &str = "SELECT handles.member_id, members.sealed_key, handles.sealed_handle FROM handles \
                           JOIN members ON members.member_id = handles.member_id \
                           WHERE handles.community_id = $1 AND handles.handle_index = $2";
        let row: Option<(Uuid, Vec<u8>, Vec<u8>)> = on!(self, conn => sqlx::query_as(SQL)
            .bind(community.as_str())
            .bind(&handle[..])
            .fetch_optional(conn)
            .await?);
        Ok(row.map(|(member, key, sealed)| (MemberId(member), key, sealed)))
    }

    /// The communities that know a member, each with the sealed name under which it does.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn handles_of(&mut self, member: MemberId) -> Result<Vec<(CommunityId, Vec<u8>)>, StoreError> {
        const SQL: &str = "SELECT community_id, sealed_handle FROM handles WHERE member_id = $1 ORDER BY community_id";
        let rows: Vec<(String, Vec<u8>)> = on!(self, conn => sqlx::query_as(SQL).bind(member.0).fetch_all(conn).await?);
        rows.into_iter().map(|(community, sealed)| Ok((community_id(community)?, sealed))).collect()
    }

    /// Holds the consent of some members as it is until this transaction ends, and returns those members' wrapped
    /// keys. Whatever decides about consent calls this first, in a statement of its own: on PostgreSQL only the
    /// statements after it are sure to see every version that a change under way has written.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn hold_members(&mut self, members: &[MemberId]) -> Result<HashMap<MemberId, Vec<u8>>, StoreError> {
        if members.is_empty() {
            return Ok(HashMap::new());
        }
        let tail = self.pick(")", ") ORDER BY member_id FOR SHARE");
        let rows: Vec<(Uuid, Vec<u8>)> = on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new("SELECT member_id, sealed_key FROM members WHERE member_id IN (");
            let mut list = query.separated(", ");
            for member in padded(members) {
                list.push_bind(member.0);
            }
            query.push(tail);
            query.build_query_as().fetch_all(conn).await?
        });
        Ok(rows.into_iter().map(|(member, key)| (MemberId(member), key)).collect())
    }

    /// A member's wrapped key, if there is such a member.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn member_key(&mut self, member: MemberId) -> Result<Option<Vec<u8>>, StoreError> {
        const SQL: &str = "SELECT sealed_key FROM members WHERE member_id = $1";
        Ok(on!(self, conn => sqlx::query_scalar(SQL).bind(member.0).fetch_optional(conn).await?))
    }

    /// Makes this transaction the only one that changes or decides about this member's consent, until it ends. Whatever
    /// changes consent calls this first, in a statement of its own (see [`Tx::hold_members`]).
    ///
    /// # Errors
    /// [`StoreError::RowCount`] when there is no such member.
    pub async fn lock_member(&mut self, member: MemberId) -> Result<(), StoreError> {
        const SQLITE: &str = "SELECT created_at FROM members WHERE member_id = $1";
        const POSTGRES: &str = "SELECT created_at FROM members WHERE member_id = $1 FOR NO KEY UPDATE";
        let sql = self.pick(SQLITE, POSTGRES);
        let found: Option<i64> = on!(self, conn => sqlx::query_scalar(sql).bind(member.0).fetch_optional(conn).await?);
        super::error::changed(1, u64::from(found.is_some()))
    }
}
