//! Taking everything back that waits on a lane: in one stroke, however much it is.
//!
//! The lane's key is destroyed and a mark is set: from that commit on, what waits up to the mark is withdrawn and opens no
//! more, whatever the rows say. Whoever reads them knows of the mark; the rows follow in portions, swept by a chore and by
//! whoever has the lane in hand.

use jiff::Timestamp;
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::lanes::LaneKey;
use super::{ROWS_PER_STATEMENT, StoreError, Tx, clinic_id, on};
use crate::domain::ids::MemberId;

/// Why an item is withdrawn when the consent that it waited under has ended: a code.
pub const WITHDRAWN_REASON: &str = "consent-revoked";

/// How many rows are swept in one transaction.
const PORTION: i64 = 500;

/// The outbox as it stands, whatever its rows say as yet: to be put before a statement that reads from `standing`.
pub(super) const STANDING: &str = "WITH unswept AS MATERIALIZED (SELECT clinic_id, member_id, withdrawn_through FROM lanes \
     WHERE swept_through < withdrawn_through), standing AS (SELECT o.clinic_id, o.created_at, \
     CASE WHEN u.member_id IS NULL THEN o.state ELSE 'withdrawn' END AS state, \
     CASE WHEN u.member_id IS NULL THEN o.reason ELSE 'consent-revoked' END AS reason \
     FROM outbox o LEFT JOIN unswept u ON o.clinic_id = u.clinic_id AND o.member_id = u.member_id \
     AND o.seq <= u.withdrawn_through AND o.state IN ('ready', 'retry', 'held')) ";

/// Puts rows right whose consent has ended: what waits is withdrawn, and nothing keeps its content.
const WITHDRAW: &str = " SET state = CASE WHEN state IN ('ready', 'retry', 'held') THEN 'withdrawn' ELSE state END, \
     reason = CASE WHEN state IN ('ready', 'retry', 'held') THEN 'consent-revoked' ELSE reason END, \
     sealed_payload = NULL, sealed_answer = NULL, updated_at = ";

/// Rows of a lane that are still to be put right, and the index in whose words that is said. SQLite is told to take it.
const UNSWEPT: [(&str, &str); 2] = [
    (
        " INDEXED BY outbox_open",
        " AND state IN ('ready', 'sending', 'retry', 'unknown') AND \
         (state IN ('ready', 'retry') OR sealed_payload IS NOT NULL OR sealed_answer IS NOT NULL)",
    ),
    (
        " INDEXED BY outbox_stuck",
        " AND state IN ('rejected', 'dead', 'held') AND \
         (state = 'held' OR sealed_payload IS NOT NULL OR sealed_answer IS NOT NULL)",
    ),
];

impl Tx {
    /// Withdraws what waits on a lane and erases the content of everything still open there, in one stroke. What is under
    /// way, or may have arrived, stays open until its outcome is known, but has nothing left to send. Returns how many
    /// items waited. The caller has locked the member ([`Tx::lock_member`]).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn withdraw_lane(&mut self, lane: &LaneKey, now: Timestamp) -> Result<u64, StoreError> {
        const SQLITE: &str = "SELECT last_seq, COALESCE(keyed_after, last_seq), withdrawn_through, swept_through \
             FROM lanes WHERE clinic_id = $1 AND member_id = $2";
        const POSTGRES: &str = "SELECT last_seq, COALESCE(keyed_after, last_seq), withdrawn_through, swept_through \
             FROM lanes WHERE clinic_id = $1 AND member_id = $2 FOR UPDATE";
        const MARK: &str = "UPDATE lanes SET sealed_key = NULL, withdrawn_through = last_seq, swept_through = $3, \
             due_at = CASE WHEN $3 < last_seq THEN $4 ELSE NULL END WHERE clinic_id = $1 AND member_id = $2";
        let sql = self.pick(SQLITE, POSTGRES);
        let row: Option<(i64, i64, i64, i64)> = on!(self, conn => sqlx::query_as(sql)
            .bind(lane.clinic.as_str())
            .bind(lane.member.0)
            .fetch_optional(conn)
            .await?);
        let Some((last, keyed_after, withdrawn, swept)) = row else { return Ok(0) };
        let (waiting, unfinished) = self.count_unfinished(lane, withdrawn).await?;
        // Where there is nothing to put right, nobody need look.
        let swept_through = if unfinished == 0 && swept == withdrawn { last } else { swept };
        on!(self, conn => sqlx::query(MARK)
            .bind(lane.clinic.as_str())
            .bind(lane.member.0)
            .bind(swept_through)
            // A desk that leases the lane puts its rows right.
            .bind(now.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        if keyed_after > swept_through {
            // Destroying the lane's key does not erase what another key has sealed.
            self.sweep_items(lane, keyed_after, i64::MAX, now).await?;
        }
        Ok(waiting)
    }

    /// How many items after this one wait, and how many are not done yet at all.
    async fn count_unfinished(&mut self, lane: &LaneKey, after: i64) -> Result<(u64, u64), StoreError> {
        const SQL: &str = "SELECT a.waiting + b.waiting, a.unfinished + b.unfinished FROM \
             (SELECT COUNT(*) FILTER (WHERE state IN ('ready', 'retry')) AS waiting, COUNT(*) AS unfinished FROM outbox \
             WHERE clinic_id = $1 AND member_id = $2 AND seq > $3 AND state IN ('ready', 'sending', 'retry', 'unknown')) AS a, \
             (SELECT COUNT(*) FILTER (WHERE state = 'held') AS waiting, COUNT(*) AS unfinished FROM outbox \
             WHERE clinic_id = $1 AND member_id = $2 AND seq > $3 AND state IN ('rejected', 'dead', 'held')) AS b";
        let (waiting, unfinished): (i64, i64) = on!(self, conn => sqlx::query_as(SQL)
            .bind(lane.clinic.as_str())
            .bind(lane.member.0)
            .bind(after)
            .fetch_one(conn)
            .await?);
        Ok((waiting.cast_unsigned(), unfinished.cast_unsigned()))
    }

    /// Puts a portion of the rows of some lane right whose consent has ended. Returns whether there was one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sweep_any_lane(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        const SQLITE: &str = "SELECT clinic_id, member_id, withdrawn_through FROM lanes \
             WHERE swept_through < withdrawn_through LIMIT 1";
        const POSTGRES: &str = "SELECT clinic_id, member_id, withdrawn_through FROM lanes \
             WHERE swept_through < withdrawn_through LIMIT 1 FOR UPDATE SKIP LOCKED";
        let sql = self.pick(SQLITE, POSTGRES);
        let row: Option<(String, Uuid, i64)> = on!(self, conn => sqlx::query_as(sql).fetch_optional(conn).await?);
        let Some((clinic, member, through)) = row else { return Ok(false) };
        let lane = LaneKey { clinic: clinic_id(clinic)?, member: MemberId(member) };
        self.sweep_lane(&lane, through, now).await?;
        Ok(true)
    }

    /// Puts a portion of the rows of a lane right, which the caller holds, up to where it was withdrawn. Returns whether
    /// they all are.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sweep_lane(&mut self, lane: &LaneKey, through: i64, now: Timestamp) -> Result<bool, StoreError> {
        const SWEPT: &str =
            "UPDATE lanes SET swept_through = withdrawn_through WHERE clinic_id = $1 AND member_id = $2";
        if self.sweep_items(lane, through, PORTION, now).await? {
            return Ok(false);
        }
        on!(self, conn => sqlx::query(SWEPT)
            .bind(lane.clinic.as_str())
            .bind(lane.member.0)
            .execute(conn)
            .await?
            .rows_affected());
        self.wake_lane(lane).await?;
        Ok(true)
    }

    /// Puts at most so many rows of each kind right. Returns whether there may be more.
    async fn sweep_items(
        &mut self,
        lane: &LaneKey,
        through: i64,
        limit: i64,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut is_more = false;
        for (index, unswept) in UNSWEPT {
            let index = self.pick(index, "");
            // A portion is all of them up to its last one, not a list of them: a database that knows little of a table as
            // yet may look for each of a list anew, through everything the lane ever had.
            let swept = on!(self, conn: Db => {
                let mut query = QueryBuilder::<Db>::new("UPDATE outbox");
                query.push(index).push(WITHDRAW).push_bind(now.as_microsecond());
                query.push(" WHERE clinic_id = ").push_bind(lane.clinic.as_str());
                query.push(" AND member_id = ").push_bind(lane.member.0).push(unswept);
                query.push(" AND seq <= COALESCE((SELECT seq FROM outbox").push(index);
                query.push(" WHERE clinic_id = ").push_bind(lane.clinic.as_str());
                query.push(" AND member_id = ").push_bind(lane.member.0).push(unswept);
                query.push(" AND seq <= ").push_bind(through).push(" ORDER BY seq LIMIT 1 OFFSET ").push_bind(limit - 1).push("), ");
                query.push_bind(through).push(")");
                query.build().execute(conn).await?.rows_affected()
            });
            is_more |= swept >= limit.cast_unsigned();
        }
        Ok(is_more)
    }

    /// Puts the rows about these resources right, on lanes that the caller has reserved: for whoever cannot wait until the
    /// whole lane is swept.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sweep_resources(&mut self, identifiers: &[String], now: Timestamp) -> Result<(), StoreError> {
        for chunk in identifiers.chunks(ROWS_PER_STATEMENT) {
            on!(self, conn: Db => {
                let mut query = QueryBuilder::<Db>::new("UPDATE outbox");
                query.push(WITHDRAW).push_bind(now.as_microsecond()).push(
                    " WHERE state IN ('ready', 'retry', 'held') AND seq <= (SELECT withdrawn_through FROM lanes \
                     WHERE lanes.clinic_id = outbox.clinic_id AND lanes.member_id = outbox.member_id) \
                     AND identifier IN (",
                );
                let mut list = query.separated(", ");
                for identifier in chunk {
                    list.push_bind(identifier);
                }
                query.push(")");
                query.build().execute(conn).await?.rows_affected()
            });
        }
        Ok(())
    }
}
