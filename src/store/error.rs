//! What can go wrong in the store.

use sqlx::sqlite::SqliteError;

/// An error of the store. Never holds a value of a row.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, or refused a statement.
    #[error("the database cannot be reached, or refused a statement")]
    Database(#[source] sqlx::Error),
    /// A unique row is there already.
    #[error("the row is there already")]
    Conflict,
    /// A statement touched another number of rows than it must.
    #[error("expected to change {expected} row(s), changed {changed}")]
    RowCount {
        /// How many rows it must touch.
        expected: u64,
        /// How many it touched.
        changed: u64,
    },
    /// A row holds something that this version cannot read.
    #[error("the database holds {0}")]
    Corrupt(&'static str),
    /// There is something to write in the audit log, and its key was not opened ([`super::Store::unlock_audit`]).
    #[error("the key of the audit log was not opened")]
    NoAuditKey,
    /// The schema could not be brought up to date.
    #[error("the database schema cannot be brought up to date")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The database URL is none.
    #[error("expected a database URL such as sqlite:data/mostik.db or postgres://user@host/name")]
    Url,
}

impl StoreError {
    /// Whether the same may well work later: the database is away, full, locked by somebody, or was restarted. Whether
    /// it was done is not known: the answer to a commit may be what was lost.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        let Self::Database(error) = self else { return false };
        match error {
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => true,
            sqlx::Error::Database(error) => {
                let code = error.code().unwrap_or_default();
                match error.try_downcast_ref::<SqliteError>() {
                    Some(_) => code.parse().is_ok_and(is_temporary_in_sqlite),
                    None => is_temporary_in_postgres(&code),
                }
            }
            _ => false,
        }
    }
}

/// Result codes of SQLite, extended ones included (<https://sqlite.org/rescode.html>).
const fn is_temporary_in_sqlite(code: i32) -> bool {
    const BUSY: i32 = 5;
    const LOCKED: i32 = 6;
    const READONLY: i32 = 8;
    const IOERR: i32 = 10;
    const FULL: i32 = 13;
    const CANTOPEN: i32 = 14;
    matches!(code & 0xff, BUSY | LOCKED | READONLY | IOERR | FULL | CANTOPEN)
}

/// `SQLSTATE` (PostgreSQL, appendix A): no connection, a standby, an idle transaction ended, another transaction in the
/// way, no room or memory, a lock not had in time, an operator's doing, or the disk's.
fn is_temporary_in_postgres(code: &str) -> bool {
    let class = code.get(..2).unwrap_or_default();
    matches!(class, "08" | "40" | "53" | "57" | "58") || matches!(code, "25006" | "25P03" | "25P04" | "55000" | "55P03")
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error.as_database_error() {
            Some(database) if database.is_unique_violation() => Self::Conflict,
            _ => Self::Database(error),
        }
    }
}

/// Checks that a statement changed exactly the rows it must.
pub(super) fn changed(expected: u64, changed: u64) -> Result<(), StoreError> {
    if expected == changed { Ok(()) } else { Err(StoreError::RowCount { expected, changed }) }
}
