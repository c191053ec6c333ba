//! Readings that are kept for their members, still sealed.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::{ROWS_PER_STATEMENT, StoreError, Tx, instant, named, on, padded};
use crate::domain::category::Category;
use crate::domain::ids::{MemberId, ReadingId};

/// A reading of which only category and time can be read.
#[derive(Clone, Debug)]
pub struct SealedReading {
    /// Whose.
    pub member: MemberId,
    /// Which.
    pub id: ReadingId,
    /// Under which consent it falls.
    pub category: Category,
    /// When it was lived.
    pub measured_at: Timestamp,
    /// What was said, sealed with the member's key.
    pub sealed: Vec<u8>,
}

/// Which readings of a member are looked for, the newest first.
#[derive(Clone, Copy, Debug)]
pub struct ReadingSearch {
    /// Of one category, or of all.
    pub category: Option<Category>,
    /// Lived at or after.
    pub from: Timestamp,
    /// Lived before.
    pub until: Timestamp,
    /// After this one, in the order in which they are found: the last one of the page before.
    pub after: Option<(Timestamp, ReadingId)>,
    /// At most so many.
    pub limit: i64,
}

impl Tx {
    /// Keeps readings, each in the place of its earlier version; none twice. Sorted, so that two who do this wait for each
    /// other.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn put_readings(&mut self, readings: &[SealedReading], now: Timestamp) -> Result<(), StoreError> {
        let mut readings: Vec<&SealedReading> = readings.iter().collect();
        readings.sort_by_key(|reading| (reading.member, reading.id));
        for chunk in readings.chunks(ROWS_PER_STATEMENT) {
            on!(self, conn: Db => {
                let mut query = QueryBuilder::<Db>::new(
                    "INSERT INTO readings (member_id, reading_id, category, measured_at, sealed_reading, updated_at) ",
                );
                query.push_values(chunk, |mut row, reading| {
                    row.push_bind(reading.member.0)
                        .push_bind(reading.id.0)
                        .push_bind(reading.category.as_str())
                        .push_bind(reading.measured_at.as_microsecond())
                        .push_bind(&reading.sealed)
                        .push_bind(now.as_microsecond());
                });
                query.push(
                    " ON CONFLICT (member_id, reading_id) DO UPDATE SET category = excluded.category, \
                     measured_at = excluded.measured_at, sealed_reading = excluded.sealed_reading, \
                     updated_at = excluded.updated_at",
                );
                query.build().execute(conn).await?.rows_affected()
            });
        }
        Ok(())
    }

    /// Forgets readings.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn delete_readings(&mut self, readings: &[(MemberId, ReadingId)]) -> Result<u64, StoreError> {
        let mut readings = readings.to_vec();
        readings.sort_unstable();
        let mut deleted = 0;
        for chunk in readings.chunks(ROWS_PER_STATEMENT) {
            deleted += on!(self, conn: Db => {
                let mut query =
                    QueryBuilder::<Db>::new("DELETE FROM readings WHERE (member_id, reading_id) IN (");
                query.push_values(padded(chunk), |mut row, (member, reading)| {
                    row.push_bind(member.0).push_bind(reading.0);
                });
                query.push(")");
                query.build().execute(conn).await?.rows_affected()
            });
        }
        Ok(deleted)
    }

    /// When those of some readings were lived that are kept.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn reading_times(
        &mut self,
        readings: &[(MemberId, ReadingId)],
    ) -> Result<HashMap<ReadingId, Timestamp>, StoreError> {
        let mut times = HashMap::new();
        for chunk in readings.chunks(ROWS_PER_STATEMENT) {
            let rows: Vec<(Uuid, i64)> = on!(self, conn: Db => {
                let mut query = QueryBuilder::<Db>::new(
                    "SELECT reading_id, measured_at FROM readings WHERE (member_id, reading_id) IN (",
                );
                query.push_values(padded(chunk), |mut row, (member, reading)| {
                    row.push_bind(member.0).push_bind(reading.0);
                });
                query.push(")");
                query.build_query_as().fetch_all(conn).await?
            });
            for (reading, at) in rows {
                times.insert(ReadingId(reading), instant(at)?);
            }
        }
        Ok(times)
    }

    /// A member's readings, the newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn readings(
        &mut self,
        member: MemberId,
        search: &ReadingSearch,
    ) -> Result<Vec<SealedReading>, StoreError> {
        let rows: Vec<(Uuid, String, i64, Vec<u8>)> = on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(
                "SELECT reading_id, category, measured_at, sealed_reading FROM readings WHERE member_id = ",
            );
            query.push_bind(member.0);
            if let Some(category) = search.category {
                query.push(" AND category = ").push_bind(category.as_str());
            }
            query.push(" AND measured_at >= ").push_bind(search.from.as_microsecond());
            query.push(" AND measured_at < ").push_bind(search.until.as_microsecond());
            if let Some((at, id)) = search.after {
                query.push(" AND (measured_at, reading_id) < (").push_bind(at.as_microsecond());
                query.push(", ").push_bind(id.0).push(")");
            }
            query.push(" ORDER BY measured_at DESC, reading_id DESC LIMIT ").push_bind(search.limit);
            query.build_query_as().fetch_all(conn).await?
        });
        rows.into_iter()
            .map(|(id, category, measured_at, sealed)| {
                Ok(SealedReading {
                    member,
                    id: ReadingId(id),
                    category: named(Category::from_name(&category), "a category it should not")?,
                    measured_at: instant(measured_at)?,
                    sealed,
                })
            })
            .collect()
    }

    /// Forgets a member's readings of a category that were lived before an instant. Returns when the last of them was lived,
    /// if there were any.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn forget_readings_before(
        &mut self,
        member: MemberId,
        category: Category,
        before: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        const SQL: &str = "DELETE FROM readings WHERE member_id = $1 AND category = $2 AND measured_at < $3 \
                           RETURNING measured_at";
        let rows: Vec<(i64,)> = on!(self, conn => sqlx::query_as(SQL)
            .bind(member.0)
            .bind(category.as_str())
            .bind(before.as_microsecond())
            .fetch_all(conn)
            .await?);
        rows.into_iter().map(|(at,)| at).max().map(instant).transpose()
    }

    /// Forgets up to `limit` readings that were lived before an instant, whosever they are. Returns how many. Those that
    /// somebody else is at are left for the next time.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn forget_old_readings(&mut self, before: Timestamp, limit: i64) -> Result<u64, StoreError> {
        const SQLITE: &str = "DELETE FROM readings WHERE (member_id, reading_id) IN \
             (SELECT member_id, reading_id FROM readings WHERE measured_at < $1 LIMIT $2)";
        const POSTGRES: &str = "DELETE FROM readings WHERE (member_id, reading_id) IN \
             (SELECT member_id, reading_id FROM readings WHERE measured_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)";
        let sql = self.pick(SQLITE, POSTGRES);
        let before = before.as_microsecond();
        Ok(on!(self, conn => sqlx::query(sql).bind(before).bind(limit).execute(conn).await?.rows_affected()))
    }
}
