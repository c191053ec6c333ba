//! Connections and transactions.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, PgPool, Postgres, Sqlite, SqlitePool, Transaction};

use super::error::StoreError;

/// How long a statement may wait for a lock or a connection before the caller is told.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many connections one process keeps at most.
const MAX_CONNECTIONS: u32 = 16;

/// The database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    pub(super) pools: Pools,
}

#[derive(Clone, Debug)]
pub(super) enum Pools {
    /// One connection writes, the others read beside it (WAL).
    Sqlite {
        write: SqlitePool,
        read: SqlitePool,
    },
    Postgres(PgPool),
}

/// A transaction on either database. Dropped without [`Tx::commit`], it leaves no trace.
#[derive(Debug)]
pub struct Tx {
    pub(super) inner: Inner,
}

#[derive(Debug)]
pub(super) enum Inner {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Store {
    /// Connects to `sqlite:<file>` (made if it is not there) or `postgres://…`, and brings the schema up to date.
    ///
    /// # Errors
    /// [`StoreError`] when the URL is none, the database cannot be reached, or a migration fails.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let pools = match url.split_once(':') {
            // `sqlite://data/x.db` would name a file below the root folder; nobody means that.
            Some(("sqlite", file)) if !file.is_empty() && !file.starts_with("//") => {
                open_sqlite(Path::new(file)).await?
            }
            Some(("postgres" | "postgresql", _)) => open_postgres(url).await?,
            _ => return Err(StoreError::Url),
        };
        Ok(Self { pools })
    }

    /// Begins a transaction that may write. On SQLite it waits until no other one is under way.
    ///
    /// # Errors
    /// [`StoreError::Database`] when no connection can be had in time.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        let inner = match &self.pools {
            Pools::Sqlite { write, .. } => Inner::Sqlite(write.begin_with("BEGIN IMMEDIATE").await?),
            Pools::Postgres(pool) => Inner::Postgres(pool.begin().await?),
        };
        Ok(Tx { inner })
    }

    /// Begins a transaction that only reads.
    ///
    /// # Errors
    /// [`StoreError::Database`] when no connection can be had in time.
    pub async fn read(&self) -> Result<Tx, StoreError> {
        let inner = match &self.pools {
            Pools::Sqlite { read, .. } => Inner::Sqlite(read.begin().await?),
            Pools::Postgres(pool) => Inner::Postgres(pool.begin().await?),
        };
        Ok(Tx { inner })
    }

    /// The database in one word, for logs.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self.pools {
            Pools::Sqlite { .. } => "sqlite",
            Pools::Postgres(_) => "postgres",
        }
    }

    /// Closes every connection; what is under way ends first.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { write, read } => {
                read.close().await;
                write.close().await;
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }
}

impl Tx {
    /// Makes everything done so far durable.
    ///
    /// # Errors
    /// [`StoreError::Database`] when the database refuses; then nothing was done.
    pub async fn commit(self) -> Result<(), StoreError> {
        match self.inner {
            Inner::Sqlite(tx) => tx.commit().await?,
            Inner::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }

    /// The one of two statements that fits the database: for the few that differ by a row lock.
    pub(super) const fn pick(&self, sqlite: &'static str, postgres: &'static str) -> &'static str {
        match self.inner {
            Inner::Sqlite(_) => sqlite,
            Inner::Postgres(_) => postgres,
        }
    }
}

async fn open_sqlite(file: &Path) -> Result<Pools, StoreError> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(|error| StoreError::Database(sqlx::Error::Io(error)))?;
    }
    // Its companions (-wal, -shm) get the same mode from SQLite.
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(file)
        .map_err(|error| StoreError::Database(sqlx::Error::Io(error)))?;
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(PATIENCE);
    let write = sqlite_pool(1).connect_with(options.clone()).await?;
    sqlx::migrate!("migrations/sqlite").run(&write).await?;
    let read = sqlite_pool(MAX_CONNECTIONS).connect_with(options.read_only(true)).await?;
    Ok(Pools::Sqlite { write, read })
}

/// When the disk is full or fails, SQLite rolls back by itself (<https://sqlite.org/lang_transaction.html>, section 3),
/// and sqlx still believes that its connection is in a transaction: another one takes its place.
fn sqlite_pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(PATIENCE)
        .before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
}

async fn open_postgres(url: &str) -> Result<Pools, StoreError> {
    let patience = PATIENCE.as_millis().to_string();
    let options = PgConnectOptions::from_str(url).map_err(|_| StoreError::Url)?.options([
        ("statement_timeout", patience.as_str()),
        ("lock_timeout", patience.as_str()),
        // A process that froze or was cut off must not hold its members' consent for long.
        ("idle_in_transaction_session_timeout", "15s"),
        ("tcp_keepalives_idle", "15"),
        ("tcp_keepalives_interval", "5"),
        ("tcp_keepalives_count", "3"),
    ]);
    let pool =
        PgPoolOptions::new().max_connections(MAX_CONNECTIONS).acquire_timeout(PATIENCE).connect_with(options).await?;
    sqlx::migrate!("migrations/postgres").run(&pool).await?;
    Ok(Pools::Postgres(pool))
}
