//! Lanes: one for each clinic and member, leased by one worker at a time.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::error::changed;
use super::{StoreError, Tx, clinic_id, on};
use crate::domain::ids::{ClinicId, MemberId};

/// Which lane: deliveries about one member to one clinic stay in order.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LaneKey {
    /// To whom.
    pub clinic: ClinicId,
    /// About whom.
    pub member: MemberId,
}

/// A lane that is leased to this worker until its lease runs out.
#[derive(Clone, Debug)]
pub struct Lane {
    /// Which lane.
    pub key: LaneKey,
    /// Proof of the newest lease: nothing is written with an older one.
    pub fence: i64,
}

/// Sets a lane's due time from its first open item.
const RECOMPUTE_DUE: &str = "due_at = (SELECT o.due_at FROM outbox o WHERE o.clinic_id = lanes.clinic_id \
     AND o.member_id = lanes.member_id AND o.state IN ('ready', 'sending', 'retry', 'unknown') ORDER BY o.seq LIMIT 1)";

impl Tx {
    /// Makes room for items at the end of lanes: returns each lane's last sequence number. Lanes are touched in key
    /// order, so that two batches wait for each other instead of locking each other out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn reserve_lanes(
        &mut self,
        counts: &BTreeMap<LaneKey, i64>,
        now: Timestamp,
    ) -> Result<HashMap<LaneKey, i64>, StoreError> {
        if counts.is_empty() {
            return Ok(HashMap::new());
        }
        let rows: Vec<(String, Uuid, i64)> = on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(
                "INSERT INTO lanes (clinic_id, member_id, last_seq, due_at, lease_until, fence) ",
            );
            query.push_values(counts, |mut row, (lane, count)| {
                row.push_bind(lane.clinic.as_str())
                    .push_bind(lane.member.0)
                    .push_bind(*count)
                    .push_bind(now.as_microsecond())
                    .push("0")
                    .push("0");
            });
            query.push(
                " ON CONFLICT (clinic_id, member_id) DO UPDATE SET last_seq = lanes.last_seq + excluded.last_seq, \
                 due_at = COALESCE(lanes.due_at, excluded.due_at) RETURNING clinic_id, member_id, last_seq",
            );
            query.build_query_as().fetch_all(conn).await?
        });
        rows.into_iter()
            .map(|(clinic, member, last)| Ok((LaneKey { clinic: clinic_id(clinic)?, member: MemberId(member) }, last)))
            .collect()
    }

    /// Leases up to `limit` lanes that have something due and no living lease, the longest waiting first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lease_lanes(&mut self, now: Timestamp, until: Timestamp, limit: i64) -> Result<Vec<Lane>, StoreError> {
        const SQLITE: &str = "UPDATE lanes SET lease_until = $2, fence = fence + 1 \
             WHERE (clinic_id, member_id) IN (SELECT clinic_id, member_id FROM lanes \
             WHERE due_at <= $1 AND lease_until <= $1 ORDER BY due_at LIMIT $3) \
             RETURNING clinic_id, member_id, fence";
        const POSTGRES: &str = "UPDATE lanes SET lease_until = $2, fence = fence + 1 \
             WHERE (clinic_id, member_id) IN (SELECT clinic_id, member_id FROM lanes \
             WHERE due_at <= $1 AND lease_until <= $1 ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED) \
             RETURNING clinic_id, member_id, fence";
        let sql = self.pick(SQLITE, POSTGRES);
        let rows: Vec<(String, Uuid, i64)> = on!(self, conn => sqlx::query_as(sql)
            .bind(now.as_microsecond())
            .bind(until.as_microsecond())
            .bind(limit)
            .fetch_all(conn)
            .await?);
        rows.into_iter()
            .map(|(clinic, member, fence)| {
                Ok(Lane { key: LaneKey { clinic: clinic_id(clinic)?, member: MemberId(member) }, fence })
            })
            .collect()
    }

    /// Proves that the lease is still this worker's, and prolongs it.
    ///
    /// # Errors
    /// [`StoreError::RowCount`] when the lease was lost: the caller must stop at once.
    pub async fn prolong_lease(&mut self, lane: &Lane, now: Timestamp, until: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE lanes SET lease_until = $4 \
                           WHERE clinic_id = $1 AND member_id = $2 AND fence = $3 AND lease_until > $5";
        changed(
            1,
            on!(self, conn => sqlx::query(SQL)
                .bind(lane.key.clinic.as_str())
                .bind(lane.key.member.0)
                .bind(lane.fence)
                .bind(until.as_microsecond())
                .bind(now.as_microsecond())
                .execute(conn)
                .await?
                .rows_affected()),
        )
    }

    /// Gives a lane back; it is due again when its first open item is.
    ///
    /// # Errors
    /// [`StoreError::RowCount`] when the lease was lost.
    pub async fn release_lane(&mut self, lane: &Lane) -> Result<(), StoreError> {
        let updated = on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new("UPDATE lanes SET lease_until = 0, ");
            query.push(RECOMPUTE_DUE).push(" WHERE clinic_id = ").push_bind(lane.key.clinic.as_str());
            query.push(" AND member_id = ").push_bind(lane.key.member.0).push(" AND fence = ").push_bind(lane.fence);
            query.build().execute(conn).await?.rows_affected()
        });
        changed(1, updated)
    }

    /// Gives a lane back until `until`: nothing moves on it before, unless [`Tx::wake_lane`] is called.
    ///
    /// # Errors
    /// [`StoreError::RowCount`] when the lease was lost.
    pub async fn park_lane(&mut self, lane: &Lane, until: Timestamp) -> Result<(), StoreError> {
        const SQL: &str =
            "UPDATE lanes SET lease_until = 0, due_at = $4 WHERE clinic_id = $1 AND member_id = $2 AND fence = $3";
        changed(
            1,
            on!(self, conn => sqlx::query(SQL)
                .bind(lane.key.clinic.as_str())
                .bind(lane.key.member.0)
                .bind(lane.fence)
                .bind(until.as_microsecond())
                .execute(conn)
                .await?
                .rows_affected()),
        )
    }

    /// Makes a lane due again when its first open item is. A lane that was never used stays unused.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn wake_lane(&mut self, lane: &LaneKey) -> Result<(), StoreError> {
        on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new("UPDATE lanes SET ");
            query.push(RECOMPUTE_DUE).push(" WHERE clinic_id = ").push_bind(lane.clinic.as_str());
            query.push(" AND member_id = ").push_bind(lane.member.0);
            query.build().execute(conn).await?.rows_affected()
        });
        Ok(())
    }

    /// When the next lane becomes due or its lease runs out, if any has something open.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn next_due(&mut self) -> Result<Option<Timestamp>, StoreError> {
        const SQL: &str = "SELECT MIN(CASE WHEN lease_until > due_at THEN lease_until ELSE due_at END) FROM lanes \
                           WHERE due_at IS NOT NULL";
        let micros: Option<i64> = on!(self, conn => sqlx::query_scalar(SQL).fetch_one(conn).await?);
        micros.map(super::instant).transpose()
    }
}
