//! Group sessions, and the bookings that are places in them. Nothing here says who anybody is.

use jiff::Timestamp;
use uuid::Uuid;

use super::bookings::BookingKey;
use super::{StoreError, Tx, clinic_id, instant, named, on};
use crate::domain::booking::Time;
use crate::domain::group::{GroupSession, GroupState, Seats};
use crate::domain::ids::{BookingId, ClinicId, GroupSessionId, MemberId, VisitTypeId};

#[derive(sqlx::FromRow)]
struct Row {
    clinic_id: String,
    session_id: Uuid,
    visit: String,
    state: String,
    starts_at: i64,
    ends_at: i64,
    capacity: i64,
    sequence: i64,
    told: i64,
    look_at: Option<i64>,
    created_at: i64,
    updated_at: i64,
}

/// The columns of [`Row`].
macro_rules! row {
    () => {
        "SELECT s.clinic_id, s.session_id, s.visit, s.state, s.starts_at, s.ends_at, s.capacity, s.sequence, s.told, \
         s.look_at, s.created_at, s.updated_at FROM group_sessions s "
    };
}

/// The states in which a booking takes a place.
macro_rules! taken {
    () => {
        "('booked', 'fulfilled', 'noshow')"
    };
}

/// Bookings, each with the session in which it is a place.
macro_rules! seats {
    () => {
        "SELECT b.member_id, b.booking_id FROM bookings b JOIN group_sessions s \
         ON s.clinic_id = b.clinic_id AND s.session_id = b.group_session_id WHERE b.group_session_id IS NOT NULL "
    };
}

impl Tx {
    /// Keeps a session, in the place of how it stood before.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn put_group_session(&mut self, session: &GroupSession) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO group_sessions (clinic_id, session_id, visit, state, starts_at, ends_at, capacity, \
             sequence, told, look_at, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
             ON CONFLICT (clinic_id, session_id) DO UPDATE SET state = excluded.state, starts_at = excluded.starts_at, \
             ends_at = excluded.ends_at, capacity = excluded.capacity, sequence = excluded.sequence, told = excluded.told, \
             look_at = excluded.look_at, updated_at = excluded.updated_at";
        on!(self, conn => sqlx::query(SQL)
            .bind(session.clinic.as_str())
            .bind(session.id.0)
            .bind(session.visit.as_str())
            .bind(session.state.as_str())
            .bind(session.time.start.as_microsecond())
            .bind(session.time.end.as_microsecond())
            .bind(i64::from(session.capacity))
            .bind(session.sequence)
            .bind(session.told)
            .bind(session.look_at.map(Timestamp::as_microsecond))
            .bind(session.created_at.as_microsecond())
            .bind(session.updated_at.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        Ok(())
    }

    /// A session of a clinic.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn group_session(
        &mut self,
        clinic: &ClinicId,
        id: GroupSessionId,
    ) -> Result<Option<GroupSession>, StoreError> {
        const SQL: &str = concat!(row!(), "WHERE s.clinic_id = $1 AND s.session_id = $2");
        self.one_session(SQL, clinic, id).await
    }

    /// The same, and nobody else changes it, or takes a place in it, until the transaction ends. Whoever holds a member too holds
    /// the member first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lock_group_session(
        &mut self,
        clinic: &ClinicId,
        id: GroupSessionId,
    ) -> Result<Option<GroupSession>, StoreError> {
        const SQLITE: &str = concat!(row!(), "WHERE s.clinic_id = $1 AND s.session_id = $2");
        const POSTGRES: &str = concat!(row!(), "WHERE s.clinic_id = $1 AND s.session_id = $2 FOR UPDATE");
        let sql = self.pick(SQLITE, POSTGRES);
        self.one_session(sql, clinic, id).await
    }

    async fn one_session(
        &mut self,
        sql: &'static str,
        clinic: &ClinicId,
        id: GroupSessionId,
    ) -> Result<Option<GroupSession>, StoreError> {
        let row: Option<Row> =
            on!(self, conn => sqlx::query_as(sql).bind(clinic.as_str()).bind(id.0).fetch_optional(conn).await?);
        row.map(read).transpose()
    }

    /// The sessions of a clinic that have not ended, and those called off among them; by when they are.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn group_sessions_at(
        &mut self,
        clinic: &ClinicId,
        after: Timestamp,
        limit: i64,
    ) -> Result<Vec<GroupSession>, StoreError> {
        const SQL: &str =
            concat!(row!(), "WHERE s.clinic_id = $1 AND s.ends_at > $2 ORDER BY s.starts_at, s.session_id LIMIT $3");
        let rows: Vec<Row> = on!(self, conn => sqlx::query_as(SQL)
            .bind(clinic.as_str())
            .bind(after.as_microsecond())
            .bind(limit)
            .fetch_all(conn)
            .await?);
        rows.into_iter().map(read).collect()
    }

    /// How many places of a session are taken, and how many wait for one. Exact for whoever holds the session.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn count_seats(&mut self, id: GroupSessionId) -> Result<Seats, StoreError> {
        const SQL: &str = concat!(
            "SELECT COUNT(CASE WHEN state IN ",
            taken!(),
            " THEN 1 END), COUNT(CASE WHEN state = 'requested' THEN 1 END) FROM bookings WHERE group_session_id = $1"
        );
        let (taken, waiting): (i64, i64) = on!(self, conn => sqlx::query_as(SQL).bind(id.0).fetch_one(conn).await?);
        Ok(Seats { taken: taken.unsigned_abs(), waiting: waiting.unsigned_abs() })
    }

    /// The places of a session that are taken: whose they are.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn seats_of(&mut self, id: GroupSessionId, limit: i64) -> Result<Vec<BookingKey>, StoreError> {
        const SQL: &str = concat!(
            "SELECT member_id, booking_id FROM bookings WHERE group_session_id = $1 AND state IN ",
            taken!(),
            " ORDER BY created_at, booking_id LIMIT $2"
        );
        let rows: Vec<(Uuid, Uuid)> =
            on!(self, conn => sqlx::query_as(SQL).bind(id.0).bind(limit).fetch_all(conn).await?);
        Ok(rows.into_iter().map(key).collect())
    }

    /// Places whose session was moved or called off since, and those that somebody waits for in one that is over: nothing of
    /// them is under way at their clinic.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn seats_to_follow(&mut self, now: Timestamp, limit: i64) -> Result<Vec<BookingKey>, StoreError> {
        const SQL: &str = concat!(
            seats!(),
            "AND b.state IN ('booked', 'requested') AND b.wish IS NULL AND ((s.ends_at > $1 AND (s.state = 'cancelled' \
             OR b.starts_at <> s.starts_at OR b.ends_at <> s.ends_at)) OR (s.ends_at <= $1 AND b.state = 'requested')) \
             ORDER BY b.created_at, b.booking_id LIMIT $2"
        );
        self.due_seats(SQL, now, limit).await
    }

    /// Those who wait for a place in a session that has one, the longest first.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn waiting_for_free_seats(&mut self, now: Timestamp, limit: i64) -> Result<Vec<BookingKey>, StoreError> {
        const SQL: &str = concat!(
            seats!(),
            "AND b.state = 'requested' AND s.state = 'planned' AND s.ends_at > $1 AND (SELECT COUNT(*) FROM bookings t \
             WHERE t.group_session_id = s.session_id AND t.state IN ",
            taken!(),
            ") < s.capacity ORDER BY b.created_at, b.booking_id LIMIT $2"
        );
        self.due_seats(SQL, now, limit).await
    }

    async fn due_seats(
        &mut self,
        sql: &'static str,
        now: Timestamp,
        limit: i64,
    ) -> Result<Vec<BookingKey>, StoreError> {
        let rows: Vec<(Uuid, Uuid)> = on!(self, conn => sqlx::query_as(sql)
            .bind(now.as_microsecond())
            .bind(limit)
            .fetch_all(conn)
            .await?);
        Ok(rows.into_iter().map(key).collect())
    }

    /// Claims sessions of a clinic whose time to look after in its EHR has come: nobody else does before `until`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn claim_group_sessions(
        &mut self,
        clinic: &ClinicId,
        now: Timestamp,
        until: Timestamp,
        limit: i64,
    ) -> Result<Vec<GroupSession>, StoreError> {
        const SQLITE: &str = concat!(row!(), "WHERE s.clinic_id = $1 AND s.look_at <= $2 ORDER BY s.look_at LIMIT $3");
        const POSTGRES: &str = concat!(
            row!(),
            "WHERE s.clinic_id = $1 AND s.look_at <= $2 ORDER BY s.look_at LIMIT $3 FOR UPDATE SKIP LOCKED"
        );
        let sql = self.pick(SQLITE, POSTGRES);
        let rows: Vec<Row> = on!(self, conn => sqlx::query_as(sql)
            .bind(clinic.as_str())
            .bind(now.as_microsecond())
            .bind(limit)
            .fetch_all(conn)
            .await?);
        let claimed: Vec<GroupSession> = rows.into_iter().map(read).collect::<Result<_, _>>()?;
        for session in &claimed {
            self.put_group_session(&GroupSession { look_at: Some(until), ..session.clone() }).await?;
        }
        Ok(claimed)
    }

    /// Forgets a portion of the sessions that were long ago and in which nobody's booking is a place. Returns how many.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn forget_old_group_sessions(&mut self, before: Timestamp, limit: i64) -> Result<u64, StoreError> {
        const SQL: &str = "DELETE FROM group_sessions WHERE session_id IN (SELECT s.session_id FROM group_sessions s \
             WHERE s.ends_at < $1 AND NOT EXISTS (SELECT 1 FROM bookings b WHERE b.group_session_id = s.session_id) \
             LIMIT $2)";
        Ok(on!(self, conn => sqlx::query(SQL)
            .bind(before.as_microsecond())
            .bind(limit)
            .execute(conn)
            .await?
            .rows_affected()))
    }
}

const fn key((member, booking): (Uuid, Uuid)) -> BookingKey {
    (MemberId(member), BookingId(booking))
}

fn read(row: Row) -> Result<GroupSession, StoreError> {
    Ok(GroupSession {
        clinic: clinic_id(row.clinic_id)?,
        id: GroupSessionId(row.session_id),
        visit: VisitTypeId::try_from(row.visit).map_err(|_| StoreError::Corrupt("a kind of visit that is no slug"))?,
        state: named(GroupState::from_name(&row.state), "a state of a group session it should not")?,
        time: Time { start: instant(row.starts_at)?, end: instant(row.ends_at)? },
        capacity: u16::try_from(row.capacity).map_err(|_| StoreError::Corrupt("a number of places out of range"))?,
        sequence: row.sequence,
        told: row.told,
        look_at: row.look_at.map(instant).transpose()?,
        created_at: instant(row.created_at)?,
        updated_at: instant(row.updated_at)?,
    })
}
