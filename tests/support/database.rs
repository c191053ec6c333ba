//! Empty databases, one for each test, removed afterwards.

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, PgConnection, SqliteConnection};
use tempfile::TempDir;

use super::parts::part;

/// An empty database.
pub struct Database {
    pub url: String,
    /// A folder of the test's own: SQLite's file, the key, whatever else.
    pub folder: TempDir,
}

impl Database {
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { url: format!("sqlite:{}", folder.path().join("mostik.db").display()), folder }
    }

    /// A database of its own on the server of `tests/run`, which is thrown away as a whole.
    pub async fn postgres() -> Option<Self> {
        let server = part("MOSTIK_TEST_POSTGRES", "PostgreSQL")?;
        let folder = tempfile::tempdir().unwrap();
        let name: String = folder.path().file_name().unwrap().to_string_lossy().to_lowercase();
        let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        let name = format!("t_{name}_{}", std::process::id());
        let mut admin = PgConnection::connect(&server).await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut admin).await.unwrap();
        admin.close().await.unwrap();
        let mut url = reqwest::Url::parse(&server).unwrap();
        url.set_path(&name);
        Some(Self { url: url.to_string(), folder })
    }

    /// Runs statements on the side, as an administrator would.
    pub async fn run(&self, statements: &str) {
        let statements = sqlx::raw_sql(sqlx::AssertSqlSafe(statements.to_owned()));
        if let Some(file) = self.url.strip_prefix("sqlite:") {
            let options = SqliteConnectOptions::new().filename(file);
            let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
            statements.execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        } else {
            let mut connection = PgConnection::connect(&self.url).await.unwrap();
            statements.execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        }
    }

    /// Whether it is a file.
    pub fn is_sqlite(&self) -> bool {
        self.url.starts_with("sqlite:")
    }

    /// Both kinds, as far as they are there.
    pub async fn all() -> Vec<Self> {
        [Some(Self::sqlite()), Self::postgres().await].into_iter().flatten().collect()
    }
}
