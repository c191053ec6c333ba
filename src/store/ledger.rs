//! The ledger: what stands where in which EHR.

use jiff::Timestamp;
use sqlx::QueryBuilder;

use super::lanes::LaneKey;
use super::{StoreError, Tx, instant, named, on, padded};
use crate::domain::delivery::{Delivery, DeliveryState, Stored};
use crate::domain::ids::ClinicId;

/// What stands in an EHR.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LedgerEntry {
    /// Value of the resource's identifier.
    pub identifier: String,
    /// Where.
    pub stored: Stored,
}

impl Tx {
    /// Notes what a clinic's EHR confirmed; no identifier twice. A later confirmation of the same identifier replaces an
    /// earlier one. (`DISTINCT`, because the rows are padded, and no row may be updated twice.)
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn insert_ledger(
        &mut self,
        clinic: &ClinicId,
        confirmed: &[(&Delivery, &Stored)],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if confirmed.is_empty() {
            return Ok(());
        }
        on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(
                "INSERT INTO ledger (clinic_id, member_id, identifier, resource_type, ehr_id, ehr_version, delivery_id, \
                 confirmed_at) SELECT DISTINCT * FROM (",
            );
            query.push_values(padded(confirmed), |mut row, (item, stored)| {
                row.push_bind(clinic.as_str())
                    .push_bind(item.member.0)
                    .push_bind(&item.identifier)
                    .push_bind(&stored.resource_type)
                    .push_bind(&stored.id)
                    .push_bind(&stored.version)
                    .push_bind(item.id.0)
                    .push_bind(now.as_microsecond());
            });
            query.push(
                ") AS confirmed WHERE true ON CONFLICT (clinic_id, member_id, identifier) DO UPDATE SET \
                 resource_type = excluded.resource_type, ehr_id = excluded.ehr_id, \
                 ehr_version = excluded.ehr_version, delivery_id = excluded.delivery_id, confirmed_at = excluded.confirmed_at",
            );
            query.build().execute(conn).await?.rows_affected()
        });
        Ok(())
    }

    /// What stands in a clinic's EHR about a member.
    ///
    /// # Errors
    /// [`StoreError::Database`].
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
            .map(|(identifier, resource_type, id, version)| LedgerEntry {
                identifier,
                stored: Stored { resource_type, id, version },
            })
            .collect())
    }

    /// What a member asked a clinic to mark as entered in error: each resource by its identifier, where that stands, and
    /// since when. What waits on a lane whose consent ended since is withdrawn, whatever its row says as yet.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn marks(&mut self, lane: &LaneKey) -> Result<Vec<(String, DeliveryState, Timestamp)>, StoreError> {
        const SQL: &str = "SELECT o.identifier, CASE WHEN o.seq <= l.withdrawn_through \
             AND o.state IN ('ready', 'retry', 'held') THEN 'withdrawn' ELSE o.state END, o.updated_at FROM outbox o \
             JOIN lanes l ON l.clinic_id = o.clinic_id AND l.member_id = o.member_id \
             WHERE o.clinic_id = $1 AND o.member_id = $2 AND o.kind = 'mark' ORDER BY o.seq";
        let rows: Vec<(String, String, i64)> = on!(self, conn => sqlx::query_as(SQL)
            .bind(lane.clinic.as_str())
            .bind(lane.member.0)
            .fetch_all(conn)
            .await?);
        rows.into_iter()
            .map(|(identifier, state, at)| {
                Ok((
                    identifier,
                    named(DeliveryState::from_name(&state), "a delivery state it should not")?,
                    instant(at)?,
                ))
            })
            .collect()
    }
}
