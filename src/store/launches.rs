//! Launches under way: begun, and waiting for the browser to come back.

use jiff::Timestamp;

use super::{StoreError, Tx, clinic_id, instant, on};
use crate::domain::ids::{ClinicId, MemberId};
use crate::vault::Index;

/// A launch to be stored.
#[derive(Clone, Debug)]
pub struct NewLaunch<'a> {
    /// Keyed index of its `state`.
    pub state_index: Index,
    /// Whose.
    pub member: MemberId,
    /// Where.
    pub clinic: &'a ClinicId,
    /// Keyed index of what only the session of the member's browser knows.
    pub session_index: Index,
    /// What has to be kept of it, sealed with the member's key.
    pub sealed: Vec<u8>,
    /// Until when the browser may come back.
    pub expires_at: Timestamp,
}

/// A launch whose browser has come back.
#[derive(Clone, Debug)]
pub struct LaunchRow {
    /// Where.
    pub clinic: ClinicId,
    /// What was kept of it, sealed with the member's key.
    pub sealed: Vec<u8>,
    /// Until when the browser was to come back.
    pub expires_at: Timestamp,
}

impl Tx {
    /// Stores a launch, in place of one that the member had begun at the same clinic.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_launch(&mut self, launch: NewLaunch<'_>) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO launches (state_index, member_id, clinic_id, session_index, sealed_launch, \
             expires_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (member_id, clinic_id) DO UPDATE SET \
             state_index = excluded.state_index, session_index = excluded.session_index, \
             sealed_launch = excluded.sealed_launch, expires_at = excluded.expires_at";
        on!(self, conn => sqlx::query(SQL)
            .bind(&launch.state_index[..])
            .bind(launch.member.0)
            .bind(launch.clinic.as_str())
            .bind(&launch.session_index[..])
            .bind(&launch.sealed)
            .bind(launch.expires_at.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        Ok(())
    }

    /// Takes a launch out, so that nobody can end it a second time. It stays for everyone but the session of the member
    /// who began it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn take_launch(
        &mut self,
        state_index: Index,
        member: MemberId,
        session_index: Index,
    ) -> Result<Option<LaunchRow>, StoreError> {
        const SQL: &str = "DELETE FROM launches WHERE state_index = $1 AND member_id = $2 AND session_index = $3 \
                           RETURNING clinic_id, sealed_launch, expires_at";
        let row: Option<(String, Vec<u8>, i64)> = on!(self, conn => sqlx::query_as(SQL)
            .bind(&state_index[..])
            .bind(member.0)
            .bind(&session_index[..])
            .fetch_optional(conn)
            .await?);
        row.map(|(clinic, sealed, expires_at)| {
            Ok(LaunchRow { clinic: clinic_id(clinic)?, sealed, expires_at: instant(expires_at)? })
        })
        .transpose()
    }

    /// Ends what a member began at a clinic.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn forget_launch(&mut self, member: MemberId, clinic: &ClinicId) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM launches WHERE member_id = $1 AND clinic_id = $2";
        on!(self, conn => sqlx::query(SQL).bind(member.0).bind(clinic.as_str()).execute(conn).await?.rows_affected());
        Ok(())
    }

    /// Forgets launches whose browser never came back.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn forget_expired_launches(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        const SQL: &str = "DELETE FROM launches WHERE expires_at <= $1";
        Ok(on!(self, conn => sqlx::query(SQL).bind(now.as_microsecond()).execute(conn).await?.rows_affected()))
    }
}
