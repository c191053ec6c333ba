//! The outbox: items are put on lanes, superseded and counted.

use std::borrow::Cow;

use jiff::Timestamp;
use sqlx::QueryBuilder;

use super::lanes::LaneKey;
use super::matter::{MatterColumns, addressee_column, grant_column};
use super::sweep::STANDING;
use super::{ROWS_PER_STATEMENT, StoreError, Tx, named, on};
use crate::domain::delivery::{DeliveryState, Operation};
use crate::domain::grant::Addressee;
use crate::domain::ids::{ClinicId, DeliveryId, GrantId};
use crate::domain::matter::Matter;
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
    /// The grant that permits it; `None`: a policy does.
    pub grant: Option<GrantId>,
    /// What it does with the resource.
    pub operation: Operation,
    /// What it tells.
    pub matter: Matter,
    /// To whom at the clinic it is addressed.
    pub addressee: Addressee,
    /// FHIR resource type.
    pub resource_type: Cow<'static, str>,
    /// Value of the resource's identifier.
    pub identifier: String,
    /// Whether it is a part of what another item tells as a whole.
    pub is_part: bool,
    /// Keyed index of what it says; `None` for a retraction.
    pub content: Option<Index>,
    /// FHIR JSON, sealed with the lane's key.
    pub sealed_payload: Vec<u8>,
}

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
                    "INSERT INTO outbox (clinic_id, member_id, seq, delivery_id, grant_id, operation, kind, parts, category, \
                     detail, labels, measured_at, addressee, resource_type, identifier, is_part, content_index, \
                     sealed_payload, state, attempts, due_at, created_at, updated_at) ",
                );
                query.push_values(chunk, |mut row, item| {
                    let matter = MatterColumns::from(&item.matter);
                    row.push_bind(item.lane.clinic.as_str())
                        .push_bind(item.lane.member.0)
                        .push_bind(item.seq)
                        .push_bind(item.id.0)
                        .push_bind(grant_column(item.grant))
                        .push_bind(item.operation.as_str())
                        .push_bind(matter.kind)
                        .push_bind(matter.parts)
                        .push_bind(matter.category)
                        .push_bind(matter.detail)
                        .push_bind(matter.labels)
                        .push_bind(matter.measured_at)
                        .push_bind(addressee_column(item.addressee))
                        .push_bind(&*item.resource_type)
                        .push_bind(&item.identifier)
                        .push_bind(i16::from(item.is_part))
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
                query.push(" WHERE state IN ('ready', 'retry', 'rejected', 'held', 'dead') AND identifier IN (");
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

    /// How many items stand in each state, for one clinic or for all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_deliveries(
        &mut self,
        clinic: Option<&ClinicId>,
    ) -> Result<Vec<(DeliveryState, i64)>, StoreError> {
        let rows: Vec<(String, i64)> = on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(STANDING);
            query.push("SELECT state, COUNT(*) FROM standing");
            if let Some(clinic) = clinic {
                query.push(" WHERE clinic_id = ").push_bind(clinic.as_str());
            }
            query.push(" GROUP BY state");
            query.build_query_as().fetch_all(conn).await?
        });
        rows.into_iter()
            .map(|(name, count)| Ok((named(DeliveryState::from_name(&name), "a delivery state it should not")?, count)))
            .collect()
    }
}
