//! Members as their communities' identity providers know them, and browsers on their way there. Only keyed indexes are
//! kept.

use jiff::Timestamp;
use uuid::Uuid;

use super::error::changed;
use super::events::to_index;
use super::{StoreError, Tx, community_id, instant, on};
use crate::domain::ids::{CommunityId, MemberId};
use crate::vault::Index;

/// A walk through a provider that is to be stored.
#[derive(Clone, Debug)]
pub struct NewIdentityRequest<'a> {
    /// Keyed index of its `state`.
    pub state: Index,
    /// Keyed index of what the browser is known by.
    pub browser: Index,
    /// Whose provider it is.
    pub community: &'a CommunityId,
    /// Keyed index of the session in which an account is being connected; `None`: somebody is signing in.
    pub session: Option<Index>,
    /// Until when the browser may come back.
    pub expires_at: Timestamp,
}

/// A walk whose browser has come back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IdentityRequest {
    /// Whose provider it was.
    pub community: CommunityId,
    /// Keyed index of the session in which an account is being connected; `None`: somebody is signing in.
    pub session: Option<Index>,
    /// Until when the browser was to come back.
    pub expires_at: Timestamp,
}

/// How a provider knows somebody.
#[derive(Clone, Debug)]
pub struct IdentityKey<'a> {
    /// Whose provider it is.
    pub community: &'a CommunityId,
    /// Keyed index of its issuer.
    pub issuer: Index,
    /// Keyed index of issuer and subject.
    pub subject: Index,
}

impl Tx {
    /// Stores a walk.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_identity_request(&mut self, request: &NewIdentityRequest<'_>) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO identity_requests (state_index, browser_index, community_id, session_index, \
                           expires_at) VALUES ($1, $2, $3, $4, $5)";
        let done = on!(self, conn => sqlx::query(SQL)
            .bind(&request.state[..])
            .bind(&request.browser[..])
            .bind(request.community.as_str())
            .bind(request.session.as_ref().map(|session| &session[..]))
            .bind(request.expires_at.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        changed(1, done)
    }

    /// Takes a walk out, so that nobody can end it a second time. It stays for everybody but the browser that began it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn take_identity_request(
        &mut self,
        state: Index,
        browser: Index,
    ) -> Result<Option<IdentityRequest>, StoreError> {
        const SQL: &str = "DELETE FROM identity_requests WHERE state_index = $1 AND browser_index = $2 \
                           RETURNING community_id, session_index, expires_at";
        let row: Option<(String, Option<Vec<u8>>, i64)> = on!(self, conn => sqlx::query_as(SQL)
            .bind(&state[..])
            .bind(&browser[..])
            .fetch_optional(conn)
            .await?);
        row.map(|(community, session, expires_at)| {
            Ok(IdentityRequest {
                community: community_id(community)?,
                session: session.map(to_index).transpose()?,
                expires_at: instant(expires_at)?,
            })
        })
        .transpose()
    }

    /// Forgets walks whose browser never came back. Returns how many there were.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn forget_expired_identity_requests(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        const SQL: &str = "DELETE FROM identity_requests WHERE expires_at <= $1";
        Ok(on!(self, conn => sqlx::query(SQL).bind(now.as_microsecond()).execute(conn).await?.rows_affected()))
    }

    /// The member whom a provider knows so.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn identity(&mut self, key: &IdentityKey<'_>) -> Result<Option<MemberId>, StoreError> {
        const SQL: &str = "SELECT member_id FROM identities WHERE community_id = $1 AND subject_index = $2";
        let row: Option<Uuid> = on!(self, conn => sqlx::query_scalar(SQL)
            .bind(key.community.as_str())
            .bind(&key.subject[..])
            .fetch_optional(conn)
            .await?);
        Ok(row.map(MemberId))
    }

    /// Notes that a provider knows a member so. `false`, and nothing is changed: it knows somebody else so, or the member
    /// otherwise.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn insert_identity(&mut self, key: &IdentityKey<'_>, member: MemberId) -> Result<bool, StoreError> {
        const SQL: &str = "INSERT INTO identities (community_id, subject_index, issuer_index, member_id) \
                           VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
        let done = on!(self, conn => sqlx::query(SQL)
            .bind(key.community.as_str())
            .bind(&key.subject[..])
            .bind(&key.issuer[..])
            .bind(member.0)
            .execute(conn)
            .await?
            .rows_affected());
        Ok(done == 1)
    }

    /// Whether a provider, by the keyed index of its issuer, knows a member.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn has_identity(
        &mut self,
        community: &CommunityId,
        issuer: Index,
        member: MemberId,
    ) -> Result<bool, StoreError> {
        const SQL: &str =
            "SELECT COUNT(*) FROM identities WHERE community_id = $1 AND issuer_index = $2 AND member_id = $3";
        let count: i64 = on!(self, conn => sqlx::query_scalar(SQL)
            .bind(community.as_str())
            .bind(&issuer[..])
            .bind(member.0)
            .fetch_one(conn)
            .await?);
        Ok(count > 0)
    }

    /// Forgets how a community's providers, also earlier ones, know a member. `false`: there was nothing.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn delete_identities(&mut self, community: &CommunityId, member: MemberId) -> Result<bool, StoreError> {
        const SQL: &str = "DELETE FROM identities WHERE community_id = $1 AND member_id = $2";
        let done = on!(self, conn => sqlx::query(SQL)
            .bind(community.as_str())
            .bind(member.0)
            .execute(conn)
            .await?
            .rows_affected());
        Ok(done > 0)
    }
}
