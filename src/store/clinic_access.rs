//! What clinics' own systems got in with: tokens, as keyed indexes only, and the assertions that were used up for them.

use jiff::{SignedDuration, Timestamp};

use super::{StoreError, Tx, clinic_id, on};
use crate::domain::ids::ClinicId;
use crate::vault::Index;

/// How long an assertion is remembered after its end: by then, no replica's clock is so far behind that it would still
/// take it.
const CLOCKS_DIFFER_BY: SignedDuration = SignedDuration::from_mins(10);

/// A clinic's token, as stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClinicTokenRow {
    /// Whose system has it.
    pub clinic: ClinicId,
    /// What it was given for, as in the OAuth parameter `scope`.
    pub scopes: String,
}

impl Tx {
    /// Uses up an assertion. `false`: it was used before, here or by another replica.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn use_clinic_assertion(
        &mut self,
        clinic: &ClinicId,
        jti_index: Index,
        expires_at: Timestamp,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "INSERT INTO clinic_assertions (clinic_id, jti_index, expires_at) VALUES ($1, $2, $3) \
                           ON CONFLICT DO NOTHING";
        let inserted = on!(self, conn => sqlx::query(SQL)
            .bind(clinic.as_str())
            .bind(&jti_index[..])
            .bind(expires_at.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        Ok(inserted == 1)
    }

    /// Stores a token that a clinic's system is given.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_clinic_token(
        &mut self,
        token_index: Index,
        token: &ClinicTokenRow,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO clinic_tokens (token_index, clinic_id, scopes, created_at, expires_at) \
                           VALUES ($1, $2, $3, $4, $5)";
        on!(self, conn => sqlx::query(SQL)
            .bind(&token_index[..])
            .bind(token.clinic.as_str())
            .bind(&token.scopes)
            .bind(now.as_microsecond())
            .bind(expires_at.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        Ok(())
    }

    /// The token with this index, if it has not expired.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn clinic_token(
        &mut self,
        token_index: Index,
        now: Timestamp,
    ) -> Result<Option<ClinicTokenRow>, StoreError> {
        const SQL: &str = "SELECT clinic_id, scopes FROM clinic_tokens WHERE token_index = $1 AND expires_at > $2";
        let now = now.as_microsecond();
        let row: Option<(String, String)> =
            on!(self, conn => sqlx::query_as(SQL).bind(&token_index[..]).bind(now).fetch_optional(conn).await?);
        row.map(|(clinic, scopes)| Ok(ClinicTokenRow { clinic: clinic_id(clinic)?, scopes })).transpose()
    }

    /// Forgets tokens that have expired, and assertions that are too old to be shown again. Returns how many there were.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn forget_expired_clinic_access(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        const TOKENS: &str = "DELETE FROM clinic_tokens WHERE expires_at <= $1";
        const ASSERTIONS: &str = "DELETE FROM clinic_assertions WHERE expires_at <= $1";
        let long_ago = now.checked_sub(CLOCKS_DIFFER_BY).unwrap_or(Timestamp::MIN).as_microsecond();
        let now = now.as_microsecond();
        let tokens = on!(self, conn => sqlx::query(TOKENS).bind(now).execute(conn).await?.rows_affected());
        let assertions = on!(self, conn => sqlx::query(ASSERTIONS).bind(long_ago).execute(conn).await?.rows_affected());
        Ok(tokens + assertions)
    }
}
