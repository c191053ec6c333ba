//! Exports of Health Connect as phones write them: long ones, and those of strangers that are to keep the reader busy.

use crate::intake::files::{health_connect, health_connect_at, ready};
use crate::on_both_databases;
use crate::support::database::Database;
use crate::support::imports::{bring, keeper, told};

/// So many heart rates more, each of a second of its own.
fn heart_rates(count: usize) -> String {
    format!(
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < {count})
         INSERT INTO heart_rate_record_series_table SELECT 1, 1794726000000 + 120000 + x * 1000, 60 + x % 40 FROM n;"
    )
}

/// So many counts of steps more, by the app that counted 700: one each, of a second of its own on the same day.
fn steps(count: usize) -> String {
    format!(
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < {count})
         INSERT INTO steps_record_table
           SELECT NULL, randomblob(16), 1, 1794726000000 + 120000 + x * 1000, 1794726000000 + 121000 + x * 1000, 3600, 3600, 1
           FROM n;"
    )
}

/// So many tables more, in the catalogue only.
fn tables(count: usize) -> String {
    format!(
        "PRAGMA writable_schema = ON;
         WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < {count})
         INSERT INTO sqlite_schema SELECT 'table', 't' || x, 't' || x, 2, 'CREATE TABLE t' || x || '(x)' FROM n;"
    )
}

/// A table of so many constraints, in the catalogue only.
fn constraints(count: usize) -> String {
    format!(
        "PRAGMA writable_schema = ON;
         WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < {count})
         INSERT INTO sqlite_schema SELECT 'table', 't', 't', 2,
           'CREATE TABLE t(a, b' || group_concat(', UNIQUE(a, b)', '') || ')' FROM n;"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_of_more_than_is_taken_at_once_is_taken() {
    let case = ready(&["sleep", "activity", "heart"]).await;
    let export = health_connect(&case, &heart_rates(700)).await;
    let did = case.takes(&export, &[]);
    assert!(did.contains("health-connect: 711 records read"), "{did}");
    assert!(did.contains("heart       703 taken"), "{did}");
    assert!(case.takes(&export, &[]).contains("710 were imported before"));
    // Many lines that say little are handed over, too.
    let case = ready(&["activity"]).await;
    let did = case.takes(&health_connect(&case, &steps(20_500)).await, &[]);
    assert!(did.contains("health-connect: 20511 records read"), "{did}");
}

on_both_databases! {
    async fn such_an_export_is_taken_through_the_portal(database) {
        let (portal, sparrow, mut browser) = keeper(database).await;
        let file = portal.bridge.database.folder.path().join("health.db");
        let export = health_connect_at(&file, &format!("{}{}", heart_rates(700), steps(20_500))).await;
        for (button, expected) in [("look", "New: Heart 703"), ("take", "New: Heart 703"), ("take", "Here already 710")] {
            let page = bring(&mut browser, &export, button).await;
            assert_eq!(page.status, 200, "{}", page.body);
            let told = told(&page.html());
            assert!(told[0] == "Entries read 21211" && told.iter().any(|line| line == expected), "{told:?}");
        }
        assert_eq!(portal.bridge.readings(&sparrow).await.len(), 710);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_catalogue_that_would_keep_the_reader_busy_is_not_read() {
    let case = ready(&["heart"]).await;
    case.takes(&health_connect(&case, &tables(1_000)).await, &[]);
    let case = ready(&["heart"]).await;
    for more in [tables(2_000), tables(100_000), constraints(2_000)] {
        let said = case.refuses(&health_connect(&case, &more).await);
        assert!(said.contains("more tables, or longer ones, than are looked through"), "{said}");
    }
    assert_eq!(case.bridge.traces(&case.member).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_brings_such_a_catalogue_to_the_portal_is_told_that_it_is_too_much() {
    let (portal, sparrow, mut browser) = keeper(Database::sqlite()).await;
    let file = portal.bridge.database.folder.path().join("health.db");
    let page = bring(&mut browser, &health_connect_at(&file, &tables(100_000)).await, "take").await;
    assert_eq!(page.status, 422, "{}", page.body);
    assert!(page.html().named("main")[0].text().contains("There is more in this file than we can take at once."));
    assert_eq!(portal.bridge.traces(&sparrow).await, 0);
}
