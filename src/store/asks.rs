//! What clinics asked their patients for when a bridge was started last.

use std::collections::BTreeMap;

use jiff::Timestamp;
use uuid::Uuid;

use super::{StoreError, Tx, clinic_id, instant, on};
use crate::domain::ids::{ClinicId, MemberId};

/// What a clinic asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asks {
    /// Which questionnaires, and how often, in one text; nothing, if none any more.
    pub rhythms: String,
    /// Since when.
    pub since: Timestamp,
}

impl Tx {
    /// What each clinic asked for when a bridge was started last that knew of it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn asks(&mut self) -> Result<BTreeMap<ClinicId, Asks>, StoreError> {
        const SQL: &str = "SELECT clinic_id, rhythms, since FROM asks";
        let rows: Vec<(String, String, i64)> = on!(self, conn => sqlx::query_as(SQL).fetch_all(conn).await?);
        rows.into_iter()
            .map(|(clinic, rhythms, since)| Ok((clinic_id(clinic)?, Asks { rhythms, since: instant(since)? })))
            .collect()
    }

    /// Notes what a clinic asks for from now on.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn note_asks(&mut self, clinic: &ClinicId, rhythms: &str, now: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO asks (clinic_id, rhythms, since) VALUES ($1, $2, $3) \
             ON CONFLICT (clinic_id) DO UPDATE SET rhythms = excluded.rhythms, since = excluded.since";
        on!(self, conn => sqlx::query(SQL)
            .bind(clinic.as_str())
            .bind(rhythms)
            .bind(now.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        Ok(())
    }

    /// Members with a living consent towards a clinic, in the order of their ids, after one of them.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn consenting(
        &mut self,
        clinic: &ClinicId,
        after: MemberId,
        limit: i64,
    ) -> Result<Vec<MemberId>, StoreError> {
        const SQL: &str = "SELECT member_id FROM grants WHERE clinic_id = $1 AND member_id > $2 \
             AND state IN ('active', 'paused') AND expired_at IS NULL ORDER BY member_id LIMIT $3";
        let rows: Vec<(Uuid,)> = on!(self, conn => sqlx::query_as(SQL)
            .bind(clinic.as_str())
            .bind(after.0)
            .bind(limit)
            .fetch_all(conn)
            .await?);
        Ok(rows.into_iter().map(|(member,)| MemberId(member)).collect())
    }
}
