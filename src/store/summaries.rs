//! What is still to be summarised for clinics, and which summaries were made.

use std::collections::{BTreeSet, HashSet};

use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::lanes::LaneKey;
use super::{ROWS_PER_STATEMENT, StoreError, Tx, clinic_id, instant, named, on, padded};
use crate::domain::category::{Category, Detail};
use crate::domain::ids::{ClinicId, MemberId};

/// Something changed at a time of which a clinic gets no more than summaries, or got one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Unsummarised {
    /// Whose readings changed, and which clinic is concerned.
    pub lane: LaneKey,
    /// Of which category.
    pub category: Category,
    /// In which summary it belongs; [`Detail::EveryEntry`]: in no new one, but there may be one that must be corrected.
    pub detail: Detail,
    /// When it was lived.
    pub measured_at: Timestamp,
}

/// A summary that was made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MadeSummary {
    /// Of a day or of a week.
    pub detail: Detail,
    /// The first day of it.
    pub first_day: Date,
    /// Value of the resource's identifier.
    pub identifier: String,
}

impl Tx {
    /// Notes what is to be summarised; what is noted already stays. Sorted, so that two who do this wait for each other.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn note_unsummarised(&mut self, changes: &[Unsummarised]) -> Result<(), StoreError> {
        let mut changes: Vec<&Unsummarised> = changes.iter().collect();
        changes.sort_unstable();
        for chunk in changes.chunks(ROWS_PER_STATEMENT) {
            on!(self, conn: Db => {
                let mut query = QueryBuilder::<Db>::new(
                    "INSERT INTO unsummarised (member_id, clinic_id, category, detail, measured_at) ",
                );
                query.push_values(chunk, |mut row, change| {
                    row.push_bind(change.lane.member.0)
                        .push_bind(change.lane.clinic.as_str())
                        .push_bind(change.category.as_str())
                        .push_bind(change.detail.as_str())
                        .push_bind(change.measured_at.as_microsecond());
                });
                query.push(" ON CONFLICT DO NOTHING");
                query.build().execute(conn).await?.rows_affected()
            });
        }
        Ok(())
    }

    /// Notes what is to be summarised because it does not go by itself, and has its members looked after at once.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn summarise_instead(&mut self, changes: &[Unsummarised], now: Timestamp) -> Result<(), StoreError> {
        self.note_unsummarised(changes).await?;
        let members: BTreeSet<MemberId> = changes.iter().map(|change| change.lane.member).collect();
        self.look_after(&members.into_iter().map(|member| (member, now)).collect::<Vec<_>>()).await
    }

    /// What is to be summarised of a member, whom the caller has locked ([`Tx::lock_member`]), the oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn unsummarised(&mut self, member: MemberId) -> Result<Vec<Unsummarised>, StoreError> {
        const SQL: &str = "SELECT clinic_id, category, detail, measured_at FROM unsummarised WHERE member_id = $1 \
                           ORDER BY measured_at, clinic_id, category, detail";
        let rows: Vec<(String, String, String, i64)> =
            on!(self, conn => sqlx::query_as(SQL).bind(member.0).fetch_all(conn).await?);
        rows.into_iter()
            .map(|(clinic, category, detail, at)| {
                Ok(Unsummarised {
                    lane: LaneKey { clinic: clinic_id(clinic)?, member },
                    category: named(Category::from_name(&category), "a category it should not")?,
                    detail: named(Detail::from_name(&detail), "a detail it should not")?,
                    measured_at: instant(at)?,
                })
            })
            .collect()
    }

    /// Crosses out what was summarised of a member, whom the caller has locked.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn cross_out(&mut self, member: MemberId, changes: &[&Unsummarised]) -> Result<(), StoreError> {
        for chunk in changes.chunks(ROWS_PER_STATEMENT) {
            on!(self, conn: Db => {
                let mut query = QueryBuilder::<Db>::new("DELETE FROM unsummarised WHERE member_id = ");
                query.push_bind(member.0).push(" AND (clinic_id, category, detail, measured_at) IN (");
                query.push_values(padded(chunk), |mut row, change| {
                    row.push_bind(change.lane.clinic.as_str())
                        .push_bind(change.category.as_str())
                        .push_bind(change.detail.as_str())
                        .push_bind(change.measured_at.as_microsecond());
                });
                query.push(")");
                query.build().execute(conn).await?.rows_affected()
            });
        }
        Ok(())
    }

    /// For which clinics there are summaries of some members' readings, and of which categories.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn summarised(&mut self, members: &[MemberId]) -> Result<HashSet<(LaneKey, Category)>, StoreError> {
        if members.is_empty() {
            return Ok(HashSet::new());
        }
        let rows: Vec<(Uuid, String, String)> = on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(
                "SELECT DISTINCT member_id, clinic_id, category FROM summaries WHERE member_id IN (",
            );
            let mut list = query.separated(", ");
            for member in padded(members) {
                list.push_bind(member.0);
            }
            query.push(")");
            query.build_query_as().fetch_all(conn).await?
        });
        rows.into_iter()
            .map(|(member, clinic, category)| {
                let lane = LaneKey { clinic: clinic_id(clinic)?, member: MemberId(member) };
                Ok((lane, named(Category::from_name(&category), "a category it should not")?))
            })
            .collect()
    }

    /// The summaries that were made of a member's readings of a category for a clinic.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn made_summaries(
        &mut self,
        member: MemberId,
        clinic: &ClinicId,
        category: Category,
    ) -> Result<Vec<MadeSummary>, StoreError> {
        const SQL: &str = "SELECT detail, first_day, identifier FROM summaries \
             WHERE member_id = $1 AND clinic_id = $2 AND category = $3 ORDER BY first_day, detail, identifier";
        let rows: Vec<(String, String, String)> = on!(self, conn => sqlx::query_as(SQL)
            .bind(member.0)
            .bind(clinic.as_str())
            .bind(category.as_str())
            .fetch_all(conn)
            .await?);
        rows.into_iter()
            .map(|(detail, first_day, identifier)| {
                Ok(MadeSummary {
                    detail: named(Detail::from_name(&detail), "a detail it should not")?,
                    first_day: named(first_day.parse().ok(), "a date it should not")?,
                    identifier,
                })
            })
            .collect()
    }

    /// Notes which summaries of a member's readings were made for a clinic; what is noted already stays.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn note_summaries(
        &mut self,
        lane: &LaneKey,
        category: Category,
        made: &[MadeSummary],
    ) -> Result<(), StoreError> {
        for chunk in made.chunks(ROWS_PER_STATEMENT) {
            on!(self, conn: Db => {
                let mut query = QueryBuilder::<Db>::new(
                    "INSERT INTO summaries (member_id, clinic_id, category, detail, first_day, identifier) ",
                );
                query.push_values(chunk, |mut row, made| {
                    row.push_bind(lane.member.0)
                        .push_bind(lane.clinic.as_str())
                        .push_bind(category.as_str())
                        .push_bind(made.detail.as_str())
                        .push_bind(made.first_day.to_string())
                        .push_bind(&made.identifier);
                });
                query.push(" ON CONFLICT DO NOTHING");
                query.build().execute(conn).await?.rows_affected()
            });
        }
        Ok(())
    }

    /// Forgets which summaries were made of a member's days up to this one, for one clinic or for all: what clinics were told
    /// of them stays as it is from now on.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn close_summaries(
        &mut self,
        member: MemberId,
        clinic: Option<&ClinicId>,
        category: Category,
        up_to: Date,
    ) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM summaries WHERE member_id = $1 AND category = $2 AND first_day <= $3 \
                           AND ($4 = '' OR clinic_id = $4)";
        on!(self, conn => sqlx::query(SQL)
            .bind(member.0)
            .bind(category.as_str())
            .bind(up_to.to_string())
            .bind(clinic.map_or("", ClinicId::as_str))
            .execute(conn)
            .await?
            .rows_affected());
        Ok(())
    }

    /// Forgets which summaries were made of days before this one: they are never opened again.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn forget_old_summaries(&mut self, member: MemberId, before: Date) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM summaries WHERE member_id = $1 AND first_day < $2";
        let before = before.to_string();
        on!(self, conn => sqlx::query(SQL).bind(member.0).bind(before).execute(conn).await?.rows_affected());
        Ok(())
    }
}
