//! Warnings to clinics, still sealed: what was decided. What became of each stands in the outbox.

use jiff::Timestamp;
use uuid::Uuid;

use super::{StoreError, Tx, clinic_id, instant, named, on};
use crate::domain::delivery::DeliveryState;
use crate::domain::ids::{ClinicId, ConcernId, MemberId};

/// A warning as stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WarningRow {
    /// About whom.
    pub member: MemberId,
    /// The value of the resource's identifier.
    pub identifier: Uuid,
    /// Because of which concern.
    pub concern: ConcernId,
    /// Which clinic is warned.
    pub clinic: ClinicId,
    /// What is sealed of it.
    pub sealed: Vec<u8>,
    /// When somebody decided so.
    pub decided_at: Timestamp,
}

type Row = (Uuid, String, Uuid, String, Vec<u8>, i64, Option<String>);

impl Tx {
    /// Stores what was decided; what was decided before about the same clinic and concern, and did not go, is replaced.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn put_warning(&mut self, warning: &WarningRow) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO warnings \
             (member_id, identifier, concern_id, clinic_id, sealed_warning, decided_at) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (member_id, identifier) DO UPDATE \
             SET sealed_warning = excluded.sealed_warning, decided_at = excluded.decided_at";
        on!(self, conn => sqlx::query(SQL)
            .bind(warning.member.0)
            .bind(warning.identifier.to_string())
            .bind(warning.concern.0)
            .bind(warning.clinic.as_str())
            .bind(&warning.sealed)
            .bind(warning.decided_at.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        Ok(())
    }

    /// The warnings about a member, the oldest first, each with where its newest item stands. What waits on a lane that
    /// was withdrawn since is withdrawn, whatever its row says as yet.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn warnings(&mut self, member: MemberId) -> Result<Vec<(WarningRow, Option<DeliveryState>)>, StoreError> {
        const SQL: &str = "SELECT w.member_id, w.identifier, w.concern_id, w.clinic_id, w.sealed_warning, \
             w.decided_at, \
             (SELECT CASE WHEN o.seq <= l.withdrawn_through AND o.state IN ('ready', 'retry', 'held') THEN 'withdrawn' \
             ELSE o.state END FROM outbox o JOIN lanes l ON l.clinic_id = o.clinic_id AND l.member_id = o.member_id \
             WHERE o.identifier = w.identifier AND o.member_id = w.member_id ORDER BY o.seq DESC LIMIT 1) \
             FROM warnings w WHERE w.member_id = $1 ORDER BY w.decided_at, w.identifier";
        let rows: Vec<Row> = on!(self, conn => sqlx::query_as(SQL).bind(member.0).fetch_all(conn).await?);
        rows.into_iter().map(read).collect()
    }

    /// Which clinic was warned about a member by the resource with this identifier, if one was.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn warned_clinic(&mut self, member: MemberId, identifier: Uuid) -> Result<Option<ClinicId>, StoreError> {
        const SQL: &str = "SELECT clinic_id FROM warnings WHERE member_id = $1 AND identifier = $2";
        let found: Option<String> = on!(self, conn => sqlx::query_scalar(SQL)
            .bind(member.0)
            .bind(identifier.to_string())
            .fetch_optional(conn)
            .await?);
        found.map(clinic_id).transpose()
    }
}

fn read(row: Row) -> Result<(WarningRow, Option<DeliveryState>), StoreError> {
    let (member, identifier, concern, clinic, sealed, decided_at, state) = row;
    let warning = WarningRow {
        member: MemberId(member),
        identifier: identifier.parse().map_err(|_| StoreError::Corrupt("an identifier it should not"))?,
        concern: ConcernId(concern),
        clinic: clinic_id(clinic)?,
        sealed,
        decided_at: instant(decided_at)?,
    };
    let state = state.map(|state| named(DeliveryState::from_name(&state), "a delivery state it should not"));
    Ok((warning, state.transpose()?))
}
