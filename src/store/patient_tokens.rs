//! What members' own SMART launches gave, sealed. Whoever replaces it names the rotation that they read, so that of two
//! who replace the same tokens one is told.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::lanes::LaneKey;
use super::{StoreError, Tx, clinic_id, instant, named, on, padded};
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

/// What a clinic is still to be told, or may have been told already, of lanes to be named.
const LEFT_TO_TELL: &str = "SELECT 1 FROM outbox o JOIN lanes l ON l.clinic_id = o.clinic_id AND l.member_id = o.member_id \
     WHERE o.state IN ('ready', 'sending', 'retry', 'unknown') \
     AND (o.state IN ('sending', 'unknown') OR o.seq > l.withdrawn_through)";

/// Of the same lanes, the Subscriptions that stand at the EHR: they are still to be deleted.
const LEFT_TO_DELETE: &str = "SELECT 1 FROM subscriptions s WHERE s.ehr_id IS NOT NULL";

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
             expires_at = excluded.expires_at, connected_at = excluded.connected_at, updated_at = excluded.updated_at, \
             ends_at = NULL";
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

    /// Sets an end to a member's tokens at a clinic, in the transaction that ends what they were given for. One that was
    /// set before stays.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn end_patient_tokens(
        &mut self,
        clinic: &ClinicId,
        member: MemberId,
        ends_at: Timestamp,
    ) -> Result<(), StoreError> {
        const SQL: &str =
            "UPDATE patient_tokens SET ends_at = COALESCE(ends_at, $3) WHERE clinic_id = $1 AND member_id = $2";
        on!(self, conn => sqlx::query(SQL)
            .bind(clinic.as_str())
            .bind(member.0)
            .bind(ends_at.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        Ok(())
    }

    /// Some of the tokens that are to go: their end has come, or nothing is left that they are kept for.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn patient_tokens_to_go(&mut self, now: Timestamp, limit: i64) -> Result<Vec<LaneKey>, StoreError> {
        let rows: Vec<(String, Uuid)> = on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(
                "SELECT t.clinic_id, t.member_id FROM patient_tokens t WHERE t.ends_at IS NOT NULL AND (t.ends_at <= ",
            );
            query.push_bind(now.as_microsecond()).push(" OR (NOT EXISTS (").push(LEFT_TO_TELL);
            query.push(" AND o.clinic_id = t.clinic_id AND o.member_id = t.member_id) AND NOT EXISTS (");
            query.push(LEFT_TO_DELETE).push(" AND s.clinic_id = t.clinic_id AND s.member_id = t.member_id))) ");
            query.push("ORDER BY t.ends_at LIMIT ").push_bind(limit).build_query_as().fetch_all(conn).await?
        });
        rows.into_iter()
            .map(|(clinic, member)| Ok(LaneKey { clinic: clinic_id(clinic)?, member: MemberId(member) }))
            .collect()
    }

    /// Whether tokens that have an end may go already: it has come, or nothing is left on their lane. `false` for tokens
    /// without an end.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn may_patient_tokens_go(&mut self, lane: &LaneKey, now: Timestamp) -> Result<bool, StoreError> {
        let found: Option<i64> = on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new("SELECT t.ends_at FROM patient_tokens t WHERE t.ends_at IS NOT NULL");
            query.push(" AND t.clinic_id = ").push_bind(lane.clinic.as_str());
            query.push(" AND t.member_id = ").push_bind(lane.member.0);
            query.push(" AND (t.ends_at <= ").push_bind(now.as_microsecond());
            query.push(" OR (NOT EXISTS (").push(LEFT_TO_TELL);
            query.push(" AND o.clinic_id = t.clinic_id AND o.member_id = t.member_id) AND NOT EXISTS (");
            query.push(LEFT_TO_DELETE).push(" AND s.clinic_id = t.clinic_id AND s.member_id = t.member_id)))");
            query.build_query_scalar().fetch_optional(conn).await?
        });
        Ok(found.is_some())
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
