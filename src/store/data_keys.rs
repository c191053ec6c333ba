//! Keys of the database itself, and which master key wraps what.

use std::collections::BTreeSet;

use jiff::Timestamp;
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::{StoreError, Tx, instant, on};
use crate::domain::ids::MemberId;
use crate::vault::{INDEX_KEY, KeyId};

/// A key of the database itself, as stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DataKeyRow {
    /// Its name.
    pub name: String,
    /// The key, wrapped by a master key.
    pub wrapped: Vec<u8>,
    /// Since when it is wrapped by this master key; `None` for the first one.
    pub wrapped_at: Option<Timestamp>,
}

/// A member's key that is wrapped anew.
#[derive(Clone, Debug)]
pub struct Rewrapped {
    /// Whose key it is.
    pub member: MemberId,
    /// As it was found.
    pub old: Vec<u8>,
    /// As it is to be.
    pub new: Vec<u8>,
}

/// The id of the key that wrapped a value, as every sealed value has it in front.
const WRAPPED_BY: &str = "substr(sealed_key, 2, 4)";

impl Tx {
    /// The wrapped index key of this database, if it has one yet.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn index_key(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        self.data_key(INDEX_KEY).await
    }

    /// The same, held as it is until this transaction ends: nobody else takes up another master key meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn hold_index_key(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        const SQLITE: &str = "SELECT sealed_key FROM data_keys WHERE name = $1";
        const POSTGRES: &str = "SELECT sealed_key FROM data_keys WHERE name = $1 FOR SHARE";
        let sql = self.pick(SQLITE, POSTGRES);
        Ok(on!(self, conn => sqlx::query_scalar(sql).bind(INDEX_KEY).fetch_optional(conn).await?))
    }

    /// Stores the wrapped index key, unless another process was first; the caller reads it back.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn insert_index_key(&mut self, sealed_key: &[u8]) -> Result<(), StoreError> {
        self.insert_data_key(INDEX_KEY, sealed_key).await
    }

    /// A wrapped key of the database itself, if it has it yet.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn data_key(&mut self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        const SQL: &str = "SELECT sealed_key FROM data_keys WHERE name = $1";
        Ok(on!(self, conn => sqlx::query_scalar(SQL).bind(name).fetch_optional(conn).await?))
    }

    /// Stores a wrapped key of the database itself, unless another process was first; the caller reads it back.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn insert_data_key(&mut self, name: &str, wrapped: &[u8]) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO data_keys (name, sealed_key) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        on!(self, conn => sqlx::query(SQL).bind(name).bind(wrapped).execute(conn).await?.rows_affected());
        Ok(())
    }

    /// Every key of the database itself, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn data_keys(&mut self) -> Result<Vec<DataKeyRow>, StoreError> {
        const SQL: &str = "SELECT name, sealed_key, wrapped_at FROM data_keys ORDER BY name";
        let rows: Vec<(String, Vec<u8>, Option<i64>)> = on!(self, conn => sqlx::query_as(SQL).fetch_all(conn).await?);
        rows.into_iter()
            .map(|(name, wrapped, at)| Ok(DataKeyRow { name, wrapped, wrapped_at: at.map(instant).transpose()? }))
            .collect()
    }

    /// Replaces a key of the database itself by the same one wrapped anew. `false`: it is no longer as it was found, and
    /// nothing was changed.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn rewrap_data_key(
        &mut self,
        found: &DataKeyRow,
        wrapped: &[u8],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE data_keys SET sealed_key = $3, wrapped_at = $4 WHERE name = $1 AND sealed_key = $2";
        let changed = on!(self, conn => sqlx::query(SQL)
            .bind(&found.name)
            .bind(&found.wrapped)
            .bind(wrapped)
            .bind(now.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        Ok(changed == 1)
    }

    /// How many members' keys are wrapped by each master key: by its id.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn count_member_keys(&mut self) -> Result<Vec<(KeyId, i64)>, StoreError> {
        let rows: Vec<(Vec<u8>, i64)> = on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new("SELECT ");
            query.push(WRAPPED_BY).push(", COUNT(*) FROM members GROUP BY 1");
            query.build_query_as().fetch_all(conn).await?
        });
        rows.into_iter()
            .map(|(id, count)| {
                let id = id.try_into().map_err(|_| StoreError::Corrupt("a wrapped key that is too short"))?;
                Ok((KeyId(id), count))
            })
            .collect()
    }

    /// Up to `limit` members after `after` whose keys are not wrapped by the master key with this id, in their order.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn members_not_wrapped_by(
        &mut self,
        master: KeyId,
        after: MemberId,
        limit: i64,
    ) -> Result<Vec<(MemberId, Vec<u8>)>, StoreError> {
        let rows: Vec<(Uuid, Vec<u8>)> = on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new("SELECT member_id, sealed_key FROM members WHERE member_id > ");
            query.push_bind(after.0).push(" AND ").push(WRAPPED_BY).push(" <> ").push_bind(master.0.to_vec());
            query.push(" ORDER BY member_id LIMIT ").push_bind(limit);
            query.build_query_as().fetch_all(conn).await?
        });
        Ok(rows.into_iter().map(|(member, wrapped)| (MemberId(member), wrapped)).collect())
    }

    /// Replaces members' keys by the same ones wrapped anew, each only if it is still as it was found. Returns whose
    /// were. The members are held in their order first, as by everybody.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn rewrap_member_keys(&mut self, keys: &[Rewrapped]) -> Result<BTreeSet<MemberId>, StoreError> {
        if keys.is_empty() {
            return Ok(BTreeSet::new());
        }
        let tail = self.pick(")", ") ORDER BY member_id FOR NO KEY UPDATE");
        on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new("SELECT member_id FROM members WHERE member_id IN (");
            let mut list = query.separated(", ");
            for key in keys {
                list.push_bind(key.member.0);
            }
            query.push(tail);
            query.build().fetch_all(conn).await?;
        });
        let done: Vec<(Uuid,)> = on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new("WITH anew AS (");
            query.push_values(keys, |mut row, key| {
                row.push_bind(key.member.0).push_bind(&key.old).push_bind(&key.new);
            });
            query.push(
                ") UPDATE members SET sealed_key = (SELECT column3 FROM anew WHERE column1 = members.member_id) \
                 WHERE (member_id, sealed_key) IN (SELECT column1, column2 FROM anew) RETURNING member_id",
            );
            query.build_query_as().fetch_all(conn).await?
        });
        Ok(done.into_iter().map(|(member,)| MemberId(member)).collect())
    }
}
