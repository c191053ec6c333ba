//! API keys of communities and tokens of members: only keyed indexes of the secrets are kept.

use jiff::Timestamp;
use uuid::Uuid;

use super::error::changed;
use super::{StoreError, Tx, on};
use crate::domain::ids::{CommunityId, MemberId};
use crate::vault::Index;

/// An API key as stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApiKeyRow {
    /// Its public half.
    pub key_id: String,
    /// Whose key it is.
    pub community: CommunityId,
    /// What it may do: words separated by one space.
    pub scopes: String,
    /// Whether it was revoked.
    pub revoked: bool,
}

impl Tx {
    /// Stores a new API key.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the public half is taken.
    pub async fn insert_api_key(
        &mut self,
        key_id: &str,
        secret_index: Index,
        community: &CommunityId,
        scopes: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO api_keys (key_id, secret_index, community_id, scopes, created_at) \
                           VALUES ($1, $2, $3, $4, $5)";
        on!(self, conn => sqlx::query(SQL)
            .bind(key_id)
            .bind(&secret_index[..])
            .bind(community.as_str())
            .bind(scopes)
            .bind(now.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        Ok(())
    }

    /// The API key with this secret, revoked or not.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn api_key(&mut self, secret_index: Index) -> Result<Option<ApiKeyRow>, StoreError> {
        const SQL: &str = "SELECT key_id, community_id, scopes, revoked_at FROM api_keys WHERE secret_index = $1";
        let row: Option<(String, String, String, Option<i64>)> =
            on!(self, conn => sqlx::query_as(SQL).bind(&secret_index[..]).fetch_optional(conn).await?);
        row.map(|(key_id, community, scopes, revoked_at)| {
            let community = community.try_into().map_err(|_| StoreError::Corrupt("a community id that is no slug"))?;
            Ok(ApiKeyRow { key_id, community, scopes, revoked: revoked_at.is_some() })
        })
        .transpose()
    }

    /// Revokes an API key for good.
    ///
    /// # Errors
    /// [`StoreError::RowCount`] when there is no such key, or it is revoked already.
    pub async fn revoke_api_key(&mut self, key_id: &str, now: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE api_keys SET revoked_at = $2 WHERE key_id = $1 AND revoked_at IS NULL";
        let now = now.as_microsecond();
        changed(1, on!(self, conn => sqlx::query(SQL).bind(key_id).bind(now).execute(conn).await?.rows_affected()))
    }

    /// Stores a member's token.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_member_token(
        &mut self,
        token_index: Index,
        member: MemberId,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        const SQL: &str =
            "INSERT INTO member_tokens (token_index, member_id, created_at, expires_at) VALUES ($1, $2, $3, $4)";
        on!(self, conn => sqlx::query(SQL)
            .bind(&token_index[..])
            .bind(member.0)
            .bind(now.as_microsecond())
            .bind(expires_at.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        Ok(())
    }

    /// Ends all tokens of a member. Returns how many there were.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn delete_member_tokens(&mut self, member: MemberId) -> Result<u64, StoreError> {
        const SQL: &str = "DELETE FROM member_tokens WHERE member_id = $1";
        Ok(on!(self, conn => sqlx::query(SQL).bind(member.0).execute(conn).await?.rows_affected()))
    }

    /// Forgets tokens that have expired. Returns how many there were.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn forget_expired_member_tokens(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        const SQL: &str = "DELETE FROM member_tokens WHERE expires_at <= $1";
        Ok(on!(self, conn => sqlx::query(SQL).bind(now.as_microsecond()).execute(conn).await?.rows_affected()))
    }

    /// The member behind a token that has not expired.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn member_by_token(
        &mut self,
        token_index: Index,
        now: Timestamp,
    ) -> Result<Option<MemberId>, StoreError> {
        const SQL: &str = "SELECT member_id FROM member_tokens WHERE token_index = $1 AND expires_at > $2";
        let now = now.as_microsecond();
        let row: Option<Uuid> =
            on!(self, conn => sqlx::query_scalar(SQL).bind(&token_index[..]).bind(now).fetch_optional(conn).await?);
        Ok(row.map(MemberId))
    }
}
