//! Accepted events per second through real HTTP, beside bare inserts of the very rows that the bridge stored for them.
//!
//! One iteration is one round: on emptied tables, each of some members sends some batches. The table at the end of a
//! plain `cargo bench --bench intake` comes from rounds of all writers by turns; a filter or an option leaves it out. Client, bridge and database
//! share this machine; nothing is delivered meanwhile. PostgreSQL takes part when `MOSTIK_TEST_POSTGRES` has the URL of
//! a superuser; mind its durability, which the table shows: `tests/run --up` starts one with `fsync=off`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a bench that cannot go on ends, and tells a terminal what it found"
)]

mod support;

use std::future::Future;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, SamplingMode, Throughput};
use serde_json::Value;
use sqlx::Connection as _;
use support::raw::{Batch, Connection, Statements};
use support::table::{Table, Writer};
use support::tests::bridge::{TestBridge, mood};
use support::tests::database::Database;
use support::tests::http;
use tokio::runtime::Runtime;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const MEMBERS: usize = 8;
const TURNS: usize = 15;

/// How much one round is.
#[derive(Clone, Copy)]
struct Scale {
    batches_per_member: usize,
    events_per_batch: usize,
}

/// A bridge with its members, what they send, and what is stored for it.
struct House {
    test: TestBridge,
    scale: Scale,
    sender: Sender,
    batches: Arc<Vec<Batch>>,
    /// Beside the bridge's own connections; the first one also cleans up.
    connections: Vec<Arc<Mutex<Connection>>>,
}

/// What a client needs in order to send.
#[derive(Clone)]
struct Sender {
    http: reqwest::Client,
    url: String,
    api_key: String,
    bodies: Arc<Vec<String>>,
    answer: Arc<str>,
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let args: Vec<String> = std::env::args().skip(1).collect();
    let is_measuring = args.iter().any(|arg| arg == "--bench") && args.iter().all(|arg| arg != "--test");
    let is_plain = args == ["--bench"];
    let scale = if is_measuring {
        Scale { batches_per_member: 5, events_per_batch: 100 }
    } else {
        Scale { batches_per_member: 1, events_per_batch: 10 }
    };
    let runtime = Runtime::new().unwrap();
    let mut table = Table::default();
    for database in runtime.block_on(Database::all()) {
        let house = runtime.block_on(House::open(database, scale));
        measure(&mut criterion, &runtime, &house);
        if is_plain {
            runtime.block_on(compare(&house, &mut table));
        }
        runtime.block_on(house.close());
    }
    if std::env::var("MOSTIK_TEST_POSTGRES").is_err() {
        table.note("PostgreSQL was skipped: MOSTIK_TEST_POSTGRES is not set".to_owned());
    }
    criterion.final_summary();
    if is_plain {
        table.print();
    }
}

/// Each writer for itself, with criterion's statistics and its comparison with the last run.
fn measure(criterion: &mut Criterion, runtime: &Runtime, house: &House) {
    let mut group = criterion.benchmark_group(format!("intake_{}", house.kind()));
    group.sample_size(10).sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(house.events() as u64));
    group.warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(8));
    for (writer, clients) in house.contest() {
        group.bench_function(format!("{}_{clients}_clients", writer.as_str()), |bencher| {
            let round = || runtime.block_on(house.round(writer, clients));
            bencher.iter_custom(|rounds| (0..rounds).map(|_| round()).sum());
        });
    }
    group.finish();
}

/// All writers by turns, so that whatever else this machine does meets them alike.
#[expect(clippy::cast_precision_loss, reason = "counts of events are small")]
async fn compare(house: &House, table: &mut Table) {
    table.note(house.describe().await);
    for _ in 0..TURNS {
        for (writer, clients) in house.contest() {
            let took = house.round(writer, clients).await;
            table.add(house.kind(), writer, clients, house.events() as f64 / took.as_secs_f64());
        }
    }
}

impl House {
    async fn open(database: Database, scale: Scale) -> Self {
        let test = TestBridge::start(database, "http://127.0.0.1:9/fhir").await;
        let mut bodies = Vec::new();
        for member in 0..MEMBERS {
            let person = test.person(&format!("member-{member}"), &format!("patient-{member}")).await;
            test.grant(&person, &["mood"]).await;
            for batch in 0..scale.batches_per_member {
                bodies.push(body(&person.handle, batch, scale.events_per_batch));
            }
        }
        let accepted = vec![r#"{"status":"accepted"}"#; scale.events_per_batch].join(",");
        let sender = Sender {
            http: http::client(),
            url: format!("{}/v1/events", test.api),
            api_key: test.api_key.clone(),
            bodies: Arc::new(bodies),
            answer: format!(r#"{{"results":[{accepted}]}}"#).into(),
        };
        let mut connections = Vec::new();
        for _ in 0..4 {
            connections.push(Arc::new(Mutex::new(Connection::open(&test.database.url).await)));
        }
        let mut house = Self { test, scale, sender, batches: Arc::default(), connections };
        house.round(Writer::Bridge, 1).await;
        house.batches = Arc::new(house.connections[0].lock().await.batches(scale.events_per_batch).await);
        assert_eq!(house.batches.len(), house.sender.bodies.len());
        house
    }

    fn kind(&self) -> &'static str {
        self.test.bridge.store.kind()
    }

    fn events(&self) -> usize {
        self.sender.bodies.len() * self.scale.events_per_batch
    }

    async fn describe(&self) -> String {
        let sealed = self.batches[0].sealed_bytes();
        let database = self.connections[0].lock().await.describe().await;
        format!(
            "{database}: {} events of {MEMBERS} members in batches of {}; an event stores two rows, with {sealed} \
             bytes of sealed resource",
            self.events(),
            self.scale.events_per_batch
        )
    }

    /// Who writes, and how many at the same time. SQLite has one writer: more would wait for each other.
    fn contest(&self) -> Vec<(Writer, usize)> {
        let all = [Writer::Bridge, Writer::RowByRow, Writer::MultiRow].into_iter();
        all.flat_map(|writer| [(writer, 1), (writer, 4)])
            .filter(|(writer, clients)| *clients == 1 || *writer == Writer::Bridge || self.kind() == "postgres")
            .collect()
    }

    /// Every batch once, on emptied tables, by so many clients at the same time.
    async fn round(&self, writer: Writer, clients: usize) -> Duration {
        self.connections[0].lock().await.empty().await;
        let rows = if writer == Writer::RowByRow { 1 } else { self.scale.events_per_batch };
        let statements = Arc::new(Statements::of(self.kind(), rows));
        share(self.sender.bodies.len(), clients, |client, part| {
            let (sender, batches, statements) = (self.sender.clone(), self.batches.clone(), statements.clone());
            let connection = self.connections[client].clone();
            async move {
                for place in part {
                    match writer {
                        Writer::Bridge => sender.send(place).await,
                        _ => connection.lock().await.write(&batches[place], &statements).await,
                    }
                }
            }
        })
        .await
    }

    /// Leaves nothing behind on a PostgreSQL server that others may use.
    async fn close(self) {
        self.test.bridge.store.close().await;
        drop(self.connections);
        if let (Ok(server), Some(("postgres", url))) =
            (std::env::var("MOSTIK_TEST_POSTGRES"), self.test.database.url.split_once(':'))
        {
            let name = url.rsplit('/').next().unwrap_or_default();
            let drop = sqlx::AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"));
            let mut admin = sqlx::PgConnection::connect(&server).await.unwrap();
            sqlx::query(drop).execute(&mut admin).await.unwrap();
        }
    }
}

impl Sender {
    async fn send(&self, place: usize) {
        let request = self.http.post(&self.url).bearer_auth(&self.api_key).header("content-type", "application/json");
        let answer = request.body(self.bodies[place].clone()).send().await.unwrap();
        assert_eq!(answer.text().await.unwrap(), *self.answer);
    }
}

/// Divides `count` pieces of work among clients that start together; returns how long the last one took.
async fn share<F: Future<Output = ()> + Send + 'static>(
    count: usize,
    clients: usize,
    work: impl Fn(usize, Range<usize>) -> F,
) -> Duration {
    let mut tasks = JoinSet::new();
    let start = Instant::now();
    for client in 0..clients {
        tasks.spawn(work(client, client * count / clients..(client + 1) * count / clients));
    }
    tasks.join_all().await;
    start.elapsed()
}

fn body(handle: &str, batch: usize, events: usize) -> String {
    let ratings = (0..events).zip((1..=5).cycle());
    Value::Array(ratings.map(|(number, rating)| mood(&format!("{handle}-{batch}-{number}"), handle, rating)).collect())
        .to_string()
}
