//! What can go wrong in the store.

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
    /// The schema could not be brought up to date.
    #[error("the database schema cannot be brought up to date")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The database URL is none.
    #[error("expected a database URL such as sqlite:data/mostik.db or postgres://user@host/name")]
    Url,
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
