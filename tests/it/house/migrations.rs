//! Schemas and programs of two releases side by side, as they are while replicas are replaced one by one.

use std::fs;
use std::path::Path;

use futures_util::future::join_all;
use mostik::app;
use mostik::config::Config;
use mostik::domain::clock::Clock;
use mostik::domain::entropy::Entropy;
use mostik::store::{Store, StoreError};
use mostik::vault::Key;
use sqlx::migrate::Migrator;
use sqlx::{Connection, PgConnection, SqliteConnection};

use crate::on_every_database;
use crate::support::bridge::{TestBridge, config_text, mood};
use crate::support::database::Database;
use crate::support::ehr::Ehr;

/// What a next release may do while this one runs: add a table, and columns that may be empty.
const NEXT: &str = "ALTER TABLE events ADD COLUMN next_release TEXT; ALTER TABLE outbox ADD COLUMN next_release TEXT; \
                    ALTER TABLE lanes ADD COLUMN next_release TEXT; ALTER TABLE grants ADD COLUMN next_release TEXT; \
                    CREATE TABLE next_release (name TEXT NOT NULL PRIMARY KEY)";

/// Brings the database to the schema of the next release, as that release's own program would.
async fn migrate_to_the_next_release(database: &Database) {
    let kind = database.direct.split(':').next().unwrap();
    let folder = database.folder.path().join("migrations");
    fs::create_dir(&folder).unwrap();
    for file in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(kind)).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), folder.join(file.file_name())).unwrap();
    }
    fs::write(folder.join("9999_next_release.sql"), NEXT).unwrap();
    let next = Migrator::new(folder).await.unwrap();
    match database.direct.strip_prefix("sqlite:") {
        Some(file) => next.run(&mut SqliteConnection::connect(file).await.unwrap()).await.unwrap(),
        None => next.run(&mut PgConnection::connect(&database.direct).await.unwrap()).await.unwrap(),
    }
}

on_every_database! {
    async fn a_bridge_goes_on_and_starts_again_on_the_schema_of_the_next_release(database) {
        let ehr = Ehr::sandbox().await;
        let old = TestBridge::start(database, &ehr.base).await;
        let member = old.person("sparrow", &ehr.patient).await;
        old.grant(&member, &["mood"]).await;
        assert_eq!(old.send(&mood("before", "sparrow", 1)).await.status, 202);

        migrate_to_the_next_release(&old.database).await;
        assert_eq!(old.send(&mood("after", "sparrow", 2)).await.status, 202);
        old.deliver().await;
        assert_eq!(ehr.observations().await.len(), 2, "the process that runs goes on");

        let again = TestBridge::start(old.database, &ehr.base).await;
        assert_eq!(again.send(&mood("again", "sparrow", 3)).await.status, 202);
        again.deliver().await;
        assert_eq!(ehr.observations().await.len(), 3, "and a process of the old release starts again");
    }
}

on_every_database! {
    async fn a_migration_that_was_changed_after_it_ran_is_refused(database) {
        drop(Store::open(&database.url).await.unwrap());
        database.run("UPDATE _sqlx_migrations SET checksum = '' WHERE version = 1").await;
        assert!(matches!(Store::open(&database.url).await, Err(StoreError::Migration(_))));
    }
}

on_every_database! {
    async fn processes_that_start_at_once_on_an_empty_database_all_come_up(database) {
        database.empty().await;
        let config = Config::from_toml(&config_text(&database, "http://127.0.0.1:9/", "127.0.0.1:0")).unwrap();
        Key::generate(&Entropy::System).unwrap().create_file(config.vault.master_key.file().unwrap()).unwrap();
        let starts = (0..6).map(|_| app::open(&config, Clock::System, Entropy::System));
        for started in join_all(starts).await {
            let store = started.unwrap().store;
            assert!(store.read().await.unwrap().index_key().await.unwrap().is_some());
        }
    }
}

#[tokio::test]
async fn a_pooler_of_another_kind_is_refused() {
    for url in ["postgres://u@127.0.0.1:9/d?pooler=session", "postgres://u@127.0.0.1:9/d?pooler"] {
        assert!(matches!(Store::open(url).await, Err(StoreError::Url)));
    }
}
