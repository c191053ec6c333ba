//! The least that accepted events cost: their rows, inserted by prepared statements, and nothing around it.
#![allow(clippy::struct_field_names, reason = "fields are columns")]

use std::sync::Arc;

use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection as _, FromRow};
use uuid::Uuid;

/// A connection beside the bridge's own, set up like them.
pub enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// What the bridge stores for one batch of events of one member.
pub struct Batch {
    events: Vec<Event>,
    outbox: Vec<Item>,
}

/// The statements for so many rows at once.
pub struct Statements {
    rows: usize,
    events: Arc<str>,
    outbox: Arc<str>,
}

#[derive(Clone, FromRow)]
struct Event {
    community_id: String,
    event_index: Vec<u8>,
    member_id: Uuid,
    body_index: Vec<u8>,
    received_at: i64,
}

#[derive(Clone, FromRow)]
struct Item {
    clinic_id: String,
    member_id: Uuid,
    seq: i64,
    delivery_id: Uuid,
    grant_id: Uuid,
    category: String,
    measured_at: i64,
    resource_type: String,
    identifier: String,
    sealed_payload: Vec<u8>,
    state: String,
    attempts: i32,
    due_at: i64,
    created_at: i64,
    updated_at: i64,
}

const EVENTS: [&str; 5] = ["community_id", "event_index", "member_id", "body_index", "received_at"];
#[rustfmt::skip]
const OUTBOX: [&str; 15] = [
    "clinic_id", "member_id", "seq", "delivery_id", "grant_id", "category", "measured_at", "resource_type",
    "identifier", "sealed_payload", "state", "attempts", "due_at", "created_at", "updated_at",
];
const LANE: &str = "INSERT INTO lanes (clinic_id, member_id, last_seq, due_at, lease_until, fence) \
     VALUES ($1, $2, $3, $4, 0, 0) ON CONFLICT (clinic_id, member_id) DO UPDATE SET last_seq = excluded.last_seq";

/// Runs one expression on whichever connection it is.
macro_rules! on {
    ($self:expr, $conn:ident => $run:expr) => {
        match $self {
            Connection::Sqlite($conn) => $run,
            Connection::Postgres($conn) => $run,
        }
    };
}

/// Inserts rows, as many at once as the statement takes.
macro_rules! insert {
    ($conn:ident, $size:expr, $sql:expr, $rows:expr, $($column:ident)*) => {
        for chunk in $rows.chunks($size) {
            let mut query = sqlx::query(AssertSqlSafe($sql.clone()));
            for row in chunk {
                query = query$(.bind(&row.$column))*;
            }
            query.execute(&mut *$conn).await.unwrap();
        }
    };
}

impl Connection {
    /// Connects to the database of a bridge.
    pub async fn open(url: &str) -> Self {
        let Some(file) = url.strip_prefix("sqlite:") else {
            return Self::Postgres(PgConnection::connect(url).await.unwrap());
        };
        let options =
            SqliteConnectOptions::new().filename(file).synchronous(SqliteSynchronous::Full).foreign_keys(true);
        Self::Sqlite(options.connect().await.unwrap())
    }

    /// The database and how durable its commits are, in a few words.
    pub async fn describe(&mut self) -> String {
        match self {
            Self::Sqlite(conn) => {
                const SQL: &str = "SELECT sqlite_version(), journal_mode, synchronous \
                                   FROM pragma_journal_mode, pragma_synchronous";
                let (version, journal, sync): (String, String, i64) =
                    sqlx::query_as(SQL).fetch_one(conn).await.unwrap();
                format!("SQLite {version}, journal_mode={journal}, synchronous={sync}")
            }
            Self::Postgres(conn) => {
                const SQL: &str = "SELECT split_part(current_setting('server_version'), ' ', 1), \
                    current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit')";
                let (version, fsync, pages, commit): (String, String, String, String) =
                    sqlx::query_as(SQL).fetch_one(conn).await.unwrap();
                format!("PostgreSQL {version}, fsync={fsync}, full_page_writes={pages}, synchronous_commit={commit}")
            }
        }
    }

    /// Takes everything away that follows from events; members and their consent stay.
    pub async fn empty(&mut self) {
        match self {
            Self::Sqlite(conn) => {
                for table in ["outbox", "lanes", "events"] {
                    sqlx::query(AssertSqlSafe(format!("DELETE FROM {table}"))).execute(&mut *conn).await.unwrap();
                }
                sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(conn).await.unwrap();
            }
            Self::Postgres(conn) => {
                sqlx::query("TRUNCATE outbox, lanes, events").execute(&mut *conn).await.unwrap();
                sqlx::query("CHECKPOINT").execute(conn).await.unwrap();
            }
        }
    }

    /// What the bridge stored, as batches of `size` events of one member; keys are spread over the batches of a member.
    pub async fn batches(&mut self, size: usize) -> Vec<Batch> {
        let (events, outbox): (Vec<Event>, Vec<Item>) = on!(self, conn => (
            sqlx::query_as("SELECT * FROM events ORDER BY member_id, event_index").fetch_all(&mut *conn).await.unwrap(),
            sqlx::query_as("SELECT * FROM outbox ORDER BY member_id, seq").fetch_all(&mut *conn).await.unwrap(),
        ));
        let of_members = events.chunk_by(|a, b| a.member_id == b.member_id);
        let events: Vec<_> = of_members.flat_map(|rows| deal(rows, size)).collect();
        let outbox = outbox.chunks(size).map(<[Item]>::to_vec);
        events.into_iter().zip(outbox).map(|(events, outbox)| Batch { events, outbox }).collect()
    }

    /// Writes one batch in a transaction of its own.
    pub async fn write(&mut self, batch: &Batch, statements: &Statements) {
        let begin = if matches!(self, Self::Sqlite(_)) { "BEGIN IMMEDIATE" } else { "BEGIN" };
        let (rows, item) = (statements.rows, batch.outbox.last().unwrap());
        on!(self, conn => {
            sqlx::raw_sql(begin).execute(&mut *conn).await.unwrap();
            insert!(conn, rows, statements.events, batch.events,
                community_id event_index member_id body_index received_at);
            let lane = sqlx::query(LANE).bind(&item.clinic_id).bind(item.member_id).bind(item.seq).bind(item.due_at);
            lane.execute(&mut *conn).await.unwrap();
            insert!(conn, rows, statements.outbox, batch.outbox,
                clinic_id member_id seq delivery_id grant_id category measured_at resource_type
                identifier sealed_payload state attempts due_at created_at updated_at);
            sqlx::raw_sql("COMMIT").execute(&mut *conn).await.unwrap();
        });
    }
}

impl Statements {
    /// Inserts of `rows` rows each, for the kind of database that the store tells.
    pub fn of(database: &str, rows: usize) -> Self {
        // Nameless parameters on SQLite: it looks for the name of a parameter by walking over all of them.
        let place = |number: usize| if database == "sqlite" { "?".to_owned() } else { format!("${number}") };
        let insert = |table: &str, columns: &[&str]| -> Arc<str> {
            let mut places = (1..).map(place);
            let mut row = || format!("({})", places.by_ref().take(columns.len()).collect::<Vec<_>>().join(", "));
            let values: Vec<String> = (0..rows).map(|_| row()).collect();
            format!("INSERT INTO {table} ({}) VALUES {}", columns.join(", "), values.join(", ")).into()
        };
        Self { rows, events: insert("events", &EVENTS), outbox: insert("outbox", &OUTBOX) }
    }
}

impl Batch {
    /// How many bytes of sealed content an event has: its resource in the outbox.
    pub fn sealed_bytes(&self) -> usize {
        self.outbox[0].sealed_payload.len()
    }
}

/// Deals sorted rows out into hands of `size`: each hand is sorted, and spans the whole range.
fn deal<T: Clone>(rows: &[T], size: usize) -> Vec<Vec<T>> {
    let hands = rows.len() / size;
    (0..hands).map(|hand| rows.iter().skip(hand).step_by(hands).cloned().collect()).collect()
}
