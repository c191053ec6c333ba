//! What clinics were last told of a resource, or are about to be told.

use std::collections::HashMap;

use sqlx::QueryBuilder;

use super::events::to_index;
use super::matter::FactRow;
use super::{ROWS_PER_STATEMENT, StoreError, Tx, named, on};
use crate::domain::delivery::{DeliveryState, Operation};
use crate::domain::matter::Fact;
use crate::vault::Index;

/// The newest item about a resource that was not withdrawn: it may be in the EHR, or get there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Version {
    /// What it does with the resource.
    pub operation: Operation,
    /// What it tells, if that is a fact.
    pub fact: Fact,
    /// FHIR resource type.
    pub resource_type: String,
    /// Whether it is a part of what another resource says as a whole.
    pub is_part: bool,
    /// Keyed index of what it says; `None` for a retraction, and where it was not kept.
    pub content: Option<Index>,
    /// Whether the EHR certainly has nothing of the resource: neither this item nor one before it was sent.
    pub is_unsent: bool,
}

#[derive(sqlx::FromRow)]
struct Row {
    identifier: String,
    operation: String,
    #[sqlx(flatten)]
    fact: FactRow,
    resource_type: String,
    is_part: i16,
    content_index: Option<Vec<u8>>,
    state: String,
}

impl Tx {
    /// The newest version of each of these resources, by the value of its identifier; a resource whose items were all
    /// withdrawn has none. The caller holds their members ([`Tx::hold_members`]).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn newest_versions(&mut self, identifiers: &[String]) -> Result<HashMap<String, Version>, StoreError> {
        let mut newest: HashMap<String, Version> = HashMap::new();
        for chunk in identifiers.chunks(ROWS_PER_STATEMENT) {
            let rows: Vec<Row> = on!(self, conn: Db => {
                let mut query = QueryBuilder::<Db>::new(
                    "SELECT o.identifier, o.operation, o.category, o.detail, o.labels, o.measured_at, o.resource_type, \
                     o.is_part, o.content_index, o.state FROM outbox o \
                     JOIN lanes l ON l.clinic_id = o.clinic_id AND l.member_id = o.member_id \
                     WHERE o.state <> 'withdrawn' \
                     AND NOT (o.state IN ('ready', 'retry', 'held') AND o.seq <= l.withdrawn_through) \
                     AND o.identifier IN (",
                );
                let mut list = query.separated(", ");
                for identifier in chunk {
                    list.push_bind(identifier);
                }
                // An identifier belongs to one lane.
                query.push(") ORDER BY o.seq");
                query.build_query_as().fetch_all(conn).await?
            });
            for row in rows {
                let (identifier, mut version) = read(row)?;
                version.is_unsent &= newest.get(&identifier).is_none_or(|earlier| earlier.is_unsent);
                newest.insert(identifier, version);
            }
        }
        Ok(newest)
    }
}

fn read(row: Row) -> Result<(String, Version), StoreError> {
    let state = named(DeliveryState::from_name(&row.state), "a delivery state it should not")?;
    let version = Version {
        operation: named(Operation::from_name(&row.operation), "an operation it should not")?,
        fact: row.fact.read()?,
        resource_type: row.resource_type,
        is_part: row.is_part != 0,
        content: row.content_index.map(to_index).transpose()?,
        is_unsent: matches!(
            state,
            DeliveryState::Ready | DeliveryState::Retry | DeliveryState::Held | DeliveryState::Rejected
        ),
    };
    Ok((row.identifier, version))
}
