//! Behaviour seen from outside: HTTP in, what the EHR and the caller receive out.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on must fail")]

#[path = "../support/mod.rs"]
mod support;

mod audit;
mod booking;
mod clinic;
mod companion;
mod connectors;
mod consent;
mod delivery;
#[path = "../sim/dice.rs"]
mod dice;
mod groups;
mod house;
mod insight;
mod intake;
mod linking;
mod mapping;
mod materials;
mod messages;
mod portal;
mod safety;
mod staff;
mod vault;
mod way_back;
