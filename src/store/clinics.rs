//! What is known of each clinic's EHR: what it takes, and how it is doing. Any replica writes it; nobody decides by it.

use jiff::Timestamp;

use super::{StoreError, Tx, clinic_id, instant, on};
use crate::domain::delivery::Rung;
use crate::domain::ids::ClinicId;

/// How a clinic's EHR stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClinicRow {
    /// Which clinic.
    pub clinic: ClinicId,
    /// In which form it takes what is sent; `None` until it was asked.
    pub rung: Option<Rung>,
    /// Why it is left in peace, and until when, if it is.
    pub trouble: Option<(String, Timestamp)>,
}

type Row = (String, Option<String>, Option<String>, Option<i64>);

impl Tx {
    /// Notes in which form a clinic's EHR takes what is sent. Returns whether that is news.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn note_rung(&mut self, clinic: &ClinicId, rung: Rung, now: Timestamp) -> Result<bool, StoreError> {
        const SQL: &str = "INSERT INTO clinics (clinic_id, rung, learned_at) VALUES ($1, $2, $3) \
             ON CONFLICT (clinic_id) DO UPDATE SET rung = excluded.rung, learned_at = excluded.learned_at \
             WHERE clinics.rung IS NULL OR clinics.rung <> excluded.rung";
        let news = on!(self, conn => sqlx::query(SQL)
            .bind(clinic.as_str())
            .bind(rung.as_str())
            .bind(now.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        Ok(news > 0)
    }

    /// Notes why and until when a clinic's EHR is left in peace, or that it no longer is.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn note_trouble(
        &mut self,
        clinic: &ClinicId,
        trouble: Option<(&str, Timestamp)>,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO clinics (clinic_id, trouble, trouble_until) VALUES ($1, $2, $3) \
             ON CONFLICT (clinic_id) DO UPDATE SET trouble = excluded.trouble, trouble_until = excluded.trouble_until";
        on!(self, conn => sqlx::query(SQL)
            .bind(clinic.as_str())
            .bind(trouble.map(|(code, _)| code))
            .bind(trouble.map(|(_, until)| until.as_microsecond()))
            .execute(conn)
            .await?
            .rows_affected());
        Ok(())
    }

    /// How every clinic's EHR stands, as far as it is known.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn clinics(&mut self) -> Result<Vec<ClinicRow>, StoreError> {
        const SQL: &str = "SELECT clinic_id, rung, trouble, trouble_until FROM clinics ORDER BY clinic_id";
        let rows: Vec<Row> = on!(self, conn => sqlx::query_as(SQL).fetch_all(conn).await?);
        rows.into_iter()
            .map(|(clinic, rung, trouble, until)| {
                let until = until.map(instant).transpose()?;
                Ok(ClinicRow {
                    clinic: clinic_id(clinic)?,
                    rung: rung.as_deref().and_then(Rung::from_name),
                    trouble: trouble.zip(until),
                })
            })
            .collect()
    }
}
