//! A clinic's staff in the staff view, and a community's people: browsers on their way through their identity provider, sessions, and
//! the bookings that staff look after. Only keyed indexes of secrets are kept.

use jiff::Timestamp;
use uuid::Uuid;

use super::bookings::BookingKey;
use super::error::changed;
use super::events::to_index;
use super::{StoreError, Tx, clinic_id, community_id, instant, named, on};
use crate::domain::concern::Level;
use crate::domain::ids::{BookingId, ClinicId, MemberId};
use crate::domain::staff::{Somebody, Whose};
use crate::vault::Index;

/// A browser on its way through a clinic's provider.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StaffWalk {
    /// Whose provider it is.
    pub whose: Whose,
    /// Until when the browser may come back.
    pub expires_at: Timestamp,
}

/// A session that has not ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StaffSessionRow {
    /// Who is signed in.
    pub who: Somebody,
    /// Keyed index of the rule that let them in.
    pub rules: Index,
    /// When it ends unless something is asked for before.
    pub idle_until: Timestamp,
    /// When it ends in any case.
    pub ends_at: Timestamp,
}

type SessionColumns = (String, String, i32, Uuid, Vec<u8>, i64, i64);

impl Tx {
    /// Stores a walk.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_staff_walk(
        &mut self,
        state: Index,
        browser: Index,
        walk: &StaffWalk,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO staff_walks (state_index, browser_index, clinic_id, community_id, expires_at) VALUES ($1, $2, $3, $4, $5)";
        let done = on!(self, conn => sqlx::query(SQL)
            .bind(&state[..])
            .bind(&browser[..])
            .bind(columns(&walk.whose).0)
            .bind(columns(&walk.whose).1)
            .bind(walk.expires_at.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        changed(1, done)
    }

    /// Takes a walk out, so that nobody can end it a second time. It stays for everybody but the browser that began it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn take_staff_walk(&mut self, state: Index, browser: Index) -> Result<Option<StaffWalk>, StoreError> {
        const SQL: &str = "DELETE FROM staff_walks WHERE state_index = $1 AND browser_index = $2 \
                           RETURNING clinic_id, community_id, expires_at";
        let row: Option<(String, String, i64)> = on!(self, conn => sqlx::query_as(SQL)
            .bind(&state[..])
            .bind(&browser[..])
            .fetch_optional(conn)
            .await?);
        row.map(|(clinic, community, expires_at)| {
            Ok(StaffWalk { whose: whose(clinic, community)?, expires_at: instant(expires_at)? })
        })
        .transpose()
    }

    /// Stores a new session.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_staff_session(&mut self, session: Index, row: &StaffSessionRow) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO staff_sessions (session_index, clinic_id, community_id, level, staff_id, rules_index, \
                           idle_until, ends_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        let done = on!(self, conn => sqlx::query(SQL)
            .bind(&session[..])
            .bind(columns(&row.who.whose).0)
            .bind(columns(&row.who.whose).1)
            .bind(row.who.level.number())
            .bind(row.who.id)
            .bind(&row.rules[..])
            .bind(row.idle_until.as_microsecond())
            .bind(row.ends_at.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        changed(1, done)
    }

    /// The session, if it has not ended.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn staff_session(
        &mut self,
        session: Index,
        now: Timestamp,
    ) -> Result<Option<StaffSessionRow>, StoreError> {
        const SQL: &str = "SELECT clinic_id, community_id, level, staff_id, rules_index, idle_until, ends_at FROM staff_sessions \
                           WHERE session_index = $1 AND idle_until > $2 AND ends_at > $2";
        let row: Option<SessionColumns> = on!(self, conn => sqlx::query_as(SQL)
            .bind(&session[..])
            .bind(now.as_microsecond())
            .fetch_optional(conn)
            .await?);
        row.map(|(clinic, community, level, id, rules, idle_until, ends_at)| {
            let level = named(Level::from_number(level), "a level it should not")?;
            Ok(StaffSessionRow {
                who: Somebody { whose: whose(clinic, community)?, level, id },
                rules: to_index(rules)?,
                idle_until: instant(idle_until)?,
                ends_at: instant(ends_at)?,
            })
        })
        .transpose()
    }

    /// Moves the end of a session that nobody uses. `false`: it has ended in the meantime.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn extend_staff_session(
        &mut self,
        session: Index,
        idle_until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE staff_sessions SET idle_until = $2 \
                           WHERE session_index = $1 AND idle_until > $3 AND ends_at > $3";
        let done = on!(self, conn => sqlx::query(SQL)
            .bind(&session[..])
            .bind(idle_until.as_microsecond())
            .bind(now.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        Ok(done == 1)
    }

    /// Ends a session. `false`: there was none.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn delete_staff_session(&mut self, session: Index) -> Result<bool, StoreError> {
        const SQL: &str = "DELETE FROM staff_sessions WHERE session_index = $1";
        Ok(on!(self, conn => sqlx::query(SQL).bind(&session[..]).execute(conn).await?.rows_affected()) == 1)
    }

    /// Forgets sessions that have ended, and walks whose browser never came back.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn forget_ended_staff_sessions(&mut self, now: Timestamp) -> Result<(), StoreError> {
        const SESSIONS: &str = "DELETE FROM staff_sessions WHERE idle_until <= $1 OR ends_at <= $1";
        const WALKS: &str = "DELETE FROM staff_walks WHERE expires_at <= $1";
        for sql in [SESSIONS, WALKS] {
            on!(self, conn => sqlx::query(sql).bind(now.as_microsecond()).execute(conn).await?.rows_affected());
        }
        Ok(())
    }

    /// The bookings at a clinic for which somebody there has to find a time: those that its people were asked for, and those whose
    /// member waits for something free. The longest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn bookings_waiting_at(&mut self, clinic: &ClinicId, limit: i64) -> Result<Vec<BookingKey>, StoreError> {
        const SQL: &str = "SELECT member_id, booking_id FROM bookings WHERE clinic_id = $1 AND state = 'requested' \
             AND (identifier IS NOT NULL OR look_at IS NOT NULL) ORDER BY created_at, booking_id LIMIT $2";
        let rows: Vec<(Uuid, Uuid)> =
            on!(self, conn => sqlx::query_as(SQL).bind(clinic.as_str()).bind(limit).fetch_all(conn).await?);
        Ok(rows.into_iter().map(key).collect())
    }

    /// The visits at a clinic that begin between two instants, the first included, whatever became of them but cancelled.
    /// Places in group sessions stand with these.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn visits_at(
        &mut self,
        clinic: &ClinicId,
        from: Timestamp,
        until: Timestamp,
        limit: i64,
    ) -> Result<Vec<BookingKey>, StoreError> {
        const SQL: &str = "SELECT member_id, booking_id FROM bookings WHERE clinic_id = $1 \
             AND state IN ('booked', 'fulfilled', 'noshow') AND starts_at >= $2 AND starts_at < $3 AND group_session_id IS NULL \
             ORDER BY starts_at, booking_id LIMIT $4";
        let rows: Vec<(Uuid, Uuid)> = on!(self, conn => sqlx::query_as(SQL)
            .bind(clinic.as_str())
            .bind(from.as_microsecond())
            .bind(until.as_microsecond())
            .bind(limit)
            .fetch_all(conn)
            .await?);
        Ok(rows.into_iter().map(key).collect())
    }

    /// A booking at a clinic: whose it is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn booking_at(&mut self, clinic: &ClinicId, id: BookingId) -> Result<Option<BookingKey>, StoreError> {
        const SQL: &str = "SELECT member_id, booking_id FROM bookings WHERE clinic_id = $1 AND booking_id = $2";
        let row: Option<(Uuid, Uuid)> =
            on!(self, conn => sqlx::query_as(SQL).bind(clinic.as_str()).bind(id.0).fetch_optional(conn).await?);
        Ok(row.map(key))
    }
}

const fn key((member, booking): (Uuid, Uuid)) -> BookingKey {
    (MemberId(member), BookingId(booking))
}

/// Clinic and community, of which one is empty.
fn columns(whose: &Whose) -> (&str, &str) {
    match whose {
        Whose::Clinic(clinic) => (clinic.as_str(), ""),
        Whose::Community(community) => ("", community.as_str()),
    }
}

fn whose(clinic: String, community: String) -> Result<Whose, StoreError> {
    if community.is_empty() {
        return Ok(Whose::Clinic(clinic_id(clinic)?));
    }
    Ok(Whose::Community(community_id(community)?))
}
