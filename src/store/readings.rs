//! Events that were taken in, and the readings they became.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::QueryBuilder;

use super::{StoreError, Tx, on};
use crate::domain::category::Category;
use crate::domain::ids::{CommunityId, MemberId, ReadingId};
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

/// A reading to be stored.
#[derive(Clone, Debug)]
pub struct NewReading {
    /// Its id.
    pub id: ReadingId,
    /// Whose it is.
    pub member: MemberId,
    /// Its category.
    pub category: Category,
    /// When it was lived.
    pub measured_at: Timestamp,
    /// The moment and the measure, sealed with the member's key.
    pub sealed: Vec<u8>,
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
        let rows: Vec<(Vec<u8>,)> = on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(
                "INSERT INTO events (community_id, event_index, member_id, body_index, received_at) ",
            );
            query.push_values(&events, |mut row, event| {
                row.push_bind(community.as_str())
                    .push_bind(&event.event[..])
                    .push_bind(event.member.0)
                    .push_bind(&event.body[..])
                    .push_bind(now.as_microsecond());
            });
            query.push(" ON CONFLICT DO NOTHING RETURNING event_index");
            query.build_query_as().fetch_all(conn).await?
        });
        rows.into_iter().map(|(index,)| to_index(index)).collect()
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

    /// Stores readings.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when one of them is there already.
    pub async fn insert_readings(&mut self, readings: &[NewReading]) -> Result<(), StoreError> {
        if readings.is_empty() {
            return Ok(());
        }
        on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(
                "INSERT INTO readings (member_id, reading_id, category, measured_at, sealed_reading) ",
            );
            query.push_values(readings, |mut row, reading| {
                row.push_bind(reading.member.0)
                    .push_bind(reading.id.0)
                    .push_bind(reading.category.as_str())
                    .push_bind(reading.measured_at.as_microsecond())
                    .push_bind(&reading.sealed);
            });
            query.build().execute(conn).await?.rows_affected()
        });
        Ok(())
    }

    /// How many readings of a member are kept, by category.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_readings(&mut self, member: MemberId) -> Result<Vec<(Category, i64)>, StoreError> {
        const SQL: &str =
            "SELECT category, COUNT(*) FROM readings WHERE member_id = $1 GROUP BY category ORDER BY category";
        let rows: Vec<(String, i64)> = on!(self, conn => sqlx::query_as(SQL).bind(member.0).fetch_all(conn).await?);
        rows.into_iter()
            .map(|(name, count)| Ok((super::named(Category::from_name(&name), "a category it should not")?, count)))
            .collect()
    }
}

fn to_index(bytes: Vec<u8>) -> Result<Index, StoreError> {
    bytes.try_into().map_err(|_| StoreError::Corrupt("an index of another length"))
}
