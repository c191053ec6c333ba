//! The delivery core in a simulated world: virtual time, a network and an EHR that fail in every way, replicas that die,
//! members who change their minds. Everything follows from one number: a seed that fails is repeated by
//! `MOSTIK_SIM_SEED=<seed> cargo nextest run --test sim`.
//!
//! What runs is the real thing (intake, decision, mapping, outbox, desks, SQLite); only the clock, the dice, the network
//! and the EHR are the simulation's.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that cannot go on must fail"
)]

mod dice;
mod ehr;
mod house;
mod life;
mod net;
mod people;
mod revocation;

use dice::Dice;
use house::House;

/// Stories allocate a lot.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How many seeds are tried in all, unless `MOSTIK_SIM_SEEDS` says otherwise, as it does in `.ci/run`.
const SEEDS: u64 = 2_000;

/// The shards that run beside each other.
const SHARDS: u64 = 4;

/// How many seeds share a database before it is thrown away.
const SEEDS_PER_HOUSE: u64 = 250;

/// How many orders of one revocation among sends are tried in all, unless `MOSTIK_SIM_REVOCATIONS` says otherwise, as it
/// does in `.ci/run`.
const REVOCATIONS: u64 = 4_000;

async fn lives(number: u64) {
    if let Some(seed) = variable("MOSTIK_SIM_SEED") {
        if number == 0 {
            let trace = life::live(&mut House::build().await, seed, true).await;
            println!("{trace:#x}");
        }
        return;
    }
    let seeds = variable("MOSTIK_SIM_SEEDS").unwrap_or(SEEDS) / SHARDS;
    let mut house = House::build().await;
    for n in 0..seeds {
        if n % SEEDS_PER_HOUSE == SEEDS_PER_HOUSE - 1 {
            house = House::build().await;
        }
        let told = TellsSeed("MOSTIK_SIM_SEED", n * SHARDS + number);
        life::live(&mut house, told.1, false).await;
    }
    println!("{seeds} seeds");
}

async fn revocations(number: u64) {
    if let Some(seed) = variable("MOSTIK_SIM_REVOCATION") {
        if number == 0 {
            revocation::interleave(&House::build().await, seed, true).await;
        }
        return;
    }
    let seeds = variable("MOSTIK_SIM_REVOCATIONS").unwrap_or(REVOCATIONS) / SHARDS;
    let mut house = House::build().await;
    let mut under_way = 0;
    for n in 0..seeds {
        if n % SEEDS_PER_HOUSE == SEEDS_PER_HOUSE - 1 {
            house = House::build().await;
        }
        let told = TellsSeed("MOSTIK_SIM_REVOCATION", n * SHARDS + number);
        under_way += revocation::interleave(&house, told.1, false).await;
    }
    println!("{seeds} revocations, {under_way} of them with a send under way");
    assert!(under_way > 0 || seeds < 100, "the dice never came to the point");
}

/// Says which seed it was when a story ends badly.
struct TellsSeed(&'static str, u64);

impl Drop for TellsSeed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("{}={}", self.0, self.1);
        }
    }
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Keeps a shard, and the threads it starts, on one core. They only ever wait for each other, and waking a thread on
/// another core takes longer than what it is woken for: on two cores, four shards end in half the time.
fn stay_on_one_core(shard: u64) {
    let cores = core_affinity::get_core_ids().unwrap_or_default();
    if let Some(core) = cores.iter().cycle().nth(usize::try_from(shard).unwrap()) {
        core_affinity::set_for_current(*core);
    }
}

macro_rules! shards {
    ($run:ident: $($name:ident: $number:literal,)*) => {
        $(#[test]
        fn $name() {
            stay_on_one_core($number);
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on($run($number));
        })*
    };
}

shards! {
    lives:
    whatever_happens_each_reading_arrives_once_and_in_order_and_with_consent_shard_0: 0,
    whatever_happens_each_reading_arrives_once_and_in_order_and_with_consent_shard_1: 1,
    whatever_happens_each_reading_arrives_once_and_in_order_and_with_consent_shard_2: 2,
    whatever_happens_each_reading_arrives_once_and_in_order_and_with_consent_shard_3: 3,
}

shards! {
    revocations:
    no_send_begins_after_a_revocation_has_committed_shard_0: 0,
    no_send_begins_after_a_revocation_has_committed_shard_1: 1,
    no_send_begins_after_a_revocation_has_committed_shard_2: 2,
    no_send_begins_after_a_revocation_has_committed_shard_3: 3,
}

#[tokio::test]
async fn a_seed_tells_the_same_story_each_time() {
    let mut first = House::build().await;
    let mut second = House::build().await;
    for seed in 0..20 {
        let once = life::live(&mut first, seed, false).await;
        let again = life::live(&mut second, seed, false).await;
        assert_eq!(once, again, "seed {seed}");
    }
    let mut dice = Dice::new(1);
    assert_ne!(dice.below(1 << 30), Dice::new(2).below(1 << 30));
}
