//! Members who are signed in to the portal. Only keyed indexes of the secrets in their cookies are kept.

use jiff::Timestamp;
use uuid::Uuid;

use super::error::changed;
use super::{StoreError, Tx, community_id, instant, on};
use crate::domain::ids::{CommunityId, MemberId};
use crate::vault::Index;

/// A session that has not ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SessionRow {
    /// Who is signed in.
    pub member: MemberId,
    /// Which community vouched for them.
    pub community: CommunityId,
    /// When it ends unless something is asked for before.
    pub idle_until: Timestamp,
    /// When it ends in any case.
    pub ends_at: Timestamp,
}

type Row = (Uuid, String, i64, i64);

impl Tx {
    /// Stores a new session.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_session(&mut self, session: Index, row: &SessionRow) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO sessions (session_index, member_id, community_id, idle_until, ends_at) \
                           VALUES ($1, $2, $3, $4, $5)";
        let done = on!(self, conn => sqlx::query(SQL)
            .bind(&session[..])
            .bind(row.member.0)
            .bind(row.community.as_str())
            .bind(row.idle_until.as_microsecond())
            .bind(row.ends_at.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        changed(1, done)
    }

    /// The session, if it has not ended.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn session(&mut self, session: Index, now: Timestamp) -> Result<Option<SessionRow>, StoreError> {
        const SQL: &str = "SELECT member_id, community_id, idle_until, ends_at FROM sessions \
                           WHERE session_index = $1 AND idle_until > $2 AND ends_at > $2";
        let now = now.as_microsecond();
        let row: Option<Row> =
            on!(self, conn => sqlx::query_as(SQL).bind(&session[..]).bind(now).fetch_optional(conn).await?);
        row.map(|(member, community, idle_until, ends_at)| {
            Ok(SessionRow {
                member: MemberId(member),
                community: community_id(community)?,
                idle_until: instant(idle_until)?,
                ends_at: instant(ends_at)?,
            })
        })
        .transpose()
    }

    /// Moves the end of a session that nobody uses. `false`: it has ended in the meantime.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn extend_session(
        &mut self,
        session: Index,
        idle_until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE sessions SET idle_until = $2 \
                           WHERE session_index = $1 AND idle_until > $3 AND ends_at > $3";
        let done = on!(self, conn => sqlx::query(SQL)
            .bind(&session[..])
            .bind(idle_until.as_microsecond())
            .bind(now.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        Ok(done == 1)
    }

    /// Gives a session another secret: the old one is good for nothing from then on. `false`: it is there no more.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn rotate_session(&mut self, old: Index, new: Index) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE sessions SET session_index = $2 WHERE session_index = $1";
        let done =
            on!(self, conn => sqlx::query(SQL).bind(&old[..]).bind(&new[..]).execute(conn).await?.rows_affected());
        Ok(done == 1)
    }

    /// Ends a session. `false`: there was none.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn delete_session(&mut self, session: Index) -> Result<bool, StoreError> {
        const SQL: &str = "DELETE FROM sessions WHERE session_index = $1";
        Ok(on!(self, conn => sqlx::query(SQL).bind(&session[..]).execute(conn).await?.rows_affected()) == 1)
    }

    /// Ends all sessions of a member. Returns how many there were.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn delete_sessions(&mut self, member: MemberId) -> Result<u64, StoreError> {
        const SQL: &str = "DELETE FROM sessions WHERE member_id = $1";
        Ok(on!(self, conn => sqlx::query(SQL).bind(member.0).execute(conn).await?.rows_affected()))
    }

    /// Forgets sessions that have ended. Returns how many there were.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn forget_ended_sessions(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        const SQL: &str = "DELETE FROM sessions WHERE idle_until <= $1 OR ends_at <= $1";
        Ok(on!(self, conn => sqlx::query(SQL).bind(now.as_microsecond()).execute(conn).await?.rows_affected()))
    }
}
