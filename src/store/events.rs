//! Events that were taken in: enough to know them again, not what they said.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::QueryBuilder;

use super::{ROWS_PER_STATEMENT, StoreError, Tx, on};
use crate::domain::ids::{CommunityId, MemberId};
use crate::vault::Index;

/// What makes a second report of the same thing recognizable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SeenEvent {
    /// Keyed index of the event's source and id.
    pub event: Index,
    /// Whose it is.
    pub member: MemberId,
    /// Keyed index of its content.
    pub body: Index,
}

impl Tx {
    /// Remembers events; returns the indexes of those that were new. Of two with the same index the first counts. Sorted,
    /// so that two batches that
    /// share events wait for each other instead of locking each other out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_events(
        &mut self,
        community: &CommunityId,
        events: &[SeenEvent],
        now: Timestamp,
    ) -> Result<Vec<Index>, StoreError> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let mut events = events.to_vec();
        events.sort_by_key(|event| event.event);
        let mut new = Vec::with_capacity(events.len());
        for chunk in events.chunks(ROWS_PER_STATEMENT) {
            let rows: Vec<(Vec<u8>,)> = on!(self, conn: Db => {
                let mut query = QueryBuilder::<Db>::new(
                    "INSERT INTO events (community_id, event_index, member_id, body_index, received_at) ",
                );
                query.push_values(chunk, |mut row, event| {
                    row.push_bind(community.as_str())
                        .push_bind(&event.event[..])
                        .push_bind(event.member.0)
                        .push_bind(&event.body[..])
                        .push_bind(now.as_microsecond());
                });
                query.push(" ON CONFLICT DO NOTHING RETURNING event_index");
                query.build_query_as().fetch_all(conn).await?
            });
            new.extend(rows);
        }
        new.into_iter().map(|(index,)| to_index(index)).collect()
    }

    /// The content indexes of events that were taken in before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn seen_events(
        &mut self,
        community: &CommunityId,
        events: &[Index],
    ) -> Result<HashMap<Index, Index>, StoreError> {
        if events.is_empty() {
            return Ok(HashMap::new());
        }
        let rows: Vec<(Vec<u8>, Vec<u8>)> = on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new("SELECT event_index, body_index FROM events WHERE community_id = ");
            query.push_bind(community.as_str()).push(" AND event_index IN (");
            let mut list = query.separated(", ");
            for event in events {
                list.push_bind(&event[..]);
            }
            query.push(")");
            query.build_query_as().fetch_all(conn).await?
        });
        rows.into_iter().map(|(event, body)| Ok((to_index(event)?, to_index(body)?))).collect()
    }

    /// How many events of a member were taken in.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn count_events(&mut self, member: MemberId) -> Result<i64, StoreError> {
        const SQL: &str = "SELECT COUNT(*) FROM events WHERE member_id = $1";
        Ok(on!(self, conn => sqlx::query_scalar(SQL).bind(member.0).fetch_one(conn).await?))
    }
}

fn to_index(bytes: Vec<u8>) -> Result<Index, StoreError> {
    bytes.try_into().map_err(|_| StoreError::Corrupt("an index of another length"))
}
