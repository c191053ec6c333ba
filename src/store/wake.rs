//! Waking other processes: on PostgreSQL by `NOTIFY`, so that they need not look again and again. A notice may be lost;
//! whoever waits for one looks from time to time anyway.

use sqlx::postgres::PgListener;

use super::pool::Pools;
use super::{Store, StoreError};

/// The channel: something was put into the outbox.
const CHANNEL: &str = "mostik_outbox";

/// Hears what other processes announce.
#[derive(Debug)]
pub struct Listener(PgListener);

impl Store {
    /// Tells every process that something was put into the outbox. Not part of the transaction that put it there: a
    /// `NOTIFY` in a transaction makes all commits wait for each other.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn announce(&self) -> Result<(), StoreError> {
        if let Pools::Postgres(pool) = &self.pools {
            sqlx::query("SELECT pg_notify($1, '')").bind(CHANNEL).execute(pool).await?;
        }
        Ok(())
    }

    /// Begins to listen; `None` where no other process could announce anything that matters.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn listen(&self) -> Result<Option<Listener>, StoreError> {
        match &self.pools {
            Pools::Sqlite { .. } => Ok(None),
            Pools::Postgres(pool) => {
                let mut listener = PgListener::connect_with(pool).await?;
                listener.listen(CHANNEL).await?;
                Ok(Some(Listener(listener)))
            }
        }
    }
}

impl Listener {
    /// Waits until something is announced, or may have been while the connection was away.
    ///
    /// # Errors
    /// [`StoreError::Database`] when the connection cannot be had again.
    pub async fn heard(&mut self) -> Result<(), StoreError> {
        Ok(self.0.try_recv().await.map(drop)?)
    }
}
