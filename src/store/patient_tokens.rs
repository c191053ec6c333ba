//! What members' own SMART launches gave, sealed. Whoever replaces it names the rotation that they read, so that of two
//! who replace the same tokens one is told.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::{StoreError, Tx, instant, named, on, padded};
use crate::domain::ids::{ClinicId, MemberId};

/// Whether a member's tokens can still be renewed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PatientTokensState {
    /// As far as is known.
    Good,
    /// The clinic refused them for good: the member must connect it again.
    Refused,
}

/// A member's tokens at a clinic, still sealed.
#[derive(Clone, Debug)]
pub struct PatientTokensRow {
    /// What was given, sealed with the member's key. Erased when it was refused.
    pub sealed: Option<Vec<u8>>,
    /// Which of all that were given.
    pub rotation: i64,
    /// Whether they can still be renewed.
    pub state: PatientTokensState,
    /// When the access token was given.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Tokens to be stored.
#[derive(Clone, Copy, Debug)]
pub struct NewPatientTokens<'a> {
    /// What was given, sealed with the member's key.
    pub sealed: &'a [u8],
    /// When the access token was given.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

type Row = (Option<Vec<u8>>, i64, String, i64, i64);

impl PatientTokensState {
    /// The word used in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Refused => "refused",
        }
    }

    /// The state with this name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Good, Self::Refused].into_iter().find(|state| state.as_str() == name)
    }
}

impl Tx {
    /// Stores what a launch gave, in place of what was there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_patient_tokens(
        &mut self,
        clinic: &ClinicId,
        member: MemberId,
        new: NewPatientTokens<'_>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // The first rotation is the time: never the number of a row that was deleted, which somebody may still hold.
        const SQL: &str = "INSERT INTO patient_tokens (clinic_id, member_id, sealed_tokens, rotation, state, issued_at, \
             expires_at, connected_at, updated_at) VALUES ($1, $2, $3, $4, 'good', $5, $6, $4, $4) \
             ON CONFLICT (clinic_id, member_id) DO UPDATE SET sealed_tokens = excluded.sealed_tokens, \
             rotation = patient_tokens.rotation + 1, state = excluded.state, issued_at = excluded.issued_at, \
             expires_at = excluded.expires_at, connected_at = excluded.connected_at, updated_at = excluded.updated_at";
        on!(self, conn => sqlx::query(SQL)
            .bind(clinic.as_str())
            .bind(member.0)
            .bind(new.sealed)
            .bind(now.as_microsecond())
            .bind(new.issued_at.as_microsecond())
            .bind(new.expires_at.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        Ok(())
    }

    /// A member's tokens at a clinic, if they ever connected it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn patient_tokens(
        &mut self,
        clinic: &ClinicId,
        member: MemberId,
    ) -> Result<Option<PatientTokensRow>, StoreError> {
        const SQL: &str = "SELECT sealed_tokens, rotation, state, issued_at, expires_at FROM patient_tokens \
                           WHERE clinic_id = $1 AND member_id = $2";
        let row: Option<Row> =
            on!(self, conn => sqlx::query_as(SQL).bind(clinic.as_str()).bind(member.0).fetch_optional(conn).await?);
        row.map(|(sealed, rotation, state, issued_at, expires_at)| {
            Ok(PatientTokensRow {
                sealed,
                rotation,
                state: named(PatientTokensState::from_name(&state), "a state of tokens it should not")?,
                issued_at: instant(issued_at)?,
                expires_at: instant(expires_at)?,
            })
        })
        .transpose()
    }

    /// Which tokens of some members are stored, by rotation; no member twice.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn patient_token_rotations(
        &mut self,
        clinic: &ClinicId,
        members: &[MemberId],
    ) -> Result<HashMap<MemberId, i64>, StoreError> {
        let rows: Vec<(Uuid, i64)> = on!(self, conn: Db => {
            let mut query =
                QueryBuilder::<Db>::new("SELECT member_id, rotation FROM patient_tokens WHERE clinic_id = ");
            query.push_bind(clinic.as_str()).push(" AND member_id IN (");
            let mut list = query.separated(", ");
            for member in padded(members) {
                list.push_bind(member.0);
            }
            query.push(")");
            query.build_query_as().fetch_all(conn).await?
        });
        Ok(rows.into_iter().map(|(member, rotation)| (MemberId(member), rotation)).collect())
    }

    /// Replaces good tokens by those that a renewal gave. `false`: they are no longer those of `rotation`, and nothing
    /// was changed; what stands there now counts.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn rotate_patient_tokens(
        &mut self,
        clinic: &ClinicId,
        member: MemberId,
        rotation: i64,
        new: NewPatientTokens<'_>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE patient_tokens SET sealed_tokens = $4, rotation = rotation + 1, issued_at = $5, \
             expires_at = $6, updated_at = $7 \
             WHERE clinic_id = $1 AND member_id = $2 AND rotation = $3 AND state = 'good'";
        let changed = on!(self, conn => sqlx::query(SQL)
            .bind(clinic.as_str())
            .bind(member.0)
            .bind(rotation)
            .bind(new.sealed)
            .bind(new.issued_at.as_microsecond())
            .bind(new.expires_at.as_microsecond())
            .bind(now.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        Ok(changed == 1)
    }

    /// Notes that the clinic refused the tokens of `rotation` for good, and erases them. `false`: they were replaced in
    /// the meantime, and nothing was changed.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn refuse_patient_tokens(
        &mut self,
        clinic: &ClinicId,
        member: MemberId,
        rotation: i64,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE patient_tokens SET sealed_tokens = NULL, rotation = rotation + 1, state = 'refused', \
             updated_at = $4 WHERE clinic_id = $1 AND member_id = $2 AND rotation = $3 AND state = 'good'";
        let changed = on!(self, conn => sqlx::query(SQL)
            .bind(clinic.as_str())
            .bind(member.0)
            .bind(rotation)
            .bind(now.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        Ok(changed == 1)
    }

    /// Deletes a member's tokens at a clinic, in the transaction that ends what they were given for. A renewal that is
    /// under way finds nothing to replace. Returns whether there were any.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn delete_patient_tokens(&mut self, clinic: &ClinicId, member: MemberId) -> Result<bool, StoreError> {
        const SQL: &str = "DELETE FROM patient_tokens WHERE clinic_id = $1 AND member_id = $2";
        let deleted = on!(self, conn => sqlx::query(SQL)
            .bind(clinic.as_str())
            .bind(member.0)
            .execute(conn)
            .await?
            .rows_affected());
        Ok(deleted == 1)
    }
}
