//! The visits of members that are to come, and when they are reminded of them.
//!
//! `bookings.remind_at` says from when on that has not been looked at. Whatever moves a visit, or books it, sets it to that
//! instant ([`Tx::put_booking`]), so that nobody need know there what a member wishes.

use jiff::Timestamp;
use uuid::Uuid;

use super::error::changed;
use super::{BookingKey, SealedBooking, StoreError, Tx, instant, on};
use crate::domain::booking::Wish;
use crate::domain::ids::{BookingId, MemberId};

impl Tx {
    /// Visits of which it is time to look whether their members are to be reminded.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn visits_to_remind_of(&mut self, now: Timestamp, limit: i64) -> Result<Vec<BookingKey>, StoreError> {
        const SQL: &str = "SELECT member_id, booking_id FROM bookings WHERE state = 'booked' AND remind_at <= $1 \
             ORDER BY remind_at LIMIT $2";
        let rows: Vec<(Uuid, Uuid)> = on!(self, conn => sqlx::query_as(SQL)
            .bind(now.as_microsecond())
            .bind(limit)
            .fetch_all(conn)
            .await?);
        Ok(rows.into_iter().map(|(member, booking)| (MemberId(member), BookingId(booking))).collect())
    }

    /// From when on it has not been looked whether the member is to be reminded of a visit; `None`: it need not be.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn remind_at(&mut self, (member, id): BookingKey) -> Result<Option<Timestamp>, StoreError> {
        const SQL: &str =
            "SELECT remind_at FROM bookings WHERE member_id = $1 AND booking_id = $2 AND state = 'booked'";
        let row: Option<Option<i64>> =
            on!(self, conn => sqlx::query_scalar(SQL).bind(member.0).bind(id.0).fetch_optional(conn).await?);
        row.flatten().map(instant).transpose()
    }

    /// Writes down until when that has been looked at. The caller holds the member.
    ///
    /// # Errors
    /// [`StoreError::RowCount`] when there is no such booking.
    pub async fn looked_whether_to_remind(
        &mut self,
        (member, id): BookingKey,
        next: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE bookings SET remind_at = $3 WHERE member_id = $1 AND booking_id = $2";
        let next = next.map(Timestamp::as_microsecond);
        let rows = on!(self, conn => sqlx::query(SQL)
            .bind(member.0)
            .bind(id.0)
            .bind(next)
            .execute(conn)
            .await?
            .rows_affected());
        changed(1, rows)
    }

    /// The visits of a member that are to come: booked, not about to be given back, and no other one has taken their place.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn visits_to_come(&mut self, member: MemberId, now: Timestamp) -> Result<Vec<SealedBooking>, StoreError> {
        let all = self.bookings(member).await?;
        let is_given_back =
            |row: &SealedBooking| matches!(row.wish, Some(Wish::Cancel | Wish::Replace | Wish::Decline));
        let is_replaced =
            |row: &SealedBooking| all.iter().any(|newer| newer.replaces == Some(row.id) && newer.visit().is_some());
        let is_ahead = |row: &SealedBooking| row.visit().is_some_and(|visit| visit.time.start > now);
        let to_come = all.iter().filter(|row| is_ahead(row) && !is_given_back(row) && !is_replaced(row));
        Ok(to_come.cloned().collect())
    }

    /// Has it looked at anew of every visit of a member that is to come: they wish to be reminded otherwise from now on.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn remind_otherwise(&mut self, member: MemberId, now: Timestamp) -> Result<(), StoreError> {
        const SQL: &str =
            "UPDATE bookings SET remind_at = $2 WHERE member_id = $1 AND state = 'booked' AND starts_at > $2";
        on!(self, conn => sqlx::query(SQL)
            .bind(member.0)
            .bind(now.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        Ok(())
    }
}
