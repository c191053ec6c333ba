//! What a delivery costs the database: no statement reads a table from end to end, however much waits there.
//!
//! Of SQLite only: PostgreSQL weighs how large a table is, and reads a small one whole on purpose. What it does with a
//! million lanes is shown by `cargo bench --bench delivery -- claim`.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use mostik::domain::delivery::DeliveryState;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

use crate::support::bridge::{TestBridge, correcting, mood, retraction};
use crate::support::database::Database;
use crate::support::ehr::{Ehr, create_patient};

/// A line of a plan: its number, that of the one above it, nothing, and what is done.
type Step = (i64, i64, i64, String);

/// Every statement that sqlx has run, once each.
#[derive(Clone, Default)]
struct Statements(Arc<Mutex<BTreeSet<String>>>);

/// One event of sqlx: the beginning of a statement, and the whole of it where that is longer.
#[derive(Default)]
struct Statement {
    beginning: String,
    whole: String,
}

impl Visit for Statement {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.record_str(field, &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "summary" => value.clone_into(&mut self.beginning),
            "db.statement" => value.trim().clone_into(&mut self.whole),
            _ => {}
        }
    }
}

impl<S: Subscriber> Layer<S> for Statements {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "sqlx::query" {
            let mut statement = Statement::default();
            event.record(&mut statement);
            let Statement { beginning, whole } = statement;
            self.0.lock().unwrap().insert(if whole.is_empty() { beginning } else { whole });
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_statement_of_an_event_or_a_delivery_reads_a_table_from_end_to_end() {
    let statements = Statements::default();
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(statements.clone())).unwrap();
    let ehr = Ehr::sandbox().await;
    let bridge = TestBridge::start(Database::sqlite(), &ehr.base).await;
    let sparrow = bridge.person("sparrow", &create_patient(&ehr.base).await).await;
    let wren = bridge.person("wren", &create_patient(&ehr.base).await).await;
    for bird in [&sparrow, &wren] {
        bridge.grant(bird, &["mood"]).await;
    }
    statements.0.lock().unwrap().clear();
    for (id, bird) in [("1", "sparrow"), ("2", "wren"), ("3", "sparrow")] {
        assert_eq!(bridge.send(&mood(id, bird, 3)).await.status, 202);
    }
    bridge.deliver_in_time().await;
    for event in [correcting(mood("4", "sparrow", 2), "1"), retraction("5", "wren", "2")] {
        assert_eq!(bridge.send(&event).await.status, 202);
    }
    bridge.deliver_in_time().await;
    let mut run = std::mem::take(&mut *statements.0.lock().unwrap());
    // How many items stand where is counted for operators, and here.
    run.retain(|sql| !sql.starts_with("WITH unswept"));
    assert_eq!(bridge.count(DeliveryState::Confirmed).await, 5);
    assert!(run.len() > 20 && run.iter().any(|sql| sql.starts_with("UPDATE outbox")), "{run:#?}");
    let file = bridge.database.direct.strip_prefix("sqlite:").unwrap();
    let mut connection = SqliteConnection::connect(file).await.unwrap();
    for sql in run {
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
        let plan: Vec<Step> = sqlx::query_as(explain).fetch_all(&mut connection).await.unwrap();
        let scans = plan.iter().filter_map(|(.., step)| step.strip_prefix("SCAN "));
        let whole: Vec<&str> = scans.filter(|scanned| !is_bound(scanned, &sql)).collect();
        assert!(whole.is_empty(), "{sql}\nreads all of {whole:?}: {plan:#?}");
    }
}

/// Whether it is no table that is read, but what came with the statement itself, or an index of the few that are stuck.
fn is_bound(scanned: &str, sql: &str) -> bool {
    let name = scanned.split(' ').next().unwrap();
    let comes_with_it = scanned.ends_with("CONSTANT ROW")
        || scanned.ends_with("CONSTANT ROWS")
        || scanned.ends_with("VALUES CLAUSE")
        || sql.contains(&format!(") AS {name}"))
        || sql.contains(&format!("WITH {name} AS"));
    comes_with_it || scanned.ends_with("USING INDEX outbox_stuck")
}
