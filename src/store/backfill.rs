//! SQLite's log (WAL) is moved into the file beside the writing. Left to the connection that writes, every so many commits
//! one would have to wait until the disk has the file as well (<https://sqlite.org/wal.html#ckpt>).

use std::sync::Arc;
use std::time::Duration;

use sqlx::SqlitePool;
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// With so much in the log it is worth the while, in pages of 4 KiB.
const ENOUGH: i64 = 250;

/// So long after something was written: what comes together is moved together.
const PAUSE: Duration = Duration::from_millis(100);

/// From so many pages on the connection that writes does it itself: when whoever reads for long has kept others from it.
pub(super) const LONGEST_LOG: &str = "8192";

/// Moves what is in the log, as long as the database is open. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Backfill {
    written: Arc<Notify>,
    connection: SqlitePool,
    /// Ends with the last clone.
    _running: Arc<JoinSet<()>>,
}

impl Backfill {
    /// Begins. The connection is for this alone.
    pub(super) fn start(connection: SqlitePool) -> Self {
        let written = Arc::new(Notify::new());
        let mut running = JoinSet::new();
        running.spawn(run(Arc::clone(&written), connection.clone()));
        Self { written, connection, _running: Arc::new(running) }
    }

    /// To be told of each commit.
    pub(super) fn written(&self) -> Arc<Notify> {
        Arc::clone(&self.written)
    }

    /// Moves everything, and leaves nothing in the log.
    pub(super) async fn truncate(&self) -> Result<(), sqlx::Error> {
        sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").execute(&self.connection).await?;
        Ok(())
    }

    /// Closes the connection.
    pub(super) async fn close(&self) {
        self.connection.close().await;
    }
}

async fn run(written: Arc<Notify>, connection: SqlitePool) {
    while !connection.is_closed() {
        written.notified().await;
        tokio::time::sleep(PAUSE).await;
        if backfill(&connection).await.is_err() && !connection.is_closed() {
            tracing::debug!("SQLite's log stays as it is for now; the connection that writes moves it when it is long");
        }
    }
}

async fn backfill(connection: &SqlitePool) -> Result<(), sqlx::Error> {
    // Only looks (SQLite 3.51): whether others are at it, how much there is, and how much of it is in the file.
    let looked = sqlx::query_as("PRAGMA wal_checkpoint(NOOP)").fetch_one(connection).await?;
    let (_, in_log, in_file): (i64, i64, i64) = looked;
    if in_log - in_file >= ENOUGH {
        sqlx::raw_sql("PRAGMA wal_checkpoint(PASSIVE)").execute(connection).await?;
    }
    Ok(())
}
