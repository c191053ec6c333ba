//! On what terms clinics offer their kinds of visits, where their staff changed what the operator set up.

use std::collections::BTreeMap;

use super::error::changed;
use super::{StoreError, Tx, on};
use crate::domain::ids::{ClinicId, VisitTypeId};
use crate::domain::visit_type::VisitTerms;

/// The terms that a clinic's staff gave to a kind of visit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OwnTerms {
    /// These.
    pub terms: VisitTerms,
    /// From 1 on; grows with each change.
    pub version: i64,
}

type Row = (String, bool, i64, i64, i64, i64);

impl Tx {
    /// The terms that a clinic's staff gave to its kinds of visits.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn visit_terms(&mut self, clinic: &ClinicId) -> Result<BTreeMap<VisitTypeId, OwnTerms>, StoreError> {
        const SQL: &str = "SELECT visit, is_offered, notice_hours, ahead_days, hold_minutes, version FROM visit_terms \
                           WHERE clinic_id = $1";
        let rows: Vec<Row> = on!(self, conn => sqlx::query_as(SQL).bind(clinic.as_str()).fetch_all(conn).await?);
        rows.into_iter().map(read).collect()
    }

    /// Puts other terms into the place of those that had this version, where 0 is what the operator set up.
    ///
    /// # Errors
    /// [`StoreError::RowCount`] if somebody changed them meanwhile.
    pub async fn put_visit_terms(
        &mut self,
        clinic: &ClinicId,
        visit: &VisitTypeId,
        own: OwnTerms,
    ) -> Result<(), StoreError> {
        const FIRST: &str = "INSERT INTO visit_terms (clinic_id, visit, is_offered, notice_hours, ahead_days, hold_minutes, \
             version) VALUES ($1, $2, $3, $4, $5, $6, $7 + 1) ON CONFLICT DO NOTHING";
        const NEXT: &str = "UPDATE visit_terms SET is_offered = $3, notice_hours = $4, ahead_days = $5, hold_minutes = $6, \
             version = version + 1 WHERE clinic_id = $1 AND visit = $2 AND version = $7";
        let OwnTerms { terms, version } = own;
        let sql = if version == 0 { FIRST } else { NEXT };
        let done = on!(self, conn => sqlx::query(sql)
            .bind(clinic.as_str())
            .bind(visit.as_str())
            .bind(terms.is_offered)
            .bind(i64::from(terms.notice_hours))
            .bind(i64::from(terms.ahead_days))
            .bind(i64::from(terms.hold_minutes))
            .bind(version)
            .execute(conn)
            .await?
            .rows_affected());
        changed(1, done)
    }

    /// Takes back the terms that had this version: what the operator set up counts again.
    ///
    /// # Errors
    /// [`StoreError::RowCount`] if somebody changed them meanwhile.
    pub async fn delete_visit_terms(
        &mut self,
        clinic: &ClinicId,
        visit: &VisitTypeId,
        version: i64,
    ) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM visit_terms WHERE clinic_id = $1 AND visit = $2 AND version = $3";
        let done = on!(self, conn => sqlx::query(SQL)
            .bind(clinic.as_str())
            .bind(visit.as_str())
            .bind(version)
            .execute(conn)
            .await?
            .rows_affected());
        changed(1, done)
    }
}

fn read((visit, is_offered, notice, ahead, hold, version): Row) -> Result<(VisitTypeId, OwnTerms), StoreError> {
    let number = |stored: i64| u16::try_from(stored).map_err(|_| StoreError::Corrupt("terms of a visit out of range"));
    let terms = VisitTerms {
        is_offered,
        notice_hours: number(notice)?,
        ahead_days: number(ahead)?,
        hold_minutes: number(hold)?,
    };
    let visit = visit.parse().map_err(|_| StoreError::Corrupt("a kind of visit without a name"))?;
    Ok((visit, OwnTerms { terms, version }))
}
