//! Lanes: one for each clinic and member, leased by one desk at a time.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::{StoreError, Tx, clinic_id, instant, on, padded};
use crate::domain::ids::{ClinicId, MemberId};

/// Which lane: deliveries about one member to one clinic stay in order.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LaneKey {
    /// To whom.
    pub clinic: ClinicId,
    /// About whom.
    pub member: MemberId,
}

/// A lane that is leased to this desk until its lease runs out.
#[derive(Clone, Debug)]
pub struct Lane {
    /// Which lane.
    pub key: LaneKey,
    /// Proof of the newest lease: nothing is written with an older one.
    pub fence: i64,
}

/// Lanes that were just leased.
#[derive(Clone, Debug)]
pub struct Leased {
    /// Which.
    pub lanes: Vec<Lane>,
    /// What time it was by the clock of the database's own machine; `None` where that is this one, or there are none.
    pub at: Option<Timestamp>,
}

/// A lane that this desk holds until its transaction ends.
#[derive(Clone, Debug)]
pub struct HeldLane {
    /// Of the items up to this one, those that wait are withdrawn and the content of all is erased, whatever their rows
    /// say as yet.
    pub withdrawn_through: i64,
    /// Whether rows on it may not say so yet ([`Tx::sweep_lane`]).
    pub is_unswept: bool,
    /// The key of what stands on it, wrapped by its member's key.
    pub sealed_key: Option<Vec<u8>>,
    /// Until when it is leased.
    pub lease_until: Timestamp,
}

/// The room that is wanted at the end of a lane.
#[derive(Clone, Debug, Default)]
pub struct Room {
    /// For how many items.
    pub items: i64,
    /// A fresh key for what stands on the lane, wrapped by its member's key. It is used if the lane has none.
    pub fresh_key: Option<Vec<u8>>,
}

/// Room at the end of a lane.
#[derive(Clone, Debug)]
pub struct Reserved {
    /// The last sequence number of the lane, and of the room.
    pub last_seq: i64,
    /// The key of what stands on the lane, wrapped by its member's key.
    pub sealed_key: Option<Vec<u8>>,
    /// Whether rows on it may not say yet that they are withdrawn ([`Tx::sweep_resources`]).
    pub is_unswept: bool,
}

type ReservedRow = (String, Uuid, i64, Option<Vec<u8>>, bool);
type HeldRow = (Uuid, i64, bool, Option<Vec<u8>>, i64);

/// SQLite may take another index that begins alike, and then reads every item that a lane ever had: it is told which one.
macro_rules! first_open {
    ($by:literal) => {
        concat!(
            " FROM outbox o",
            $by,
            " WHERE o.clinic_id = lanes.clinic_id AND o.member_id = lanes.member_id \
         AND o.state IN ('ready', 'sending', 'retry', 'unknown') ORDER BY o.seq LIMIT 1"
        )
    };
}

macro_rules! due_of_first_open {
    ($by:literal) => {
        concat!(
            "due_at = CASE WHEN swept_through < withdrawn_through THEN 0 ELSE (SELECT o.due_at",
            first_open!($by),
            ") END"
        )
    };
}

impl Tx {
    /// Makes room for items at the end of lanes, and gives each lane that has none the key that comes with it. Lanes are
    /// touched in key order, so that two batches wait for each other instead of locking each other out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn reserve_lanes(
        &mut self,
        rooms: &BTreeMap<LaneKey, Room>,
        now: Timestamp,
    ) -> Result<HashMap<LaneKey, Reserved>, StoreError> {
        if rooms.is_empty() {
            return Ok(HashMap::new());
        }
        let rows: Vec<ReservedRow> = on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(
                "INSERT INTO lanes (clinic_id, member_id, last_seq, due_at, lease_until, fence, sealed_key, keyed_after) ",
            );
            query.push_values(rooms, |mut row, (lane, room)| {
                row.push_bind(lane.clinic.as_str())
                    .push_bind(lane.member.0)
                    .push_bind(room.items)
                    .push_bind(now.as_microsecond())
                    .push("0")
                    .push("0")
                    .push_bind(room.fresh_key.as_deref())
                    .push("0");
            });
            query.push(
                " ON CONFLICT (clinic_id, member_id) DO UPDATE SET last_seq = lanes.last_seq + excluded.last_seq, \
                 due_at = COALESCE(lanes.due_at, excluded.due_at), \
                 sealed_key = COALESCE(lanes.sealed_key, excluded.sealed_key), \
                 keyed_after = COALESCE(lanes.keyed_after, lanes.last_seq) \
                 RETURNING clinic_id, member_id, last_seq, sealed_key, swept_through < withdrawn_through",
            );
            query.build_query_as().fetch_all(conn).await?
        });
        rows.into_iter()
            .map(|(clinic, member, last_seq, sealed_key, is_unswept)| {
                let lane = LaneKey { clinic: clinic_id(clinic)?, member: MemberId(member) };
                Ok((lane, Reserved { last_seq, sealed_key, is_unswept }))
            })
            .collect()
    }

    /// Leases up to `limit` lanes of a clinic that have something due and no living lease, the longest waiting first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lease_lanes(
        &mut self,
        clinic: &ClinicId,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Leased, StoreError> {
        // SQLite plans a statement anew for every other number that is bound as its limit alone.
        const SQLITE: &str = "UPDATE lanes SET lease_until = $3, fence = fence + 1 WHERE clinic_id = $1 AND member_id IN \
             (SELECT member_id FROM lanes WHERE clinic_id = $1 AND due_at <= $2 AND lease_until <= $2 \
             ORDER BY due_at LIMIT $4 + 0) RETURNING member_id, fence, NULL";
        const POSTGRES: &str = "UPDATE lanes SET lease_until = $3, fence = fence + 1 WHERE clinic_id = $1 AND member_id IN \
             (SELECT member_id FROM lanes WHERE clinic_id = $1 AND due_at <= $2 AND lease_until <= $2 \
             ORDER BY due_at LIMIT $4 + 0 FOR UPDATE SKIP LOCKED) \
             RETURNING member_id, fence, CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)";
        let sql = self.pick(SQLITE, POSTGRES);
        let rows: Vec<(Uuid, i64, Option<i64>)> = on!(self, conn => sqlx::query_as(sql)
            .bind(clinic.as_str())
            .bind(now.as_microsecond())
            .bind(until.as_microsecond())
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(conn)
            .await?);
        let at = rows.first().and_then(|(.., micros)| *micros).map(instant).transpose()?;
        let lane =
            |(member, fence, _)| Lane { key: LaneKey { clinic: clinic.clone(), member: MemberId(member) }, fence };
        Ok(Leased { lanes: rows.into_iter().map(lane).collect(), at })
    }

    /// Of some lanes of one clinic, those whose lease is still the caller's. They are locked until the transaction ends,
    /// in key order, as everyone locks several lanes.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn hold_lanes(
        &mut self,
        clinic: &ClinicId,
        lanes: &[Lane],
        now: Timestamp,
    ) -> Result<BTreeMap<MemberId, HeldLane>, StoreError> {
        if lanes.is_empty() {
            return Ok(BTreeMap::new());
        }
        let tail = self.pick("", " ORDER BY lanes.member_id FOR UPDATE OF lanes");
        let rows: Vec<HeldRow> = on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(
                "SELECT lanes.member_id, lanes.withdrawn_through, lanes.swept_through < lanes.withdrawn_through, \
                 lanes.sealed_key, lanes.lease_until FROM (",
            );
            query.push_values(padded(lanes), |mut row, lane| {
                row.push_bind(lane.key.member.0).push_bind(lane.fence);
            });
            query.push(") AS held CROSS JOIN lanes WHERE lanes.member_id = held.column1 AND lanes.fence = held.column2");
            query.push(" AND lanes.clinic_id = ").push_bind(clinic.as_str());
            query.push(" AND lanes.lease_until > ").push_bind(now.as_microsecond()).push(tail);
            query.build_query_as().fetch_all(conn).await?
        });
        rows.into_iter()
            .map(|(member, withdrawn_through, is_unswept, sealed_key, until)| {
                let lane = HeldLane { withdrawn_through, is_unswept, sealed_key, lease_until: instant(until)? };
                Ok((MemberId(member), lane))
            })
            .collect()
    }

    /// Prolongs the leases of lanes that the caller holds ([`Tx::hold_lanes`]).
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn prolong_leases(
        &mut self,
        clinic: &ClinicId,
        members: &[MemberId],
        until: Timestamp,
    ) -> Result<(), StoreError> {
        self.update_lanes("lease_until = ", Some(until), clinic, members).await
    }

    /// Gives back lanes that the caller holds; each is due again when its first open item is, but lets those go first
    /// that have waited longer.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn release_lanes(
        &mut self,
        clinic: &ClinicId,
        members: &[MemberId],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if members.is_empty() {
            return Ok(());
        }
        let now = now.as_microsecond();
        let first_open = self.pick(first_open!(" INDEXED BY outbox_open"), first_open!(""));
        on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(
                "UPDATE lanes SET lease_until = 0, due_at = CASE WHEN swept_through < withdrawn_through THEN ",
            );
            query.push_bind(now).push(" ELSE (SELECT CASE WHEN o.due_at < ").push_bind(now).push(" THEN ").push_bind(now);
            query.push(" ELSE o.due_at END").push(first_open).push(") END WHERE clinic_id = ");
            query.push_bind(clinic.as_str()).push(" AND member_id IN (");
            let mut list = query.separated(", ");
            for member in padded(members) {
                list.push_bind(member.0);
            }
            query.push(")");
            query.build().execute(conn).await?.rows_affected()
        });
        Ok(())
    }

    /// Gives a lane back that the caller holds. Nothing moves on it before `until`, unless [`Tx::wake_lane`] is called.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn park_lane(&mut self, lane: &LaneKey, until: Timestamp) -> Result<(), StoreError> {
        self.update_lanes("lease_until = 0, due_at = ", Some(until), &lane.clinic, &[lane.member]).await
    }

    /// Makes a lane due again when its first open item is. A lane that was never used stays unused.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn wake_lane(&mut self, lane: &LaneKey) -> Result<(), StoreError> {
        self.update_lanes(self.recompute_due(), None, &lane.clinic, &[lane.member]).await
    }

    /// Sets a lane's due time from its first open item; at once where rows are to be put right before that.
    pub(super) const fn recompute_due(&self) -> &'static str {
        self.pick(due_of_first_open!(" INDEXED BY outbox_open"), due_of_first_open!(""))
    }

    /// `UPDATE lanes SET <set> [at] WHERE <these lanes>`.
    async fn update_lanes(
        &mut self,
        set: &str,
        at: Option<Timestamp>,
        clinic: &ClinicId,
        members: &[MemberId],
    ) -> Result<(), StoreError> {
        if members.is_empty() {
            return Ok(());
        }
        on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new("UPDATE lanes SET ");
            query.push(set);
            if let Some(at) = at {
                query.push_bind(at.as_microsecond());
            }
            query.push(" WHERE clinic_id = ").push_bind(clinic.as_str()).push(" AND member_id IN (");
            let mut list = query.separated(", ");
            for member in padded(members) {
                list.push_bind(member.0);
            }
            query.push(")");
            query.build().execute(conn).await?.rows_affected()
        });
        Ok(())
    }
}
