//! Which one-page summaries were made for clinics, and which are to be made or looked at anew.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::{Span, Timestamp};
use sqlx::QueryBuilder;

use super::lanes::LaneKey;
use super::{ROWS_PER_STATEMENT, StoreError, Tx, clinic_id, named, on};
use crate::domain::ids::{ClinicId, MemberId};
use crate::domain::page::WEEKS;

/// A page of a week, for a clinic.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct PageKey {
    /// Whose, and for whom.
    pub lane: LaneKey,
    /// The first day of the week that it is about.
    pub first_day: Date,
}

/// Why a page is to be looked at.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum PageDue {
    /// Something changed of which it tells.
    Changed,
    /// Somebody asked for it, or it could not go as it was.
    Asked,
    /// There is a visit soon. What was left as it is stays so. It is made in the transaction that says so.
    Visit,
}

/// A page that is to be looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DuePage {
    /// Which.
    pub key: PageKey,
    /// Why.
    pub due: PageDue,
    /// Whether it was made before.
    pub is_made: bool,
}

impl PageDue {
    const fn number(self) -> i32 {
        match self {
            Self::Changed => 1,
            Self::Asked => 2,
            Self::Visit => 3,
        }
    }

    const fn from_number(number: i32) -> Self {
        match number {
            2 => Self::Asked,
            3 => Self::Visit,
            _ => Self::Changed,
        }
    }
}

impl Tx {
    /// Notes that pages are to be looked at. Sorted, so that two who do this wait for each other.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn note_pages(&mut self, pages: &BTreeSet<PageKey>, due: PageDue) -> Result<(), StoreError> {
        let pages: Vec<&PageKey> = pages.iter().collect();
        for chunk in pages.chunks(ROWS_PER_STATEMENT) {
            on!(self, conn: Db => {
                let mut query = QueryBuilder::<Db>::new("INSERT INTO pages (member_id, clinic_id, first_day, due) ");
                query.push_values(chunk, |mut row, page| {
                    row.push_bind(page.lane.member.0)
                        .push_bind(page.lane.clinic.as_str())
                        .push_bind(page.first_day.to_string())
                        .push_bind(due.number());
                });
                query.push(
                    " ON CONFLICT (member_id, clinic_id, first_day) DO UPDATE SET due = excluded.due \
                     WHERE pages.due < excluded.due AND (pages.due >= 0 OR excluded.due = 2)",
                );
                query.build().execute(conn).await?.rows_affected()
            });
        }
        Ok(())
    }

    /// Has the pages of a member looked at anew that were made and show a week: the one about it, and those after it.
    /// Returns whether there are any.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn reopen_pages(&mut self, member: MemberId, week: Date) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE pages SET due = 1 WHERE member_id = $1 AND first_day >= $2 AND first_day < $3 \
                           AND due = 0 AND identifier IS NOT NULL";
        let weeks = Span::new().weeks(i64::from(WEEKS));
        let end = week.checked_add(weeks).unwrap_or(Date::MAX);
        let reopened = on!(self, conn => sqlx::query(SQL)
            .bind(member.0)
            .bind(week.to_string())
            .bind(end.to_string())
            .execute(conn)
            .await?
            .rows_affected());
        Ok(reopened > 0)
    }

    /// Has pages made anew that could not go as they were, and their members looked after at once.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn page_instead(&mut self, pages: &[(LaneKey, String)], now: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE pages SET due = 2 WHERE member_id = $1 AND clinic_id = $2 AND identifier = $3";
        for (lane, identifier) in pages {
            on!(self, conn => sqlx::query(SQL)
                .bind(lane.member.0)
                .bind(lane.clinic.as_str())
                .bind(identifier)
                .execute(conn)
                .await?
                .rows_affected());
        }
        let members: BTreeSet<MemberId> = pages.iter().map(|(lane, _)| lane.member).collect();
        self.look_after(&members.into_iter().map(|member| (member, now)).collect::<Vec<_>>()).await
    }

    /// The pages of a member, whom the caller has locked, that are to be looked at; the oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn due_pages(&mut self, member: MemberId) -> Result<Vec<DuePage>, StoreError> {
        const SQL: &str = "SELECT clinic_id, first_day, due, identifier FROM pages WHERE member_id = $1 AND due > 0 \
                           ORDER BY first_day, clinic_id";
        let rows: Vec<(String, String, i32, Option<String>)> =
            on!(self, conn => sqlx::query_as(SQL).bind(member.0).fetch_all(conn).await?);
        rows.into_iter()
            .map(|(clinic, first_day, due, identifier)| {
                let lane = LaneKey { clinic: clinic_id(clinic)?, member };
                let first_day = named(first_day.parse().ok(), "a date it should not")?;
                let due = PageDue::from_number(due);
                Ok(DuePage { key: PageKey { lane, first_day }, due, is_made: identifier.is_some() })
            })
            .collect()
    }

    /// Notes that a page was looked at, and under which identifier it was made, if it was.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn page_done(&mut self, page: &PageKey, identifier: Option<&str>) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE pages SET due = 0, identifier = COALESCE($4, identifier) \
                           WHERE member_id = $1 AND clinic_id = $2 AND first_day = $3";
        on!(self, conn => sqlx::query(SQL)
            .bind(page.lane.member.0)
            .bind(page.lane.clinic.as_str())
            .bind(page.first_day.to_string())
            .bind(identifier)
            .execute(conn)
            .await?
            .rows_affected());
        Ok(())
    }

    /// The clinics for which pages of a member were made, or are to be made.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn paged_clinics(&mut self, member: MemberId) -> Result<Vec<ClinicId>, StoreError> {
        const SQL: &str = "SELECT DISTINCT clinic_id FROM pages WHERE member_id = $1 ORDER BY clinic_id";
        let rows: Vec<(String,)> = on!(self, conn => sqlx::query_as(SQL).bind(member.0).fetch_all(conn).await?);
        rows.into_iter().map(|(clinic,)| clinic_id(clinic)).collect()
    }

    /// Forgets the pages that were made, or are to be made, for a clinic that may see nothing of a member any more: what it
    /// was told stays as it is.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn close_pages_of(&mut self, lane: &LaneKey) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM pages WHERE member_id = $1 AND clinic_id = $2";
        let (member, clinic) = (lane.member.0, lane.clinic.as_str());
        on!(self, conn => sqlx::query(SQL).bind(member).bind(clinic).execute(conn).await?.rows_affected());
        Ok(())
    }

    /// Leaves pages as they are that were made and show a day up to this one: they are not corrected with what little is
    /// left, unless somebody asks.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn close_pages(&mut self, member: MemberId, up_to: Date) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE pages SET due = -1 WHERE member_id = $1 AND identifier IS NOT NULL \
                           AND due < 2 AND first_day <= $2";
        let weeks = Span::new().weeks(i64::from(WEEKS) - 1);
        let up_to = up_to.checked_add(weeks).unwrap_or(Date::MAX).to_string();
        on!(self, conn => sqlx::query(SQL).bind(member.0).bind(up_to).execute(conn).await?.rows_affected());
        Ok(())
    }
}
