//! **mostik** joins a peer-support community to the clinic: a member's consent decides what a clinic may see.
//!
//! The modules stand in the order in which the data flows through them.

pub mod app;
pub mod cli;
pub mod config;
pub mod consent;
pub mod delivery;
pub mod domain;
pub mod enrolment;
pub mod import;
pub mod inbound;
pub mod mapping;
pub mod outbox;
pub mod pipeline;
pub mod sandbox;
pub mod store;
pub mod telemetry;
pub mod vault;
pub mod web;
