//! Events that were taken in: enough to know them again, not what they said.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::{ROWS_PER_STATEMENT, StoreError, Tx, instant, named, on};
use crate::domain::category::Category;
use crate::domain::ids::{CommunityId, MemberId};
use crate::vault::Index;

/// What makes a second report of the same thing recognizable. The row of an event that first reports an entry also says
/// what became of the entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SeenEvent {
    /// Keyed index of the event's source and id.
    pub event: Index,
    /// Whose it is.
    pub member: MemberId,
    /// What it reports; `None` for a retraction, and where it was not kept.
    pub category: Option<Category>,
    /// Keyed index of its content; `None` if the event itself never came, only a later version of its entry.
    pub body: Option<Index>,
    /// The event that first reported the entry which this one changes; `None` for a first report.
    pub entry: Option<Index>,
    /// Keyed index of what the entry's newest version says, if it was changed.
    pub newest: Option<Index>,
    /// When the entry was deleted by its member.
    pub retracted_at: Option<Timestamp>,
}

type Row = (Vec<u8>, Uuid, Option<String>, Vec<u8>, Option<Vec<u8>>, Option<Vec<u8>>, Option<i64>);

impl Tx {
    /// Remembers events; returns the indexes of those that were new. Of two with the same index the first counts. Sorted,
    /// so that two batches that share events wait for each other instead of locking each other out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_events(
        &mut self,
        community: &CommunityId,
        events: &[SeenEvent],
        now: Timestamp,
    ) -> Result<Vec<Index>, StoreError> {
        self.put_events(community, events, " ON CONFLICT DO NOTHING RETURNING event_index", now).await
    }

    /// Writes what became of events that this transaction inserted or holds ([`Tx::hold_events`]).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn update_events(
        &mut self,
        community: &CommunityId,
        events: &[SeenEvent],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const UPDATE: &str = " ON CONFLICT (community_id, event_index) DO UPDATE SET member_id = excluded.member_id, \
             category = excluded.category, body_index = excluded.body_index, entry_index = excluded.entry_index, \
             newest_index = excluded.newest_index, retracted_at = excluded.retracted_at RETURNING event_index";
        self.put_events(community, events, UPDATE, now).await.map(|_| ())
    }

    async fn put_events(
        &mut self,
        community: &CommunityId,
        events: &[SeenEvent],
        on_conflict: &'static str,
        now: Timestamp,
    ) -> Result<Vec<Index>, StoreError> {
        let mut events = events.to_vec();
        events.sort_by_key(|event| event.event);
        let mut put = Vec::with_capacity(events.len());
        for chunk in events.chunks(ROWS_PER_STATEMENT) {
            let rows: Vec<(Vec<u8>,)> = on!(self, conn: Db => {
                let mut query = QueryBuilder::<Db>::new(
                    "INSERT INTO events (community_id, event_index, member_id, category, body_index, entry_index, \
                     newest_index, retracted_at, received_at) ",
                );
                query.push_values(chunk, |mut row, event| {
                    row.push_bind(community.as_str())
                        .push_bind(&event.event[..])
                        .push_bind(event.member.0)
                        .push_bind(event.category.map(Category::as_str))
                        .push_bind(event.body.as_ref().map_or(&[][..], |body| &body[..]))
                        .push_bind(event.entry.as_ref().map(|entry| &entry[..]))
                        .push_bind(event.newest.as_ref().map(|newest| &newest[..]))
                        .push_bind(event.retracted_at.map(Timestamp::as_microsecond))
                        .push_bind(now.as_microsecond());
                });
                query.push(on_conflict);
                query.build_query_as().fetch_all(conn).await?
            });
            put.extend(rows);
        }
        put.into_iter().map(|(index,)| to_index(index)).collect()
    }

    /// The events that were taken in before, held as they are until this transaction ends. Called after
    /// [`Tx::insert_events`], in a statement of its own: so it sees what that waited for.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn hold_events(
        &mut self,
        community: &CommunityId,
        events: &[Index],
    ) -> Result<HashMap<Index, SeenEvent>, StoreError> {
        if events.is_empty() {
            return Ok(HashMap::new());
        }
        let tail = self.pick(")", ") ORDER BY event_index FOR UPDATE");
        let rows: Vec<Row> = on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(
                "SELECT event_index, member_id, category, body_index, entry_index, newest_index, retracted_at \
                 FROM events WHERE community_id = ",
            );
            query.push_bind(community.as_str()).push(" AND event_index IN (");
            let mut list = query.separated(", ");
            for event in events {
                list.push_bind(&event[..]);
            }
            query.push(tail);
            query.build_query_as().fetch_all(conn).await?
        });
        rows.into_iter().map(|row| read(row).map(|event| (event.event, event))).collect()
    }

    /// Forgets events that this transaction inserted, as if they had never come.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn forget_events(&mut self, community: &CommunityId, events: &[Index]) -> Result<(), StoreError> {
        for chunk in events.chunks(ROWS_PER_STATEMENT) {
            on!(self, conn: Db => {
                let mut query = QueryBuilder::<Db>::new("DELETE FROM events WHERE community_id = ");
                query.push_bind(community.as_str()).push(" AND event_index IN (");
                let mut list = query.separated(", ");
                for event in chunk {
                    list.push_bind(&event[..]);
                }
                query.push(")");
                query.build().execute(conn).await?.rows_affected()
            });
        }
        Ok(())
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

fn read((event, member, category, body, entry, newest, retracted_at): Row) -> Result<SeenEvent, StoreError> {
    let category = category.map(|name| named(Category::from_name(&name), "a category it should not")).transpose()?;
    Ok(SeenEvent {
        event: to_index(event)?,
        member: MemberId(member),
        category,
        body: Some(body).filter(|body| !body.is_empty()).map(to_index).transpose()?,
        entry: entry.map(to_index).transpose()?,
        newest: newest.map(to_index).transpose()?,
        retracted_at: retracted_at.map(instant).transpose()?,
    })
}

pub(super) fn to_index(bytes: Vec<u8>) -> Result<Index, StoreError> {
    bytes.try_into().map_err(|_| StoreError::Corrupt("an index of another length"))
}
