//! What the benches share: sample data, the bare writes that the bridge is held against, and the table of both.
#![allow(dead_code, reason = "each bench uses its own part")]

pub mod raw;
pub mod sample;
pub mod table;
#[path = "../../tests/support/mod.rs"]
pub mod tests;
