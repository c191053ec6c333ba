//! Waking other processes: on PostgreSQL by `NOTIFY`, so that they need not look again and again. A notice may be lost;
//! whoever waits for one looks from time to time anyway.

use sqlx::postgres::PgListener;

use super::pool::{BEGIN_POOLED, Pools};
use super::{Store, StoreError};

/// The channel: something was put into the outbox.
const CHANNEL: &str = "mostik_outbox";
const ANNOUNCE: &str = "NOTIFY mostik_outbox";

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
        if let Pools::Postgres { pool, .. } = &self.pools {
            // Without a prepared statement, which a pooler would leave in a session of others.
            sqlx::raw_sql(ANNOUNCE).execute(pool).await?;
        }
        Ok(())
    }

    /// Begins to listen; `None` where no other process could announce anything that matters, and behind a pooler, where
    /// there is no session to listen in: there, looking from time to time has to do.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn listen(&self) -> Result<Option<Listener>, StoreError> {
        match &self.pools {
            Pools::Sqlite { .. } | Pools::Postgres { begin: BEGIN_POOLED, .. } => Ok(None),
            Pools::Postgres { pool, .. } => {
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
