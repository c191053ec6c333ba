//! Whose news is looked for at which clinic, when next, and how far it was seen.

use jiff::Timestamp;
use uuid::Uuid;

use super::lanes::LaneKey;
use super::{StoreError, Tx, clinic_id, instant, on};
use crate::domain::ids::{ClinicId, MemberId};

/// A look that is to be taken. Nobody else takes it until its claim is over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DueLook {
    /// For whom, at which clinic.
    pub lane: LaneKey,
    /// What changed before was seen, by the EHR's clock.
    pub watermark: Option<Timestamp>,
    /// How many looks failed since the last one that did not.
    pub failures: i64,
    /// Until when it is claimed.
    pub claimed_until: Timestamp,
}

/// What came of a look.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LookedAt {
    /// What changed before is seen from now on; `None` where it is no further than before.
    pub watermark: Option<Timestamp>,
    /// When the next one is due; `None`: not before a consent changes.
    pub next: Option<Timestamp>,
    /// Why it failed, as a code.
    pub failed: Option<String>,
}

/// How the looks at a clinic stand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LookCount {
    /// At which clinic.
    pub clinic: ClinicId,
    /// Why they fail, as a code; `None` for those that do not.
    pub reason: Option<String>,
    /// For so many members.
    pub members: i64,
    /// When the last of these looks was.
    pub looked_at: Option<Timestamp>,
}

impl Tx {
    /// Has what a clinic has for a member looked for by this instant at the latest, whatever was said before.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn look_for_news(&mut self, lane: &LaneKey, by: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO way_back (member_id, clinic_id, due_at, failures) VALUES ($1, $2, $3, 0) \
             ON CONFLICT (member_id, clinic_id) DO UPDATE SET due_at = excluded.due_at \
             WHERE way_back.due_at IS NULL OR way_back.due_at > excluded.due_at";
        on!(self, conn => sqlx::query(SQL)
            .bind(lane.member.0)
            .bind(lane.clinic.as_str())
            .bind(by.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        Ok(())
    }

    /// Claims looks at a clinic that are due, the longest waiting first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn claim_looks(
        &mut self,
        clinic: &ClinicId,
        now: Timestamp,
        until: Timestamp,
        limit: i64,
    ) -> Result<Vec<DueLook>, StoreError> {
        const SQLITE: &str = "UPDATE way_back SET due_at = $3 WHERE clinic_id = $1 AND member_id IN \
             (SELECT member_id FROM way_back WHERE clinic_id = $1 AND due_at <= $2 ORDER BY due_at LIMIT $4) \
             RETURNING member_id, watermark, failures";
        const POSTGRES: &str = "UPDATE way_back SET due_at = $3 WHERE clinic_id = $1 AND member_id IN \
             (SELECT member_id FROM way_back WHERE clinic_id = $1 AND due_at <= $2 ORDER BY due_at LIMIT $4 \
             FOR UPDATE SKIP LOCKED) RETURNING member_id, watermark, failures";
        let sql = self.pick(SQLITE, POSTGRES);
        let rows: Vec<(Uuid, Option<i64>, i64)> = on!(self, conn => sqlx::query_as(sql)
            .bind(clinic.as_str())
            .bind(now.as_microsecond())
            .bind(until.as_microsecond())
            .bind(limit)
            .fetch_all(conn)
            .await?);
        rows.into_iter()
            .map(|(member, watermark, failures)| {
                let lane = LaneKey { clinic: clinic.clone(), member: MemberId(member) };
                let watermark = watermark.map(instant).transpose()?;
                Ok(DueLook { lane, watermark, failures, claimed_until: until })
            })
            .collect()
    }

    /// Writes down what came of a look. One that was asked for in the meantime stays due.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn looked(&mut self, look: &DueLook, came: &LookedAt, now: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE way_back SET watermark = COALESCE($3, watermark), looked_at = $4, \
             failures = CASE WHEN $5 IS NULL THEN 0 ELSE failures + 1 END, reason = $5, \
             due_at = CASE WHEN due_at = $6 THEN $7 ELSE due_at END WHERE member_id = $1 AND clinic_id = $2";
        on!(self, conn => sqlx::query(SQL)
            .bind(look.lane.member.0)
            .bind(look.lane.clinic.as_str())
            .bind(came.watermark.map(Timestamp::as_microsecond))
            .bind(now.as_microsecond())
            .bind(&came.failed)
            .bind(look.claimed_until.as_microsecond())
            .bind(came.next.map(Timestamp::as_microsecond))
            .execute(conn)
            .await?
            .rows_affected());
        Ok(())
    }

    /// How the looks at each clinic stand.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_looks(&mut self) -> Result<Vec<LookCount>, StoreError> {
        const SQL: &str = "SELECT clinic_id, reason, COUNT(*), MAX(looked_at) FROM way_back WHERE due_at IS NOT NULL \
             GROUP BY clinic_id, reason ORDER BY clinic_id, reason";
        let rows: Vec<(String, Option<String>, i64, Option<i64>)> =
            on!(self, conn => sqlx::query_as(SQL).fetch_all(conn).await?);
        rows.into_iter()
            .map(|(clinic, reason, members, at)| {
                Ok(LookCount { clinic: clinic_id(clinic)?, reason, members, looked_at: at.map(instant).transpose()? })
            })
            .collect()
    }
}
