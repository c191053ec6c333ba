//! The tables that are read, and whether they are what they seem.

use std::collections::BTreeSet;

use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Row};

use super::wrote::MOST_DEVICES;
use crate::domain::measurement::Measured;
use crate::inbound::files::FileError;

/// How somebody came to write a row, and with which device: columns that older versions do not have.
const METHOD: &str = "recording_method";
const DEVICE: &str = "device_info_id";

/// The longest text that is looked at, in bytes.
const LONGEST_TEXT: usize = 400;

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
    /// Where the series stand of which they are parts: the parts do not say who wrote them. How much is which one.
    pub series: Option<Table>,
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
        series: Some(stretches("heart_rate_record_table", Some("row_id"))),
    },
    Number {
        of: Measured::RestingHeartRate,
        table: samples("resting_heart_rate_record_table", "beats_per_minute"),
        series: None,
    },
    Number {
        of: Measured::HrvRmssd,
        table: samples("heart_rate_variability_rmssd_record_table", "heart_rate_variability_millis"),
        series: None,
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

/// The columns that a plain table has.
pub struct Columns(BTreeSet<String>);

impl Columns {
    fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }
}

/// A number, or nothing: a text or a gigabyte of bytes in its place is never looked at.
fn number(column: &str, as_type: &str) -> String {
    format!("CASE WHEN typeof({column}) IN ('integer', 'real') THEN CAST({column} AS {as_type}) END")
}

impl Table {
    /// Reads it row by row, in the order of its rows: name, writer, start, end, offset, amount, method, device.
    pub fn sql(&self, columns: &Columns) -> String {
        let optional = |column: Option<&str>| column.map_or("NULL".to_owned(), |column| number(column, "INTEGER"));
        let uuid = self.uuid.map_or("NULL".to_owned(), |uuid| {
            format!("CASE WHEN typeof({uuid}) = 'blob' AND length({uuid}) = 16 THEN hex({uuid}) END")
        });
        let amount = self.amount.map_or("0.0".to_owned(), |amount| number(amount, "REAL"));
        let (app, offset) = (optional(self.app), optional(self.offset));
        let there = |column: &'static str| optional(Some(column).filter(|column| columns.has(column)));
        let (method, device) = (there(METHOD), there(DEVICE));
        let (start, end, name) = (number(self.start, "INTEGER"), number(self.end, "INTEGER"), self.name);
        format!("SELECT {uuid}, {app}, {start}, {end}, {offset}, {amount}, {method}, {device} FROM {name} NOT INDEXED")
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
        if columns_of(database, table).await?.is_none() {
            return Err(FileError::expected(format!(
                "the database in the archive has no table {}; expected one that Health Connect wrote",
                table.name
            )));
        }
    }
    Ok(())
}

/// The columns of a table that can be read. `None` where it is not there: nothing of its kind was recorded.
///
/// # Errors
/// [`FileError::Unknown`] when it is there, but not as it should be.
pub async fn columns_of(database: &mut SqliteConnection, table: &Table) -> Result<Option<Columns>, FileError> {
    let expected = || table.columns().collect::<Vec<_>>().join(", ");
    let columns = plain_columns(database, table.name).await.map_err(|Odd| broken(table.name, &expected()))?;
    match columns {
        Some(columns) if !table.columns().all(|column| columns.has(column)) => Err(broken(table.name, &expected())),
        columns => Ok(columns),
    }
}

/// How the devices are read: number, manufacturer, model. `None` where they are not there.
///
/// # Errors
/// [`FileError::Unknown`] when they are there, but not as they should be.
pub async fn devices(database: &mut SqliteConnection) -> Result<Option<String>, FileError> {
    const TABLE: &str = "device_info_table";
    const NAMED: [&str; 3] = ["row_id", "manufacturer", "model"];
    let columns = plain_columns(database, TABLE).await.map_err(|Odd| broken(TABLE, &NAMED.join(", ")))?;
    let columns = columns.filter(|columns| NAMED.iter().all(|name| columns.has(name)));
    // The length is known without the text.
    let text = |name: &str| {
        format!("CASE WHEN typeof({name}) = 'text' AND octet_length({name}) <= {LONGEST_TEXT} THEN {name} END")
    };
    let [row, manufacturer, model] = NAMED;
    let (row, manufacturer, model) = (number(row, "INTEGER"), text(manufacturer), text(model));
    Ok(columns.map(|_| format!("SELECT {row}, {manufacturer}, {model} FROM {TABLE} NOT INDEXED LIMIT {MOST_DEVICES}")))
}

/// A table is not what it seems.
struct Odd;

fn broken(table: &str, expected: &str) -> FileError {
    FileError::expected(format!(
        "the table {table} in the archive's database is not as Health Connect makes it; expected the columns {expected}"
    ))
}

async fn plain_columns(database: &mut SqliteConnection, table: &'static str) -> Result<Option<Columns>, Odd> {
    let kind = "SELECT type, substr(CAST(sql AS TEXT), 1, 20) FROM sqlite_schema WHERE name = $1";
    let found = sqlx::query(kind).bind(table).fetch_optional(&mut *database).await.map_err(|_| Odd)?;
    let Some(found) = found else { return Ok(None) };
    let text = |at: usize| found.try_get::<String, _>(at).unwrap_or_default();
    if text(0) != "table" || text(1).to_uppercase().contains("VIRTUAL") {
        return Err(Odd);
    }
    let sql = format!("SELECT name, hidden FROM pragma_table_xinfo('{table}')");
    let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut *database).await.map_err(|_| Odd)?;
    // Hidden or computed.
    if rows.iter().any(|row| row.try_get::<i64, _>(1).is_ok_and(|hidden| hidden != 0)) {
        return Err(Odd);
    }
    Ok(Some(Columns(rows.iter().filter_map(|row| row.try_get(0).ok()).collect())))
}
