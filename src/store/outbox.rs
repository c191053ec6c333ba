//! The outbox: items on lanes, and the ledger of what an EHR confirmed.

use std::borrow::Cow;

use jiff::Timestamp;
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::error::changed;
use super::lanes::LaneKey;
use super::{ROWS_PER_STATEMENT, StoreError, Tx, instant, named, on};
use crate::domain::category::Category;
use crate::domain::delivery::{Delivery, DeliveryState, Operation};
use crate::domain::ids::{ClinicId, DeliveryId, GrantId, MemberId};
use crate::vault::Index;

/// An item to be put on its lane.
#[derive(Clone, Debug)]
pub struct NewDelivery {
    /// Its id.
    pub id: DeliveryId,
    /// Its lane.
    pub lane: LaneKey,
    /// Its place on the lane.
    pub seq: i64,
    /// The grant that permits it.
    pub grant: GrantId,
    /// What it does with the resource.
    pub operation: Operation,
    /// The category it falls under.
    pub category: Category,
    /// When the fact was lived.
    pub measured_at: Timestamp,
    /// FHIR resource type.
    pub resource_type: Cow<'static, str>,
    /// Value of the resource's identifier.
    pub identifier: String,
    /// Keyed index of what it says; `None` for a retraction.
    pub content: Option<Index>,
    /// FHIR JSON, sealed with the member's key.
    pub sealed_payload: Vec<u8>,
}

/// What became of an item.
#[derive(Clone, Debug)]
pub struct Settled<'a> {
    /// Where it stood.
    pub from: DeliveryState,
    /// Where it stands now.
    pub state: DeliveryState,
    /// How many attempts, searches included, were made for it by now.
    pub attempts: i32,
    /// When it is looked at again, if it is still open.
    pub due_at: Timestamp,
    /// Why: a code, never content.
    pub reason: Option<&'a str>,
}

/// What stands in an EHR.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LedgerEntry {
    /// Value of the resource's identifier.
    pub identifier: String,
    /// FHIR resource type.
    pub resource_type: String,
    /// The id the EHR gave it.
    pub ehr_id: String,
    /// The version the EHR gave it, if it said.
    pub ehr_version: Option<String>,
}

type Row = (Uuid, i64, Uuid, String, String, i64, String, String, String, i32, i64, Option<String>, Option<Vec<u8>>);

impl Tx {
    /// Puts items on their lanes; their sequence numbers come from [`Tx::reserve_lanes`] in this transaction. An item
    /// whose identifier has a delivery already is left out: somebody else was faster.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_deliveries(&mut self, items: &[NewDelivery], now: Timestamp) -> Result<(), StoreError> {
        for chunk in items.chunks(ROWS_PER_STATEMENT) {
            on!(self, conn: Db => {
                let mut query = QueryBuilder::<Db>::new(
                    "INSERT INTO outbox (clinic_id, member_id, seq, delivery_id, grant_id, operation, category, measured_at, \
                     resource_type, identifier, content_index, sealed_payload, state, attempts, due_at, created_at, \
                     updated_at) ",
                );
                query.push_values(chunk, |mut row, item| {
                    row.push_bind(item.lane.clinic.as_str())
                        .push_bind(item.lane.member.0)
                        .push_bind(item.seq)
                        .push_bind(item.id.0)
                        .push_bind(item.grant.0)
                        .push_bind(item.operation.as_str())
                        .push_bind(item.category.as_str())
                        .push_bind(item.measured_at.as_microsecond())
                        .push_bind(&*item.resource_type)
                        .push_bind(&item.identifier)
                        .push_bind(item.content.as_ref().map(|content| &content[..]))
                        .push_bind(&item.sealed_payload)
                        .push_bind(DeliveryState::Ready.as_str())
                        .push("0")
                        .push_bind(now.as_microsecond())
                        .push_bind(now.as_microsecond())
                        .push_bind(now.as_microsecond());
                });
                query.push(" ON CONFLICT DO NOTHING");
                query.build().execute(conn).await?.rows_affected()
            });
        }
        Ok(())
    }

    /// Withdraws what was not sent of resources that a later item changes, and erases its content, so that nobody can
    /// send it again: it would come after the later item. The caller has reserved their lanes in this transaction.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn supersede(&mut self, identifiers: &[String], now: Timestamp) -> Result<(), StoreError> {
        for chunk in identifiers.chunks(ROWS_PER_STATEMENT) {
            on!(self, conn: Db => {
                // A dead letter may have arrived, and stays one.
                let mut query = QueryBuilder::<Db>::new(
                    "UPDATE outbox SET state = CASE state WHEN 'dead' THEN 'dead' ELSE 'withdrawn' END, \
                     sealed_payload = NULL, sealed_answer = NULL, reason = 'superseded', updated_at = ",
                );
                query.push_bind(now.as_microsecond());
                query.push(" WHERE state IN ('ready', 'retry', 'rejected', 'dead') AND identifier IN (");
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

    /// The first open item of a lane, with the time from which it may be worked on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lane_head(&mut self, lane: &LaneKey) -> Result<Option<(Delivery, Timestamp)>, StoreError> {
        const SQL: &str = "SELECT delivery_id, seq, grant_id, operation, category, measured_at, resource_type, identifier, state, \
             attempts, due_at, reason, sealed_payload FROM outbox \
             WHERE clinic_id = $1 AND member_id = $2 AND state IN ('ready', 'sending', 'retry', 'unknown') \
             ORDER BY seq LIMIT 1";
        let row: Option<Row> = on!(self, conn => sqlx::query_as(SQL)
            .bind(lane.clinic.as_str())
            .bind(lane.member.0)
            .fetch_optional(conn)
            .await?);
        row.map(|row| read(lane, row)).transpose()
    }

    /// Marks an item as being sent.
    ///
    /// # Errors
    /// [`StoreError::RowCount`] when it is no longer where it was.
    pub async fn mark_sending(&mut self, item: &Delivery, now: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE outbox SET state = 'sending', updated_at = $5 \
                           WHERE clinic_id = $1 AND member_id = $2 AND seq = $3 AND state = $4";
        changed(
            1,
            on!(self, conn => sqlx::query(SQL)
                .bind(item.clinic.as_str())
                .bind(item.member.0)
                .bind(item.seq)
                .bind(item.state.as_str())
                .bind(now.as_microsecond())
                .execute(conn)
                .await?
                .rows_affected()),
        )
    }

    /// Writes what became of an item. Its content is erased once nothing can need it any more. The caller holds the
    /// lane's lease ([`Tx::prolong_lease`]) in this transaction.
    ///
    /// # Errors
    /// [`StoreError::RowCount`] when the item does not stand where it stood.
    pub async fn settle(&mut self, item: &Delivery, to: &Settled<'_>, now: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE outbox SET state = $4, due_at = $5, reason = $6, updated_at = $7, attempts = $8, \
             sealed_payload = CASE WHEN $4 IN ('confirmed', 'withdrawn') THEN NULL ELSE sealed_payload END \
             WHERE clinic_id = $1 AND member_id = $2 AND seq = $3 AND state = $9";
        changed(
            1,
            on!(self, conn => sqlx::query(SQL)
                .bind(item.clinic.as_str())
                .bind(item.member.0)
                .bind(item.seq)
                .bind(to.state.as_str())
                .bind(to.due_at.as_microsecond())
                .bind(to.reason)
                .bind(now.as_microsecond())
                .bind(to.attempts)
                .bind(to.from.as_str())
                .execute(conn)
                .await?
                .rows_affected()),
        )
    }

    /// Notes what the EHR confirmed. A second confirmation of the same identifier replaces the first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_ledger(
        &mut self,
        item: &Delivery,
        ehr_id: &str,
        ehr_version: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO ledger (clinic_id, member_id, identifier, resource_type, ehr_id, ehr_version, \
             delivery_id, confirmed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
             ON CONFLICT (clinic_id, member_id, identifier) DO UPDATE SET ehr_id = excluded.ehr_id, \
             ehr_version = excluded.ehr_version, delivery_id = excluded.delivery_id, confirmed_at = excluded.confirmed_at";
        on!(self, conn => sqlx::query(SQL)
            .bind(item.clinic.as_str())
            .bind(item.member.0)
            .bind(&item.identifier)
            .bind(&item.resource_type)
            .bind(ehr_id)
            .bind(ehr_version)
            .bind(item.id.0)
            .bind(now.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        Ok(())
    }

    /// Withdraws what waits on a lane and erases the content of everything still open there. What is under way, or may
    /// have arrived, stays open until its outcome is known, but has nothing left to send.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn withdraw_lane(&mut self, lane: &LaneKey, reason: &str, now: Timestamp) -> Result<u64, StoreError> {
        const WITHDRAW: &str = "UPDATE outbox SET state = 'withdrawn', sealed_payload = NULL, reason = $3, \
             updated_at = $4 WHERE clinic_id = $1 AND member_id = $2 AND state IN ('ready', 'retry')";
        const ERASE: &str = "UPDATE outbox SET sealed_payload = NULL WHERE clinic_id = $1 AND member_id = $2 \
             AND state NOT IN ('confirmed', 'withdrawn') AND sealed_payload IS NOT NULL";
        let withdrawn = on!(self, conn => sqlx::query(WITHDRAW)
            .bind(lane.clinic.as_str())
            .bind(lane.member.0)
            .bind(reason)
            .bind(now.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        on!(self, conn => sqlx::query(ERASE)
            .bind(lane.clinic.as_str())
            .bind(lane.member.0)
            .execute(conn)
            .await?
            .rows_affected());
        self.wake_lane(lane).await?;
        Ok(withdrawn)
    }

    /// How many items stand in each state, for one clinic or for all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_deliveries(
        &mut self,
        clinic: Option<&ClinicId>,
    ) -> Result<Vec<(DeliveryState, i64)>, StoreError> {
        const SQL: &str = "SELECT state, COUNT(*) FROM outbox WHERE $1 = '' OR clinic_id = $1 GROUP BY state";
        let clinic = clinic.map_or("", ClinicId::as_str);
        let rows: Vec<(String, i64)> = on!(self, conn => sqlx::query_as(SQL).bind(clinic).fetch_all(conn).await?);
        rows.into_iter()
            .map(|(name, count)| Ok((named(DeliveryState::from_name(&name), "a delivery state it should not")?, count)))
            .collect()
    }

    /// What stands in a clinic's EHR about a member.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ledger(&mut self, lane: &LaneKey) -> Result<Vec<LedgerEntry>, StoreError> {
        const SQL: &str = "SELECT identifier, resource_type, ehr_id, ehr_version FROM ledger \
                           WHERE clinic_id = $1 AND member_id = $2 ORDER BY confirmed_at, identifier";
        let rows: Vec<(String, String, String, Option<String>)> = on!(self, conn => sqlx::query_as(SQL)
            .bind(lane.clinic.as_str())
            .bind(lane.member.0)
            .fetch_all(conn)
            .await?);
        Ok(rows
            .into_iter()
            .map(|(identifier, resource_type, ehr_id, ehr_version)| LedgerEntry {
                identifier,
                resource_type,
                ehr_id,
                ehr_version,
            })
            .collect())
    }
}

fn read(lane: &LaneKey, row: Row) -> Result<(Delivery, Timestamp), StoreError> {
    let (
        id,
        seq,
        grant,
        operation,
        category,
        measured_at,
        resource_type,
        identifier,
        state,
        attempts,
        due_at,
        reason,
        payload,
    ) = row;
    let delivery = Delivery {
        id: DeliveryId(id),
        clinic: lane.clinic.clone(),
        member: MemberId(lane.member.0),
        seq,
        grant: GrantId(grant),
        operation: named(Operation::from_name(&operation), "an operation it should not")?,
        category: named(Category::from_name(&category), "a category it should not")?,
        measured_at: instant(measured_at)?,
        resource_type,
        identifier,
        state: named(DeliveryState::from_name(&state), "a delivery state it should not")?,
        attempts,
        reason,
        sealed_payload: payload,
    };
    Ok((delivery, instant(due_at)?))
}
