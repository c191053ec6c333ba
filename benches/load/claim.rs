//! What it costs to lease lanes, while ever more of them wait.

use std::time::Instant;

use jiff::SignedDuration;
use sqlx::{AssertSqlSafe, Connection as _};

use super::figures::{millis, percentile};
use super::house::{House, Plan};
use crate::support::tests::bridge::riverside;
use crate::support::tests::database::Database;

const SIZES: [usize; 4] = [1000, 10_000, 100_000, 1_000_000];
const TIMES: usize = 200;
/// As many as a desk asks for at once.
const LANES: usize = 16;

pub async fn run() {
    println!("\nLeasing {LANES} lanes of so many that wait (ms: begin, lease, commit; and the statement alone)");
    println!(
        "{:<10} {:>10} {:>8} {:>12} {:>12} {:>12} {:>12}",
        "database", "lanes", "due", "whole p50", "whole p99", "lease p50", "lease p99"
    );
    for database in Database::all().await {
        let plan = Plan { concurrency: 4, batch_size: 20 };
        let house = House::open(database, "http://127.0.0.1:9/fhir", &plan).await;
        let mut there = 0;
        for size in SIZES {
            add(&house, there, size).await;
            there = size;
            for due in ["now", "later"] {
                set_due(&house, due).await;
                measure(&house, size, due).await;
            }
        }
        if house.kind() == "postgres" {
            println!("{}", house.describe().await);
            for due in ["later", "now"] {
                set_due(&house, due).await;
                explain(&house, due).await;
            }
        }
        house.close().await;
    }
}

/// Adds lanes, with members behind them, up to so many; each knows its number by its `last_seq`.
async fn add(house: &House, there: usize, size: usize) {
    let members = if house.kind() == "sqlite" {
        format!(
            "INSERT INTO members (member_id, sealed_key, created_at) WITH RECURSIVE n(i) AS (SELECT {there} + 1 \
             UNION ALL SELECT i + 1 FROM n WHERE i < {size}) SELECT randomblob(16), randomblob(60), i FROM n"
        )
    } else {
        format!(
            "INSERT INTO members (member_id, sealed_key, created_at) SELECT gen_random_uuid(), \
             decode(repeat('00', 60), 'hex'), i FROM generate_series({there} + 1, {size}) AS i"
        )
    };
    house.run(&members).await;
    house
        .run(&format!(
            "INSERT INTO lanes (clinic_id, member_id, last_seq, due_at, lease_until, fence) \
             SELECT 'riverside', member_id, created_at, created_at, 0, 0 FROM members WHERE created_at > {there}"
        ))
        .await;
}

/// Lets every lane be due since long ago, each at an instant of its own; or all but a hundred only in an hour.
async fn set_due(house: &House, due: &str) {
    let hour = (house.now() + SignedDuration::from_hours(1)).as_microsecond();
    let then = match due {
        "now" => "last_seq".to_owned(),
        _ => format!("CASE WHEN last_seq <= 100 THEN last_seq ELSE {hour} + last_seq END"),
    };
    house.run(&format!("UPDATE lanes SET lease_until = 0, due_at = {then}")).await;
    house
        .run(match house.kind() {
            "sqlite" => "ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)",
            _ => "VACUUM ANALYZE lanes; CHECKPOINT",
        })
        .await;
}

/// Leases again and again; each lease ends before the next one begins.
async fn measure(house: &House, size: usize, due: &str) {
    let (mut whole, mut lease) = (Vec::new(), Vec::new());
    let tick = SignedDuration::from_micros(1);
    let mut now = house.now();
    for _ in 0..TIMES {
        let start = Instant::now();
        let mut tx = house.bridge.store.begin().await.unwrap();
        let begun = Instant::now();
        let leased = tx.lease_lanes(&riverside(), now, now + tick, LANES).await.unwrap().lanes;
        lease.push(millis(begun.elapsed()));
        tx.commit().await.unwrap();
        whole.push(millis(start.elapsed()));
        assert_eq!(leased.len(), LANES);
        now += tick;
    }
    println!(
        "{:<10} {size:>10} {due:>8} {:>12.3} {:>12.3} {:>12.3} {:>12.3}",
        house.kind(),
        percentile(&mut whole, 50),
        percentile(&mut whole, 99),
        percentile(&mut lease, 50),
        percentile(&mut lease, 99),
    );
}

/// How PostgreSQL does it. The statement is that of `store::lanes`, with its parameters.
async fn explain(house: &House, due: &str) {
    let now = house.now().as_microsecond();
    let sql = format!(
        "EXPLAIN (ANALYZE, BUFFERS) UPDATE lanes SET lease_until = {now} + 1, fence = fence + 1 \
         WHERE clinic_id = 'riverside' AND member_id IN (SELECT member_id FROM lanes WHERE clinic_id = 'riverside' \
         AND due_at <= {now} AND lease_until <= {now} ORDER BY due_at LIMIT {LANES} + 0 FOR UPDATE SKIP LOCKED) \
         RETURNING member_id, fence"
    );
    let mut conn = sqlx::PgConnection::connect(&house.database.url).await.unwrap();
    let plan: Vec<String> = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&mut conn).await.unwrap();
    println!("\nThe plan at the last size, due {due}:\n  {}", plan.join("\n  "));
}
