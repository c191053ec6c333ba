//! One-time codes of clinics, and how often codes were tried.

use jiff::Timestamp;
use uuid::Uuid;

use super::error::changed;
use super::{StoreError, Tx, instant, on};
use crate::domain::ids::{ClinicId, MemberId};
use crate::vault::Index;

/// A code to be stored: what belongs to it, and nothing of itself.
#[derive(Clone, Debug)]
pub struct NewLinkCode<'a> {
    /// Keyed index of clinic and code.
    pub code_index: Index,
    /// Where.
    pub clinic: &'a ClinicId,
    /// Keyed index of the Patient's id.
    pub patient_index: Index,
    /// The Patient's id, which opens with the code.
    pub sealed_patient: Vec<u8>,
    /// Whether its holder takes the place of who is linked to the Patient.
    pub replaces: bool,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

/// What belongs to a code.
#[derive(Clone, Debug)]
pub struct LinkCodeRow {
    /// The Patient's id, which opens with the code.
    pub sealed_patient: Vec<u8>,
    /// Whether its holder takes the place of who is linked to the Patient.
    pub replaces: bool,
    /// When the clinic issued it.
    pub issued_at: Timestamp,
}

impl Tx {
    /// Stores a code, in place of the one before it for the same Patient.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_link_code(&mut self, code: NewLinkCode<'_>, now: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO link_codes (code_index, clinic_id, patient_index, sealed_patient, replaces, \
             issued_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (clinic_id, patient_index) DO UPDATE \
             SET code_index = excluded.code_index, sealed_patient = excluded.sealed_patient, \
             replaces = excluded.replaces, issued_at = excluded.issued_at, expires_at = excluded.expires_at";
        on!(self, conn => sqlx::query(SQL)
            .bind(&code.code_index[..])
            .bind(code.clinic.as_str())
            .bind(&code.patient_index[..])
            .bind(&code.sealed_patient)
            .bind(i64::from(code.replaces))
            .bind(now.as_microsecond())
            .bind(code.expires_at.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        Ok(())
    }

    /// What belongs to a code that is still good.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn link_code(&mut self, code_index: Index, now: Timestamp) -> Result<Option<LinkCodeRow>, StoreError> {
        const SQL: &str = "SELECT sealed_patient, replaces, issued_at FROM link_codes \
                           WHERE code_index = $1 AND expires_at > $2";
        let row: Option<(Vec<u8>, i64, i64)> = on!(self, conn => sqlx::query_as(SQL)
            .bind(&code_index[..])
            .bind(now.as_microsecond())
            .fetch_optional(conn)
            .await?);
        row.map(|(sealed_patient, replaces, issued_at)| {
            Ok(LinkCodeRow { sealed_patient, replaces: replaces != 0, issued_at: instant(issued_at)? })
        })
        .transpose()
    }

    /// Uses a code up. `false`: it was, by somebody else.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn use_link_code(&mut self, code_index: Index) -> Result<bool, StoreError> {
        const SQL: &str = "DELETE FROM link_codes WHERE code_index = $1";
        Ok(on!(self, conn => sqlx::query(SQL).bind(&code_index[..]).execute(conn).await?.rows_affected()) == 1)
    }

    /// Counts that a member tries a code, and returns how many they tried in this hour.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_attempt_of(&mut self, member: MemberId, hour: i64) -> Result<i64, StoreError> {
        self.count_attempt("", member.0, hour).await
    }

    /// Counts that a code is tried at a clinic, and returns how many were in this hour.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_attempt_at(&mut self, clinic: &ClinicId, hour: i64) -> Result<i64, StoreError> {
        self.count_attempt(clinic.as_str(), Uuid::nil(), hour).await
    }

    async fn count_attempt(&mut self, clinic: &str, member: Uuid, hour: i64) -> Result<i64, StoreError> {
        const SQL: &str = "INSERT INTO link_attempts (clinic_id, member_id, hour, attempts) VALUES ($1, $2, $3, 1) \
             ON CONFLICT (clinic_id, member_id, hour) DO UPDATE SET attempts = link_attempts.attempts + 1 \
             RETURNING attempts";
        let counted: Option<i64> = on!(self, conn => sqlx::query_scalar(SQL)
            .bind(clinic)
            .bind(member)
            .bind(hour)
            .fetch_optional(conn)
            .await?);
        changed(1, u64::from(counted.is_some()))?;
        Ok(counted.unwrap_or_default())
    }

    /// Forgets codes that have ended, and attempts of earlier hours.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn forget_ended_link_codes(&mut self, now: Timestamp, hour: i64) -> Result<(), StoreError> {
        const CODES: &str = "DELETE FROM link_codes WHERE expires_at <= $1";
        const ATTEMPTS: &str = "DELETE FROM link_attempts WHERE hour < $1";
        on!(self, conn => sqlx::query(CODES).bind(now.as_microsecond()).execute(conn).await?.rows_affected());
        on!(self, conn => sqlx::query(ATTEMPTS).bind(hour).execute(conn).await?.rows_affected());
        Ok(())
    }
}
