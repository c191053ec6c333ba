//! How much memory the process has while it delivers a million items.

use std::time::{Duration, Instant};

use mostik::domain::delivery::DeliveryState;

use super::ehr::{Ehr, Manner};
use super::house::{House, Plan};
use crate::support::tests::database::Database;

const ITEMS: usize = 1_000_000;
const AT_A_TIME: usize = 10_000;
const SAMPLE_EVERY: usize = 50_000;

pub async fn run() {
    println!("\nResident memory of a process that puts a million items into the outbox and delivers them, in MiB");
    for database in Database::all().await {
        // With both it takes long: one can be had alone.
        let kind = if database.is_sqlite() { "sqlite" } else { "postgres" };
        if std::env::var("MOSTIK_BENCH_ONLY").is_ok_and(|only| only != kind) {
            continue;
        }
        let ehr = Ehr::start(Manner { takes: Duration::from_millis(2), batch: true });
        let mut house = House::open(database, &ehr.base, &Plan { concurrency: 8, batch_size: 20 }).await;
        house.admit(1000).await;
        println!("{} (start: {:.1})", house.describe().await, resident());
        let start = Instant::now();
        for delivered in (AT_A_TIME..=ITEMS).step_by(AT_A_TIME) {
            house.stock(AT_A_TIME).await;
            house.deliver().await;
            if delivered % SAMPLE_EVERY == 0 {
                println!("  {delivered:>9} items  {:>7.1} MiB  {:>6.0} s", resident(), start.elapsed().as_secs_f64());
            }
        }
        assert_eq!(house.count(DeliveryState::Confirmed).await, i64::try_from(ITEMS).unwrap());
        house.close().await;
    }
}

/// What this process has in memory now (`/proc/self/status`).
pub fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
}
