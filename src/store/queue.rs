//! The outbox as an operator sees it: how much stands where, why, and what is tried again by hand.

use jiff::Timestamp;
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::sweep::STANDING;
use super::{StoreError, Tx, clinic_id, instant, named, on};
use crate::domain::delivery::DeliveryState;
use crate::domain::ids::{ClinicId, DeliveryId};

/// Items of one clinic that stand in the same state for the same reason.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QueueRow {
    /// To whom.
    pub clinic: ClinicId,
    /// Where they stand.
    pub state: DeliveryState,
    /// Why: a code.
    pub reason: Option<String>,
    /// How many.
    pub count: i64,
    /// When the oldest of them was put into the outbox.
    pub oldest: Timestamp,
}

/// An item that does not go on by itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StuckItem {
    /// The item.
    pub id: DeliveryId,
    /// To whom.
    pub clinic: ClinicId,
    /// Where it stands.
    pub state: DeliveryState,
    /// Why: a code.
    pub reason: Option<String>,
    /// When it was put into the outbox.
    pub since: Timestamp,
    /// Whether the EHR said more, in words.
    pub answered: bool,
}

/// Which items are tried again. Only those that wait for a human are.
#[derive(Clone, Debug)]
pub enum Replay<'a> {
    /// One item.
    Delivery(DeliveryId),
    /// All of a clinic that stand there for one reason, or for any.
    Clinic(&'a ClinicId, Option<&'a str>),
    /// All of a clinic that were held because its EHR took them in no form.
    Held(&'a ClinicId),
}

/// Whether a later item is about the same resource: then an earlier one, sent now, would bring back what was corrected or
/// deleted since.
const OVERTAKEN: &str = "EXISTS (SELECT 1 FROM outbox later WHERE later.identifier = outbox.identifier \
     AND later.clinic_id = outbox.clinic_id AND later.member_id = outbox.member_id AND later.seq > outbox.seq)";

/// Whether its consent has ended since it was put there: then it is withdrawn, or has no content any more.
const WITHDRAWN: &str = "EXISTS (SELECT 1 FROM lanes WHERE lanes.clinic_id = outbox.clinic_id \
     AND lanes.member_id = outbox.member_id AND outbox.seq <= lanes.withdrawn_through)";

/// What waits for a human, or for its EHR to take it.
const STUCK: &str = "state IN ('rejected', 'dead', 'held')";

impl Tx {
    /// SQLite would read the whole outbox: it is told where those are found that are stuck.
    const fn update_stuck(&self) -> &'static str {
        self.pick("UPDATE outbox INDEXED BY outbox_stuck SET ", "UPDATE outbox SET ")
    }

    /// Withdraws what was never sent and was overtaken by a later item, and erases its content.
    async fn withdraw_overtaken(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let update = self.update_stuck();
        on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(update);
            query.push("state = 'withdrawn', sealed_payload = NULL, sealed_answer = NULL, reason = 'superseded', updated_at = ");
            query.push_bind(now.as_microsecond()).push(" WHERE ").push(STUCK).push(" AND state <> 'dead' AND ");
            query.push(OVERTAKEN).push(" AND NOT ").push(WITHDRAWN);
            query.build().execute(conn).await?.rows_affected()
        });
        Ok(())
    }

    /// What stands where and why, clinic by clinic; confirmed and withdrawn items only as their number.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn queue(&mut self) -> Result<Vec<QueueRow>, StoreError> {
        let rows: Vec<(String, String, Option<String>, i64, i64)> = on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(STANDING);
            query.push(
                "SELECT clinic_id, state, reason, COUNT(*), MIN(created_at) FROM standing \
                 GROUP BY clinic_id, state, reason ORDER BY clinic_id, state, reason",
            );
            query.build_query_as().fetch_all(conn).await?
        });
        rows.into_iter()
            .map(|(clinic, state, reason, count, oldest)| {
                Ok(QueueRow {
                    clinic: clinic_id(clinic)?,
                    state: named(DeliveryState::from_name(&state), "a delivery state it should not")?,
                    reason,
                    count,
                    oldest: instant(oldest)?,
                })
            })
            .collect()
    }

    /// The items that wait for a human or for their EHR, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn stuck_items(&mut self, limit: i64) -> Result<Vec<StuckItem>, StoreError> {
        const SQL: &str = "SELECT o.delivery_id, o.clinic_id, o.state, o.reason, o.created_at, \
             o.sealed_answer IS NOT NULL AND o.seq > l.withdrawn_through FROM outbox o \
             JOIN lanes l ON l.clinic_id = o.clinic_id AND l.member_id = o.member_id \
             WHERE o.state IN ('rejected', 'dead', 'held') AND NOT (o.state = 'held' AND o.seq <= l.withdrawn_through) \
             ORDER BY o.created_at, o.delivery_id LIMIT $1";
        let rows: Vec<(Uuid, String, String, Option<String>, i64, bool)> =
            on!(self, conn => sqlx::query_as(SQL).bind(limit).fetch_all(conn).await?);
        rows.into_iter()
            .map(|(id, clinic, state, reason, since, answered)| {
                Ok(StuckItem {
                    id: DeliveryId(id),
                    clinic: clinic_id(clinic)?,
                    state: named(DeliveryState::from_name(&state), "a delivery state it should not")?,
                    reason,
                    since: instant(since)?,
                    answered,
                })
            })
            .collect()
    }

    /// How many items were confirmed at or after `since`.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn confirmed_since(&mut self, since: Timestamp) -> Result<i64, StoreError> {
        const SQL: &str = "SELECT COUNT(*) FROM ledger WHERE confirmed_at >= $1";
        Ok(on!(self, conn => sqlx::query_scalar(SQL).bind(since.as_microsecond()).fetch_one(conn).await?))
    }

    /// Puts items that wait for a human, or for the EHR to take them, back on their lanes. A rejected one is sent again; the fate of a dead one is
    /// unknown, so it is searched for first. Consent is decided anew, as ever; what a later item has overtaken is not sent
    /// any more. Returns how many there were.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn replay(&mut self, which: &Replay<'_>, now: Timestamp) -> Result<u64, StoreError> {
        self.withdraw_overtaken(now).await?;
        let update = self.update_stuck();
        let replayed = on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(update);
            query.push("state = CASE state WHEN 'dead' THEN 'unknown' ELSE 'ready' END, attempts = 0, reason = 'replayed', due_at = ");
            query.push_bind(now.as_microsecond()).push(", updated_at = ").push_bind(now.as_microsecond());
            query.push(" WHERE ").push(STUCK).push(" AND sealed_payload IS NOT NULL AND NOT ");
            query.push(OVERTAKEN).push(" AND NOT ").push(WITHDRAWN).push(" AND ");
            match which {
                Replay::Delivery(id) => {
                    query.push("delivery_id = ").push_bind(id.0);
                }
                Replay::Held(clinic) => {
                    query.push("state = 'held' AND clinic_id = ").push_bind(clinic.as_str());
                }
                Replay::Clinic(clinic, reason) => {
                    query.push("clinic_id = ").push_bind(clinic.as_str());
                    if let Some(reason) = reason {
                        query.push(" AND reason = ").push_bind(*reason);
                    }
                }
            }
            query.build().execute(conn).await?.rows_affected()
        });
        if replayed > 0 {
            let recompute_due = self.recompute_due();
            on!(self, conn: Db => {
                let mut query = QueryBuilder::<Db>::new("UPDATE lanes SET ");
                query.push(recompute_due).push(" WHERE due_at IS NULL OR due_at > ").push_bind(now.as_microsecond());
                query.build().execute(conn).await?.rows_affected()
            });
        }
        Ok(replayed)
    }
}
