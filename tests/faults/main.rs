//! Everything that can go wrong between the bridge and an EHR, and between the bridge and its database: each time the
//! right state, nothing lost, nothing twice, no busy loop, and a clear line in `mostik queue`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that cannot go on must fail"
)]

#[path = "../support/mod.rs"]
mod support;

mod answers;
mod clock;
mod connection;
mod database;
mod full;
mod restart;
mod scene;
mod tls;
