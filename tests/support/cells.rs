//! Every cell of a database, whatever its tables are called: for tests that look into every corner.

use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, SqliteConnection};

use super::database::Database;

/// A column of the schema.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Column {
    pub table: String,
    pub name: String,
    /// Bytes.
    pub is_bytes: bool,
    /// Text, or a UUID.
    pub is_text: bool,
}

/// What a row has in a column: bytes as they are, anything else as text. Empty for null.
#[derive(Clone, Debug)]
pub struct Cell {
    pub table: String,
    pub column: String,
    pub value: Vec<u8>,
}

const SQLITE_COLUMNS: &str = "SELECT m.name, c.name, c.type = 'BLOB', c.type = 'TEXT' FROM sqlite_master m JOIN pragma_table_info(m.name) c \
     WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name <> '_sqlx_migrations' ORDER BY 1, 2";
const POSTGRES_COLUMNS: &str = "SELECT table_name::text, column_name::text, data_type = 'bytea', \
     data_type IN ('text', 'uuid') \
     FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> '_sqlx_migrations' ORDER BY 1, 2";

impl Database {
    /// Every column of every table.
    pub async fn columns(&self) -> Vec<Column> {
        let rows: Vec<(String, String, bool, bool)> = if let Some(file) = self.direct.strip_prefix("sqlite:") {
            let mut connection = SqliteConnection::connect(file).await.unwrap();
            sqlx::query_as(SQLITE_COLUMNS).fetch_all(&mut connection).await.unwrap()
        } else {
            let mut connection = PgConnection::connect(&self.direct).await.unwrap();
            sqlx::query_as(POSTGRES_COLUMNS).fetch_all(&mut connection).await.unwrap()
        };
        rows.into_iter().map(|(table, name, is_bytes, is_text)| Column { table, name, is_bytes, is_text }).collect()
    }

    /// Every row of a table, each as the values of `columns`.
    pub async fn rows(&self, table: &str, columns: &[Column]) -> Vec<Vec<Vec<u8>>> {
        let sqlite = self.direct.strip_prefix("sqlite:");
        let list: Vec<String> = columns
            .iter()
            .map(|column| match (sqlite, column.is_bytes) {
                (Some(_), _) => format!("COALESCE(CAST({0} AS BLOB), x'')", column.name),
                (None, true) => format!("COALESCE({0}, '')", column.name),
                (None, false) => format!("COALESCE(convert_to({0}::text, 'UTF8'), '')", column.name),
            })
            .collect();
        let sql = AssertSqlSafe(format!("SELECT {} FROM {table}", list.join(", ")));
        macro_rules! read {
            ($connection:expr) => {{
                let rows = sqlx::query(sql).fetch_all($connection).await.unwrap();
                rows.iter().map(|row| (0..columns.len()).map(|at| row.get::<Vec<u8>, _>(at)).collect()).collect()
            }};
        }
        if let Some(file) = sqlite {
            read!(&mut SqliteConnection::connect(file).await.unwrap())
        } else {
            read!(&mut PgConnection::connect(&self.direct).await.unwrap())
        }
    }

    /// Every cell of every table.
    pub async fn cells(&self) -> Vec<Cell> {
        let mut cells = Vec::new();
        let columns = self.columns().await;
        for of_table in columns.chunk_by(|one, other| one.table == other.table) {
            let table = &of_table[0].table;
            for row in self.rows(table, of_table).await {
                cells.extend(row.into_iter().zip(of_table).map(|(value, column)| Cell {
                    table: table.clone(),
                    column: column.name.clone(),
                    value,
                }));
            }
        }
        cells
    }
}
