//! Members' bookings, still sealed.

use jiff::Timestamp;
use uuid::Uuid;

use super::error::changed;
use super::{LaneKey, StoreError, Tx, clinic_id, instant, named, on};
use crate::domain::booking::{BookingState, Note, Time, Visit, Wish};
use crate::domain::group::Seat;
use crate::domain::ids::{BookingId, ClinicId, GroupSessionId, MemberId, VisitTypeId};

/// A booking, of which everything can be read but what is personal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SealedBooking {
    /// Whose.
    pub member: MemberId,
    /// Which.
    pub id: BookingId,
    /// At which clinic.
    pub clinic: ClinicId,
    /// What kind of visit.
    pub visit: VisitTypeId,
    /// What is known of it.
    pub state: BookingState,
    /// What the clinic's system was asked, and has not answered yet.
    pub wish: Option<Wish>,
    /// What the member is to be told about it.
    pub note: Option<Note>,
    /// How many times were chosen.
    pub attempt: i64,
    /// Of the Appointment, and of the item in the outbox.
    pub identifier: Option<String>,
    /// The time that was chosen.
    pub time: Option<Time>,
    /// Until when that is kept, or an answer waited for.
    pub hold_until: Option<Timestamp>,
    /// When it is looked next whether something is free.
    pub look_at: Option<Timestamp>,
    /// The booking whose place it takes.
    pub replaces: Option<BookingId>,
    /// The group session in which it is a place.
    pub session: Option<GroupSessionId>,
    /// Grows with each change of its time, or of whether it will be.
    pub sequence: i64,
    /// What is personal, sealed with the member's key.
    pub sealed: Vec<u8>,
    /// When it began.
    pub created_at: Timestamp,
    /// When anything about it last changed here.
    pub updated_at: Timestamp,
}

impl SealedBooking {
    /// The visit that will be, if it is booked: what of it is not personal beyond when it is.
    #[must_use]
    pub fn visit(&self) -> Option<Visit> {
        let time = self.time.filter(|_| self.state == BookingState::Booked)?;
        Some(Visit {
            booking: self.id,
            member: self.member,
            clinic: self.clinic.clone(),
            visit: self.visit.clone(),
            time,
            seat: self.seat(),
            sequence: self.sequence,
        })
    }

    /// The place in a group session that it is, if it is one. The clinic knows of those that were told to it.
    #[must_use]
    pub fn seat(&self) -> Option<Seat> {
        self.session.map(|session| Seat { session, is_known: self.identifier.is_some() })
    }
}

/// Which booking, of which member.
pub type BookingKey = (MemberId, BookingId);

#[derive(sqlx::FromRow)]
struct Row {
    member_id: Uuid,
    booking_id: Uuid,
    clinic_id: String,
    visit: String,
    state: String,
    wish: Option<String>,
    note: Option<String>,
    attempt: i64,
    identifier: Option<String>,
    starts_at: Option<i64>,
    ends_at: Option<i64>,
    hold_until: Option<i64>,
    look_at: Option<i64>,
    replaces: Option<Uuid>,
    group_session_id: Option<Uuid>,
    sequence: i64,
    sealed_booking: Vec<u8>,
    created_at: i64,
    updated_at: i64,
}

/// The columns of [`Row`].
macro_rules! row {
    () => {
        "SELECT b.member_id, b.booking_id, b.clinic_id, b.visit, b.state, b.wish, b.note, b.attempt, b.identifier, \
         b.starts_at, b.ends_at, b.hold_until, b.look_at, b.replaces, b.group_session_id, b.sequence, b.sealed_booking, b.created_at, \
         b.updated_at FROM bookings b "
    };
}

/// Items that give something back and were not withdrawn, whatever their rows say as yet.
macro_rules! being_given_back {
    () => {
        "FROM outbox o JOIN lanes l ON l.clinic_id = o.clinic_id AND l.member_id = o.member_id \
         WHERE o.operation = 'retract' AND (o.state IN ('sending', 'unknown', 'rejected', 'dead') \
         OR (o.state IN ('ready', 'retry', 'held') AND o.seq > l.withdrawn_through))"
    };
}

impl Tx {
    /// Keeps a booking, in the place of how it stood before. Of a visit that is booked, or that has another time than before, it
    /// is looked anew when to remind of it. The caller holds the member.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn put_booking(&mut self, row: &SealedBooking) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO bookings (member_id, booking_id, clinic_id, visit, state, wish, note, attempt, \
             identifier, starts_at, ends_at, hold_until, look_at, replaces, sequence, sealed_booking, created_at, \
             updated_at, remind_at, group_session_id) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $18, $19) \
             ON CONFLICT (member_id, booking_id) DO UPDATE SET state = excluded.state, wish = excluded.wish, \
             note = excluded.note, attempt = excluded.attempt, identifier = excluded.identifier, \
             starts_at = excluded.starts_at, ends_at = excluded.ends_at, hold_until = excluded.hold_until, \
             look_at = excluded.look_at, sequence = excluded.sequence, sealed_booking = excluded.sealed_booking, \
             updated_at = excluded.updated_at, remind_at = CASE WHEN bookings.state = excluded.state \
             AND bookings.starts_at = excluded.starts_at THEN bookings.remind_at ELSE excluded.updated_at END";
        let micros = |at: Option<Timestamp>| at.map(Timestamp::as_microsecond);
        on!(self, conn => sqlx::query(SQL)
            .bind(row.member.0)
            .bind(row.id.0)
            .bind(row.clinic.as_str())
            .bind(row.visit.as_str())
            .bind(row.state.as_str())
            .bind(row.wish.map(Wish::as_str))
            .bind(row.note.map(Note::as_str))
            .bind(row.attempt)
            .bind(&row.identifier)
            .bind(micros(row.time.map(|time| time.start)))
            .bind(micros(row.time.map(|time| time.end)))
            .bind(micros(row.hold_until))
            .bind(micros(row.look_at))
            .bind(row.replaces.map(|replaced| replaced.0))
            .bind(row.sequence)
            .bind(&row.sealed)
            .bind(row.created_at.as_microsecond())
            .bind(row.updated_at.as_microsecond())
            .bind(row.session.map(|session| session.0))
            .execute(conn)
            .await?
            .rows_affected());
        Ok(())
    }

    /// A member's booking.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn booking(&mut self, (member, id): BookingKey) -> Result<Option<SealedBooking>, StoreError> {
        const SQL: &str = concat!(row!(), "WHERE b.member_id = $1 AND b.booking_id = $2");
        let row: Option<Row> =
            on!(self, conn => sqlx::query_as(SQL).bind(member.0).bind(id.0).fetch_optional(conn).await?);
        row.map(read).transpose()
    }

    /// A member's bookings, the newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn bookings(&mut self, member: MemberId) -> Result<Vec<SealedBooking>, StoreError> {
        const SQL: &str = concat!(row!(), "WHERE b.member_id = $1 ORDER BY b.created_at DESC, b.booking_id");
        let rows: Vec<Row> = on!(self, conn => sqlx::query_as(SQL).bind(member.0).fetch_all(conn).await?);
        rows.into_iter().map(read).collect()
    }

    /// The booking whose Appointment has this identifier.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn booking_of_identifier(&mut self, identifier: &str) -> Result<Option<SealedBooking>, StoreError> {
        const SQL: &str = concat!(row!(), "WHERE b.identifier = $1");
        let row: Option<Row> = on!(self, conn => sqlx::query_as(SQL).bind(identifier).fetch_optional(conn).await?);
        row.map(read).transpose()
    }

    /// Bookings that keep something at a clinic that they are to keep no longer: times whose hold has ended; visits whose
    /// place another one has taken; and what was given back, but did not get to the clinic because a consent ended.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn bookings_to_let_go(&mut self, now: Timestamp, limit: i64) -> Result<Vec<BookingKey>, StoreError> {
        const ENDED: &str = "SELECT member_id, booking_id FROM bookings WHERE hold_until <= $1 \
             ORDER BY hold_until LIMIT $2";
        const REPLACED: &str = "SELECT o.member_id, o.booking_id FROM bookings n JOIN bookings o \
             ON o.member_id = n.member_id AND o.booking_id = n.replaces WHERE n.replaces IS NOT NULL \
             AND n.state = 'booked' AND n.updated_at <= $1 AND o.state = 'booked' AND o.wish IS NULL \
             AND (o.note IS NULL OR o.note <> 'not-cancelled') LIMIT $2";
        const LOST: &str = concat!(
            "SELECT b.member_id, b.booking_id FROM bookings b WHERE b.wish IN ('cancel', 'replace', 'release', 'decline') \
             AND b.updated_at <= $1 AND NOT EXISTS (SELECT 1 ",
            being_given_back!(),
            " AND o.identifier = b.identifier AND o.member_id = b.member_id) LIMIT $2"
        );
        let mut found = Vec::new();
        for sql in [ENDED, REPLACED, LOST] {
            let rows: Vec<(Uuid, Uuid)> = on!(self, conn => sqlx::query_as(sql)
                .bind(now.as_microsecond())
                .bind(limit)
                .fetch_all(conn)
                .await?);
            found.extend(rows.into_iter().map(|(member, booking)| (MemberId(member), BookingId(booking))));
        }
        Ok(found)
    }

    /// Whether its clinic is being told, or was told for good, that the Appointment with this identifier is given back.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn is_being_given_back(&mut self, member: MemberId, identifier: &str) -> Result<bool, StoreError> {
        const SQL: &str =
            concat!("SELECT COUNT(*) ", being_given_back!(), " AND o.member_id = $1 AND o.identifier = $2");
        let items: i64 =
            on!(self, conn => sqlx::query_scalar(SQL).bind(member.0).bind(identifier).fetch_one(conn).await?);
        Ok(items > 0)
    }

    /// Whether another booking that is booked takes the place of this one.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn is_replaced(&mut self, (member, id): BookingKey) -> Result<bool, StoreError> {
        const SQL: &str = "SELECT COUNT(*) FROM bookings WHERE member_id = $1 AND replaces = $2 AND state = 'booked'";
        let newer: i64 = on!(self, conn => sqlx::query_scalar(SQL).bind(member.0).bind(id.0).fetch_one(conn).await?);
        Ok(newer > 0)
    }

    /// Has everything that a clinic keeps for a member, and that is not booked, end now; and the places in group sessions of which
    /// it knows, so that somebody else gets them.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn end_holds(&mut self, lane: &LaneKey, now: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE bookings SET hold_until = CASE WHEN hold_until > $3 THEN $3 ELSE hold_until END, \
             look_at = NULL WHERE member_id = $1 AND clinic_id = $2 AND (hold_until > $3 OR look_at IS NOT NULL)";
        // That they do not come is told when the chores are done, as whatever is given back and did not get there.
        const SEATS: &str = "UPDATE bookings SET state = 'cancelled', wish = 'cancel', note = NULL, sequence = sequence + 1, \
             updated_at = $3 WHERE member_id = $1 AND clinic_id = $2 AND group_session_id IS NOT NULL \
             AND identifier IS NOT NULL AND state = 'booked' AND ends_at > $3";
        for sql in [SQL, SEATS] {
            on!(self, conn => sqlx::query(sql)
                .bind(lane.member.0)
                .bind(lane.clinic.as_str())
                .bind(now.as_microsecond())
                .execute(conn)
                .await?
                .rows_affected());
        }
        Ok(())
    }

    /// Claims bookings at a clinic that wait for something free and whose time to look has come: nobody else looks for
    /// them before `until`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn claim_waiting(
        &mut self,
        clinic: &ClinicId,
        now: Timestamp,
        until: Timestamp,
        limit: i64,
    ) -> Result<Vec<BookingKey>, StoreError> {
        const SQLITE: &str = "UPDATE bookings SET look_at = $3 WHERE (member_id, booking_id) IN \
             (SELECT member_id, booking_id FROM bookings WHERE clinic_id = $1 AND look_at <= $2 ORDER BY look_at LIMIT $4) \
             RETURNING member_id, booking_id";
        const POSTGRES: &str = "UPDATE bookings SET look_at = $3 WHERE (member_id, booking_id) IN \
             (SELECT member_id, booking_id FROM bookings WHERE clinic_id = $1 AND look_at <= $2 ORDER BY look_at LIMIT $4 \
             FOR UPDATE SKIP LOCKED) RETURNING member_id, booking_id";
        let sql = self.pick(SQLITE, POSTGRES);
        let rows: Vec<(Uuid, Uuid)> = on!(self, conn => sqlx::query_as(sql)
            .bind(clinic.as_str())
            .bind(now.as_microsecond())
            .bind(until.as_microsecond())
            .bind(limit)
            .fetch_all(conn)
            .await?);
        Ok(rows.into_iter().map(|(member, booking)| (MemberId(member), BookingId(booking))).collect())
    }

    /// The bookings at a clinic that stand somewhere, by when they are.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn bookings_at(
        &mut self,
        clinic: &ClinicId,
        state: BookingState,
        limit: i64,
    ) -> Result<Vec<SealedBooking>, StoreError> {
        const SQL: &str =
            concat!(row!(), "WHERE b.clinic_id = $1 AND b.state = $2 ORDER BY b.starts_at, b.booking_id LIMIT $3");
        let rows: Vec<Row> = on!(self, conn => sqlx::query_as(SQL)
            .bind(clinic.as_str())
            .bind(state.as_str())
            .bind(limit)
            .fetch_all(conn)
            .await?);
        rows.into_iter().map(read).collect()
    }

    /// Forgets a booking of which nothing stands at its clinic. The caller holds the member.
    ///
    /// # Errors
    /// [`StoreError::RowCount`] when it is not there.
    pub async fn forget_booking(&mut self, (member, id): BookingKey) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM bookings WHERE member_id = $1 AND booking_id = $2";
        let deleted =
            on!(self, conn => sqlx::query(SQL).bind(member.0).bind(id.0).execute(conn).await?.rows_affected());
        changed(1, deleted)
    }

    /// Forgets a portion of what is old: bookings that came to nothing and that nobody goes on with, and visits that are
    /// over. Returns how many.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn forget_old_bookings(
        &mut self,
        idle_since: Timestamp,
        over_since: Timestamp,
        limit: i64,
    ) -> Result<u64, StoreError> {
        const SQL: &str = "DELETE FROM bookings WHERE (member_id, booking_id) IN \
             (SELECT member_id, booking_id FROM bookings WHERE updated_at < $1 AND wish IS NULL AND hold_until IS NULL \
             AND look_at IS NULL AND (state = 'offered' \
             OR (state = 'requested' AND identifier IS NULL AND group_session_id IS NULL) \
             OR (updated_at < $2 AND (state IN ('rescheduled', 'fulfilled', 'cancelled', 'noshow') \
             OR ends_at < $2))) LIMIT $3)";
        Ok(on!(self, conn => sqlx::query(SQL)
            .bind(idle_since.as_microsecond())
            .bind(over_since.as_microsecond())
            .bind(limit)
            .execute(conn)
            .await?
            .rows_affected()))
    }
}

fn read(row: Row) -> Result<SealedBooking, StoreError> {
    let time = match (row.starts_at, row.ends_at) {
        (Some(start), Some(end)) => Some(Time { start: instant(start)?, end: instant(end)? }),
        _ => None,
    };
    let wish = row.wish.map(|name| named(Wish::from_name(&name), "a wish it should not"));
    let note = row.note.map(|name| named(Note::from_name(&name), "a note it should not"));
    Ok(SealedBooking {
        member: MemberId(row.member_id),
        id: BookingId(row.booking_id),
        clinic: clinic_id(row.clinic_id)?,
        visit: VisitTypeId::try_from(row.visit).map_err(|_| StoreError::Corrupt("a kind of visit that is no slug"))?,
        state: named(BookingState::from_name(&row.state), "a state of a booking it should not")?,
        wish: wish.transpose()?,
        note: note.transpose()?,
        attempt: row.attempt,
        identifier: row.identifier,
        time,
        hold_until: row.hold_until.map(instant).transpose()?,
        look_at: row.look_at.map(instant).transpose()?,
        replaces: row.replaces.map(BookingId),
        session: row.group_session_id.map(GroupSessionId),
        sequence: row.sequence,
        sealed: row.sealed_booking,
        created_at: instant(row.created_at)?,
        updated_at: instant(row.updated_at)?,
    })
}
