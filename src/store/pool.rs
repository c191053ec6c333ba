//! Connections and transactions.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, PgPool, Postgres, Sqlite, SqlitePool, Transaction};
use tokio::sync::Notify;
use url::Url;

use super::backfill::{Backfill, LONGEST_LOG};
use super::error::StoreError;
use crate::domain::audit::Entry;
use crate::vault::AuditKey;

/// How long a statement may wait for a lock or a connection before the caller is told.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many connections one process keeps at most.
const MAX_CONNECTIONS: u32 = 16;

/// How much of the file the connection that writes keeps in memory: 32 MiB, in the KiB of `PRAGMA cache_size`. With SQLite's
/// own 2 MB it reads the same pages from the file again in each turn of a desk.
const WRITER_CACHE: &str = "-32768";

/// How a transaction on SQLite begins: as the one that writes.
const BEGIN_WRITING: &str = "BEGIN IMMEDIATE";

/// How a transaction begins behind a pooler, where each may get another session of the server: what [`postgres_options`]
/// otherwise asks of the session is asked of the transaction, and statements that other clients of the session left
/// there go, because sqlx gives them the same names (it names them although it keeps none).
pub(super) const BEGIN_POOLED: &str = pooled!("BEGIN");

/// How a transaction begins that sees the database all the time as it is at its first statement.
const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// The same behind a pooler.
const SNAPSHOT_POOLED: &str = pooled!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");

macro_rules! pooled {
    ($begin:literal) => {
        concat!(
            $begin,
            "; DEALLOCATE ALL; SET LOCAL statement_timeout = '10s'; SET LOCAL lock_timeout = '10s'; \
             SET LOCAL idle_in_transaction_session_timeout = '15s'; SET LOCAL enable_seqscan = off; \
             SET LOCAL jit = off"
        )
    };
}
use pooled;

/// The advisory lock of PostgreSQL under which migrations run: any number that nothing else in the database uses.
const MIGRATION_LOCK: i64 = 0x6d6f_7374_696b;

/// The database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    pub(super) pools: Pools,
    audit_key: Arc<OnceLock<AuditKey>>,
}

#[derive(Clone, Debug)]
pub(super) enum Pools {
    /// One connection writes, the others read beside it (WAL).
    Sqlite { write: SqlitePool, read: SqlitePool, backfill: Backfill },
    Postgres {
        pool: PgPool,
        /// How a transaction begins.
        begin: &'static str,
    },
}

/// A transaction on either database. Dropped without [`Tx::commit`], it leaves no trace.
#[derive(Debug)]
pub struct Tx {
    pub(super) inner: Inner,
    /// What is to be written in the audit log.
    pub(super) pending: Vec<Entry>,
    pub(super) audit_key: Arc<OnceLock<AuditKey>>,
    /// Whoever has to know that something was written.
    written: Option<Arc<Notify>>,
}

#[derive(Debug)]
pub(super) enum Inner {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Store {
    /// Connects to `sqlite:<file>` (made if it is not there) or `postgres://…`, and brings the schema up to date. A
    /// schema that is newer than this program is left as it is: see `migrations/README.md`.
    ///
    /// `postgres://…?pooler=transaction` is reached through a pooler that gives out sessions for one transaction each.
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
        Ok(Self { pools, audit_key: Arc::default() })
    }

    /// Begins a transaction that may write. On SQLite it waits until no other one is under way.
    ///
    /// # Errors
    /// [`StoreError::Database`] when no connection can be had in time.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        let inner = match &self.pools {
            Pools::Sqlite { write, .. } => Inner::Sqlite(write.begin_with(BEGIN_WRITING).await?),
            Pools::Postgres { pool, begin } => Inner::Postgres(pool.begin_with(*begin).await?),
        };
        Ok(self.tx(inner))
    }

    /// Begins a transaction that only reads.
    ///
    /// # Errors
    /// [`StoreError::Database`] when no connection can be had in time.
    pub async fn read(&self) -> Result<Tx, StoreError> {
        let inner = match &self.pools {
            Pools::Sqlite { read, .. } => Inner::Sqlite(read.begin().await?),
            Pools::Postgres { pool, begin } => Inner::Postgres(pool.begin_with(*begin).await?),
        };
        Ok(self.tx(inner))
    }

    /// Begins a transaction that only reads, and sees the database all the time as it is at its first statement.
    ///
    /// # Errors
    /// [`StoreError::Database`] when no connection can be had in time.
    pub async fn snapshot(&self) -> Result<Tx, StoreError> {
        let inner = match &self.pools {
            // Whoever reads on SQLite always sees it like this.
            Pools::Sqlite { read, .. } => Inner::Sqlite(read.begin().await?),
            Pools::Postgres { pool, begin: BEGIN_POOLED } => Inner::Postgres(pool.begin_with(SNAPSHOT_POOLED).await?),
            Pools::Postgres { pool, .. } => Inner::Postgres(pool.begin_with(SNAPSHOT).await?),
        };
        Ok(self.tx(inner))
    }

    /// Gives the key with which transactions write in the audit log. One that was given before stays.
    pub fn unlock_audit(&self, key: AuditKey) {
        let _ = self.audit_key.set(key);
    }

    /// The key with which the audit log is written, if it was given.
    #[must_use]
    pub fn audit_key(&self) -> Option<AuditKey> {
        self.audit_key.get().cloned()
    }

    fn tx(&self, inner: Inner) -> Tx {
        let written = match &self.pools {
            Pools::Sqlite { backfill, .. } => Some(backfill.written()),
            Pools::Postgres { .. } => None,
        };
        Tx { inner, pending: Vec::new(), audit_key: Arc::clone(&self.audit_key), written }
    }

    /// The database in one word, for logs.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self.pools {
            Pools::Sqlite { .. } => "sqlite",
            Pools::Postgres { .. } => "postgres",
        }
    }

    /// Closes every connection; what is under way ends first.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { write, read, backfill } => {
                backfill.close().await;
                read.close().await;
                write.close().await;
            }
            Pools::Postgres { pool, .. } => pool.close().await,
        }
    }
}

impl Tx {
    /// Writes in the audit log what was noted, and makes everything done so far durable.
    ///
    /// # Errors
    /// [`StoreError`] when the database refuses; then nothing was done.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        self.write_audit().await?;
        match self.inner {
            Inner::Sqlite(tx) => tx.commit().await?,
            Inner::Postgres(tx) => tx.commit().await?,
        }
        if let Some(written) = self.written {
            written.notify_one();
        }
        Ok(())
    }

    /// The one of two statements that fits the database: for the few that differ.
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
        // What is deleted is overwritten in the file: a member's key does not survive in a free page.
        .pragma("secure_delete", "ON")
        .busy_timeout(PATIENCE);
    let writing = options.clone().pragma("cache_size", WRITER_CACHE).pragma("wal_autocheckpoint", LONGEST_LOG);
    let write = sqlite_pool(1).test_before_acquire(true).connect_with(writing).await?;
    let mut tx = write.begin_with(BEGIN_WRITING).await?;
    known(sqlx::migrate!("migrations/sqlite")).run(&mut *tx).await?;
    tx.commit().await?;
    let backfill = Backfill::start(sqlite_pool(1).connect_with(options.clone()).await?);
    let read = sqlite_pool(MAX_CONNECTIONS).connect_with(options.read_only(true)).await?;
    Ok(Pools::Sqlite { write, read, backfill })
}

/// When the disk is full or fails, SQLite rolls back by itself (<https://sqlite.org/lang_transaction.html>, section 3),
/// and sqlx still believes that its connection is in a transaction: another one takes its place. (The ping before it has
/// waited for a rollback under way.)
fn sqlite_pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(PATIENCE)
        .before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
}

async fn open_postgres(url: &str) -> Result<Pools, StoreError> {
    let (options, begin) = postgres_options(url)?;
    let pool =
        PgPoolOptions::new().max_connections(MAX_CONNECTIONS).acquire_timeout(PATIENCE).connect_with(options).await?;
    let mut tx = pool.begin_with(begin).await?;
    // Whoever is second waits here as long as it takes, and a large table takes longer than a statement usually may.
    sqlx::raw_sql("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0").execute(&mut *tx).await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(MIGRATION_LOCK).execute(&mut *tx).await?;
    // A change that cannot have its table gives up, before all that comes after it has to wait.
    sqlx::raw_sql("SET LOCAL lock_timeout = '10s'").execute(&mut *tx).await?;
    known(sqlx::migrate!("migrations/postgres")).run(&mut *tx).await?;
    tx.commit().await?;
    Ok(Pools::Postgres { pool, begin })
}

/// How to connect, and how to begin a transaction: together they bound how long anything waits.
fn postgres_options(url: &str) -> Result<(PgConnectOptions, &'static str), StoreError> {
    let mut url = Url::parse(url).map_err(|_| StoreError::Url)?;
    let pooled = take_pooler(&mut url)?;
    let options = PgConnectOptions::from_url(&url).map_err(|_| StoreError::Url)?;
    if pooled {
        // A pooler refuses what it cannot keep apart, and there is no session to keep a prepared statement in.
        return Ok((options.extra_float_digits(None).statement_cache_capacity(0), BEGIN_POOLED));
    }
    let patience = PATIENCE.as_millis().to_string();
    let options = options.options([
        ("statement_timeout", patience.as_str()),
        ("lock_timeout", patience.as_str()),
        // A process that froze or was cut off must not hold its members' consent for long.
        ("idle_in_transaction_session_timeout", "15s"),
        // A statement is planned once and for long. While a table is small, reading all of it looks cheap; a minute later a
        // million rows may stand in it.
        ("enable_seqscan", "off"),
        // Where a table can only be read whole that counts as so dear that PostgreSQL compiles the statement first: a third of
        // a second for a row or two.
        ("jit", "off"),
        ("tcp_keepalives_idle", "15"),
        ("tcp_keepalives_interval", "5"),
        ("tcp_keepalives_count", "3"),
    ]);
    Ok((options, "BEGIN"))
}

/// Takes `pooler=transaction` out of the URL; whether it was there.
fn take_pooler(url: &mut Url) -> Result<bool, StoreError> {
    let (pooler, others): (Vec<_>, Vec<_>) = url.query_pairs().into_owned().partition(|(name, _)| name == "pooler");
    match pooler.as_slice() {
        [] => return Ok(false),
        [(_, mode)] if mode == "transaction" => {}
        _ => return Err(StoreError::Url),
    }
    url.query_pairs_mut().clear().extend_pairs(others);
    Ok(true)
}

/// Migrations to run inside a transaction that keeps others from running them at the same time. Those that only a newer
/// program knows are no obstacle: while replicas are replaced one by one, an old one may have to start again.
fn known(mut migrations: Migrator) -> Migrator {
    migrations.set_ignore_missing(true).set_locking(false);
    migrations
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What holds inside a transaction, of `tests/run`'s server. Without one there is nothing to look at.
    async fn limits(pooler: Option<&str>) -> Option<String> {
        const SQL: &str = "SELECT concat_ws(' ', current_setting('statement_timeout'), current_setting('lock_timeout'), \
                           current_setting('idle_in_transaction_session_timeout'), current_setting('enable_seqscan'), \
                           current_setting('jit'))";
        let mut url: Url = std::env::var("MOSTIK_TEST_POSTGRES").ok()?.parse().unwrap();
        if let Some(variable) = pooler {
            let address = std::env::var(variable).ok()?;
            let (host, port) = address.split_once(':').unwrap();
            url.set_host(Some(host)).unwrap();
            url.set_port(port.parse().ok()).unwrap();
            url.set_query(Some("pooler=transaction"));
        }
        let (options, begin) = postgres_options(url.as_str()).unwrap();
        let mut connection = options.connect().await.unwrap();
        let mut tx = connection.begin_with(begin).await.unwrap();
        Some(sqlx::query_scalar(SQL).fetch_one(&mut *tx).await.unwrap())
    }

    #[tokio::test]
    async fn nothing_waits_for_ever_nor_reads_tables_whole_with_and_without_a_pooler() {
        for pooler in [None, Some("MOSTIK_TEST_PGBOUNCER")] {
            let found = limits(pooler).await;
            assert!(found.as_deref().is_none_or(|limits| limits == "10s 10s 15s off off"), "{pooler:?}: {found:?}");
        }
    }
}
