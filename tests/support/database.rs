//! Databases with nothing in them, one for each test, removed afterwards.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use tempfile::TempDir;

use super::parts::part;

/// A database with nothing in it.
pub struct Database {
    pub url: String,
    /// The same database without a pooler before it.
    pub direct: String,
    /// A folder of the test's own: SQLite's file, the key, whatever else.
    pub folder: TempDir,
}

impl Database {
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("mostik.db").display());
        Self { direct: url.clone(), url, folder }
    }

    /// A file with a secret beside it, which only its owner may read: its path.
    pub fn secret_file(&self, name: &str, secret: &str) -> String {
        let file = self.folder.path().join(name);
        fs::write(&file, secret).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        file.display().to_string()
    }

    /// A database that is there already, with another folder beside it.
    pub fn at(url: &str) -> Self {
        Self { url: url.to_owned(), direct: url.to_owned(), folder: tempfile::tempdir().unwrap() }
    }

    /// A database of its own on the server of `tests/run`, which is thrown away as a whole; with the tables of this program, as
    /// making them takes longer than most tests.
    pub async fn postgres() -> Option<Self> {
        let server = part("MOSTIK_TEST_POSTGRES", "PostgreSQL")?;
        let folder = tempfile::tempdir().unwrap();
        let name: String = folder.path().file_name().unwrap().to_string_lossy().to_lowercase();
        let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        let name = format!("t_{name}_{}", std::process::id());
        let mut admin = PgConnection::connect(&server).await.unwrap();
        let migrated = migrated(&mut admin, &server).await;
        run(&mut admin, &format!("CREATE DATABASE {name} TEMPLATE {migrated}")).await;
        admin.close().await.unwrap();
        let mut url = reqwest::Url::parse(&server).unwrap();
        url.set_path(&name);
        Some(Self { url: url.to_string(), direct: url.to_string(), folder })
    }

    /// The same, reached through a pooler that gives out the server's sessions for one transaction each.
    pub async fn pooled() -> Option<Self> {
        let pooler = part("MOSTIK_TEST_PGBOUNCER", "pgbouncer")?;
        let direct = Self::postgres().await?;
        let mut url = reqwest::Url::parse(&direct.url).unwrap();
        let (host, port) = pooler.split_once(':').unwrap();
        url.set_host(Some(host)).unwrap();
        url.set_port(port.parse().ok()).unwrap();
        url.set_query(Some("pooler=transaction"));
        Some(Self { url: url.to_string(), ..direct })
    }

    /// Runs statements beside the bridge.
    pub async fn run(&self, statements: &str) {
        let sql = sqlx::raw_sql(AssertSqlSafe(statements.to_owned()));
        let done = match self.direct.strip_prefix("sqlite:") {
            Some(file) => sql.execute(&mut SqliteConnection::connect(file).await.unwrap()).await.map(drop),
            None => sql.execute(&mut PgConnection::connect(&self.direct).await.unwrap()).await.map(drop),
        };
        done.unwrap();
    }

    /// How many rows a table has.
    pub async fn count(&self, table: &str) -> i64 {
        let sql = AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
        let counted = match self.direct.strip_prefix("sqlite:") {
            Some(file) => sqlx::query_scalar(sql).fetch_one(&mut SqliteConnection::connect(file).await.unwrap()).await,
            None => sqlx::query_scalar(sql).fetch_one(&mut PgConnection::connect(&self.direct).await.unwrap()).await,
        };
        counted.unwrap()
    }

    /// Takes away the tables that it may have.
    pub async fn empty(&self) {
        if !self.is_sqlite() {
            self.run("DROP SCHEMA public CASCADE; CREATE SCHEMA public").await;
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

/// The name of a database with the tables of this program, from which the others are copied. Whoever comes first makes it, under
/// another name until it is whole.
async fn migrated(admin: &mut PgConnection, server: &str) -> String {
    let migrator = Migrator::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/postgres")).await.unwrap();
    let mut tables = DefaultHasher::new();
    migrator.iter().for_each(|migration| migration.checksum.hash(&mut tables));
    let name = format!("migrated_{:x}", tables.finish());
    let is_there = "SELECT COUNT(*) FROM pg_database WHERE datname = $1";
    run(admin, "SELECT pg_advisory_lock(1)").await;
    if sqlx::query_scalar::<_, i64>(is_there).bind(&name).fetch_one(&mut *admin).await.unwrap() == 0 {
        let unfinished = format!("{name}_unfinished");
        run(admin, &format!("DROP DATABASE IF EXISTS {unfinished}")).await;
        run(admin, &format!("CREATE DATABASE {unfinished}")).await;
        let mut url = reqwest::Url::parse(server).unwrap();
        url.set_path(&unfinished);
        let mut inside = PgConnection::connect(url.as_str()).await.unwrap();
        migrator.run(&mut inside).await.unwrap();
        inside.close().await.unwrap();
        run(admin, &format!("ALTER DATABASE {unfinished} RENAME TO {name}")).await;
    }
    run(admin, "SELECT pg_advisory_unlock(1)").await;
    name
}

async fn run(connection: &mut PgConnection, statement: &str) {
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(connection).await.unwrap();
}
