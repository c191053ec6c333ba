//! A desk's turn: the first open items of its lanes, marked as being sent, and settled.

use jiff::Timestamp;
use sqlx::QueryBuilder;
use sqlx::types::Uuid;

use super::error::changed;
use super::matter::{FactRow, addressee, grant, is_known};
use super::{StoreError, Tx, clinic_id, instant, named, on, padded};
use crate::domain::delivery::{Delivery, DeliveryState, Operation, Stored};
use crate::domain::ids::{ClinicId, DeliveryId, GrantId, MemberId};

/// What became of an item.
#[derive(Clone, Debug)]
pub struct Settled {
    /// Whose lane it is on.
    pub member: MemberId,
    /// Its place there.
    pub seq: i64,
    /// Where it stood.
    pub from: DeliveryState,
    /// Where it stands now.
    pub state: DeliveryState,
    /// How many attempts, searches included, were made for it by now.
    pub attempts: i32,
    /// When it is looked at again, if it is still open.
    pub due_at: Timestamp,
    /// Why: a code, never content.
    pub reason: Option<String>,
    /// What the EHR said about it, sealed.
    pub sealed_answer: Option<Vec<u8>>,
}

/// An item that an EHR may have refused.
#[derive(Clone, Debug)]
pub struct Refused {
    /// To whom it was to go.
    pub clinic: ClinicId,
    /// Whom it is about.
    pub member: MemberId,
    /// The key of what stands on its lane, wrapped by its member's key.
    pub sealed_key: Option<Vec<u8>>,
    /// What the EHR said, sealed; absent where it said nothing, and once its content is erased.
    pub sealed_answer: Option<Vec<u8>>,
}

/// The rows that the first columns of `item` name, in the state in which they are known. A list, not a join: see
/// [`padded`].
const ITEMS: &str = " WHERE (member_id, seq, state) IN (SELECT column1, column2, column3 FROM item) AND clinic_id = ";

/// What the EHR is known to have of each item.
const STORED: &str = "LEFT JOIN ledger l ON l.clinic_id = o.clinic_id AND l.member_id = o.member_id \
     AND l.identifier = o.identifier";

/// The same for PostgreSQL. Of a ledger that was empty a minute ago it believes that one row is all that a clinic has: joined,
/// it would read for each turn all that the clinic has by then.
const STORED_ONE_BY_ONE: &str = "LEFT JOIN LATERAL (SELECT resource_type, ehr_id, ehr_version FROM ledger \
     WHERE clinic_id = o.clinic_id AND member_id = o.member_id AND identifier = o.identifier LIMIT 1) l ON TRUE";

/// The first open items of some lanes.
#[derive(Debug, Default)]
pub struct Heads {
    /// Each with the time from which it may be worked on.
    pub items: Vec<(Delivery, Timestamp)>,
    /// Whose lanes begin with something of a kind that this program does not know: another replica, of a later version,
    /// put it there, and knows what to do with it. It is left alone, and what is behind it waits.
    pub unknown: Vec<MemberId>,
}

type RefusedRow = (String, Uuid, Option<Vec<u8>>, Option<Vec<u8>>);

#[derive(sqlx::FromRow)]
struct Row {
    member_id: Uuid,
    delivery_id: Uuid,
    seq: i64,
    grant_id: Uuid,
    cleared_grant_id: Option<Uuid>,
    cleared_version: Option<i32>,
    operation: String,
    kind: String,
    parts: Option<String>,
    #[sqlx(flatten)]
    fact: FactRow,
    addressee: Option<Uuid>,
    resource_type: String,
    identifier: String,
    is_part: i16,
    state: String,
    attempts: i32,
    due_at: i64,
    reason: Option<String>,
    sealed_payload: Option<Vec<u8>>,
    stored_type: Option<String>,
    ehr_id: Option<String>,
    ehr_version: Option<String>,
}

impl Tx {
    /// The first open item of each of some lanes of a clinic.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lane_heads(&mut self, clinic: &ClinicId, members: &[MemberId]) -> Result<Heads, StoreError> {
        let by = self.pick(" INDEXED BY outbox_open", "");
        self.first_open(clinic, members, by, "").await
    }

    /// The same, of those items only that go although others wait for the end of a pause: they say how a consent
    /// stands, warn, or give a time back.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lane_urgent(
        &mut self,
        clinic: &ClinicId,
        members: &[MemberId],
    ) -> Result<Vec<(Delivery, Timestamp)>, StoreError> {
        let by = self.pick(" INDEXED BY outbox_open_urgent", "");
        Ok(self.first_open(clinic, members, by, " AND i.kind IN ('consent', 'warning', 'cancelling')").await?.items)
    }

    /// SQLite is told `by` which index: it may take another that begins alike, and read every item a lane ever had.
    async fn first_open(
        &mut self,
        clinic: &ClinicId,
        members: &[MemberId],
        by: &'static str,
        of_those: &'static str,
    ) -> Result<Heads, StoreError> {
        if members.is_empty() {
            return Ok(Heads::default());
        }
        let stored = self.pick(STORED, STORED_ONE_BY_ONE);
        let rows: Vec<Row> = on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(
                "SELECT o.member_id, o.delivery_id, o.seq, o.grant_id, o.cleared_grant_id, o.cleared_version, o.operation, \
                 o.kind, o.parts, o.category, o.detail, o.labels, o.measured_at, o.addressee, o.resource_type, \
                 o.identifier, o.is_part, o.state, o.attempts, o.due_at, o.reason, o.sealed_payload, \
                 l.resource_type AS stored_type, l.ehr_id, l.ehr_version FROM (SELECT DISTINCT column1 FROM (",
            );
            query.push_values(padded(members), |mut row, member| {
                row.push_bind(member.0);
            });
            query.push(") AS lanes) AS lane CROSS JOIN outbox o ").push(stored);
            query.push(" WHERE o.clinic_id = ").push_bind(clinic.as_str());
            query.push(" AND o.member_id = lane.column1 AND o.seq = (SELECT i.seq FROM outbox i").push(by);
            query.push(" WHERE i.clinic_id = ").push_bind(clinic.as_str());
            query.push(
                " AND i.member_id = lane.column1 AND i.state IN ('ready', 'sending', 'retry', 'unknown')",
            );
            query.push(of_those).push(" ORDER BY i.seq LIMIT 1) ORDER BY o.member_id");
            query.build_query_as().fetch_all(conn).await?
        });
        let (known, unknown): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| is_known(&row.kind));
        let items = known.into_iter().map(|row| read(clinic, row)).collect::<Result<_, _>>()?;
        Ok(Heads { items, unknown: unknown.into_iter().map(|row| MemberId(row.member_id)).collect() })
    }

    /// Marks items as being sent, each as the type that is given, under the grant that let it go.
    ///
    /// # Errors
    /// [`StoreError::RowCount`] when one is no longer where it was.
    pub async fn mark_sending(
        &mut self,
        clinic: &ClinicId,
        items: &[(&Delivery, &str)],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if items.is_empty() {
            return Ok(());
        }
        let updated = on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new("WITH item AS (");
            query.push_values(padded(items), |mut row, (item, resource_type)| {
                row.push_bind(item.member.0)
                    .push_bind(item.seq)
                    .push_bind(item.state.as_str())
                    .push_bind(*resource_type)
                    .push_bind(item.cleared_under.map(|(grant, _)| grant.0))
                    .push_bind(item.cleared_under.map(|(_, version)| version));
            });
            query.push(") UPDATE outbox SET state = 'sending', updated_at = ").push_bind(now.as_microsecond());
            query.push(
                ", (resource_type, cleared_grant_id, cleared_version) = (SELECT column4, column5, column6 FROM item \
                 WHERE column1 = outbox.member_id AND column2 = outbox.seq LIMIT 1)",
            );
            query.push(ITEMS).push_bind(clinic.as_str());
            query.build().execute(conn).await?.rows_affected()
        });
        changed(items.len() as u64, updated)
    }

    /// Writes what became of items on lanes that the caller holds ([`Tx::hold_lanes`]). Their content is erased once
    /// nothing can need it any more. An item that was only searched for may have been withdrawn in the meantime: it stays
    /// so.
    ///
    /// # Errors
    /// [`StoreError::RowCount`] when one that was marked does not stand where it stood.
    pub async fn settle(&mut self, clinic: &ClinicId, items: Vec<Settled>, now: Timestamp) -> Result<(), StoreError> {
        let is_marked = |item: &Settled| matches!(item.from, DeliveryState::Sending | DeliveryState::Unknown);
        let (marked, searched): (Vec<_>, Vec<_>) = items.into_iter().partition(is_marked);
        changed(marked.len() as u64, self.write_settled(clinic, &marked, now).await?)?;
        self.write_settled(clinic, &searched, now).await.map(drop)
    }

    /// Returns how many stood where they stood.
    async fn write_settled(&mut self, clinic: &ClinicId, items: &[Settled], now: Timestamp) -> Result<u64, StoreError> {
        if items.is_empty() {
            return Ok(0);
        }
        let updated = on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new("WITH item AS (");
            query.push_values(padded(items), |mut row, item| {
                row.push_bind(item.member.0)
                    .push_bind(item.seq)
                    .push_bind(item.from.as_str())
                    .push_bind(item.state.as_str())
                    .push_bind(item.attempts)
                    .push_bind(item.due_at.as_microsecond())
                    .push_bind(&item.reason)
                    .push_bind(&item.sealed_answer);
            });
            query.push(") UPDATE outbox SET updated_at = ").push_bind(now.as_microsecond());
            query.push(
                ", (state, attempts, due_at, reason, sealed_answer, sealed_payload) = (SELECT column4, column5, column6, \
                 column7, column8, CASE WHEN column4 IN ('confirmed', 'withdrawn') THEN NULL ELSE outbox.sealed_payload END \
                 FROM item WHERE column1 = outbox.member_id AND column2 = outbox.seq LIMIT 1)",
            );
            query.push(ITEMS).push_bind(clinic.as_str());
            query.build().execute(conn).await?.rows_affected()
        });
        Ok(updated)
    }

    /// What a clinic's EHR said when it refused an item.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn refusal(&mut self, item: DeliveryId) -> Result<Option<Refused>, StoreError> {
        const SQL: &str = "SELECT l.clinic_id, l.member_id, l.sealed_key, \
             CASE WHEN o.seq > l.withdrawn_through THEN o.sealed_answer END FROM outbox o \
             JOIN lanes l ON l.clinic_id = o.clinic_id AND l.member_id = o.member_id WHERE o.delivery_id = $1";
        let row: Option<RefusedRow> = on!(self, conn => sqlx::query_as(SQL).bind(item.0).fetch_optional(conn).await?);
        row.map(|(clinic, member, sealed_key, sealed_answer)| {
            Ok(Refused { clinic: clinic_id(clinic)?, member: MemberId(member), sealed_key, sealed_answer })
        })
        .transpose()
    }
}

fn read(clinic: &ClinicId, row: Row) -> Result<(Delivery, Timestamp), StoreError> {
    let stored = match (row.stored_type, row.ehr_id) {
        (Some(resource_type), Some(id)) => Some(Stored { resource_type, id, version: row.ehr_version }),
        _ => None,
    };
    let delivery = Delivery {
        id: DeliveryId(row.delivery_id),
        clinic: clinic.clone(),
        member: MemberId(row.member_id),
        seq: row.seq,
        grant: grant(row.grant_id),
        cleared_under: row.cleared_grant_id.map(GrantId).zip(row.cleared_version),
        operation: named(Operation::from_name(&row.operation), "an operation it should not")?,
        matter: row.fact.matter(&row.kind, row.parts.as_deref(), grant(row.grant_id))?,
        addressee: addressee(row.addressee),
        resource_type: row.resource_type,
        is_part: row.is_part != 0,
        identifier: row.identifier,
        state: named(DeliveryState::from_name(&row.state), "a delivery state it should not")?,
        attempts: row.attempts,
        reason: row.reason,
        sealed_payload: row.sealed_payload,
        stored,
    };
    Ok((delivery, instant(row.due_at)?))
}
