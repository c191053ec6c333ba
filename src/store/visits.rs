//! What members say around their visits: that they are there, and how it was.

use jiff::Timestamp;

use super::error::changed;
use super::{BookingKey, StoreError, Tx, instant, on};
use crate::domain::booking::Rating;
use crate::domain::ids::{ClinicId, VisitTypeId};

/// How many members found the visits of one kind in one month so.
#[derive(Clone, PartialEq, Eq, Debug, sqlx::FromRow)]
pub struct RatingCount {
    /// The clinic.
    pub clinic_id: String,
    /// The kind of visit, by its name in the configuration.
    pub visit: String,
    /// The month in which they said so, in UTC: `2026-11`.
    pub month: String,
    /// From 1 to 5; 0: they do not want to say.
    pub rating: i64,
    /// How many.
    pub answers: i64,
}

impl Tx {
    /// When a member said that they are there for a visit, if they did.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn arrived_at(&mut self, (member, id): BookingKey) -> Result<Option<Timestamp>, StoreError> {
        const SQL: &str = "SELECT arrived_at FROM bookings WHERE member_id = $1 AND booking_id = $2";
        let row: Option<Option<i64>> =
            on!(self, conn => sqlx::query_scalar(SQL).bind(member.0).bind(id.0).fetch_optional(conn).await?);
        row.flatten().map(instant).transpose()
    }

    /// Writes down that a member says so. The caller holds the member.
    ///
    /// # Errors
    /// [`StoreError::RowCount`] when there is no such booking.
    pub async fn note_arrival(&mut self, (member, id): BookingKey, now: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE bookings SET arrived_at = $3 WHERE member_id = $1 AND booking_id = $2";
        let now = now.as_microsecond();
        let rows = on!(self, conn => sqlx::query(SQL)
            .bind(member.0)
            .bind(id.0)
            .bind(now)
            .execute(conn)
            .await?
            .rows_affected());
        changed(1, rows)
    }

    /// Whether a member said how a visit was, or that they do not want to.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn is_rated(&mut self, (member, id): BookingKey) -> Result<bool, StoreError> {
        const SQL: &str = "SELECT COUNT(*) FROM bookings WHERE member_id = $1 AND booking_id = $2 AND rated <> 0";
        let rated: i64 = on!(self, conn => sqlx::query_scalar(SQL).bind(member.0).bind(id.0).fetch_one(conn).await?);
        Ok(rated > 0)
    }

    /// Writes down that a member said so. Returns whether they had not before.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn note_rated(&mut self, (member, id): BookingKey) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE bookings SET rated = 1 WHERE member_id = $1 AND booking_id = $2 AND rated = 0";
        let rows = on!(self, conn => sqlx::query(SQL).bind(member.0).bind(id.0).execute(conn).await?.rows_affected());
        Ok(rows > 0)
    }

    /// Counts how somebody found a visit.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn count_rating(
        &mut self,
        clinic: &ClinicId,
        visit: &VisitTypeId,
        rating: Rating,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO visit_ratings (clinic_id, visit, month, rating, answers) \
             VALUES ($1, $2, $3, $4, 1) ON CONFLICT (clinic_id, visit, month, rating) \
             DO UPDATE SET answers = visit_ratings.answers + 1";
        on!(self, conn => sqlx::query(SQL)
            .bind(clinic.as_str())
            .bind(visit.as_str())
            .bind(now.strftime("%Y-%m").to_string())
            .bind(i64::from(rating.get()))
            .execute(conn)
            .await?
            .rows_affected());
        Ok(())
    }

    /// How members found the visits of all clinics, the newest month first.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn ratings(&mut self) -> Result<Vec<RatingCount>, StoreError> {
        const SQL: &str = "SELECT clinic_id, visit, month, rating, answers FROM visit_ratings \
             ORDER BY month DESC, clinic_id, visit, rating";
        Ok(on!(self, conn => sqlx::query_as(SQL).fetch_all(conn).await?))
    }
}
