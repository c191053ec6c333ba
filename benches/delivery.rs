//! Delivery under load, each figure beside a limit measured in the same run. Nothing is asserted about time.
//!
//! `cargo bench --bench delivery` measures throughput, idle latency, the cost of a claim and of a revocation;
//! `-- memory` delivers a million items, `-- way-back` measures how long a Task of the clinic's takes to its member (four
//! minutes). Words after `--` choose: `throughput`, `idle`, `claim`, `revocation`, `way-back`, `memory`, and `platform` (a community's
//! platform brings a thousand things a second for a minute). PostgreSQL takes part when `MOSTIK_TEST_POSTGRES` has the URL of a superuser; mind its durability, which is
//! shown: `tests/run --up` starts one with `fsync=off`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a bench that cannot go on ends, and tells a terminal what it found"
)]

mod load;
mod support;

use tokio::runtime::Runtime;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == load::ehr::ARGUMENT) {
        return load::ehr::be(&arguments[1..]);
    }
    let is_measuring = arguments.iter().any(|argument| argument == "--bench");
    if !is_measuring {
        // `cargo test --benches` asks only whether it starts.
        return;
    }
    let chosen: Vec<&str> = arguments.iter().map(String::as_str).filter(|word| !word.starts_with('-')).collect();
    let is_chosen =
        |word| chosen.contains(&word) || (chosen.is_empty() && !["memory", "platform", "way-back"].contains(&word));
    let runtime = Runtime::new().unwrap();
    if is_chosen("throughput") {
        runtime.block_on(load::throughput::run());
    }
    if is_chosen("idle") {
        runtime.block_on(load::idle::run());
    }
    if is_chosen("claim") {
        runtime.block_on(load::claim::run());
    }
    if is_chosen("revocation") {
        runtime.block_on(load::revocation::run());
    }
    if is_chosen("way-back") {
        runtime.block_on(load::way_back::run());
    }
    if is_chosen("memory") {
        runtime.block_on(load::memory::run());
    }
    if is_chosen("platform") {
        runtime.block_on(load::platform::run());
    }
}
