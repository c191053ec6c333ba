//! Delivered items per second, beside what a bare HTTP client pool sends to the same EHR.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mostik::domain::delivery::DeliveryState;

use super::ehr::{Ehr, Manner};
use super::figures::{best, median};
use super::house::{House, Plan};
use super::pool;
use crate::support::tests::database::Database;

const PEOPLE: usize = 400;
/// Unless `MOSTIK_BENCH_ROUNDS` says otherwise.
const ROUNDS: usize = 7;
const BATCH: usize = 20;

pub async fn run() {
    println!("\nDelivered items per second, and what a bare pool of the same concurrency sends to the same EHR (2 ms)");
    println!(
        "{:<10} {:>5} {:>11} {:>10} {:>10} {:>10} {:>10} {:>8} {:>8} {:>8}",
        "database", "batch", "concurrency", "pool", "best", "desk", "best", "ratio", "best", "worst"
    );
    for database in ["sqlite", "postgres"] {
        for (batch, concurrency) in [(1, 4), (1, 8), (1, 16), (BATCH, 4)] {
            let opened = match database {
                "sqlite" => Some(Database::sqlite()),
                _ => Database::postgres().await,
            };
            if let Some(opened) = opened.filter(|_| wanted(database) && wanted(&format!("c{concurrency}b{batch}"))) {
                measure(opened, batch, concurrency).await;
            }
        }
    }
}

/// `MOSTIK_BENCH_ONLY=postgres,c4b1` measures only that.
fn wanted(word: &str) -> bool {
    std::env::var("MOSTIK_BENCH_ONLY").map_or(true, |only| {
        let kind = |word: &str| word.starts_with('c') && word.contains('b');
        let mut alike = only.split(',').filter(|other| kind(other) == kind(word)).peekable();
        alike.peek().is_none() || alike.any(|other| other == word)
    })
}

#[expect(clippy::cast_precision_loss, reason = "counts of items are small")]
async fn measure(database: Database, batch: usize, concurrency: usize) {
    let ehr = Ehr::start(Manner { takes: Duration::from_millis(2), batch: batch > 1 });
    // Long enough that how it begins and ends does not count.
    let count = if batch > 1 { 20_000 } else { 8000 * concurrency.min(4) };
    let mut house = House::open(database, &ehr.base, &Plan { concurrency, batch_size: batch }).await;
    house.admit(PEOPLE).await;
    let (mut pools, mut desks) = (Vec::new(), Vec::new());
    // The first round warms up.
    let rounds = std::env::var("MOSTIK_BENCH_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    for round in 0..=rounds {
        house.empty().await;
        let bodies = house.stock(count).await;
        house.analyze().await;
        let (url, bodies) = match batch {
            1 => (format!("{}/Observation", ehr.base), bodies),
            size => (ehr.base.clone(), pool::batches(&bodies, size)),
        };
        let bare = pool::send(&url, &Arc::new(bodies), concurrency).await;
        let start = Instant::now();
        house.deliver().await;
        let ours = start.elapsed();
        assert_eq!(house.count(DeliveryState::Confirmed).await, i64::try_from(count).unwrap());
        let (bare, ours) = (count as f64 / bare.as_secs_f64(), count as f64 / ours.as_secs_f64());
        println!("  round {round}: pool {bare:.0}/s, desk {ours:.0}/s, {:.1} %", 100.0 * ours / bare);
        if round > 0 {
            pools.push(bare);
            desks.push(ours);
        }
    }
    let ratios: Vec<f64> = desks.iter().zip(&pools).map(|(desk, pool)| 100.0 * desk / pool).collect();
    let worst = ratios.iter().copied().fold(f64::MAX, f64::min);
    println!(
        "{:<10} {batch:>5} {concurrency:>11} {:>10.0} {:>10.0} {:>10.0} {:>10.0} {:>6.1} % {:>6.1} % {worst:>6.1} %",
        house.kind(),
        median(&pools),
        best(&pools),
        median(&desks),
        best(&desks),
        median(&ratios),
        best(&ratios),
    );
    house.close().await;
}
