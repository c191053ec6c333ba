//! The tables that are read, and whether they are what they seem.

use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Row};

use crate::domain::measurement::Measured;
use crate::inbound::files::FileError;

/// A table, and which of its columns say what. A column that it does not have is `None`.
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// The name of a row, 16 bytes.
    uuid: Option<&'static str>,
    /// Who wrote it, or what it belongs to.
    app: Option<&'static str>,
    start: &'static str,
    end: &'static str,
    offset: Option<&'static str>,
    /// How much, or which one; `None` where only the time counts.
    amount: Option<&'static str>,
}

/// A table of samples.
pub struct Number {
    /// What it measures.
    pub of: Measured,
    /// Where it stands.
    pub table: Table,
}

const fn samples(name: &'static str, amount: &'static str) -> Table {
    let (uuid, app, offset) = (Some("uuid"), Some("app_info_id"), Some("zone_offset"));
    Table { name, uuid, app, start: "time", end: "time", offset, amount: Some(amount) }
}

const fn stretches(name: &'static str, amount: Option<&'static str>) -> Table {
    let (uuid, app, offset) = (Some("uuid"), Some("app_info_id"), Some("end_zone_offset"));
    Table { name, uuid, app, start: "start_time", end: "end_time", offset, amount }
}

/// Samples.
pub const NUMBERS: [Number; 3] = [
    Number {
        of: Measured::HeartRate,
        table: Table {
            name: "heart_rate_record_series_table",
            uuid: None,
            app: Some("parent_key"),
            start: "epoch_millis",
            end: "epoch_millis",
            offset: None,
            amount: Some("beats_per_minute"),
        },
    },
    Number { of: Measured::RestingHeartRate, table: samples("resting_heart_rate_record_table", "beats_per_minute") },
    Number {
        of: Measured::HrvRmssd,
        table: samples("heart_rate_variability_rmssd_record_table", "heart_rate_variability_millis"),
    },
];

/// Mindful sessions.
pub const MINDFUL: Table = stretches("mindfulness_session_record_table", None);

/// Steps.
pub const STEPS: Table = stretches("steps_record_table", Some("count"));

/// Nights: how much is which one.
pub const SESSIONS: Table = stretches("sleep_session_record_table", Some("row_id"));

/// Stages of nights: whom they belong to is which one.
pub const STAGES: Table = Table {
    name: "sleep_stages_table",
    uuid: None,
    app: Some("parent_key"),
    start: "stage_start_time",
    end: "stage_end_time",
    offset: None,
    amount: Some("stage_type"),
};

/// Those that every version has. Mindful sessions came later.
const ALWAYS: [&Table; 3] = [&STEPS, &SESSIONS, &STAGES];

impl Table {
    /// Reads it row by row: name, writer, start, end, offset, amount. Only numbers are taken: a text or a gigabyte of
    /// bytes in their place is never looked at.
    pub fn sql(&self) -> String {
        let number = |column: &str, as_type: &str| {
            format!("CASE WHEN typeof({column}) IN ('integer', 'real') THEN CAST({column} AS {as_type}) END")
        };
        let optional = |column: Option<&str>| column.map_or("NULL".to_owned(), |column| number(column, "INTEGER"));
        let uuid = self.uuid.map_or("NULL".to_owned(), |uuid| {
            format!("CASE WHEN typeof({uuid}) = 'blob' AND length({uuid}) = 16 THEN hex({uuid}) END")
        });
        let amount = self.amount.map_or("0.0".to_owned(), |amount| number(amount, "REAL"));
        let (app, offset) = (optional(self.app), optional(self.offset));
        let (start, end, name) = (number(self.start, "INTEGER"), number(self.end, "INTEGER"), self.name);
        format!("SELECT {uuid}, {app}, {start}, {end}, {offset}, {amount} FROM {name}")
    }

    fn columns(&self) -> impl Iterator<Item = &'static str> {
        let always = [self.start, self.end];
        [self.uuid, self.app, self.offset, self.amount].into_iter().flatten().chain(always)
    }
}

/// Sees that the tables are plain ones and have the columns that are asked for. A view, a virtual table or a computed column
/// in their place would be a program of somebody else's.
///
/// # Errors
/// [`FileError::Unknown`].
pub async fn check(database: &mut SqliteConnection) -> Result<(), FileError> {
    for table in ALWAYS {
        if !is_there(database, table).await? {
            return Err(FileError::expected(format!(
                "the database in the archive has no table {}; expected one that Health Connect wrote",
                table.name
            )));
        }
    }
    Ok(())
}

/// Whether a table can be read. Without it, nothing of its kind was recorded.
///
/// # Errors
/// [`FileError::Unknown`] when it is there, but not as it should be.
pub async fn is_there(database: &mut SqliteConnection, table: &Table) -> Result<bool, FileError> {
    let broken = || {
        FileError::expected(format!(
            "the table {} in the archive's database is not as Health Connect makes it; expected the columns {}",
            table.name,
            table.columns().collect::<Vec<_>>().join(", ")
        ))
    };
    let kind = "SELECT type, substr(CAST(sql AS TEXT), 1, 20) FROM sqlite_schema WHERE name = $1";
    let found = sqlx::query(kind).bind(table.name).fetch_optional(&mut *database).await.map_err(|_| broken())?;
    let Some(found) = found else { return Ok(false) };
    let text = |at: usize| found.try_get::<String, _>(at).unwrap_or_default();
    if text(0) != "table" || text(1).to_uppercase().contains("VIRTUAL") {
        return Err(broken());
    }
    let sql = format!("SELECT name, hidden FROM pragma_table_xinfo('{}')", table.name);
    let columns = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut *database).await.map_err(|_| broken())?;
    let is_plain = |name: &str| {
        let is_it = |row: &sqlx::sqlite::SqliteRow| row.try_get::<String, _>(0).is_ok_and(|found| found == name);
        columns.iter().any(|row| is_it(row) && row.try_get::<i64, _>(1).is_ok_and(|hidden| hidden == 0))
    };
    let has_all = table.columns().all(is_plain);
    let has_computed = columns.iter().any(|row| row.try_get::<i64, _>(1).is_ok_and(|hidden| hidden != 0));
    if has_all && !has_computed { Ok(true) } else { Err(broken()) }
}
