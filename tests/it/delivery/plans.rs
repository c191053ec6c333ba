//! What a delivery costs the database: no statement reads a table from end to end, however much waits there.
//!
//! What PostgreSQL does with a million lanes is shown by `cargo bench --bench delivery -- claim`.

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

/// What sqlx says under one name, once each.
#[derive(Clone)]
struct Said {
    name: &'static str,
    all: Arc<Mutex<BTreeSet<String>>>,
}

/// One thing that it says: a message, or the beginning of a statement, and the whole of it where that is longer.
#[derive(Default)]
struct Saying {
    beginning: String,
    whole: String,
}

impl Visit for Saying {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.record_str(field, &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "summary" | "message" => value.clone_into(&mut self.beginning),
            "db.statement" => value.trim().clone_into(&mut self.whole),
            _ => {}
        }
    }
}

impl<S: Subscriber> Layer<S> for Said {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == self.name {
            let mut saying = Saying::default();
            event.record(&mut saying);
            let Saying { beginning, whole } = saying;
            self.all.lock().unwrap().insert(if whole.is_empty() { beginning } else { whole });
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_statement_of_an_event_or_a_delivery_reads_sqlite_from_end_to_end() {
    let ehr = Ehr::sandbox().await;
    let bridge = TestBridge::start(Database::sqlite(), &ehr.base).await;
    let run = said_while_events_are_delivered(&bridge, &ehr, "sqlx::query").await;
    assert!(run.len() > 20 && run.iter().any(|sql| sql.starts_with("UPDATE outbox")), "{run:#?}");
    let file = bridge.database.direct.strip_prefix("sqlite:").unwrap();
    let mut connection = SqliteConnection::connect(file).await.unwrap();
    // How many items stand where is counted for operators, and here.
    for sql in run.into_iter().filter(|sql| !sql.starts_with("WITH unswept")) {
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
        let plan: Vec<Step> = sqlx::query_as(explain).fetch_all(&mut connection).await.unwrap();
        let scans = plan.iter().filter_map(|(.., step)| step.strip_prefix("SCAN "));
        let whole: Vec<&str> = scans.filter(|scanned| !is_bound(scanned, &sql)).collect();
        assert!(whole.is_empty(), "{sql}\nreads all of {whole:?}: {plan:#?}");
    }
}

/// The server itself tells the plan of all that it runs (`auto_explain`), planned for whatever values may come, and after it
/// has counted tables with nearly nothing in them: as when a bridge began that has a million rows in them by now.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_statement_of_an_event_or_a_delivery_reads_postgresql_from_end_to_end() {
    let Some(database) = Database::postgres().await else { return };
    database.run(TELLING_PLANS).await;
    let ehr = Ehr::sandbox().await;
    let bridge = TestBridge::start(database, &ehr.base).await;
    let told = said_while_events_are_delivered(&bridge, &ehr, "sqlx::postgres::notice").await;
    assert!(told.len() > 20 && told.iter().any(|plan| plan.contains("Update on outbox")), "{told:#?}");
    for plan in told.iter().filter(|plan| !plan.contains("Query Text: WITH unswept")) {
        assert!(!plan.contains("Seq Scan on"), "{plan}");
    }
}

/// From now on each session of a database tells whoever has it how its statements are run.
const TELLING_PLANS: &str = "LOAD 'auto_explain'; \
    DO $$ DECLARE setting text; BEGIN \
      FOREACH setting IN ARRAY ARRAY['session_preload_libraries = auto_explain', 'auto_explain.log_min_duration = 0', \
        'auto_explain.log_level = notice', 'plan_cache_mode = force_generic_plan'] LOOP \
        EXECUTE format('ALTER DATABASE %I SET %s', current_database(), setting); \
      END LOOP; \
    END $$";

/// All that sqlx says under a name while members' events come in and are delivered.
async fn said_while_events_are_delivered(bridge: &TestBridge, ehr: &Ehr, name: &'static str) -> BTreeSet<String> {
    let said = Said { name, all: Arc::default() };
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(said.clone())).unwrap();
    let sparrow = bridge.person("sparrow", &create_patient(&ehr.base).await).await;
    let wren = bridge.person("wren", &create_patient(&ehr.base).await).await;
    for bird in [&sparrow, &wren] {
        bridge.grant(bird, &["mood"]).await;
    }
    said.all.lock().unwrap().clear();
    assert_eq!(bridge.send(&mood("1", "sparrow", 3)).await.status, 202);
    bridge.deliver_in_time().await;
    if !bridge.database.is_sqlite() {
        // What has one row now is planned as if it always had one.
        bridge.database.run("ANALYZE").await;
    }
    for event in [mood("2", "wren", 3), mood("3", "sparrow", 3), correcting(mood("4", "sparrow", 2), "1")] {
        assert_eq!(bridge.send(&event).await.status, 202);
    }
    bridge.deliver_in_time().await;
    assert_eq!(bridge.send(&retraction("5", "wren", "2")).await.status, 202);
    bridge.deliver_in_time().await;
    let all = std::mem::take(&mut *said.all.lock().unwrap());
    assert_eq!(bridge.count(DeliveryState::Confirmed).await, 5);
    all
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
