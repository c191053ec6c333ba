//! Taking consent back while ten thousand items wait under it.

use std::time::Instant;

use mostik::chores::run_due;
use mostik::consent::change::revoke;

use super::figures::{millis, summary};
use super::house::{House, Plan};
use crate::support::tests::database::Database;

/// So that p99 is not simply the worst.
const TIMES: usize = 100;
const ITEMS: usize = 10_000;

pub async fn run() {
    println!("\nRevocation of a consent under which {ITEMS} items wait");
    for database in Database::all().await {
        let plan = Plan { concurrency: 4, batch_size: 20 };
        let mut house = House::open(database, "http://127.0.0.1:9/fhir", &plan).await;
        house.admit(TIMES).await;
        let (mut whole, mut commits, mut sweeps) = (Vec::new(), Vec::new(), Vec::new());
        for person in 0..TIMES {
            house.stock_one(person, ITEMS).await;
            let (member, grant) = (house.people[person].id, house.people[person].grant.id);
            let start = Instant::now();
            let mut tx = house.bridge.store.begin().await.unwrap();
            let (_, withdrawn) = revoke(&mut tx, member, grant, house.now()).await.unwrap();
            let done = Instant::now();
            tx.commit().await.unwrap();
            whole.push(millis(start.elapsed()));
            commits.push(millis(done.elapsed()));
            assert_eq!(withdrawn, ITEMS as u64);
            let start = Instant::now();
            while run_due(&house.bridge).await.unwrap() {}
            sweeps.push(millis(start.elapsed()));
        }
        println!("{}", house.describe().await);
        println!("  the whole transaction  {}", summary(whole));
        println!("  its COMMIT alone       {}", summary(commits));
        println!("  afterwards, the rows   {}", summary(sweeps));
        house.close().await;
    }
}
